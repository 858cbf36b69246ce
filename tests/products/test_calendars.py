"""Calendars of planned releases: what stands in them, for whom, and until when (PLX-14)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.products.conftest import Shop
from troth.errors import Forbidden, Malformed, Refused
from troth.sdk import Client
from troth.versions.releases.calendar import Event, calendar

#: a day of next year, which is still to come whenever this runs
DUE = f"{datetime.now(UTC).year + 1}-11-30"


def events(client: Client, address: str) -> list[dict[str, str]]:
    """What a calendar reads at an address, without a key."""
    with Client(client.address, "") as calendars:
        reply = calendars._http.get(address.removeprefix(client.address))
    assert reply.headers["content-type"].startswith("text/calendar")
    found: list[dict[str, str]] = []
    for line in reply.text.replace("\r\n ", "").split("\r\n"):
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found and ":" in line:
            name, _, value = line.partition(":")
            found[-1][name.partition(";")[0]] = value
    return found


def feed(shop: Shop) -> tuple[str, str]:
    """(id, address) of a new feed."""
    code, out, _ = shop.troth("calendar", "create", "--label", "mine", "--json")
    assert code == 0
    found = json.loads(out)
    return found["calendar"], found["address"]


def test_a_planned_release_stands_in_the_calendar_until_it_comes(shop: Shop) -> None:
    _, address = feed(shop)
    shop.client.command("update_product", product=shop.subject, public=False)
    code, out, _ = shop.troth(
        "release", "plan", shop.subject, DUE, "--number", "0.1.0", "--note", "sizes; colours, more", "--json"
    )
    assert code == 0
    planned = json.loads(out)["plan"]
    (found,) = [one for one in events(shop.client, address) if one["UID"] == f"{planned}@troth"]
    assert found["DTSTART"] == DUE.replace("-", "")
    assert found["SUMMARY"] == f"{shop.subject} 0.1.0 (scheduled)"
    assert found["DESCRIPTION"] == "sizes\\; colours\\, more"
    shop.cut()
    told = [one["SUMMARY"] for one in events(shop.client, address) if shop.subject in one["SUMMARY"]]
    assert told == [f"{shop.subject}: a release is usual by today"]
    with pytest.raises(Refused, match="not planned any more"):
        shop.client.command("cancel_planned_release", plan=planned)


def test_a_cancelled_release_stands_there_no_more(shop: Shop) -> None:
    planned = shop.client.command("plan_release", product=shop.subject, due=DUE, occasion="fix")["plan"]
    _, stranger = shop.server.account("sam")
    with pytest.raises(Forbidden):
        stranger.command("cancel_planned_release", plan=planned)
    assert shop.client.cadence(shop.subject)["planned"][0]["plan"] == planned
    code, out, _ = shop.troth("release", "cancel", planned)
    assert (code, out.strip()) == (0, f"cancelled: the next of {DUE}")
    assert shop.client.cadence(shop.subject)["planned"] == []


def test_a_feed_shows_what_its_account_may_know_of(shop: Shop) -> None:
    _, address = feed(shop)
    shop.client.command("plan_release", product=shop.subject, due=DUE, occasion="fix")
    _, stranger = shop.server.account("sam")
    token = stranger.command("create_calendar")["token"]
    theirs = f"{stranger.address}/api/v1/calendars/{token}.ics"
    assert any(shop.subject in one["SUMMARY"] for one in events(stranger, theirs))
    shop.client.command("update_product", product=shop.subject, public=False)
    assert not any(shop.subject in one["SUMMARY"] for one in events(stranger, theirs))
    assert any(shop.subject in one["SUMMARY"] for one in events(shop.client, address))


def test_a_revoked_address_opens_nothing(shop: Shop) -> None:
    identity, address = feed(shop)
    path = address.removeprefix(shop.client.address)
    _, stranger = shop.server.account("sam")
    with pytest.raises(Forbidden):
        stranger.command("revoke_calendar", calendar=identity)
    assert shop.client._http.get(path).status_code == 200
    code, _, _ = shop.troth("calendar", "revoke", identity)
    assert code == 0
    assert shop.client._http.get(path).status_code == 404
    assert shop.client.calendars()[0]["revoked_at"] is not None
    code, out, _ = shop.troth("calendar", "list", "--json")
    assert [row["calendar"] for row in json.loads(out)] == [identity]


def test_the_token_is_in_no_record(shop: Shop) -> None:
    token = shop.client.command("create_calendar", label="secret")["token"]
    assert token.encode() not in b"".join(link.entry for link in shop.server.owner.journal())


def test_a_day_that_there_is_not_is_refused(shop: Shop) -> None:
    with pytest.raises(Malformed, match="no day"):
        shop.client.command("plan_release", product=shop.subject, due="2026-02-30", occasion="fix")


@pytest.mark.parametrize("due", ["9999-12-31", "0001-01-01"])
def test_a_day_that_nobody_plans_for_is_refused(shop: Shop, due: str) -> None:
    with pytest.raises(Malformed, match="more than 100 years"):
        shop.client.command("plan_release", product=shop.subject, due=due, occasion="fix")


@pytest.mark.parametrize("day", [date.min, date.max])
def test_each_day_that_there_is_can_stand_in_a_calendar(day: date) -> None:
    text = calendar("Releases", [Event("1@troth", day, "shop 1.0.0", "", "2026-11-25T00:00:00.000000Z")])
    assert f"DTSTART;VALUE=DATE:{day.isoformat().replace('-', '')}\r\n" in text


@given(st.text(max_size=300), st.text(max_size=300))
def test_what_people_write_stays_inside_its_line(summary: str, description: str) -> None:
    text = calendar(
        "Releases", [Event("1@troth", date(2026, 11, 30), summary, description, "2026-11-25T00:00:00.000000Z")]
    )
    lines = text.split("\r\n")
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == 1
    assert max(len(line.encode(errors="replace")) for line in lines) <= 75
    assert "\n" not in text.replace("\r\n", "")
    names = {line.partition(":")[0].partition(";")[0] for line in text.replace("\r\n ", "").split("\r\n")[5:-3] if line}
    assert names <= {"BEGIN", "END", "UID", "DTSTAMP", "DTSTART", "SUMMARY", "DESCRIPTION", "TRANSP", ""}


def test_a_day_that_has_passed_is_refused(shop: Shop) -> None:
    with pytest.raises(Refused, match="2026-01-31 has passed"):
        shop.client.command("plan_release", product=shop.subject, due="2026-01-31", occasion="fix")

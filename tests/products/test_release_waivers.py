"""A release that comparing clauses refuse passes by a waiver, from the question to the page."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tests.products.conftest import Shop
from troth.clock import now, stamp
from troth.errors import Forbidden, Malformed, NotFound, Refused
from troth.registry import waivers as registry
from troth.sdk import Client
from troth.versions.waivers import Waiver

WITHOUT_PORT = json.dumps({"type": "object", "properties": {}})


@pytest.fixture
def broken(shop: Shop) -> Shop:
    """A product with 0.1.0, and a commit without a setting that wants to be 0.1.1."""
    assert shop.cut()[0] == 0
    shop.commit("0.1.1", {"settings.json": WITHOUT_PORT})
    return shop


def request(shop: Shop, client: Client | None = None, **how: Any) -> dict[str, Any]:
    document = shop.claimed("0.1.1")
    asked: dict[str, Any] = {"product": shop.subject, "number": "0.1.1", "commit": document.commit}
    asked |= {"evidence": shop.uploaded(document.as_bytes()), "clauses": ["PLX-07"], "reason": "nobody sets port"}
    asked |= {"expires_at": stamp(now() + timedelta(days=30)), **how}
    return (client or shop.client).command("request_release_waiver", **asked)


@pytest.mark.clause("PLX-07")
def test_a_release_passes_by_a_waiver_and_says_so_for_good(broken: Shop) -> None:
    shop, folder = broken, str(broken.repository.folder)
    code, refused = shop.cut()
    assert (code, refused["clauses"]) == (3, ["PLX-07"])
    code, out, _ = shop.troth_offline("release", "check", "--project", folder)
    assert (code, "troth release request-waiver 0.1.1" in out) == (3, True)
    code, out, err = shop.troth("release", "request-waiver", "--project", folder, "-m", "nobody sets [port]")
    assert code == 0, err
    assert f"for {shop.subject}/0.1.1, commit " in out
    assert f"troth waiver approve {shop.subject}/0.1.1" in err
    assert shop.cut()[0] == 3
    code, out, _ = shop.troth("waiver", "show", f"{shop.subject}/0.1.1")
    assert "PLX-07 asks for a minor" in out
    code, out, err = shop.troth("waiver", "approve", f"{shop.subject}/0.1.1")
    assert (code, "is alone" in out, "troth release cut 0.1.1" in err) == (0, True, True)
    code, out, _ = shop.troth("release", "check", "--project", folder, "--waivers")
    assert (code, "0.1.1 is allowed by a waiver" in out) == (0, True)
    code, found = shop.cut()
    assert (code, found["number"], found["verdict"]["outcome"]) == (0, "0.1.1", "allowed")
    (waiver,) = found["verdict"]["waivers"]
    assert (waiver["form"], waiver["kind"], waiver["reason"]) == ("troth-waiver-2", "product", "nobody sets [port]")
    _seen_by_strangers(shop, waiver)


def _seen_by_strangers(shop: Shop, waiver: dict[str, Any]) -> None:
    """On every page, and in the journal."""
    _, stranger = shop.server.account("stranger")
    page = stranger.release(shop.subject, "0.1.1")
    assert [(one["id"], one["signature"]) for one in page["waivers"]] == [(waiver["id"], waiver["signature"])]
    listed = {row["number"]: row["waivers"] for row in stranger.releases(shop.subject)}
    assert [one["id"] for one in listed["0.1.1"]] == [waiver["id"]]
    assert listed["0.1.0"] == []
    assert "By a waiver of PLX-07" in stranger.changelog(shop.subject)
    assert stranger.waiver(waiver["id"])["state"] == "used"
    assert [one["id"] for one in stranger.release_waivers(shop.subject)["waivers"]] == [waiver["id"]]
    assert "PLX-07 waived" in shop.troth("release", "list", shop.subject)[1]
    assert "by a waiver of PLX-07" in shop.troth("release", "show", f"{shop.subject}/0.1.1")[1]
    with pytest.raises(Refused, match="it is used"):
        shop.client.command("revoke_waiver", waiver=waiver["id"], reason="too late")
    names = [json.loads(link.entry)["command"] for link in shop.server.owner.journal()]
    assert {"request_release_waiver", "approve_waiver"} <= set(names)


def test_what_cannot_be_asked_for(broken: Shop) -> None:
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"clauses": ["PLX-09"]}, Refused, "PLX-09 cannot be waived"),
        ({"clauses": ["ALG-05"]}, Refused, "ALG-05 cannot be waived"),
        ({"clauses": ["PLX-07", "PLX-08"]}, Refused, "PLX-08 does not object"),
        ({"clauses": ["PLX-08"]}, Refused, "PLX-08 does not object"),
        ({"commit": "0" * 40}, Malformed, "another commit"),
        ({"evidence": "0" * 64}, NotFound, "was not uploaded whole"),
        ({"number": "0.2.0"}, Refused, "says version 0.1.1"),
        ({"expires_at": "soon"}, Malformed, "cannot expire"),
        ({"product": "nobody/nothing"}, Forbidden, "may not request release waiver"),
    ]
    for how, error, words in cases:
        with pytest.raises(error, match=words):
            request(broken, **how)
    assert broken.client.release_waivers(broken.subject)["waivers"] == []
    request(broken)
    with pytest.raises(Refused, match="already"):
        request(broken)


def test_what_no_waiver_helps_is_told(broken: Shop) -> None:
    broken.repository.commit({"migrations/0001_orders.sql": "CREATE TABLE orders (id INTEGER);\n"}, "edit")
    with pytest.raises(Refused, match="would not help: PLX-09 objects to 0.1.1 too") as caught:
        request(broken, clauses=["PLX-07", "PLX-08"])
    assert "mend that, which cannot be waived" in caught.value.repair


def test_two_people_see_it_where_there_are_two(broken: Shop) -> None:
    identity = request(broken)["id"]
    _, stranger = broken.server.account("stranger")
    for command in ("approve_waiver", "revoke_waiver"):
        with pytest.raises(Forbidden):
            stranger.command(command, waiver=identity)
    with pytest.raises(NotFound, match="there is no waiver"):
        stranger.waiver(identity)
    assert stranger.release_waivers(broken.subject)["waivers"] == []
    assert broken.server.owner.command("approve_waiver", waiver=identity)["approved_by"] == "owner"
    assert [one["id"] for one in broken.client.release_waivers(broken.subject)["waivers"]] == [identity]


@pytest.mark.parametrize("fault", ["altered", "expired", "revoked", "another commit"])
def test_a_waiver_that_does_not_hold_lets_nothing_pass(broken: Shop, fault: str) -> None:
    identity = request(broken)["id"]
    before = Waiver.from_dict(broken.client.command("approve_waiver", waiver=identity)["waiver"])
    if fault == "altered":
        _write(broken, identity, replace(before, expires_at="2099-01-01T00:00:00.000000Z"))
    elif fault == "expired":
        after = replace(before, expires_at="2026-01-01T00:00:00.000000Z")
        key = broken.server.server.signing_key
        _write(broken, identity, replace(after, signature=key.sign(after.statement())))
    elif fault == "revoked":
        broken.client.command("revoke_waiver", waiver=identity)
    else:
        broken.repository.commit({"src/shop.py": "print('more')\n"}, "more")
    code, refused = broken.cut()
    assert (code, refused["clauses"]) == (3, ["PLX-07"])
    assert f"the waiver {identity} does not help: it" in refused["why"]
    assert "ask for a waiver (troth release request-waiver 0.1.1)" in refused["repair"]
    assert len(broken.client.releases(broken.subject)) == 1


def _write(shop: Shop, identity: str, waiver: Waiver) -> None:
    """Writes a signed waiver into the registry, past every command."""
    change = update(registry.waivers).where(registry.waivers.c.id == identity)
    change = change.values(signed=json.dumps(waiver.as_dict()))
    shop.server.server.database.write_now(lambda connection: connection.execute(change))


def test_a_check_believes_a_file_with_the_key_and_needs_no_server(broken: Shop, tmp_path: Path) -> None:
    identity = request(broken)["id"]
    folder = ("--project", str(broken.repository.folder))
    file, public = tmp_path / "waiver.json", tmp_path / "troth.pub"
    public.write_text(broken.client.signing_key()["public_key"])
    given = ("--waiver", str(file), "--public-key", str(public))
    file.write_text(json.dumps(broken.client.waiver(identity)))
    code, _, err = broken.troth_offline("release", "check", *folder, *given)
    assert (code, "not approved yet" in err) == (2, True)
    file.write_text(json.dumps(broken.client.command("approve_waiver", waiver=identity)))
    code, out, err = broken.troth_offline("release", "check", *folder, *given)
    assert (code, "allowed by a waiver" in out) == (0, True), err
    code, out, _ = broken.troth_offline("waiver", "verify", str(file), "--public-key", str(public))
    assert (code, f"{broken.subject}/0.1.1, PLX-07" in out) == (0, True)
    file.write_text(file.read_text().replace("nobody sets", "everybody sets"))
    code, out, _ = broken.troth_offline("release", "check", *folder, *given)
    assert (code, "its signature does not fit what it says" in out) == (3, True)
    file.write_text(json.dumps(replace(_signed(broken, identity), subject="ada/other").as_dict()))
    code, out, _ = broken.troth_offline("release", "check", *folder, *given)
    assert (code, f"it is for ada/other, and not for {broken.subject}" in out) == (3, True)


def _signed(shop: Shop, identity: str) -> Waiver:
    return Waiver.from_dict(shop.client.waiver(identity)["waiver"])

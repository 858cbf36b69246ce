"""Plans of upgrades over several releases: everything once, in order, and the way with the fewest doubts (PLX-04b)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.products.conftest import SETTINGS, Shop
from troth.contracts.upgrades.configuration import problems
from troth.contracts.upgrades.jumps import NOTHING, PROVED, UNPROVED, standing_of, way
from troth.contracts.upgrades.page import as_page, drawing
from troth.contracts.upgrades.plan import plan
from troth.contracts.upgrades.releases import PlannedRelease, Standing
from troth.contracts.upgrades.rendering import as_markdown, as_text
from troth.errors import Malformed
from troth.versions.releases.numbers import ReleaseNumber


def release(number: str, state: str = "", *, proved: Sequence[str] = (), **more: Any) -> PlannedRelease:
    """A release; `proved` are those from which its migrations were run."""
    paths: list[dict[str, Any]] = [
        {
            "begins": one,
            "also": [],
            "outcome": "passed",
            "seconds": 0.5,
            "locked": None,
            "database": "SQLite",
            "words": "ok",
        }
        for one in proved
    ]
    return PlannedRelease(ReleaseNumber.parse(number), "2026-11-25", "fix", state or number, paths=paths, **more)


def migration(name: str) -> dict[str, Any]:
    return {"chain": "migrations", "id": name, "path": f"migrations/{name}.sql", "component": "core"}


def numbers(found: Any) -> list[str]:
    return [str(jump.ends.number) for jump in found]


def test_a_proved_jump_needs_no_stop() -> None:
    found = way([release("1.0.0"), release("1.1.0"), release("1.2.0", proved=["1.0.0"])])
    assert [(str(one.begins.number), str(one.ends.number), one.standing) for one in found] == [
        ("1.0.0", "1.2.0", PROVED)
    ]


def test_the_way_stops_where_the_jumps_are_proved() -> None:
    found = way([release("1.0.0"), release("1.1.0", proved=["1.0.0"]), release("1.2.0", proved=["1.1.0"])])
    assert [(numbers([one])[0], one.standing) for one in found] == [("1.1.0", PROVED), ("1.2.0", PROVED)]


def test_a_major_is_entered_from_the_newest_of_the_former_one() -> None:
    """Note N22: no path is promised from elsewhere."""
    found = way([release("1.0.0"), release("1.1.0"), release("2.0.0"), release("2.1.0")])
    assert numbers(found)[0] == "1.1.0"
    assert found[-1].standing == UNPROVED


def test_a_jump_that_failed_is_not_led_over() -> None:
    failed = release("1.2.0")
    paths = [
        {"begins": "1.0.0", "also": [], "outcome": "failed", "seconds": 0, "locked": None, "database": "", "words": ""}
    ]
    failed = PlannedRelease(failed.number, failed.released, "fix", failed.state, paths=paths)
    found = way([release("1.0.0"), release("1.1.0", "same"), failed])
    assert numbers(found) == ["1.1.0", "1.2.0"]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=2, max_size=12, unique=True).map(sorted),
    st.data(),
)
def test_every_way_rises_from_end_to_end(parts: list[tuple[int, int]], data: st.DataObject) -> None:
    nodes: list[PlannedRelease] = []
    for major, minor in parts:
        earlier = [str(one.number) for one in nodes]
        proved = data.draw(st.lists(st.sampled_from(earlier), unique=True)) if earlier else []
        nodes.append(release(f"{major}.{minor}.0", data.draw(st.sampled_from("abc")), proved=proved))
    found = way(nodes)
    assert found[0].begins is nodes[0]
    assert found[-1].ends is nodes[-1]
    for former, latter in pairwise(found):
        assert former.ends is latter.begins
    for jump in found:
        assert jump.begins.number < jump.ends.number
        assert jump.standing == standing_of(jump.begins, jump.ends)
    if standing_of(nodes[0], nodes[-1]) in (PROVED, NOTHING):
        assert len(found) == 1


@pytest.mark.clause("PLX-04b")
def test_a_plan_lists_all_migrations_in_order_and_once_each() -> None:
    """As of the policy's own example: 0.5.0 to 0.7.2."""
    brought = {"0.6.0": ["0002"], "0.7.0": ["0003", "0004"], "0.7.2": []}
    releases = [release("0.5.0")]
    for number, names in brought.items():
        facts = [{"kind": "migration-added", "where": migration(name)["path"], "words": ""} for name in names]
        releases.append(release(number, facts=facts, notes=[note("noted-fix", f"mended in {number}")]))
    listed = [migration(name) for name in ("0001", "0002", "0003", "0004")]
    found = plan(
        "ada/shop", releases[::-1], releases[0], releases[-1], Standing(listed[:1]), Standing(listed)
    ).as_dict()
    assert [(one["id"], one["release"]) for one in found["migrations"]] == [
        ("0002", "0.6.0"),
        ("0003", "0.7.0"),
        ("0004", "0.7.0"),
    ]
    assert [one["number"] for one in found["releases"]] == ["0.6.0", "0.7.0", "0.7.2"]
    assert [one["text"] for one in found["notes"]["everything"]["mended"]] == [
        "mended in 0.6.0",
        "mended in 0.7.0",
        "mended in 0.7.2",
    ]


def test_a_plan_tells_how_long_each_migration_took() -> None:
    """From the release that brought it, run from the nearest before it."""

    def path(begins: str, **took: float) -> dict[str, Any]:
        times = [{"id": name, "seconds": seconds} for name, seconds in took.items()]
        told: dict[str, Any] = {
            "migrations": "migrations",
            "begins": begins,
            "also": [],
            "outcome": "passed",
            "locked": None,
        }
        return {**told, "seconds": 1.0, "database": "PostgreSQL", "words": "ok", "times": times}

    first, last = release("1.0.0"), release("1.2.0")
    middle = PlannedRelease(ReleaseNumber.parse("1.1.0"), "2026-11-25", "fix", "1.1.0", paths=[path("1.0.0", a=0.25)])
    last = PlannedRelease(
        last.number, last.released, "fix", "1.2.0", paths=[path("1.0.0", a=9, b=9), path("1.1.0", b=2)]
    )
    listed = [migration(name) for name in "abc"]
    told: dict[str, Any] = plan("ada/shop", [first, middle, last], first, last, Standing(), Standing(listed)).as_dict()
    assert [(one["id"], one["seconds"], one["database"]) for one in told["migrations"]] == [
        ("a", 0.25, "PostgreSQL"),
        ("b", 2, "PostgreSQL"),
        ("c", None, None),
    ]
    assert "a (core, migrations/a.sql): 0.25 s on PostgreSQL" in as_text(told)
    assert "- c (core, migrations/c.sql)\n" in as_markdown(told)


def note(kind: str, text: str, component: str = "") -> dict[str, Any]:
    return {"kind": kind, "component": component, "where": f"changes/{text}", "text": text}


def test_a_note_of_two_lines_of_releases_is_told_once() -> None:
    one = [note("noted-fix", "no more crashes")]
    releases = [release("1.0.0"), release("1.0.1", notes=one), release("1.1.0", notes=one)]
    found = plan("ada/shop", releases, releases[0], releases[2], Standing(), Standing()).as_dict()
    assert found["notes"] == {"everything": {"mended": [{"text": "no more crashes", "releases": ["1.0.1", "1.1.0"]}]}}


def test_settings_that_came_and_went_are_not_told() -> None:
    def settings(**properties: Any) -> Standing:
        text = json.dumps({"type": "object", "properties": properties})
        return Standing(settings=[{"kind": "settings", "path": "settings.json", "component": "", "text": text}])

    held, wanted = settings(port={"default": 80}, old={}), settings(port={"default": 8080}, new={})
    start, end = release("1.0.0"), release("2.0.0")
    found = plan("ada/shop", [start, end], start, end, held, wanted).as_dict()
    assert [(one["kind"], one["old"], one["new"]) for one in found["settings"]] == [
        ("setting-default", 80, 8080),
        ("setting-removed", None, None),
        ("setting-added", None, None),
    ]
    assert all(one["to_do"] for one in found["settings"])


def test_settings_of_a_new_document_are_told() -> None:
    schema = {
        "type": "object",
        "properties": {"key": {"type": "string"}, "port": {"default": 1}},
        "required": ["key"],
        "additionalProperties": False,
    }
    told = [
        {"kind": "settings", "path": "mail.json", "component": "", "text": json.dumps(schema)},
        {"kind": "values", "path": "values.yaml", "component": "", "text": "replicas: 2\n"},
    ]
    start, end = release("1.0.0"), release("2.0.0")
    found = plan("ada/shop", [start, end], start, end, Standing(), Standing(settings=told)).as_dict()
    assert [(one["kind"], one["where"]) for one in found["settings"]] == [
        ("setting-required", "mail.json"),
        ("setting-added", "mail.json"),
        ("setting-added", "values.yaml"),
    ]


def test_a_yanked_release_is_no_stop_and_its_notes_are_told() -> None:
    bad = release("1.1.0", proved=["1.0.0"], yanked="it loses orders", notes=[note("noted-feature", "sizes")])
    releases = [release("1.0.0"), bad, release("1.2.0", proved=["1.1.0"])]
    found = plan("ada/shop", releases, releases[0], releases[2], Standing(), Standing()).as_dict()
    assert found["stops"] == []
    assert found["direct"] == UNPROVED
    assert found["notes"]["everything"]["new"][0]["text"] == "sizes"
    assert "taken back: it loses orders" in as_text(found)


def test_there_is_no_way_back() -> None:
    one, two = release("1.0.0"), release("1.1.0")
    with pytest.raises(Malformed, match="comes before"):
        plan("ada/shop", [one, two], two, one, Standing(), Standing())


def test_what_strangers_wrote_stays_text() -> None:
    evil = "<script>alert(1)</script> | [x](javascript:1)\n# not a heading"
    releases = [release("1.0.0"), release("1.1.0", notes=[note("noted-break", evil, "core")])]
    found = plan("ada/shop", releases, releases[0], releases[1], Standing(), Standing()).as_dict()
    assert "<script" not in as_page(found)
    assert "<script" not in as_markdown(found)
    assert "\n# not" not in as_markdown(found)


def test_the_drawing_is_whole_however_many_releases_there_are() -> None:
    """A thousand releases are planned and drawn; those between two stops are one mark."""
    releases = [release("1.0.0")]
    releases += [release(f"1.{minor}.0", proved=[f"1.{minor - 1}.0"]) for minor in range(1, 1001)]
    listed = [migration(f"{number:04}") for number in range(1000)]
    found = plan("ada/shop", releases, releases[0], releases[-1], Standing(), Standing(listed)).as_dict()
    assert len(found["jumps"]) == len(found["migrations"]) == 1000
    few = plan("ada/shop", releases, releases[-3], releases[-1], Standing(), Standing()).as_dict()
    drawn = ElementTree.fromstring("".join(drawing(few)))
    assert [one.text for one in drawn.iter("text")][-3:] == ["1.998.0", "1.999.0", "1.1000.0"]


def test_a_configuration_is_judged_without_repeating_what_it_holds() -> None:
    schema = {
        "type": "object",
        "properties": {"port": {"type": "integer"}, "log": {"properties": {"level": {"enum": ["info"]}}}},
    }
    wanted = Standing(
        settings=[{"kind": "settings", "path": "settings.json", "component": "", "text": json.dumps(schema)}]
    )
    found = problems("shop.toml", 'port = "secret"\nold = "secret"\n[log]\nlevel = "secret"\n', wanted)
    assert {one["where"] for one in found} == {"port", "old", "log.level"}
    assert "secret" not in json.dumps(found)
    assert problems("shop.json", '{"port": 1, "log": {"level": "info"}}', wanted) == []


# --- on a server


def test_an_upgrade_over_several_releases_is_planned(shop: Shop, tmp_path: Path) -> None:
    shop.cut()
    settings = json.dumps({**SETTINGS, "properties": {"port": {"type": "integer", "default": 8080}}})
    shop.released(
        "0.2.0",
        {
            "migrations/0002_notes.sql": "ALTER TABLE orders ADD COLUMN note TEXT;\n",
            "changes/1.feature.md": "Orders have notes.\n",
        },
    )
    shop.released("0.2.1", {"src/shop.py": "print('mended')\n", "changes/2.fix.md": "No more crashes.\n"})
    shop.released(
        "0.3.0",
        {
            "migrations/0003_state.sql": "ALTER TABLE orders ADD COLUMN state TEXT;\n",
            "settings.json": settings,
            "changes/3.feature.md": "Orders have states.\n",
        },
    )
    code, out, err = shop.troth("upgrade-plan", shop.subject, "0.1.0", "0.3.0", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert [(one["id"], one["release"]) for one in found["migrations"]] == [
        ("0002_notes", "0.2.0"),
        ("0003_state", "0.3.0"),
    ]
    assert found["jumps"] == [{**found["jumps"][0], "from": "0.1.0", "to": "0.3.0", "standing": "proved"}]
    assert [one["release"] for one in found["measured"]] == ["0.2.0", "0.3.0"]
    assert [one["kind"] for one in found["settings"]] == ["setting-default"]
    config = tmp_path / "shop.toml"
    config.write_text("port = 1\nhost = 'x'\n")
    code, out, _ = shop.troth("upgrade-plan", shop.subject, "0.1.0", "--check-config", str(config))
    assert code == 3
    assert "host: the release knows no such setting" in out
    page = shop.client._http.get(
        "/api/v1/upgrade-plan", params={"product": shop.subject, "from": "0.1.0", "form": "html"}
    )
    assert page.headers["content-type"].startswith("text/html")
    assert "<svg" in page.text
    assert "Orders have states." in page.text

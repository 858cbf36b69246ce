"""The plan of an upgrade from one release to another, whatever lies between (PLX-04b). A pure function over releases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Final

from troth.contracts.changelog import NOTED
from troth.contracts.settings_changes import UnreadableSettings, document_of, schema_changes, values_changes
from troth.contracts.upgrades.jumps import FAILED, NOTHING, UNPROVED, Jump, standing_of, way
from troth.contracts.upgrades.releases import PlannedRelease, Standing
from troth.errors import Malformed
from troth.versions.releases.evidence import Fact, Kind
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.releases.rules import BREAKS

#: what is to do where something breaks and no note says more
TO_DO: Final[dict[Kind, str]] = {
    Kind.CONTRACT_BROKEN: "change what relies on it before you upgrade",
    Kind.CONTRACT_UNDECIDED: "try what relies on it against the new release",
    Kind.CONTRACT_REMOVED: "stop relying on it before you upgrade",
    Kind.COMPONENT_REMOVED: "do without it before you upgrade",
    Kind.SETTING_REMOVED: "take it out of your configuration",
    Kind.SETTING_REQUIRED: "give it in your configuration",
    Kind.SETTING_NARROWED: "change its value",
    Kind.SETTING_DEFAULT: "write the old value down if you rely on it",
    Kind.SETTING_ADDED: "nothing, unless you want it",
    Kind.MANUAL_STEP: "do it by hand",
    Kind.NOTED_BREAK: "read the note",
    Kind.TARGET_REMOVED: "install it in another way",
}
_BROKEN: Final = {*BREAKS, Kind.MANUAL_STEP, Kind.TARGET_REMOVED} - {
    Kind.SETTING_REMOVED, Kind.SETTING_REQUIRED, Kind.SETTING_NARROWED,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """Everything that who upgrades has to know, each thing once."""

    product: str
    start: PlannedRelease
    target: PlannedRelease
    between: tuple[PlannedRelease, ...]
    jumps: tuple[Jump, ...]
    migrations: tuple[dict[str, Any], ...]
    notes: dict[str, dict[str, list[dict[str, Any]]]]
    breaks: tuple[dict[str, Any], ...]
    settings: tuple[dict[str, Any], ...]
    maturities: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON: what every rendering is made of."""
        direct = standing_of(self.start, self.target) if self.between else NOTHING
        return {
            "product": self.product,
            "from": str(self.start.number),
            "to": str(self.target.number),
            "releases": [_release(one) for one in self.between],
            "jumps": [jump.as_dict() for jump in self.jumps],
            "stops": [str(jump.ends.number) for jump in self.jumps[:-1]],
            "direct": direct,
            "migrations": list(self.migrations),
            "measured": [
                told for pair in pairwise((self.start, *self.between)) if (told := _measured(*pair)) is not None
            ],
            "breaks": list(self.breaks),
            "settings": list(self.settings),
            "maturities": list(self.maturities),
            "notes": self.notes,
            "warnings": list(self.warnings),
        }


def plan(
    product: str, releases: Sequence[PlannedRelease], start: PlannedRelease, target: PlannedRelease,
    held: Standing, wanted: Standing,
) -> UpgradePlan:  # fmt: skip
    """The plan from `start`, which holds `held`, to `target`, which holds `wanted`. `releases` are all, in any order.

    Raises Malformed for a way back.
    """
    if target.number < start.number:
        raise Malformed(
            f"{target.number} comes before {start.number}",
            why="migrations are not run backwards, and nothing promises that they could be",
            repair="restore a backup of the older release",
        )
    ends = (start.number, target.number)
    between = tuple(
        sorted(
            (
                one
                for one in releases
                if ends[0] < one.number <= ends[1] and (one is target or not one.number.is_prerelease)
            ),
            key=lambda one: one.number,
        )
    )
    stops = [one for one in between if not one.yanked or one is target]
    jumps = tuple(way([start, *stops])) if between else ()
    return UpgradePlan(
        product, start, target, between, jumps,
        migrations=tuple(_pending(held, wanted, between)),
        notes=_notes(between),
        breaks=tuple(_breaks(between)),
        settings=tuple(_settings(held, wanted)),
        maturities=tuple(_maturities(start, target)),
        warnings=tuple(_warnings(releases, start, target, jumps, held, wanted)),
    )  # fmt: skip


def _pending(held: Standing, wanted: Standing, between: Sequence[PlannedRelease]) -> Iterator[dict[str, Any]]:
    """The migrations that are not run yet, each once, in the order in which the target runs them."""
    known = {(one["chain"], one["id"]) for one in held.migrations}
    brought: dict[str, str] = {}
    took = _times(between)
    for release in between:
        for fact in release.facts:
            if fact["kind"] == Kind.MIGRATION_ADDED:
                brought.setdefault(fact["where"], str(release.number))
    for one in wanted.migrations:
        if (one["chain"], one["id"]) not in known:
            known.add((one["chain"], one["id"]))
            told = {"id": one["id"], "path": one["path"], "component": one["component"], "chain": one["chain"]}
            seconds, database = took.get((one["chain"], one["id"]), (None, None))
            yield {**told, "release": brought.get(one["path"]), "seconds": seconds, "database": database}


def _times(between: Sequence[PlannedRelease]) -> dict[tuple[str, str], tuple[float, str]]:
    """Seconds of each migration, and on what: as the first release that has it was proved, from the nearest before it."""
    found: dict[tuple[str, str], tuple[float, str]] = {}
    number = cache(ReleaseNumber.parse)
    for release in between:
        timed = [path for path in release.paths if path.get("times")]
        for path in sorted(timed, key=lambda one: number(one["begins"]), reverse=True):
            for one in path["times"]:
                found.setdefault((path["migrations"], one["id"]), (one["seconds"], path["database"]))
    return found


def _measured(before: PlannedRelease, release: PlannedRelease) -> dict[str, Any] | None:
    """How long the migrations that a release brought took, where they were run from the release before it."""
    paths = [one for one in release.paths if str(before.number) in (one["begins"], *one["also"])]
    if not paths or any(one["outcome"] != "passed" for one in paths):
        return None
    locked = [one["locked"] for one in paths if one["locked"] is not None]
    return {
        "release": str(release.number),
        "from": str(before.number),
        "database": ", ".join(dict.fromkeys(one["database"] for one in paths)),
        "seconds": round(sum(one["seconds"] for one in paths), 3),
        "locked": round(sum(locked), 3) if locked else None,
        "words": "; ".join(one["words"] for one in paths),
    }


def _notes(between: Sequence[PlannedRelease]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """One combined note: by component, then by kind, each text once with all releases that have it."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    seen: dict[tuple[str, str, str], dict[str, Any]] = {}
    for release in between:
        for note in release.notes:
            component = note["component"] or "everything"
            kind = NOTED[Kind(note["kind"])]
            key = component, kind, note["text"]
            if key in seen:
                seen[key]["releases"].append(str(release.number))
                continue
            seen[key] = {"text": note["text"], "releases": [str(release.number)]}
            found.setdefault(component, {}).setdefault(kind, []).append(seen[key])
    order = list(NOTED.values())
    return {
        component: dict(sorted(kinds.items(), key=lambda one: order.index(one[0])))
        for component, kinds in sorted(found.items())
    }


def _breaks(between: Sequence[PlannedRelease]) -> Iterator[dict[str, Any]]:
    """What breaks or has to be done by hand, with what to do: the note of who made it, where there is one."""
    for release in between:
        texts = {note["where"]: note["text"] for note in release.notes}
        for fact in release.facts:
            kind = Kind(fact["kind"])
            if kind in _BROKEN:
                yield {
                    "release": str(release.number),
                    "kind": kind.value,
                    "component": fact.get("component", ""),
                    "where": fact["where"],
                    "words": fact["words"],
                    "to_do": texts.get(fact["where"]) or TO_DO.get(kind, "read the note"),
                }


#: The schema of settings that there are not.
_NO_SETTINGS: Final[dict[str, Any]] = {"type": "object", "additionalProperties": False}


def _settings(held: Standing, wanted: Standing) -> Iterator[dict[str, Any]]:
    """The settings that differ between both ends, those of new documents too; what came and went in between is left out."""
    before = {one["path"]: one for one in held.settings}
    for one in wanted.settings:
        compare, nothing = (
            (schema_changes, _NO_SETTINGS) if one["kind"] == "settings" else (values_changes, dict[str, Any]())
        )
        try:
            was = before.get(one["path"])
            old = nothing if was is None else document_of(was["path"], was["text"])
            new = document_of(one["path"], one["text"])
            facts: list[Fact] = list(compare(old, new, one["path"]))
        except UnreadableSettings as error:
            facts = [Fact(Kind.CONTRACT_UNDECIDED, one["path"], f"it cannot be compared: {error}")]
        for fact in facts:
            told = {"kind": fact.kind.value, "where": fact.where, "words": fact.words, "to_do": TO_DO[fact.kind]}
            yield {**told, "old": fact.old, "new": fact.new}


def _maturities(start: PlannedRelease, target: PlannedRelease) -> Iterator[dict[str, Any]]:
    for name in sorted({*start.components, *target.components}):
        was, now = start.components.get(name), target.components.get(name)
        if was != now:
            yield {"component": name, "from": was, "to": now}


def _warnings(
    releases: Sequence[PlannedRelease], start: PlannedRelease, target: PlannedRelease, jumps: Sequence[Jump],
    held: Standing, wanted: Standing,
) -> Iterator[str]:  # fmt: skip
    if target.yanked:
        yield f"{target.number} was taken back: {target.yanked}"
    if start.yanked:
        yield f"{start.number}, which you have, was taken back: {start.yanked}"
    stable = [one.number for one in releases if one.stable and not one.yanked]
    if stable and target.number > max(stable) and not target.stable:
        yield f"{target.number} is not marked stable; {max(stable)} is"
    known = {(one["chain"], one["id"]) for one in wanted.migrations}
    for one in held.migrations:
        if (one["chain"], one["id"]) not in known:
            yield f"{start.number} has the migration {one['id']}, which {target.number} does not know"
    for jump in jumps:
        if jump.standing in (UNPROVED, FAILED):
            yield f"nobody ran the migrations from {jump.begins.number} to {jump.ends.number}: try them on a copy first"


def _release(one: PlannedRelease) -> dict[str, Any]:
    return {
        "number": str(one.number),
        "released": one.released,
        "occasion": one.occasion,
        "stable": one.stable,
        "yanked": one.yanked,
        "notes": len(one.notes),
        "migrations": sum(fact["kind"] == Kind.MIGRATION_ADDED for fact in one.facts),
    }

"""Releases in a history: what an event says that a release holds, as facts, and what the policy says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from troth.contracts.histories.reading import Event, History
from troth.contracts.histories.spellings import BREAKS, FEATURES, TARGETS
from troth.contracts.histories.verdict import Said
from troth.contracts.product import OCCASIONS
from troth.versions.releases.evidence import Fact, Kind, Maturity, Situation
from troth.versions.releases.judging import judge
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.releases.verdict import ReleaseVerdict
from troth.versions.verdict import Outcome

#: Members of a release to the kind of fact that each entry is.
_LISTS: Final[tuple[tuple[tuple[str, ...], Kind], ...]] = (
    (BREAKS, Kind.NOTED_BREAK),
    (FEATURES, Kind.NOTED_FEATURE),
    (("fixes",), Kind.NOTED_FIX),
    (("migrations",), Kind.MIGRATION_ADDED),
    (("edited_migrations",), Kind.MIGRATION_EDITED),
    (("removed_migrations",), Kind.MIGRATION_REMOVED),
    (("manual_steps",), Kind.MANUAL_STEP),
    (TARGETS, Kind.TARGET_ADDED),
    (("removed_targets",), Kind.TARGET_REMOVED),
    (("major_functionality",), Kind.MAJOR_FUNCTIONALITY),
)
_SETTINGS: Final = {
    "removed": Kind.SETTING_REMOVED,
    "required": Kind.SETTING_REQUIRED,
    "narrowed": Kind.SETTING_NARROWED,
    "default": Kind.SETTING_DEFAULT,
    "added": Kind.SETTING_ADDED,
}
_LEAST_KINDS: Final = 2


@dataclass(slots=True)
class Releases:
    """The releases so far. A history that does not say that it is complete may leave releases out."""

    history: History
    used: list[ReleaseNumber] = field(default_factory=list)
    maturities: dict[str, Maturity] = field(default_factory=dict)

    def judged(self, event: Event, number: ReleaseNumber) -> ReleaseVerdict:
        """The verdict on a release; whatever it is, the release happened."""
        lower = [one for one in self.used if one < number and not one.is_prerelease]
        facts = list(self._facts(event))
        situation = Situation(
            former=max(lower, default=None),
            used=tuple(self.used),
            profiles=self.history.profiles,
            since=self.history.since,
            exceptions=self.history.exceptions,
            decisions=self.history.decisions,
            complete=True,
            gapless=self.history.complete,
        )
        found = judge(facts, situation, number)
        self.used.append(number)
        self.maturities |= dict(_marks(event))
        return found

    def _facts(self, event: Event) -> Iterator[Fact]:
        for names, kind in _LISTS:
            for one in event.listed(*names):
                component = str(one.get("component", "")) if isinstance(one, dict) else ""
                maturity = self.maturities.get(component, Maturity.STABLE)
                words = str(one.get("words", one.get("id", one))) if isinstance(one, dict) else str(one)
                yield Fact(kind, words, words, component=component, maturity=maturity)
        for name, kind in _SETTINGS.items():
            yield from (Fact(kind, str(one), f"the setting {one}") for one in _list(event.table("settings").get(name)))
        for one in event.listed("broken_paths"):
            yield Fact(Kind.PATH_BROKEN, str(one), f"migrations do not run from {one}", detail={"from": str(one)})
        yield from self._component_facts(event)
        yield from _only_target(event)
        yield from _missing(event, complete=self.history.complete)

    def _component_facts(self, event: Event) -> Iterator[Fact]:
        for name, mark in event.table("components").items():
            if mark in (None, ""):
                yield Fact(Kind.COMPONENT_UNMARKED, name, f"{name} has no mark", component=name)
        for name, maturity in _marks(event):
            if self.maturities.get(name) is Maturity.STABLE and maturity is not Maturity.STABLE:
                yield Fact(Kind.MATURITY_LOWERED, name, f"{name} was stable and is {maturity}", component=name)


def reasons(verdict: ReleaseVerdict) -> list[Said]:
    """Why a release is refused, or what has to be decided about it."""
    told = verdict.as_dict()
    found = [Said(one.clause, one.text, one.repair) for one in verdict.objections]
    least = f"release it as {verdict.least}" if verdict.least else ""
    for one, row in zip(verdict.asked, told["asked"], strict=True):
        if row["refuses"]:
            found.append(Said(one.clause, f"{one.facts[0].words}: {one.purpose}", least))
    found += [Said("PDB-04", one.about, "", one.question) for one in verdict.gaps]
    return found if verdict.outcome is not Outcome.ALLOWED else []


def _marks(event: Event) -> Iterator[tuple[str, Maturity]]:
    for name, mark in event.table("components").items():
        if mark in (None, ""):
            continue
        try:
            yield name, Maturity(mark)
        except ValueError:
            raise event.wrong(f"the component {name} is {mark!r:.40}", "write alpha, beta or stable") from None


def _only_target(event: Event) -> Iterator[Fact]:
    """A release that is called a new distribution, and holds more (PDB-08)."""
    if event.members.get("distribution_only") is not True:
        return
    held = [name for names, kind in _LISTS if kind is not Kind.TARGET_ADDED for name in names if event.listed(name)]
    if held:
        words = f"it holds {', '.join(held)} beside the distribution"
        yield Fact(Kind.NOT_ONLY_TARGET, "distribution_only", words)


def _missing(event: Event, *, complete: bool) -> Iterator[Fact]:
    """What a whole release lacks: where the event says so itself, or where the history is said to be complete."""

    def asked(name: str) -> bool:
        return name in event.members or complete

    occasion = event.text("occasion") if event.members.get("occasion") is not False else ""
    if asked("occasion") and occasion not in OCCASIONS:
        words = f"the occasion is {occasion!r}" if occasion else "no occasion is named"
        yield Fact(Kind.OCCASION_MISSING, "occasion", words, f"name one of {', '.join(OCCASIONS)}")
    if occasion == "functionality" and len(_kinds(event)) < _LEAST_KINDS:
        yield Fact(Kind.RECORDS_MISSING, "infrastructures", "it was not tested on two infrastructures that differ")
    if asked("documentation") and not event.members.get("documentation"):
        yield Fact(Kind.DOCUMENTATION_MISSING, "documentation", "there is no documentation of it")


def _kinds(event: Event) -> set[str]:
    """The kinds of infrastructure that it was tested on; names make no difference (note N24)."""
    return {_kind(one) if isinstance(one, dict) else str(one) for one in event.listed("infrastructures")}


def _kind(infrastructure: Mapping[str, object]) -> str:
    return repr(sorted((key, value) for key, value in infrastructure.items() if key not in ("name", "records")))


def _list(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]

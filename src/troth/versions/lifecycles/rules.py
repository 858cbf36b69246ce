"""The rules of API versions, a row each: which moves they look at, the clause that they keep, and what they object to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from troth.versions.lifecycles.change_rules import ENDING, change_objection
from troth.versions.lifecycles.numbers import letter, next_major, step_of
from troth.versions.lifecycles.states import FIRST, State
from troth.versions.lifecycles.subject import Api, Asked, Move, Standing, Weight
from troth.versions.lifecycles.table import version_name
from troth.versions.lifecycles.transitions import TRANSITIONS
from troth.versions.lifecycles.verdict import Objection
from troth.versions.releases.numbers import ReleaseNumber, Step
from troth.versions.verdict import Outcome

Handler = Callable[[Asked, Api], Objection | None]


@dataclass(frozen=True, slots=True)
class MoveRule:
    """One row. The handler objects, or does not."""

    id: str
    clause: str
    moves: frozenset[Move]
    purpose: str
    handler: Handler

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON."""
        return {"id": self.id, "clause": self.clause, "moves": sorted(self.moves), "purpose": self.purpose}


def gap(about: str, text: str, question: str) -> Objection:
    """An objection that no clause makes: somebody has to decide."""
    return Objection("PDB-04", text, "have somebody decide it", Outcome.NOT_REGULATED, about, question)


def present(asked: Asked, api: Api) -> Standing | None:
    """The version that is asked about, if it is there."""
    found = api.versions.get(asked.number)
    return None if found is None or found.dropped else found


def retires_in(standing: Standing) -> ReleaseNumber | None:
    """The X release in which a deprecated version is gone, known from the moment of its deprecation (PDB-35, note N15)."""
    if standing.state is not State.DEPRECATED or standing.since is None:
        return None
    return standing.extended or next_major(standing.since)


def overdue(api: Api, release: ReleaseNumber, former: ReleaseNumber | None) -> list[Standing]:
    """The deprecated versions that may not be served any more where X rises (PDB-35).

    That is in an X release, and in one whose number leaves that out behind the `former` release: 8.1.0 behind 7.3.2.
    """
    risen = former is not None and former.major < release.major
    if step_of(release) is not Step.MAJOR and not risen:
        return []
    found = [(one, retires_in(one)) for one in api.live(State.DEPRECATED)]
    return [one for one, planned in found if planned is None or planned <= release.finished]


def still_served(standing: Standing, release: ReleaseNumber) -> tuple[str, str]:
    """What is wrong with a release that serves what is overdue, and what helps (PDB-35, PDB-37)."""
    words = f"{release} still serves {standing.name}, which was deprecated in {standing.since or 'an earlier release'}"
    due = ReleaseNumber.of(release.major, 0, 0)
    where = f"in {release}" if release.finished == due else f"and release {due} instead"
    return words, f"retire {standing.name} {where}, or record an extension"


def _alone(asked: Asked, api: Api) -> Objection | None:
    if not asked.operation:
        return None
    return Objection(
        "PDB-41",
        f"{asked.operation}: all operations of {asked.name} have its version and its state, and none has others",
        f"move {asked.name} as a whole, or put it into the next version",
        also=("PDB-10",),
    )


def _exists(asked: Asked, api: Api) -> Objection | None:
    found = api.versions.get(asked.number)
    if found is None:
        return None
    if found.dropped:
        return gap(
            f"{asked.name} again",
            f"{asked.name} was dropped, and no clause speaks of using its number again",
            f"May {asked.name}, which was dropped, be made anew under the same number?",
        )
    return Objection("PDB-11", f"{asked.name} is there, and is {found.state}", "create the next version")


def _missing(asked: Asked, api: Api) -> Objection | None:
    if present(asked, api) is not None:
        return None
    gone = asked.number in api.versions
    words = "was dropped" if gone else "was never made; a version begins as experimental"
    return Objection("PDB-20", f"{asked.name} {words}", f"create {asked.name} first")


def _begins(asked: Asked, api: Api) -> Objection | None:
    if asked.state is FIRST:
        return None
    words = f"{asked.name} would begin as {asked.state}, and a new version begins as experimental"
    return Objection("PDB-20", words, f"create {asked.name} as experimental, and graduate it later")


def _created_in(asked: Asked, api: Api) -> Objection | None:
    if asked.step is not Step.PATCH:
        return None
    words = f"{asked.release} is a Z release, and a new version of an API comes in Y or X"
    repair = f"create it in {asked.release.raised(Step.MINOR)}"
    return Objection("PDB-23", words, repair, also=("PDB-19",))


def _maintained(asked: Asked, api: Api) -> Objection | None:
    kept = [*api.live(State.CURRENT), *api.live(State.DEPRECATED)]
    due = {one.number for one in overdue(api, asked.release, api.newest)}
    harmed = [one for one in kept if one.number in asked.disturbed and one.number not in due]
    if not harmed:
        return None
    told = ", ".join(f"{one.name} ({asked.disturbed[one.number]})" for one in harmed)
    return Objection(
        "PDB-23",
        f"{asked.release} makes {asked.name} and does not serve as they were: {told}",
        f"serve {', '.join(one.name for one in harmed)} unchanged in {asked.release}",
    )


def _one_experimental(asked: Asked, api: Api) -> Objection | None:
    others = api.live(State.EXPERIMENTAL)
    if not others or asked.state is not FIRST:
        return None
    told = ", ".join(one.name for one in others)
    return gap(
        f"{asked.name} beside {told}",
        f"{told} is experimental already, and no clause speaks of two at once (note N13)",
        f"May {asked.name} be experimental beside {told}?",
    )


def _next_number(asked: Asked, api: Api) -> Objection | None:
    highest = max(api.versions, default=None)
    if highest is None or asked.number in (*api.versions, highest + 1):
        return None
    wanted = version_name(highest + 1)
    return gap(
        f"number {asked.name}",
        f"the highest version is {version_name(highest)}, and no clause speaks of {asked.name} before {wanted}",
        f"May {asked.name} be made where {wanted} is the next number?",
    )


def _going_on(asked: Asked, api: Api) -> Objection | None:
    if api.newest is None or asked.release >= api.newest:
        return None
    return gap(
        f"{asked.move} {asked.name} in {asked.release}",
        f"the states are those of {api.newest}, and no clause speaks of moving them in an earlier release",
        f"May {asked.release} {asked.move} {asked.name}, when {api.newest} is released already?",
    )


def _transition(asked: Asked, api: Api) -> Objection | None:
    standing, after = present(asked, api), asked.target()
    if standing is None or after is None:
        return None
    row = TRANSITIONS[standing.state, after]
    if asked.step in row.steps:
        return None
    if row.otherwise is Outcome.NOT_REGULATED:
        question = f"May {asked.name} go from {standing.state} to {after}? Users have relied on what it was."
        return gap(f"{asked.name} {row.about}", f"{row.words}: {asked.name} is {standing.state}", question)
    kind = f"; {asked.release} is a {letter(asked.step)} release" if row.steps else ""
    about = f"{asked.name} {row.about} in {asked.release}" if row.steps else ""
    return Objection(row.clause, f"{asked.name} is {standing.state}: {row.words}{kind}", row.repair, about=about)


def _one_current(asked: Asked, api: Api) -> Objection | None:
    formers = [one for one in api.live(State.CURRENT) if one.number != asked.number]
    back = asked.move is Move.RETURN and asked.former is None
    if not formers or asked.target() is not State.CURRENT or asked.former is State.DEPRECATED:
        return None
    if asked.former is None and not back:  # graduating deprecates it
        return None
    former = ", ".join(one.name for one in formers)
    words = {
        None: f"{former} would stay current beside {asked.name}",
        State.CURRENT: f"{former} would stay current beside {asked.name}",
        State.RETIRED: f"{former} would be removed instead of deprecated",
        State.EXPERIMENTAL: f"{former} would become experimental instead of deprecated",
    }[asked.former]
    repair = f"move {former} first" if back else f"deprecate {former} in {asked.release}, in the same step"
    return Objection("PDB-31", words, repair, also=("PDB-11",))


def _had_time(asked: Asked, api: Api) -> Objection | None:
    standing = present(asked, api)
    if standing is None or standing.state is not State.DEPRECATED or standing.since is None:
        return None
    if standing.since.major >= asked.release.major and asked.step is Step.MAJOR:
        words = f"{asked.name} was deprecated in {standing.since}, and is retired at the X boundary behind that"
        return Objection("PDB-35", words, f"retire it in {next_major(standing.since)}")
    if standing.extended is not None and asked.release < standing.extended:
        words = f"{asked.name} was promised until {standing.extended}"
        question = f"May {asked.name} go in {asked.release}, though its retirement was put off to {standing.extended}?"
        return gap(f"{asked.name} before {standing.extended}", words, question)
    return None


def _droppable(asked: Asked, api: Api) -> Objection | None:
    standing = present(asked, api)
    if standing is None or standing.state is State.EXPERIMENTAL:
        return None
    words = f"{asked.name} is {standing.state}, and only what is experimental may go without having been deprecated"
    return Objection("PDB-36", words, "deprecate it, and retire it in the X release behind that", also=("PDB-27",))


def _dropped_in(asked: Asked, api: Api) -> Objection | None:
    standing = present(asked, api)
    if standing is None or standing.state is not State.EXPERIMENTAL or asked.step is not Step.PATCH:
        return None
    words = f"{asked.release} is a Z release, and {asked.name} goes in Y or X (note N9)"
    return Objection("PDB-29", words, f"drop it in {asked.release.raised(Step.MINOR)}")


def _extendable(asked: Asked, api: Api) -> Objection | None:
    standing = present(asked, api)
    if standing is None:
        return None
    planned, until = retires_in(standing), asked.until
    if planned is None:
        return Objection("PDB-35", f"{asked.name} is {standing.state}, and has no retirement to put off", "nothing")
    if not asked.reason.strip():
        return Objection("PDB-35", "a retirement is put off by a recorded decision, with its reason", "say why")
    if until is None or until <= planned:
        return Objection("PDB-35", f"{asked.name} is gone in {planned} anyway", f"name a release behind {planned}")
    if step_of(until) is not Step.MAJOR:
        words = f"{until} is no X release, and a version is retired in one only"
        return Objection("PDB-37", words, f"name {next_major(until)}")
    return None


def _row(identity: str, clause: str, moves: str, handler: Handler, purpose: str) -> MoveRule:
    chosen = frozenset(Move) if moves == "*" else frozenset(map(Move, moves.split()))
    return MoveRule(identity, clause, chosen, purpose, handler)


RULES: Final[tuple[MoveRule, ...]] = (
    _row("whole", "PDB-41", "*", _alone, "All operations of a version are versioned together."),
    _row("exists", "PDB-11", "create", _exists, "A version is made once."),
    _row("missing", "PDB-20", "graduate deprecate retire drop change security-fix extend return", _missing,
         "A version begins as experimental, and what never began is in no state."),
    _row("begins", "PDB-20", "create", _begins, "A new version begins as experimental, never as current."),
    _row("created-in", "PDB-23", "create", _created_in, "A new version comes in a Y or X release."),
    _row("maintained", "PDB-23", "create", _maintained,
         "The release that makes a version serves the current and the deprecated ones as they were."),
    _row("one-experimental", "PDB-04", "create", _one_experimental, "Whether two are experimental at once is not written."),
    _row("next-number", "PDB-04", "create", _next_number, "Whether numbers may be left out is not written."),
    _row("going-on", "PDB-04", "*", _going_on,
         "Whether an earlier line of releases moves states, or changes what they promise, is not written."),
    _row("transition", "PDB-11", "graduate deprecate retire return", _transition,
         "From experimental to current to deprecated to retired, each in releases of its kinds."),
    _row("one-current", "PDB-31", "graduate return", _one_current,
         "The version that was current is deprecated in the same step."),
    _row("had-time", "PDB-35", "retire", _had_time, "What is deprecated is served until the next X boundary."),
    _row("droppable", "PDB-36", "drop", _droppable, "Only what is experimental goes without having been deprecated."),
    _row("dropped-in", "PDB-29", "drop", _dropped_in, "What breaks users of an experimental version comes in Y or X."),
    _row("extendable", "PDB-35", "extend", _extendable, "A retirement is put off by a recorded decision, to an X release."),
    _row("change-ending", "PDB-30", "change security-fix", partial(change_objection, states=ENDING),
         "What is deprecated or retired stays as it is."),
    _row("change-breaks", "PDB-21", "change security-fix",
         partial(change_objection, weights=(Weight.BREAK, Weight.UNDECIDED)),
         "Whether what breaks users may come depends on the state, and on the kind of release."),
    _row("change-adds", "PDB-19", "change security-fix", partial(change_objection, weights=(Weight.ADDITION,)),
         "Additions come in Y and X."),
    _row("change-mends", "PDB-32", "change security-fix", partial(change_objection, weights=(Weight.FIX,)),
         "Fixes come in every release."),
)  # fmt: skip

"""What a branch would do to an API: from two declarations and their documents to moves, each judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from troth.contracts.apis.declared import DeclaredApi, DeclaredVersion
from troth.contracts.openapi.evidence import api_changes, own_versions, undescribed
from troth.contracts.openapi.text import UnreadableDocument, value_of
from troth.errors import Malformed
from troth.versions.lifecycles.change_rules import breaking
from troth.versions.lifecycles.judging import judge, moved
from troth.versions.lifecycles.rules import overdue, still_served
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.subject import Api, Asked, ContractChange, Move, Weight
from troth.versions.lifecycles.verdict import MoveVerdict, Objection
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.verdict import Outcome
from troth.versions.waivers import Considered

_LEAVING = {State.DEPRECATED: Move.DEPRECATE, State.RETIRED: Move.RETIRE}
#: Compares two OpenAPI documents and gives the answer as JSON.
Compare = Callable[[Any, Any], Mapping[str, Any]]
#: Gives the waivers that somebody may mean for a change of one document into another.
Excusing = Callable[[Asked, str, str], Sequence[Considered]]


@dataclass(frozen=True, slots=True)
class Side:
    """An API as one side of a comparison has it: what is declared, and the documents of versions as text."""

    declared: DeclaredApi
    documents: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a branch does to one API, judged. `standing` are faults that no move makes."""

    api: str
    release: ReleaseNumber
    verdicts: tuple[MoveVerdict, ...]
    standing: tuple[Objection, ...]
    #: the state of each version on the branch
    states: Mapping[str, str]
    #: what was not looked at, and why
    notes: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """The gravest of all."""
        found = {one.outcome for one in self.verdicts} | {one.outcome for one in self.standing}
        return next((one for one in (Outcome.REFUSED, Outcome.NOT_REGULATED) if one in found), Outcome.ALLOWED)

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses that object, each once."""
        found = [name for one in self.verdicts if one.objections for name in one.clauses]
        return tuple(dict.fromkeys([*found, *(one.clause for one in self.standing)]))

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "api": self.api,
            "release": str(self.release),
            "outcome": self.outcome.value,
            "clauses": list(self.clauses),
            "states": dict(self.states),
            "moves": [one.as_dict() for one in self.verdicts],
            "standing": [one.as_dict() for one in self.standing],
            "notes": list(self.notes),
        }


def checked(
    old: Side,
    new: Side,
    release: ReleaseNumber,
    compare: Compare,
    former: ReleaseNumber | None = None,
    excusing: Excusing = lambda asked, old, new: (),
    notes: tuple[str, ...] = (),
) -> Checked:
    """What the branch does, judged as riding on this release, behind the `former` one where that is known.

    A change is judged by the waivers that `excusing` gives for it. Raises Malformed for documents that cannot be compared.
    """
    before = replace(old.declared.seen(), decisions=new.declared.decisions)
    if before.starting_point is None:
        before = replace(before, starting_point=new.declared.starting_point)
    changes = dict(_changes(old, new, compare))
    api, verdicts = before, []
    for asked in _asked(old, new, before, release, changes):
        if asked.move is Move.CHANGE and asked.number in new.documents:
            given = excusing(asked, old.documents[asked.number], new.documents[asked.number])
            asked = replace(asked, waivers=tuple(given))
        verdict = judge(asked, api)
        verdicts.append(verdict)
        api = moved(api, verdict)
    states = {one.standing.name: one.standing.state.value for one in new.declared.versions.values()}
    standing = tuple(_standing(new, api, release, former))
    return Checked(new.declared.name, release, tuple(verdicts), standing, states, notes)


def _changes(old: Side, new: Side, compare: Compare) -> Iterator[tuple[int, tuple[ContractChange, ...]]]:
    """What changed of each version that both sides describe."""
    for number in sorted(old.documents.keys() & new.documents.keys()):
        if old.documents[number] == new.documents[number]:
            continue
        answer = compare(old.documents[number], new.documents[number])
        if answer["verdict"] == "invalid":
            raise Malformed(
                f"the documents of v{number} cannot be compared", why=answer["fault"], repair="mend that place"
            )
        yield number, api_changes(answer)
    for number, one in old.declared.versions.items():
        if number in old.documents and number not in new.documents and _served(new.declared.versions.get(number)):
            yield number, (ContractChange(Weight.BREAK, f"the document of {one.standing.name} is gone", ("PDB-24",)),)


def _asked(
    old: Side, new: Side, before: Api, release: ReleaseNumber, changes: Mapping[int, tuple[ContractChange, ...]]
) -> Iterator[Asked]:
    """The moves that lead from one side to the other: changes first, then those of states, lowest version first."""
    for number, found in changes.items():
        declared = new.declared.versions.get(number) or old.declared.versions[number]
        if not found:
            continue
        fix = bool(declared.security)
        yield Asked(
            Move.SECURITY_FIX if fix else Move.CHANGE,
            number,
            release,
            changes=found,
            reference=declared.security,
            note=declared.note,
            undescribed=undescribed(new.documents.get(number)),
        )
    disturbed = dict(_disturbed(old, new, changes))
    for number, declared in new.declared.versions.items():
        if number not in old.declared.versions:
            others = {name: words for name, words in disturbed.items() if name != number}
            yield Asked(Move.CREATE, number, release, state=declared.standing.state, disturbed=others)
    yield from _moves(old, new, before, release)


def _moves(old: Side, new: Side, before: Api, release: ReleaseNumber) -> Iterator[Asked]:
    """The moves of states. What a graduation deprecates moves with it, and so it comes first."""
    after = {number: one.standing.state for number, one in new.declared.versions.items()}
    graduated = [
        number
        for number, state in after.items()
        if state is State.CURRENT and _state(before, number, state) is not state
    ]
    currents = [one.number for one in before.live(State.CURRENT)]
    for number in graduated:
        former = next((after.get(one, State.RETIRED) for one in currents if one != number), None)
        back = _state(before, number, State.EXPERIMENTAL) is not State.EXPERIMENTAL
        yield Asked(Move.RETURN if back else Move.GRADUATE, number, release, state=State.CURRENT, former=former)
    for number, one in old.declared.versions.items():
        state = after.get(number)
        if state is one.standing.state:
            yield from _extension(one, new.declared.versions[number], release)
        elif state is None and one.standing.state is State.EXPERIMENTAL:
            yield Asked(Move.DROP, number, release)
        elif state is None and one.standing.state is not State.RETIRED:
            yield Asked(Move.RETIRE, number, release)
        elif graduated and number in currents and state is State.DEPRECATED:
            continue  # the graduation does it
        elif state is not None and state is not State.CURRENT:
            yield Asked(_LEAVING.get(state, Move.RETURN), number, release, state=state)


def _extension(old: DeclaredVersion, new: DeclaredVersion, release: ReleaseNumber) -> Iterator[Asked]:
    until = new.standing.extended
    if until is not None and until != old.standing.extended:
        yield Asked(Move.EXTEND, old.standing.number, release, until=until, reason=new.reason)


def _disturbed(old: Side, new: Side, changes: Mapping[int, tuple[ContractChange, ...]]) -> Iterator[tuple[int, str]]:
    """Versions that the branch no longer serves as they were."""
    for number in old.declared.versions:
        if not _served(new.declared.versions.get(number)):
            yield number, "not served"
        elif breaking(changes.get(number, ())) and not new.declared.versions[number].security:
            yield number, "changed"


def _standing(new: Side, api: Api, release: ReleaseNumber, former: ReleaseNumber | None) -> Iterator[Objection]:
    """Faults that no move makes: what is overdue, operations with versions of their own, several current versions."""
    if not api.governed:
        return
    for one in overdue(api, release, former):
        yield Objection("PDB-35", *still_served(one, release))
    for number, text in new.documents.items():
        for place in own_versions(_value(text), number)[:5]:
            words = f"v{number}: {place}, and all operations of a version share its number and its state"
            yield Objection("PDB-41", words, "put it into the version of that number")
    current = [one.standing.name for one in new.declared.versions.values() if one.standing.state is State.CURRENT]
    if len(current) > 1:
        yield Objection("PDB-31", f"{', '.join(current)} are current at once", "deprecate all but the newest")


def _value(text: str) -> Any:
    try:
        return value_of(text)
    except UnreadableDocument as error:
        raise Malformed("a document is not OpenAPI", why=str(error), repair="mend that place") from None


def _served(declared: DeclaredVersion | None) -> bool:
    return declared is not None and declared.standing.state is not State.RETIRED


def _state(api: Api, number: int, usual: State) -> State:
    found = api.versions.get(number)
    return found.state if found else usual

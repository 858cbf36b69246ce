"""The policy for APIs: may this version make this move in this release, and which states does it lead to?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from troth.versions.clauses import policy
from troth.versions.lifecycles import rules
from troth.versions.lifecycles.change_rules import allowing, breaking
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.subject import Api, Asked, Decided, Move, Standing
from troth.versions.lifecycles.verdict import MoveVerdict, Objection
from troth.versions.verdict import Outcome
from troth.versions.waivers import Considered


def judge(asked: Asked, api: Api) -> MoveVerdict:
    """The verdict on one move, with every objection. Before the starting point nothing is judged (PDB-03, note N7)."""
    effects = _effects(asked, api)
    if not _governed(asked, api):
        return MoveVerdict(asked, Outcome.ALLOWED, (), effects, policy().revision, rests_on=("PDB-03",), judged=False)
    told = [row.handler(asked, api) for row in rules.RULES if asked.move in row.moves]
    found = [one for one in told if one is not None]
    waived = [one for one in found if _is_waived(one, asked)]
    left, decided = _decided([one for one in found if one not in waived], api)
    return MoveVerdict(
        asked,
        _outcome(left),
        tuple(left),
        effects,
        policy().revision,
        warnings=tuple(_warnings(asked, api)),
        decided=tuple(decided),
        rests_on=("PDB-04",) if decided else () if waived else _rests_on(asked, api),
        waived=tuple(waived),
        waivers=tuple(_told_waivers(asked, waived, left)),
    )


def moved(api: Api, verdict: MoveVerdict) -> Api:
    """The API as it is once the move is made."""
    asked, versions = verdict.asked, dict(api.versions)
    for number, state in verdict.effects.items():
        versions[number] = Standing(number, state, asked.release.finished)
    if asked.number in versions and asked.move is Move.DROP:
        versions[asked.number] = replace(versions[asked.number], dropped=True)
    if asked.number in versions and asked.move is Move.EXTEND:
        versions[asked.number] = replace(versions[asked.number], extended=asked.until)
    newest = asked.release if api.newest is None else max(api.newest, asked.release)
    return replace(api, versions=versions, newest=newest)


def _governed(asked: Asked, api: Api) -> bool:
    return api.governed or api.starting_point is None or asked.number >= api.starting_point


def _effects(asked: Asked, api: Api) -> dict[int, State]:
    """The states that the move leads to; what was current is deprecated by a graduation (PDB-31)."""
    target = asked.target()
    if target is None:
        return {}
    effects = {asked.number: target}
    if asked.move is Move.GRADUATE and asked.former in (None, State.DEPRECATED):
        effects |= {one.number: State.DEPRECATED for one in api.live(State.CURRENT) if one.number != asked.number}
    return effects


def _is_waived(objection: Objection, asked: Asked) -> bool:
    return objection.comparing and any(one.excuses(objection.clause, asked.numbered) for one in asked.waivers)


def _told_waivers(asked: Asked, waived: list[Objection], left: list[Objection]) -> Iterator[Considered]:
    """Those that the outcome rests on; where it is not allowed, all, because somebody may have counted on them."""
    for one in asked.waivers:
        if left or any(one.excuses(each.clause, asked.numbered) for each in waived):
            yield one


def _decided(objections: list[Objection], api: Api) -> tuple[list[Objection], list[str]]:
    """What is left of the objections where somebody decided, and what was decided."""
    decisions = {one.about: one for one in api.decisions}
    left, told = [], []
    for one in objections:
        decision = decisions.get(one.about) if one.about else None
        if decision is None:
            left.append(one)
        elif decision.allowed:
            told.append(f"{one.about}: allowed, because {decision.reason}")
        else:
            left.append(_forbidden(one, decision))
    return left, told


def _forbidden(objection: Objection, decision: Decided) -> Objection:
    text = f"{objection.text}; it was decided that it may not be: {decision.reason}"
    return Objection(objection.clause, text, "do without it, or have it decided anew")


def _outcome(objections: list[Objection]) -> Outcome:
    found = {one.outcome for one in objections}
    return next((one for one in (Outcome.REFUSED, Outcome.NOT_REGULATED) if one in found), Outcome.ALLOWED)


def _rests_on(asked: Asked, api: Api) -> tuple[str, ...]:
    standing = api.versions.get(asked.number)
    if asked.move in (Move.CHANGE, Move.SECURITY_FIX) and standing is not None:
        return allowing(asked, standing.state)
    former = asked.move is Move.GRADUATE and bool(api.live(State.CURRENT))
    return (*_RESTS_ON[asked.move], *(("PDB-31",) if former else ()))


_RESTS_ON: dict[Move, tuple[str, ...]] = {
    Move.CREATE: ("PDB-20", "PDB-23"),
    Move.GRADUATE: ("PDB-11",),
    Move.DEPRECATE: ("PDB-11", "PDB-35"),
    Move.RETIRE: ("PDB-37", "PDB-38"),
    Move.DROP: ("PDB-27",),
    Move.CHANGE: (),
    Move.SECURITY_FIX: (),
    Move.EXTEND: ("PDB-35",),
    Move.RETURN: ("PDB-04",),
}


def _warnings(asked: Asked, api: Api) -> Iterator[str]:
    standing = api.versions.get(asked.number)
    for one in api.live(State.DEPRECATED):
        planned = rules.retires_in(one)
        if planned is not None and planned <= asked.release.finished and one.number != asked.number:
            yield f"{one.name} is to be gone in {planned} (PDB-35)"
    for what in asked.undescribed:
        yield f"{what} are not regulated: nothing in the contract describes them (PDB-04)"
    if standing is None:
        return
    experimental = standing.state is State.EXPERIMENTAL
    if asked.move is Move.CHANGE and experimental and breaking(asked.changes) and not asked.note.strip():
        yield f"users of {asked.name} should be told what breaks, and there is no change note (PDB-28)"
    if asked.move is Move.DEPRECATE and standing.state is State.CURRENT and len(api.live(State.CURRENT)) == 1:
        yield f"no version is current once {asked.name} is deprecated"

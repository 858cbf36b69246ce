"""An API as a server has it, as the released side of a comparison, and a branch that leaves to the server what it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from troth.contracts.apis.declared import DeclaredApi, DeclaredVersion
from troth.versions.lifecycles.numbers import next_major, parsed
from troth.versions.lifecycles.states import FIRST, State
from troth.versions.lifecycles.subject import Decided, Standing
from troth.versions.releases.numbers import ReleaseNumber


def recorded_api(name: str, told: Mapping[str, Any]) -> DeclaredApi:
    """The API that `GET /api/v1/apis/OWNER/API` tells of, under the name that the branch gives it."""
    every = [_standing(one) for one in told["versions"]]
    decided = {one["about"]: Decided(one["about"], one["allowed"], one["reason"]) for one in told["decisions"]}
    return DeclaredApi(
        name,
        {one.number: DeclaredVersion(one) for one in every if not one.dropped},
        parsed(told["starting_point"]) if told["starting_point"] else None,
        tuple(decided.values()),
        subject=told["api"],
        dropped={one.number: one for one in every if one.dropped},
        newest=_release(told["newest"]),
    )


def completed(branch: DeclaredApi, recorded: DeclaredApi) -> DeclaredApi:
    """The branch with what only the server says: states that it leaves out, the starting point, and decisions."""
    versions = {
        number: one if one.stated else replace(one, standing=_standing_of(number, recorded), stated=True)
        for number, one in branch.versions.items()
    }
    return replace(
        branch, versions=versions, starting_point=recorded.starting_point, decisions=recorded.decisions
    )  # fmt: skip


def _standing_of(number: int, recorded: DeclaredApi) -> Standing:
    """What the server has of a version; one that it does not have is to be made."""
    known = recorded.versions.get(number)
    return known.standing if known else Standing(number, FIRST)


def _standing(told: Mapping[str, Any]) -> Standing:
    state, since, gone = State(told["state"]), _release(told.get("since")), _release(told.get("retires_in"))
    usual = next_major(since) if since else None
    extended = gone if state is State.DEPRECATED and gone != usual else None
    return Standing(parsed(told["version"]), state, since, extended, dropped=told["dropped_in"] is not None)


def _release(text: str | None) -> ReleaseNumber | None:
    return ReleaseNumber.parse(text) if text else None

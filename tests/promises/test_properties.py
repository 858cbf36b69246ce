"""The promises as properties of random histories, callers and references."""

from __future__ import annotations

import functools
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.promises import histories
from troth.calls.routing import Caller, Route, RoutingTable, VersionFact, algorithm_routes
from troth.errors import MalformedReference, NotFound
from troth.runtime.engine import VersionSpec
from troth.versions import references
from troth.versions.candidate import Candidate
from troth.versions.history import BuildStatus, History, Readings
from troth.versions.numbers import Bump, Number
from troth.versions.permissions import Permissions
from troth.versions.policy import judge
from troth.versions.resolution import resolve
from troth.versions.verdict import Outcome

MEMBER, STRANGER = Caller("member", "member", False), Caller("stranger", "stranger", False)
LINES = [(major, minor) for major in range(4) for minor in range(30)]

#: the same few references are asked for in every history
parsed = functools.cache(references.parse)


def resolved(history: History, text: str, *, member: bool, readings: Readings = Readings()) -> str | None:
    """The version that the pure resolver gives, or None."""
    try:
        return resolve(parsed(text), history, member=member, readings=readings).version or None
    except (NotFound, MalformedReference):
        return None


def routed(history: History, text: str, *, member: bool, readings: Readings = Readings()) -> str | None:
    """The version that the routing table gives, or None."""
    published = [VersionFact(v.number, v.permissions.public, _route(str(v.number)), v.floats) for v in history.versions]
    built = {build.hash: _route(build.hash) for build in history.builds if build.status is BuildStatus.SUCCEEDED}
    table = RoutingTable.empty()
    stopped = dict.fromkeys(history.stopped, " any more")
    routes = algorithm_routes("house", published, built, latest_private=readings.latest_private, stopped=stopped)
    table.algorithms = table.algorithms.set("util/echo", routes)
    table.members = table.members.set("house", frozenset(["member"]))
    _, _, version = (text + "/").split("/", 2)
    found = table.resolve("util/echo", version.removesuffix("/"), MEMBER if member else STRANGER)
    return found.version if found else None


def _route(version: str) -> Route:
    return Route(version, "", VersionSpec(version, "", "", "", "", "", "isolated"), False, False)


@given(histories.wild_histories, histories.references, st.booleans(), st.sampled_from(["always", "only-private"]))
@settings(max_examples=1500)
def test_the_routing_table_answers_as_the_resolver_does(
    history: History, text: str, member: bool, latest_private: str
) -> None:
    readings = Readings(latest_private=latest_private)  # type: ignore[arg-type]
    assert routed(history, text, member=member, readings=readings) == resolved(
        history, text, member=member, readings=readings
    )


@given(histories.wild_histories, histories.references, st.booleans())
@settings(max_examples=500)
def test_what_was_deleted_answers_to_complete_numbers_only(history: History, text: str, member: bool) -> None:
    behind = {str(version.number) for version in history.versions if not version.floats}
    found = resolved(history, text, member=member)
    assert found not in behind or text == f"util/echo/{found}"


@pytest.mark.clause("ALG-24")
@given(histories.wild_histories, histories.references)
@settings(max_examples=1000)
def test_a_reference_gives_one_version_to_all_who_get_an_answer(history: History, text: str) -> None:
    answers = {resolved(history, text, member=member) for member in (True, False)} - {None}
    assert len(answers) <= 1


@pytest.mark.clause("ALG-11")
@given(histories.attempts)
@settings(max_examples=500)
def test_a_line_never_loses_a_caller_and_never_goes_back(tries: list[histories.Attempt]) -> None:
    for before, after in pairwise(histories.lived(tries)):
        for major, minor in LINES:
            for member in (True, False):
                text = f"util/echo/{major}.{minor}"
                earlier, later = resolved(before, text, member=member), resolved(after, text, member=member)
                if earlier is not None:
                    assert later is not None
                    assert Number.parse(later) >= Number.parse(earlier)


@pytest.mark.clause("ALG-16")
@given(histories.attempts)
@settings(max_examples=500)
def test_the_permissions_behind_a_line_never_change(tries: list[histories.Attempt]) -> None:
    seen: dict[tuple[int, int], set[Permissions]] = {}
    for history in histories.lived(tries):
        permissions = {version.number: version.permissions for version in history.versions}
        for line in LINES:
            if found := resolved(history, f"util/echo/{line[0]}.{line[1]}", member=True):
                seen.setdefault(line, set()).add(permissions[Number.parse(found)])
    assert all(len(sets) == 1 for sets in seen.values())


@given(histories.attempts, histories.candidates)
@settings(max_examples=500)
def test_a_verdict_says_what_would_pass(tries: list[histories.Attempt], candidate: Candidate) -> None:
    history = histories.lived(tries)[-1]
    verdict = judge(candidate, history)
    if verdict.outcome is Outcome.ALLOWED:
        assert (verdict.findings, verdict.least) == ((), candidate.number)
        return
    assert verdict.clauses
    assert all(finding.text and finding.repair for finding in verdict.findings)
    assert verdict.least is not None
    assert judge(Candidate(verdict.least, candidate.permissions, confirmed=True), history).outcome is Outcome.ALLOWED


@given(histories.attempts, histories.permission_sets)
@settings(max_examples=300)
def test_a_new_major_is_always_allowed(tries: list[histories.Attempt], permissions: Permissions) -> None:
    history = histories.lived(tries)[-1]
    number = max(history.numbers(), default=Number(0, 0, 0)).raised(Bump.MAJOR)
    assert judge(Candidate(number, permissions, confirmed=True), history).outcome is Outcome.ALLOWED

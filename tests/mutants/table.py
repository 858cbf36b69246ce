"""The mutants: for each enforced clause, ways to break the code that keeps it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import patch

from immutables import Map

from tests.mutants.commands import COMMAND_MUTANTS
from tests.mutants.lifecycles import LIFE_CYCLE_MUTANTS
from tests.mutants.mutant import Mutant
from tests.mutants.mutant import replace_attribute as _replace
from tests.mutants.past import PAST_MUTANTS
from tests.mutants.queries import QUERY_MUTANTS
from tests.mutants.releases import RELEASE_MUTANTS
from tests.mutants.replies import REPLY_MUTANTS
from tests.mutants.sites import SITE_MUTANTS
from troth.builds.trees import Trees
from troth.calls import loading, routing
from troth.calls.routing import AlgorithmRoutes, RoutingTable, VersionFact
from troth.commands import building, comparing, judging, publishing
from troth.commands.judging import Judging
from troth.contracts.document import Contract
from troth.doors.algorithmia import calls
from troth.doors.algorithmia.answers import CallError
from troth.doors.algorithmia.exchange import Exchange
from troth.queries import algorithms as algorithm_queries
from troth.registry import build_records, data
from troth.versions import policy, promises, references, resolution
from troth.versions.candidate import Candidate
from troth.versions.evidence import NOTHING_JUDGED, Difference
from troth.versions.history import BuildStatus
from troth.versions.lifecycles import lines
from troth.versions.numbers import Bump, Number
from troth.versions.references import Form, Reference
from troth.versions.verdict import Outcome


def _without_rule(clause: str) -> Callable[[], None]:
    def apply() -> None:
        _replace(policy, "RULES", tuple(rule for rule in policy.RULES if rule.clause != clause))

    return apply


_algorithm_routes = routing.algorithm_routes


def _routes(change: Callable[[dict[str, Any], dict[str, Any], list[VersionFact]], None]) -> Callable[[], None]:
    """A mutant of the routing entries: `change` gets the open and closed answers, and the facts, lowest number first."""

    def mutated(owner_id: str, published: list[VersionFact], built: Any, **options: Any) -> AlgorithmRoutes:
        found = _algorithm_routes(owner_id, published, built, **options)
        opened, closed = dict(found.open), dict(found.closed)
        change(opened, closed, sorted(published, key=lambda fact: fact.number))
        return AlgorithmRoutes(owner_id, Map(opened), Map(closed))

    return lambda: _replace(loading, "algorithm_routes", mutated)


def _lenient_numbers() -> None:
    def parse(cls: type[Number], text: str) -> Number:
        parts = [int(part) for part in re.findall(r"\d+", text)] + [0, 0, 0]
        return cls(parts[0], parts[1], parts[2])

    _replace(Number, "parse", classmethod(parse))


def _unverified_source() -> None:
    _replace(Trees, "verified", lambda self, digest: self.path(digest))


def _promised_data() -> None:
    original = algorithm_queries._version

    def promising(*arguments: Any) -> dict[str, Any]:
        return {**original(*arguments), "data": "guaranteed"}

    _replace(algorithm_queries, "_version", promising)


def _frozen_data() -> None:
    original = data.put_file

    def first_only(connection: Any, collection: data.CollectionRow, file: data.FileRow) -> data.FileRow | None:
        found = data.find_file(connection, collection.id, file.name)
        return None if found else original(connection, collection, file)

    _replace(data, "put_file", first_only)


def _unsaid_pinning() -> None:
    _replace(building, "pinning", lambda files: [])


def _unverified_manifest() -> None:
    original = Trees.verified

    def verified(self: Trees, digest: str) -> Path:
        """Looks at names only."""
        root = self.path(digest)
        kept = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
        if kept != {entry.path for entry in self.manifest(digest).entries}:
            return original(self, digest)
        return root

    _replace(Trees, "verified", verified)


def _permissions_for_ever() -> None:
    original = policy._major_permissions

    def handler(candidate: Candidate, history: Any, readings: Any) -> Any:
        if history.versions and not history.major_line(candidate.number.major):
            highest = history.versions[-1].number
            candidate = replace(candidate, number=Number(highest.major, highest.minor + 1, 0))
        return original(candidate, history, readings)

    rules = [replace(rule, handler=handler) if rule.clause == "ALG-08" else rule for rule in policy.RULES]
    _replace(policy, "RULES", tuple(rules))


def _bare_majors() -> None:
    _routes(
        lambda opened, closed, facts: opened.update({key[:-2]: r for key, r in opened.items() if key.endswith(".*")})
    )()


def _lenient_references() -> None:
    original = references.parse

    def parse(text: str) -> Reference:
        return original(re.sub(r"/(v?)(\d+)(\.x)?$", r"/\2.*", text))

    _replace(references, "parse", parse)


def _nearest_revision() -> None:
    original = RoutingTable.resolve

    def resolve(self: RoutingTable, subject: str, version: str, caller: Any) -> Any:
        return original(self, subject, version, caller) or original(self, subject, version.rpartition(".")[0], caller)

    _replace(RoutingTable, "resolve", resolve)


def _line_counts_private(opened: dict[str, Any], closed: dict[str, Any], facts: list[VersionFact]) -> None:
    for fact in facts:
        opened[f"{fact.number[0]}.{fact.number[1]}"] = fact.route


def _line_is_lowest(opened: dict[str, Any], closed: dict[str, Any], facts: list[VersionFact]) -> None:
    for fact in reversed(facts):
        if fact.public:
            opened[f"{fact.number[0]}.{fact.number[1]}"] = fact.route


def _line_private_for_members(opened: dict[str, Any], closed: dict[str, Any], facts: list[VersionFact]) -> None:
    for fact in facts:
        closed[f"{fact.number[0]}.{fact.number[1]}"] = fact.route


def _latest_counts_private(opened: dict[str, Any], closed: dict[str, Any], facts: list[VersionFact]) -> None:
    opened["latest"] = opened[""] = facts[-1].route if facts else None


def _latest_is_last_in_time(opened: dict[str, Any], closed: dict[str, Any], facts: list[VersionFact]) -> None:
    """1.0.3 after 2.0.0, as if fixes of an old line were the newest."""
    public = [fact for fact in facts if fact.public]
    if public:
        opened["latest"] = opened[""] = max(public, key=lambda fact: fact.number[2]).route


def _latest_private_for_all(opened: dict[str, Any], closed: dict[str, Any], facts: list[VersionFact]) -> None:
    if "latestPrivate" in closed:
        opened["latestPrivate"] = closed["latestPrivate"]


def _latest_private_is_lowest(opened: dict[str, Any], closed: dict[str, Any], facts: list[VersionFact]) -> None:
    private = [fact for fact in facts if not fact.public]
    if private:
        closed["latestPrivate"] = private[0].route


def _latest_private_falls_back(opened: dict[str, Any], closed: dict[str, Any], facts: list[VersionFact]) -> None:
    if facts:
        closed.setdefault("latestPrivate", facts[-1].route)


def _hashes_for_all(opened: dict[str, Any], closed: dict[str, Any], facts: list[VersionFact]) -> None:
    opened.update({key: route for key, route in closed.items() if len(key) == 40})


def _short_hashes(opened: dict[str, Any], closed: dict[str, Any], facts: list[VersionFact]) -> None:
    closed.update({key[:length]: route for key, route in list(closed.items()) if len(key) == 40 for length in (7, 39)})


def _no_hashes(opened: dict[str, Any], closed: dict[str, Any], facts: list[VersionFact]) -> None:
    for key in [key for key in closed if len(key) == 40]:
        del closed[key]


def _failed_builds_count() -> None:
    original = build_records.all_builds

    def all_builds(connection: Any, algorithm_id: str, **bounds: Any) -> list[Any]:
        return [replace(build, status=BuildStatus.SUCCEEDED) for build in original(connection, algorithm_id, **bounds)]

    _replace(build_records, "all_builds", all_builds)


def _caller_decides() -> None:
    """Members are given the highest version of all, strangers the highest public one."""
    original = RoutingTable.resolve

    def resolve(self: RoutingTable, subject: str, version: str, caller: Any) -> Any:
        routes = self.algorithms.get(subject)
        if version in ("", "latest") and routes and self.belongs(caller, routes.owner_id):
            return routes.closed.get("latestPrivate") or original(self, subject, version, caller)
        return original(self, subject, version, caller)

    _replace(RoutingTable, "resolve", resolve)


def _caller_decides_resolver() -> None:
    original = resolution._FORMS[Form.MINOR_LINE]

    def minor_line(reference: Any, history: Any, member: bool, readings: Any) -> Any:
        line = history.minor_line(*reference.line)
        if member and line:
            return resolution._answer(reference, line[-1], [resolution.Reason("ALG-15", "newest")])
        return original(reference, history, member, readings)

    patch.dict(resolution._FORMS, {Form.MINOR_LINE: minor_line}).start()


def _private_for_all(opened: dict[str, Any], closed: dict[str, Any], facts: list[VersionFact]) -> None:
    opened.update({route.version: route for key, route in closed.items() if key == route.version and "." in key})


def _strangers_hear_why() -> None:
    def not_found(exchange: Exchange, why: str) -> CallError:
        known = exchange.subject in exchange.door._table.algorithms
        why = why or (" (ALG-25: it is private)" if known else "")
        return CallError(f"algorithm algo://{exchange.reference} not found{why}")

    _replace(calls, "_not_found", not_found)


def _strangers_are_members() -> None:
    _replace(RoutingTable, "belongs", lambda self, caller, owner_id: True)


def _members_for_ever() -> None:
    original = RoutingTable.belongs
    ever: set[tuple[str, str]] = set()

    def belongs(self: RoutingTable, caller: Any, owner_id: str) -> bool:
        if original(self, caller, owner_id):
            ever.add((caller.id, owner_id))
        return (caller.id, owner_id) in ever

    _replace(RoutingTable, "belongs", belongs)


def _owners_only() -> None:
    _replace(RoutingTable, "belongs", lambda self, caller, owner_id: caller.id == owner_id)


_NO_08 = Mutant("no-major-permissions", "ALG-08 is left out of the rules", _without_rule("ALG-08"))
_NO_10 = Mutant("no-minor-visibility", "ALG-10 is left out of the rules", _without_rule("ALG-10"))


def _clients_judge() -> None:
    async def nothing(self: Judging, question: Any) -> Any:
        return NOTHING_JUDGED

    _replace(Judging, "_judged", nothing)


def _refusals_are_advice() -> None:
    original = publishing._verdict

    def advised(*arguments: Any) -> Any:
        build, verdict, permissions = original(*arguments)
        return build, replace(verdict, outcome=Outcome.ALLOWED), permissions

    _replace(publishing, "_verdict", advised)


_compared = comparing.compared


def _comparing(change: Callable[[Contract], Contract], keep: Callable[[Difference], bool]) -> Callable[[], None]:
    """A mutant of the comparing: of other contracts, or with some of the differences only."""

    def mutated(old: list[Contract], new: Contract, seconds: float) -> list[tuple[Difference, ...]]:
        found = _compared([change(contract) for contract in old], change(new), seconds)
        return [tuple(filter(keep, differences)) for differences in found]

    return lambda: _replace(judging, "compared", mutated)


def _turned(contract: Contract) -> Contract:
    return Contract(contract.output, contract.input, contract.examples)


def _is_input(difference: Difference) -> bool:
    return difference.path.startswith("input")


def _only_the_last() -> None:
    original = promises._earlier
    _replace(promises, "_earlier", lambda candidate, history: original(candidate, history)[-1:])


def _lines_are_taken_away() -> None:
    _replace(
        lines, "_RULES", tuple(rule for rule in lines._RULES if rule.__name__ not in ("_unused", "_keeps_references"))
    )


def _revisions_may_add() -> None:
    original = promises.differs

    def breaks_only(candidate: Any, history: Any, readings: Any) -> Any:
        found = original(candidate, history, readings)
        differences = [one for row in found.contradictions for one in row.differences] if found else []
        return found if any(one.least is Bump.MAJOR for one in differences) else None

    rules = tuple(replace(rule, handler=breaks_only) if rule.clause == "ALG-09" else rule for rule in policy.RULES)
    _replace(policy, "RULES", rules)


_NO_RISE = Mutant("no-rise", "a revision below the highest of its line is let through", _without_rule("ALG-15"))

#: The tables of other modules.
_TABLES = (
    RELEASE_MUTANTS, SITE_MUTANTS, LIFE_CYCLE_MUTANTS, QUERY_MUTANTS, REPLY_MUTANTS, COMMAND_MUTANTS, PAST_MUTANTS
)  # fmt: skip

#: Enforced clause to its mutants. Clauses that follow from others have the mutants of their causes.
MUTANTS: dict[str, list[Mutant]] = {
    "ALG-01": [Mutant("lenient-numbers", "numbers are read out of any text", _lenient_numbers)],
    "ALG-02": [Mutant("no-unused", "ALG-02 is left out of the rules", _without_rule("ALG-02"))],
    "ALG-03": [
        Mutant("clients-judge", "the server compares no contracts", _clients_judge),
        Mutant("refusals-are-advice", "the server publishes what its policy refuses", _refusals_are_advice),
    ],
    "ALG-04": [
        Mutant("unverified-source", "sources are not hashed when they are loaded", _unverified_source),
        Mutant("unverified-content", "only the names of files are compared", _unverified_manifest),
    ],
    "ALG-04a": [
        Mutant("promised-data", "versions promise the data that they read, too", _promised_data),
        Mutant("frozen-data", "a file of data never changes", _frozen_data),
        Mutant("unsaid-pinning", "builds do not say which data may change", _unsaid_pinning),
    ],
    "ALG-05": [
        Mutant("no-breaks", "ALG-05 is left out of the rules", _without_rule("ALG-05")),
        Mutant("sides-turned", "inputs are judged as outputs are", _comparing(_turned, lambda one: True)),
        Mutant("inputs-only", "outputs are not compared", _comparing(lambda one: one, _is_input)),
    ],
    "ALG-06": [Mutant("permissions-for-ever", "a new major is held to the old permissions", _permissions_for_ever)],
    "ALG-07": [
        Mutant("no-minors", "ALG-07 is left out of the rules", _without_rule("ALG-07")),
        Mutant("only-the-last", "a minor is compared with the last version only", _only_the_last),
        Mutant("cannot-tell-is-yes", "what cannot be told is let through",
               _comparing(lambda one: one, lambda one: not one.undecided)),
    ],
    "ALG-08": [_NO_08],
    "ALG-09": [
        Mutant("no-revisions", "ALG-09 is left out of the rules", _without_rule("ALG-09")),
        Mutant("revisions-may-add", "a revision may bring what breaks nobody", _revisions_may_add),
    ],
    "ALG-10": [_NO_10],
    "ALG-11": [
        _NO_10,
        _NO_RISE,
        Mutant("lines-are-taken-away", "a line is retired whoever uses it", _lines_are_taken_away),
    ],
    "ALG-12": [
        Mutant("bare-majors", "a bare major is answered", _bare_majors),
        Mutant("lenient-references", "v1 and 1.x are read as 1.*", _lenient_references),
    ],
    "ALG-13": [Mutant("nearest-revision", "a missing revision falls back to its line", _nearest_revision)],
    "ALG-15": [
        Mutant("line-counts-private", "M.m is the newest of all, private too", _routes(_line_counts_private)),
        Mutant("line-is-lowest", "M.m is the oldest revision", _routes(_line_is_lowest)),
        _NO_RISE,
    ],
    "ALG-16": [_NO_08, _NO_10],
    "ALG-18": [Mutant("line-for-members", "members get M.m of private lines", _routes(_line_private_for_members))],
    "ALG-19": [
        Mutant("latest-counts-private", "latest is the newest of all, private too", _routes(_latest_counts_private)),
        Mutant("latest-in-time", "latest is the last in time", _routes(_latest_is_last_in_time)),
    ],
    "ALG-21": [
        Mutant("latest-private-for-all", "strangers get latestPrivate", _routes(_latest_private_for_all)),
        Mutant("latest-private-lowest", "latestPrivate is the lowest", _routes(_latest_private_is_lowest)),
        Mutant("latest-private-public", "latestPrivate falls back to public versions", _routes(_latest_private_falls_back)),
    ],
    "ALG-22": [
        Mutant("hashes-for-all", "strangers may call by hash", _routes(_hashes_for_all)),
        Mutant("short-hashes", "abbreviated hashes are answered", _routes(_short_hashes)),
        Mutant("no-hashes", "hashes are not answered", _routes(_no_hashes)),
        Mutant("failed-builds", "failed builds are called", _failed_builds_count),
    ],
    "ALG-24": [
        Mutant("caller-decides", "latest depends on the caller", _caller_decides),
        Mutant("caller-decides-why", "what M.m resolves to depends on the caller", _caller_decides_resolver),
    ],
    "ALG-25": [
        Mutant("private-for-all", "strangers may call private versions", _routes(_private_for_all)),
        Mutant("strangers-hear-why", "strangers are told that a private thing exists", _strangers_hear_why),
        Mutant("strangers-are-members", "everybody counts as a member", _strangers_are_members),
        *QUERY_MUTANTS["ALG-25"],
        *PAST_MUTANTS["ALG-25"],
    ],
    "ALG-26": [
        Mutant("members-for-ever", "who was a member once stays one", _members_for_ever),
        Mutant("owners-only", "members count for nothing", _owners_only),
        *PAST_MUTANTS["ALG-26"],
    ],
    **{
        clause: [mutant for found in _TABLES for mutant in found.get(clause, [])]
        for clause in dict.fromkeys(chain(*_TABLES))
        if clause not in ("ALG-25", "ALG-26")
    },
}  # fmt: skip


def find(name: str) -> Mutant:
    """The mutant of that name."""
    return next(mutant for mutants in MUTANTS.values() for mutant in mutants if mutant.name == name)

"""The mutants of the clauses on what replies say of the state of an API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.mutants.mutant import Mutant
from tests.mutants.mutant import replace_attribute as _replace
from troth.calls.api_uses import ApiUses
from troth.calls.own_apis import OwnApis
from troth.versions.lifecycles import brownouts, headers
from troth.versions.lifecycles.headers import Pairs
from troth.versions.lifecycles.live import LiveTable


def _unsaid(*names: bytes) -> Callable[[], None]:
    """Replies do not have these headers."""
    original = headers.headers_of

    def fewer(*given: Any) -> Pairs:
        return tuple(pair for pair in original(*given) if pair[0] not in names)

    return lambda: _replace(headers, "headers_of", fewer)


def _calls_go_on() -> None:
    """Calls go the short way whatever the state of their API is."""
    original = OwnApis.take

    def take(self: OwnApis, tables: Any) -> None:
        original(self, tables)
        self.guarded = False

    _replace(OwnApis, "take", take)


def _calls_unmarked() -> None:
    original = OwnApis.take

    def take(self: OwnApis, tables: Any) -> None:
        original(self, tables)
        self.call_lines = b""

    _replace(OwnApis, "take", take)


def _no_notice() -> None:
    _replace(brownouts, "RULES", tuple(rule for rule in brownouts.RULES if rule.id != "announced"))


REPLY_MUTANTS: dict[str, list[Mutant]] = {
    "PDB-26": [
        Mutant("state-unsaid", "replies do not say their state", _unsaid(b"troth-api-state")),
        Mutant("own-unmarked", "troth's own doors say nothing", lambda: _replace(OwnApis, "marking", lambda *_: None)),
        Mutant("calls-unmarked", "calls say nothing", _calls_unmarked),
    ],
    "PDB-34": [
        Mutant("successor-unsaid", "deprecated versions name no successor", _unsaid(b"link")),
        Mutant("end-unsaid", "deprecated versions do not say when they go", _unsaid(b"troth-retires-in")),
        Mutant("unannounced", "brownouts come without notice", _no_notice),
        Mutant("callers-unlisted", "nobody counts callers", lambda: _replace(ApiUses, "add", lambda *_: None)),
    ],
    "PDB-38": [
        Mutant(
            "retired-answers", "retired versions answer", lambda: _replace(LiveTable, "refused", lambda *_, **__: None)
        ),
        Mutant("retired-calls", "calls of a retired API are answered", _calls_go_on),
    ],
}

"""Two versions of an HTTP API, operation by operation: what programs that speak the older one find changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from troth.contracts.changes import ABSENT, Change, Comparison, concluded, invalid
from troth.contracts.openapi.access_comparison import base_path, scheme_changes, security_changes, server_changes
from troth.contracts.openapi.body_comparison import body_changes, response_changes
from troth.contracts.openapi.document import document
from troth.contracts.openapi.flow import CALLED, CALLING, Exchange
from troth.contracts.openapi.model import Operation, PathItem, Reading
from troth.contracts.openapi.parameter_comparison import operator_changes, parameter_changes
from troth.contracts.openapi.schema_comparison import Comparing
from troth.contracts.openapi.text import UnreadableDocument
from troth.contracts.rules.table import rule
from troth.errors import Malformed

_DEEPEST_CALLBACK = 3


def compare(old: Any, new: Any) -> Comparison:
    """Whether programs that speak the API of `old` can speak that of `new`.

    Each is an OpenAPI 3.0 or 3.1 document, as a value or as text in JSON or YAML. `invalid` for what is none, is too
    large or deep, or has references to nowhere. References to other documents are never fetched: the answer is then
    `cannot-tell` at best.
    """
    try:
        older, newer = document(old), document(new)
        walk = _Walk(Reading(older), Reading(newer), Comparing(older, newer))
        return concluded(walk.changes())
    except UnreadableDocument as error:
        return invalid(str(error))
    except Malformed as error:
        return invalid(f"{error.what}: {error.why}" if error.why else error.what)
    except RecursionError:
        return invalid("the document is nested too deeply")


@dataclass(slots=True)
class _Walk:
    """The way through both documents."""

    older: Reading
    newer: Reading
    comparing: Comparing
    #: the ends of addresses that are compared as the beginning of paths, where those of both documents differ
    _bases: tuple[str, str] = ("", "")
    _servers: set[str] = field(default_factory=set)
    _schemes: dict[str, None] = field(default_factory=dict)

    def changes(self) -> Iterator[Change]:
        """Everything that changed."""
        for reading in (self.older, self.newer):
            for reference, place in reading.document.remote:
                words = f"{reference} leads to another document, and nothing is fetched"
                yield rule("openapi-remote-reference").found(f"#{place}", reference, reference, words)
        bases = [base_path(one.list(one.document.value, "servers", "")) for one in (self.older, self.newer)]
        if bases[0] != bases[1]:
            self._bases = (bases[0], bases[1])
        older, newer = self.older.paths(self._bases[0]), self.newer.paths(self._bases[1])
        yield from self._items(older, newer, CALLED, "path", "")
        yield from self._items(self.older.webhooks(), self.newer.webhooks(), CALLING, "webhook", "webhook ")
        yield from scheme_changes(self.older, self.newer, list(self._schemes))

    def _items(
        self,
        old: Mapping[str, PathItem],
        new: Mapping[str, PathItem],
        exchange: Exchange,
        kind: str,
        prefix: str,
        depth: int = 0,
    ) -> Iterator[Change]:
        for key, before in old.items():
            if key not in new:
                if before.operations:
                    words = f"{before.path} is gone"
                    yield rule(f"openapi-{kind}-removed").found(f"{prefix}{before.path}", before.path, ABSENT, words)
                continue
            yield from self._operations(before, new[key], exchange, prefix, depth)
        for key, after in new.items():
            if key not in old and after.operations:
                yield rule(f"openapi-{kind}-added").found(
                    f"{prefix}{after.path}", ABSENT, after.path, f"{after.path} is new"
                )

    def _operations(
        self, old: PathItem, new: PathItem, exchange: Exchange, prefix: str, depth: int
    ) -> Iterator[Change]:
        for method, before in old.operations.items():
            here = f"{prefix}{method.upper()} {old.path}"
            if method not in new.operations:
                yield rule("openapi-operation-removed").found(here, method, ABSENT, f"{here} is gone")
            else:
                yield from self._operation(before, new.operations[method], exchange, here, depth)
        for method in new.operations:
            if method not in old.operations:
                here = f"{prefix}{method.upper()} {new.path}"
                yield rule("openapi-operation-added").found(here, ABSENT, method, f"{here} is new")

    def _operation(self, old: Operation, new: Operation, exchange: Exchange, here: str, depth: int) -> Iterator[Change]:
        yield from parameter_changes(old.parameters, new.parameters, exchange.request, here, self.comparing)
        yield from body_changes(old.body, new.body, exchange.request, here, self.comparing)
        yield from response_changes(old.responses, new.responses, exchange.response, here, self.comparing)
        yield from operator_changes(old.described, new.described, here)
        yield from _announced(old.described, new.described, here)
        if exchange is CALLED:
            yield from security_changes(old.security, new.security, self.older, self.newer, here)
            used_before, used_after = ({name for one in op.security for name in one} for op in (old, new))
            self._schemes.update(dict.fromkeys(sorted(used_before & used_after)))
            yield from self._where(old, new, here)
        if depth < _DEEPEST_CALLBACK:
            yield from self._callbacks(old, new, exchange, here, depth + 1)

    def _where(self, old: Operation, new: Operation, here: str) -> Iterator[Change]:
        """Servers are told once where all operations share them."""
        pair = repr((old.servers, new.servers))
        if old.servers != new.servers and pair not in self._servers:
            self._servers.add(pair)
            yield from server_changes(old.servers, new.servers, f"{here} servers", self._bases)

    def _callbacks(self, old: Operation, new: Operation, exchange: Exchange, here: str, depth: int) -> Iterator[Change]:
        turned = CALLING if exchange is CALLED else CALLED
        before, after = self.older.callbacks(old), self.newer.callbacks(new)
        yield from self._items(before, after, turned, "callback", f"{here} callback ", depth)


def _announced(old: Mapping[str, Any], new: Mapping[str, Any], here: str) -> Iterator[Change]:
    """What an operation says of its own future, and of its name."""
    if new.get("deprecated") is True and old.get("deprecated") is not True:
        yield rule("openapi-operation-deprecated").found(here, False, True)
    elif old.get("deprecated") is True and new.get("deprecated") is not True:
        yield rule("openapi-operation-restored").found(here, True, False)
    if old.get("x-sunset") != new.get("x-sunset"):
        was, now = old.get("x-sunset"), new.get("x-sunset")
        earlier = isinstance(was, str) and isinstance(now, str) and now < was
        yield rule(f"openapi-sunset{'-earlier' if earlier else ''}").found(here, was or ABSENT, now or ABSENT)
    if old.get("operationId") is not None and old.get("operationId") != new.get("operationId"):
        yield rule("openapi-operation-id").found(here, old["operationId"], new.get("operationId", ABSENT))

"""Who may call, and where: security requirements and servers, in their older and newer form."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from troth.contracts.changes import ABSENT, Change
from troth.contracts.openapi.model import Reading
from troth.contracts.openapi.text import object_in
from troth.contracts.rules.table import rule

Requirement = dict[str, frozenset[str]]
_MOST_ADDRESSES: Final = 200
_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")


def security_changes(
    old: Sequence[Requirement], new: Sequence[Requirement], older: Reading, newer: Reading, path: str
) -> Iterator[Change]:
    """Each older way to be let in has to let in still: one of the newer asks for no more than it does."""
    before = [_meant(one, older) for one in old]
    after = [_meant(one, newer) for one in new]
    for alternative, told in zip(before, old, strict=True):
        if not any(_asks_no_more(one, alternative) for one in after):
            words = f"who comes with {_spelled(told)} is no longer let in"
            yield rule("openapi-security-tightened").found(path, _plain(told), [_plain(one) for one in new], words)
    for alternative, told in zip(after, new, strict=True):
        if not any(_asks_no_more(one, alternative) for one in before):
            words = f"{_spelled(told)} is enough as well"
            yield rule("openapi-security-loosened").found(path, [_plain(one) for one in old], _plain(told), words)


def _plain(requirement: Requirement) -> dict[str, list[str]]:
    return {name: sorted(scopes) for name, scopes in requirement.items()}


def _spelled(requirement: Requirement) -> str:
    named = [f"{name} ({', '.join(sorted(scopes))})" if scopes else name for name, scopes in requirement.items()]
    return " and ".join(named) or "nothing"


@dataclass(frozen=True, slots=True)
class _Asked:
    """One scheme that a requirement asks for, by what it is, with the scopes."""

    kind: str
    scopes: frozenset[str]
    #: of oauth2 only, which flows cannot be told from each other without
    name: str = ""
    flows: frozenset[tuple[str, str]] = frozenset()

    def is_same(self, other: _Asked) -> bool:
        """Whether both are one scheme: names make no difference, but oauth2 of one name is told of where its flows change."""
        if self.kind != other.kind:
            return False
        return self.name == other.name or (bool(self.flows) and self.flows == other.flows)


def _meant(requirement: Requirement, reading: Reading) -> list[_Asked]:
    """A requirement by what its schemes are."""
    return [_asked(name, reading.scheme(name, ""), scopes) for name, scopes in requirement.items()]


def _asked(name: str, scheme: dict[str, Any], scopes: frozenset[str]) -> _Asked:
    if scheme.get("type") != "oauth2":
        return _Asked(_scheme(scheme), scopes)
    flows = object_in(scheme, "flows").items()
    urls = {
        (flow, str([described.get(url) for url in _URLS])) for flow, described in flows if isinstance(described, dict)
    }
    return _Asked("oauth2", scopes, name, frozenset(urls))


_URLS: Final = ("authorizationUrl", "tokenUrl", "refreshUrl")


def _scheme(scheme: dict[str, Any]) -> str:
    kind = scheme.get("type")
    if kind == "apiKey":
        name = str(scheme.get("name"))
        return f"apiKey {scheme.get('in')} {name.lower() if scheme.get('in') == 'header' else name}"
    if kind == "http":
        return f"http {str(scheme.get('scheme')).lower()}"
    if kind == "openIdConnect":
        return f"openIdConnect {scheme.get('openIdConnectUrl')}"
    return str(kind)


def _asks_no_more(wanted: list[_Asked], given: list[_Asked]) -> bool:
    return all(any(one.is_same(other) and one.scopes <= other.scopes for other in given) for one in wanted)


def scheme_changes(older: Reading, newer: Reading, used: Sequence[str]) -> Iterator[Change]:
    """What changed of how a token is got, for the schemes that operations of both ask for."""
    for name in used:
        before, after = older.scheme(name, ""), newer.scheme(name, "")
        if _scheme(before) != _scheme(after) or before.get("type") != "oauth2":
            continue
        was, now = object_in(before, "flows"), object_in(after, "flows")
        for flow, described in was.items():
            here = f"security {name} {flow}"
            if flow not in now:
                yield rule("openapi-flow-removed").found(here, flow, ABSENT, f"the flow {flow} is gone")
            elif isinstance(described, dict) and isinstance(now[flow], dict):
                yield from _flow(described, now[flow], here)
        for flow in now:
            if flow not in was:
                yield rule("openapi-flow-added").found(
                    f"security {name} {flow}", ABSENT, flow, f"the flow {flow} is new"
                )


def _flow(old: dict[str, Any], new: dict[str, Any], here: str) -> Iterator[Change]:
    for key in _URLS:
        if key in old and old[key] != new.get(key):
            yield rule("openapi-flow-changed").found(here, old[key], new.get(key, ABSENT), f"{key} is another")
    was, now = (set(one.get("scopes") or ()) for one in (old, new))
    for scope in sorted(was - now):
        yield rule("openapi-scope-removed").found(f"{here} {scope}", scope, ABSENT, f"the scope {scope} is gone")
    for scope in sorted(now - was):
        yield rule("openapi-scope-added").found(f"{here} {scope}", ABSENT, scope, f"the scope {scope} is new")


# --- servers


Servers = Sequence[dict[str, Any]]


def base_path(servers: Servers) -> str:
    """The path that all addresses end in, which belongs before every path of the document."""
    found = {urlsplit(address).path.rstrip("/") for address in _addresses(servers)}
    return found.pop() if len(found) == 1 else ""


def server_changes(old: Servers, new: Servers, path: str, bases: tuple[str, str] = ("", "")) -> Iterator[Change]:
    """Each older address has to be one still. `bases` are ends of addresses that paths were compared with."""
    before, after = (
        {address.removesuffix(base): None for address in _addresses(servers)}
        for servers, base in ((old, bases[0]), (new, bases[1]))
    )
    for address in before:
        if address not in after:
            yield rule("openapi-server-removed").found(
                path, address, sorted(after)[:10], f"{address} serves it no longer"
            )
    for address in after:
        if address not in before:
            yield rule("openapi-server-added").found(path, ABSENT, address, f"{address} serves it as well")


def _addresses(servers: Servers) -> dict[str, None]:
    """All addresses, with what their variables may be; one that may be anything stays a name in braces."""
    found: dict[str, None] = {}
    for server in servers:
        url, variables = str(server.get("url", "/")), server.get("variables")
        choices = []
        for name in _VARIABLE.findall(url):
            said = variables.get(name) if isinstance(variables, dict) else None
            values = said.get("enum") if isinstance(said, dict) else None
            choices.append([str(one) for one in values] if isinstance(values, list) and values else [f"{{{name}}}"])
        for values in itertools.islice(itertools.product(*choices), _MOST_ADDRESSES):
            given = iter(values)
            found[_VARIABLE.sub(lambda _, given=given: next(given), url).rstrip("/")] = None  # type: ignore[misc]
    return found

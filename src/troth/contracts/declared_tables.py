"""Tables of a troth.toml, read strictly: what is there is used or refused, and each refusal names its table and key."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any, Final

from troth.errors import MalformedSource
from troth.versions.nearest import did_you_mean, nearest

FILE: Final = "troth.toml"
_LARGEST: Final = 256 * 1024
#: the reader's time grows with the square of the dots in a key
_MOST_DOTS: Final = 1_000_000
_MOST: Final = 1_000
_NONE: Final = object()


def read(document: bytes) -> dict[str, Any]:
    """The tables of a document in TOML 1.0. Raises MalformedSource, with the line where there is one."""
    if len(document) > _LARGEST:
        raise wrong("it is too large", f"at most {_LARGEST} bytes are read", "keep declarations only in it")
    if sum(line.count(b".") ** 2 for line in document.split(b"\n")) > _MOST_DOTS:
        raise wrong("its keys are too long", "reading them would take too long", "write tables with short names")
    try:
        return tomllib.loads(document.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise wrong(str(error) or "it cannot be read", "it has to be TOML 1.0 in UTF-8", "mend that line") from None


class Table:
    """One table: each key is asked for once, and `done` refuses the rest."""

    def __init__(self, value: Any, name: str) -> None:
        if not isinstance(value, dict):
            raise wrong(f"{name} is not a table", "it has keys and values", f"write [{name}]")
        self._left = dict(value)
        self._given = frozenset(self._left)
        self._asked: list[str] = []
        self.name = name

    def _take(self, key: str, default: Any) -> Any:
        """What a key has; it is known from now on."""
        self._asked.append(key)
        return self._left.pop(key, default)

    def text(self, key: str, default: Any = _NONE) -> str:
        """A text that is not empty."""
        value = self._take(key, default)
        if value is default and default is not _NONE:
            return str(value)
        if isinstance(value, str) and value.strip() and len(value) <= 4_000:
            return value
        raise self._wrong(key, value, "text", f'write {key} = "..."')

    def choice(self, key: str, legal: Sequence[str], default: Any = _NONE) -> str:
        """One of several words."""
        value = self._take(key, default)
        if value is default and default is not _NONE:
            return str(value)
        if isinstance(value, str) and value in legal:
            return value
        raise self._wrong(key, value, f"one of {', '.join(legal)}", f'write {key} = "{legal[0]}"')

    def flag(self, key: str) -> bool:
        """true or false; false where it is left out."""
        value = self._take(key, False)
        if isinstance(value, bool):
            return value
        raise self._wrong(key, value, "true or false", f"write {key} = true")

    def texts(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of texts."""
        value = self._take(key, _NONE)
        if value is _NONE:
            return tuple(default)
        if (
            isinstance(value, list)
            and len(value) <= _MOST
            and all(isinstance(one, str) and one.strip() for one in value)
        ):
            return tuple(value)
        raise self._wrong(key, value, "a list of texts", f'write {key} = ["..."]')

    def command(self, key: str) -> tuple[str, ...]:
        """A command as a list of its words; empty where it is left out."""
        return self.texts(key)

    def path(self, key: str, default: Any = _NONE) -> str:
        """A path below the product's folder."""
        return checked_path(self.text(key, default), f"{self.name} {key}")

    def paths(self, key: str) -> tuple[str, ...]:
        """A list of paths, or of patterns of them, below the product's folder."""
        return tuple(checked_path(one, f"{self.name} {key}") for one in self.texts(key))

    def table(self, key: str) -> Table:
        """A table inside of this one; empty where it is left out."""
        return Table(self._take(key, {}), f"{self.name}.{key}" if self.name else key)

    def tables(self, key: str) -> list[Table]:
        """A list of tables; empty where it is left out."""
        name = f"{self.name}.{key}" if self.name else key
        value = self._take(key, [])
        if not isinstance(value, list) or len(value) > _MOST:
            raise wrong(f"{name} is not a list of tables", "there may be several", f"write [[{name}]]")
        return [Table(one, f"{name} {place}") for place, one in enumerate(value, 1)]

    def named(self, key: str) -> dict[str, Table]:
        """Tables by their names; empty where they are left out."""
        inner = self.table(key)
        found = {name: Table(value, f"{inner.name}.{name}") for name, value in inner._left.items()}
        inner._left = {}
        return found

    def done(self) -> None:
        """Raises MalformedSource for a key that nobody asked for."""
        for key in self._left:
            where = f"[{self.name}]" if self.name else "it"
            # what stands there already was not misspelt
            meant = did_you_mean(key, [one for one in self._asked if one not in self._given])
            repair = f"{meant} Else take {key} out" if meant else f"take {key} out"
            raise wrong(f"{where} has no key {key!r}", "a key that is not known would be left unheeded", repair)

    def _wrong(self, key: str, value: Any, kind: str, repair: str) -> MalformedSource:
        state = "missing" if value is _NONE else f"not {kind}"
        alike = nearest(key, self._left) if value is _NONE else None
        repair = f"did you mean {key} by {alike}? {repair}" if alike else repair
        return wrong(f"[{self.name}] {key} is {state}", f"{key} is {kind}", repair)


def checked_path(path: str, where: str) -> str:
    """The path without a closing slash. Raises MalformedSource for one that leads out of the folder."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
        raise wrong(
            f"{where} {path[:80]!r} leads out of the product", "paths lie below its troth.toml", "name a path below it"
        )
    return "/".join(part for part in parts if part not in ("", "."))


def wrong(what: str, why: str, repair: str) -> MalformedSource:
    """The error about a troth.toml."""
    return MalformedSource(f"{FILE}: {what}", why=why, repair=repair)

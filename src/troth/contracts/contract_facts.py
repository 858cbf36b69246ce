"""What became of a product's contracts since a release: each compared by the checker of its kind, if it changed at all.

The files of both sides are handed in, so that who has the repository and a server that kept the files find the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final, Protocol

from troth.contracts.changes import Level
from troth.contracts.help_changes import help_changes
from troth.contracts.product import Product, Promised
from troth.contracts.rules.table import rule
from troth.contracts.settings_changes import UnreadableSettings, document_of, schema_changes, values_changes
from troth.errors import Malformed
from troth.versions.releases.evidence import Fact, Kind

#: Compares two documents of a kind (openapi, python, wire) and gives the answer as JSON; the door hands it in.
Compare = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


class Files(Protocol):
    """The files that a product had at some moment, by their paths."""

    def below(self, folder: str) -> Sequence[str]:
        """The paths of all files in a folder, or of the file of that name."""

    def identity(self, path: str) -> str:
        """A name for the content of a file, equal where that is; empty where there is no such file."""

    def size(self, path: str) -> int:
        """Bytes of a file."""

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The content of those of the paths that are files."""


@dataclass(frozen=True)
class KeptFiles:
    """Files of contracts as they are kept with a release: texts by their paths."""

    texts: Mapping[str, str]

    def below(self, folder: str) -> Sequence[str]:
        return [path for path in self.texts if not folder or path == folder or path.startswith(f"{folder}/")]

    def identity(self, path: str) -> str:
        return sha256(self.texts[path].encode()).hexdigest() if path in self.texts else ""

    def size(self, path: str) -> int:
        return len(self.texts[path].encode())

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        return {path: self.texts[path].encode() for path in paths if path in self.texts}


#: Beyond so many bytes of Python the modules that changed are compared, with those that they import.
_WHOLE_PACKAGE: Final = 1 << 20
#: What is imported is taken along while there is room; what lies beyond is the same on both sides, as far as is known.
_ROOM: Final = 1 << 19
_MOST_PYTHON: Final = 4_000_000
_MOST_CHANGES: Final = 200
_KINDS: Final = {"major": Kind.CONTRACT_BROKEN, "minor": Kind.CONTRACT_WIDENED, "revision": Kind.CONTRACT_CHANGED}


def contract_facts(product: Product, then: Product | None, old: Files, new: Files, compare: Compare) -> Iterator[Fact]:
    """Every difference of the contracts that are declared now, or were at the release."""
    for promised in contracts_of(product, then):
        yield from changes_of(promised, product, then, old, new, compare)


def contracts_of(product: Product, then: Product | None) -> list[Promised]:
    """The contracts that are declared now, or were at the release."""
    both = [*(then or product).contracts, *product.contracts]
    return list({(one.kind, one.path): one for one in both}.values())


def changes_of(
    promised: Promised, product: Product, then: Product | None, old: Files, new: Files, compare: Compare
) -> Iterator[Fact]:
    """Every difference of one contract. Raises Malformed for one that is declared now and is not there, or unreadable."""
    was, is_ = (_declares(one, promised) for one in (then or product, product))
    component = promised_by(promised, product, then)
    for fact in _changes(promised, old, new, compare, was=was, is_=is_):
        yield replace(fact, component=fact.component or component)


def _declares(product: Product, promised: Promised) -> bool:
    return any((one.kind, one.path) == (promised.kind, promised.path) for one in product.contracts)


def promised_by(promised: Promised, product: Product, then: Product | None) -> str:
    """The component whose promise a contract is: the one that it belonged to at the release, if it was declared there.

    Else what is stable would be free to break as soon as it is called part of something that is not.
    """
    was = next(
        (one for one in (then or product).contracts if (one.kind, one.path) == (promised.kind, promised.path)), None
    )
    return component_of(then or product, was) if was else component_of(product, promised)


def component_of(product: Product, promised: Promised) -> str:
    """The component that a contract belongs to; empty where none claims it."""
    if promised.component:
        return promised.component
    found = product.component_of(promised.path)
    return found.name if found else ""


def _changes(promised: Promised, old: Files, new: Files, compare: Compare, *, was: bool, is_: bool) -> Iterator[Fact]:
    before = _identities(old, promised.path) if was else {}
    after = _identities(new, promised.path) if is_ else {}
    if was and before and not after:
        words = "the contract is gone" if is_ else "the contract is no longer declared"
        yield Fact(Kind.CONTRACT_REMOVED, promised.path, words, f"put {promised.path} back")
    elif is_ and not after:
        raise Malformed(
            f"there is no {promised.path}",
            why="troth.toml declares it as a contract",
            repair="commit it, or take it out of [[contracts]]",
        )
    elif after and not before:
        yield Fact(Kind.CONTRACT_ADDED, promised.path, "the contract is new")
    elif before != after:
        yield from _COMPARED[promised.kind](promised, old, new, compare)


def _identities(files: Files, path: str) -> dict[str, str]:
    return {one: files.identity(one) for one in files.below(path)}


def _documents(promised: Promised, old: Files, new: Files, compare: Compare) -> Iterator[Fact]:
    """OpenAPI documents and wire formats."""
    pair = {name: _text(side, promised.path) for name, side in (("old", old), ("new", new))}
    answer = compare(promised.kind, {**pair, "tolerant": promised.tolerant})
    yield from _answered(promised, answer)


def _answered(promised: Promised, answer: Mapping[str, Any]) -> Iterator[Fact]:
    """The facts in an answer of a checker."""
    if answer["verdict"] == "invalid":
        raise Malformed(
            f"{promised.path} cannot be compared with what was released", why=answer["fault"], repair="mend that place"
        )
    for change in answer["changes"][:_MOST_CHANGES]:
        kind = _kind(change, answer["verdict"])
        where = f"{promised.path}: {change['path']}" if change["path"] else promised.path
        yield Fact(kind, where, change["words"].rstrip("."), rule=change["rule"], old=change["old"], new=change["new"])
    if answer["verdict"] == "cannot-tell" and not answer["changes"]:
        yield Fact(Kind.CONTRACT_UNDECIDED, promised.path, answer.get("fault") or "nothing was proved")


def _kind(change: Mapping[str, Any], verdict: str) -> Kind:
    """What a change means for a release: by its rule, unless the tolerant setting let it pass (note N10)."""
    row = rule(change["rule"])
    if verdict == "compatible" and change["level"] == Level.NOTE and row.level != Level.NOTE:
        return Kind.CONTRACT_WIDENED
    return Kind.CONTRACT_UNDECIDED if row.undecided else _KINDS[row.least]


def _python(promised: Promised, old: Files, new: Files, compare: Compare) -> Iterator[Fact]:
    before, after = _modules(old, promised.path), _modules(new, promised.path)
    if max(_size(old, before), _size(new, after)) > _WHOLE_PACKAGE:
        wanted = _concerned(old, new, before, after)
        before, after = [one for one in before if one in wanted], [one for one in after if one in wanted]
    if max(_size(old, before), _size(new, after)) > _MOST_PYTHON:
        words = f"more than {_MOST_PYTHON // 1_000_000} MB of modules changed, so nothing was proved"
        yield Fact(Kind.CONTRACT_UNDECIDED, promised.path, words)
        return
    root = promised.path.rpartition("/")[0] if not promised.path.endswith(".py") else ""
    pair = {
        name: {path.removeprefix(f"{root}/") if root else path: text for path, text in _texts(side, paths).items()}
        for name, side, paths in (("old", old, before), ("new", new, after))
    }
    yield from _answered(promised, compare("python", pair))


def _modules(files: Files, path: str) -> list[str]:
    return [one for one in files.below(path) if one.endswith((".py", ".pyi"))]


def _size(files: Files, paths: list[str]) -> int:
    return sum(files.size(path) for path in paths)


_IMPORTED: Final = re.compile(
    r"^[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]*)|import[ \t]+([^\n#]+))", re.MULTILINE
)


def _concerned(old: Files, new: Files, before: list[str], after: list[str]) -> set[str]:
    """The modules that changed, the packages that they lie in, and what these import while there is room."""
    both = set(before) | set(after)
    changed = {path for path in both if old.identity(path) != new.identity(path)}
    found: set[str] = set()
    waiting = changed | {one for path in changed for one in _packages(path, both)}
    while waiting and (not found or _size(new, [one for one in found if new.identity(one)]) < _ROOM):
        found |= waiting
        texts = [_texts(side, [path for path in waiting if side.identity(path)]) for side in (old, new)]
        named = {one for side in texts for path, text in side.items() for one in _imports(path, text, both)}
        waiting = (named | {one for path in named for one in _packages(path, both)}) - found
    return found


def _packages(path: str, known: set[str]) -> Iterator[str]:
    """The `__init__.py` of each package that a module lies in."""
    folder = path
    while "/" in folder:
        folder = folder.rpartition("/")[0]
        yield from (one for one in (f"{folder}/__init__.py", f"{folder}/__init__.pyi") if one in known)


def _imports(path: str, text: str, known: set[str]) -> Iterator[str]:
    """The modules among the known ones that a module imports."""
    for source, members, plain in _IMPORTED.findall(text):
        if plain:
            yield from (one for name in plain.split(",") for one in _files(name.split(" as ")[0].strip(), path, known))
            continue
        yield from _files(source, path, known)
        for member in re.findall(r"\w+", members.strip("()")):
            yield from _files(f"{source}{'' if source.endswith('.') else '.'}{member}", path, known)


def _files(name: str, path: str, known: set[str]) -> Iterator[str]:
    """The files that a module's name may mean, as the module at `path` writes it."""
    dots = len(name) - len(name.lstrip("."))
    steps = [step for step in name.lstrip(".").split(".") if step]
    parts = path.split("/")
    # without dots any folder above may be where packages lie
    starts = [parts[: max(len(parts) - dots, 0)]] if dots else [parts[:cut] for cut in range(len(parts))]
    for start in starts:
        stem = "/".join([*start, *steps])
        yield from (one for one in (f"{stem}.py", f"{stem}.pyi", f"{stem}/__init__.py") if one in known)


def _settings(promised: Promised, old: Files, new: Files, compare: Compare) -> Iterator[Fact]:
    """Schemas of settings, and documents of defaults."""
    values = []
    for side in (old, new):
        try:
            values.append(document_of(promised.path, _text(side, promised.path)))
        except UnreadableSettings as error:
            raise _unreadable(promised.path, str(error)) from None
    try:
        judged = schema_changes if promised.kind == "settings" else values_changes
        yield from list(judged(values[0], values[1], promised.path))
    except UnreadableSettings as error:
        raise _unreadable(promised.path, str(error)) from None


def _help(promised: Promised, old: Files, new: Files, compare: Compare) -> Iterator[Fact]:
    yield from help_changes(_text(old, promised.path), _text(new, promised.path), promised.path)


def _texts(files: Files, paths: list[str]) -> dict[str, str]:
    return {path: _decoded(path, content) for path, content in files.read(paths).items()}


def _text(files: Files, path: str) -> str:
    return _decoded(path, files.read([path])[path])


def _decoded(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"{error.reason} at byte {error.start}") from None


def _unreadable(path: str, why: str) -> Malformed:
    return Malformed(f"{path} cannot be read", why=why, repair="mend that place")


_COMPARED: Final[dict[str, Callable[[Promised, Files, Files, Compare], Iterator[Fact]]]] = {
    "openapi": _documents,
    "wire": _documents,
    "python": _python,
    "settings": _settings,
    "values": _settings,
    "help": _help,
}

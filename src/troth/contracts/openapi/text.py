"""OpenAPI documents from text or values, read with distrust: bounded in size, depth and what aliases blow up to."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import yaml

_LARGEST: Final = 16 << 20
#: YAML is read about five times as slowly as JSON.
_LARGEST_YAML: Final = 4 << 20
_MOST_VALUES: Final = 1_000_000
_DEEPEST: Final = 200


class UnreadableDocument(Exception):
    """A document that is none, or that is larger or deeper than is read. The words name the place."""

    def __init__(self, what: str, place: str = "") -> None:
        super().__init__(f"#{place[:300]}: {what}" if place else what)


def read(source: Any) -> dict[str, Any]:
    """The JSON object that a document is: given as a value, or as text in JSON or YAML 1.2.

    Raises UnreadableDocument for text that is neither, and for what is too large, too deep, or full of aliases.
    """
    value = source
    if isinstance(source, str):
        value = value_of(source)
    else:
        _measure(value)
    if isinstance(value, dict):
        return value
    raise UnreadableDocument("an OpenAPI document is an object with the key openapi")


def value_of(text: str) -> Any:
    """The value that a text in JSON or YAML 1.2 holds. Raises UnreadableDocument as `read` does."""
    value = _parsed(text)
    _measure(value)
    return value


def _parsed(text: str) -> Any:
    if len(text) > _LARGEST:
        raise UnreadableDocument(f"it is larger than {_LARGEST >> 20} MiB")
    try:
        if text.lstrip()[:1] in ("{", "["):
            return json.loads(text, object_pairs_hook=_once)
    except ValueError:
        pass  # YAML in flow style begins like JSON
    except RecursionError:
        raise UnreadableDocument(f"it is nested more than {_DEEPEST} levels deep") from None
    if len(text) > _LARGEST_YAML:
        raise UnreadableDocument(
            f"it is larger than {_LARGEST_YAML >> 20} MiB as YAML; JSON is read up to {_LARGEST >> 20}"
        )
    return _yaml(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise UnreadableDocument(f"the key {next(name for name in names if names.count(name) > 1)!r} is there twice")
    return found


def _yaml(text: str) -> Any:
    try:
        return _Builder().built(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else "the text"
        raise UnreadableDocument(f"{where}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise UnreadableDocument(f"it is no YAML: {' '.join(str(error).split())[:200]}") from None
    except (ValueError, RecursionError):
        raise UnreadableDocument(f"it is no YAML, or nested more than {_DEEPEST} levels deep") from None


_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOTHING: Final = object()


class _Builder:
    """Values from YAML's events, with the scalars of its core schema (YAML 1.2, 10.3): `no` is text, and so is a date.

    Keys are text, each once; `200:` is the key "200". There is no merging of keys, which is not in YAML 1.2.
    """

    def __init__(self) -> None:
        self._anchors: dict[str, Any] = {}
        #: the open collections, each with the key that waits for its value
        self._open: list[tuple[Any, Any]] = []
        self._result: Any = _NOTHING

    def built(self, text: str) -> Any:
        """The value of the only document in `text`."""
        for event in yaml.parse(text, Loader=_Parser):
            if isinstance(event, yaml.ScalarEvent):
                self._put(_scalar(event) if not self._wants_key() else _Key(event.value), event)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self._begin({} if isinstance(event, yaml.MappingStartEvent) else [], event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._open.pop()
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self._anchors:
                    raise _wrong(event, f"there is no anchor {event.anchor!r}")
                self._put(self._anchors[event.anchor], event)
        return None if self._result is _NOTHING else self._result

    def _wants_key(self) -> bool:
        return bool(self._open) and self._open[-1][1] is _NOTHING and isinstance(self._open[-1][0], dict)

    def _begin(self, value: Any, event: yaml.CollectionStartEvent) -> None:
        if event.tag not in (None, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            raise _wrong(event, f"the tag {event.tag!r} is not known")
        self._put(value, event)
        self._open.append((value, _NOTHING))
        if len(self._open) > _DEEPEST:
            raise UnreadableDocument(f"line {_line(event)}: nested more than {_DEEPEST} levels deep")

    def _put(self, value: Any, event: Any) -> None:
        if getattr(event, "anchor", None) and not isinstance(event, yaml.AliasEvent):
            self._anchors[event.anchor] = str(value) if isinstance(value, _Key) else value
        if not self._open:
            if self._result is not _NOTHING:
                raise _wrong(event, "there is a second document")
            self._result = value
            return
        holder, key = self._open[-1]
        if isinstance(holder, list):
            holder.append(value)
        elif key is _NOTHING:
            if not isinstance(value, str):
                raise _wrong(event, "a key is text")
            if value in holder:
                raise _wrong(event, f"the key {str(value)!r} is there twice")
            self._open[-1] = (holder, str(value))
        else:
            holder[key] = value
            self._open[-1] = (holder, _NOTHING)


class _Key(str):
    """A scalar where a key stands: text, however it looks."""

    __slots__ = ()


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _wrong(event: Any, what: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(None, None, what, event.start_mark)


_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_NUMERIC = frozenset("-+.0123456789")


def _scalar(event: yaml.ScalarEvent) -> Any:
    text, tag = event.value, event.tag
    if tag == "tag:yaml.org,2002:str" or tag == "!" or (tag is None and not event.implicit[0]):
        return text
    if tag is not None and tag not in _SCALAR_TAGS:
        raise _wrong(event, f"the tag {tag!r} is not known")
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMERIC and len(text) < 1000:
        if _INTEGER.fullmatch(text):
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


_SCALAR_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null"))


def _measure(value: Any) -> None:
    """Counts values as often as they are reached, so that aliases cannot blow up, and refuses what holds itself."""
    if not isinstance(value, dict | list):
        return
    counted: dict[int, int] = {}
    path: set[int] = set()
    waiting: list[tuple[Any, bool, str]] = [(value, False, "")]
    while waiting:
        current, done, place = waiting.pop()
        if id(current) in counted:
            continue
        values = current.values() if isinstance(current, dict) else current
        if done:
            path.discard(id(current))
            total = 1 + len(values)
            total += sum(counted.get(id(one), 1) - 1 for one in values if isinstance(one, dict | list))
            if total > _MOST_VALUES:
                raise UnreadableDocument(f"it has more than {_MOST_VALUES} values, aliases followed", place)
            counted[id(current)] = total
            continue
        if id(current) in path:
            raise UnreadableDocument("it holds itself", place)
        path.add(id(current))
        if len(path) > _DEEPEST:
            raise UnreadableDocument(f"nested more than {_DEEPEST} levels deep", place)
        waiting.append((current, True, place))
        for key, one in current.items() if isinstance(current, dict) else enumerate(current):
            if not isinstance(key, str | int):
                raise UnreadableDocument("a key is text", place)
            if isinstance(one, dict | list):
                waiting.append((one, False, f"{place}/{escaped(str(key))}" if len(place) < 300 else place))


def escaped(step: str) -> str:
    """A step of a JSON pointer (RFC 6901)."""
    return step.replace("~", "~0").replace("/", "~1")


def object_in(holder: Any, key: str) -> dict[str, Any]:
    """The object under a key; empty where there is none, or something else."""
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, dict) else {}

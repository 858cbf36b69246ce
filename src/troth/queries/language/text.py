"""The short form of queries, read into the JSON form that says the same.

    owner = "util" and version >= "0.2.0" and not (name ~ "^ech" or notes is null)
    select owner, count(), max(version) where version in-line "1" group by owner
    (owner, name) in (select owner, name from builds where status = "failed")

Words may be in any letter case; a text is in double or single quotes, with the escapes of JSON.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from troth.errors import Malformed
from troth.queries.language import bounds
from troth.queries.language.hints import wrong

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.]))
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z][A-Za-z0-9_]*)*)
    | (?P<sign>>=|<=|!=|[=<>~(),])
    )""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_SIGNS = ("=", ">=", "<=", ">", "<", "~")
_WORDS = ("in-line", "compatible-with")
_RESERVED = {"and", "or", "not", "in", "is", "null", "true", "false", "select", "from", "where", "group", "by", *_WORDS}


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str) -> Any:
    """The JSON form of a query in the short form; None for one without conditions. Raises Malformed."""
    if len(text) > bounds.LONGEST_QUERY:
        raise wrong("the query is too long", f"it has at most {bounds.LONGEST_QUERY} characters")
    parser = _Parser(_tokens(text))
    found = parser.whole()
    parser.end()
    return found


def _tokens(text: str) -> list[_Token]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unread(text[at:].strip(), at)
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind], match.start(kind)))
        at = match.end()
    return [*found, _Token("end", "", end)]


class _Parser:
    """Reads tokens from left to right, one ahead."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Any:
        if self._next.kind == "end":
            return None
        if self._takes("select"):
            columns = self._columns()
            return self._rest_of_select(columns, [])
        return self._either()

    def end(self) -> None:
        if self._next.kind != "end":
            raise _unread(self._next.text, self._next.at)

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at += token.kind != "end"
        return token

    def _is(self, word: str) -> bool:
        token = self._next
        return token.kind in ("word", "sign") and token.text.lower() == word

    def _takes(self, word: str) -> bool:
        found = self._is(word)
        self._at += found
        return found

    def _need(self, word: str) -> None:
        if not self._takes(word):
            raise _unread(self._next.text, self._next.at, f"here comes {word}")

    def _either(self) -> Any:
        self._depth += 1
        if self._depth > bounds.DEEPEST:
            raise wrong("the query nests too deep", f"expressions are nested at most {bounds.DEEPEST} times")
        found = self._chain("or", lambda: self._chain("and", self._one))
        self._depth -= 1
        return found

    def _chain(self, word: str, operand: Any) -> Any:
        found = [operand()]
        while self._takes(word):
            found.append(operand())
        return found[0] if len(found) == 1 else [word, *found]

    def _one(self) -> Any:
        if self._takes("not"):
            self._depth += 1
            if self._depth > bounds.DEEPEST:
                raise wrong("the query nests too deep", f"expressions are nested at most {bounds.DEEPEST} times")
            found = ["not", self._one()]
            self._depth -= 1
            return found
        if self._is("("):
            if self._tokens[self._at + 2].text == "," if self._at + 2 < len(self._tokens) else False:
                return self._among(self._several())
            self._take()
            found = self._either()
            self._need(")")
            return found
        return self._comparison()

    def _comparison(self) -> Any:
        field = self._name()
        token = self._take()
        operator = token.text.lower()
        if operator in _SIGNS or operator in _WORDS:
            return [operator, field, self._value()]
        if operator == "!=":
            return ["not", ["=", field, self._value()]]
        if operator == "is":
            wanted = not self._takes("not")
            self._need("null")
            return ["null?", field, wanted]
        self._at -= token.kind != "end"
        return self._among(field)

    def _among(self, fields: Any) -> Any:
        refused = self._takes("not")
        self._need("in")
        self._need("(")
        if self._takes("select"):
            columns = self._columns()
            self._need("from")
            entity = self._name().replace("-", "_")
            source = self._rest_of_select(columns, [f"select_{entity}"])
        else:
            source = ["array", self._rows(fields)]
        self._need(")")
        found = ["in", fields, source]
        return ["not", found] if refused else found

    def _rows(self, fields: Any) -> list[Any]:
        rows: list[Any] = []
        while not self._is(")"):
            if rows:
                self._need(",")
            rows.append(self._value() if isinstance(fields, str) else self._row())
        return rows

    def _row(self) -> list[Any]:
        self._need("(")
        row = [self._value()]
        while self._takes(","):
            row.append(self._value())
        self._need(")")
        return row

    def _several(self) -> list[str]:
        self._need("(")
        names = [self._name()]
        while self._takes(","):
            names.append(self._name())
        self._need(")")
        return names

    def _columns(self) -> list[Any]:
        columns = [self._column()]
        while self._takes(","):
            columns.append(self._column())
        return columns

    def _column(self) -> Any:
        name = self._name()
        if not self._takes("("):
            return name
        argument = [] if self._is(")") else [self._name()]
        self._need(")")
        return ["function", name.lower(), *argument]

    def _rest_of_select(self, columns: list[Any], select: list[Any]) -> Any:
        """`where` and `group by`; `select` holds the name of a subquery's entity, which the expression then stands in."""
        self._depth += 1
        where = [self._either()] if self._takes("where") else []
        self._depth -= 1
        found = ["extract", columns, *([[*select, *where]] if select else where)]
        if self._takes("group"):
            self._need("by")
            found.append(["group_by", self._name()])
            while self._takes(","):
                found[-1].append(self._name())
        return found

    def _name(self) -> str:
        token = self._take()
        if token.kind != "word" or token.text.lower() in _RESERVED:
            raise _unread(token.text, token.at, "here comes a name")
        return token.text

    def _value(self) -> Any:
        token = self._take()
        if token.kind == "text":
            return _unquoted(token)
        if token.kind == "number":
            return _number(token)
        word = token.text.lower()
        if token.kind == "word" and word in ("true", "false"):
            return word == "true"
        raise _unread(token.text, token.at, 'here comes a value, and texts are in quotes: "util"')


def _unquoted(token: _Token) -> str:
    inside = token.text[1:-1]
    if token.text[0] == "'":
        inside = inside.replace("\\'", "'").replace('"', '\\"')
    try:
        found: str = json.loads(f'"{inside}"', strict=False)
    except ValueError:
        raise _unread(token.text, token.at, "its escapes are those of JSON") from None
    return found


def _number(token: _Token) -> int | float:
    try:
        return int(token.text) if token.text.lstrip("-").isdigit() else float(token.text)
    except ValueError:  # more digits than Python reads
        raise _unread(token.text, token.at, "no field holds such a number") from None


def _unread(text: str, at: int, why: str = "it is not of the language") -> Malformed:
    what = f"{text[:40]!r} at character {at + 1} cannot be read" if text else "the query ends too early"
    return wrong(what, why, 'write it like: owner = "util" and version >= "0.2.0"')

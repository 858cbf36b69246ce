"""The text of a statement that writes many rows at once: on PostgreSQL they come as one parameter of JSON.

Sixty-four rows one by one cost as many executions of the same plan; together they cost one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Dialect, LargeBinary, String

#: the parameter that holds the rows
ROWS = "given_rows"
#: bytes of one such parameter, beyond which another statement has the rows that are left
_MOST = 8 << 20
_INSERT = re.compile(r"(?P<into>INSERT INTO .+) VALUES \((?P<values>.+)\)")
_UPDATE = re.compile(r"(?P<set>UPDATE .+) WHERE (?P<where>(?P<column>\S+) = %\((?P<key>\w+)\)s.*)")
_PARAMETER = re.compile(r"%\((\w+)\)s")


def bulk_rows(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Iterator[str]:
    """These members of the rows as values of `ROWS`, one after the other: payloads are large, and hundreds of them too large for one."""
    part: list[bytes] = []
    size = 0
    for row in rows:
        encoded = msgspec.json.encode({name: row[name] for name in names})
        if part and size + len(encoded) > _MOST:
            yield f"[{b','.join(part).decode()}]"
            part, size = [], 0
        part.append(encoded)
        size += len(encoded)
    if part:
        yield f"[{b','.join(part).decode()}]"


def bulk_text(text: str, types: Mapping[str, Any], dialect: Dialect) -> str | None:
    """The statement for all rows of a parameter `ROWS`, a list of objects in JSON, with bytes in base 64.

    The text is troth's own, as SQLAlchemy compiled it; an update begins its conditions with the one that names its row. `types` are those of the parameters that rows give. None where the database has no such form.
    """
    if dialect.name != "postgresql":
        return None

    def given(found: re.Match[str]) -> str:
        name = found[1]
        if name not in types:
            return found[0]
        return f"decode(given.\"{name}\", 'base64')" if isinstance(types[name], LargeBinary) else f'given."{name}"'

    source = f"json_to_recordset(%({ROWS})s::JSON) AS given({_columns(types, dialect)})"
    if insert := _INSERT.fullmatch(text):
        values = _PARAMETER.sub(given, insert["values"])
        return f"{insert['into']} SELECT {values} FROM {source}"  # noqa: S608 (no value is in it)
    if update := _UPDATE.fullmatch(text):
        changed, where = (_PARAMETER.sub(given, update[part]) for part in ("set", "where"))
        # named once more, else a table that was never analysed is read from its beginning to its end
        named = f'{update["column"]} = ANY (ARRAY(SELECT given."{update["key"]}" FROM {source}))'  # noqa: S608
        return f"{changed} FROM {source} WHERE {where} AND {named}"
    return None


def _columns(types: Mapping[str, Any], dialect: Dialect) -> str:
    """Names and types; texts without their lengths, so that one that is too long is an error and not cut off."""
    found = []
    for name, kind in types.items():
        text = isinstance(kind, String | LargeBinary)
        found.append(f'"{name}" {"TEXT" if text else kind.compile(dialect=dialect)}')
    return ", ".join(found)

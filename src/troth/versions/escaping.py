"""What strangers wrote, made harmless for the place where it is shown: Markdown, HTML, and workflow commands of GitHub."""

from __future__ import annotations

import html
import json
from typing import Any, Final

_LONGEST: Final = 160


def short(value: Any) -> str:
    """A value in one line that can be read."""
    text = "(nothing)" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def plain(text: str) -> str:
    """Text that neither ends a cell of Markdown nor begins a tag."""
    return text.replace("|", "&#124;").replace("<", "&lt;").replace("\n", " ").replace("\r", " ")


def cell(value: Any) -> str:
    """A value as code in a cell of Markdown."""
    return f"`{plain(short(value)).replace('`', ' ')}`"


def element(name: str, text: str, kind: str = "") -> str:
    """An element of HTML with this text, and of this class."""
    attribute = f' class="{html.escape(kind)}"' if kind else ""
    return f"<{name}{attribute}>{html.escape(text)}</{name}>"


def annotation(kind: str, file: str, title: str, words: str, line: int | None = None) -> str:
    """One workflow command of GitHub Actions: `error`, `warning` or `notice`, on a file."""
    at = f",line={line}" if line else ""
    return f"::{kind} file={_property(file)}{at},title={_property(title)}::{_data(words)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

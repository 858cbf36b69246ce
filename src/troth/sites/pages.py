"""A page of HTML, read: its title, the text that people search in, and where its links lead. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from html.parser import HTMLParser
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

#: by attribute, the elements in which it holds an address
_ADDRESSES: Final = {
    "href": {"a", "area", "link", "base"},
    "src": {"script", "img", "iframe", "frame", "embed", "source", "audio", "video", "track", "input"},
    "data": {"object"},
    "poster": {"video"},
    "action": {"form"},
    "srcset": {"img", "source"},
}
#: what is in these is not read as text
_SILENT: Final = frozenset(
    ["script", "style", "template", "nav", "header", "footer", "aside", "title", "noscript", "button"]
)
_ALONE: Final = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
#: what an element `link` fetches; the others are hints that nobody follows, and Sphinx writes some to pages it did not make
_FETCHED: Final = frozenset(
    ["stylesheet", "icon", "apple-touch-icon", "mask-icon", "manifest", "preload", "modulepreload"]
)
_REFRESH: Final = re.compile(r"""\s*\d*\s*[;,]?\s*url\s*=\s*['"]?([^'"]*)""", re.IGNORECASE)
#: stands for the place of a version in addresses, which no page can name
_ROOT: Final = "http://version.invalid/owner./product./version./"
#: what browsers read as something else, or not at all
_SAME: Final = (("\t", ""), ("\n", ""), ("\r", ""), ("%2e", "."), ("%2E", "."))
_LONGEST_TEXT: Final = 1 << 20


class Leads(Enum):
    """Where a link leads."""

    INSIDE = "inside"
    AWAY = "to another site"
    OUT = "out of the version"


@dataclass
class Page:
    """What was read of a page."""

    title: str = ""
    text: str = ""
    #: addresses as they are written
    links: list[str] = field(default_factory=list)
    base: str = ""


def read_page(content: str) -> Page:
    """What is in a page. It takes any text."""
    reader = _Reader()
    reader.feed(content)
    reader.close()
    text = reader.main or reader.text
    title = " ".join("".join(reader.title).split())
    return Page(title[:300], " ".join(" ".join(text).split())[:_LONGEST_TEXT], list(reader.links), reader.base)


def lead(page: str, base: str, address: str) -> tuple[Leads, str]:
    """Where an address on a page leads (both as paths below the root of the version): the path, where it is inside.

    A folder's path ends in a slash, and the root is empty. Browsers' reading of addresses is meant (URL Standard).
    """
    address = address.strip().replace("\\", "/")
    for written, meant in _SAME:
        address = address.replace(written, meant)
    try:
        where = urlsplit(address)
        joined = urljoin(urljoin(_ROOT + page, base), address)
    except ValueError:
        return Leads.AWAY, ""
    if where.scheme or where.netloc:
        return Leads.AWAY, ""
    path = unquote(urlsplit(joined).path)
    root = urlsplit(_ROOT).path
    if not _climbs_to(path, root):
        return Leads.OUT, ""
    return Leads.INSIDE, path[len(root) :]


def _climbs_to(path: str, root: str) -> bool:
    return path.startswith(root) and ".." not in path.split("/")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self.text: list[str] = []
        self.main: list[str] = []
        self.links: dict[str, None] = {}
        self.base = ""
        #: (element, whether its text is left out, whether it is the main part) of elements that matter, and those in them
        self._open: list[tuple[str, bool, bool]] = []
        self._silent = 0
        self._mains = 0
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._note(tag, given)
        if tag in _ALONE:
            return
        silent = tag in _SILENT or given.get("role") in ("navigation", "search")
        main = tag == "main" or given.get("role") == "main"
        if silent or main or (self._open and self._open[-1][0] == tag):
            self._open.append((tag, silent, main))
            self._silent += silent
            self._mains += main
        self._in_title = self._in_title or (tag == "title" and not self.title)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        if self._open and self._open[-1][0] == tag:
            _, silent, main = self._open.pop()
            self._silent -= silent
            self._mains -= main

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
        elif not self._silent:
            (self.main if self._mains else self.text).append(data)

    def _note(self, tag: str, given: dict[str, str]) -> None:
        if tag == "link" and not _FETCHED & set(given.get("rel", "").lower().split()):
            return
        for attribute, elements in _ADDRESSES.items():
            if tag in elements and attribute in given:
                for address in _written(attribute, given[attribute]):
                    self._add(tag, address)
        if tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            found = _REFRESH.match(given.get("content", ""))
            if found:
                self._add(tag, found[1])

    def _add(self, tag: str, address: str) -> None:
        if tag != "base":
            self.links[address] = None
        elif not self.base:
            self.base = address


def _written(attribute: str, value: str) -> Iterator[str]:
    if attribute != "srcset":
        yield value
        return
    for one in value.split(","):
        if words := one.split():
            yield words[0]

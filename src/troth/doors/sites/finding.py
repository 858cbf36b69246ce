"""What was found in one version, and what went wrong, for people and for programs."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from urllib.parse import quote

from troth.errors import TrothError
from troth.sites.search import BEGIN, END, Hit
from troth.sites.shelf import Shelf, Volume
from troth.versions.escaping import element
from troth.versions.pages import ASKING_POLICY, items, page


def found_as_json(shelf: Shelf, volume: Volume, question: str, hits: Sequence[Hit]) -> bytes:
    """The pages that were found, as JSON."""
    told = {
        "product": shelf.subject,
        "release": str(volume.number),
        "question": question,
        "found": [{**hit.as_dict(), "address": _address(shelf, volume.line, hit)} for hit in hits],
    }
    return json.dumps(told, ensure_ascii=False).encode()


def found_as_page(shelf: Shelf, volume: Volume, name: str, question: str, hits: Sequence[Hit]) -> bytes:
    """The pages that were found, as a page without script."""
    asked = html.escape(question)
    body = [
        element("h1", f"Search {shelf.subject} {name}"),
        '<form role="search">',
        f'<input type="hidden" name="version" value="{html.escape(name)}">',
        f'<input type="search" name="q" value="{asked}" aria-label="Search this version" autofocus> <button>Search</button>',
        "</form>",
        f'<p class="soft">Only {html.escape(name)} is searched. '
        f'<a href="{html.escape(shelf.root)}{quote(name)}/">Its first page</a></p>',
    ]
    for hit in hits:
        address = html.escape(_address(shelf, name, hit))
        body.append(f'<h2><a href="{address}">{html.escape(hit.title or hit.path)}</a></h2>')
        body.append(f"<p>{html.escape(hit.text).replace(BEGIN, '<mark>').replace(END, '</mark>')}</p>")
    if question and not hits:
        body.append(f"<p>No page has all of these words: {asked}</p>")
    return page(f"Search {shelf.subject} {name}", body, ASKING_POLICY).encode()


def contents_as_page(shelf: Shelf, name: str, files: Sequence[str]) -> bytes:
    """The files of documentation that has no first page."""
    rows = [f'<a href="{html.escape(quote(path))}">{html.escape(path)}</a>' for path in files]
    title = f"{shelf.subject} {name}"
    return page(
        title, [element("h1", title), element("p", "It has no first page, but:", "soft"), *items(rows)]
    ).encode()


def wrong_as_page(error: TrothError) -> bytes:
    """An error for who reads."""
    body = [element("h1", error.what)]
    body += [element("p", words[:1].upper() + words[1:] + ".", "soft") for words in (error.why, error.repair) if words]
    return page(error.what, body).encode()


def _address(shelf: Shelf, name: str, hit: Hit) -> str:
    folder, _, last = hit.path.rpartition("/")
    path = f"{folder}/" * bool(folder) if last == "index.html" else hit.path
    return f"{shelf.root}{name}/{quote(path)}"

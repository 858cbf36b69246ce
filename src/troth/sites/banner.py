"""The banner on a page of documentation: which version this is, which is current, and the same page in the others.

It has no script, and lies in a shadow tree, so that neither its style nor the page's reaches the other. No I/O.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

#: bytes at the beginning of a page in which the place for it is looked for
HEAD: Final = 256 << 10
#: tags and comments before the body; a page with more has none that is looked for
_MOST: Final = 2000
#: what begins with `<` and is no text
_NAME: Final = re.compile(rb"<(/?[a-zA-Z][^\s/>]*|[!?][^\s>]*)")
#: a tag to its end: a quotation mark counts where a value begins
_TAG: Final = re.compile(rb"""<(?:[^>=]++|=\s*+"[^"]*+"|=\s*+'[^']*+'|=)*+>""")
_COMMENT_END: Final = re.compile(rb"--!?>")
#: by element that holds no tags, what ends it
_CLOSING: Final = {
    name: re.compile(rb"</" + name + rb"[\s/>]", re.IGNORECASE)
    for name in (b"script", b"style", b"title", b"textarea", b"noscript", b"xmp", b"iframe", b"noembed", b"noframes")
}

_STYLE: Final = """
:host{all:initial;display:block;color-scheme:light dark;position:relative;z-index:2147483000}
.b{--ink:#1c2330;--paper:#eef2f8;--line:#c9d2e0;--link:#0b57a4;--field:#fff;display:flex;flex-wrap:wrap;gap:.35rem .9rem;
align-items:center;padding:.45rem 1rem;font:14px/1.4 system-ui,sans-serif;color:var(--ink);background:var(--paper);
border-bottom:1px solid var(--line)}
.old{--paper:#fff3d6;--line:#e2c27a}.yanked{--paper:#fde3e0;--line:#e0a19a}
@media(prefers-color-scheme:dark){.b{--ink:#e5e9f0;--paper:#1f2633;--line:#3a4557;--link:#8fc1ff;--field:#141a24}
.old{--paper:#3a2e12;--line:#6b5420}.yanked{--paper:#46201d;--line:#7d3a35}}
p{margin:0;flex:1 1 18rem}a{color:var(--link)}strong{font-weight:600}
details{position:relative}summary{cursor:pointer;padding:.15rem .5rem;border:1px solid var(--line);border-radius:.3rem;
background:var(--field)}
ul{position:absolute;right:0;top:calc(100% + .25rem);margin:0;padding:.3rem 0;list-style:none;min-width:13rem;max-width:92vw;
max-height:60vh;overflow:auto;background:var(--field);border:1px solid var(--line);border-radius:.3rem;
box-shadow:0 4px 16px rgba(0,0,0,.25)}
li a,li span{display:block;padding:.25rem .8rem;text-decoration:none;white-space:nowrap}li a:hover,li a:focus{text-decoration:underline}
small{opacity:.75;font-size:12px}
form{display:flex}input{font:inherit;width:9rem;padding:.15rem .4rem;color:var(--ink);background:var(--field);
border:1px solid var(--line);border-radius:.3rem}
@media print{:host{display:none}}
@media(max-width:36rem){ul{right:auto;left:0}}
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """A version to go to: its name, where this page is there, whether it is this page, and what to know of it."""

    name: str
    address: str
    same_page: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What the banner of one page says."""

    reading: str
    current: Choice | None
    #: whether the version is older than the current one, and why it was yanked
    old: bool
    yanked: str | None
    choices: Sequence[Choice]
    search: str


def banner(view: View) -> bytes:
    """The banner as HTML, in ASCII, so that it fits a page of any encoding that begins with ASCII."""
    kind = "yanked" if view.yanked is not None else "old" if view.old else "fine"
    inner = "".join(
        [
            f"<style>{_STYLE}</style>",
            f'<div class="b {kind}" role="region" aria-label="Version of this documentation">',
            f"<p>{_sentence(view)}</p>",
            _picker(view),
            f'<form action="{html.escape(view.search)}" role="search">',
            f'<input type="hidden" name="version" value="{html.escape(view.reading)}">',
            f'<input type="search" name="q" placeholder="Search {html.escape(view.reading)}" aria-label="Search this version">',
            "</form></div>",
        ]
    )
    return f'<troth-version><template shadowrootmode="open">{inner}</template></troth-version>'.encode(
        "ascii", "xmlcharrefreplace"
    )


def place(head: bytes) -> int | None:
    """Where in a page its body begins, from its first bytes; None where nothing in ASCII can be put there."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or head[:64].lstrip().startswith(b"<?xml"):
        return None  # UTF-16; or XML, where a name of ours would need its name space
    found, end = 0, 0
    for _ in range(_MOST):
        at = head.find(b"<", end)
        if at < 0:
            break
        begun = _NAME.match(head, at)
        name = begun[1].lower() if begun else b""
        behind = _end(head, at, name)
        if behind is None:
            break
        end = behind
        if name == b"body":
            return end
        if name in (b"!doctype", b"/head"):
            found = end
    return found


def _end(head: bytes, at: int, name: bytes) -> int | None:
    """Behind the tag, declaration, comment or text of a script that begins at `at`; None where its end is not there.

    What does not end, ends the search: so no byte is looked at more than a few times, whatever strangers write.
    """
    if name.startswith(b"!--"):
        found = _COMMENT_END.search(head, at + 2)
        return found.end() if found else None
    if not name:
        return at + 1
    tag = _TAG.match(head, at)
    if tag is None or name not in _CLOSING:
        return tag.end() if tag else None
    closing = _CLOSING[name].search(head, tag.end())
    return closing.start() if closing else None


def _sentence(view: View) -> str:
    reading = f"You read <strong>{html.escape(view.reading)}</strong>"
    if view.yanked is not None:
        reading += f", which was yanked: {html.escape(view.yanked[:300])}"
    if view.current is None:
        return f"{reading}."
    name = html.escape(view.current.name)
    if view.current.name == view.reading and view.yanked is None:
        return f"{reading}, the current version."
    if not view.old and view.yanked is None:
        reading += ", which is newer"
    there = "this page there" if view.current.same_page else "its first page, for this one is not there"
    return f'{reading}; <strong>{name}</strong> is current: <a href="{html.escape(view.current.address)}">{there}</a>.'


def _picker(view: View) -> str:
    rows = "".join(f"<li>{_choice(one, view.reading)}</li>" for one in view.choices)
    return f"<details><summary>Version {html.escape(view.reading)}</summary><ul>{rows}</ul></details>"


def _choice(one: Choice, reading: str) -> str:
    notes = [note for note in (one.note, "" if one.same_page else "first page") if note]
    told = f" <small>{html.escape(', '.join(notes))}</small>" if notes else ""
    if one.name == reading:
        return f'<span aria-current="page"><strong>{html.escape(one.name)}</strong>{told}</span>'
    return f'<a href="{html.escape(one.address)}">{html.escape(one.name)}{told}</a>'

"""A page of HTML that stands alone: no script, nothing fetched, light or dark as its reader has it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from troth.versions.escaping import element

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #566074; --paper: #fff; --line: #d8dde6; --good: #146c3c;
  --bad: #b3261e; --open: #8a5a00; --code: #f2f4f8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e5e9f0; --soft: #a3adbf; --paper: #14181f; --line: #343c4a;
  --good: #6fce97; --bad: #ff8b82; --open: #f0bc5e; --code: #1f2530; } }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h1.good, strong.good { color: var(--good); } h1.bad, strong.bad { color: var(--bad); }
h1.open, strong.open { color: var(--open); }
h2 { font-size: 1.1rem; margin: 1.75rem 0 .5rem; }
p { margin: .25rem 0; } p.soft { color: var(--soft); }
ul { margin: .25rem 0; padding-left: 1.25rem; } li { overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td { overflow-wrap: anywhere; min-width: 6rem; }
mark { background: none; color: inherit; font-weight: 700; text-decoration: underline; }
code { background: var(--code); border-radius: .25rem; padding: .1rem .3rem; font: .85em ui-monospace, monospace; }
"""
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
#: What a browser may do with such a page: use its one style, and nothing else.
SECURITY_POLICY: Final = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"


#: The same for a page that asks something of the server it came from.
ASKING_POLICY: Final = SECURITY_POLICY.replace("form-action 'none'", "form-action 'self'").replace(
    "sandbox", "sandbox allow-forms"
)


def page(title: str, body: Iterable[str], policy: str = SECURITY_POLICY) -> str:
    """A whole document with this title; `body` is HTML. `policy` is that of its header."""
    policy = policy.partition("; frame-ancestors")[0]  # a header alone can say the rest
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            element("title", title),
            f"<style>{_STYLE}</style>",
            "<main>",
            *body,
            "</main>",
            "</html>",
            "",
        ]
    )


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table; its cells are HTML already. Nothing where there are no rows."""
    lines = [f"<tr>{''.join(f'<td>{one}</td>' for one in row)}</tr>" for row in rows]
    if not lines:
        return []
    head = "".join(element("th", heading) for heading in headings)
    return [f'<div class="wide"><table><thead><tr>{head}</tr></thead>', "<tbody>", *lines, "</tbody></table></div>"]


def items(lines: Iterable[str]) -> list[str]:
    """A list; its items are HTML already. Nothing where there are none."""
    found = [f"<li>{line}</li>" for line in lines]
    return ["<ul>", *found, "</ul>"] if found else []

"""The plan of an upgrade as a page of HTML, with its way drawn. No script, nothing fetched."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from troth.contracts.upgrades.jumps import FAILED, NOTHING, PROVED
from troth.contracts.upgrades.rendering import advice, headline, sections
from troth.versions.escaping import element
from troth.versions.pages import page

Told = Mapping[str, Any]
#: releases that are drawn one by one; of more, those between two stops are one mark
_MOST: Final = 24
_STEP, _LEFT, _HEIGHT, _MIDDLE = 96, 48, 150, 96
_DASHES: Final = {PROVED: "", NOTHING: "", FAILED: ' stroke-dasharray="2 6"'}


def as_page(told: Told) -> str:
    """A whole document."""
    body = [element("h1", headline(told)), element("p", advice(told), "soft")]
    if told["jumps"]:
        body += ['<div class="wide">', *drawing(told), "</div>"]
    body += _listed("Look at this", told["warnings"])
    for title, lines in sections(told):
        body += _listed(title, lines)
    return page(headline(told), body)


def drawing(told: Told) -> Iterator[str]:
    """The way as SVG: every release a mark, every jump an arc, full where its migrations were run."""
    marks = list(_marks(told))
    places = {number: place for place, (number, _) in enumerate(marks)}
    width = 2 * _LEFT + _STEP * (len(marks) - 1)
    title = html.escape(headline(told))
    yield f'<svg viewBox="0 0 {width} {_HEIGHT}" width="{width}" height="{_HEIGHT}" role="img" aria-label="{title}">'
    yield f"<title>{title}</title>"
    yield f'<line x1="{_LEFT}" y1="{_MIDDLE}" x2="{width - _LEFT}" y2="{_MIDDLE}" stroke="currentColor" stroke-opacity=".3"/>'
    for jump in told["jumps"]:
        yield from _arc(jump, _x(places[jump["from"]]), _x(places[jump["to"]]))
    ends = {one for jump in told["jumps"] for one in (jump["from"], jump["to"])}
    for place, (number, label) in enumerate(marks):
        fill = "currentColor" if number in ends else "none"
        x = _x(place)
        yield f'<circle cx="{x}" cy="{_MIDDLE}" r="6" fill="{fill}" stroke="currentColor"/>'
        yield _words(x, _MIDDLE + 28, label, "bold" if number in ends else "normal")
    yield "</svg>"


def _marks(told: Told) -> Iterator[tuple[str, str]]:
    """(number, label) of each mark: of many releases those that are stopped at, and how many lie between."""
    stops = {told["from"], told["to"], *told["stops"]}
    numbers = [told["from"], *(one["number"] for one in told["releases"])]
    if len(numbers) <= _MOST:
        yield from ((number, number) for number in numbers)
        return
    passed: list[str] = []
    for number in numbers:
        if number not in stops:
            passed.append(number)
            continue
        if passed:
            yield passed[0], f"{len(passed)} more"
            passed = []
        yield number, number


def _arc(jump: Told, start: int, end: int) -> Iterator[str]:
    dashes = _DASHES.get(jump["standing"], ' stroke-dasharray="7 5"')
    height = min(_MIDDLE - 30, 22 + (end - start) // 6)
    top = _MIDDLE - 10 - height
    path = f"M {start} {_MIDDLE - 8} Q {(start + end) // 2} {top - height // 3} {end} {_MIDDLE - 8}"
    yield f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="2"{dashes}/>'
    yield _words((start + end) // 2, max(14, top + height // 3 - 8), str(jump["standing"]), "normal")


def _words(x: int, y: int, text: str, weight: str) -> str:
    said = html.escape(text)
    return f'<text x="{x}" y="{y}" font-size="12" font-weight="{weight}" text-anchor="middle" fill="currentColor">{said}</text>'


def _x(place: int) -> int:
    return _LEFT + _STEP * place


def _listed(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    return [element("h2", title), "<ul>", *(element("li", line) for line in lines), "</ul>"]

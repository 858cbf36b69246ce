"""The waivers that a change in a history names: what they are for, and whether they hold, as far as the history says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from troth.contracts.histories.reading import Event
from troth.versions.lifecycles.subject import Asked
from troth.versions.waivers import TEXTS, WAIVABLE, Considered, Waiver

KIND = "api"


def waivers_of(event: Event, asked: Asked, api: str) -> tuple[Considered, ...]:
    """Each waiver that the event names, with why it cannot hold. Raises Malformed for one in a wrong form.

    A history cannot prove a signature, so what it tells of a waiver is believed as the rest of it is.
    """
    return tuple(_waivers(event, asked, api))


def _waivers(event: Event, asked: Asked, api: str) -> Iterator[Considered]:
    for position, told in enumerate(event.listed("waivers"), 1):
        if not isinstance(told, dict):
            raise event.wrong(f"waiver {position} is {type(told).__name__}", "write {clauses, reason, approved_by}")
        texts = {name: _text(event, told, name) for name in TEXTS}
        texts["id"] = texts["id"] or f"{event.identity}.{position}"
        texts["subject"], texts["number"] = texts["subject"] or api, texts["number"] or asked.numbered
        waiver = Waiver(clauses=tuple(_clauses(event, told)), kind=_text(event, told, "kind") or KIND, **texts)
        yield Considered(waiver, _fault(waiver, api, event.text("date"), _text(event, told, "revoked_at")))


def _fault(waiver: Waiver, api: str, day: str, revoked_at: str) -> str:
    if waiver.kind != KIND or api not in (waiver.subject, waiver.subject.partition("/")[2]):
        return f"it is for the {waiver.kind} {waiver.subject}, and not for {api}"
    if beyond := [one for one in waiver.clauses if one not in WAIVABLE[KIND]]:
        return f"{beyond[0]} cannot be waived; of an API {', '.join(WAIVABLE[KIND])} can"
    if not waiver.approved_by.strip() or not waiver.reason.strip():
        return f"nobody {'approved it' if waiver.reason.strip() else 'said why'}"
    if day and waiver.approved_at[:10] > day[:10]:
        return f"it was approved at {waiver.approved_at}, behind the change"
    if revoked_at and (not day or revoked_at[:10] <= day[:10]):
        return f"it was revoked at {revoked_at}"
    if day and waiver.expires_at and waiver.expires_at[:10] < day[:10]:
        return f"it expired at {waiver.expires_at}"
    return ""


def _clauses(event: Event, told: Mapping[str, Any]) -> list[str]:
    found = told.get("clauses")
    listed = [str(one) for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)]
    if not listed or (isinstance(found, list) and len(listed) < len(found)):
        raise event.wrong("a waiver names no clauses", "write clauses: [PDB-21]")
    return listed


def _text(event: Event, told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise event.wrong(f"{name} of a waiver is {type(value).__name__}", f"write {name} as text")
    return value

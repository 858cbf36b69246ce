"""Verdicts on moves, and the states of an API, in words: all made of their JSON forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from troth.versions.releases.rendering import waiver_lines

Told = Mapping[str, Any]
#: how a sentence on an outcome ends
ENDINGS = {"allowed": "is allowed", "refused": "is refused", "not-regulated": "needs a decision"}


def headline(told: Told) -> str:
    """The verdict on a move in a sentence."""
    subject = f"{told['move']} {told['version']} in {told['release']}"
    if not told["judged"]:
        return f"{subject} lies before the starting point, and is not judged"
    by = " by a waiver" if told["outcome"] == "allowed" and told.get("waived") else ""
    return f"{subject} {ENDINGS[told['outcome']]}{by}"


def verdict_lines(told: Told) -> Iterator[str]:
    """What stands below the headline: objections, what it leads to, what is to be decided, what helps."""
    for one in told["objections"]:
        yield f"{', '.join([one['clause'], *one.get('also', ())])}: {one['text']}"
    yield from waiver_lines(told)
    if told["outcome"] == "allowed":
        yield from (f"{version} is {state}" for version, state in told["effects"].items())
        yield from (_change(one) for one in told["changes"][:20])
    yield from (f"not regulated: {one['question']}" for one in told["not_regulated"])
    yield from (f"decided: {one}" for one in told["decided"])
    yield from (f"note: {one}" for one in told["warnings"])
    if told["outcome"] != "allowed":
        yield from dict.fromkeys(f"help: {one['repair']}" for one in told["objections"])


def states_line(version: Told) -> str:
    """A version of a state table in a line."""
    words = [version["state"]]
    if version.get("since"):
        words.append(f"since {version['since']}")
    if version.get("retires_in") and version["state"] == "deprecated":
        words.append(f"gone in {version['retires_in']}")
    if version.get("sunset"):
        words.append(f"sunset {version['sunset'][:10]}")
    if version.get("successor"):
        words.append(f"use v{version['successor']}")
    if version.get("dropped_in"):
        words.append(f"dropped in {version['dropped_in']}")
    return ", ".join(words)


def _change(told: Told) -> str:
    where = f"{told['where']}: " if "where" in told else ""
    return f"{told['weight']}: {where}{told['words']}"

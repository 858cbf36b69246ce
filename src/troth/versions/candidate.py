"""What somebody asks to publish, and the form of a rule that looks at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from troth.versions.evidence import NOTHING_JUDGED, Judged
from troth.versions.history import History, Readings
from troth.versions.numbers import Number
from troth.versions.permissions import Permissions
from troth.versions.verdict import Finding, Outcome
from troth.versions.waivers import Considered


@dataclass(frozen=True, slots=True)
class Candidate:
    """What somebody asks to publish, and what was found out about it."""

    number: Number
    permissions: Permissions
    judged: Judged = NOTHING_JUDGED
    #: whether a change of permissions is meant
    confirmed: bool = False
    #: waivers that somebody may mean for it
    waivers: tuple[Considered, ...] = ()


Handler = Callable[[Candidate, History, Readings], Finding | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: the clause it keeps, its purpose in a sentence, what an objection means, and the check.

    `comparing` rules judge contracts; an operator may have them said instead of enforced, and a waiver may excuse them.
    """

    clause: str
    purpose: str
    objection: Outcome
    handler: Handler
    comparing: bool = False

"""Waivers: signed, expiring and visible permissions to publish one commit under one number that clauses forbid.

Only what compares can be waived. Who a version is, what it is called and who may reach it cannot. Signing and the clock
are others' business: here a waiver is a value, and whether it holds is a question with reasons.

The kinds of subjects are the keys of `WAIVABLE`. A further kind needs a row there, rules that say `comparing`, and the
waivers that name it (`troth.commands.excusing`) in its candidate; the document, its signature and its storage know no kinds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from troth.errors import Malformed

#: Clauses that may be waived, by the kind of subject that they are about.
WAIVABLE: Mapping[str, tuple[str, ...]] = {
    "algorithm": ("ALG-05", "ALG-07", "ALG-09", "ALG-11"),
    "product": ("PDB-05", "PDB-19", "PLX-05", "PLX-07", "PLX-08", "PLX-18"),
    "api": ("PDB-19", "PDB-21", "PDB-29"),
    "line": ("ALG-11",),
}
#: What each kind of subject calls the source that a waiver is for.
SOURCES: Mapping[str, str] = {"algorithm": "build", "product": "commit", "api": "change", "line": "retirement"}
#: Days that a waiver may be open for at most.
LONGEST_DAYS = 366
#: the document of an algorithm's waiver, which names no kind, and that of all others
_FIRST_FORM, _FORM = "troth-waiver-1", "troth-waiver-2"
#: Members of a waiver that are text, but for its signature and kind.
TEXTS = (
    "id",
    "subject",
    "number",
    "hash",
    "reason",
    "requested_by",
    "approved_by",
    "approved_at",
    "expires_at",
    "key",
)


@dataclass(frozen=True, slots=True)
class Waiver:
    """What was approved, by whom, for what and until when.

    `hash` is the build, commit or change that it is for (`SOURCES`), and `key` the key of the server that signed it.
    """

    id: str
    subject: str
    number: str
    hash: str
    clauses: tuple[str, ...]
    reason: str
    requested_by: str
    approved_by: str
    approved_at: str
    expires_at: str
    key: str
    signature: str = ""
    #: the kind of its subject, a key of `WAIVABLE`
    kind: str = "algorithm"

    def statement(self) -> bytes:
        """The bytes that are signed: everything but the signature, as JSON with sorted names and without spaces."""
        told = self.as_dict()
        del told["signature"]
        return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    def as_dict(self) -> dict[str, Any]:
        """The document: in the first form for an algorithm, in the second for every other kind."""
        told = {**asdict(self), "clauses": list(self.clauses), "form": _FORM}
        if self.kind == "algorithm":
            del told["kind"]
            told |= {"algorithm": told.pop("subject"), "form": _FIRST_FORM}
        return told

    @classmethod
    def from_dict(cls, told: Any) -> Waiver:
        """The waiver that `as_dict` told of; what else is beside it is left out. Raises Malformed."""
        if not isinstance(told, dict) or told.get("form") not in (_FIRST_FORM, _FORM):
            raise _malformed(f"it has no form {_FIRST_FORM!r} or {_FORM!r}")
        if told["form"] == _FIRST_FORM:
            told = {**told, "kind": "algorithm", "subject": told.get("algorithm")}
        elif told.get("kind") not in WAIVABLE or told["kind"] == "algorithm":
            raise _malformed("it is for no kind of subject that this version of troth knows")
        clauses = told.get("clauses")
        if not isinstance(clauses, list) or not all(isinstance(one, str) for one in clauses):
            raise _malformed("its clauses are no list of ids")
        texts: dict[str, str] = {}
        for name in (*TEXTS, "signature", "kind"):
            if not isinstance(told.get(name), str):
                raise _malformed(f"its {name} is no text")
            texts[name] = told[name]
        return cls(clauses=tuple(clauses), **texts)

    @property
    def self_approved(self) -> bool:
        """Whether nobody else looked at it: its owner is alone."""
        return self.approved_by == self.requested_by


@dataclass(frozen=True, slots=True)
class Considered:
    """A waiver that somebody may mean for a publication, and why it cannot hold for any number; empty where it can."""

    waiver: Waiver
    fault: str = ""

    def why_not(self, number: object) -> str:
        """Why it does not hold for this number, as text or as a value whose text it is; empty where it does."""
        # metadata of a build counts for nothing in a number (SemVer 10)
        if not self.fault and str(number).partition("+")[0] != self.waiver.number:
            return f"it is for {self.waiver.number}, and not for {number}"
        return self.fault

    def excuses(self, clause: str, number: object) -> bool:
        """Whether an objection by this clause is waived."""
        return clause in self.waiver.clauses and not self.why_not(number)

    def as_dict(self, number: object) -> dict[str, Any]:
        """As JSON, with whether it holds for this number, and why not."""
        why = self.why_not(number)
        return {**self.waiver.as_dict(), "holds": not why, "why": why}


def considered(waiver: Waiver, commit: str, moment: str, *, authentic: bool, revoked_at: str | None) -> Considered:
    """The waiver, held against a commit and the present moment. `authentic` says that its signature fits."""
    if not authentic:
        return Considered(waiver, "its signature does not fit what it says")
    if revoked_at is not None:
        return Considered(waiver, f"it was revoked at {revoked_at}")
    if waiver.expires_at <= moment:
        return Considered(waiver, f"it expired at {waiver.expires_at}")
    if waiver.hash != commit:
        return Considered(waiver, f"it is for the {SOURCES[waiver.kind]} {waiver.hash[:12]}, and not for {commit[:12]}")
    return Considered(waiver)


def _malformed(why: str) -> Malformed:
    return Malformed("that is no waiver", why=why, repair="troth waiver show ID --json prints one as it was signed")

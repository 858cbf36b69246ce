"""From a reference and a caller to one version, with the reasons (ALG-12 to ALG-26).

Pure: it is given what is known of the algorithm. The routing table of the call path answers the same question by
look-ups and shares no code with this; tests hold the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from troth.errors import NotFound
from troth.versions.history import DEFAULT_READINGS, BuildStatus, History, Published, Readings
from troth.versions.numbers import Number
from troth.versions.references import Form, Reference


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of a resolution: what was decided and the clause that decided it."""

    clause: str
    text: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a reference means to a caller.

    `hash` is the commit that would run; without one the reference does not resolve, and `reasons` say why to those
    who may know that the algorithm exists. `number` is absent for a version addressed by its hash.
    """

    reference: Reference
    reasons: tuple[Reason, ...]
    number: Number | None = None
    hash: str = ""
    advice: tuple[Reason, ...] = field(default=())
    #: whether everybody may know why it does not resolve
    public: bool = False

    @property
    def resolved(self) -> bool:
        return bool(self.hash)

    @property
    def version(self) -> str:
        """The exact version: its number, or the hash when it was asked by hash (ALG-23: the algorithm version hash)."""
        return str(self.number) if self.number else self.hash

    def as_dict(self) -> dict[str, Any]:
        return {
            "reference": str(self.reference),
            "form": self.reference.form.value,
            "resolved": self.resolved,
            "version": self.version or None,
            "hash": self.hash or None,
            "reasons": [{"clause": reason.clause, "text": reason.text} for reason in self.reasons],
            "advice": [{"clause": reason.clause, "text": reason.text} for reason in self.advice],
        }


def not_found(reference: Reference) -> NotFound:
    """What everybody hears who may not know whether the thing exists: no clause, one wording (ALG-25)."""
    return NotFound(
        f"algorithm algo://{reference} not found",
        repair="look at its spelling; what is private is found by members of its owner only",
        asked=str(reference),
    )


def resolve(
    reference: Reference, history: History | None, *, member: bool, readings: Readings = DEFAULT_READINGS
) -> Resolution:
    """The version that `reference` names for a caller.

    `history` is None for an algorithm that does not exist; `member` tells whether the caller is its owner or belongs
    to the organisation that is, at the time of the question (ALG-26). Raises NotFound where the caller may not know
    more than that (ALG-25).
    """
    if history is None:
        raise not_found(reference)
    resolution = _FORMS[reference.form](reference, history, member, readings)
    if not member and not resolution.resolved and not resolution.public:
        raise not_found(reference)
    return resolution


def _exact(reference: Reference, history: History, member: bool, readings: Readings) -> Resolution:
    found = next((v for v in history.versions if v.number == reference.number), None)
    if found is None:
        return _refusal(reference, "ALG-13", f"{reference.version} was never published, and nothing runs in its place")
    if not found.permissions.public and not member:
        return _refusal(reference, "ALG-25", "a private version is reachable by members of its owner only")
    steps = [Reason("ALG-13", f"a complete number runs exactly that version: {found.number}")]
    if not found.permissions.public:
        steps.append(Reason("ALG-25", "it is private, and you are a member of its owner"))
    return _answer(reference, found, steps)


def _minor_line(reference: Reference, history: History, member: bool, readings: Readings) -> Resolution:
    major, minor = reference.line
    public = [v for v in history.minor_line(major, minor) if v.permissions.public and v.floats]
    line = f"{major}.{minor}"
    if not public and any(v.floats for v in history.minor_line(major, minor)):
        return _refusal(
            reference,
            "ALG-18",
            f"{line} has private versions only, and a line is never resolved to a private version;"
            " use the complete number or latestPrivate",
        )
    if not public:
        return _refusal(reference, "ALG-15", f"no version of {line} was published publicly")
    if major in history.stopped:
        return _stopped(reference, line, major)
    step = Reason(
        "ALG-15", f"{line} means its newest publicly published revision, for every caller alike: {public[-1].number}"
    )
    return _answer(reference, public[-1], [step], _trust("ALG-17"))


def _major_line(reference: Reference, history: History, member: bool, readings: Readings) -> Resolution:
    (major,) = reference.line
    public = [v for v in history.major_line(major) if v.permissions.public and v.floats]
    if not public:
        return _refusal(reference, "ALG-19", f"no version of {major}.* was published publicly")
    if major in history.stopped:
        return _stopped(reference, f"{major}.*", major)
    step = Reason("ALG-12", f"{major}.* means the highest public version of that major: {public[-1].number}")
    return _answer(reference, public[-1], [step], _trust("ALG-17"))


def _latest(reference: Reference, history: History, member: bool, readings: Readings) -> Resolution:
    floating = [v for v in history.versions if v.floats]
    public = sorted((v for v in floating if v.permissions.public), key=lambda v: v.number)
    if not public:
        extra = "; its private versions answer to complete numbers and latestPrivate" if floating else ""
        return _refusal(reference, "ALG-19", f"no version was published publicly{extra}")
    said = "latest" if reference.version else "no version at all"
    step = Reason("ALG-19", f"{said} means the highest public version, not the last in time: {public[-1].number}")
    return _answer(reference, public[-1], [step], _trust("ALG-20"))


def _latest_private(reference: Reference, history: History, member: bool, readings: Readings) -> Resolution:
    if not member:
        return _refusal(reference, "ALG-21", "latestPrivate is for members of the owner")
    floating = [v for v in history.versions if v.floats]
    private = sorted((v for v in floating if not v.permissions.public), key=lambda v: v.number)
    if not private:
        return _refusal(reference, "ALG-21", "no version was published privately")
    if readings.latest_private == "only-private" and len(private) < len(floating):
        return _refusal(
            reference, "ALG-21", "this server gives latestPrivate only to algorithms without public versions (N6)"
        )
    step = Reason("ALG-21", f"latestPrivate means the highest private version, for members alone: {private[-1].number}")
    return _answer(reference, private[-1], [step])


def _hash(reference: Reference, history: History, member: bool, readings: Readings) -> Resolution:
    if not member:
        return _refusal(reference, "ALG-22", "a version hash is for members of the owner")
    build = next((b for b in history.builds if b.hash == reference.hash), None)
    if build is None:
        return _refusal(reference, "ALG-22", "no build of this algorithm has that hash")
    if build.status is not BuildStatus.SUCCEEDED:
        return _refusal(
            reference, "ALG-22", f"the build of that hash is {build.status}, and only a successful one is a version"
        )
    step = Reason("ALG-22", "the full hash of a successful build is a version, for members of the owner")
    return Resolution(
        reference, (step,), hash=build.hash, advice=(Reason("ALG-23", "meant for testing during development"),)
    )


_FORMS = {
    Form.EXACT: _exact,
    Form.MINOR_LINE: _minor_line,
    Form.MAJOR_LINE: _major_line,
    Form.LATEST: _latest,
    Form.LATEST_PRIVATE: _latest_private,
    Form.HASH: _hash,
}

_PIN = Reason("ALG-14", "in production use the complete number, so that no later publication can touch the application")
_ADVICE = {
    "ALG-17": "this form suits callers who want fixes without asking and trust the author to stay compatible",
    "ALG-20": "this form suits tests, experiments and people who maintain both sides",
}


def _trust(clause: str) -> tuple[Reason, ...]:
    return (Reason(clause, _ADVICE[clause]), _PIN)


def _answer(
    reference: Reference, found: Published, reasons: list[Reason], advice: tuple[Reason, ...] = ()
) -> Resolution:
    return Resolution(reference, tuple(reasons), found.number, found.hash, advice)


def _stopped(reference: Reference, said: str, major: int) -> Resolution:
    text = f"the line {major} is retired, and {said} leads nowhere any more; its complete numbers run on"
    return Resolution(reference, (Reason("ALG-13", text),), public=True)


def _refusal(reference: Reference, clause: str, text: str) -> Resolution:
    return Resolution(reference, (Reason(clause, text),))

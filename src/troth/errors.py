"""Every error that troth raises on purpose, in one tree.

    TrothError                      code                     HTTP  exit
    |- Malformed                    malformed                 400   2    the question itself is wrong
    |  |- MalformedReference        malformed-reference       400   2    (ALG-12)
    |  |- MalformedName             malformed-name            400   2
    |  |- MalformedPayload          malformed-payload         400   2    (the command's wire format)
    |  |- MalformedSchema           malformed-schema          400   2    (a JSON Schema that cannot be compared)
    |  |- MalformedSource           malformed-source          400   2    (a folder that cannot be published)
    |  |- MalformedSetting          malformed-setting         400   2
    |  `- TooLarge                  too-large                 413   2
    |     `- QuotaReached           quota-reached             413   2    (data that an account may keep)
    |- Refused                      refused                   409   3    a clause forbids it
    |  |- MalformedNumber           malformed-number          409   3    (ALG-01)
    |  |- SourceAltered             source-altered            409   3    (ALG-04)
    |  |- EnvironmentAltered        environment-altered       409   3
    |  |- UuidReused                uuid-reused               409   3
    |  |- NameTaken                 name-taken                409   3
    |  |- NewerRegistry             newer-registry            409   3    (a later release has upgraded it)
    |  |- LastAdmin                 last-admin                409   3
    |  |- Forbidden                 forbidden                 403   3    permission is missing
    |  `- Unauthenticated           unauthenticated           401   3    no valid key
    |- NotFound                     not-found                 404   4
    |  `- Gone                      gone                      410   4    (PDB-38)
    |- Unavailable                  unavailable               503   5
    |  |- Overloaded                overloaded                503   5
    |  |  |- QueueFull              queue-full                503   5
    |  |  |- QueueDeadline          queue-deadline            503   5
    |  |  `- RateLimited            rate-limited              429   5
    |  |- ParentEnded               parent-ended              503   5    (a call made within another)
    |  |- BrownedOut                browned-out               503   5    (a rehearsal of a retirement)
    |  |- UpstreamFailed            upstream-failed           502   5    (what the gateway hands on to)
    |  |- UpstreamTimeout           upstream-timeout          504   5
    |  |- IsolationUnavailable      isolation-unavailable     503   5
    |  |- EnvironmentUnavailable    environment-unavailable   503   5    (libraries for another machine)
    |  `- ServerUnreachable         server-unreachable        503   5
    `- Failed                       failed                    500   1
       |- BuildFailed               build-failed              422   1
       |- JournalBroken             journal-broken            500   1
       |- StoryBroken               story-broken              500   1    (the demonstration)
       `- CallFailed                call-failed               400   1    an algorithm's answer is an error

An error says what happened, why (with the clauses that decided) and what would repair it. It is data: text
(`troth.doors.cli`), RFC 9457 problem details (`troth.doors.native`) and Algorithmia's shapes
(`troth.doors.algorithmia`) are renderings of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar


class TrothError(Exception):
    """Something went wrong that troth foresaw."""

    code: ClassVar[str] = "failed"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        why: str = "",
        repair: str = "",
        clauses: Sequence[str] = (),
        asked: Any = None,
        found: Any = None,
        least: str | None = None,
        verdict: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.repair = repair
        self.clauses = tuple(clauses)
        self.asked = asked
        self.found = found
        self.least = least
        #: what the policy said of a candidate, whole
        self.verdict = verdict

    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]
        """Makes a traceback, in a notebook or a log, tell as much as the command line (PEP 678). Most errors never have one printed."""
        named = "".join(f"[{clause}] " for clause in self.clauses if clause not in self.why)
        why = [f"  why: {named}{self.why}".rstrip()] if self.why or named else []
        return why + ([f" help: {self.repair}"] if self.repair else [])

    def as_problem(self) -> dict[str, Any]:
        """The error as RFC 9457 problem details with troth's own members."""
        return {
            "type": f"urn:troth:error:{self.code}",
            "title": (type(self).__doc__ or "").strip().splitlines()[0].rstrip("."),
            "status": self.status,
            "code": self.code,
            "detail": self.what,
            "why": self.why,
            "repair": self.repair,
            "clauses": list(self.clauses),
            "asked": self.asked,
            "found": self.found,
            "least": self.least,
            "verdict": self.verdict,
        }

    @staticmethod
    def from_problem(problem: dict[str, Any], status: int = 500) -> TrothError:
        """The same error again, on the side of a client that received `problem`."""
        kind = BY_CODE.get(str(problem.get("code")), Failed)
        return kind(
            str(problem.get("detail") or problem.get("title") or f"the server answered {status}"),
            why=str(problem.get("why") or ""),
            repair=str(problem.get("repair") or ""),
            clauses=[str(clause) for clause in problem.get("clauses") or ()],
            asked=problem.get("asked"),
            found=problem.get("found"),
            least=problem.get("least"),
            verdict=problem.get("verdict"),
        )


class Malformed(TrothError):
    """The question itself is wrong."""

    code, status, exit_code = "malformed", 400, 2


class MalformedReference(Malformed):
    """A reference is not of a form that troth knows."""

    code = "malformed-reference"


class MalformedName(Malformed):
    """A name is not one that an account or an algorithm may have."""

    code = "malformed-name"


class MalformedPayload(Malformed):
    """A payload does not fit the wire format of its command."""

    code = "malformed-payload"


class MalformedSchema(Malformed):
    """A JSON Schema is not one that can be compared."""

    code = "malformed-schema"


class MalformedSource(Malformed):
    """A folder or an upload is not one that can be published."""

    code = "malformed-source"


class MalformedSetting(Malformed):
    """A setting has a value that it cannot have."""

    code = "malformed-setting"


class TooLarge(Malformed):
    """Something is larger than the limit for it."""

    code, status = "too-large", 413


class QuotaReached(TooLarge):
    """An account keeps as much data as it may."""

    code = "quota-reached"


class Refused(TrothError):
    """A clause of the policy forbids it."""

    code, status, exit_code = "refused", 409, 3


class MalformedNumber(Refused):
    """A version number is not `major.minor.revision`."""

    code = "malformed-number"


class SourceAltered(Refused):
    """Stored source no longer equals what was published."""

    code = "source-altered"


class EnvironmentAltered(Refused):
    """Libraries no longer equal those that a build was made with."""

    code = "environment-altered"


class UuidReused(Refused):
    """A command's uuid was used before for another command."""

    code = "uuid-reused"


class NameTaken(Refused):
    """A name is taken or reserved."""

    code = "name-taken"


class NewerRegistry(Refused):
    """A later release of troth has upgraded the registry."""

    code = "newer-registry"


class LastAdmin(Refused):
    """The last admin of an organisation, or administrator of a server, cannot leave."""

    code = "last-admin"


class Forbidden(Refused):
    """The caller may not do this."""

    code, status = "forbidden", 403


class Unauthenticated(Refused):
    """No valid key came with the request."""

    code, status = "unauthenticated", 401


class NotFound(TrothError):
    """There is no such thing, or none that the caller may know of."""

    code, status, exit_code = "not-found", 404, 4


class Gone(NotFound):
    """A version of an API is retired."""

    code, status = "gone", 410


class Unavailable(TrothError):
    """It cannot be done now."""

    code, status, exit_code = "unavailable", 503, 5


class Overloaded(Unavailable):
    """There are more calls than can be taken."""

    code = "overloaded"
    #: seconds after which a client should try again
    retry_after = 1


class QueueFull(Overloaded):
    """Too many calls wait for a version."""

    code = "queue-full"


class QueueDeadline(Overloaded):
    """A call waited for a worker too long."""

    code = "queue-deadline"


class RateLimited(Overloaded):
    """A key makes more calls than it may."""

    code, status = "rate-limited", 429


class ParentEnded(Unavailable):
    """The call in which a call was made has ended."""

    code = "parent-ended"


class BrownedOut(Unavailable):
    """A version of an API is refused for a short while, because it will soon be gone."""

    code = "browned-out"


class UpstreamFailed(Unavailable):
    """An upstream of the gateway cannot be reached, or broke off."""

    code, status = "upstream-failed", 502


class UpstreamTimeout(Unavailable):
    """An upstream of the gateway does not answer in time."""

    code, status = "upstream-timeout", 504


class IsolationUnavailable(Unavailable):
    """What a version asks of its isolation cannot be honoured on this machine."""

    code = "isolation-unavailable"


class EnvironmentUnavailable(Unavailable):
    """The libraries of a build cannot be used on this machine."""

    code = "environment-unavailable"


class ServerUnreachable(Unavailable):
    """No server answers at the address."""

    code = "server-unreachable"


class Failed(TrothError):
    """It was tried and failed."""

    code = "failed"


class BuildFailed(Failed):
    """A build ended without something to run."""

    code, status = "build-failed", 422


class JournalBroken(Failed):
    """The journal's hash chain does not hold."""

    code = "journal-broken"


class SignatureBroken(Failed):
    """A signature does not fit what it is said to sign."""

    code = "signature-broken"


class StoryBroken(Failed):
    """The demonstration saw something else than its story says."""

    code = "story-broken"


class CallFailed(Failed):
    """An algorithm answered with an error."""

    code, status = "call-failed", 400


def tree(kind: type[TrothError] = TrothError) -> Iterator[type[TrothError]]:
    """Every class of the tree, parents first."""
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


BY_CODE = {kind.code: kind for kind in tree() if kind is not TrothError}

"""The command that asks for a waiver of a release: troth release request-waiver."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from troth.doors.cli.output import Remote, say, working
from troth.doors.cli.publishing import Proofs, gathered
from troth.doors.cli.waiver import expiry, show_waiver
from troth.errors import Malformed
from troth.versions.waivers import WAIVABLE

if TYPE_CHECKING:
    from troth.contracts.release_document import ReleaseDocument
    from troth.releases.check import Subject
    from troth.versions.releases.numbers import ReleaseNumber

_SECONDS = 300.0


def request_waiver(
    number: str | None = None,
    /,
    *,
    reason: Annotated[str, Parameter(name=["-m", "--reason"], help="Why users should bear it; everybody reads it.")],
    clause: Annotated[
        list[str] | None, Parameter(negative="", help="What is to be waived (default: what refuses, if that can be).")
    ] = None,
    days: Annotated[int, Parameter(help="Days until it expires.")] = 30,
    project: Annotated[Path, Parameter(help="Folder of the product, which holds its troth.toml.")] = Path(),
    base: Annotated[str | None, Parameter(help="The release before, where it is not the last one behind it.")] = None,
    commit: Annotated[str, Parameter(help="What is to be released.")] = "HEAD",
    lenient: Annotated[bool, Parameter(negative="", help="Read tags like 1.0.0rc1 as they are meant.")] = False,
    seconds: Annotated[float, Parameter(help="Seconds that one comparison may take.")] = _SECONDS,
    remote: Remote = Remote(),
) -> int:
    """Asks that a commit may be released under a number which a comparing clause refuses. Another has to approve it.

    Parameters
    ----------
    number
        The number; else the one that troth.toml says.
    """
    from troth.releases.check import Asked
    from troth.releases.documentation import digest_of, pieces
    from troth.versions.releases.numbers import ReleaseNumber

    wanted = ReleaseNumber.parse(number) if number else None
    asked = Asked(base=base, commit=commit, lenient=lenient)
    with remote.client() as client, working("comparing with the last release ..."), tempfile.TemporaryFile() as file:
        subject, chosen, document = gathered(project, asked, wanted, Proofs(False, (), None, seconds))
        clauses = clause or _refusing(subject, chosen, document)
        size = file.write(document.as_bytes())
        digest = digest_of(file)
        client.upload_release_file(digest, pieces(file), size)
        found = client.command(
            "request_release_waiver",
            product=subject.product.subject,
            number=str(chosen),
            commit=subject.now.commit,
            evidence=digest,
            clauses=clauses,
            reason=reason,
            expires_at=expiry(days),
        )
    show_waiver(found, remote)
    say(f"next: another owner or admin does: troth waiver approve {found['product']}/{found['number']}")
    return 0


def _refusing(subject: Subject, number: ReleaseNumber, document: ReleaseDocument) -> list[str]:
    """What the policy objects to, as far as it can be waived; something that is refused where it is nothing."""
    from troth.releases.check import Asked, situation_of
    from troth.versions.releases.judging import judge

    verdict = judge([told.fact() for told in document.facts], situation_of(subject, Asked(number=number)), number)
    legal = WAIVABLE["product"]
    found = [clause for clause in verdict.clauses if clause in legal]
    if not found and verdict.gaps:
        raise Malformed(
            f"{number} needs a decision, and no waiver",
            why=verdict.gaps[0].question,
            repair="decide, and write it into [[decisions]]; troth release check has the line",
        )
    return found or list(verdict.clauses[:1]) or [legal[0]]

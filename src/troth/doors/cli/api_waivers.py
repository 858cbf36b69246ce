"""The command that asks for a waiver of a change of an API: troth api request-waiver."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from troth.doors.cli.api import Changes, Release
from troth.doors.cli.output import Remote, say
from troth.doors.cli.waiver import expiry, show_waiver


def request_waiver(
    name: str,
    version: str,
    /,
    *,
    release: Release,
    clause: Annotated[
        list[str],
        Parameter(negative="", help="What is to be waived, as the refusal names it; may be given several times."),
    ],
    reason: Annotated[str, Parameter(name=["-m", "--reason"], help="Why users should bear it; everybody reads it.")],
    days: Annotated[int, Parameter(help="Days until it expires.")] = 30,
    what: Changes = Changes(),
    remote: Remote = Remote(),
) -> int:
    """Asks that a version may change in a release as a comparing clause refuses. Another has to approve it.

    It holds for exactly this change. Give what troth api change is given.

    Parameters
    ----------
    name
        OWNER/API.
    version
        vN.
    """
    with remote.client() as client:
        found = client.command(
            "request_api_waiver",
            api=name,
            api_version=version,
            release=release,
            clauses=clause,
            reason=reason,
            expires_at=expiry(days),
            **what.payload(),
        )
    show_waiver(found, remote)
    say(f"next: another owner or admin does: troth waiver approve {found['api']}/{found['number']}")
    return 0

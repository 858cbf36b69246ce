"""The commands of when to release: troth release due, cadence, plan, cancel, and troth calendar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.markup import escape

from troth.clock import now
from troth.doors.cli.output import Common, Remote, say, show, show_json, show_table, working
from troth.doors.cli.release import Comparing

if TYPE_CHECKING:
    from troth.releases.check import Subject

_SECONDS = 60.0
_DAY = 24 * 3600

calendar = App(
    name="calendar",
    help="Makes feeds of planned releases, which every calendar can subscribe to.",
    help_format="plaintext",
)


def due(
    *,
    project: Annotated[Path, Parameter(help="Folder of the product, which holds its troth.toml.")] = Path(),
    common: Common = Common(),
) -> int:
    """Tells what waits for a release, how long, and which occasion and number would fit. It needs no server.

    Two weeks to a month usually lie between two releases (PLX-14). Nothing is refused.
    """
    from troth.releases.check import Asked, facts_of, judged, opened
    from troth.releases.proving.paths import Proving
    from troth.versions.releases.cadence import suggested_occasion

    with working("comparing with the last release ..."):
        subject = opened(project, Asked())
        with Proving(subject, None, _SECONDS) as proving, Comparing(_SECONDS) as compare:
            facts = facts_of(subject, compare, proving.listed)
        verdict = judged(subject, facts, Asked(), tried=True)
    waiting = _waiting(subject)
    found = {
        "product": subject.product.subject,
        "former": str(subject.former.number) if subject.former else None,
        **waiting,
        "occasion": suggested_occasion(facts) if waiting["commits"] else None,
        "number": str(verdict.least) if verdict.least and waiting["commits"] else None,
        "because": [f"{one.clause}: {one.purpose}" for one in verdict.asked],
        "warnings": subject.warnings,
    }
    if common.json:
        show_json(found)
    else:
        _show_due(found)
    return 0


def cadence(product: str, /, *, remote: Remote = Remote()) -> int:
    """Tells how often a product is released, what is planned, and what of it is late.

    Parameters
    ----------
    product
        OWNER/PRODUCT.
    """
    with remote.client() as client:
        found = client.cadence(product)
    if remote.json:
        show_json(found)
        return 0
    if found["last"] is None:
        show(f"{product} has no release yet")
    else:
        usual = f"; {found['usual_days']} days usually lie between two" if found["usual_days"] is not None else ""
        show(f"{product} was released {found['days']} days ago, on {found['last']}{usual}")
        show(f"  the next one is usual between {found['earliest']} and {found['latest']}")
    for one in found["planned"]:
        show(
            escape(
                f"  planned for {one['due']}: {one['number'] or 'the next'} ({one['occasion']}) {one['note']}  {one['plan']}"
            )
        )
    for line in found["warnings"]:
        show(f"  note: {escape(line)}")
    return 0


def plan(
    product: str,
    due: str,
    /,
    *,
    occasion: Annotated[
        Literal["fix", "functionality", "scheduled"], Parameter(help="Why it is released.")
    ] = "scheduled",
    number: Annotated[str | None, Parameter(help="Which number it will have, if that is known.")] = None,
    note: Annotated[str, Parameter(help="What it will bring, in a line.")] = "",
    remote: Remote = Remote(),
) -> int:
    """Announces a release, for the calendars of those who wait for it.

    Parameters
    ----------
    product
        OWNER/PRODUCT.
    due
        The day, like 2026-11-30.
    """
    more: dict[str, Any] = {"number": number} if number else {}
    with remote.client() as client:
        found = client.command("plan_release", product=product, due=due, occasion=occasion, note=note, **more)
    if remote.json:
        show_json(found)
    else:
        show(f"{product} {found['number'] or 'next'} is planned for {found['due']}  {found['plan']}")
    return 0


def cancel(planned: str, /, *, remote: Remote = Remote()) -> int:
    """Takes back the announcement of a release.

    Parameters
    ----------
    planned
        Its id, as troth release cadence shows it.
    """
    with remote.client() as client:
        found = client.command("cancel_planned_release", plan=planned)
    if remote.json:
        show_json(found)
    else:
        show(f"cancelled: {found['number'] or 'the next'} of {found['due']}")
    return 0


@calendar.command
def create(*, label: Annotated[str, Parameter(help="What it is for.")] = "", remote: Remote = Remote()) -> int:
    """Makes a feed of the releases of every product that you may know of. Its address is shown this once."""
    with remote.client() as client:
        found = client.command("create_calendar", label=label)
        address = f"{client.address}/api/v1/calendars/{found['token']}.ics"
    if remote.json:
        show_json({**found, "address": address})
    else:
        show(address)
        say(f"who has this address reads it; troth calendar revoke {found['calendar']} ends it")
    return 0


@calendar.command(name="list")
def list_(*, remote: Remote = Remote()) -> int:
    """Lists your feeds."""
    with remote.client() as client:
        found = client.calendars()
    if remote.json:
        show_json(found)
        return 0
    rows = [[row["calendar"], row["label"], row["created_at"][:10], (row["revoked_at"] or "")[:10]] for row in found]
    show_table("", ["calendar", "label", "made", "revoked"], rows)
    return 0


@calendar.command
def revoke(identity: str, /, *, remote: Remote = Remote()) -> int:
    """Ends a feed: its address opens nothing from now on.

    Parameters
    ----------
    identity
        Its id, as troth calendar list shows it.
    """
    with remote.client() as client:
        found = client.command("revoke_calendar", calendar=identity)
    if remote.json:
        show_json(found)
    else:
        show(f"revoked at {found['revoked_at']}")
    return 0


def _waiting(subject: Subject) -> dict[str, Any]:
    """How many commits wait, and since when; what a clock ahead of this one did counts as today."""
    seconds = int(now().timestamp())
    if subject.former is None or subject.then is None:
        return {"commits": 1, "days": None, "oldest_days": None}
    commits = list(subject.repository.commits(subject.then.commit, subject.now.commit))
    oldest = subject.repository.made(commits[-1].id) if commits else None
    return {
        "commits": len(commits),
        "days": max(0, seconds - subject.former.made) // _DAY,
        "oldest_days": None if oldest is None else max(0, seconds - oldest) // _DAY,
    }


def _show_due(found: dict[str, Any]) -> None:
    if not found["commits"]:
        show(f"nothing waits since {found['former']}")
        return
    if found["former"] is None:
        show(f"{found['product']} has no release yet")
    else:
        show(
            f"{found['commits']} commits wait since {found['former']}, which is {found['days']} days old;"
            f" the oldest waits {found['oldest_days']} days"
        )
    show(f"  suggested: {found['number'] or 'no number before something is mended'}, occasion {found['occasion']}")
    for line in (*found["because"], *found["warnings"]):
        show(f"  {escape(line)}")

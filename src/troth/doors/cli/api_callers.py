"""The commands on who uses an API: troth api callers, troth api alerts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.markup import escape

from troth.doors.cli.output import Remote, say, show, show_json, show_table
from troth.errors import Malformed

alerts = App(
    name="alerts", help="Tells you, by webhooks too, when your keys use what will go.", help_format="plaintext"
)


def callers(
    name: str,
    /,
    *,
    version: Annotated[str, Parameter(help="vN alone.")] = "",
    days: Annotated[int, Parameter(help="How many days back.")] = 30,
    parameters: Annotated[bool, Parameter(negative="", help="By parameter of the query too.")] = False,
    remote: Remote = Remote(),
) -> int:
    """Shows who still uses which version and operation of an API through the gateway, the newest day first.

    Members of the API's owner see names, others numbers.

    Parameters
    ----------
    name
        OWNER/API.
    """
    if days < 1:
        raise Malformed(f"there are no {days} days", repair="give --days 30")
    since = (datetime.now(UTC) - timedelta(days=days - 1)).date().isoformat()
    with remote.client() as client:
        found = client.api_callers(name, version=version, since=since)
    if not parameters:
        found["rows"] = [row for row in found["rows"] if row["parameter"] is None]
    if remote.json:
        show_json(found)
        return 0
    who = "caller" if found["named"] else "callers"
    columns = ["day", "version", "operation", *(["parameter"] if parameters else []), who, "calls"]
    show_table("", columns, [[_cell(row, column) for column in columns] for row in found["rows"]])
    if found["more"]:
        say("there is more; ask for fewer days, or for one version")
    return 0


@alerts.command(name="list")
def list_(
    *,
    account: Annotated[str, Parameter(help="An organisation that you are an admin of; yourself if not given.")] = "",
    after: Annotated[int, Parameter(help="Only what is behind this position.")] = 0,
    remote: Remote = Remote(),
) -> int:
    """Lists what an account was told of versions that its keys use and that will go, and its webhooks."""
    with remote.client() as client:
        found = client.alerts(account, after)
    if remote.json:
        show_json(found)
        return 0
    for one in found["alerts"]:
        goes = f", gone in {one['retires_in']}" if "retires_in" in one else ""
        use = f", use {one['successor']}" if "successor" in one else ""
        show(escape(f"{one['position']}  {one['day']}  {one['api']} {one['version']} is {one['state']}{goes}{use}"))
    for hook in found["hooks"]:
        trouble = f", failed {hook['failures']} times: {hook['problem']}" if hook["failures"] else ""
        show(escape(f"{hook['hook']}  {hook['url']}  told up to {hook['delivered']}{trouble}"))
    if not found["alerts"] and not found["hooks"]:
        say("nothing to tell: no version that its keys use will go, and there is no webhook")
    return 0


@alerts.command
def hook(
    url: str,
    /,
    *,
    account: Annotated[str, Parameter(help="Whose keys; yourself if not given.")] = "",
    remote: Remote = Remote(),
) -> int:
    """Makes a webhook. Its secret, which messages are signed with, is shown this once.

    Parameters
    ----------
    url
        Where messages are sent by POST.
    """
    with remote.client() as client:
        whose = account or client.alerts()["account"]
        found = client.command("create_alert_hook", account=whose, url=url)
    if remote.json:
        show_json(found)
    else:
        show(f"webhook {found['hook']}")
        show(f"secret, shown once: {found['secret']}")
    return 0


@alerts.command
def unhook(identity: str, /, *, remote: Remote = Remote()) -> int:
    """Ends a webhook.

    Parameters
    ----------
    identity
        Its id, as troth api alerts list shows it.
    """
    with remote.client() as client:
        found = client.command("remove_alert_hook", hook=identity)
    if remote.json:
        show_json(found)
    else:
        show(escape(f"{found['url']} is told nothing any more"))
    return 0


@alerts.command
def replay(
    identity: str,
    /,
    *,
    after: Annotated[int, Parameter(help="The position behind which all is told again.")] = 0,
    remote: Remote = Remote(),
) -> int:
    """Has a webhook told again of everything behind a position.

    Parameters
    ----------
    identity
        Its id, as troth api alerts list shows it.
    """
    with remote.client() as client:
        found = client.command("replay_alerts", hook=identity, after=after)
    if remote.json:
        show_json(found)
    else:
        show(escape(f"{found['url']} is told of what is behind {after}"))
    return 0


def _cell(row: dict[str, Any], column: str) -> str:
    value = row[column]
    return escape(str(value)) if value is not None else ("" if column == "parameter" else "(without a key)")

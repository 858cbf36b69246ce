"""The commands on what the gateway serves: troth api upstream, troth api brownout, troth api served."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.markup import escape

from troth.doors.cli.output import Remote, say, show, show_json
from troth.errors import Malformed

brownout = App(
    name="brownout", help="Plans short refusals of a deprecated version before it is gone.", help_format="plaintext"
)


def upstream(
    name: str,
    url: str = "",
    /,
    *,
    version: Annotated[str, Parameter(help="vN that runs elsewhere than the others.")] = "",
    connect_seconds: Annotated[float | None, Parameter(help="Time to connect; 5 if not given.")] = None,
    seconds: Annotated[float | None, Parameter(help="Time without a byte from it; 60 if not given.")] = None,
    body_bytes: Annotated[int | None, Parameter(help="Size of a request's body at most; 10 MiB if not given.")] = None,
    health: Annotated[str | None, Parameter(help="Path that answers while it is well, like /health.")] = None,
    remove: Annotated[bool, Parameter(negative="", help="It runs nowhere any more.")] = False,
    remote: Remote = Remote(),
) -> int:
    """Says where an API runs, so that it is served below /gateway/OWNER/API/.

    Parameters
    ----------
    name
        OWNER/API.
    url
        The address below which its versions lie: https://shop.internal.example has https://shop.internal.example/v4.
    """
    if bool(url) == remove:
        raise Malformed("an address is missing, or is one too many", repair="give an address, or --remove")
    limits = {"connect_seconds": connect_seconds, "seconds": seconds, "body_bytes": body_bytes, "health_path": health}
    more: dict[str, Any] = {key: value for key, value in limits.items() if value is not None}
    if version:
        more["api_version"] = version
    with remote.client() as client:
        found = client.command("set_upstream", api=name, url=url or None, **more)
    if remote.json:
        show_json(found)
        return 0
    which = f"{name} {version}" if version else name
    show(escape(f"{which} runs at {found['url']}" if found["url"] else f"{which} has no upstream any more"))
    if found.get("warning"):
        say(escape(f"note: it would not be reached now: {found['warning']}"))
    return 0


def served(name: str, /, *, remote: Remote = Remote()) -> int:
    """Shows where an API runs and which brownouts are planned, for members of its owner.

    Parameters
    ----------
    name
        OWNER/API.
    """
    with remote.client() as client:
        found = client.api_upstreams(name)
    if remote.json:
        show_json(found)
        return 0
    for one in found["upstreams"]:
        how = {None: "", True: ", and is well", False: ", and does not answer for its health"}[one["well"]]
        show(escape(f"{one['version'] or 'every version'} runs at {one['url']}{how}"))
    for one in found["brownouts"]:
        show(escape(f"{one['version']} is browned out from {one['begins']} to {one['ends']}  {one['brownout']}"))
    if not found["upstreams"] and not found["brownouts"]:
        say(escape(f"{name} runs nowhere, and no brownout is planned; next: troth api upstream {name} URL"))
    return 0


@brownout.command
def plan(
    name: str,
    version: str,
    begins: str,
    ends: str,
    /,
    *,
    production: Annotated[bool, Parameter(negative="", help="Production keys feel it too.")] = False,
    remote: Remote = Remote(),
) -> int:
    """Announces a brownout of a deprecated version: replies say so until it comes, and then are 503.

    Parameters
    ----------
    name
        OWNER/API.
    version
        vN.
    begins
        When: 2027-01-10T10:00:00Z, a week from now at the earliest unless the operator says otherwise.
    ends
        Until when, a day later at the latest.
    """
    with remote.client() as client:
        found = client.command(
            "plan_brownout", api=name, api_version=version, begins=begins, ends=ends, production=production
        )
    if remote.json:
        show_json(found)
        return 0
    whom = "everybody" if found["production"] else "all but production keys"
    show(escape(f"{name} {version} refuses {whom} from {found['begins']} to {found['ends']}  {found['brownout']}"))
    return 0


@brownout.command
def cancel(identity: str, /, *, remote: Remote = Remote()) -> int:
    """Takes back a brownout, or ends it.

    Parameters
    ----------
    identity
        Its id, as troth api served shows it.
    """
    with remote.client() as client:
        found = client.command("cancel_brownout", brownout=identity)
    if remote.json:
        show_json(found)
    else:
        show(escape(f"cancelled: {found['api']} {found['version']} from {found['begins']}"))
    return 0

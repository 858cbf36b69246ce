"""The commands on APIs: troth api create, add, graduate, deprecate, retire, drop, change, extend, decide, list, show."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.markup import escape

from troth.contracts.openapi.text import UnreadableDocument, read
from troth.doors.cli.output import Remote, say, show, show_json, show_table
from troth.errors import Malformed
from troth.versions.lifecycles.rendering import headline, states_line, verdict_lines
from troth.versions.releases.rendering import waiver_lines

api = App(
    name="api",
    help="Keeps the life cycle of HTTP APIs: versions vN that are experimental, current, deprecated or retired.",
    help_format="plaintext",
)
api.command("troth.doors.cli.api_callers:callers", name="callers")
api.command("troth.doors.cli.api_callers:alerts", name="alerts")
api.command("troth.doors.cli.api_gateway:upstream", name="upstream")
api.command("troth.doors.cli.api_gateway:served", name="served")
api.command("troth.doors.cli.api_gateway:brownout", name="brownout")
api.command("troth.doors.cli.api_check:check", name="check")
api.command("troth.doors.cli.api_waivers:request_waiver", name="request-waiver")
_LARGEST_FILE = 16 << 20

Release = Annotated[str, Parameter(help="The release that it rides on: X.0.0, X.Y.0 or X.Y.Z.")]
Contract = Annotated[Path | None, Parameter(help="Its OpenAPI document, in JSON or YAML.")]
Sunset = Annotated[str | None, Parameter(help="The day on which what is deprecated is switched off: 2027-01-31.")]
Reason = Annotated[str, Parameter(help="Why.")]
Alone = Annotated[
    str, Parameter(help="A single operation; refused, because all of a version share one state (PDB-41).")
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Riding(Remote):
    """Options of everything that rides on a release."""

    release: Release
    reason: Reason = ""

    def payload(self) -> dict[str, Any]:
        """What of it was given."""
        return given(release=self.release, reason=self.reason)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Moving(Riding):
    """Options of moves that lead to another state."""

    operation: Alone = ""

    def payload(self) -> dict[str, Any]:
        """What of it was given."""
        return {**Riding.payload(self), **given(operation=self.operation)}


@Parameter(name="*")
@dataclass(frozen=True)
class Changes:
    """What is changed of a version: its contract, or what is declared."""

    contract: Contract = None
    break_: Annotated[
        tuple[str, ...], Parameter(name="--break", help="Something that breaks users; may be given several times.")
    ] = ()
    addition: Annotated[tuple[str, ...], Parameter(help="Something that is new; may be given several times.")] = ()
    fix: Annotated[tuple[str, ...], Parameter(help="Something that is mended; may be given several times.")] = ()

    def payload(self) -> dict[str, Any]:
        """What of it was given."""
        listed = {"break": self.break_, "addition": self.addition, "fix": self.fix}
        changes = [{"weight": weight, "words": words} for weight, found in listed.items() for words in found]
        return given(changes=changes or None, contract=document(self.contract))


def given(**values: Any) -> dict[str, Any]:
    """Those of the values that were given."""
    return {key: value for key, value in values.items() if value not in (None, "")}


@api.command
def create(
    name: str,
    /,
    *,
    summary: Annotated[str, Parameter(help="What it is, in a line.")] = "",
    public: Annotated[bool, Parameter(negative="", help="Everybody may know of it, without a key.")] = False,
    product: Annotated[str, Parameter(help="OWNER/PRODUCT whose releases it follows.")] = "",
    starting_point: Annotated[str, Parameter(help="The first version that the policy governs, like v4 (PDB-03).")] = "",
    documentation: Annotated[str, Parameter(help="Address of a page about it.")] = "",
    remote: Remote = Remote(),
) -> int:
    """Makes an API, so that versions of it can be added.

    Parameters
    ----------
    name
        OWNER/API.
    """
    more = given(summary=summary, product=product, starting_point=starting_point, documentation=documentation)
    with remote.client() as client:
        found = client.command("create_api", api=name, public=public, **more)
    if remote.json:
        show_json(found)
    else:
        show(f"made {name}, {'public' if found['public'] else 'private'}")
        say(f"next: troth api add {name} v1 --release 1.0.0")
    return 0


@api.command
def add(
    name: str,
    version: str,
    /,
    *,
    contract: Contract = None,
    state: Annotated[
        str | None, Parameter(help="Of a version before the starting point: the state that it has.")
    ] = None,
    how: Moving,
) -> int:
    """Adds a version, which begins experimental.

    Parameters
    ----------
    name
        OWNER/API.
    version
        vN, the number behind the highest.
    """
    return moved(how, "create_api_version", name, version, state=state, contract=document(contract))


@api.command
def graduate(
    name: str,
    version: str,
    /,
    *,
    sunset: Sunset = None,
    former: Annotated[
        str | None, Parameter(help="What becomes of the version that was current; deprecated, as it must.")
    ] = None,
    how: Moving,
) -> int:
    """Makes an experimental version the current one. The version that was current is deprecated in the same step.

    Parameters
    ----------
    name
        OWNER/API.
    version
        vN.
    """
    return moved(how, "graduate_api", name, version, sunset=sunset, former=former)


@api.command
def deprecate(name: str, version: str, /, *, sunset: Sunset = None, how: Moving) -> int:
    """Deprecates the current version. It is gone at the next X boundary.

    Parameters
    ----------
    name
        OWNER/API.
    version
        vN.
    """
    return moved(how, "deprecate_api", name, version, sunset=sunset)


@api.command
def retire(name: str, version: str, /, *, how: Moving) -> int:
    """Retires a deprecated version, in an X release.

    Parameters
    ----------
    name
        OWNER/API.
    version
        vN.
    """
    return moved(how, "retire_api", name, version)


@api.command
def drop(name: str, version: str, /, *, how: Moving) -> int:
    """Takes an experimental version away, in a Y or X release.

    Parameters
    ----------
    name
        OWNER/API.
    version
        vN.
    """
    return moved(how, "drop_api", name, version)


@api.command
def change(
    name: str,
    version: str,
    /,
    *,
    what: Changes = Changes(),
    note: Annotated[str, Parameter(help="What users are told.")] = "",
    security_fix: Annotated[str | None, Parameter(help="It is one, and this refers to the fault: CVE-2026-1.")] = None,
    how: Riding,
) -> int:
    """Changes the contract of a version: by its new OpenAPI document, or as it is declared.

    Parameters
    ----------
    name
        OWNER/API.
    version
        vN.
    """
    more = {**what.payload(), **given(note=note)}
    if security_fix is not None:
        more["reference"] = security_fix
    if not more.keys() & {"changes", "contract", "reference"}:
        raise Malformed("nothing changes", repair="give --contract FILE, --break, --addition or --fix")
    return moved(how, "change_api", name, version, **more)


@api.command
def extend(
    name: str,
    version: str,
    /,
    *,
    until: Annotated[str, Parameter(help="The X release in which it is gone instead.")],
    sunset: Sunset = None,
    how: Riding,
) -> int:
    """Puts the retirement of a deprecated version off, by a decision whose reason is recorded.

    Parameters
    ----------
    name
        OWNER/API.
    version
        vN.
    """
    if not how.reason:
        raise Malformed(
            "no reason is given", why="an extension is a recorded decision (PDB-35)", repair="give --reason"
        )
    return moved(how, "extend_api", name, version, until=until, sunset=sunset)


@api.command
def decide(
    name: str,
    about: str,
    /,
    *,
    allow: Annotated[bool, Parameter(negative="--forbid", help="Whether it may be.")],
    reason: Reason,
    remote: Remote = Remote(),
) -> int:
    """Decides what no clause speaks of. The decision stands beside the policy, and later moves are judged by it.

    Parameters
    ----------
    name
        OWNER/API.
    about
        The gap, as the answer that asked for a decision names it.
    """
    with remote.client() as client:
        found = client.command("decide_api", api=name, about=about, allowed=allow, reason=reason)
    show_json(found) if remote.json else show(escape(f"{about}: {'allowed' if allow else 'forbidden'} for {name}"))
    return 0


@api.command(name="list")
def list_(*, remote: Remote = Remote()) -> int:
    """Lists the APIs that you may know of."""
    with remote.client() as client:
        found = client.apis()
    if remote.json:
        show_json(found)
        return 0
    rows = [[row["api"], row["current"] or "", row["product"] or "", _states(row), row["summary"]] for row in found]
    show_table("", ["api", "current", "product", "versions", "summary"], rows)
    return 0


@api.command(name="show")
def show_(name: str, /, *, remote: Remote = Remote()) -> int:
    """Shows an API: its versions and their states, what led there, and what was decided.

    Parameters
    ----------
    name
        OWNER/API.
    """
    with remote.client() as client:
        found = client.api(name)
    if remote.json:
        show_json(found)
        return 0
    follows = f", follows {found['product']}" if found["product"] else ""
    start = f", judged from {found['starting_point']} on" if found["starting_point"] else ""
    show(escape(f"{found['api']}: {found['summary'] or '(no summary)'}{follows}{start}"))
    for version in found["versions"]:
        show(escape(f"  {version['version']}: {states_line(version)}"))
        for line in waiver_lines(version):
            show(escape(f"    changed {line}"))
    for move in found["moves"]:
        told = f"{move['release']}: {move['move']} {move['version']}, by {move['moved_by']}"
        show(escape("  " + ", because ".join(filter(None, [told, move["reason"]]))))
    for one in found["decisions"]:
        may = "allowed" if one["allowed"] else "forbidden"
        show(escape(f"  decided by {one['decided_by']}: {one['about']} is {may}: {one['reason']}"))
    return 0


def moved(how: Riding, command: str, name: str, version: str, /, **more: Any) -> int:
    """Asks for a move, and shows its verdict and the states that it led to."""
    payload = {**how.payload(), **{key: value for key, value in more.items() if value is not None}}
    with how.client() as client:
        found = client.command(command, api=name, api_version=version, **payload)
    if how.json:
        show_json(found)
        return 0
    show(escape(f"{name}: {headline(found['verdict'])}"))
    for line in verdict_lines(found["verdict"]):
        show(escape(f"  {line}"))
    return 0


def document(path: Path | None) -> dict[str, Any] | None:
    """The OpenAPI document in a file. Raises Malformed."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_FILE + 1).decode("utf-8-sig")
        found: dict[str, Any] = json.loads(json.dumps(read(text)))
    except OSError as error:
        raise Malformed(f"{path} cannot be read: {error.strerror}", repair="name another file") from None
    except (UnreadableDocument, ValueError, TypeError) as error:
        raise Malformed(f"{path} is not an OpenAPI document", why=str(error), repair="mend that place") from None
    return found


def _states(row: dict[str, Any]) -> str:
    return ", ".join(f"{one['version']} {one['state']}" for one in row["versions"] if not one["dropped_in"])

"""The command that plans an upgrade of a product."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.markup import escape

from troth.doors.cli.output import Remote, show, show_json
from troth.errors import Malformed, Refused

Format = Literal["text", "markdown", "json", "html"]


def upgrade_plan(
    product: str,
    start: str,
    target: str = "latest",
    /,
    *,
    check_config: Annotated[
        Path | None, Parameter(help="Your configuration (JSON, YAML or TOML), judged here by the target's settings.")
    ] = None,
    config_of: Annotated[
        str, Parameter(help="The document of settings that it is judged by, where there are several.")
    ] = "",
    told: Annotated[
        Format, Parameter(name="--format", help="How it is told; html is a page with the way drawn.")
    ] = "text",
    remote: Remote = Remote(),
) -> int:
    """Plans an upgrade over several releases: one note, all migrations, what breaks, and where to stop.

    With --check-config it exits with 3 where the configuration does not fit the target. The file is not sent anywhere.

    Parameters
    ----------
    product
        OWNER/PRODUCT.
    start
        The release that you have.
    target
        The release that you want, or latest, or stable.
    """
    with remote.client() as client:
        found = client.upgrade_plan(product, start, target)
    wanted = found.pop("wanted")
    if check_config is not None:
        found["configuration"] = _judged(check_config, wanted, config_of)
    _show(found, "json" if remote.json else told)
    return Refused.exit_code if found.get("configuration") else 0


def _judged(path: Path, wanted: list[dict[str, Any]], only: str) -> list[dict[str, str]]:
    from troth.contracts.upgrades.configuration import problems
    from troth.contracts.upgrades.releases import Standing

    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(f"{path} cannot be read: {error}", repair="name the file of your configuration") from None
    return problems(path.name, text, Standing(settings=wanted), only)


def _show(found: dict[str, Any], told: Format) -> None:
    from troth.contracts.upgrades import page, rendering

    if told == "json":
        show_json(found)
    elif told == "markdown":
        print(rendering.as_markdown(found), end="")
    elif told == "html":
        print(page.as_page(found))
    else:
        show(escape(rendering.as_text(found)))
        if "configuration" in found and not found["configuration"]:
            show("your configuration fits")

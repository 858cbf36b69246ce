"""The commands on products: troth product create, list, show, change."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from troth.doors.cli.output import Remote, say, show, show_json, show_table

product = App(
    name="product",
    help="Makes and lists products: software that is released as X.Y.Z.",
    help_format="plaintext",
)


@product.command
def create(
    name: str,
    /,
    *,
    summary: Annotated[str, Parameter(help="What it is, in a line.")] = "",
    public: Annotated[
        bool, Parameter(negative="", help="Everybody may know of it, and read its documentation without a key.")
    ] = False,
    remote: Remote = Remote(),
) -> int:
    """Makes a product, so that releases of it can be cut.

    Parameters
    ----------
    name
        OWNER/PRODUCT, as its troth.toml says.
    """
    with remote.client() as client:
        found = client.command("create_product", product=name, summary=summary, public=public)
    if remote.json:
        show_json(found)
    else:
        show(f"made {name}, {'public' if public else 'private'}")
        say("next: troth release check, then troth release cut")
    return 0


@product.command
def change(
    name: str,
    /,
    *,
    summary: Annotated[str | None, Parameter(help="What it is, in a line.")] = None,
    public: Annotated[bool | None, Parameter(negative="--private", help="Who may know of it.")] = None,
    remote: Remote = Remote(),
) -> int:
    """Changes what a product is about, or who may know of it.

    Parameters
    ----------
    name
        OWNER/PRODUCT.
    """
    given: dict[str, Any] = {"summary": summary, "public": public}
    with remote.client() as client:
        found = client.command("update_product", product=name, **{k: v for k, v in given.items() if v is not None})
    if remote.json:
        show_json(found)
    else:
        show(f"{name} is {'public' if found['public'] else 'private'}: {found['summary'] or '(no summary)'}")
    return 0


@product.command(name="list")
def list_(*, remote: Remote = Remote()) -> int:
    """Lists the products that you may know of."""
    with remote.client() as client:
        found = client.products()
    if remote.json:
        show_json(found)
        return 0
    rows = [
        [row["product"], row["latest"] or "", row["stable"] or "", str(row["releases"]), row["summary"]]
        for row in found
    ]
    show_table("", ["product", "latest", "stable", "releases", "summary"], rows)
    return 0


@product.command(name="show")
def show_(name: str, /, *, remote: Remote = Remote()) -> int:
    """Shows a product, and which releases of it are planned.

    Parameters
    ----------
    name
        OWNER/PRODUCT.
    """
    with remote.client() as client:
        found = client.product(name)
    if remote.json:
        show_json(found)
        return 0
    show(f"{found['product']}: {found['summary'] or '(no summary)'}")
    show(f"  latest {found['latest'] or '-'}, stable {found['stable'] or '-'}, {found['releases']} releases")
    for one in found["planned"]:
        show(f"  planned for {one['due']}: {one['number'] or 'the next'} ({one['occasion']})  {one['plan']}")
    return 0

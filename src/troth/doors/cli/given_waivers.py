"""The waivers that a check of a release is given: from files, or from a server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from troth.clock import now, stamp
from troth.doors.cli.output import Remote
from troth.doors.cli.waiver import signed_in, text_of
from troth.versions.waivers import Considered, Waiver, considered

if TYPE_CHECKING:
    from troth.releases.check import Subject


@Parameter(name="*")
@dataclass(frozen=True)
class Waivers(Remote):
    """Where the waivers come from that a check looks at; without these options it looks at none, and asks nobody."""

    waivers: Annotated[
        bool, Parameter(negative="", help="Ask the server for the waivers of the product, and look at them.")
    ] = False
    waiver: Annotated[
        tuple[Path, ...], Parameter(help="A file that troth waiver show --json wrote; may be given several times.")
    ] = ()
    public_key: Annotated[
        Path | None, Parameter(help="File with the key that --waiver is checked with; else the server is asked for it.")
    ] = None

    def of(self, subject: Subject) -> tuple[Considered, ...]:
        """Every waiver that was given, with why it cannot hold for this commit."""
        if not self.waivers and not self.waiver:
            return ()
        given = [(signed_in(text_of(path)), None) for path in self.waiver]
        if self.waivers or self.public_key is None:
            with self.client() as client:
                public = str(client.signing_key()["public_key"])
                if self.waivers:
                    rows = client.release_waivers(subject.product.subject)["waivers"]
                    given += [(Waiver.from_dict(row["waiver"]), row["revoked_at"]) for row in rows if _is_open(row)]
        if self.public_key is not None:
            public = text_of(self.public_key)
        return tuple(_considered(subject, given, public))


def _is_open(row: dict[str, Any]) -> bool:
    return row["waiver"] is not None and row["used_at"] is None


def _considered(subject: Subject, given: Iterable[tuple[Waiver, str | None]], public: str) -> Iterable[Considered]:
    from troth.signing import fits, identity_of

    identity = identity_of(public)
    for waiver, revoked_at in given:
        if (waiver.kind, waiver.subject) != ("product", subject.product.subject):
            yield Considered(waiver, f"it is for {waiver.subject}, and not for {subject.product.subject}")
            continue
        authentic = waiver.key == identity and fits(public, waiver.statement(), waiver.signature)
        yield considered(waiver, subject.now.commit, stamp(now()), authentic=authentic, revoked_at=revoked_at)

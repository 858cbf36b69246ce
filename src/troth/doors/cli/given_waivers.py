"""The waivers that a check is given: from files, or from a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from troth.clock import now, stamp
from troth.doors.cli.output import Remote
from troth.doors.cli.waiver import signed_in, text_of
from troth.sdk import Client
from troth.versions.waivers import Considered, Waiver, considered

if TYPE_CHECKING:
    from troth.releases.check import Subject

#: a waiver, and when it was revoked
Row = tuple[Waiver, str | None]


@dataclass(frozen=True, slots=True)
class Given:
    """The waivers that somebody may mean for a subject: those in files, and those that a server has of it."""

    kind: str
    subject: str
    in_files: tuple[Row, ...] = ()
    on_server: tuple[Row, ...] = ()
    public: str = ""

    def of(self, source: str) -> tuple[Considered, ...]:
        """All of them, each with why it cannot hold for this commit or change."""
        return tuple(self._considered([*self.in_files, *self.on_server], source))

    def of_change(self, source: str, number: str) -> tuple[Considered, ...]:
        """Those in files, and of the others those that name this change, or this version and release."""
        meant = [row for row in self.on_server if row[0].hash == source or row[0].number == number]
        return tuple(self._considered([*self.in_files, *meant], source))

    def _considered(self, rows: Iterable[Row], source: str) -> Iterator[Considered]:
        from troth.signing import fits, identity_of

        for waiver, revoked_at in rows:
            if (waiver.kind, waiver.subject) != (self.kind, self.subject):
                named = self.subject or f"any {self.kind} on a server"
                yield Considered(waiver, f"it is for {waiver.subject}, and not for {named}")
                continue
            authentic = waiver.key == identity_of(self.public)
            authentic = authentic and fits(self.public, waiver.statement(), waiver.signature)
            yield considered(waiver, source, stamp(now()), authentic=authentic, revoked_at=revoked_at)


@Parameter(name="*")
@dataclass(frozen=True)
class Waivers(Remote):
    """Where the waivers come from that a check looks at; without these options it looks at none, and asks nobody."""

    waivers: Annotated[bool, Parameter(negative="", help="Ask the server for the waivers, and look at them.")] = False
    waiver: Annotated[
        tuple[Path, ...], Parameter(help="A file that troth waiver show --json wrote; may be given several times.")
    ] = ()
    public_key: Annotated[
        Path | None, Parameter(help="File with the key that --waiver is checked with; else the server is asked for it.")
    ] = None

    def of(self, subject: Subject) -> tuple[Considered, ...]:
        """Every waiver that was given for a release, with why it cannot hold for its commit."""
        name = subject.product.subject
        given = self.given("product", name, lambda client: filter(_is_open, client.release_waivers(name)["waivers"]))
        return given.of(subject.now.commit)

    def given(self, kind: str, subject: str, ask: Callable[[Client], Iterable[dict[str, Any]]]) -> Given:
        """What was given for this subject; `ask` asks a server for those that it has, where it is to be asked."""
        if not self.waivers and not self.waiver:
            return Given(kind, subject)
        in_files = tuple((signed_in(text_of(path)), None) for path in self.waiver)
        on_server: tuple[Row, ...] = ()
        public = text_of(self.public_key) if self.public_key is not None else ""
        if self.waivers or not public:
            with self.client() as client:
                public = public or str(client.signing_key()["public_key"])
                if self.waivers and subject:
                    signed = [row for row in ask(client) if row["waiver"] is not None]
                    on_server = tuple((Waiver.from_dict(row["waiver"]), row["revoked_at"]) for row in signed)
        return Given(kind, subject, in_files, on_server, public)


def _is_open(row: dict[str, Any]) -> bool:
    return row["used_at"] is None

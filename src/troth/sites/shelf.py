"""Which documentation of a product there is, and at which address: `X.Y` is the newest release of a line. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from troth.versions.releases.numbers import ReleaseNumber


@dataclass(frozen=True, slots=True)
class Volume:
    """The documentation of one release."""

    number: ReleaseNumber
    digest: str
    stable: bool
    #: why it was yanked, or None
    yanked: str | None

    @property
    def line(self) -> str:
        """`X.Y`, or for a pre-release its whole number."""
        number = self.number
        return str(number) if number.is_prerelease else f"{number.major}.{number.minor}"

    @property
    def standing(self) -> bool:
        return self.yanked is None and not self.number.is_prerelease


@dataclass(frozen=True, slots=True)
class Shelf:
    """The documentation of a product."""

    subject: str
    #: by address: whole numbers, and lines
    volumes: dict[str, Volume]
    #: what a reader can choose from, the highest first: a volume of each line, and pre-releases of what is to come
    choices: tuple[Volume, ...]
    latest: Volume | None
    stable: Volume | None

    @property
    def current(self) -> Volume | None:
        """What somebody should read who does not know better: what people marked as stable, else the newest."""
        return self.stable or self.latest

    @property
    def root(self) -> str:
        """The address below which all of it lies."""
        return f"/docs/{self.subject}/"

    def named(self, name: str) -> Volume | None:
        """The volume that `latest` or `stable` means."""
        return {"latest": self.latest, "stable": self.stable}.get(name)


def shelf(subject: str, volumes: Iterable[Volume]) -> Shelf:
    """The shelf of a product with these volumes."""
    ordered = sorted(volumes, key=lambda one: one.number, reverse=True)
    standing = [one for one in ordered if one.standing]
    lines: dict[str, Volume] = {}
    # a line whose releases were all yanked is still documented: who runs one needs to read it
    for one in [*standing, *ordered]:
        lines.setdefault(one.line, one)
    latest = standing[0] if standing else None
    choices = sorted(
        (one for one in lines.values() if not one.number.is_prerelease or latest is None or one.number > latest.number),
        key=lambda one: one.number,
        reverse=True,
    )
    exact = {str(one.number).partition("+")[0]: one for one in ordered}
    stable = next((one for one in standing if one.stable), None)
    return Shelf(subject, {**lines, **exact}, tuple(choices), latest, stable)

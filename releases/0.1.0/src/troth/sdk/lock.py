"""`troth.lock`: what each reference of an application meant when it was locked, by exact version and digests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from troth.errors import Malformed, NotFound
from troth.sdk.application import Use
from troth.sdk.client import Client
from troth.versions.references import Form, Reference

FORMAT: Final = 1
_DIGESTS: Final = ("source", "environment", "contract")
Locked = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Moved:
    """One reference that is not what the lock says: `moved`, `altered`, `missing` in the lock, or no longer `used`."""

    kind: str
    reference: str
    words: str

    def as_dict(self) -> dict[str, str]:
        return {"kind": self.kind, "reference": self.reference, "words": self.words}


def resolved(client: Client, found: Iterable[Use]) -> dict[str, dict[str, Any]]:
    """What each reference among `found` means to the client's account: its exact version, and the digests of that.

    Raises NotFound, with the place, for one that means nothing, and Malformed for one that is none.
    """
    versions: dict[str, dict[str, Any]] = {}
    locked: dict[str, dict[str, Any]] = {}
    for use in found:
        if use.reference is None:
            raise Malformed(f"{use.path}:{use.line}: {use.words}", repair="mend it, or leave that file out")
        if use.text not in locked:
            locked[use.text] = _resolved(client, use, use.reference, versions)
    return dict(sorted(locked.items()))


def _resolved(client: Client, use: Use, reference: Reference, versions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    try:
        meant = client.resolve(str(reference))
        if not meant["resolved"]:
            raise NotFound(f"{reference} means no version", why="; ".join(one["text"] for one in meant["reasons"]))
        if reference.form is Form.HASH:
            return {"version": meant["version"]}
        if reference.subject not in versions:
            rows = client.versions(reference.subject)["versions"]
            versions[reference.subject] = {row["version"]: row for row in rows}
    except NotFound as error:
        raise NotFound(
            f"{use.path}:{use.line}: {error.what}", why=error.why, repair="troth why tells what it means to you"
        ) from None
    row = versions[reference.subject][meant["version"]]
    return {"version": meant["version"], **{name: row[name] for name in _DIGESTS}}


def written(locked: Locked) -> str:
    """The text of a lock, the same for the same content."""
    return json.dumps({"format": FORMAT, "references": locked}, indent=2, sort_keys=True) + "\n"


def read(path: Path) -> Locked:
    """What a lock holds. Raises Malformed for one that is not there, or none that this release reads."""
    try:
        found = json.loads(path.read_text("utf-8"))
        if found["format"] == FORMAT and all("version" in one for one in found["references"].values()):
            references: Locked = found["references"]
            return references
        why = f"it has not the format {FORMAT}"
    except OSError as error:
        why = error.strerror or "it cannot be read"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        why = "it is not what troth lock writes"
    raise Malformed(f"{path} cannot be used: {why}", repair="write it anew: troth lock")


def differences(locked: Locked, now: Locked) -> Iterator[Moved]:
    """What is not as it was locked, by the order of references."""
    for reference in sorted(locked.keys() | now.keys()):
        was, is_ = locked.get(reference), now.get(reference)
        if was is None and is_ is not None:
            yield Moved("missing", reference, f"{reference} is not locked; it means {is_['version']}")
        elif was is not None and is_ is None:
            yield Moved("unused", reference, f"{reference} is locked and no longer used")
        elif was is not None and is_ is not None and was["version"] != is_["version"]:
            yield Moved("moved", reference, f"{reference} moved from {was['version']} to {is_['version']}")
        elif was != is_:
            yield Moved("altered", reference, f"{reference} is still that version, with other content")

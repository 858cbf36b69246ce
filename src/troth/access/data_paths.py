"""What a path of the data API names: an account, one of its collections, a file (algorithmia-api, section 10.1).

`.my` is the caller's account. `.session` and `.algo` are collections that are there without being made: the first belongs to
one call with everything that it calls, the second to one algorithm and one caller.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from troth.access.data_rights import DataActor
from troth.errors import MalformedName, NotFound

LONGEST_NAME = 255
_ACCOUNT = re.compile(r"[A-Za-z0-9_]{1,63}", re.ASCII)
_COLLECTION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}", re.ASCII)
_LIVES = ("temp", "perm")
#: kinds of characters that are not seen, or that stand for others: controls, formats, surrogates, private and unassigned ones
_UNSEEN = frozenset(["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])


class NoSuchData(NotFound):
    """There is no such directory or file, or none that the caller may know of."""


@dataclass(frozen=True, slots=True)
class DataPath:
    """What is named. Without a file it is a directory; without a collection an account, or with `folder` what lies above
    collections of algorithms; without an account everything."""

    #: as it was asked for, without a slash at its end
    shown: str
    account: str = ""
    #: the name of a collection; `.session/REQUEST` and `.algo/OWNER/NAME/temp` are names as well
    collection: str = ""
    file: str = ""
    #: `.algo`, `.algo/OWNER` or `.algo/OWNER/NAME`
    folder: str = ""

    @property
    def special(self) -> bool:
        """Whether it lies in a collection that has no ACL."""
        return self.collection.startswith(".") or bool(self.folder)

    @property
    def algorithm(self) -> str:
        """`owner/name` of the algorithm whose collection it is, if it is one's."""
        parts = self.collection.split("/")
        return "/".join(parts[1:3]) if parts[0] == ".algo" else ""

    def __str__(self) -> str:
        return f"data://{self.shown}"


def path_of(segments: Sequence[str], actor: DataActor) -> DataPath:
    """What the segments of a path name to who asks. Raises MalformedName, or NoSuchData for what can never be there."""
    shown = "/".join(segments)
    for segment in segments:
        if segment in ("", "..", ".") or "/" in segment:
            raise _malformed(segment, "a path is made of names with single slashes between them")
    match segments:
        case []:
            return DataPath("")
        case [".session", *rest]:
            return _in_session(shown, rest, actor)
        case [".algo", *rest]:
            return _in_algorithm(shown, rest, actor)
    account = actor.name if segments[0] == ".my" else segments[0]
    if not _ACCOUNT.fullmatch(account):
        raise no_such(f"data://{shown}")
    match segments[1:]:
        case []:
            return DataPath(shown, account)
        case [collection]:
            return DataPath(shown, account, check_collection(collection))
        case [collection, file]:
            return DataPath(shown, account, check_collection(collection), check_file(file))
    raise _malformed("/".join(segments[2:]), "collections have files and no directories in them")


def check_collection(name: str) -> str:
    """`name`, if a collection may be called so. Raises MalformedName."""
    if not _COLLECTION.fullmatch(name):
        raise _malformed(
            name, f"a collection has letters, digits, underscores, dashes and inner dots, at most {LONGEST_NAME}"
        )
    return name


def check_file(name: str) -> str:
    """The name of a file in the one form that it is kept in (NFC). Raises MalformedName.

    What looks like another name is refused: characters that are not seen, and those that stand for a slash or a dot.
    """
    plain = unicodedata.normalize("NFC", name)
    alike = unicodedata.normalize("NFKC", name)
    if any(unicodedata.category(character) in _UNSEEN for character in plain):
        raise _malformed(name, "a name has no characters that are not seen")
    if alike in ("", ".", "..") or any(character in "/\\" for character in alike) or _has_slash(plain):
        raise _malformed(name, "a name is no dots alone, and has nothing in it that is or looks like a slash")
    if plain != plain.strip():
        raise _malformed(name, "a name does not begin or end with a space")
    if len(plain.encode()) > LONGEST_NAME:
        raise _malformed(name, f"a name has at most {LONGEST_NAME} bytes")
    return plain


def no_such(path: DataPath | str) -> NoSuchData:
    """The one answer for what is not there and for what the caller may not know of."""
    return NoSuchData(f"there is no {str(path)[:300]}")


def _in_session(shown: str, rest: Sequence[str], actor: DataActor) -> DataPath:
    if actor.within is None or len(rest) > 1:
        raise no_such(f"data://{shown}")
    return DataPath(shown, actor.name, f".session/{actor.within.session}", check_file(rest[0]) if rest else "")


def _in_algorithm(shown: str, rest: Sequence[str], actor: DataActor) -> DataPath:
    if rest and rest[0] in _LIVES and actor.within is not None:
        rest = [*actor.within.algorithm.split("/"), *rest]
    if any(not _ACCOUNT.fullmatch(name) for name in rest[:2]) or len(rest) > 4:
        raise no_such(f"data://{shown}")
    if len(rest) < 3:
        return DataPath(shown, actor.name, folder="/".join([".algo", *rest]))
    if rest[2] not in _LIVES:
        raise no_such(f"data://{shown}")
    collection = "/".join([".algo", *rest[:3]])
    return DataPath(shown, actor.name, collection, check_file(rest[3]) if rest[3:] else "")


def _has_slash(name: str) -> bool:
    return any(character in name for character in "\u2044\u2215\u29f8\u2571\u2216\u29f5\u29f9\ufe68")


def _malformed(name: str, rule: str) -> MalformedName:
    return MalformedName(f"{name[:80]!r} is not a name in a path of data", why=rule, repair="choose another name")

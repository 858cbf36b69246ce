"""The commands that judge contracts without a server: troth check, on a project, on pairs of documents, and on many pairs."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.markup import escape

from troth.contracts.project import FILE
from troth.contracts.rendering import as_annotations, as_html, as_markdown, as_text
from troth.doors.cli.output import Algorithm, Common, Remote, say, show, show_json, working
from troth.errors import Malformed, MalformedSource, Refused
from troth.settings import load
from troth.versions import rendering
from troth.versions.history import Readings
from troth.versions.numbers import Number

if TYPE_CHECKING:
    from troth.doors.cli.project_check import Asked, ProjectCheck

Format = Literal["text", "json", "markdown", "github", "html"]
Kind = Literal["schema", "openapi", "python", "wire"]
Side = Literal["input", "output", "contained"]

_SECONDS = 30.0

Old = Annotated[
    Path, Parameter(allow_leading_hyphen=True, help="The older file, in JSON or YAML; - is standard input.")
]
New = Annotated[Path, Parameter(allow_leading_hyphen=True, help="The newer file.")]
Told = Annotated[
    Format,
    Parameter(
        name="--format", help="How it is told; github is annotations of a workflow, markdown a comment, html a page."
    ),
]
Seconds = Annotated[float, Parameter(help="Seconds that one pair may take; then it cannot be told.")]
Tolerant = Annotated[
    bool, Parameter(negative="", help="Let wire formats gain optional properties and values of enums (note N10).")
]


@Parameter(name="*")
@dataclass(frozen=True)
class Pairing(Common):
    """Options of every comparison of two documents."""

    seconds: Seconds = _SECONDS
    told: Told = "text"

    @property
    def form(self) -> Format:
        return "json" if self.json else self.told


@Parameter(name="*")
@dataclass(frozen=True)
class Read:
    """How the operator of the server reads the policy; without an option, as the settings say."""

    visibility_fixed_per: Annotated[
        Literal["major", "minor"] | None, Parameter(help="Reading of note N3 (TROTH_VISIBILITY_FIXED_PER).")
    ] = None
    compatibility: Annotated[
        Literal["enforce", "warn"] | None,
        Parameter(help="Whether breaks are refused or only said (TROTH_COMPATIBILITY)."),
    ] = None

    def readings(self, project: Path) -> Readings:
        """The readings in force: the options, the environment, and `[settings]` of the project's troth.toml."""
        chosen = {"visibility_fixed_per": self.visibility_fixed_per, "compatibility": self.compatibility}
        settings = load(chosen, project)
        return Readings(settings.visibility_fixed_per, settings.latest_private, settings.compatibility)


check = App(
    name="check",
    help="Judges whether what callers rely on is kept: a project, two documents, or many pairs of them.",
    help_format="plaintext",
)
check.command("troth.doors.cli.history:history", name="history")
#: Exit codes by answer; what cannot be told is refused like what breaks.
_EXIT = {"compatible": 0, "breaking": 3, "cannot-tell": 3, "invalid": 2}
_LARGEST_FILE = 16 << 20
_MOST_MODULES = 5_000


@check.default
def check_project(
    *,
    project: Annotated[Path, Parameter(help="Folder of the project.")] = Path(),
    against: Annotated[
        str | None,
        Parameter(help="A branch, tag or commit of the folder's repository (default HEAD), or OWNER/NAME[/VERSION]."),
    ] = None,
    major: Annotated[bool, Parameter(negative="", help="Would it do as a major?")] = False,
    minor: Annotated[bool, Parameter(negative="", help="Would it do as a minor?")] = False,
    revision: Annotated[bool, Parameter(negative="", help="Would it do as a revision?")] = False,
    number: Annotated[str | None, Parameter(help="Would it do under this complete number?")] = None,
    confirm_permissions: Annotated[
        bool, Parameter(negative="", help="A major that changes permissions is meant to.")
    ] = False,
    bulk: Annotated[
        Kind | None, Parameter(help="Instead of a project, compare pairs of this kind from standard input.")
    ] = None,
    tolerant: Tolerant = False,
    seconds: Seconds = _SECONDS,
    algorithm: Algorithm = None,
    told: Told = "text",
    read: Read = Read(),
    remote: Remote = Remote(),
) -> int:
    """Judges a project's folder as publishing it would: what changed, and which number is the lowest that is legal.

    It needs no server where it is compared with what git has. Exits with 3 where the number that is asked for is refused.
    Examples are replayed where workers can be isolated here; else the verdict says that behaviour was not checked.
    A folder that git does not have there yet is a new project, of which everything is new.

    With --bulk it reads NDJSON: one object {"id", "old", "new"} a line, answered in order by one {"id", "verdict", "changes",
    "witness"} a line. For schemas a line may say "side": input, output or contained. A line that is none is answered as
    invalid, an empty one too, and a pair that takes too long as cannot-tell; the run goes on, and exits with 0.
    """
    if bulk is not None:
        return _lines(bulk, tolerant, seconds)
    from troth.commands.judging import LEAST
    from troth.doors.cli.project_check import Asked, ProjectCheck, told_apart

    bumps = [name for name, on in (("major", major), ("minor", minor), ("revision", revision)) if on]
    if len(bumps) + (number is not None) > 1:
        raise Malformed(
            "there are several numbers to judge", repair="give one of --major, --minor, --revision, --number"
        )
    asked = Asked(
        next(iter(bumps), LEAST), number=Number.parse(number) if number else None, confirmed=confirm_permissions
    )
    with ProjectCheck(project, algorithm, remote.settings, read.readings(project)) as checking:
        verdict = _judged(checking, told_apart(project, against), str(against), asked, seconds, remote)
    for line in checking.said:
        say(escape(line))
    _show_verdict(verdict, "json" if remote.json else told, str(project / FILE))
    return 0 if verdict["outcome"] == "allowed" else Refused.exit_code


def _judged(
    checking: ProjectCheck, commit: str | None, reference: str, asked: Asked, seconds: float, remote: Remote
) -> dict[str, Any]:
    """The verdict beside that commit, or without one beside what the reference means on the server."""
    if commit is not None and asked.number is not None:
        raise Malformed("what git has is no numbered version", repair="give --major, --minor or --revision")
    with working(f"comparing {checking.project.subject} ..."):
        if commit is not None:
            return checking.verdict(checking.committed(commit), asked, seconds)
        with remote.client() as client:
            beside = checking.published(client, reference)
        return checking.verdict(beside, asked, seconds)


def _show_verdict(verdict: dict[str, Any], told: Format, file: str) -> None:
    if told == "json":
        show_json(verdict)
    elif told == "markdown":
        print(rendering.as_markdown(verdict), end="")
    elif told == "html":
        print(rendering.as_html(verdict), end="")
    elif told == "github":
        if annotations := rendering.as_annotations(verdict, file):
            print(annotations)
    else:
        show(escape(rendering.as_text(verdict)))


def _lines(kind: Kind, tolerant: bool, seconds: float) -> int:
    """Answers the pairs on standard input, each before the next is read."""
    from troth.doors.cli.pairs import Pairs, lines_of, too_long

    with Pairs(kind, tolerant=tolerant, seconds=seconds) as pairs:
        for line in lines_of(sys.stdin.buffer):
            print(json.dumps(too_long() if line is None else pairs.answer(line)), flush=True)
    return 0


@check.command
def schema(
    old: Old,
    new: New,
    /,
    *,
    side: Annotated[Side, Parameter(help="What the schema is of; contained asks whether new accepts all of old.")] = (
        "input"
    ),
    how: Pairing = Pairing(),
) -> int:
    """Judges two JSON Schemas: may who relied on OLD rely on NEW?

    Exits with 0 where it is compatible, and with 3 where it breaks or cannot be told.
    """
    return _pair("schema", old, new, how, side=side)


@check.command
def openapi(old: Old, new: New, /, *, how: Pairing = Pairing()) -> int:
    """Judges two OpenAPI documents (3.0 or 3.1): do programs written for OLD work with NEW?

    Exits with 0 where it is compatible, and with 3 where it breaks or cannot be told.
    """
    return _pair("openapi", old, new, how)


@check.command
def python(
    old: Annotated[
        Path,
        Parameter(allow_leading_hyphen=True, help="The older file, or a folder with modules; - is standard input."),
    ],
    new: Annotated[Path, Parameter(allow_leading_hyphen=True, help="The newer file or folder.")],
    /,
    *,
    how: Pairing = Pairing(),
) -> int:
    """Judges two Python modules or packages: does code that uses OLD work with NEW? Nothing is imported or run.

    Exits with 0 where it is compatible, and with 3 where it breaks or cannot be told.
    """
    return _pair("python", old, new, how)


@check.command
def wire(old: Old, new: New, /, *, tolerant: Tolerant = False, how: Pairing = Pairing()) -> int:
    """Judges two wire formats of a command, as JSON Schemas: may its version stay?

    {"schema": ..., "serialisation": "json"} in a file says how it is sent. Exits with 0 where both mean the same, and with 3
    where a new version is needed or it cannot be told (PDB-44, PDB-45).
    """
    return _pair("wire", old, new, how, tolerant=tolerant)


def _pair(kind: Kind, old: Path, new: Path, how: Pairing, *, tolerant: bool = False, **more: Any) -> int:
    """Shows the answer to two files, and gives its exit code. Raises Malformed for files that cannot be read."""
    from troth.doors.cli.pairs import Pairs

    if str(old) == str(new) == "-":
        raise Malformed("both documents would come from standard input", repair="name a file for one of them")
    texts = {name: _source(path, kind) for name, path in (("old", old), ("new", new))}
    with Pairs(kind, form="texts", tolerant=tolerant, seconds=how.seconds) as pairs:
        answer = pairs.answer(json.dumps({**texts, **more}).encode())
        answer.pop("id")
        if answer["verdict"] == "invalid" and how.form != "json":
            raise _invalid(pairs, kind, {"old": old, "new": new}, texts, answer["fault"])
    _show(kind, answer, how.form, str(new))
    return _EXIT[answer["verdict"]]


def _show(kind: str, answer: dict[str, Any], told: Format, file: str) -> None:
    if told == "json":
        show_json(answer)
    elif told == "markdown":
        print(as_markdown(kind, answer), end="")
    elif told == "html":
        print(as_html(kind, answer), end="")
    elif told == "github":
        if annotations := as_annotations(kind, answer, file):
            print(annotations)
    else:
        show(escape(as_text(kind, answer)))


def _invalid(pairs: Any, kind: Kind, paths: dict[str, Path], texts: dict[str, Any], fault: str) -> Malformed:
    """Which of the two cannot be compared: the one that cannot be compared with itself."""
    faulty = "new"
    for name in ("old", "new"):
        alone = pairs.answer(json.dumps({"old": texts[name], "new": texts[name]}).encode())
        if alone["verdict"] == "invalid":
            faulty, fault = name, alone["fault"].removeprefix("old: ")
            break
    what = {"schema": "a JSON Schema", "wire": "a JSON Schema", "openapi": "an OpenAPI document", "python": "Python"}
    return Malformed(f"{paths[faulty]} is not {what[kind]} that can be compared", why=fault, repair="mend that place")


def _source(path: Path, kind: Kind) -> str | dict[str, str]:
    """The text of a file; of a folder with Python its modules by their paths."""
    if kind == "python" and path.is_dir():
        return _modules(path)
    try:
        with sys.stdin.buffer if str(path) == "-" else path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise Malformed(f"{path} cannot be read: {error.strerror}", repair="name another file") from None
    if len(content) > _LARGEST_FILE:
        raise Malformed(
            f"{path} is larger than {_LARGEST_FILE >> 20} MiB", why="no more is read", repair="name another file"
        )
    return _text(path, content)


def _modules(folder: Path) -> dict[str, str]:
    from troth.sdk.folder import read_files

    found = {}
    for entry, content in read_files(folder):
        if entry.path.endswith((".py", ".pyi")):
            found[entry.path] = _text(folder / entry.path, content)
    if len(found) <= _MOST_MODULES and sum(map(len, found.values())) <= _LARGEST_FILE:
        return found
    raise MalformedSource(
        f"{folder} has too many or too large modules",
        why=f"at most {_LARGEST_FILE >> 20} MiB in {_MOST_MODULES} files are compared",
        repair="name the folder of the package alone",
    )


def _text(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(
            f"{path} is not text: {error.reason} at byte {error.start}", why="it is read as UTF-8", repair="convert it"
        ) from None

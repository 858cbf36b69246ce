"""troth api check: what a branch does to the versions of its APIs. It needs no server, and may ask one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.markup import escape

from troth.contracts.apis.branch import Checked, Excusing, checked
from troth.contracts.apis.declared import FILE
from troth.contracts.apis.digests import change_of_texts
from troth.contracts.apis.rendering import as_annotations, as_markdown, as_text
from troth.contracts.openapi.text import UnreadableDocument
from troth.doors.cli.api_sides import START, Gathered, Pair, Records, of_documents, of_record, of_repository
from troth.doors.cli.given_waivers import Waivers
from troth.doors.cli.output import show, show_json, working
from troth.errors import Malformed, Refused
from troth.versions.lifecycles.subject import Asked
from troth.versions.releases.numbers import STEPS, ReleaseNumber
from troth.versions.verdict import Outcome
from troth.versions.waivers import Considered


@Parameter(name="*")
@dataclass(frozen=True)
class Released(Waivers):
    """Where what was released comes from, and what excuses a change of it."""

    recorded: Annotated[
        bool, Parameter(negative="", help="Ask the server for what was released: states, documents and decisions.")
    ] = False
    api: Annotated[
        str, Parameter(help="Of documents: OWNER/API on the server; a single one is compared with what is recorded.")
    ] = ""

    def excusing(self, subject: str) -> Excusing:
        """The waivers for changes of an API, each held against the change that is asked about."""
        given = self.given("api", subject, lambda client: client.api_waivers(subject)["waivers"])
        if not given.in_files and not given.on_server:
            return lambda asked, old, new: ()

        def found(asked: Asked, old: str, new: str) -> tuple[Considered, ...]:
            try:
                return given.of_change(change_of_texts(asked.number, old, new), asked.numbered)
            except (UnreadableDocument, ValueError, TypeError) as error:
                raise Malformed("a document is not OpenAPI", why=str(error), repair="mend that place") from None

        return found


@Parameter(name="*")
@dataclass(frozen=True)
class Alone:
    """What is said of a document that no apis.toml declares."""

    state: Annotated[
        str | None, Parameter(help="Of two documents: the state of their version; current where it is not given.")
    ] = None
    version: Annotated[str, Parameter(help="Of documents: their version.")] = "v1"
    security_fix: Annotated[str, Parameter(help="Of documents: the fault that it mends, CVE-2026-1.")] = ""


def check(
    old: Annotated[Path | None, Parameter(help="The released OpenAPI document, instead of a repository.")] = None,
    new: Annotated[Path | None, Parameter(help="The document of the branch; with --api it may stand alone.")] = None,
    /,
    *,
    project: Annotated[Path, Parameter(help=f"Folder with an {FILE}, in a git repository.")] = Path(),
    against: Annotated[
        str | None, Parameter(help="Tag, branch or commit that was released; else the highest tag like v1.2.3.")
    ] = None,
    release: Annotated[
        str | None, Parameter(help="The release that it is to ride on; else the lowest that would do is told.")
    ] = None,
    alone: Alone = Alone(),
    seconds: Annotated[float, Parameter(help="Seconds that one comparison may take.")] = 60.0,
    told: Annotated[
        Literal["text", "json", "markdown", "github"],
        Parameter(name="--format", help="How it is told; github is annotations of a workflow, markdown a comment."),
    ] = "text",
    released: Released = Released(),
) -> int:
    """Judges what a branch does to the versions of its APIs, beside what was released: documents and states.

    The versions are declared in apis.toml. A document that changed is judged by the state of its version, a state that
    changed as a move. With --recorded a server says what was released, of the APIs whose table names a subject. Two documents
    are judged alone, and one beside what the server has of --api. Exits with 3 where it is refused or needs a decision.
    """
    from troth.doors.cli.release import Comparing

    with ExitStack() as opening, working("comparing with what was released ..."):
        comparing = opening.enter_context(Comparing(seconds))
        gathered = _gathered(old, new, project, against, alone, released, opening)
        number = ReleaseNumber.parse(release) if release else None
        excusing = {subject: released.excusing(subject) for subject in {_subject(one) for one in gathered.pairs}}
        found = list(
            _judged(gathered, number, excusing, lambda one, two: comparing("openapi", {"old": one, "new": two}))
        )
    answers = [one.as_dict() for one in found]
    files = {name: file for pair in gathered.pairs for name, file in pair.files.items()}
    _show(answers, "json" if released.json else told, files)
    return 0 if all(one.outcome is Outcome.ALLOWED for one in found) else Refused.exit_code


def _gathered(
    old: Path | None,
    new: Path | None,
    project: Path,
    against: str | None,
    alone: Alone,
    released: Released,
    opening: ExitStack,
) -> Gathered:
    """What is to be compared, by what was given."""
    if old is not None and new is not None:
        return of_documents(old, new, alone.version, alone.state or "current", alone.security_fix, released.api)
    if old is None and released.api:
        raise Malformed("--api is for documents", repair=f"name one, or write subject into {FILE} and give --recorded")
    if old is None:
        records = Records(opening.enter_context(released.client())) if released.recorded else None
        return of_repository(project, against, records)
    if not released.api:
        raise Malformed(
            "a single document is compared with what a server has",
            repair="name the released document before it, or the API: --api OWNER/API",
        )
    if alone.state is not None:
        raise Malformed("the server says which state a version has", repair="leave --state out")
    records = Records(opening.enter_context(released.client()))
    return of_record(old, alone.version, alone.security_fix, released.api, records)


def _judged(
    gathered: Gathered, release: ReleaseNumber | None, excusing: Mapping[str, Excusing], compare: Any
) -> Iterator[Checked]:
    """The answers in this release; else in the lowest behind the former one that is allowed, or has the least against it."""
    remembered: dict[tuple[str, str], Any] = {}

    def once(one: str, two: str) -> Any:
        if (one, two) not in remembered:
            remembered[one, two] = compare(one, two)
        return remembered[one, two]

    former = gathered.former
    tried = [release] if release else [(former or START).raised(step) for step in STEPS]
    found: list[Checked] = []
    for number in tried:
        found = [
            checked(one.old, one.new, number, once, former, excusing[_subject(one)], one.notes)
            for one in gathered.pairs
        ]  # fmt: skip
        if all(one.outcome is Outcome.ALLOWED for one in found):
            break
    yield from found


def _subject(pair: Pair) -> str:
    return pair.new.declared.subject or pair.old.declared.subject


def _show(answers: list[dict[str, Any]], told: str, files: dict[str, str]) -> None:
    if told == "json":
        show_json({"apis": answers})
    elif told == "markdown":
        print(as_markdown(answers), end="")
    elif told == "github":
        if annotations := as_annotations(answers, files, FILE):
            print(annotations)
    else:
        show(escape(as_text(answers)))

"""The commands on a product's releases: troth release check."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.markup import escape

from troth.contracts.declared_tables import FILE
from troth.doors.cli.given_waivers import Waivers
from troth.doors.cli.output import show, show_json, working
from troth.errors import Malformed, Refused
from troth.versions.releases import rendering

if TYPE_CHECKING:
    from collections.abc import Mapping

    from troth.doors.cli.pairs import Pairs
    from troth.releases.check import Subject

Format = Literal["text", "json", "markdown", "github"]
_SECONDS = 300.0

release = App(
    name="release",
    help="Judges the releases of a product: software whose numbers are X.Y.Z, as its troth.toml declares it.",
    help_format="plaintext",
)
release.command("troth.doors.cli.recording:record", name="record")
release.command("troth.doors.cli.publishing:cut", name="cut")
release.command("troth.doors.cli.release_waivers:request_waiver", name="request-waiver")
release.command("troth.doors.cli.publishing:list_", name="list")
release.command("troth.doors.cli.publishing:show_", name="show")
release.command("troth.doors.cli.publishing:changelog", name="changelog")
release.command("troth.doors.cli.publishing:stable", name="stable")
release.command("troth.doors.cli.publishing:yank", name="yank")
release.command("troth.doors.cli.publishing:fetch", name="fetch")
release.command("troth.doors.cli.announcing:due", name="due")
release.command("troth.doors.cli.announcing:cadence", name="cadence")
release.command("troth.doors.cli.announcing:plan", name="plan")
release.command("troth.doors.cli.announcing:cancel", name="cancel")


@release.command
def check(
    *,
    project: Annotated[Path, Parameter(help="Folder of the product, which holds its troth.toml.")] = Path(),
    base: Annotated[
        str | None, Parameter(help="A release, tag, branch or commit to compare with, instead of the last release.")
    ] = None,
    commit: Annotated[str, Parameter(help="What is judged.")] = "HEAD",
    number: Annotated[
        str | None, Parameter(help="Would this number do? Else the one that troth.toml declares.")
    ] = None,
    patch: Annotated[bool, Parameter(negative="", help="Would the next patch do?")] = False,
    minor: Annotated[bool, Parameter(negative="", help="Would the next minor do?")] = False,
    major: Annotated[bool, Parameter(negative="", help="Would the next major do?")] = False,
    complete: Annotated[
        bool, Parameter(negative="", help="What a whole release lacks refuses too: occasion, records, documentation.")
    ] = False,
    lenient: Annotated[
        bool,
        Parameter(negative="", help="Read tags like 1.0.0rc1 as they are meant, and list those that are no number."),
    ] = False,
    prove_migrations: Annotated[
        bool, Parameter(negative="", help="Run the migrations from every supported release, on filled databases.")
    ] = False,
    prove_from: Annotated[
        tuple[str, ...], Parameter(help="Run them from this release only; may be given several times.")
    ] = (),
    docs: Annotated[
        Path | None, Parameter(help="Folder of the built documentation, or a tar.gz of it, whose links are followed.")
    ] = None,
    build_docs: Annotated[
        bool, Parameter(negative="", help="Build the documentation as troth.toml says, and follow its links.")
    ] = False,
    database: Annotated[
        str | None, Parameter(help="Address of a PostgreSQL on which databases may be made and dropped; else SQLite.")
    ] = None,
    seconds: Annotated[
        float, Parameter(help="Seconds that one comparison, or one run of migrations, may take.")
    ] = _SECONDS,
    told: Annotated[
        Format,
        Parameter(name="--format", help="How it is told; github is annotations of a workflow, markdown a comment."),
    ] = "text",
    given: Waivers = Waivers(),
) -> int:
    """Tells what changed since the last release, and the lowest number that is legal for it. It needs no server.

    It judges what is committed, by the clauses of the profiles that troth.toml names, and lists every rule that asked for
    a step. Exits with 3 where the number that is asked for, or declared, is refused or needs a decision.
    """
    from troth.releases.check import Asked, as_json, facts_of, judged, opened
    from troth.releases.proving.paths import Proving
    from troth.versions.releases.numbers import ReleaseNumber, Step

    steps = [step for step, on in ((Step.PATCH, patch), (Step.MINOR, minor), (Step.MAJOR, major)) if on]
    if len(steps) + (number is not None) > 1:
        raise Malformed("there are several numbers to judge", repair="give one of --number, --patch, --minor, --major")
    asked = Asked(
        ReleaseNumber.parse(number) if number else None, next(iter(steps), None), base, commit, lenient, complete
    )
    with ExitStack() as opening, working("comparing with the last release ..."):
        subject = opened(project, asked)
        proving = opening.enter_context(Proving(subject, database, seconds))
        compare = opening.enter_context(Comparing(min(seconds, 60.0)))
        facts = facts_of(subject, compare, proving.listed)
        if docs or build_docs:
            _follow(subject, docs, seconds)
        paths: list[dict[str, Any]] = []
        if prove_migrations or prove_from:
            found = proving.proved(facts, asked, list(prove_from))
            facts, paths = [*facts, *found.facts], found.told
        tried = bool(prove_migrations or prove_from)
        verdict = judged(subject, facts, asked, tried=tried, waivers=given.of(subject))
    answer = as_json(subject, verdict) | ({"paths": paths} if paths else {})
    _show(answer, "json" if given.json else told, str(project / FILE))
    return 0 if answer["outcome"] == "allowed" or _is_open(answer) else Refused.exit_code


def _follow(subject: Subject, docs: Path | None, seconds: float) -> None:
    """Follows the links of the documentation, which is built where no folder is named. Raises what `followed` raises."""
    from troth.releases.documentation import built, followed

    made = followed(docs or built(subject, seconds), subject.product, seconds)
    subject.warnings.append(
        f"the links of the documentation hold, in {made.pages} page{'s' if made.pages != 1 else ''}"
    )


def _is_open(answer: Mapping[str, Any]) -> bool:
    """Whether no number was asked for, and one is legal: then it is told and nothing is refused."""
    return answer["number"] is None and answer["least"] is not None and answer["outcome"] != "refused"


def _show(answer: dict[str, Any], told: Format, file: str) -> None:
    if told == "json":
        show_json(answer)
    elif told == "markdown":
        print(rendering.as_markdown(answer), end="")
    elif told == "github":
        if annotations := rendering.as_annotations(answer, file):
            print(annotations)
    else:
        show(escape(rendering.as_text(answer)))


class Comparing:
    """Compares pairs of documents, each kind in a process of its own that is started when it is needed."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pairs: dict[tuple[str, bool], Pairs] = {}

    def __enter__(self) -> Comparing:
        return self

    def __exit__(self, *_: object) -> None:
        for pairs in self._pairs.values():
            pairs.__exit__()

    def __call__(self, kind: str, pair: Mapping[str, Any]) -> Mapping[str, Any]:
        from troth.doors.cli.pairs import Pairs

        tolerant = bool(pair.get("tolerant"))
        if (kind, tolerant) not in self._pairs:
            self._pairs[kind, tolerant] = Pairs(kind, form="texts", tolerant=tolerant, seconds=self._seconds)
        asked = {name: pair[name] for name in ("old", "new")}
        return self._pairs[kind, tolerant].answer(json.dumps(asked).encode())

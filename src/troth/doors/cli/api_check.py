"""troth api check: what a branch does to the versions of its APIs. It needs no server."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from rich.markup import escape

from troth.contracts.apis.branch import Checked, Side, checked
from troth.contracts.apis.declared import FILE, DeclaredApi, DeclaredVersion, declared_apis
from troth.contracts.apis.rendering import as_annotations, as_markdown, as_text
from troth.contracts.product import FILE as PRODUCT
from troth.contracts.product import is_product, parse_product
from troth.doors.cli.output import Common, show, show_json, working
from troth.errors import Malformed, NotFound, Refused
from troth.versions.lifecycles.numbers import parsed
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.subject import Standing
from troth.versions.releases.numbers import STEPS, ReleaseNumber
from troth.versions.verdict import Outcome

if TYPE_CHECKING:
    from troth.releases.repository import Repository

_LARGEST_FILE = 16 << 20
#: of a release, where no product says how its tags are named
_TAG = re.compile(r"v?([0-9]+\.[0-9]+\.[0-9]+)")
_START = ReleaseNumber.of(1, 0, 0)


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides of one API, and where its documents lie."""

    old: Side
    new: Side
    files: dict[str, str]


def check(
    old: Annotated[Path | None, Parameter(help="The released OpenAPI document, instead of a repository.")] = None,
    new: Annotated[Path | None, Parameter(help="The document of the branch.")] = None,
    /,
    *,
    project: Annotated[Path, Parameter(help=f"Folder with an {FILE}, in a git repository.")] = Path(),
    against: Annotated[
        str | None, Parameter(help="Tag, branch or commit that was released; else the highest tag like v1.2.3.")
    ] = None,
    release: Annotated[
        str | None, Parameter(help="The release that it is to ride on; else the lowest that would do is told.")
    ] = None,
    state: Annotated[str, Parameter(help="Of two documents: the state of their version.")] = "current",
    version: Annotated[str, Parameter(help="Of two documents: their version.")] = "v1",
    security_fix: Annotated[str, Parameter(help="Of two documents: the fault that it mends, CVE-2026-1.")] = "",
    seconds: Annotated[float, Parameter(help="Seconds that one comparison may take.")] = 60.0,
    told: Annotated[
        Literal["text", "json", "markdown", "github"],
        Parameter(name="--format", help="How it is told; github is annotations of a workflow, markdown a comment."),
    ] = "text",
    common: Common = Common(),
) -> int:
    """Judges what a branch does to the versions of its APIs, beside what was released: documents and states.

    The versions are declared in apis.toml. A document that changed is judged by the state of its version, a state that
    changed as a move. Two documents are judged alone. Exits with 3 where it is refused or needs a decision.
    """
    from troth.doors.cli.release import Comparing

    with ExitStack() as opening, working("comparing with what was released ..."):
        comparing = opening.enter_context(Comparing(seconds))
        if old is not None and new is not None:
            pairs, former = [_documents(old, new, version, state, security_fix)], None
        else:
            pairs, former = _repository(project, against)
        number = ReleaseNumber.parse(release) if release else None
        found = _judged(pairs, number, former, lambda one, two: comparing("openapi", {"old": one, "new": two}))
    answers = [one.as_dict() for one in found]
    _show(answers, "json" if common.json else told, {name: file for pair in pairs for name, file in pair.files.items()})
    return 0 if all(one.outcome is Outcome.ALLOWED for one in found) else Refused.exit_code


def _judged(
    pairs: list[Pair], release: ReleaseNumber | None, former: ReleaseNumber | None, compare: Any
) -> list[Checked]:
    """The answers in this release; else in the lowest behind the former one that is allowed, or has the least against it."""
    remembered: dict[tuple[str, str], Any] = {}

    def once(one: str, two: str) -> Any:
        if (one, two) not in remembered:
            remembered[one, two] = compare(one, two)
        return remembered[one, two]

    tried = [release] if release else [(former or _START).raised(step) for step in STEPS]
    found: list[Checked] = []
    for number in tried:
        found = [checked(pair.old, pair.new, number, once, former) for pair in pairs]
        if all(one.outcome is Outcome.ALLOWED for one in found):
            break
    return found


def _documents(old: Path, new: Path, version: str, state: str, security: str) -> Pair:
    if state not in list(State):
        raise Malformed(f"{state!r} is no state", repair=f"write one of {', '.join(State)}")
    number = parsed(version)
    declared = DeclaredVersion(Standing(number, State(state), _START), str(new), security)
    api = DeclaredApi("api", {number: declared})
    sides = [Side(api, {number: _text(path)}) for path in (old, new)]
    return Pair(sides[0], sides[1], {f"api {version}": str(new)})


def _repository(project: Path, against: str | None) -> tuple[list[Pair], ReleaseNumber | None]:
    """Every API that the branch or the release declares, and the number of what was released, if any is known."""
    from troth.releases.repository import Repository

    content = _bytes(project / FILE)
    if content is None:
        raise NotFound(
            f"there is no {project / FILE}",
            why="it declares versions, states and documents",
            repair="write one (docs/life-cycle.md), or name two documents",
        )
    repository = Repository(project)
    name, former = _released(repository, against)
    snapshot = repository.snapshot(repository.resolve(name))
    after, then = declared_apis(content), snapshot.file(FILE)
    # what is declared for the first time was there before, as far as anybody can tell
    before = after if then is None else declared_apis(then)
    found = []
    for api in sorted({*before, *after}):
        old, new = before.get(api, DeclaredApi(api)), after.get(api, DeclaredApi(api))
        files = {f"{api} {one.standing.name}": str(project / one.document) for one in new.versions.values()}
        old_side = _side(old, lambda path: snapshot.file(path) or (_bytes(project / path) if then is None else None))
        found.append(Pair(old_side, _side(new, lambda path: _bytes(project / path)), files))
    return found, former


def _side(api: DeclaredApi, read: Any) -> Side:
    documents = {}
    for number, one in api.versions.items():
        if not one.document or one.standing.state is State.RETIRED:
            continue
        content = read(one.document)
        if content is None:
            raise Malformed(
                f"there is no {one.document}", why=f"{FILE} names it for v{number}", repair="commit it, or name another"
            )
        documents[number] = content.decode("utf-8-sig", "replace")
    return Side(api, documents)


def _released(repository: Repository, against: str | None) -> tuple[str, ReleaseNumber | None]:
    """What was released, by a name that git knows, and its number; where that is no release, the highest number there is."""
    releases = _releases(repository)
    highest = max(releases.items(), key=lambda one: one[1], default=None)
    if against is not None:
        return against, releases.get(repository.resolve(against), highest[1] if highest else None)
    if highest is None:
        raise NotFound(
            "nothing was released yet",
            why="no tag is a number like v1.2.3",
            repair="name what to compare with: --against",
        )
    return highest


def _releases(repository: Repository) -> dict[str, ReleaseNumber]:
    """The numbers of releases by their commits: as the product says that they are told, else by tags like v1.2.3."""
    from troth.releases.history import releases_of

    declared = _bytes(repository.folder / PRODUCT)
    if declared is None or not is_product(declared):
        named = ((tag.commit, _TAG.fullmatch(tag.name)) for tag in repository.tags())
        listed = [(commit, ReleaseNumber.parse(found[1])) for commit, found in named if found]
    else:
        product = parse_product(declared)
        found_releases = releases_of(repository, product, repository.resolve("HEAD"), tolerant=product.lenient)
        listed = [(one.commit, one.number) for one in found_releases.releases if not one.number.is_prerelease]
    return dict(sorted(listed, key=lambda one: one[1]))


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


def _bytes(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_FILE + 1)
    except OSError:
        return None


def _text(path: Path) -> str:
    content = _bytes(path)
    if content is None:
        raise Malformed(f"{path} cannot be read", repair="name another file")
    return content.decode("utf-8-sig", "replace")

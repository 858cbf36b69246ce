"""Commands of authors: new, run, compile, publish."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.markup import escape
from rich.prompt import Confirm

from troth.contracts.project import FILE
from troth.contracts.template import template
from troth.doors.cli.builds import awaited
from troth.doors.cli.caller import answer_as_dict, print_result, read_input
from troth.doors.cli.output import Algorithm, Common, Remote, console, say, show, show_json, working
from troth.errors import BuildFailed, Malformed, MalformedSource, TrothError
from troth.sdk import Client, push
from troth.sdk.folder import read_project
from troth.settings import default_owner, load
from troth.versions import names
from troth.versions.permissions import Permissions
from troth.versions.rendering import as_text, checked, timed


def new(
    name: str,
    path: Path | None = None,
    /,
    *,
    owner: Annotated[str | None, Parameter(help="Account that will own it (default: the account of your key).")] = None,
    public: Annotated[bool, Parameter(negative="", help="Let every account call it.")] = False,
    remote: Remote = Remote(),
) -> int:
    """Makes a folder with a working algorithm.

    Parameters
    ----------
    name
        Name of the algorithm, or OWNER/NAME.
    path
        Folder to make (default: the name).
    """
    if "/" in name:
        owner, name = name.split("/", 1)
    names.check_algorithm(name)
    owner = names.check_account(owner or _account(remote))
    folder = path or Path(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise MalformedSource(f"{folder} is not an empty folder", why="nothing is written over", repair="name another")
    files = template(owner, name, permissions=Permissions("public" if public else "private"))
    for path_within, content in files.items():
        (folder / path_within).parent.mkdir(parents=True, exist_ok=True)
        (folder / path_within).write_bytes(content)
    entry = folder / f"src/{name}.py"
    if remote.json:
        show_json({"path": str(folder), "algorithm": f"{owner}/{name}", "entry": str(entry)})
    else:
        show(f"{folder}: {owner}/{name}, a working algorithm in {entry}")
        say(f"next: troth publish --minor {escape(str(folder))}")
    return 0


def run(
    path: Path,
    given: str | None = None,
    /,
    *,
    text: Annotated[
        str | None, Parameter(name=["-t", "--text"], allow_leading_hyphen=True, help="Input as text, as it is.")
    ] = None,
    data: Annotated[
        str | None, Parameter(name=["-j", "--data-json"], allow_leading_hyphen=True, help="Input as JSON.")
    ] = None,
    file: Annotated[
        Path | None,
        Parameter(
            name=["-f", "--file"], allow_leading_hyphen=True, help="Input as the bytes of a file; - is standard input."
        ),
    ] = None,
    algorithm: Algorithm = None,
    timeout: Annotated[float | None, Parameter(help="Seconds that the call may take.")] = None,
    common: Common = Common(),
) -> int:
    """Runs a project's folder once on this machine, as a server would, and prints its result.

    No server is needed. What the algorithm prints during the call goes to standard error.

    Libraries are kept in the folder troth of XDG_CACHE_HOME.

    Parameters
    ----------
    path
        The project's folder.
    given
        The input: JSON where it reads as JSON, else text.
    """
    from troth.doors.cli.run import ran

    value = read_input(given, text, data, file)
    project, settings = read_project(path, algorithm), load()
    seconds = settings.call_seconds if timeout is None else timeout
    talking = console(stderr=True).is_terminal and not common.json
    with working(f"running {project.subject} ..."):
        done = ran(path, project, value, settings, seconds, _dimmed if talking else _silent)
    if common.json:
        show_json(answer_as_dict(done.answer()))
        return 0
    if done.result.output:
        say(escape(done.result.output.rstrip("\n")))
    answer = done.answer()
    print_result(answer)
    if talking:
        say(f"[dim]{answer.seconds * 1000:.1f} ms, isolation {done.isolation.level}[/]")
    return 0


def compile_(
    path: Path = Path(),
    /,
    *,
    algorithm: Algorithm = None,
    message: Annotated[str, Parameter(name=["-m", "--message"])] = "",
    remote: Remote = Remote(),
) -> int:
    """Builds a project's folder without publishing it; members can call the build by its hash.

    The source is pushed by git as one commit. A repository that the folder lies in is left as it is.

    Parameters
    ----------
    path
        The project's folder.
    message
        Message of the commit.
    """
    built = _build(path, algorithm, message, remote)
    if remote.json:
        show_json(built)
    else:
        show(f"{built['algorithm']}/{built['hash']}")
        say(f"built. next: troth call {built['algorithm']}/{built['hash']} INPUT")
    return 0


def publish(
    path: Path = Path(),
    /,
    *,
    major: Annotated[bool, Parameter(negative="", help="Raise the first number: for breaking changes.")] = False,
    minor: Annotated[bool, Parameter(negative="", help="Raise the second number: for new functionality.")] = False,
    revision: Annotated[bool, Parameter(negative="", help="Raise the third number: for fixes.")] = False,
    number: Annotated[
        str | None, Parameter(help="Publish under this complete number, e.g. to fix an older line.")
    ] = None,
    least: Annotated[bool, Parameter(negative="", help="Take the lowest number that the policy allows.")] = False,
    confirm_permissions: Annotated[
        bool, Parameter(negative="", help="A major that changes permissions is meant to.")
    ] = False,
    public: Annotated[bool, Parameter(negative="", help="Let every account call it.")] = False,
    private: Annotated[bool, Parameter(negative="", help="Let members of the owner call it only.")] = False,
    notes: Annotated[str, Parameter(name=["-m", "--notes"], help="Release notes.")] = "",
    algorithm: Algorithm = None,
    remote: Remote = Remote(),
) -> int:
    """Builds a project's folder and publishes it under the next number, if the policy allows it.

    The server compares the version with every earlier one of its major, and refuses a number that they contradict. On a
    terminal, where no number is said to be raised, it proposes the lowest that is allowed and asks.

    The source is pushed by git as one commit. A repository that the folder lies in is left as it is.

    Parameters
    ----------
    path
        The project's folder.
    """
    bumps = {"major": major, "minor": minor, "revision": revision, "least": least}
    how = _how(bumps, number, asking=_can_ask() and not remote.json)
    how |= _visibility(public=public, private=private)
    how |= {"confirm_permissions": True} if confirm_permissions else {}
    built = _build(path, algorithm, "", remote)
    with remote.client() as client:
        if "bump" not in how and "number" not in how:
            how["number"] = _proposed(client.check(built["algorithm"], built["hash"], **how))
        done = client.publish(built["algorithm"], built["hash"], notes=notes, **how)
    if remote.json:
        show_json(done)
        return 0
    reference = f"{done['algorithm']}/{done['version']}"
    visibility = done["permissions"]["visibility"]
    show(f"{reference} [green]published[/], {visibility}, version hash {done['hash'][:12]}")
    say(f"the policy (revision {done['verdict']['policy_revision']}) allows it; {checked(done['verdict'])}")
    if done["verdict"]["replays"]:
        say(timed(done["verdict"]))
    for warning in done["warnings"]:
        say(f"[yellow]warning:[/] {escape(warning)}")
    say(f"next: troth call {reference} INPUT")
    return 0


def _how(bumps: dict[str, bool], number: str | None, *, asking: bool) -> dict[str, Any]:
    """The number that is asked for; nothing where it can be asked about."""
    given = [bump for bump, wanted in bumps.items() if wanted]
    said = len(given) + (number is not None)
    if said > 1 or not (said or asking):
        raise Malformed(
            "say which number to raise" if not said else "say only once which number to raise",
            why="the number is the promise: --revision for fixes, --minor for additions, --major for breaks",
            repair="give one of --major, --minor, --revision and --number, or --least for the lowest that is allowed",
        )
    if number is not None:
        return {"number": number}
    return {"bump": given[0]} if given else {}


def _can_ask() -> bool:
    return console(stderr=True).is_terminal and sys.stdin.isatty()


def _visibility(*, public: bool, private: bool) -> dict[str, Any]:
    if public and private:
        raise Malformed("--public and --private exclude each other", repair="give one of them")
    return {"visibility": "public" if public else "private"} if public or private else {}


def _proposed(asked: dict[str, Any]) -> str:
    """The lowest number that is allowed, once the author agrees to it."""
    verdict = asked["verdict"]
    say(escape(as_text(verdict)))
    if Confirm.ask(
        f"publish {asked['algorithm']} as {verdict['number']}?", console=console(stderr=True), default=False
    ):
        return str(verdict["number"])
    raise Malformed("nothing was published", why="the proposed number was declined", repair="name another")


def _build(path: Path, algorithm: str | None, message: str, remote: Remote) -> dict[str, Any]:
    """The build of a folder's source, pushed as a commit; uploaded where there is no git."""
    project = read_project(path, algorithm)
    with remote.client() as client:
        if push.available():
            with working(f"pushing {project.subject} ..."):
                account = client.keys()["account"]
                commit = push.pushed(client, client.address, account, client.key, path, message, algorithm)
            built, shown = awaited(client, project.subject, commit, quiet=remote.json)
        else:
            built, shown = _uploaded(client, path, message), 0
    if built["status"] == "succeeded":
        return built
    raise BuildFailed(
        f"the build of {project.subject} failed",
        why=built["log"][shown:].strip() or "its log is above",
        repair="mend it and try again",
        asked=built["hash"],
    )


def _uploaded(client: Client, path: Path, message: str) -> dict[str, Any]:
    if not (path / FILE).is_file():
        raise MalformedSource(
            f"there is no {FILE} in {path}, and no git on this machine",
            why=f"a folder without {FILE} is pushed by git",
            repair=f"install git, or write a {FILE}: troth new shows one",
        )
    with working(f"building {path} ..."):
        return client.compile(path, message)


def _dimmed(words: str) -> None:
    say(f"[dim]{escape(words.rstrip())}[/]")


def _silent(words: str) -> None:
    pass


def _account(remote: Remote) -> str:
    """The account of the key that would publish, else a guess from the user's name."""
    try:
        with remote.client() as client:
            return str(client.keys()["account"])
    except Malformed:
        raise
    except TrothError as error:
        guess = default_owner()
        say(f"the owner {guess} is a guess, because {escape(error.what)}: change it in troth.toml, or give --owner")
        return guess

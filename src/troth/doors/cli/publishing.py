"""The commands on releases that a server keeps: troth release cut, list, show, stable, yank, fetch."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.markup import escape

from troth.doors.cli.output import Remote, say, show, show_json, show_table, working
from troth.doors.cli.release import Comparing
from troth.errors import Malformed, MalformedSource, NotFound
from troth.versions.releases import rendering

if TYPE_CHECKING:
    from troth.contracts.release_document import ReleaseDocument
    from troth.releases.check import Asked, Subject
    from troth.sdk import Client
    from troth.versions.releases.numbers import ReleaseNumber

_SECONDS = 300.0
Release = Annotated[str, Parameter(help="OWNER/PRODUCT/NUMBER; latest and stable are numbers too.")]


@dataclass(frozen=True, slots=True)
class Proofs:
    """How migrations are proved."""

    wanted: bool
    only: tuple[str, ...]
    database: str | None
    seconds: float


def cut(
    number: str | None = None,
    /,
    *,
    project: Annotated[Path, Parameter(help="Folder of the product, which holds its troth.toml.")] = Path(),
    docs: Annotated[
        Path | None,
        Parameter(
            help="Folder of the built documentation, or a tar.gz of it; else it is built, or what was committed."
        ),
    ] = None,
    artifact: Annotated[
        tuple[Path, ...], Parameter(help="A file that belongs to the release; may be given several times.")
    ] = (),
    base: Annotated[str | None, Parameter(help="The release before, where it is not the last one behind it.")] = None,
    commit: Annotated[str, Parameter(help="What is released.")] = "HEAD",
    lenient: Annotated[bool, Parameter(negative="", help="Read tags like 1.0.0rc1 as they are meant.")] = False,
    prove_migrations: Annotated[bool, Parameter(help="Run new migrations from every supported release.")] = True,
    prove_from: Annotated[tuple[str, ...], Parameter(help="Run them from this release only.")] = (),
    database: Annotated[
        str | None, Parameter(help="Address of a PostgreSQL on which databases may be made and dropped; else SQLite.")
    ] = None,
    seconds: Annotated[
        float, Parameter(help="Seconds that one comparison, or one run of migrations, may take.")
    ] = _SECONDS,
    tag: Annotated[bool, Parameter(help="Tag the commit in this repository once it is released.")] = True,
    remote: Remote = Remote(),
) -> int:
    """Releases a commit: what changed is told the server, which judges it, and records it whole or not at all.

    Parameters
    ----------
    number
        The number; else the one that troth.toml says.
    """
    from troth.releases.check import Asked, unheeded
    from troth.versions.releases.numbers import ReleaseNumber

    wanted = ReleaseNumber.parse(number) if number else None
    asked = Asked(base=base, commit=commit, lenient=lenient, complete=True)
    proofs = Proofs(prove_migrations, prove_from, database, seconds)
    with ExitStack() as held, remote.client() as client, working("releasing ..."):
        subject, chosen, document = gathered(project, asked, wanted, proofs)
        name = subject.product.tags.replace("{version}", str(chosen))
        for line in unheeded(subject, asked):
            say(f"note: {escape(line)}")
        found = _existing(client, subject, chosen)
        if found is None:
            files = _staged(held, subject, document, docs or _built(subject, seconds), artifact)
            found = _cut(client, subject, chosen, name, files)
    tagged = tag and _tag(subject, name)
    if remote.json:
        show_json({**found, "tagged": tagged})
    else:
        show(f"{subject.product.subject} {chosen} is released, as {found['tag']} at {found['commit'][:12]}")
        for line in (*rendering.waiver_lines(found["verdict"]), *found["verdict"]["warnings"]):
            show(f"  note: {escape(line)}")
    if tagged:
        say(f"next: git push origin {name}")
    return 0


def list_(product: str, /, *, remote: Remote = Remote()) -> int:
    """Lists the releases of a product, the highest first.

    Parameters
    ----------
    product
        OWNER/PRODUCT.
    """
    with remote.client() as client:
        found = client.releases(product)
    if remote.json:
        show_json(found)
        return 0
    rows = [
        [row["number"], row["cut_at"][:10], row["occasion"], row["cut_by"], row["commit"][:12], _marks(row)]
        for row in found
    ]
    show_table("", ["number", "released", "occasion", "by", "commit", "marks"], rows)
    return 0


def show_(name: Release, /, *, remote: Remote = Remote()) -> int:
    """Shows a release: its verdict, notes, migrations that were proved, tests and files."""
    product, number = _named(name)
    with remote.client() as client:
        found = client.release(product, number)
    if remote.json:
        show_json(found)
        return 0
    show(f"{found['product']} {found['number']}  {_marks(found)}".rstrip())
    show(
        f"  cut by {found['cut_by']} at {found['cut_at']} from {found['commit'][:12]}, occasion {found['occasion'] or '-'}"
    )
    show(f"  evidence {found['evidence_digest'][:12]}, documentation {(found['docs_digest'] or '-')[:12]}")
    for component, mark in found["components"].items():
        show(f"  {component}: {mark}")
    for one in found["notes"]:
        show(escape(f"  {one['kind'].removeprefix('noted-')}: {one['text'].partition(chr(10))[0]}"))
    for one in found["artifacts"]:
        show(f"  {one['name']}  {one['bytes']} bytes  {one['digest'][:12]}")
    for line in found.get("checked", ()):
        show(escape(f"  checked here: {line}"))
    for line in found.get("believed", ()):
        show(escape(f"  believed: {line}"))
    show(escape(rendering.as_text({**found["verdict"], "paths": [_path(one) for one in found["paths"]]})))
    return 0


def changelog(name: str, /, *, remote: Remote = Remote()) -> int:
    """Prints the change log of a release, or of all releases of a product, as Markdown made of their notes.

    Parameters
    ----------
    name
        OWNER/PRODUCT, or OWNER/PRODUCT/NUMBER.
    """
    product, number = _named(name) if name.count("/") > 1 else (name, "")
    with remote.client() as client:
        found = client.changelog(product, number)
    if remote.json:
        show_json({"product": product, "changelog": found})
    else:
        print(found, end="")
    return 0


def stable(name: Release, /, *, remote: Remote = Remote()) -> int:
    """Marks a release as stable and ready for production. People do, and the mark stays."""
    product, number = _named(name)
    with remote.client() as client:
        found = client.command("mark_stable", product=product, number=number)
    if remote.json:
        show_json(found)
    else:
        show(f"{product} {number} is stable, says {found['stable_by']}")
    return 0


def yank(
    name: Release,
    /,
    *,
    reason: Annotated[
        str, Parameter(name=["-m", "--reason"], help="Why nobody should install it; everybody reads it.")
    ],
    remote: Remote = Remote(),
) -> int:
    """Takes a release back. It stays there with the reason, nobody is led to it, and its number stays used."""
    product, number = _named(name)
    with remote.client() as client:
        found = client.command("yank_release", product=product, number=number, reason=reason)
    if remote.json:
        show_json(found)
    else:
        show(escape(f"{product} {number} is yanked: {found['yank_reason']}"))
    return 0


def fetch(
    name: Release,
    file: str,
    /,
    *,
    output: Annotated[
        Path | None, Parameter(name=["-o", "--output"], help="Where it is written; else its own name.")
    ] = None,
    remote: Remote = Remote(),
) -> int:
    """Fetches a file of a release, and checks it against the digest that was recorded.

    Parameters
    ----------
    file
        documentation, evidence, or the name of an artifact.
    """
    from troth.releases.documentation import digest_of

    product, number = _named(name)
    target = output or Path(file)
    with remote.client() as client:
        found = client.release(product, number)
        digests = {one["name"]: one["digest"] for one in found["artifacts"]}
        digests |= {"documentation": found["docs_digest"], "evidence": found["evidence_digest"]}
        scratch = target.with_name(f"{target.name}.part")
        try:
            with scratch.open("w+b") as written:
                client.release_file(product, number, file, written)
                if digest_of(written) != digests[file]:
                    raise MalformedSource(f"what came is not {file} as it was released", repair="fetch it again")
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)
    if remote.json:
        show_json({"file": str(target), "digest": digests[file]})
    else:
        show(f"{target}  {digests[file]}")
    return 0


# --- cutting


def gathered(
    project: Path, asked: Asked, wanted: ReleaseNumber | None, proofs: Proofs
) -> tuple[Subject, ReleaseNumber, ReleaseDocument]:
    """Everything that is told of the release."""
    from troth.releases.check import facts_of
    from troth.releases.claim import claim, releasable
    from troth.releases.proving.paths import Proving
    from troth.versions.releases.evidence import Kind

    subject, number = releasable(project, asked, wanted)
    with Proving(subject, proofs.database, proofs.seconds) as proving, Comparing(min(proofs.seconds, 60.0)) as compare:
        facts = facts_of(subject, compare, proving.listed)
        paths: list[dict[str, Any]] = []
        tried = proofs.wanted and any(fact.kind is Kind.MIGRATION_ADDED for fact in facts)
        if tried:
            found = proving.proved(facts, asked, list(proofs.only))
            facts, paths = [*facts, *found.facts], found.told
        return subject, number, claim(subject, number, facts, paths, proving.listed, tried=tried)


def _existing(client: Client, subject: Subject, number: ReleaseNumber) -> dict[str, Any] | None:
    """The release, where this commit was released before: then a tag may be missing still, and nothing else."""
    try:
        found = client.release(subject.product.subject, str(number))
    except NotFound:
        return None
    return found if found["commit"] == subject.now.commit and not found["yanked_at"] else None


def _staged(
    held: ExitStack, subject: Subject, document: ReleaseDocument, docs: Path | None, artifacts: tuple[Path, ...]
) -> dict[str, IO[bytes]]:
    """The files of the release, by the names that `cut_release` has for them; artifacts begin with a slash, and what the
    evidence names with a question mark."""
    from troth.contracts.release_document import contract_files
    from troth.releases.claim import kept_contracts
    from troth.releases.documentation import pack, pack_committed

    def scratch() -> IO[bytes]:
        return held.enter_context(tempfile.TemporaryFile())

    evidence, bundle = scratch(), scratch()
    evidence.write(document.as_bytes())
    found = {"evidence": evidence}
    if document.contracts:
        found["?contracts"] = scratch()
        found["?contracts"].write(contract_files(kept_contracts(subject)[0]))
    for record in (record for one in document.infrastructures for record in one.records):
        found[f"?{record.path}"] = held.enter_context((subject.repository.folder / record.path).open("rb"))
    if docs is not None:
        pack(docs, bundle)
        found["documentation"] = bundle
    elif pack_committed(subject, bundle):
        found["documentation"] = bundle
    for path in artifacts:
        if not path.is_file():
            raise MalformedSource(f"there is no file {path}", repair="name one that there is")
        found[f"/{path.name}"] = held.enter_context(path.open("rb"))
    return found


def _built(subject: Subject, seconds: float) -> Path | None:
    """The folder of the documentation, built now where troth.toml names a command for it."""
    from troth.releases.documentation import built

    if not subject.product.documentation_build:
        return None
    say(f"building the documentation: {escape(' '.join(subject.product.documentation_build))}")
    return built(subject, seconds)


def _cut(
    client: Client, subject: Subject, number: ReleaseNumber, name: str, files: dict[str, IO[bytes]]
) -> dict[str, Any]:
    """Uploads everything, then releases in one step."""
    from troth.releases.documentation import digest_of, pieces

    digests = {}
    for kind, file in files.items():
        digests[kind] = digest_of(file)
        client.upload_release_file(digests[kind], pieces(file), os.fstat(file.fileno()).st_size)
    artifacts = [{"name": kind[1:], "digest": digest} for kind, digest in digests.items() if kind.startswith("/")]
    documentation: dict[str, Any] = {key: digests[key] for key in ("documentation",) if key in digests}
    return client.command(
        "cut_release",
        product=subject.product.subject,
        number=str(number),
        commit=subject.now.commit,
        tag=name,
        evidence=digests["evidence"],
        artifacts=artifacts,
        **documentation,
    )


def _tag(subject: Subject, name: str) -> bool:
    """Whether the tag was made now. Raises GitFailed where it lies elsewhere."""
    from troth import git

    if any(one.name == name and one.commit == subject.now.commit for one in subject.repository.tags()):
        return False
    git.run(subject.repository.objects, "tag", name, subject.now.commit)
    return True


# --- words


def _named(name: str) -> tuple[str, str]:
    owner, _, rest = name.partition("/")
    product, _, number = rest.partition("/")
    if not (owner and product and number):
        raise Malformed(
            f"{name!r} names no release", why="one is named OWNER/PRODUCT/NUMBER", repair="write ada/shop/1.2.0"
        )
    return f"{owner}/{product}", number


def _marks(row: dict[str, Any]) -> str:
    marks = ["stable"] if row["stable_at"] else []
    marks += ["prerelease"] if row["prerelease"] else []
    marks += [f"{', '.join(one['clauses'])} waived" for one in row["waivers"]]
    marks += [f"yanked: {row['yank_reason']}"] if row["yanked_at"] else []
    return ", ".join(marks)


def _path(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "from": told["begins"]}

"""Commands on algorithms: create and compile."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.builds.origins import Origins
from troth.builds.repository import Repositories
from troth.builds.trees import Trees
from troth.commands.building import Building, Built
from troth.commands.bus import Envelope, Outcome, Transaction
from troth.commands.formats import Payload
from troth.commands.scms import KeptElsewhere, NoSuchScm
from troth.contracts.project import FILE, project_of
from troth.contracts.template import template
from troth.errors import MalformedSource, NotFound, Refused
from troth.registry import accounts, build_records, catalog, scms
from troth.registry.database import Database
from troth.versions import names
from troth.versions.history import BuildStatus
from troth.versions.manifest import Manifest

Found = TypeVar("Found")


def require_for(action: str, connection: Connection, actor: Actor, subject: str) -> None:
    """Raises Forbidden unless the actor may do this; whether owner or algorithm exist is not told to who may not."""
    owner_name = subject.split("/")[0]
    owner = accounts.find_account(connection, owner_name)
    role = accounts.role_of(connection, owner.id, actor.id) if owner else None
    require(action, relations(actor, owner.id if owner else None, role), subject)


def existing(connection: Connection, subject: str) -> catalog.AlgorithmRow:
    """The algorithm of that name. Raises NotFound."""
    if found := catalog.find_algorithm(connection, *subject.split("/")):
        return found
    raise NotFound(f"there is no algorithm {subject}", repair="create it first (troth publish does)", asked=subject)


def publishable(connection: Connection, algorithm: catalog.AlgorithmRow, commit: str) -> build_records.BuildRow:
    """The successful build of a commit. Raises Refused (ALG-22)."""
    build = build_records.find_build(connection, algorithm.id, commit)
    if build is not None and build.status is BuildStatus.SUCCEEDED:
        return build
    found = f"its build is {build.status}" if build else "no build has that hash"
    raise Refused(
        f"{commit} cannot be published: {found}",
        why="a version is a successful build",
        repair="compile it first",
        clauses=["ALG-22"],
        asked=commit,
        found=found,
    )


class CreateAlgorithm:
    """Makes an algorithm with a repository that holds a working template, or what the named origin holds.

    One that was deleted is made anew under its old id, so that its numbers go on above the highest that was ever used.
    """

    def __init__(self, database: Database, repositories: Repositories, origins: Origins) -> None:
        self._database = database
        self._repositories = repositories
        self._origins = origins

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("create_algorithm", connection, actor, payload["algorithm"])

    async def prepare(self, actor: Actor, payload: Payload) -> str:
        return await asyncio.to_thread(self._repository, actor, payload)

    def handle(self, transaction: Transaction, payload: Payload, prepared: str) -> dict[str, Any]:
        owner_name, name = payload["algorithm"].split("/")
        owner = accounts.get_account(transaction.connection, owner_name)
        catalog.create_algorithm(
            transaction.connection,
            owner.id,
            name,
            algorithm_id=prepared,
            summary=payload.get("summary", ""),
            details=payload.get("details", {}),
            settings=payload.get("settings", {}),
            now=transaction.now,
        )
        if origin := payload.get("origin"):
            scms.link(
                transaction.connection, prepared, origin["scm"], origin["owner"], origin["name"], transaction.actor.id
            )
        else:
            scms.unlink(transaction.connection, prepared)
        transaction.changed_algorithms.add(prepared)
        return {"algorithm": payload["algorithm"], "id": prepared}

    def _repository(self, actor: Actor, payload: Payload) -> str:
        """The id of the algorithm to be, whose repository is made before anybody can name it."""
        owner_name, name = payload["algorithm"].split("/")
        with self._database.read() as connection:
            owner = accounts.get_account(connection, owner_name)
            catalog.check_name_free(connection, owner.id, names.check_algorithm(name))
            deleted = catalog.find_algorithm(connection, owner_name, name, even_deleted=True)
            origin = payload.get("origin")
            address = _address(connection, self._origins, origin) if origin else ""
        if address:
            self._origins.look(address)
        algorithm_id, message = str(uuid.uuid4()), "Template"
        if deleted is not None and deleted.deletion:
            algorithm_id, message = deleted.id, f"Template behind the deletion {deleted.deletion}"
            self._repositories.begin_anew(algorithm_id, deleted.deletion)
        if address:
            self._repositories.create_empty(algorithm_id)
            self._origins.fetch(algorithm_id, address)
        else:
            files = template(owner_name, name, payload.get("summary", ""))
            self._repositories.create(algorithm_id, files, author=actor.name, message=message)
        return algorithm_id


def _address(connection: Connection, origins: Origins, origin: dict[str, str]) -> str:
    """The address of a repository that others keep. Raises NoSuchScm, and OriginInvalid."""
    found = scms.find_scm(connection, origin["scm"])
    if found is None or not found.enabled:
        raise NoSuchScm(
            f"there is no SCM {origin['scm'][:80]!r} to take sources from",
            why="it is not there, or is disabled",
            repair="GET /v1/scms lists them",
        )
    return origins.address(found.base, origin["owner"], origin["name"])


class StartBuild:
    """Recorded by troth itself while it compiles, so that a build under way is seen and no crash leaves it unnoticed."""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("start_build", relations(actor), payload["algorithm"])

    async def prepare(self, actor: Actor, payload: Payload) -> None:
        return None

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection = transaction.connection
        algorithm = existing(connection, payload["algorithm"])
        starter = accounts.get_account(connection, payload["started_by"])
        known = build_records.find_build(connection, algorithm.id, payload["hash"])
        if known is None or known.status is not BuildStatus.SUCCEEDED:
            build_records.start_build(connection, algorithm.id, starter.id, payload["hash"], transaction.now)
            transaction.changed_algorithms.add(algorithm.id)
        return {"algorithm": payload["algorithm"], "hash": payload["hash"]}


class FinishBuild:
    """Recorded by troth itself when a build ends, whoever asked for it and whether they still may."""

    def __init__(self, building: Building) -> None:
        self._building = building

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("finish_build", relations(actor), payload["algorithm"])

    async def prepare(self, actor: Actor, payload: Payload) -> Built:
        return self._building.ended(payload["algorithm"], payload["hash"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Built) -> dict[str, Any]:
        connection = transaction.connection
        algorithm = existing(connection, payload["algorithm"])
        if prepared.manifest is not None:
            build_records.record_source(connection, prepared.manifest.digest, prepared.manifest, transaction.now)
        build_records.finish_build(connection, algorithm.id, payload["hash"], prepared.facts, transaction.now)
        transaction.changed_algorithms.add(algorithm.id)
        return {"algorithm": payload["algorithm"], "hash": payload["hash"], "status": prepared.facts.status.value}


class FailInterruptedBuilds:
    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require("fail_interrupted_builds", relations(actor), "")

    async def prepare(self, actor: Actor, payload: Payload) -> None:
        return None

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        return {"builds": build_records.fail_interrupted_builds(transaction.connection, transaction.now)}


class CompileAlgorithm:
    """Builds an uploaded source, a commit that was pushed, or the head. Equal source gives the same commit and build."""

    def __init__(
        self,
        database: Database,
        trees: Trees,
        repositories: Repositories,
        building: Building,
        origins: Origins,
        submit: Callable[[Envelope], Awaitable[Outcome]],
    ) -> None:
        self._database = database
        self._trees = trees
        self._repositories = repositories
        self._building = building
        self._origins = origins
        self._submit = submit

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("compile_algorithm", connection, actor, payload["algorithm"])

    async def prepare(self, actor: Actor, payload: Payload) -> str:
        """The commit, whose build has ended."""
        subject = payload["algorithm"]
        algorithm = await asyncio.to_thread(self._read, lambda connection: existing(connection, subject))
        await asyncio.to_thread(self._follow, algorithm, payload)
        if "source" in payload:
            commit = await asyncio.to_thread(self._committed, algorithm, actor, payload)
        else:
            commit = await asyncio.to_thread(self._pushed, algorithm, payload.get("commit"))
        known = await asyncio.to_thread(
            self._read, lambda connection: build_records.find_build(connection, algorithm.id, commit)
        )
        if known is None or known.status is not BuildStatus.SUCCEEDED:
            await self._building.build(
                algorithm,
                commit,
                start=lambda: self._record("start_build", subject, commit, started_by=actor.name),
                finish=lambda: self._record("finish_build", subject, commit),
            )
        return commit

    def handle(self, transaction: Transaction, payload: Payload, prepared: str) -> dict[str, Any]:
        connection = transaction.connection
        algorithm = existing(connection, payload["algorithm"])
        build = build_records.find_build(connection, algorithm.id, prepared)
        assert build is not None
        return {
            "algorithm": payload["algorithm"],
            "hash": build.hash,
            "status": build.status.value,
            "source": build.source,
            "environment": build.environment,
            "log": build.log,
        }

    def _read(self, ask: Callable[[Connection], Found]) -> Found:
        with self._database.read() as connection:
            return ask(connection)

    def _follow(self, algorithm: catalog.AlgorithmRow, payload: Payload) -> None:
        """Brings the branch of an algorithm whose source others keep to what they have."""
        origin = self._read(lambda connection: scms.origin_of(connection, algorithm.id))
        if origin is None:
            return
        if "source" in payload:
            raise KeptElsewhere(
                f"the source of {algorithm.subject} is kept at {origin.scm.base}/{origin.owner}/{origin.name}",
                why="only sources in troth's own repositories are changed here",
                repair="push there, and compile",
            )
        if "commit" not in payload:
            if not origin.scm.enabled:
                raise NoSuchScm(f"the SCM of {algorithm.subject} is disabled", repair="ask the operator to enable it")
            self._origins.fetch(algorithm.id, self._origins.address(origin.scm.base, origin.owner, origin.name))

    def _committed(self, algorithm: catalog.AlgorithmRow, actor: Actor, payload: Payload) -> str:
        """The commit of an uploaded source; one that cannot be built at all is refused before it becomes one."""
        source = payload["source"]
        manifest = self._uploaded(source)
        root = self._trees.path(source)
        paths = {entry.path for entry in manifest.entries}
        if FILE not in paths:
            raise MalformedSource(
                f"there is no {FILE}", why="it names the algorithm and its permissions", repair="troth new writes one"
            )
        project_of({FILE: (root / FILE).read_bytes()}, algorithm.subject).entry(paths)
        message = payload.get("message", "") or f"Source {source[:12]}"
        return self._repositories.commit(algorithm.id, root, manifest, author=actor.name, message=message)

    def _uploaded(self, source: str) -> Manifest:
        if not self._trees.has(source):
            raise NotFound(
                f"the source {source} was not uploaded",
                why="a build is made of a source that is on the server already",
                repair=f"PUT /api/v1/sources/{source} with the files as a tar (troth compile does)",
                asked=source,
            )
        self._trees.verified(source)
        return self._trees.manifest(source)

    def _pushed(self, algorithm: catalog.AlgorithmRow, commit: str | None) -> str:
        """That commit where the branch holds it; without one, the head."""
        found = commit or self._repositories.head(algorithm.id)
        if found and (not commit or self._repositories.reachable(algorithm.id, commit)):
            return found
        raise NotFound(
            f"there is no commit {commit or ''} in {algorithm.subject}".replace("  ", " "),
            why="what is built is a commit of the branch master",
            repair=f"push it to /git/{algorithm.subject}.git first",
            asked=commit or "master",
        )

    async def _record(self, command: str, subject: str, commit: str, **more: str) -> None:
        """Gives a command about a build as troth itself."""
        payload = {"algorithm": subject, "hash": commit, **more}
        envelope = Envelope(command, 1, json.dumps(payload).encode(), accounts.SYSTEM, str(uuid.uuid4()))
        await self._submit(envelope)

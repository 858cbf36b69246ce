"""`/v1/algorithms` and what belongs to it: create, compile, publish, and every question about them (algorithmia-api, 6)."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from sqlalchemy import Connection

from troth.commands.bus import Bus, Envelope
from troth.doors.algorithmia import bodies
from troth.doors.algorithmia.endpoints import Asked, Row
from troth.doors.algorithmia.languages import environments, languages
from troth.doors.algorithmia.objects import algorithm_object, build_object
from troth.doors.algorithmia.paging import limit_of, number_or_place_of, page, place_of, truth_of
from troth.doors.algorithmia.refusals import INVALID_JSON, NOT_IMPLEMENTED, Numbered
from troth.queries import management
from troth.queries.management import Described, NoSuchBuild
from troth.registry.database import Database
from troth.versions.history import BuildStatus
from troth.versions.numbers import Number

Found = TypeVar("Found")
_ALGORITHM = "/v1/algorithms/{algorithm:algorithm}"
_LANGUAGES = "/v1/algorithm-environments/edge/languages"


class ManagementApi:
    """Handlers of the rows below."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self._bus = bus
        self._database = database
        self._publishing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def rows(self) -> list[Row]:
        """The table."""
        return [
            Row("GET", _LANGUAGES, self._languages),
            Row("GET", _LANGUAGES + "/{language}/environments", self._environments),
            Row("POST", "/v1/algorithms/{owner}", self._create),
            Row("GET", _ALGORITHM, self._algorithm),
            Row("PUT", _ALGORITHM, self._update),
            Row("POST", _ALGORITHM + "/compile", self._compile),
            Row("POST", _ALGORITHM + "/versions", self._publish),
            Row("POST", _ALGORITHM + "/version", self._publish),
            Row("GET", _ALGORITHM + "/versions", self._versions),
            Row("GET", _ALGORITHM + "/versions/{version}", self._version),
            Row("GET", _ALGORITHM + "/builds", self._builds),
            Row("GET", _ALGORITHM + "/builds/{build}", self._build),
            Row("GET", _ALGORITHM + "/builds/{build}/logs", self._logs),
            Row("GET", _ALGORITHM + "/scm/status", self._scm_status),
            Row("GET", _ALGORITHM + "/errors", self._errors),
        ]

    async def _languages(self, asked: Asked) -> list[Any]:
        return languages()

    async def _environments(self, asked: Asked) -> dict[str, Any]:
        return {"environments": environments(asked.path("language"))}

    async def _create(self, asked: Asked) -> dict[str, Any]:
        payload = bodies.create_payload(asked.path("owner"), asked.body)
        made = await self._submit(asked, "create_algorithm", payload)
        return await self._described(asked, lambda c: management.newest(c, asked.actor, made["id"]))

    async def _algorithm(self, asked: Asked) -> dict[str, Any]:
        return await self._described(asked, lambda c: management.newest(c, asked.actor, asked.algorithm), output=True)

    async def _update(self, asked: Asked) -> dict[str, Any]:
        await self._read(lambda c: management.seen_by_member(c, asked.actor, asked.algorithm, "updates"))
        try:
            json.loads(asked.body)
        except (ValueError, RecursionError):
            raise Numbered(
                INVALID_JSON,
                "the body is not JSON",
                why="the Python client's update() sends names of fields without their values",
                repair="send a JSON object",
            ) from None
        raise Numbered(NOT_IMPLEMENTED, "updates are not implemented in this release", http_status=501)

    async def _compile(self, asked: Asked) -> dict[str, Any]:
        """Answers when the build has ended. That it failed is told by `compilation`, not by a status: the clients read
        the object, and the Python client would only build it again."""
        subject = await self._subject(asked, "builds")
        built = await self._submit(asked, "compile_algorithm", {"algorithm": subject})
        return await self._described(
            asked, lambda c: management.version(c, asked.actor, asked.algorithm, built["hash"]), output=True
        )

    async def _publish(self, asked: Asked) -> dict[str, Any]:
        """One publication of an algorithm at a time: clients send a request again when no answer reached them, and the
        second must find the build published by the first."""
        body = bodies.publication(asked.body)
        commit = bodies.commit_of(body)
        subject = await self._subject(asked, "publications")
        async with self._publishing.setdefault(subject, asyncio.Lock()):
            build = await self._read(lambda c: management.publishable(c, asked.actor, asked.algorithm, commit))
            if build is not None:
                bodies.check_permissions(body, build.permissions)
            payload = bodies.publish_payload(body, subject, build.hash if build else commit)
            published = await self._submit(asked, "publish_version", payload)
        return await self._described(
            asked, lambda c: management.version(c, asked.actor, asked.algorithm, published["version"]), output=True
        )

    async def _versions(self, asked: Asked) -> dict[str, Any]:
        limit, after = limit_of(asked), number_or_place_of(asked)
        published, public = truth_of(asked, "published"), truth_of(asked, "callable")
        found = await self._read(
            lambda c: management.versions(
                c, asked.actor, asked.algorithm, limit, after=after, published=published, public=public
            )
        )
        results = [algorithm_object(described, asked.server) for described in found.results]
        following = _place(found.results[-1]) if found.more else None
        return page(asked, results, following, "published", "callable")

    async def _version(self, asked: Asked) -> dict[str, Any]:
        return await self._described(
            asked, lambda c: management.version(c, asked.actor, asked.algorithm, asked.path("version")), output=True
        )

    async def _builds(self, asked: Asked) -> dict[str, Any]:
        limit, after = limit_of(asked), place_of(asked)
        found = await self._read(lambda c: management.builds(c, asked.actor, asked.algorithm, limit, after))
        results = [build_object(build, found.numbers.get(build.id)) for build in found.results]
        last = found.results[-1] if found.more else None
        return page(asked, results, (last.started_at, last.id) if last else None)

    async def _build(self, asked: Asked) -> dict[str, Any]:
        build, number = await self._read(
            lambda c: management.build(c, asked.actor, asked.algorithm, asked.path("build"))
        )
        return build_object(build, number)

    async def _logs(self, asked: Asked) -> dict[str, Any]:
        build, _ = await self._read(lambda c: management.build(c, asked.actor, asked.algorithm, asked.path("build")))
        if build.status is BuildStatus.IN_PROGRESS:
            raise NoSuchBuild(f"the build {build.id} has no log yet", why="it is in progress", repair="ask again later")
        return {"logs": build.log}

    async def _scm_status(self, asked: Asked) -> dict[str, Any]:
        await self._subject(asked, "repositories")
        return {"scm_connection_status": "active"}

    async def _errors(self, asked: Asked) -> list[Any]:
        """None: errors of calls are answered to callers, and not kept in this release."""
        await self._subject(asked, "errors")
        return []

    async def _subject(self, asked: Asked, what: str) -> str:
        """The algorithm's owner/name, for members of its owner."""
        found = await self._read(lambda c: management.seen_by_member(c, asked.actor, asked.algorithm, what))
        return found.algorithm.subject

    async def _described(
        self, asked: Asked, ask: Callable[[Connection], Described], *, output: bool = False
    ) -> dict[str, Any]:
        return algorithm_object(await self._read(ask), asked.server, output=output)

    async def _read(self, ask: Callable[[Connection], Found]) -> Found:
        def answer() -> Found:
            with self._database.read() as connection:
                return ask(connection)

        return await asyncio.to_thread(answer)

    async def _submit(self, asked: Asked, command: str, payload: dict[str, Any]) -> dict[str, Any]:
        content = json.dumps(payload).encode()
        envelope = Envelope(command, 1, content, asked.actor, str(uuid.uuid4()))
        return (await self._bus.submit(envelope)).result


def _place(described: Described) -> Number | management.Place:
    """Where a version stands in the list of versions."""
    if described.version is not None:
        return described.version.number
    assert described.build is not None
    return described.build.started_at, described.build.id

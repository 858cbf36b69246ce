"""`/v1/algorithms` and what belongs to it: create, compile, publish, and every question about them (algorithmia-api, 6)."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from sqlalchemy import Connection
from starlette.responses import Response

from troth.builds.repository import Repositories
from troth.commands.bus import Bus, Envelope
from troth.commands.scms import INTERNAL
from troth.doors.algorithmia import bodies
from troth.doors.algorithmia.endpoints import ALGORITHM, Asked, Row
from troth.doors.algorithmia.languages import environments, languages, specification
from troth.doors.algorithmia.objects import algorithm_object, build_object, failure_object
from troth.doors.algorithmia.paging import limit_of, number_or_place_of, page, place_of, truth_of
from troth.doors.algorithmia.refusals import (
    INVALID_JSON,
    INVALID_REQUEST,
    NOT_IMPLEMENTED,
    Numbered,
)
from troth.queries import management
from troth.queries.management import Described, NoSuchBuild
from troth.registry import failures, scms
from troth.registry.database import Database
from troth.versions.history import BuildStatus
from troth.versions.numbers import Number

Found = TypeVar("Found")
_LANGUAGES = "/v1/algorithm-environments/edge/languages"
_TEMPLATE = "/v1/algorithm-environments/edge/environment-specifications/{specification}/template"
#: commits in one answer
_MOST_COMMITS = 200
#: digits of a moment in seconds since 1970
_LONGEST_MOMENT = 13


class ManagementApi:
    """Handlers of the rows below. `settle` has what is known of calls written down."""

    def __init__(
        self, bus: Bus, database: Database, repositories: Repositories, settle: Callable[[], Awaitable[object]]
    ) -> None:
        self._bus = bus
        self._database = database
        self._repositories = repositories
        self._settle = settle
        self._publishing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def rows(self) -> list[Row]:
        """The table."""
        return [
            Row("GET", _LANGUAGES, self._languages),
            Row("GET", _LANGUAGES + "/{language}/environments", self._environments),
            Row("GET", _TEMPLATE, self._template, open=True),
            Row("POST", "/v1/algorithms/{owner}", self._create, body=bodies.Create),
            Row("GET", ALGORITHM, self._algorithm),
            Row("PUT", ALGORITHM, self._update, body=bodies.Update),
            Row("DELETE", ALGORITHM, self._delete, status=204),
            Row("POST", ALGORITHM + "/compile", self._compile),
            Row("POST", ALGORITHM + "/versions", self._publish, body=bodies.Publish),
            Row("POST", ALGORITHM + "/version", self._publish, body=bodies.Publish),
            Row("GET", ALGORITHM + "/versions", self._versions, query=("limit", "marker", "published", "callable")),
            Row("GET", ALGORITHM + "/versions/{version}", self._version),
            Row("GET", ALGORITHM + "/builds", self._builds, query=("limit", "marker")),
            Row("GET", ALGORITHM + "/builds/{build}", self._build),
            Row("GET", ALGORITHM + "/builds/{build}/logs", self._logs),
            Row("GET", ALGORITHM + "/log", self._log, query=("since", "until")),
            Row("GET", ALGORITHM + "/errors", self._errors),
            Row("POST", ALGORITHM + "/collections/{collection}", self._collection),
        ]

    async def _languages(self, asked: Asked) -> list[Any]:
        return languages()

    async def _environments(self, asked: Asked) -> dict[str, Any]:
        return {"environments": environments(asked.path("language"))}

    async def _template(self, asked: Asked) -> Response:
        return Response(specification(asked.path("specification")), media_type="application/gzip")

    async def _create(self, asked: Asked) -> dict[str, Any]:
        preferred = await self._read(lambda c: next((one.id for one in scms.all_scms(c) if one.preferred), INTERNAL))
        payload = bodies.create_payload(asked.path("owner"), asked.body, preferred)
        made = await self._submit(asked, "create_algorithm", payload, version=2)
        return await self._described(asked, lambda c: management.newest(c, asked.actor, made["id"]))

    async def _algorithm(self, asked: Asked) -> dict[str, Any]:
        return await self._described(asked, lambda c: management.newest(c, asked.actor, asked.algorithm), output=True)

    async def _update(self, asked: Asked) -> dict[str, Any]:
        """What is said of the algorithm from now on; its versions and builds stay as they are."""
        subject = await self._subject(asked, "updates")
        if asked.request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise Numbered(
                INVALID_JSON,
                "the body is not JSON",
                why="the Python client's update() sends names of fields without their values",
                repair="send a JSON object",
            )
        await self._submit(asked, "update_algorithm", bodies.update_payload(subject, asked.body))
        return await self._described(asked, lambda c: management.newest(c, asked.actor, asked.algorithm))

    async def _delete(self, asked: Asked) -> None:
        found = await self._read(lambda c: management.seen(c, asked.actor, asked.algorithm))
        await self._submit(asked, "delete_algorithm", {"algorithm": found.algorithm.subject})

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

    async def _log(self, asked: Asked) -> dict[str, Any]:
        """The newest commits."""
        seen = await self._read(lambda c: management.seen_by_member(c, asked.actor, asked.algorithm, "commits"))
        bounds = {name: _moment(asked, name) for name in ("since", "until")}
        identity = seen.algorithm.id
        return {"commits": await asyncio.to_thread(self._repositories.log, identity, _MOST_COMMITS, **bounds)}

    async def _errors(self, asked: Asked) -> list[Any]:
        """The last calls that failed; of what was given to them nothing is kept."""
        seen = await self._read(lambda c: management.seen_by_member(c, asked.actor, asked.algorithm, "errors"))
        owner, name, since = seen.algorithm.owner, seen.algorithm.name, seen.algorithm.returned_at
        await self._settle()
        begun = int(datetime.fromisoformat(since).timestamp() * 1000) if since else 0
        found = await self._read(lambda c: failures.failures_of_algorithm(c, owner, name, begun))
        return [failure_object(one) for one in found]

    async def _collection(self, asked: Asked) -> None:
        await self._subject(asked, "collections")
        raise Numbered(
            NOT_IMPLEMENTED, "algorithms have no default collection", why="sources name the data that they read",
            repair="name it in the source",
        )  # fmt: skip

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

    async def _submit(self, asked: Asked, command: str, payload: dict[str, Any], *, version: int = 1) -> dict[str, Any]:
        content = json.dumps(payload).encode()
        envelope = Envelope(command, version, content, asked.actor, str(uuid.uuid4()))
        return (await self._bus.submit(envelope)).result


def _moment(asked: Asked, name: str) -> str:
    """A bound of a list of commits as git takes it, in seconds since 1970; empty where there is none."""
    text = asked.query(name)
    if not text:
        return ""
    try:
        if text.isascii() and text.isdigit() and len(text) < _LONGEST_MOMENT:
            return f"@{text} +0000"
        found = datetime.fromisoformat(text)
        return f"@{max(int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()), 0)} +0000"
    except (ValueError, OverflowError):
        raise Numbered(
            INVALID_REQUEST, f"{name} cannot be {text[:40]!r}", why="it is a moment, as 2026-01-31T12:00:00Z"
        ) from None


def _place(described: Described) -> Number | management.Place:
    """Where a version stands in the list of versions."""
    if described.version is not None:
        return described.version.number
    assert described.build is not None
    return described.build.started_at, described.build.id

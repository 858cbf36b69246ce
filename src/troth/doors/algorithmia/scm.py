"""SCMs: troth's own repositories, and those that others keep, with their webhooks (algorithmia-api, sections 6 and 11).

A webhook says that something was pushed elsewhere. It is signed with a secret of its algorithm (as GitHub and Gitea do, or sent
as GitLab sends it); what is not is answered alike whether the algorithm exists or not (ALG-25).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from troth.access.roles import Actor
from troth.builds.origins import OriginInvalid, Origins, OriginUnreachable
from troth.commands.bus import Bus, Envelope
from troth.commands.scms import INTERNAL, NoSuchScm
from troth.doors.algorithmia.bodies import read
from troth.doors.algorithmia.endpoints import ALGORITHM, Asked, Row
from troth.doors.algorithmia.objects import scm_object
from troth.doors.algorithmia.refusals import (
    BAD_WEBHOOK,
    INVALID_SCM,
    MALFORMED_SCM_UPDATE,
    NO_OAUTH,
    NO_OAUTH_END,
    NO_OAUTH_TOKEN,
    NO_WEBHOOKS,
    NOT_DELETABLE_SCM,
    NOT_MODIFIABLE_SCM,
    PROVIDER_NOT_AUTHORIZED,
    Numbered,
)
from troth.errors import Unauthenticated
from troth.queries import management
from troth.registry import accounts, catalog, scms
from troth.registry.catalog import AlgorithmRow
from troth.registry.database import Database
from troth.registry.scms import Origin, Scm
from troth.signing import derived

#: Builds the newest commit of `owner/name` in the name of an account, after the answer.
Build = Callable[[Actor, str], None]
_PROVIDERS = ("git", "github", "github_enterprise_server", "gitlab", "gitea", "bitbucket_server")
_INTERNAL: dict[str, Any] = {"id": INTERNAL, "provider": INTERNAL, "enabled": True, "urls": {}}


class _Urls(msgspec.Struct):
    web: str


class CreateScm(msgspec.Struct):
    """A place that others keep repositories at: `urls.web` is what `/OWNER/NAME.git` is appended to."""

    provider: str
    urls: _Urls


class UpdateScm(msgspec.Struct, forbid_unknown_fields=True):
    """What is to change of it."""

    enabled: bool


class ScmApi:
    """Handlers of the rows below."""

    def __init__(self, bus: Bus, database: Database, origins: Origins, webhook_key: bytes, build: Build) -> None:
        self._bus = bus
        self._database = database
        self._origins = origins
        self._webhook_key = webhook_key
        self._build = build

    def rows(self) -> list[Row]:
        """The table."""
        scm, admin = "/v1/scms/{scm}", "/v1/admin/scms/{scm}"
        return [
            Row("GET", "/v1/scms", self._list),
            Row("GET", scm, self._one),
            Row("GET", scm + "/oauth/status", self._authorization),
            Row("POST", scm + "/token/status", self._authorization),
            Row("POST", scm + "/oauth/start", self._no_oauth(NO_OAUTH)),
            Row("POST", scm + "/oauth/finish", self._no_oauth(NO_OAUTH_END)),
            Row("POST", scm + "/oauth/revoke", self._no_oauth(NO_OAUTH_TOKEN)),
            Row("POST", "/v1/admin/scms", self._create, body=CreateScm),
            Row("PATCH", admin, self._update, body=UpdateScm),
            Row("DELETE", admin, self._delete, status=204),
            Row("POST", admin + "/default", self._prefer),
            Row("GET", ALGORITHM + "/scm/status", self._status),
            Row("GET", ALGORITHM + "/scm/webhook", self._secret),
            Row("POST", ALGORITHM + "/scm/webhook", self._pushed, open=True),
        ]

    async def _list(self, asked: Asked) -> dict[str, Any]:
        found = await self._read(scms.all_scms)
        own = _INTERNAL | {"default": not any(one.preferred for one in found)}
        return {"marker": None, "next_link": None, "results": [own, *(scm_object(one) for one in found)]}

    async def _one(self, asked: Asked) -> dict[str, Any]:
        wanted = asked.path("scm")
        found = next((one for one in (await self._list(asked))["results"] if one["id"] == wanted), None)
        if found is None:
            raise NoSuchScm(f"there is no SCM {wanted[:80]!r}", repair="GET /v1/scms lists them")
        return dict(found)

    async def _authorization(self, asked: Asked) -> dict[str, Any]:
        """Never: troth reads what everybody may read there, and asks nobody to sign in."""
        await self._one(asked)
        return {"authorization_status": "unauthorized"}

    def _no_oauth(self, number: int) -> Callable[[Asked], Any]:
        async def refuse(asked: Asked) -> None:
            await self._one(asked)
            raise Numbered(number, "this SCM has no OAuth", why="troth reads repositories without signing in")

        return refuse

    async def _create(self, asked: Asked) -> dict[str, Any]:
        body = read(asked.body, CreateScm, INVALID_SCM)
        if body.provider not in _PROVIDERS:
            raise Numbered(
                INVALID_SCM, f"there is no provider {body.provider[:40]!r}", why=f"they are {', '.join(_PROVIDERS)}"
            )
        made = await self._submit(asked, "create_scm", provider=body.provider, base=body.urls.web[:1000])
        return await self._found(made["scm"])

    async def _update(self, asked: Asked) -> dict[str, Any]:
        body = read(asked.body, UpdateScm, MALFORMED_SCM_UPDATE)
        self._not_internal(asked, NOT_MODIFIABLE_SCM)
        return await self._found((await self._submit(asked, "update_scm", enabled=body.enabled, **_id(asked)))["scm"])

    async def _delete(self, asked: Asked) -> None:
        self._not_internal(asked, NOT_DELETABLE_SCM)
        await self._submit(asked, "delete_scm", **_id(asked))

    async def _prefer(self, asked: Asked) -> dict[str, Any]:
        await self._submit(asked, "prefer_scm", **_id(asked))
        return await self._one(asked)

    def _not_internal(self, asked: Asked, number: int) -> None:
        if asked.path("scm") == INTERNAL:
            raise Numbered(number, "troth's own repositories stay as they are", repair="name another SCM")

    async def _status(self, asked: Asked) -> dict[str, Any]:
        """Whether the repository answers now."""
        _, origin = await self._read(lambda c: _origin(c, asked))
        active = origin is None or (origin.scm.enabled and await asyncio.to_thread(self._answers, origin))
        return {"scm_connection_status": "active" if active else "inactive"}

    def _answers(self, origin: Origin) -> bool:
        try:
            self._origins.look(self._origins.address(origin.scm.base, origin.owner, origin.name))
        except (OriginInvalid, OriginUnreachable):
            return False
        return True

    async def _secret(self, asked: Asked) -> dict[str, Any]:
        """Where the other side sends its webhooks, and what it signs them with; for members of the owner."""
        algorithm, origin = await self._read(lambda c: _origin(c, asked))
        if origin is None:
            raise _no_webhooks()
        link = f"{asked.server}/v1/algorithms/{algorithm.subject}/scm/webhook"
        return {"webhook_url": link, "secret": derived(self._webhook_key, algorithm.id)}

    async def _pushed(self, asked: Asked) -> Response:
        """Builds what was pushed, in the name of who linked the repository, if that one still may (ALG-26)."""
        algorithm, origin, linker = await self._read(lambda c: _hooked(c, asked.algorithm))
        # also where there is none, so that both take as long
        signed = _is_signed(asked, derived(self._webhook_key, algorithm.id if algorithm else ""))
        if algorithm is not None and origin is None and await self._read(lambda c: _is_member(c, asked, algorithm)):
            raise _no_webhooks()
        if algorithm is None or origin is None or not signed:
            raise Unauthenticated("the signature does not fit", repair="set the webhook's secret again")
        said = _payload(asked.body)
        if linker is None:
            raise Numbered(
                PROVIDER_NOT_AUTHORIZED,
                f"{origin.linked_by_name} linked this repository, and is no member of the owner any more",
                repair="create the algorithm anew by an account that is",
                http_status=403,
            )
        if asked.request.headers.get("x-github-event") == "ping":
            return _accepted("this webhook works")
        if not _is_default_branch(said):
            return _accepted("only the default branch is built")
        self._build(linker, algorithm.subject)
        return _accepted("the newest commit is being built")

    async def _found(self, scm_id: str) -> dict[str, Any]:
        return scm_object((await self._read(lambda c: scms.find_scm(c, scm_id))) or Scm(scm_id, "", "", False, False))

    async def _read(self, ask: Callable[[Connection], Any]) -> Any:
        def answer() -> Any:
            with self._database.read() as connection:
                return ask(connection)

        return await asyncio.to_thread(answer)

    async def _submit(self, asked: Asked, command: str, **payload: Any) -> dict[str, Any]:
        envelope = Envelope(command, 1, json.dumps(payload).encode(), asked.actor, str(uuid.uuid4()))
        return (await self._bus.submit(envelope)).result


def _origin(connection: Connection, asked: Asked) -> tuple[AlgorithmRow, Origin | None]:
    """The algorithm, and where others keep its source, for members of its owner."""
    algorithm = management.seen_by_member(connection, asked.actor, asked.algorithm, "repositories").algorithm
    return algorithm, scms.origin_of(connection, algorithm.id)


def _hooked(connection: Connection, name: str) -> tuple[AlgorithmRow | None, Origin | None, Actor | None]:
    """The algorithm, its origin, and who linked that, if still a member of the owner; whoever asks."""
    algorithm = management.named(connection, name)
    origin = scms.origin_of(connection, algorithm.id) if algorithm else None
    if algorithm is None or origin is None or not catalog.is_member(connection, algorithm, origin.linked_by):
        return algorithm, origin, None
    return algorithm, origin, accounts.find_account(connection, origin.linked_by_name)


def _is_member(connection: Connection, asked: Asked, algorithm: AlgorithmRow) -> bool:
    return bool(asked.caller.id) and catalog.sees_private(connection, algorithm, asked.actor)


def _is_signed(asked: Asked, secret: str) -> bool:
    """Whether the body is signed with the secret (GitHub, Gitea, Bitbucket), or the secret came with it (GitLab)."""
    headers = asked.request.headers
    expected = "sha256=" + hmac.new(secret.encode(), asked.body, hashlib.sha256).hexdigest()
    signature = headers.get("x-hub-signature-256") or headers.get("x-hub-signature") or ""
    told = headers.get("x-gitlab-token") or ""
    signed = hmac.compare_digest(expected.encode(), signature.encode())
    return hmac.compare_digest(secret.encode(), told.encode()) or signed


def _payload(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    raise Numbered(BAD_WEBHOOK, "the payload is not a JSON object", repair="send webhooks as application/json")


def _is_default_branch(said: dict[str, Any]) -> bool:
    """Whether it is told of the branch that is built, as far as the payload names both branches."""
    about = said.get("repository") or said.get("project") or {}
    default = about.get("default_branch") if isinstance(about, dict) else None
    pushed = said.get("ref")
    return not isinstance(default, str) or not isinstance(pushed, str) or pushed == f"refs/heads/{default}"


def _accepted(reason: str) -> Response:
    content = json.dumps({"reason": reason}, separators=(",", ":"))
    return Response(content, 202, media_type="application/json")


def _no_webhooks() -> Numbered:
    return Numbered(
        NO_WEBHOOKS,
        "troth's own repositories have no webhooks",
        why="a push to them is built by itself",
        repair="push to /git/OWNER/NAME.git",
    )


def _id(asked: Asked) -> dict[str, str]:
    """The SCM that the path names, as a command takes it. Raises NoSuchScm for what cannot be an id."""
    found = asked.path("scm")
    if found == INTERNAL or management.UUID.fullmatch(found):
        return {"scm": found}
    raise NoSuchScm(f"there is no SCM {found[:80]!r}", repair="GET /v1/scms lists them")

"""What clients send to create and to publish, read strictly where it is known; what is not known is ignored."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from troth.commands.scms import INTERNAL
from troth.doors.algorithmia.languages import check_language, environment_id, runs_python
from troth.doors.algorithmia.refusals import (
    INVALID_JSON,
    INVALID_REQUEST,
    NOT_EDITABLE,
    UNKNOWN_PACKAGE_SET,
    UNKNOWN_SCM,
    UNSUPPORTED_MACHINE,
    Numbered,
)
from troth.queries.management import UUID
from troth.versions import names
from troth.versions.permissions import Permissions

Body = TypeVar("Body", bound=msgspec.Struct)
_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)
_BUMPS = {"major": "major", "minor": "minor", "revision": "revision", "patch": "revision"}
_Credits = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _Labelled(msgspec.Struct):
    label: str
    summary: str | None = None
    tagline: str | None = None


class _Settings(msgspec.Struct):
    source_visibility: Literal["open", "closed"]
    license: str
    network_access: Literal["full", "isolated"]
    pipeline_enabled: bool
    language: str | None = None
    environment: str | None = None
    package_set: str | None = None
    algorithm_environment: str | None = None
    royalty_microcredits: _Credits | None = None


class _Source(msgspec.Struct):
    scm: str | None = None
    repository_name: str | None = None
    repository_owner: str | None = None


class Create(msgspec.Struct):
    """What is asked of a new algorithm."""

    name: str
    details: _Labelled
    settings: _Settings
    source: _Source | None = None


class _PublishedDetails(msgspec.Struct):
    label: str | None = None
    summary: str | None = None
    tagline: str | None = None


class _PublishedSettings(msgspec.Struct):
    algorithm_callability: Literal["public", "private"] | None = None
    source_visibility: Literal["open", "closed"] | None = None
    network_access: Literal["full", "isolated"] | None = None
    pipeline_enabled: bool | None = None
    license: str | None = None
    insights_enabled: bool | None = None
    royalty_microcredits: _Credits | None = None


class _UpdatedSettings(msgspec.Struct):
    source_visibility: Literal["open", "closed"] | None = None
    license: str | None = None
    network_access: Literal["full", "isolated"] | None = None
    pipeline_enabled: bool | None = None
    language: str | None = None
    environment: str | None = None
    package_set: str | None = None
    algorithm_environment: str | None = None
    royalty_microcredits: _Credits | None = None


class Update(msgspec.Struct):
    """What is to be said of an algorithm from now on."""

    details: _PublishedDetails | None = None
    settings: _UpdatedSettings | None = None
    source: _Source | None = None


class _VersionInfo(msgspec.Struct):
    version_type: str | None = None
    type: str | None = None
    semantic_version: str | None = None
    git_hash: str | None = None
    release_notes: str | None = None
    sample_input: str | None = None
    sample_output: str | None = None
    insights_enabled: bool | None = None


class Publish(msgspec.Struct):
    """What is asked of a publication."""

    details: _PublishedDetails | None = None
    settings: _PublishedSettings | None = None
    version_info: _VersionInfo | None = None


def create_payload(owner: str, content: bytes, preferred: str) -> dict[str, Any]:
    """The payload of `create_algorithm` for a body of section 6.1; `preferred` is the SCM where it names none."""
    body = read(content, Create)
    _check_environment(body.settings)
    details = _given(body.details)
    summary = details.pop("summary", "")
    payload = {"algorithm": f"{owner}/{names.check_algorithm(body.name)}", "details": details}
    payload |= {"summary": summary} if summary else {}
    return {**payload, "settings": _given(body.settings), **_origin(body, owner, preferred)}


def update_payload(subject: str, content: bytes) -> dict[str, Any]:
    """The payload of `update_algorithm` for a body of section 6.2."""
    body = read(content, Update)
    if body.source is not None:
        raise Numbered(
            NOT_EDITABLE, "where a source is kept stays as it was said at creation",
            why="versions come from that repository's history", repair="make another algorithm",
        )  # fmt: skip
    if body.settings:
        _check_environment(body.settings)
    details = _given(body.details) if body.details else {}
    summary = {"summary": details.pop("summary")} if "summary" in details else {}
    return {
        "algorithm": subject,
        **summary,
        "details": details,
        "settings": _given(body.settings or _UpdatedSettings()),
    }


def _origin(body: Create, owner: str, preferred: str) -> dict[str, Any]:
    """Where others keep the source: by the account's and algorithm's own names, where the body names none."""
    source = body.source or _Source()
    scm = source.scm or preferred
    if scm == INTERNAL:
        return {}
    if not UUID.fullmatch(scm):
        raise Numbered(
            UNKNOWN_SCM,
            f"there is no SCM {scm[:80]!r}",
            why="an SCM is named by its id",
            repair="GET /v1/scms lists them",
        )
    name = source.repository_name or body.name
    return {"origin": {"scm": scm, "owner": source.repository_owner or owner, "name": name}}


def publication(content: bytes) -> Publish:
    """The body of a publication (section 9). Nothing at all is a publication with everything left open."""
    return read(content or b"{}", Publish)


def commit_of(body: Publish) -> str:
    """The commit that is to be published; empty for the newest."""
    text = (body.version_info.git_hash or "").strip().lower() if body.version_info else ""
    if text and not _COMMIT.fullmatch(text):
        raise _wrong("version_info.git_hash", text, "it is the full hash of a commit, 40 hexadecimal digits")
    return text


def publish_payload(body: Publish, subject: str, commit: str) -> dict[str, Any]:
    """The payload of `publish_version`; visibility that is not named is left to be inherited."""
    settings, info = body.settings or _PublishedSettings(), body.version_info or _VersionInfo()
    insights = settings.insights_enabled if settings.insights_enabled is not None else info.insights_enabled
    details = {
        **_given(body.details or _PublishedDetails()),
        **_given(settings, "license", "royalty_microcredits"),
        **_given(info, "sample_input", "sample_output"),
        **({"insights_enabled": insights} if insights is not None else {}),
    }
    payload: dict[str, Any] = {"algorithm": subject, "hash": commit, **_number(info)}
    payload["confirm_permissions"] = True  # this protocol has no way to ask
    payload |= {"details": details} if details else {}
    payload |= {"notes": info.release_notes} if info.release_notes else {}
    return payload | ({"visibility": settings.algorithm_callability} if settings.algorithm_callability else {})


def check_permissions(body: Publish, declared: Permissions) -> None:
    """Raises Numbered where the body names permissions that the build does not have, and a publication cannot give it."""
    for name, value in _given(body.settings or _PublishedSettings(), *_FIXED).items():
        found = getattr(declared, name)
        if value != found:
            raise Numbered(
                INVALID_REQUEST,
                f"settings.{name} cannot be {str(value).lower()}: the build has {str(found).lower()}",
                why="a version has the permissions that its source declares, or the algorithm was created with",
                repair=f"leave it out, or declare {name} in troth.toml and compile",
            )


_FIXED = ("source_visibility", "network_access", "pipeline_enabled")


def _number(info: _VersionInfo) -> dict[str, str]:
    """The bump or the complete number, in the newest spelling that is used; `version_type` wins over `type`."""
    word, number = (info.version_type or info.type or "").strip(), (info.semantic_version or "").strip()
    field = "version_type" if info.version_type else "type"
    bump = "" if word == "default" and field == "type" else word
    if bump and bump not in _BUMPS:
        raise _wrong(f"version_info.{field}", bump, f"it is {', '.join(_BUMPS)}")
    if bump and number:
        raise Numbered(
            INVALID_REQUEST,
            f"version_info names both a {field} and a semantic_version",
            why="a published number never changes, so none is guessed",
            repair="send one of them",
        )
    return {"number": number} if number else {"bump": _BUMPS[bump or "minor"]}


def _check_environment(settings: _Settings | _UpdatedSettings) -> None:
    """Raises Numbered for what algorithms are not made in here."""
    if settings.language:
        check_language(settings.language)
    if settings.package_set and not runs_python(settings.package_set):
        raise Numbered(
            UNKNOWN_PACKAGE_SET,
            f"there is no package set {settings.package_set[:80]!r}",
            why="dependencies come from the source",
            repair="leave it out and name them in troth.toml or requirements.txt",
        )
    if settings.environment and settings.environment.lower() != "cpu":
        raise Numbered(UNSUPPORTED_MACHINE, f"there is no {settings.environment[:40]!r} here", repair="name cpu")
    if settings.algorithm_environment not in (None, "", environment_id()):
        repair = "GET /v1/algorithm-environments/edge/languages/python3/environments tells its id"
        raise _wrong("settings.algorithm_environment", settings.algorithm_environment or "", repair)


def _given(struct: msgspec.Struct, *only: str) -> dict[str, Any]:
    """The fields that were sent, with their values; null is as if it was not sent."""
    found = msgspec.structs.asdict(struct)
    return {name: value for name, value in found.items() if value is not None and (not only or name in only)}


def read(content: bytes, kind: type[Body], number: int = INVALID_REQUEST) -> Body:
    """The body as that kind. Raises Numbered: with `number` where it does not fit."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise Numbered(number, f"the body does not fit: {error}", repair="mend that field") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Numbered(INVALID_JSON, f"the body is not JSON: {error}", repair="send a JSON object") from None


def _wrong(field: str, value: str, why: str) -> Numbered:
    return Numbered(INVALID_REQUEST, f"{field} cannot be {value[:80]!r}", why=why)

"""Algorithms, versions and builds as the clients read them (algorithmia-api, sections 7 and 8).

What members of the owner alone may know, hashes of commits and logs of builds, is left out for others, who reach
versions by number.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from troth.queries.management import Described, Seen
from troth.registry.build_records import BuildRow
from troth.registry.catalog import AlgorithmRow, VersionRow
from troth.registry.failures import Failure
from troth.registry.scms import Scm
from troth.versions.history import BuildStatus
from troth.versions.numbers import Number
from troth.versions.permissions import Permissions

_SCM = {"id": "internal", "provider": "internal", "default": True, "enabled": True}
_SETTINGS_ONLY = ("language", "environment", "package_set", "algorithm_environment", "license", "royalty_microcredits")
_NOTES = ("sample_input", "sample_output")


def algorithm_object(described: Described, server: str, *, output: bool = False) -> dict[str, Any]:
    """An algorithm, with what is known of the version that it is described by; `output` adds the build's log."""
    algorithm, build = described.seen.algorithm, described.build
    found: dict[str, Any] = {
        "id": algorithm.id,
        "name": algorithm.name,
        "details": _details(algorithm, described.version),
        "settings": _settings(described),
        "source": _source(described.seen),
        "self_link": _link(described, server),
        "resource_type": "algorithm",
    }
    if build is None:
        return found
    number = described.version.number if described.version else None
    return found | {
        "version_info": _version_info(described),
        "build": build_object(build, number, member=described.seen.member),
        "compilation": _compilation(build, output and described.seen.member),
    }


def scm_object(scm: Scm) -> dict[str, Any]:
    """A place where others keep repositories."""
    urls = {"web": scm.base}
    return {"id": scm.id, "provider": scm.provider, "default": scm.preferred, "enabled": scm.enabled, "urls": urls}


def _source(seen: Seen) -> dict[str, Any]:
    """Who keeps the source; where others do, members are told where."""
    if seen.origin is None:
        return {"scm": _SCM}
    names = {"repository_owner": seen.origin.owner, "repository_name": seen.origin.name}
    scm = scm_object(seen.origin.scm)
    return {"scm": scm, **names} if seen.member else {"scm": {**scm, "urls": {}}}


def build_object(build: BuildRow, number: Number | None, *, member: bool = True) -> dict[str, Any]:
    """One build, with the number under which it was published."""
    found: dict[str, Any] = {
        "build_id": build.id,
        "status": build.status.value,
        "started_at": moment(build.started_at),
        "resource_type": "algorithm_build",
    }
    if member:
        found["commit_sha"] = build.hash
    if build.finished_at is not None:
        found["finished_at"] = moment(build.finished_at)
    if number is not None:
        found["version_info"] = {"semantic_version": str(number)}
    return found


def failure_object(failure: Failure) -> dict[str, Any]:
    """A failed call as clients read it (section 12.5)."""
    return {
        "created_at": failure.at,
        "request_id": failure.request,
        "username": failure.caller,
        "algoname": failure.name,
        "algoversion": failure.version,
        "input": "",
        "error": failure.error,
        "error_type": failure.error_type,
        "billable_to": failure.caller,
        "worker": "",
    }


def moment(stamp: str) -> str:
    """A moment as clients parse it: with milliseconds and `Z`."""
    return f"{stamp[:23]}Z"


def _details(algorithm: AlgorithmRow, version: VersionRow | None) -> dict[str, Any]:
    known = {"label": algorithm.name, "summary": algorithm.summary, **algorithm.details}
    if version is not None:
        known |= {key: version.details[key] for key in ("label", "summary", "tagline") if key in version.details}
    return {key: value for key, value in known.items() if value}


def _settings(described: Described) -> dict[str, Any]:
    algorithm, version = described.seen.algorithm, described.version
    permissions = _permissions(described)
    given = {"language": "python3", "environment": "cpu", **algorithm.settings}
    published = version.details if version else {}
    return {
        "algorithm_callability": permissions.visibility,
        "source_visibility": permissions.source_visibility,
        "network_access": permissions.network_access,
        "pipeline_enabled": permissions.pipeline_enabled,
        **{key: given[key] for key in _SETTINGS_ONLY if key in given},
        **{key: published[key] for key in ("license", "royalty_microcredits") if key in published},
        "insights_enabled": published.get("insights_enabled", False),
    }


def _permissions(described: Described) -> Permissions:
    """Those of the version; before it is published it is private, whatever its source declares."""
    build = described.build
    if described.version is not None:
        return described.version.permissions
    found = (
        build.permissions if build and build.status is BuildStatus.SUCCEEDED else described.seen.algorithm.permissions
    )
    return replace(found, visibility="private")


def _version_info(described: Described) -> dict[str, Any]:
    build, version = described.build, described.version
    assert build is not None
    found = {"git_hash": build.hash} if described.seen.member else {}
    if version is not None:
        notes = {key: version.details[key] for key in _NOTES if key in version.details}
        found |= {"semantic_version": str(version.number), "version_uuid": version.id, **notes}
        found |= {"release_notes": version.notes} if version.notes else {}
    return found


def _compilation(build: BuildRow, output: bool) -> dict[str, Any]:
    successful = build.status is BuildStatus.SUCCEEDED
    return {"successful": successful, "output": build.log} if output else {"successful": successful}


def _link(described: Described, server: str) -> str:
    link = f"{server}/v1/algorithms/{described.seen.algorithm.subject}"
    if described.build is None:
        return link
    if described.seen.member:
        return f"{link}/versions/{described.build.hash}"
    assert described.version is not None
    return f"{link}/versions/{described.version.number}"

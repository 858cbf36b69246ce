"""`/v1`'s OpenAPI document: it describes what answers, and no request that it leads to makes the server fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Err

from tests.doors.http import Http
from tests.server import RunningServer
from troth.doors.algorithmia.endpoints import Row
from troth.doors.algorithmia.openapi import PATH
from troth.doors.server.application import v1_rows

_EXAMPLES = 4


def test_the_document_has_every_row(server: RunningServer) -> None:
    document = httpx2.get(server.address + PATH).json()
    assert document["openapi"] == "3.1.0"
    found = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    rows: list[Row] = v1_rows(server.server)
    data = {(method, path) for method, path in found if path.startswith(("/v1/data", "/v1/hostedData"))}
    assert len(data) == 1 + 1 + 2 + 4 + 4
    assert len(found - data) == len(rows) - 1 + 2  # the document does not have itself; calls are no rows
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))


@pytest.fixture(scope="module")
def known(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Values of parameters that lead somewhere."""
    reference, commit = server.build(tmp_path_factory.mktemp("known"), "owner", server.owner)
    server.owner.publish(reference, commit, bump="minor", visibility="public")
    owner, name = reference.split("/")
    with httpx2.Client(base_url=server.address, headers={"Authorization": server.owner_key}) as http:
        http.post("/v1/data/.my", json={"name": "known"}).raise_for_status()
        http.put("/v1/data/.my/known/file", content=b"x").raise_for_status()
    known_data = {"account": "owner", "directory": "known", "file": "file"}
    return {"owner": owner, "name": name, "version": "0.1.0", "scm": "internal", "language": "python3", **known_data}


def test_nothing_that_it_describes_makes_the_server_fail(server: RunningServer, known: dict[str, str]) -> None:
    """Each operation gets requests that fit and requests that do not, by its parameters, and by its body."""
    document = httpx2.get(server.address + PATH).json()
    schema = schemathesis.openapi.from_dict(document)
    tried: dict[str, int] = {}
    for result in schema.get_all_operations():
        assert not isinstance(result, Err)
        operation = result.ok()
        for named in (False, True):
            _tried(operation, server, known if named else {}, tried)
    assert len(tried) == sum(len(item) for item in document["paths"].values())
    assert min(tried.values()) >= 2


def _tried(operation: Any, server: RunningServer, named: dict[str, str], tried: dict[str, int]) -> None:
    """Sends examples of one operation; those that would build or delete what others use are sent below other names."""
    destroying = operation.method.upper() == "DELETE" or operation.path.endswith("/compile")

    @given(case=operation.as_strategy())
    @settings(
        max_examples=_EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def one(case: Any) -> None:
        if named and not destroying:
            case.path_parameters = {**(case.path_parameters or {}), **_among(named, case.path_parameters)}
        reply = case.call(base_url=server.address, headers={"Authorization": server.owner_key}, timeout=60)
        tried[f"{operation.method} {operation.path}"] = tried.get(f"{operation.method} {operation.path}", 0) + 1
        case.validate_response(reply, checks=[not_a_server_error])

    one()


def _among(named: dict[str, str], parameters: dict[str, Any] | None) -> dict[str, str]:
    return {name: value for name, value in named.items() if name in (parameters or {})}


def test_the_document_needs_no_key_and_no_algorithm(server: RunningServer, ada: Http, tmp_path: Path) -> None:
    assert httpx2.get(server.address + PATH).json() == ada.client.get(PATH).json()

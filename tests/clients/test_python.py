"""The Python client 2.0.5, as it is, manages and calls algorithms of this server (algorithmia-api, sections 4 to 9)."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest

from tests.clients.author import DETAILS, SETTINGS, Author
from tests.clients.conftest import Connect
from tests.clients.python import PythonClient, Raised
from tests.clients.unsteady import Fate, unsteady
from tests.server import RunningServer

BACK = """
def apply(input):
    if input == "raise":
        error = ValueError("not this"); error.error_type = "InputError"; raise error
    return input
"""


def refused(client: PythonClient, reference: str, method: str, *arguments: Any, **options: Any) -> Raised:
    with pytest.raises(Raised) as caught:
        client(reference, method, *arguments, **options)
    return caught.value


def numbers(page: dict[str, Any]) -> list[str | None]:
    return [version["version_info"].get("semantic_version") for version in page["results"]]


@pytest.mark.digest(
    "6 create",
    "6 get",
    "6 scm_status",
    "6.1 answer",
    "6.1 template",
    "6.3 finished",
    "7.1 id",
    "7.1 git_hash",
    "1.3 python",
)
def test_from_nothing_to_hello(author: Author) -> None:
    client, reference = author.client, author.new_reference()
    assert client(reference, "exists") is False
    made = client(reference, "create", details=DETAILS, settings=SETTINGS, version_info={"sample_input": "HAL"})
    assert client(reference, "exists") is True
    assert client(reference, "get_algorithm_id") == made["id"]
    assert made["name"] == reference.split("/")[1]
    assert made["details"] == DETAILS
    assert made["settings"]["algorithm_callability"] == "private"
    assert {key: made["settings"][key] for key in SETTINGS} == SETTINGS
    assert "version_info" not in made
    assert client(reference, "info")["results"] == []
    assert client(reference, "get_scm_status") == {"scm_connection_status": "active"}

    built = client(reference, "compile")
    commit = built["version_info"]["git_hash"]
    assert built["compilation"]["successful"] is True
    assert client(f"{reference}/{commit}", "pipe", "HAL") == {"result": "hello HAL", "content_type": "text"}

    version = client(reference, "publish")
    assert version["version_info"]["semantic_version"] == "0.1.0"
    assert version["settings"]["algorithm_callability"] == "private"
    assert client(f"{reference}/0.1.0", "pipe", "HAL")["result"] == "hello HAL"
    assert client(reference, "info", commit)["version_info"]["semantic_version"] == "0.1.0"


@pytest.mark.digest("9 version_type", "9 empty")
def test_every_spelling_of_a_number(author: Author) -> None:
    reference = author.created()
    spellings: list[tuple[dict[str, str], str]] = [
        ({"version_type": "revision"}, "0.0.1"),
        ({}, "0.1.0"),
        ({"version_type": "patch"}, "0.1.1"),
        ({"version_type": "minor"}, "0.2.0"),
        ({"version_type": "major"}, "1.0.0"),
        ({"type": "default"}, "1.1.0"),
        ({"type": "revision"}, "1.1.1"),
        ({"type": "major", "version_type": "minor"}, "1.2.0"),
        ({"semantic_version": "2.0.0", "git_hash": ""}, "2.0.0"),
        ({"semantic_version": "", "git_hash": ""}, "2.1.0"),
    ]
    for info, number in spellings:
        assert author.published(reference, number, version_info=info) == number
    for _, number in spellings:
        assert author.client(f"{reference}/{number}", "pipe", "x")["result"] == number


@pytest.mark.digest("9 first")
@pytest.mark.parametrize("word", ["major", "minor", "revision"])
def test_the_first_number(author: Author, word: str) -> None:
    first = {"major": "1.0.0", "minor": "0.1.0", "revision": "0.0.1"}
    assert author.published(author.created(), "x", version_info={"version_type": word}) == first[word]


@pytest.mark.digest("9 answer", "9 insights", "7.1 callability")
def test_what_is_said_at_publication(author: Author) -> None:
    reference = author.created()
    author.compiled(reference)
    info = {"version_type": "minor", "release_notes": "the first", "sample_input": "HAL", "sample_output": "hello HAL"}
    settings = {"algorithm_callability": "public", "insights_enabled": True, "license": "mit"}
    found = author.client(reference, "publish", details={"label": "Greeting"}, settings=settings, version_info=info)
    assert {key: found["version_info"][key] for key in info if key != "version_type"} == {
        key: value for key, value in info.items() if key != "version_type"
    }
    assert {key: found["settings"][key] for key in settings} == settings
    assert found["details"]["label"] == "Greeting"
    assert author.client(reference, "info", found["version_info"]["git_hash"]) == found
    assert author.client(reference, "versions")["results"][0]["version_info"] == found["version_info"]


def test_a_build_that_is_not_the_newest(author: Author) -> None:
    reference = author.created()
    first, second = author.compiled(reference), author.compiled(reference, BACK)
    assert first != second
    found = author.client(reference, "publish", version_info={"git_hash": first})
    assert found["version_info"]["git_hash"] == first
    assert author.client(f"{reference}/0.1.0", "pipe", "x")["result"] == "hello x"
    assert author.client(reference, "publish")["version_info"]["git_hash"] == second


def test_visibility_is_inherited_and_a_contradiction_is_told_with_its_clause(author: Author) -> None:
    reference, public = author.created(), {"algorithm_callability": "public"}
    assert author.published(reference, "a", settings=public) == "0.1.0"
    assert author.published(reference, "b", version_info={"version_type": "revision"}) == "0.1.1"
    page = author.client(reference, "versions", callable=True)
    assert numbers(page) == ["0.1.1", "0.1.0"]
    author.compiled(reference, BACK)
    private = {"algorithm_callability": "private"}
    revision = refused(author.client, reference, "publish", settings=private, version_info={"version_type": "revision"})
    assert revision.kind == "AlgorithmException"
    assert "ALG-10: A new revision always carries the visibility" in revision.message
    assert "publish as 1.0.0" in revision.message
    minor = refused(author.client, reference, "publish", settings=private)
    assert "ALG-08" in minor.message
    assert numbers(author.client(reference, "versions", published=True)) == ["0.1.1", "0.1.0"]
    major = author.client(reference, "publish", settings=private, version_info={"version_type": "major"})
    assert major["version_info"]["semantic_version"] == "1.0.0"


@pytest.mark.digest("3.2 repeats")
def test_nothing_is_published_twice(author: Author) -> None:
    reference = author.created()
    assert "nothing was compiled" in refused(author.client, reference, "publish").message
    author.compiled(reference)
    author.client(reference, "publish")
    again = refused(author.client, reference, "publish")
    assert "published already, as 0.1.0" in again.message
    assert numbers(author.client(reference, "versions")) == ["0.1.0"]


@pytest.mark.digest("3.2 repeats")
@pytest.mark.parametrize("fate", ["lose the request", "lose the answer"])
def test_publishing_and_compiling_are_repeated_by_the_client(
    server: RunningServer, author: Author, connect: Connect, fate: Fate
) -> None:
    reference = author.created()
    with unsteady(server.address, f"/v1/algorithms/{reference}/compile", fate) as address:
        built = connect(author.key, address)(reference, "compile")
    assert built["compilation"]["successful"]
    with unsteady(server.address, f"/v1/algorithms/{reference}/versions", fate) as address:
        client = connect(author.key, address)
        if fate == "lose the request":
            assert client(reference, "publish")["version_info"]["semantic_version"] == "0.1.0"
        else:
            assert "published already, as 0.1.0" in refused(client, reference, "publish").message
    assert numbers(author.client(reference, "versions")) == ["0.1.0"]
    assert len(author.client(reference, "get_builds")["results"]) == 1


@pytest.mark.digest("6.4 published", "6.4 page", "3.5 keys")
def test_filters_and_pages_of_versions(author: Author) -> None:
    reference, public = author.created(), {"algorithm_callability": "public"}
    author.published(reference, "a")
    author.published(reference, "b", settings=public, version_info={"version_type": "major"})
    author.published(reference, "c")
    commit = author.compiled(reference, BACK)
    client = author.client
    assert numbers(client(reference, "versions")) == ["1.1.0", "1.0.0", "0.1.0", None]
    assert numbers(client(reference, "versions", published=True)) == ["1.1.0", "1.0.0", "0.1.0"]
    assert numbers(client(reference, "versions", callable=True)) == ["1.1.0", "1.0.0"]
    assert numbers(client(reference, "versions", callable="false", published=True)) == ["0.1.0"]
    (build,) = client(reference, "versions", published="false")["results"]
    assert build["version_info"] == {"git_hash": commit}
    found: list[str | None] = []
    marker = None
    for _ in range(4):
        page = client(reference, "versions", limit=1, marker=marker)
        assert (page["marker"] is None) == (page["next_link"] is None)
        found, marker = [*found, *numbers(page)], page["marker"]
    assert found == ["1.1.0", "1.0.0", "0.1.0", None]
    assert marker is None


@pytest.mark.digest("8 status", "8 log", "6 builds", "6 build", "6 logs", "3.5 limit", "7.1 compilation")
def test_builds_and_their_logs(author: Author) -> None:
    reference = author.created()
    first = author.compiled(reference)
    author.client(reference, "publish")
    author.pushed(reference, "this is no Python")
    failed = author.client(reference, "compile")
    assert failed["compilation"]["successful"] is False
    assert "SyntaxError" in failed["compilation"]["output"]
    latest, earliest = author.client(reference, "get_builds")["results"]
    assert (latest["status"], latest["commit_sha"]) == ("failed", failed["version_info"]["git_hash"])
    assert "version_info" not in latest
    assert (earliest["status"], earliest["commit_sha"]) == ("succeeded", first)
    assert earliest["version_info"] == {"semantic_version": "0.1.0"}
    assert author.client(reference, "get_build", earliest["build_id"]) == earliest
    assert earliest["resource_type"] == "algorithm_build"
    for name in ("started_at", "finished_at"):
        time.strptime(earliest[name], "%Y-%m-%dT%H:%M:%S.%fZ")
    logs = author.client(reference, "get_build_logs", earliest["build_id"])
    assert set(logs) == {"logs"}
    assert logs["logs"].startswith("Beginning container customization")
    assert "SyntaxError" in author.client(reference, "get_build_logs", latest["build_id"])["logs"]
    assert "there is no build nope" in refused(author.client, reference, "get_build", "nope").message
    commit = refused(author.client, f"{reference}/{latest['commit_sha']}", "pipe", "x")
    assert "not found" in commit.message


@pytest.mark.digest("1.1 python", "4.1 path", "4.1 text", "4.1 bytes", "4.1 json", "4.2 binary")
def test_values_there_and_back(author: Author) -> None:
    reference = author.created()
    commit = author.compiled(reference, BACK)
    author.client(reference, "publish", settings={"algorithm_callability": "public"})
    values: list[tuple[Any, str]] = [
        ("text \N{SNOWMAN}", "text"), (b"\x00\xff", "binary"), ({"a": [1, 2.5, None, True]}, "json"), (None, "json"),
        ([], "json"), (7, "json"), ("", "text"), (b"", "binary"),
    ]  # fmt: skip
    for version in ("", "/0.1.0", "/0.1", "/latest", f"/{commit}"):
        for value, kind in values:
            expected = {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
            answer = author.client(reference + version, "pipe", value)
            assert answer == {"result": expected, "content_type": kind}


@pytest.mark.digest("3.1 error_type", "3.1 status")
def test_what_an_algorithm_raises(author: Author) -> None:
    reference = author.created()
    commit = author.compiled(reference, BACK)
    error = refused(author.client, f"{reference}/{commit}", "pipe", "raise")
    assert (error.kind, error.error_type) == ("AlgorithmException", "InputError")
    assert "not this" in error.message
    assert "in apply" in error.message


@pytest.mark.digest("4.3 raw", "4.4 void", "4.1 output_type")
def test_raw_and_void_output(author: Author) -> None:
    reference = author.created()
    commit = author.compiled(reference, BACK)
    raw = {"output": "raw"}
    assert author.client(f"{reference}/{commit}", "pipe", "text", set_options=raw) == "text"
    with pytest.raises(Raised, match="400"):  # its words do not survive the client
        author.client(f"{reference}/{commit}", "pipe", "raise", set_options=raw)
    void = author.client(f"{reference}/{commit}", "pipe", "text", set_options={"output": "void"})
    assert void["request_id"].startswith("req-")


@pytest.mark.digest("6 update", "6.2 update")
def test_an_update_changes_nothing_and_says_so(author: Author) -> None:
    reference = author.created()
    before = author.client(reference, "versions")
    told = refused(author.client, reference, "update", details={"label": "other"}, settings={"license": "mit"})
    assert "names of fields without their values" in told.message
    assert author.client(reference, "versions") == before


@pytest.mark.digest("12.1 languages", "12.1 environments", "12.1 unknown")
def test_languages_and_environments(author: Author) -> None:
    found = author.client("", "get_supported_languages")
    assert [language["name"] for language in found] == ["anaconda3", "python3"]
    assert all(set(language) == {"name", "display_name", "configuration"} for language in found)
    (environment,) = author.client("", "get_environment", "python3")["environments"]
    assert environment["machine_type"] == "CPU"
    assert author.client("", "get_environment", "anaconda3")["environments"][0]["id"] == environment["id"]
    assert "error" in author.client("", "get_environment", "cobol")
    assert author.created(algorithm_environment=environment["id"])


@pytest.mark.digest("3.2 no_such_algorithm")
def test_strangers(server: RunningServer, author: Author, connect: Connect) -> None:
    reference = author.created()
    name, _ = server.account("stranger")
    stranger = connect(server.keys[name])
    for method in ("compile", "publish", "get_builds", "get_algorithm_id", "info", "get_scm_status"):
        told = refused(stranger, reference, method)
        assert (told.kind, told.message) == ("AlgorithmException", "'No such algorithm'")
    assert stranger(reference, "exists") is False
    assert "may not create" in refused(stranger, author.new_reference(), "create", DETAILS, SETTINGS).message
    author.compiled(reference)
    author.client(reference, "publish", settings={"algorithm_callability": "public"})
    assert stranger(reference, "exists") is True
    assert numbers(stranger(reference, "versions")) == ["0.1.0"]
    assert stranger(reference, "pipe", "HAL")["result"] == "hello HAL"
    assert "members of its owner" in refused(stranger, reference, "publish").message


@pytest.mark.digest("2.1 simple_typed", "1.3 python")
def test_a_key_with_a_prefix_that_somebody_typed(server: RunningServer, author: Author, connect: Connect) -> None:
    reference = author.created()
    commit = author.compiled(reference)
    typed = connect(f"Simple {author.key}")
    assert typed(f"{reference}/{commit}", "pipe", "HAL")["result"] == "hello HAL"
    assert typed(reference, "exists") is True


@pytest.mark.digest("2.1 absent", "3.1 status")
def test_without_a_key(author: Author, connect: Connect) -> None:
    reference = author.created()
    nobody = connect("")
    assert "authorization required" in refused(nobody, reference, "info").message
    assert "authorization required" in refused(nobody, reference, "pipe", "x").message

"""Data in algorithms that run: as their callers' and as their own, with the client that is handed to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.data.conftest import User
from tests.server import RunningServer
from tests.within.author import error_of, publish, wait_for
from troth.access.scopes import DataAccess

Make = Callable[..., User]
CURIOUS = """
import Algorithmia

def apply(input):
    client = Algorithmia.client()
    found = []
    for step, path in input:
        try:
            if step == "read":
                found.append(client.file(path).getString())
            elif step == "write":
                found.append(client.file(path).put("written").exists())
            elif step == "list":
                found.append([one.getName() for one in client.dir(path).list()])
            elif step == "name":
                found.append(client.username())
            elif step == "call":
                found.append(client.algo(path).pipe([["read", "data://.session/note"]]).result)
        except Algorithmia.ApiError as error:
            found.append("refused: " + str(error))
    return found
"""
LOADED = """
import Algorithmia

state = {}

def load():
    for name in ("mine", "hidden", "theirs", "shown"):
        try:
            state[name] = Algorithmia.client().file(PATHS[name]).getString()
        except Algorithmia.ApiError as error:
            state[name] = "refused: " + str(error)
    try:
        Algorithmia.file(PATHS["mine"]).put("spoilt")
    except Algorithmia.ApiError as error:
        state["put"] = "refused: " + str(error)
    return state

def apply(input, state):
    return state
"""


@pytest.fixture(scope="module")
def author(make_user: Make) -> User:
    return make_user("author")


@pytest.fixture(scope="module")
def curious(data_server: RunningServer, author: User, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish(data_server, tmp_path_factory.mktemp("curious"), CURIOUS, owner=author.name)


def called(user: User, reference: str, given: Any) -> Any:
    """The result of a call with the user's key."""
    return user.server.client(user.key).call(reference, given).result


def kept(user: User, acl: list[str] | None, content: bytes) -> str:
    """The address of a new file in a new directory."""
    path = f"{user.directory(acl)}/file"
    assert user.put(path, content).status_code == 200
    return f"data://{path}"


def test_a_public_algorithm_gets_at_nothing_of_its_callers(make_user: Make, author: User, curious: str) -> None:
    caller = make_user("caller")
    private, usual, public = kept(caller, [], b"1"), kept(caller, None, b"2"), kept(caller, ["user://*"], b"3")
    answers = called(caller, curious, [["read", private], ["read", usual], ["read", public], ["write", usual]])
    assert answers[0].startswith("refused: there is no data://")
    assert answers[1].startswith("refused: there is no data://")
    assert answers[2] == "3"
    assert answers[3].startswith("refused: there is no data://")
    assert caller.ask("GET", usual.removeprefix("data://")).content == b"2"
    assert called(caller, curious, [["name", ""], ["list", "data://.my"]]) == [caller.name, [public.split("/")[3]]]


def test_an_algorithm_reads_its_owners_data_for_everybody(make_user: Make, author: User, curious: str) -> None:
    caller = make_user("caller")
    usual, private = kept(author, None, b"model"), kept(author, [], b"secret")
    read = [["read", usual], ["read", private], ["write", usual]]
    model, secret, written = called(caller, curious, read)
    assert (model, secret[:8], written[:8]) == ("model", "refused:", "refused:")
    assert called(author, curious, read) == ["model", "secret", True]
    without = caller.with_scope(DataAccess.NONE)
    assert called(without, curious, [["read", usual]])[0].startswith("refused: this key is not for read data")


def test_sessions_and_what_is_kept_for_a_caller(make_user: Make, author: User, curious: str) -> None:
    caller = make_user("caller")
    steps = [["write", "data://.session/note"], ["call", curious], ["list", "data://.session"]]
    assert called(caller, curious, steps) == [True, ["written"], ["note"]]
    assert called(caller, curious, [["read", "data://.session/note"]])[0].startswith("refused: there is no")
    keeping = caller.server.server.data
    wait_for(lambda: not keeping.sessions)  # what ended is told behind the answer
    name = curious.split("/")[1]
    assert called(caller, curious, [["write", "data://.algo/perm/count"]]) == [True]
    assert caller.ask("GET", f".algo/{author.name}/{name}/perm/count").content == b"written"
    other = make_user("other")
    assert called(other, curious, [["read", "data://.algo/perm/count"]])[0].startswith("refused:")


def test_what_can_be_read_while_a_version_is_loaded(
    make_user: Make, author: User, data_server: RunningServer, tmp_path: Path
) -> None:
    """Its owner's data that is for algorithms, and public data; as nobody, so nothing of whoever calls first."""
    caller = make_user("caller")
    paths = {
        "mine": kept(author, None, b"weights"),
        "hidden": kept(author, [], b"secret"),
        "theirs": kept(caller, None, b"private"),
        "shown": kept(caller, ["user://*"], b"public"),
    }
    reference = publish(data_server, tmp_path, LOADED.replace("PATHS", repr(paths)), owner=author.name)
    found = called(caller, reference, 1)
    assert (found["mine"], found["shown"]) == ("weights", "public")
    assert found["hidden"].startswith("refused: there is no")
    assert found["theirs"].startswith("refused: there is no")
    assert found["put"].startswith("refused: this key is not for write data")


def test_workers_do_not_share_the_connection_that_loading_opened(
    make_user: Make, author: User, data_server: RunningServer, tmp_path: Path
) -> None:
    """Workers are forks of the process that loaded; of two that read from one connection each could get the other's answer."""
    paths = {name: kept(author, None, name.encode()) for name in ("loaded", "outer", "inner")}
    code = (
        "import Algorithmia\n"
        f"paths = {paths!r}\n"
        "def read(name):\n    return Algorithmia.client().file(paths[name]).getString()\n"
        "loaded = read('loaded')\n"
        "def apply(input):\n"
        "    if input == 'inner':\n        return [read('inner') for _ in range(5)]\n"
        "    found = [read('outer') for _ in range(5)]\n"
        "    return [loaded, found, Algorithmia.client().algo('author/NAME/latestPrivate').pipe('inner').result]\n"
    ).replace("author/", f"{author.name}/")
    reference = publish(data_server, tmp_path, code, owner=author.name, visibility="private")
    assert called(author, reference, "outer") == ["loaded", ["outer"] * 5, ["inner"] * 5]


def test_the_key_for_loading_is_good_while_something_is_loaded(
    make_user: Make, author: User, data_server: RunningServer, tmp_path: Path
) -> None:
    path = kept(author, None, b"weights").removeprefix("data://")
    code = (
        "from Algorithmia import transport\n"
        "def apply(input):\n    return transport.ask('GET', '/v1/data/' + input, key='call-load').status\n"
    )
    reference = publish(data_server, tmp_path, code, owner=author.name)
    assert called(author, reference, path) == 401
    outside = author.http.get(f"/v1/data/{path}", headers={"Authorization": "call-load"})
    assert outside.status_code == 401
    assert error_of(data_server, reference, path, "call-load")["message"].startswith("authorization required")

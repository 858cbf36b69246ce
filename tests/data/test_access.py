"""Who may read and write what: the whole table, as requests to a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.data.conftest import User
from tests.server import RunningServer
from tests.within.author import wait_for
from troth.access.scopes import DataAccess

Make = Callable[..., User]
ACLS: dict[str, list[str]] = {"private": [], "my algorithms": ["algo://.my/*"], "public": ["user://*"]}

# Written from the digest (10.6) and 8.15 of the architecture, not from the code. For each of whose algorithm asks (none: a
# key by itself) and who calls it: what may be done with the directory of Ada's, by its ACL. r reads, w reads and writes.
EXPECTED = {
    # algorithm of, called by    private  my algorithms  public
    ("nobody", "the owner"): ("w", "w", "w"),
    ("nobody", "a member"): ("w", "w", "w"),
    ("nobody", "a former member"): ("-", "-", "r"),
    ("nobody", "a stranger"): ("-", "-", "r"),
    ("the owner", "the owner"): ("w", "w", "w"),
    ("the owner", "a member"): ("w", "w", "w"),
    ("the owner", "a former member"): ("-", "r", "r"),
    ("the owner", "a stranger"): ("-", "r", "r"),
    ("a stranger", "the owner"): ("-", "-", "r"),
    ("a stranger", "a member"): ("-", "-", "r"),
    ("a stranger", "a former member"): ("-", "-", "r"),
    ("a stranger", "a stranger"): ("-", "-", "r"),
    ("a member", "the owner"): ("-", "-", "r"),
    ("a member", "a member"): ("-", "-", "r"),
    ("a member", "a former member"): ("-", "-", "r"),
    ("a member", "a stranger"): ("-", "-", "r"),
}


@dataclass
class Cast:
    """An organisation, which owns the directories, and people around it."""

    owner: User
    people: dict[str, User]
    directories: dict[str, str]


@pytest.fixture(scope="module")
def cast(data_server: RunningServer, make_user: Make) -> Cast:
    member, former, stranger = make_user("member"), make_user("former"), make_user("stranger")
    organization = data_server.organization(data_server.client(member.key), "house")
    data_server.client(member.key).command("add_member", organization=organization, account=former.name, role="member")
    data_server.client(member.key).command("remove_member", organization=organization, account=former.name)
    identity = next(owner for owner, ids in data_server.server.table.members.items() if member.id in ids)
    owner = User(organization, identity, "", member.http, data_server).with_scope(DataAccess.WRITE)
    directories = {acl: owner.directory(words) for acl, words in ACLS.items()}
    for directory in directories.values():
        assert owner.put(f"{directory}/kept.txt", b"kept").status_code == 200
    people = {"the owner": owner, "a member": member, "a former member": former, "a stranger": stranger}
    return Cast(owner, people, directories)


def asking(cast: Cast, algorithm: str, caller: str, data: DataAccess) -> User:
    """Who asks in one row of the table."""
    user = cast.people[caller]
    if algorithm == "nobody":
        return user.with_scope(data)
    return user.inside(cast.people[algorithm], data=data)


def observed(user: User, directory: str) -> str:
    """What the user can do with a directory: every kind of read, then every kind of write."""
    reads = [
        user.ask("GET", directory).status_code,
        user.ask("HEAD", directory).status_code,
        user.ask("GET", f"{directory}/kept.txt").status_code,
        user.ask("HEAD", f"{directory}/kept.txt").status_code,
    ]
    name = user.server.new_name("file")
    acl = user.ask("GET", directory, params={"acl": "true"}).json().get("acl", {"read": []})
    writes = [
        user.put(f"{directory}/{name}").status_code,
        user.ask("DELETE", f"{directory}/{name}").status_code,
        user.ask("PATCH", directory, json={"acl": acl}).status_code,
        user.ask("DELETE", directory).status_code,  # it is not empty
    ]
    answers = {(200, 400): "w", (200, 403): "r", (404, 404): "-"}
    assert len(set(reads)) == 1, reads
    assert writes in ([200, 200, 200, 400], [403] * 4, [404] * 4), writes
    return answers[reads[0], writes[-1]]


@pytest.mark.parametrize(("algorithm", "caller"), list(EXPECTED))
def test_owner_by_caller_by_acl(cast: Cast, algorithm: str, caller: str) -> None:
    user = asking(cast, algorithm, caller, DataAccess.WRITE)
    found = tuple(observed(user, directory) for directory in cast.directories.values())
    assert found == EXPECTED[algorithm, caller]


@pytest.mark.parametrize("algorithm", ["nobody", "the owner"])
@pytest.mark.parametrize("acl", list(ACLS))
def test_a_key_takes_from_what_its_account_may_do(cast: Cast, algorithm: str, acl: str) -> None:
    directory = cast.directories[acl]
    nothing = asking(cast, algorithm, "the owner", DataAccess.NONE)
    reads = asking(cast, algorithm, "the owner", DataAccess.READ)
    for path in (directory, f"{directory}/kept.txt", f"{cast.owner.name}/never", "nobody_at_all/never", ""):
        assert nothing.ask("GET", path).status_code == 403
    assert reads.ask("GET", f"{directory}/kept.txt").content == b"kept"
    for user in (nothing, reads):
        refused = user.put(f"{directory}/new.txt")
        assert refused.status_code == 403
        assert "this key is not for write data" in refused.json()["error"]["message"]
        assert user.ask("POST", cast.owner.name, json={"name": "never"}).status_code == 403
        assert user.ask("DELETE", f"{directory}/kept.txt").status_code == 403
        assert user.ask("PATCH", directory, json={"acl": {"read": []}}).status_code == 403


def test_what_is_hidden_is_answered_as_what_never_was(cast: Cast) -> None:
    stranger, private = cast.people["a stranger"], cast.directories["private"]
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        for hidden, never in ((private, f"{cast.owner.name}/never"), (f"{private}/kept.txt", f"{private}/never")):
            options: dict[str, Any] = {"json": {"acl": {"read": []}}} if method == "PATCH" else {}
            one, other = stranger.ask(method, hidden, **options), stranger.ask(method, never, **options)
            assert one.status_code == other.status_code
            assert told(one).replace(hidden, never) == told(other)


def told(answer: object) -> str:
    """The words of an answer."""
    body = answer.json() if answer.content else {}  # type: ignore[attr-defined]
    return body["error"]["message"] if body else answer.headers["x-error-message"]  # type: ignore[attr-defined,no-any-return]


def test_listings_show_what_can_be_read(cast: Cast) -> None:
    names = {acl: directory.split("/")[1] for acl, directory in cast.directories.items()}

    def shown(user: User) -> set[str]:
        return {folder["name"] for folder in user.ask("GET", cast.owner.name).json().get("folders", [])}

    assert shown(cast.owner) == set(names.values())
    assert shown(cast.people["a member"]) == set(names.values())
    assert shown(cast.people["a stranger"]) == {names["public"]}
    inside = cast.people["a stranger"].inside(cast.owner)
    assert shown(inside) == {names["public"], names["my algorithms"]}
    member = cast.people["a member"].ask("GET", "").json()["folders"]
    assert [folder["name"] for folder in member] == [cast.people["a member"].name, cast.owner.name]
    assert cast.people["a stranger"].ask("GET", "never_was").status_code == 404


def test_an_account_without_anything_to_see_is_not_there(make_user: Make) -> None:
    hidden, stranger = make_user(), make_user()
    hidden.directory([])
    one, other = stranger.ask("GET", hidden.name), stranger.ask("GET", "never_was")
    assert (one.status_code, told(one).replace(hidden.name, "never_was")) == (404, told(other))


def test_only_a_public_directory_can_be_read_by_somebody_elses_algorithm(make_user: Make) -> None:
    """A public algorithm must not read its caller's data because it was called."""
    victim, author = make_user("victim"), make_user("author")
    directory = victim.directory()
    victim.put(f"{directory}/diary.txt", b"secret")
    inside = victim.inside(author)
    for path in (f"{directory}/diary.txt", f".my/{directory.split('/')[1]}/diary.txt"):
        assert inside.ask("GET", path).status_code == 404
        assert inside.put(path, b"spoilt").status_code == 404
        assert inside.ask("DELETE", path).status_code == 404
    assert inside.ask("DELETE", directory, params={"force": "true"}).status_code == 404
    assert inside.ask("POST", ".my", json={"name": "planted"}).status_code == 403
    assert inside.ask("GET", ".my").json().get("folders") is None
    assert victim.ask("GET", f"{directory}/diary.txt").content == b"secret"


def test_the_session_is_one_call_with_its_children(make_user: Make) -> None:
    caller, author, other = make_user(), make_user(), make_user()
    one = caller.inside(author, "parent", session="req-1", data=DataAccess.NONE)
    child = caller.inside(other, "child", session="req-1", data=DataAccess.NONE)
    apart = caller.inside(author, "parent", session="req-2")
    assert one.ask("GET", ".session").json() == {"marker": None}
    assert one.put(".session/note.txt", b"between us").json() == {"result": "data://.session/note.txt"}
    assert child.ask("GET", ".session/note.txt").content == b"between us"
    assert child.ask("GET", ".session", params={"acl": "true"}).json().keys() == {"files", "marker"}
    assert apart.ask("GET", ".session/note.txt").status_code == 404
    assert caller.ask("GET", ".session/note.txt").status_code == 404
    assert caller.ask("GET", f"{caller.name}/.session").status_code == 400
    assert one.ask("DELETE", ".session/note.txt").json() == {"result": {"deleted": 1}}


def test_a_session_ends_with_its_call(make_user: Make, data_server: RunningServer) -> None:
    inside = make_user().inside(make_user(), session="req-ended")
    inside.put(".session/note.txt", b"gone soon")
    keeping = data_server.server.data
    assert "req-ended" in keeping.sessions
    data_server.loop.call_soon_threadsafe(keeping.end_session, "req-ended")
    wait_for(lambda: inside.ask("GET", ".session/note.txt").status_code == 404)
    assert keeping.sessions.isdisjoint({"req-ended"})


def test_what_an_algorithm_keeps_for_a_caller(make_user: Make) -> None:
    caller, author, other = make_user(), make_user(), make_user()
    inside = caller.inside(author, "thumb")
    assert inside.put(".algo/temp/a.png", b"a").json() == {"result": "data://.algo/temp/a.png"}
    full = f".algo/{author.name}/thumb/perm"
    assert inside.put(f"{full}/b.png", b"b").status_code == 200
    # the caller itself reads and deletes, and does not store
    assert caller.ask("GET", f".algo/{author.name}/thumb/temp/a.png").content == b"a"
    assert caller.put(f"{full}/b.png", b"c").status_code == 404
    assert [folder["name"] for folder in caller.ask("GET", ".algo").json()["folders"]] == [author.name]
    assert [folder["name"] for folder in caller.ask("GET", f".algo/{author.name}").json()["folders"]] == ["thumb"]
    found = caller.ask("GET", f".algo/{author.name}/thumb").json()["folders"]
    assert [folder["name"] for folder in found] == ["perm", "temp"]
    assert "acl" not in caller.ask("GET", full, params={"acl": "true"}).json()
    # nobody else: another algorithm, the algorithm for another caller, its owner
    assert caller.inside(author, "another").ask("GET", f"{full}/b.png").status_code == 404
    assert caller.inside(other, "thumb").ask("GET", f"{full}/b.png").status_code == 404
    assert other.inside(author, "thumb").ask("GET", f"{full}/b.png").status_code == 404
    assert author.ask("GET", f"{full}/b.png").status_code == 404
    assert caller.ask("DELETE", f"{full}/b.png").status_code == 200
    assert inside.ask("GET", f"{full}/b.png").status_code == 404


def test_the_commands_alone_change_nothing(make_user: Make, data_server: RunningServer) -> None:
    """Through the native API nobody says inside which call they are."""
    user = make_user()
    directory = user.directory().split("/")[1]
    client = data_server.client(user.key)
    for command, more in (
        ("create_collection", {"collection": "other"}),
        ("delete_collection", {"collection": directory, "force": True}),
        ("set_collection_acl", {"collection": directory, "acl": "public"}),
        ("delete_file", {"collection": directory, "file": "x"}),
    ):
        with pytest.raises(Exception, match="not changed by this command alone"):
            client.command(command, account=user.name, **more)

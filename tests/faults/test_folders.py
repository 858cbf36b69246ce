"""Folders and uploads that cannot be published: what is refused, what fails as a build, and what it says (ALG-04, ALG-22)."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.faults.wire import PUBLIC, Author, call, call_error, post, problem
from tests.server import ECHO, RunningServer, write_project
from troth.errors import Forbidden, MalformedName, MalformedSource, NameTaken, NotFound, Refused, TrothError
from troth.versions.manifest import Entry, Manifest


@pytest.fixture
def project(author: Author, server: RunningServer, tmp_path: Path) -> Path:
    """A good project of the author's, for a test to break."""
    return write_project(tmp_path / "project", author.name, server.new_name("folder"), permissions=PUBLIC)


@pytest.fixture(autouse=True)
def _nothing_lost(author: Author, echo: str) -> Iterator[None]:
    """After each fault a good source is taken from the same author, and what was published before is answered."""
    yield
    _uploaded(author.server, author, {"good": b"good"})
    assert author.call(echo, "still here") == "still here"


def _name(project: Path) -> str:
    return next((project / "src").glob("*.py")).stem


def _subject(author: Author, project: Path) -> str:
    return f"{author.name}/{_name(project)}"


def _mend(author: Author, project: Path) -> None:
    """The same folder, once it is good, is published."""
    built = author.client.compile(project)
    assert built["status"] == "succeeded", built["log"]
    author.client.publish(built["algorithm"], built["hash"], bump="minor")
    assert author.call(f"{built['algorithm']}/0.1.0", "mended") == "mended"


def _refused(author: Author, folder: Path, kind: type[TrothError] = MalformedSource) -> TrothError:
    """The refusal of a folder, which says what, why and what would repair it."""
    with pytest.raises(kind) as found:
        author.client.compile(folder)
    assert found.value.what
    assert found.value.why, f"no why in {found.value.as_problem()}"
    assert found.value.repair, f"no repair in {found.value.as_problem()}"
    return found.value


# --- what is missing


def test_without_a_declaration(author: Author, project: Path) -> None:
    document = (project / "troth.toml").read_bytes()
    (project / "troth.toml").unlink()
    assert _refused(author, project).what == f"there is no troth.toml in {project}"
    assert "troth new" in _refused(author, project).repair
    (project / "troth.toml").write_bytes(document)
    _mend(author, project)


def test_a_folder_that_is_none(author: Author, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "nowhere", tmp_path / "file"):
        assert "there is no troth.toml" in _refused(author, folder).what


def test_without_an_entry_file(author: Author, project: Path) -> None:
    entry = project / "src" / f"{_name(project)}.py"
    for spoil in (entry.unlink, entry.mkdir):
        spoil()
        assert _refused(author, project).what == f"there is no src/{entry.name}"
        assert "def apply(input)" in _refused(author, project).repair
    entry.rmdir()
    entry.write_text(ECHO)
    _mend(author, project)


def test_the_server_looks_for_itself(author: Author, project: Path, server: RunningServer) -> None:
    """A client that checks nothing gets the same answers."""
    name = _name(project)
    declaration = (project / "troth.toml").read_bytes()
    entry = f"src/{name}.py"
    author.client.command("create_algorithm", algorithm=f"{author.name}/{name}")
    cases: list[tuple[dict[str, bytes], str]] = [
        ({entry: ECHO.encode()}, "there is no troth.toml"),
        ({"troth.toml": declaration}, f"there is no {entry}"),
        ({"troth.toml": declaration.replace(name.encode(), b"other"), entry: b""}, "is of another algorithm"),
        ({"troth.toml": b"[algorithm", entry: b""}, "troth.toml"),
        ({"troth.toml": b"\xff\xfe", entry: b""}, "troth.toml"),
        ({"troth.toml": b"#" * 70_000, entry: b""}, "too large"),
        ({"TROTH.TOML": declaration, entry: b""}, "there is no troth.toml"),
        ({"sub/troth.toml": declaration, entry: b""}, "there is no troth.toml"),
    ]
    for files, said in cases:
        digest = _uploaded(server, author, files)
        with pytest.raises(MalformedSource, match=said) as refusal:
            author.client.command("compile_algorithm", algorithm=f"{author.name}/{name}", source=digest)
        assert refusal.value.why
        assert refusal.value.repair
    assert author.client.builds(f"{author.name}/{name}")["builds"] == []


def test_a_source_that_was_never_uploaded(author: Author, project: Path) -> None:
    _mend(author, project)
    for digest in ("0" * 64, hashlib.sha256(b"").hexdigest()):
        with pytest.raises(NotFound, match="was not uploaded") as refusal:
            author.client.command("compile_algorithm", algorithm=_subject(author, project), source=digest)
        assert refusal.value.why
        assert digest in refusal.value.repair


# --- builds that fail


_BROKEN = {
    "syntax error": ("import os\n\n\ndef apply(input:\n    return input\n", ("SyntaxError", "line 4")),
    "bad indent": ("def apply(input):\n    x = 1\n  return x\n", ("IndentationError", "line 3")),
    "unknown module": ("import json\nimport no_such_module\n", ("ModuleNotFoundError", "no_such_module", "line 2")),
    "raises": ("x = 1\nraise ValueError('at import')\n", ("ValueError: at import", "line 2")),
    "exits": ("import sys\nsys.exit('gone')\n", ("gone",)),
    "exits at once": ("import os\nos._exit(3)\n", ("exited with code 3",)),
    "crashes": ("import ctypes\nctypes.string_at(0)\n", ("SIGSEGV",)),
    "no apply": ("def run(input):\n    return input\n", ("defines no function apply(input)",)),
    "empty": ("", ("defines no function apply(input)",)),
    "too much memory": ("x = bytearray(1 << 40)\n", ("MemoryError",)),
    "endless recursion": ("def f():\n    f()\nf()\n", ("RecursionError", "line 2")),
    "message that is no text": ("raise ValueError('\\ud800 half a pair')\n", ("half a pair",)),
    "error that cannot be shown": (
        "class Odd(Exception):\n    def __str__(self):\n        raise RuntimeError\nraise Odd\n",
        ("Odd", "line 4"),
    ),
    "error with an odd type": ("class Odd(Exception):\n    error_type = []\nraise Odd('said')\n", ("said",)),
    "reports itself ready": ("import os\nfor fd in range(3, 64):\n    try:\n        os.close(fd)\n    except OSError:\n"
                             "        pass\nraise SystemExit(0)\n", ("failed",)),
    "prints without end": ("print('x' * (8 << 20))\nraise ValueError('after all that')\n", ("after all that",)),
}  # fmt: skip


@pytest.mark.clause("ALG-22")
@pytest.mark.parametrize(("code", "said"), _BROKEN.values(), ids=_BROKEN)
def test_code_that_cannot_be_loaded(author: Author, project: Path, code: str, said: tuple[str, ...]) -> None:
    """A build that failed is recorded with a log that tells why; its hash is neither called nor published."""
    entry = project / "src" / f"{_name(project)}.py"
    entry.write_bytes(code.encode())
    built = author.client.compile(project)
    assert built["status"] == "failed"
    assert built["log"].startswith("Beginning container customization\n")
    assert built["log"].endswith("the build failed\n")
    for words in said:
        assert words in built["log"]
    if "line" in "".join(said):
        assert f"/{entry.name}" in built["log"]
    assert len(built["log"]) < 200_000
    (row,) = author.client.builds(built["algorithm"])["builds"]
    assert (row["hash"], row["status"], row["log"]) == (built["hash"], "failed", built["log"])
    assert row["finished_at"]
    with pytest.raises(NotFound, match="the build of that hash is failed"):
        author.call(f"{built['algorithm']}/{built['hash']}")
    with pytest.raises(Refused, match="its build is failed"):
        author.client.publish(built["algorithm"], built["hash"], bump="minor")
    assert author.client.versions(built["algorithm"])["versions"] == []


def test_a_mended_project_is_published(author: Author, project: Path) -> None:
    entry = project / "src" / f"{_name(project)}.py"
    entry.write_text("def apply(input:\n")
    assert author.client.compile(project)["status"] == "failed"
    entry.write_text(ECHO)
    _mend(author, project)


def test_a_failed_build_may_be_tried_again(author: Author, project: Path) -> None:
    """The same source gives the same hash, and the same failure."""
    (project / "src" / f"{_name(project)}.py").write_text("raise ValueError\n")
    first, second = author.client.compile(project), author.client.compile(project)
    assert (first["hash"], first["status"]) == (second["hash"], second["status"])
    assert len(author.client.builds(first["algorithm"])["builds"]) == 1


def test_a_dependency_that_is_not_to_be_had(author: Author, project: Path) -> None:
    document = (project / "troth.toml").read_text()
    (project / "troth.toml").write_text(
        document.replace("dependencies = []", 'dependencies = ["no-such-distribution-of-troth"]')
    )
    built = author.client.compile(project)
    assert built["status"] == "failed"
    for words in ("no-such-distribution-of-troth", "not found in the package registry"):
        assert words in built["log"]
    with pytest.raises(NotFound):
        author.call(f"{built['algorithm']}/{built['hash']}")


# --- troth.toml


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("[permissions]", "[permission]", "[permission] is not known"),
        ("[algorithm]", "[Algorithm]", "[Algorithm] is not known"),
        ("[permissions]", "[tool.x]\n[permissions]", "[tool] is not known"),
        ("[permissions]", "version = '1.0.0'\n[permissions]", "[algorithm] has no key 'version'"),
        ("dependencies = []", "dependencys = []", "[algorithm] has no key 'dependencys'"),
        ("dependencies = []", "dependencies = 'numpy'", "dependencies is not a list of requirements"),
        ("dependencies = []", "dependencies = [1]", "dependencies is not a list of requirements"),
        ("dependencies = []", "dependencies = ['numpy @ https://x.org/n.whl']", "is an address"),
        ("dependencies = []", "dependencies = ['-e', '/etc']", "'-e' is not a requirement"),
        ("dependencies = []", "summary = 7", "[algorithm] summary is not text"),
        ("[algorithm]", "[[algorithm]]", "there is no [algorithm]"),
        ("[permissions]", "[permissions]\ncolour = 'red'", "[permissions] has no key 'colour'"),
        ("[permissions]", "[permissions]\nVisibility = 'public'", "[permissions] has no key 'Visibility'"),
        ("[permissions]", "[permissions]\nnetwork_access = 'some'", "[permissions] network_access cannot be 'some'"),
        ("[permissions]", "[permissions]\nnetwork_access = true", "[permissions] network_access cannot be True"),
        ("[permissions]", "[permissions]\npipeline_enabled = 'yes'", "[permissions] pipeline_enabled cannot be 'yes'"),
        ("[permissions]", "[permissions]\npipeline_enabled = 1", "[permissions] pipeline_enabled cannot be 1"),
        ("[permissions]", "[permissions]\nsource_visibility = []", "[permissions] source_visibility cannot be []"),
        ("[permissions]", "[permissions]\nnetwork_access = nan", "[permissions] network_access cannot be nan"),
        ('visibility = "public"', "visibility = 'Public'", "[permissions] visibility cannot be 'Public'"),
        ("[permissions]", "permissions = 3\n[settings]", "permissions"),
        ("[algorithm]", "[algorithm", "line 1"),
        ("[algorithm]", "[algorithm]\nowner", "line 2"),
        ("[algorithm]", "[algorithm]\nname = 'x'", "line"),
        ("[algorithm]", "[algorithm]\n\x00", "line 2"),
        ("[algorithm]", "[algorithm]\nx = " + "[" * 20_000, "troth.toml"),
        ("[algorithm]", "# " + "x" * 70_000 + "\n[algorithm]", "too large"),
    ],
    ids=lambda text: text[:40] if isinstance(text, str) else text,
)
def test_declarations_that_are_not_understood(
    author: Author, project: Path, before: str, after: str, said: str
) -> None:
    """Nothing is ignored: what troth does not know may be what the author relies on."""
    document = (project / "troth.toml").read_text()
    (project / "troth.toml").write_text(document.replace(before, after, 1))
    refusal = _refused(author, project)
    assert said in refusal.what
    assert len(refusal.what) < 500


@pytest.mark.parametrize("document", [b"", b"\xff\xfe[\x00", b"\xef\xbb\xbf[algorithm]\n", "[algorithm]\nowner = 'ü'".encode("latin-1"),
                                      b"[algorithm]\r", b"algorithm = 1", b"null", b"{}"])  # fmt: skip
def test_declarations_that_are_no_toml(author: Author, project: Path, document: bytes) -> None:
    (project / "troth.toml").write_bytes(document)
    assert "troth.toml" in _refused(author, project).what


@pytest.mark.parametrize("key", ["owner", "name"])
def test_declarations_that_lack_a_name(author: Author, project: Path, key: str) -> None:
    lines = (project / "troth.toml").read_text().splitlines()
    (project / "troth.toml").write_text("\n".join(line for line in lines if not line.startswith(f"{key} =")))
    assert f"[algorithm] {key} is missing" in _refused(author, project).what


def test_an_owner_that_is_not_ones_own(server: RunningServer, author: Author, tmp_path: Path) -> None:
    """Somebody else's account, an organisation's, the administrator's, troth's, nobody's: nothing is made there."""
    other, client = server.account()
    organization = server.organization(client)
    for owner in (other, organization, "owner", "nobody", author.name.upper()):
        folder = write_project(tmp_path / owner, owner, "echo")
        assert _refused(author, folder, Forbidden).what.endswith(f" {owner}/echo")
    assert _refused(author, write_project(tmp_path / "troth", "troth", "echo"), NameTaken).code == "name-taken"
    assert (
        _refused(author, write_project(tmp_path / "dash", "some-body", "echo"), MalformedName).code == "malformed-name"
    )
    for subject in (f"{other}/echo", f"{organization}/echo"):
        with pytest.raises(NotFound):
            client.versions(subject)


# --- links and other things that are no files


def test_a_link_out_of_the_folder(author: Author, project: Path, tmp_path: Path) -> None:
    """To a file, to a folder, absolute or relative, and through another link."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("secret")
    (tmp_path / "hop").symlink_to(secret)
    for number, target in enumerate(("../secret/key", str(secret / "key"), "../secret", str(secret), "../hop/key", "/",
                                     "../project-twin")):  # fmt: skip
        if target.endswith("twin"):
            (tmp_path / "project-twin").write_text("begins like the folder, and lies beside it")
            target = str(tmp_path / "project-twin")
        link = project / f"link{number}"
        link.symlink_to(target)
        refusal = _refused(author, project)
        assert refusal.what == f"{link.name} is a link that leads out of the folder, or to no file"
        assert refusal.asked == link.name
        assert "secret" not in refusal.what.replace(link.name, "")
        link.unlink()
    _mend(author, project)


def test_links_that_lead_nowhere(author: Author, project: Path) -> None:
    for target in ("nowhere", "src", ".", "link"):  # the last is a loop
        link = project / "link"
        link.symlink_to(target)
        assert link.name in _refused(author, project).what
        link.unlink()


def test_an_entry_file_that_is_a_link_out(author: Author, project: Path, tmp_path: Path) -> None:
    entry = project / "src" / f"{_name(project)}.py"
    (tmp_path / "outside.py").write_text(ECHO)
    entry.unlink()
    entry.symlink_to(tmp_path / "outside.py")
    assert "leads out of the folder" in _refused(author, project).what
    entry.unlink()
    entry.write_text(ECHO)
    (project / "troth.toml").rename(tmp_path / "troth.toml")
    (project / "troth.toml").symlink_to(tmp_path / "troth.toml")
    assert "leads out of the folder" in _refused(author, project).what


def test_a_link_inside_is_published_as_a_copy(author: Author, project: Path) -> None:
    (project / "data.txt").write_text("the file")
    (project / "src" / "link.txt").symlink_to("../data.txt")
    (project / "absolute.txt").symlink_to(project / "data.txt")
    code = (
        "import os\n"
        "def apply(input):\n"
        "    here = os.path.dirname(__file__)\n"
        "    paths = [os.path.join(here, name) for name in ('link.txt', '../absolute.txt', '../data.txt')]\n"
        "    return [[os.path.islink(path), open(path).read()] for path in paths]\n"
    )
    (project / "src" / f"{_name(project)}.py").write_text(code)
    built = author.client.compile(project)
    (project / "data.txt").write_text("changed afterwards")
    assert author.call(f"{built['algorithm']}/{built['hash']}") == [[False, "the file"]] * 3


def test_things_that_are_no_files(author: Author, project: Path) -> None:
    os.mkfifo(project / "pipe")
    assert _refused(author, project).what == "pipe is not a regular file"


# --- sizes


def test_a_hundred_megabytes(author: Author, project: Path) -> None:
    with open(project / "data.bin", "wb") as file:
        file.truncate(100 << 20)
    refusal = _refused(author, project)
    assert refusal.what == "the folder has 105 MB"
    assert "at most 67 MB" in refusal.why
    (project / "data.bin").unlink()
    for number in range(3):
        with open(project / f"data{number}.bin", "wb") as file:
            file.truncate(30 << 20)
    assert "94 MB" in _refused(author, project).what
    for number in range(3):
        (project / f"data{number}.bin").unlink()
    _mend(author, project)


def test_fifty_thousand_files(author: Author, project: Path) -> None:
    first = project / "many" / "0"
    first.parent.mkdir()
    first.write_bytes(b"")
    for number in range(1, 50_000):
        os.link(first, project / "many" / str(number))
    refusal = _refused(author, project)
    assert "files" in refusal.what
    assert "10000 files" in refusal.why
    for path in os.scandir(project / "many"):
        os.unlink(path)
    _mend(author, project)


def test_secrets_and_leftovers_stay_at_home(author: Author, project: Path) -> None:
    for name in (".env", ".netrc", ".git/config", "__pycache__/x.pyc", ".venv/bin/python", "x.pyc"):
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("secret")
    code = (
        "import os\n"
        "def apply(input):\n"
        "    return sorted(os.path.join(f, n) for f, _, names in os.walk('.') for n in names)\n"
    )
    entry = f"src/{_name(project)}.py"
    (project / entry).write_text(code)
    built = author.client.compile(project)
    assert author.call(f"{built['algorithm']}/{built['hash']}") == [f"./{entry}", "./troth.toml"]


# --- uploads that no client of ours would send


def _tar(members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


def _manifest(files: dict[str, bytes]) -> Manifest:
    return Manifest.of(Entry(path, False, hashlib.sha256(content).hexdigest(), len(content))
                       for path, content in files.items())  # fmt: skip


def _put(server: RunningServer, author: Author, digest: str, content: bytes | Iterable[bytes]) -> httpx2.Response:
    return post(server, f"/api/v1/sources/{digest}", content, method="PUT", key=author.key, kind="application/x-tar")


def _uploaded(server: RunningServer, author: Author, files: dict[str, bytes]) -> str:
    """The digest of a source that was uploaded without troth's own client."""
    digest = _manifest(files).digest
    reply = _put(server, author, digest, _tar((_member(path), content) for path, content in files.items()))
    assert reply.status_code == 201, reply.text
    return digest


def _put_away(server: RunningServer, digest: str) -> None:
    """Takes a stored source away; beside where it lay, since nobody but root could move a read-only folder elsewhere."""
    tree = server.home / "trees" / digest
    tree.rename(tree.with_suffix(".away"))


def _kept(server: RunningServer) -> set[str]:
    return {path.name for path in (server.home / "trees").iterdir()}


def _refused_upload(server: RunningServer, author: Author, content: bytes, digest: str = "0" * 64) -> dict[str, Any]:
    """The refusal of an upload, after which nothing is kept and which tells nothing of the server's own paths."""
    before = _kept(server)
    reply = _put(server, author, digest, content)
    found = problem(reply, 400, "malformed-source")
    assert str(server.home) not in reply.text
    assert "trees/" not in reply.text
    assert _kept(server) == before
    return found


_PATHS = {
    "parent": "../x",
    "parent inside": "a/../../x",
    "parent at the end": "a/..",
    "absolute": "/etc/x",
    "two slashes": "//x",
    "empty part": "a//x",
    "dot": "./x",
    "dot inside": "a/./x",
    "only a dot": ".",
    "backslash": "..\\x",
    "drive": "C:\\x",
    "null": "a\x00b",
    "newline": "a\nb",
    "escape": "a\x1b[31mb",
    "no text": "a\udcffb",
    "right to left": "a\u202eb",
    "git": ".git/config",
    "git below": "a/.git/hooks/post-update",
    "too long": "a/" * 300 + "x",
}


@pytest.mark.parametrize("path", _PATHS.values(), ids=_PATHS)
def test_paths_that_leave_or_hide(server: RunningServer, author: Author, path: str) -> None:
    found = _refused_upload(server, author, _tar([(_member("good"), b""), (_member(path), b"x")]))
    assert found["detail"].endswith("is not a path that can be published") or path == "a\x00b"
    assert not (server.home / "x").exists()


@pytest.mark.parametrize(
    "path", [".GIT/config", ".Git/config", "a/.gIt/hooks/x", "git~1/config", ".git./x", ".git /x", ".git\u200c/x"]
)
def test_names_that_git_reads_as_its_own(server: RunningServer, author: Author, path: str) -> None:
    """Either such a source is refused, or it is kept whole: git leaves such files out without a word."""
    name = server.new_name("git")
    declaration = f'[algorithm]\nowner = "{author.name}"\nname = "{name}"\n'.encode()
    code = b"def apply(input):\n    return open(input).read()\n"
    files = {"troth.toml": declaration, f"src/{name}.py": code, path: b"content"}
    digest = _safe_digest(files)
    reply = _put(server, author, digest, _tar((_member(path), content) for path, content in files.items()))
    if reply.status_code != 201:
        problem(reply, 400, "malformed-source")
        return
    author.client.command("create_algorithm", algorithm=f"{author.name}/{name}")
    built = author.client.command("compile_algorithm", algorithm=f"{author.name}/{name}", source=digest)
    assert built["status"] == "succeeded"
    _put_away(server, digest)  # it is made again from the repository
    assert author.call(f"{author.name}/{name}/{built['hash']}", path) == "content"


def _safe_digest(files: dict[str, bytes]) -> str:
    """The digest, or one that fits nothing where troth makes no manifest of such files."""
    try:
        return _manifest(files).digest
    except MalformedSource:
        return "0" * 64


@pytest.mark.parametrize(
    ("kind", "link"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.SYMTYPE, "good"),
        (tarfile.LNKTYPE, "good"),
        (tarfile.LNKTYPE, "/etc/passwd"),
        (tarfile.CHRTYPE, ""),
        (tarfile.BLKTYPE, ""),
        (tarfile.FIFOTYPE, ""),
        (tarfile.DIRTYPE, ""),
        (b"Z", ""),
    ],
)
def test_members_that_are_no_files(server: RunningServer, author: Author, kind: bytes, link: str) -> None:
    members = [(_member("good"), b""), (_member("odd", kind, link), b"")]
    found = _refused_upload(server, author, _tar(members))
    assert found["detail"] == "'odd' is not a regular file"
    assert "regular files only" in found["why"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("twice", "twice"), "twice"),
        (("way", "way/on"), "way"),
        (("way/on", "way"), "way"),
        (("Case", "case"), "case"),
        (("src/A/x", "SRC/a/x"), "src"),
        (("stra\u00dfe", "strasse"), "strasse"),
    ],
)
def test_files_that_are_in_each_others_way(
    server: RunningServer, author: Author, names: tuple[str, str], said: str
) -> None:
    found = _refused_upload(server, author, _tar((_member(name), name.encode()) for name in names))
    assert said in found["detail"].lower()


def test_names_that_no_file_system_takes(server: RunningServer, author: Author) -> None:
    found = _refused_upload(server, author, _tar([(_member("x" * 300), b"")]))
    assert "xxx" in found["detail"]


def test_an_upload_that_is_another_source(server: RunningServer, author: Author) -> None:
    files = {"a": b"a", "b": b"b"}
    announced, sent = _manifest({"a": b"a"}).digest, _manifest(files).digest
    found = _refused_upload(server, author, _tar((_member(n), c) for n, c in files.items()), announced)
    assert found["detail"] == "the upload is not the source that was announced"
    assert (found["asked"], found["found"]) == (announced, sent)
    assert sent not in _kept(server)


@pytest.mark.parametrize(
    "digest", ["", "0", "0" * 63, "0" * 65, "g" * 64, "A" * 64, "..", "%2e%2e%2fx", "sha256:" + "0" * 57]
)
def test_digests_that_are_none(server: RunningServer, author: Author, digest: str) -> None:
    reply = _put(server, author, digest, _tar([(_member("a"), b"a")]))
    assert reply.status_code in (400, 404, 405)
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["repair"]


def _good() -> bytes:
    # The content is fixed: shifted by one, a first byte of "a" in it would make the head's checksum right again.
    return _tar((_member(name), b"\xfe" * 5000) for name in ("a", "b"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: b"",
        lambda: b"\x00" * 512,
        lambda: b"\x00" * 10240,
        lambda: _tar([]),
    ],
    ids=["no bytes", "a block", "blocks", "no members"],
)
def test_an_empty_upload(server: RunningServer, author: Author, spoil: Callable[[], bytes]) -> None:
    found = _refused_upload(server, author, spoil())
    assert "empty" in found["detail"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: b"this is no tar",
        lambda: os.urandom(20_000),
        lambda: b'{"files": []}',
        lambda: gzip.compress(_good()),
        lambda: _good()[:300],
        lambda: _good()[:1500],
        lambda: _good()[:512],
        lambda: b"x" + _good()[1:],
        lambda: _good()[1:],
        lambda: _good()[512:],
        lambda: _good()[:6144] + b"\xff" * 512 + _good()[6656:],
    ],
    ids=["text", "noise", "json", "gzip", "half a head", "half a file", "a head", "checksum", "shifted", "no first head",
         "second head"],
)  # fmt: skip
def test_an_upload_that_is_no_tar_or_half_of_one(
    server: RunningServer, author: Author, spoil: Callable[[], bytes]
) -> None:
    found = _refused_upload(server, author, spoil())
    assert "upload" in found["detail"]


def _sized(field: bytes, kind: bytes = b"0") -> bytes:
    """A head that claims a size, by the twelve bytes of that field, with too little behind it."""
    block = bytearray(_member("claims").tobuf(tarfile.USTAR_FORMAT))
    block[124:136], block[156:157] = field, kind
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\x00 " % sum(block)
    return bytes(block) + b"x" * 1024


@pytest.mark.parametrize(
    "field",
    [
        b"%011o\0" % (100 << 20),
        b"%011o\0" % 3000,
        b"77777777777\0",
        b"\x80" + b"\x00" * 3 + b"\x7f" + b"\xff" * 7,
        b"\xff" * 12,
        b"\xff" * 10 + b"\xfe\x00",
        b"-0000000100\0",
        b"not octal !!",
    ],
    ids=["100 MiB", "cut off", "8 GiB", "2**63", "-1", "-512", "minus", "text"],
)
def test_sizes_that_are_not_true(server: RunningServer, author: Author, field: bytes) -> None:
    """Nothing is believed before it is read, and nothing is read for ever."""
    _refused_upload(server, author, _sized(field))


def test_sizes_of_extended_heads_that_are_not_true(server: RunningServer, author: Author) -> None:
    for kind in (b"x", b"g", b"L", b"K"):
        for field in (b"77777777777\0", b"\xff" * 12, b"%011o\0" % 600):
            _refused_upload(server, author, _sized(field, kind))


def test_more_files_than_are_published(server: RunningServer, author: Author) -> None:
    found = _refused_upload(server, author, _tar((_member(f"f{number}"), b"") for number in range(10_001)))
    assert "10000 files" in found["why"]


def test_more_bytes_than_are_published(server: RunningServer, author: Author) -> None:
    """The connection is read to its limit, and nothing is kept."""
    before = _kept(server)
    chunk = b"\x00" * (1 << 20)
    reply = _put(server, author, "0" * 64, (chunk for _ in range(100)))
    found = problem(reply, 413, "too-large")
    assert "67 MB" in found["why"]
    assert _kept(server) == before
    assert list((server.home / "uploads").iterdir()) == []


def test_an_upload_in_pieces_and_twice(server: RunningServer, author: Author) -> None:
    files = {"a": os.urandom(3000), "b/c": b""}
    content = _tar((_member(name), data) for name, data in files.items())
    digest = _manifest(files).digest
    pieces = (content[start : start + 700] for start in range(0, len(content), 700))
    for sent in (pieces, content):
        reply = _put(server, author, digest, sent)
        assert reply.status_code == 201
        assert reply.json() == {"digest": digest, "files": 2, "bytes": 3000}


@pytest.mark.clause("ALG-04")
def test_an_upload_cannot_replace_what_is_there(server: RunningServer, author: Author) -> None:
    files = {"a": b"first"}
    digest = _uploaded(server, author, files)
    _refused_upload(server, author, _tar([(_member("a"), b"other")]), digest)
    assert (server.home / "trees" / digest / "a").read_bytes() == b"first"


# --- commits


@pytest.mark.parametrize("message", ["a\x00b", "\x00", "", " ", "\n\n", "🙂 \u202e", "-m x --amend", "x" * 10_000])
def test_messages_that_git_chokes_on(author: Author, project: Path, message: str) -> None:
    """Either the message is refused as malformed or the build is made; nothing fails inside."""
    try:
        built = author.client.compile(project, message)
    except TrothError as refusal:
        assert refusal.status == 400, refusal.as_problem()
        assert refusal.why
        assert refusal.repair
        built = author.client.compile(project)
    assert built["status"] == "succeeded"


# --- damage on the server's disk


@pytest.mark.clause("ALG-04")
@pytest.mark.parametrize("lost", ["blobs", "repository", "nothing"])
def test_a_source_that_is_gone_from_the_disk(server: RunningServer, author: Author, lost: str) -> None:
    """It is made again from the repository, or the call hears soon that it cannot be; it does not wait for its turn."""
    algorithm, commit = author.build()
    (row,) = author.client.builds(algorithm)["builds"]
    identity = server.server.table.algorithms[algorithm].closed[commit].spec.algorithm_id
    repository = server.home / "repositories" / f"{identity}.git"
    _put_away(server, row["source"])
    if lost == "nothing":
        assert author.call(f"{algorithm}/{commit}", "made again") == "made again"
        return
    if lost == "blobs":
        for digest in _blobs(repository):
            (repository / "objects" / digest[:2] / digest[2:]).unlink()
    else:
        shutil.rmtree(repository)
    for _ in range(2):
        reply = call(server, f"{algorithm}/{commit}", b"1", key=author.key)
        assert reply.status_code in (200, 500)
        message = call_error(reply, reply.json()["error"]["error_type"], status=reply.status_code)
        assert str(server.home) not in message


def _blobs(repository: Path) -> list[str]:
    command = ["git", f"--git-dir={repository}", "cat-file", "--batch-check", "--batch-all-objects"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [line.split()[0] for line in listed if line.split()[1] == "blob"]

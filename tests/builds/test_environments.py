"""Environments on disk: built once, checked before each use, and built again as they were."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.builds.index import PackageIndex
from tests.builds.workshop import Workshop, add, overwrite, remove
from troth.builds.environment_document import EnvironmentDocument
from troth.builds.environment_folders import EnvironmentFolders
from troth.builds.services import run
from troth.builds.trees import remove_tree
from troth.errors import BuildFailed, EnvironmentAltered, EnvironmentUnavailable, Failed, MalformedSetting, NotFound
from troth.sandbox.launcher import Confinement, Launcher

Act = Callable[[Path], object]

NOBODY = "http://127.0.0.1:9/simple"
GOOD = b"def f():\n    return 1\n"
BAD = b"def f():\n    return 2\n"


@pytest.fixture
def one(index: PackageIndex) -> None:
    """A package `one` with two modules, and `two`."""
    index.add("one", "1.0", {"one/__init__.py": GOOD, "one/more.py": b"x = 1\n"})
    index.add("two", "1.0", {"two.py": GOOD})


def test_an_environment_is_built_and_found_again(workshop: Workshop) -> None:
    digest, site = workshop.built("six==1.17.0", "idna==3.10")
    assert site == workshop.folder / digest / "site"
    assert (site / "six.py").is_file()
    assert (site / "idna" / "__init__.py").is_file()
    assert workshop.ready(digest) == site
    assert (workshop.builds, workshop.altered, workshop.scratch()) == (1, [], [])


def test_environments_share_their_files_with_the_cache(own: Workshop, one: None) -> None:
    _, site = own.built("one")
    assert (site / "one/more.py").stat().st_nlink == 2


def test_the_same_lock_gives_the_same_content_elsewhere(own: Workshop, one: None) -> None:
    digest, _ = own.built("one", "two")
    other = own.elsewhere("other", own.place / "other-packages")
    other.ready(digest)
    assert other.environments.content(digest) == own.environments.content(digest)
    assert own.environments.rebuild(digest) == own.environments.content(digest)
    assert own.environments.content(digest) != own.environments.content(own.built("one")[0])
    assert own.scratch() == []


def test_an_environment_that_was_never_built_has_no_content(own: Workshop, one: None) -> None:
    digest = own.lock("one").digest
    with pytest.raises(NotFound):
        own.environments.content(digest)
    with pytest.raises(NotFound):
        own.environments.ready("0" * 64)


def test_nobody_can_write_to_an_environment(own: Workshop, one: None, launcher: Launcher) -> None:
    _, site = own.built("one")
    for path in [site, *site.rglob("*")]:
        assert path.stat().st_mode & 0o222 == 0, path
    code = (
        "import os\n"
        "for path in ('/environment/new.py', '/environment/one/more.py', '/environment/one/__pycache__/more.pyc'):\n"
        "    for act in (lambda: open(path, 'a'), lambda: os.chmod('/environment/one', 0o777), lambda: os.unlink(path)):\n"
        "        try: act()\n"
        "        except OSError: pass\n"
        "        else: print('wrote', path)\n"
        "print(open('/environment/one/more.py').read())\n"
    )
    confinement = Confinement([launcher.interpreter, "-I", "-S", "-c", code], [(str(site), "/environment")])
    ended = run(launcher, confinement, given=b"", seconds=20, most_output=4096)
    assert ended.output == b"x = 1\n\n", ended


def test_many_who_ask_at_once_get_one_build(own: Workshop, one: None) -> None:
    digest = own.lock("one", "two").digest
    with ThreadPoolExecutor(8) as pool:
        sites = set(pool.map(lambda _: own.ready(digest), range(8)))
    assert sites == {own.folder / digest / "site"}
    assert own.builds == 1


def test_different_environments_are_built_side_by_side(own: Workshop, index: PackageIndex) -> None:
    for number in range(4):
        index.add("one", f"{number}", {"one.py": b"%d" % number})
    digests = [own.lock(f"one=={number}").digest for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        sites = list(pool.map(own.ready, digests))
    assert [(site / "one.py").read_bytes() for site in sites] == [b"0", b"1", b"2", b"3"]


def _alter(site: Path) -> None:
    overwrite(site / "one/__init__.py", BAD)


def _same_size_and_time(site: Path) -> None:
    path = site / "one/__init__.py"
    times = path.stat()
    overwrite(path, BAD)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _add_link(site: Path) -> None:
    site.chmod(0o755)
    (site / "evil.py").symlink_to("/etc/passwd")
    site.chmod(0o555)


def _folder_for_link(site: Path) -> None:
    site.chmod(0o755)
    shutil.copytree(site / "one", site.parent / "copy")
    (site / "one").chmod(0o755)
    for path in (site / "one").iterdir():
        path.unlink()
    (site / "one").rmdir()
    (site / "one").symlink_to("../copy")
    site.chmod(0o555)


def _replace(site: Path) -> None:
    remove(site / "two.py")
    add(site / "two.py", BAD)


def _file_for_pipe(site: Path) -> None:
    remove(site / "two.py")
    site.chmod(0o755)
    os.mkfifo(site / "two.py")
    site.chmod(0o555)


@pytest.mark.parametrize(
    ("act", "files"),
    [
        (_alter, ["altered one/__init__.py"]),
        (_same_size_and_time, ["altered one/__init__.py"]),
        (lambda site: add(site / "evil.py", b""), ["added evil.py"]),
        (lambda site: add(site / "e\x1bl.py", b""), ["added e\\x1bl.py"]),
        (_add_link, ["added evil.py"]),
        (lambda site: remove(site / "one/more.py"), ["removed one/more.py"]),
        (_folder_for_link, ["added one", "removed one/__init__.py", "removed one/more.py"]),
        (_replace, ["altered two.py"]),
        (_file_for_pipe, ["altered two.py"]),
    ],
)
def test_what_was_altered_is_built_again_and_told(own: Workshop, one: None, act: Act, files: list[str]) -> None:
    digest, site = own.built("one", "two")
    content = own.environments.content(digest)
    act(site)
    assert own.ready(digest) == site
    assert own.altered == [(digest, files)]
    assert (site / "one/__init__.py").read_bytes() == GOOD
    assert (site / "two.py").read_bytes() == GOOD
    assert sorted(path.name for path in site.glob("*.py")) == ["two.py"]
    assert own.environments.content(digest) == content
    own.ready(digest)
    assert (own.builds, len(own.altered), own.scratch()) == (2, 1, [])


def test_an_alteration_that_reached_the_cache_is_taken_out_of_it(own: Workshop, one: None, index: PackageIndex) -> None:
    digest, site = own.built("one", "two")
    before = index.requests
    own.ready(digest)
    assert index.requests == before
    overwrite(site / "one/__init__.py", BAD)  # the cache has the same file
    own.ready(digest)
    assert any("the cache of one was altered" in line for line in own.said)
    assert own.altered == [(digest, ["altered one/__init__.py"])]
    assert (site / "one/__init__.py").read_bytes() == GOOD
    assert (own.elsewhere("other").ready(digest) / "one/__init__.py").read_bytes() == GOOD


def test_environments_made_from_an_altered_cache_are_made_of_the_wheels(own: Workshop, one: None) -> None:
    """Also the first one of its kind, for which there is no record to compare with."""
    _, site = own.built("one")
    overwrite(site / "one/__init__.py", BAD)
    _, other = own.built("one", "two")
    assert (other / "one/__init__.py").read_bytes() == GOOD


def test_every_environment_with_an_altered_file_is_found(own: Workshop, one: None) -> None:
    first, site = own.built("one")
    second, _ = own.built("one", "two")
    overwrite(site / "one/__init__.py", BAD)
    assert (own.ready(second) / "one/__init__.py").read_bytes() == GOOD
    assert (own.ready(first) / "one/__init__.py").read_bytes() == GOOD
    assert sorted(own.altered) == sorted([(first, ["altered one/__init__.py"]), (second, ["altered one/__init__.py"])])


def test_an_altered_environment_is_not_used_while_it_cannot_be_built(own: Workshop, one: None) -> None:
    digest, site = own.built("one")
    content = own.environments.content(digest)
    overwrite(site / "one/__init__.py", BAD)
    away = own.again(UV_DEFAULT_INDEX=NOBODY)
    for _ in range(2):
        with pytest.raises(BuildFailed, match="cannot be reached"):
            away.ready(digest)
    assert not site.exists()
    assert (own.ready(digest) / "one/__init__.py").read_bytes() == GOOD
    assert own.environments.content(digest) == content
    assert own.scratch() == []


def test_another_content_under_the_same_hashes_is_refused(own: Workshop, one: None) -> None:
    digest, _ = own.built("one")
    record = own.folder / f"{digest}.json"
    found = json.loads(record.read_bytes())
    found["content"] = "0" * 64
    record.write_text(json.dumps(found))
    remove_tree(own.folder / digest)
    for _ in range(2):
        with pytest.raises(EnvironmentAltered):
            own.ready(digest)
    assert not (own.folder / digest).exists()
    assert own.scratch() == []


def test_a_file_that_the_index_replaced_is_refused(own: Workshop, one: None, index: PackageIndex) -> None:
    digest = own.lock("one").digest
    index.add("one", "1.0", {"one/__init__.py": BAD})
    with pytest.raises(BuildFailed, match="the hash of one is not the one that was locked"):
        own.ready(digest)
    assert own.scratch() == []


def test_new_links_to_the_same_files_are_no_alteration(own: Workshop, one: None) -> None:
    digest, site = own.built("one")
    changed = (site / "one/more.py").stat().st_ctime_ns
    own.built("one", "two")
    assert (site / "one/more.py").stat().st_ctime_ns != changed
    record = (own.folder / f"{digest}.json").read_bytes()
    own.ready(digest)
    refreshed = (own.folder / f"{digest}.json").read_bytes()
    own.ready(digest)
    assert (own.builds, own.altered) == (2, [])
    assert record != refreshed == (own.folder / f"{digest}.json").read_bytes()


def test_without_the_index_an_environment_is_built_from_the_cache(workshop: Workshop) -> None:
    digest, _ = workshop.built("six==1.17.0")
    away = workshop.again(HTTPS_PROXY="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9")
    remove_tree(workshop.folder / digest)
    assert (away.ready(digest) / "six.py").is_file()
    assert away.builds == 1


def test_a_wheel_that_lies_about_its_hashes_is_installed_as_it_is(own: Workshop, index: PackageIndex) -> None:
    index.add("one", "1.0", {"one.py": GOOD}, lies=True)
    digest, site = own.built("one")
    assert (site / "one.py").read_bytes() == GOOD
    own.ready(digest)
    assert (own.builds, own.altered) == (1, [])


def test_a_wheel_has_no_say_about_other_distributions(own: Workshop, index: PackageIndex) -> None:
    """Names of folders become arguments of uv; `-q` there would empty the whole cache."""
    lie = b"one.py,sha256=" + b"A" * 43 + b",1\n"
    names = ("_q", "two")
    index.add(
        "one", "1.0", {"one.py": GOOD} | {f"one-1.0.data/purelib/{name}-9.dist-info/RECORD": lie for name in names}
    )
    index.add("two", "1.0", {"two.py": GOOD})
    own.built("two")
    digest, site = own.built("one")
    assert sorted(path.name for path in site.glob("*.dist-info")) == [
        "_q-9.dist-info",
        "one-1.0.dist-info",
        "two-9.dist-info",
    ]
    assert own.ready(digest)
    assert own.builds == 2
    assert not any("altered" in line for line in own.said)


@pytest.mark.parametrize(
    "files",
    [{"two-1.0.dist-info/RECORD": b""}, {"one-1.0.dist-info/WHEEL": b"x"}, {"one-1.0.dist-info/METADATA": b"x"}],
)
def test_wheels_that_are_none_are_refused_by_name(own: Workshop, index: PackageIndex, files: dict[str, bytes]) -> None:
    index.add("one", "1.0", files)
    with pytest.raises(BuildFailed, match="one cannot be installed as it is") as caught:
        own.built("one")
    assert caught.value.why
    assert own.scratch() == []


@pytest.mark.parametrize("path", ["../escaped.py", "/tmp/escaped.py", "one/../../../escaped.py"])
def test_wheels_reach_nothing_outside(own: Workshop, index: PackageIndex, path: str) -> None:
    index.add("one", "1.0", {"one.py": GOOD, path: BAD})
    try:
        own.built("one")
    except BuildFailed as error:
        assert error.why
    assert not list(own.place.rglob("escaped.py"))
    assert not Path("/tmp/escaped.py").exists()


def test_nothing_of_a_package_runs_while_it_is_installed(own: Workshop, index: PackageIndex) -> None:
    evil = b"import os; open('/cache/ran', 'w')"
    index.add("one", "1.0", {"one.py": evil, "one.pth": evil, "sitecustomize.py": evil, "setup.py": evil})
    digest, site = own.built("one")
    own.environments.warm(digest, ["one.py", "setup.py", "sitecustomize.py"])
    assert (site / "one.pth").read_bytes() == evil
    assert not list(own.cache.rglob("ran"))


def test_environments_of_other_machines_are_refused(own: Workshop, one: None) -> None:
    document = own.lock("one")
    for other, word in (
        (replace(document, interpreter="3.7.1"), "interpreter CPython 3.7"),
        (replace(document, implementation="PyPy"), "interpreter PyPy"),
        (replace(document, machine="Linux-sparc"), "machine Linux-sparc"),
        (replace(document, interpreter="3.7.1", requirements=(), uv=""), "interpreter CPython 3.7"),
    ):
        digest = own.put(other)
        with pytest.raises(EnvironmentUnavailable, match=word):
            own.environments.ready(digest)
        with pytest.raises(EnvironmentUnavailable):
            own.environments.rebuild(digest)


def test_another_patch_of_the_interpreter_serves(own: Workshop, one: None) -> None:
    document = own.lock("one")
    line = ".".join(document.interpreter.split(".")[:2])
    other = replace(document, interpreter=f"{line}.99")
    assert other.digest != document.digest
    assert own.ready(own.put(other)).is_dir()


def test_what_a_crash_left_is_swept_away(own: Workshop, one: None) -> None:
    digest, _ = own.built("one")
    (own.folder / ".new-abc" / "site").mkdir(parents=True)
    (own.folder / ".new-def").write_bytes(b"half a record")
    (own.folder / ("1" * 64) / "site").mkdir(parents=True)
    (own.cache / "new" / f"{own.mark}-x" / "site").mkdir(parents=True)
    (own.cache / "new" / "another server's").mkdir()
    own.environments.recover()
    assert sorted(path.name for path in own.folder.iterdir()) == [digest, f"{digest}.json"]
    assert [path.name for path in (own.cache / "new").iterdir()] == ["another server's"]
    own.ready(digest)
    assert own.builds == 1


_KILLED = """
import os, signal, sys
from pathlib import Path
from tests.builds.workshop import Workshop
from troth.sandbox.launcher import Launcher, find_bubblewrap
place, digest, moment = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
workshop = Workshop(Launcher(worker_uid=60001, bubblewrap=find_bubblewrap()), place, place / "packages")
def say(line):
    if line.startswith(moment): os.kill(os.getpid(), signal.SIGKILL)
workshop.environments.ready(digest, say)
"""


@pytest.mark.parametrize("moment", ["installing", "Installed"])
def test_a_server_that_is_killed_leaves_nothing_that_is_used(own: Workshop, one: None, moment: str) -> None:
    digest = own.lock("one").digest
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(own.place), digest, moment],
        env={**os.environ, **own.surroundings, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert own.scratch() != []
    own.environments.recover()
    assert own.scratch() == []
    assert (own.ready(digest) / "one/more.py").is_file()


@pytest.fixture
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a small disk")
    disk = place / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_told_and_leaves_nothing(own: Workshop, index: PackageIndex, small_disk: Path) -> None:
    index.add("one", "1.0", {"one.py": os.urandom(6 << 20)})
    index.add("two", "1.0", {"two.py": GOOD})
    tight = Workshop(own.launcher, small_disk, small_disk / "packages", own.surroundings)
    digest = tight.lock("one").digest
    with pytest.raises(Failed, match="disk is full") as caught:
        tight.ready(digest)
    assert not isinstance(caught.value, BuildFailed)
    assert caught.value.why
    assert tight.scratch() == []
    assert not tight.folder.joinpath(digest).exists()
    assert tight.built("two")


def test_a_disk_that_fills_up_between_two_steps_is_told(own: Workshop, one: None, small_disk: Path) -> None:
    tight = Workshop(own.launcher, small_disk, small_disk / "packages", own.surroundings)
    digest, _ = tight.built("one")
    other = tight.put(replace(tight.environments.document(digest), uv="9"))
    filler = small_disk / "filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    with pytest.raises(Failed, match="disk is full"):
        tight.ready(other)
    with pytest.raises(Failed, match="disk is full"):
        tight.lock("two")
    with pytest.raises(Failed, match="disk is full"):
        tight.environments.warm(digest, ["one/more.py"])
    assert tight.ready(digest)
    filler.unlink()
    assert tight.scratch() == []
    assert tight.environments.warm(digest, ["one/more.py"]) == 1
    assert tight.altered == []


def test_a_cache_on_another_disk_is_refused(place: Path, small_disk: Path, launcher: Launcher) -> None:
    with pytest.raises(MalformedSetting, match="another file system"):
        EnvironmentFolders(place / "environments", small_disk / "packages", launcher.service_uid)


def test_what_is_not_needed_is_listed_and_removed(own: Workshop, one: None) -> None:
    first, site = own.built("one")
    second, _ = own.built("two")
    assert own.environments.garbage({first, second}) == []
    assert own.environments.garbage({first}, older_than=3600) == []
    os.utime(own.folder / f"{second}.json", (0, 0))
    assert len(own.environments.garbage({first}, older_than=3600)) == 1
    own.ready(second)
    assert own.environments.garbage({first}, older_than=3600) == []
    [(digest, size)] = own.environments.garbage({second})
    assert digest == first
    assert 4096 < size < 200_000
    own.environments.remove(first)
    assert not site.exists()
    assert own.environments.garbage(set()) == [(second, own.environments._folders.size(second))]
    assert own.ready(first) == site


def test_removing_waits_for_who_is_using_it(own: Workshop, one: None) -> None:
    digest, _ = own.built("one")
    with own.environments._held(digest):
        removing = threading.Thread(target=own.environments.remove, args=(digest,))
        removing.start()
        removing.join(0.2)
        assert removing.is_alive()
    removing.join()
    assert not (own.folder / digest).exists()


def test_a_record_that_was_torn_means_building_again(own: Workshop, one: None) -> None:
    digest, _ = own.built("one")
    (own.folder / f"{digest}.json").write_bytes(b'{"format":1,"con')
    own.ready(digest)
    assert (own.builds, own.altered) == (2, [])


def test_documents_that_were_altered_are_refused(own: Workshop, one: None) -> None:
    document = own.lock("one")
    path = own.place / "artifacts" / "environments" / document.digest[:2] / document.digest
    path.write_bytes(EnvironmentDocument.here(()).to_bytes())
    with pytest.raises(Failed.__mro__[1], match="not what was stored"):
        own.environments.ready(document.digest)


def test_an_environment_that_comes_out_otherwise_than_the_first_time_is_not_used(
    own: Workshop, index: PackageIndex
) -> None:
    """The registry remembers the content for servers that never built it."""
    index.add("library", "1.0", {"library.py": b"x = 1\n"})
    document = own.lock("library")
    with pytest.raises(EnvironmentAltered, match="cannot be built again"):
        own.environments.ready(document.digest, content="0" * 64)
    own.ready(document.digest)
    content = own.environments.content(document.digest)
    assert own.elsewhere("other").environments.ready(document.digest, content=content) is not None

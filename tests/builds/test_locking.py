"""From requirements to exact versions and hashes, and what is said where there are none."""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from tests.builds.index import PackageIndex
from tests.builds.workshop import Workshop
from troth.builds.dependencies import read_dependencies
from troth.builds.environment_document import EnvironmentDocument
from troth.builds.services import Ended
from troth.builds.uv_troubles import Trouble, stopped
from troth.errors import BuildFailed, Failed, TrothError

#: a port at which nobody listens
NOBODY = "http://127.0.0.1:9"


def failure(workshop: Workshop, *requirements: str) -> BuildFailed:
    with pytest.raises(BuildFailed) as caught:
        workshop.lock(*requirements)
    assert caught.value.why
    assert caught.value.repair
    assert "\x1b" not in caught.value.why
    return caught.value


def test_equal_requirements_give_equal_environments(workshop: Workshop) -> None:
    first = workshop.lock("click>=8", "six==1.17.0")
    again = workshop.elsewhere("other").lock("Six == 1.17.0", "click >=8", "six==1.17.0")
    assert first == again
    assert first.digest == again.digest
    assert first.digest != workshop.lock("six==1.16.0").digest
    assert [name for name, _, _ in map(str.partition, first.packages, ["=="] * 2)] == ["click", "six"]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for pin in first.requirements for digest in pin.hashes)


def test_the_document_says_what_it_is_for(workshop: Workshop) -> None:
    document = workshop.lock("six==1.17.0")
    assert document.interpreter == platform.python_version()
    assert (document.implementation, document.machine) == ("CPython", f"Linux-{platform.machine()}")
    assert document.uv
    assert workshop.environments.document(document.digest) == document
    assert EnvironmentDocument.from_bytes(document.to_bytes()).to_bytes() == document.to_bytes()
    assert b"http" not in document.to_bytes()


def test_nothing_needed_is_the_bare_interpreter(own: Workshop, index: PackageIndex) -> None:
    document = own.lock()
    assert document.packages == ()
    assert own.environments.ready(document.digest) is None
    assert own.environments.content(document.digest) == own.environments.rebuild(document.digest)
    assert own.environments.warm(document.digest, ["six.py"]) == 0
    assert index.requests == 0
    assert own.said == []


@pytest.mark.parametrize(
    ("requirements", "what", "why"),
    [
        (["troth-has-no-such-package-anywhere"], "troth-has-no-such-package-anywhere does not exist", "not found"),
        (["six==99.9"], "there is no such version of six", "six==99.9"),
        (["click>=99"], "there is no such version of click", "click"),
        (["flask==3.0.0", "click<8"], "contradict each other", "flask==3.0.0 depends on click>=8.1.3"),
        (["docopt"], "docopt has no wheel that runs here", "no usable wheels"),
        (["numpy==1.19.5"], "numpy has no wheel that runs here", "no usable wheels"),
    ],
)
def test_what_cannot_be_resolved_is_explained(workshop: Workshop, requirements: list[str], what: str, why: str) -> None:
    error = failure(workshop, *requirements)
    assert what in error.what
    assert why in " ".join(error.why.split())


def test_a_hash_that_changed_is_refused_by_name(workshop: Workshop) -> None:
    lines = f"six==1.17.0 --hash=sha256:{'0' * 64}\nidna\n"
    with pytest.raises(BuildFailed, match=r"six==1\.17\.0 is a package whose hash changed") as caught:
        workshop.lock(files={"requirements.txt": lines.encode()})
    assert caught.value.asked == ["0" * 64]


def test_hashes_of_the_author_narrow_what_is_locked(own: Workshop, index: PackageIndex) -> None:
    digest = index.add("one", "1.0", {"one.py": b""})
    lines = f"one==1.0 --hash=sha256:{digest} --hash=sha256:{'0' * 64}"
    assert own.lock(files={"requirements.txt": lines.encode()}).requirements[0].hashes == (digest,)


def test_an_index_that_cannot_be_reached_is_named_so(own: Workshop) -> None:
    error = failure(own.again(UV_DEFAULT_INDEX=f"{NOBODY}/simple"), "six")
    assert error.what == "the package index cannot be reached"
    assert "Connection refused" in error.why


def test_what_was_downloaded_before_serves_while_the_index_is_away(workshop: Workshop) -> None:
    before = workshop.lock("six==1.17.0")
    away = workshop.again(HTTPS_PROXY=NOBODY, HTTP_PROXY=NOBODY)
    assert away.lock("six==1.17.0") == before
    assert any("cannot be reached" in line for line in away.said)


def test_an_index_that_is_broken_is_as_good_as_away(own: Workshop, index: PackageIndex) -> None:
    index.status = 500
    assert failure(own, "one").what == "the package index cannot be reached"


@pytest.fixture
def log() -> Iterator[list[str]]:
    """Lines of the server's log, with everything in them."""
    before = structlog.get_config()
    with capture_logs() as entries:
        lines: list[str] = []
        yield lines
        lines += [str(entry) for entry in entries]
    structlog.configure(**before)


@pytest.mark.parametrize("status", [200, 401, 403, 500])
def test_credentials_of_the_index_stay_with_the_server(
    own: Workshop, index: PackageIndex, status: int, log: list[str]
) -> None:
    """Not in messages, not in what authors read, and not in arguments of processes, which every user may read."""
    index.add("one", "1.0", {"one.py": b""})
    index.status = status
    lines: set[bytes] = set()
    index.watch = lambda: lines.update(_arguments())
    secret = own.again(UV_DEFAULT_INDEX=f"http://ada:s3cr%40t-w0rd@{index.host}/simple")
    words = ""
    try:
        secret.ready(secret.lock("one").digest)
    except TrothError as error:
        words = f"{error.what} {error.why} {error.repair}"
        if status in (401, 403):
            assert error.what == "the package index does not admit this server"
    assert (status == 200) == (words == "")
    read = " ".join([words, *secret.said, *log])
    assert "w0rd" not in read
    assert any(b"pip" in line for line in lines)
    assert not any(b"w0rd" in line for line in lines)


def _arguments() -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes()
        except OSError:
            continue


def test_uv_is_stopped_when_its_time_is_over(own: Workshop, index: PackageIndex) -> None:
    index.silent = True
    hasty = Workshop(own.launcher, own.place, own.cache, own.surroundings, seconds=1.0)
    assert failure(hasty, "one").what == "uv did not end in time"
    mark = str(own.cache).encode()
    deadline = time.monotonic() + 5
    while any(mark in line for line in _arguments()):
        assert time.monotonic() < deadline


def test_variables_of_the_server_do_not_reach_uv(own: Workshop, index: PackageIndex) -> None:
    index.add("one", "1.0", {"one.py": b""})
    index.add("one", "1.1rc1", {"one.py": b""})
    steered = own.again(UV_PRERELEASE="allow", UV_NO_CACHE="1", UV_RESOLUTION="lowest", PIP_INDEX_URL=NOBODY)
    assert steered.lock("one").packages == ("one==1.0",)


def test_a_folder_of_wheels_is_bound_for_uv(own: Workshop, index: PackageIndex) -> None:
    index.add("one", "1.0", {"one.py": b""})
    links = own.place / "links"
    links.mkdir()
    for name, content in index.files.pop("one").items():
        (links / name).write_bytes(content)
    assert own.again(UV_FIND_LINKS=str(links)).lock("one").packages == ("one==1.0",)


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        ("error: Failed to extract archive\n  cause: No space left on device (os error 28)", Trouble.DISK_FULL),
        ("error: Failed to download `a==1`\n  cause: Hash mismatch for `a==1`", Trouble.HASH),
        ("error: Something new", Trouble.OTHER),
        ("", Trouble.OTHER),
    ],
)
def test_troubles_are_told_apart(said: str, trouble: Trouble) -> None:
    found = stopped(Ended(2, b"", said.encode()))
    assert found.trouble is trouble
    error = found.as_error()
    assert isinstance(error, Failed)
    assert isinstance(error, BuildFailed) == (trouble is not Trouble.DISK_FULL)


def test_what_uv_says_is_shown_without_what_moves_a_terminal() -> None:
    said = b"error: \x1b[31mno\x1b[0m \x07\x9b2J \xff http://u:pass@h/x " + b"x" * 9000
    error = stopped(Ended(1, b"", said)).as_error()
    assert error.why.startswith("no \ufffd2J \ufffd http://****@h/x")
    assert len(error.why) <= 2000


def test_declared_requirements_are_locked_too(workshop: Workshop) -> None:
    found = read_dependencies({"requirements.txt": b"six==1.17.0"}, ("iniconfig==2.0.0",))
    assert workshop.environments.lock(found, workshop.said.append).packages == ("iniconfig==2.0.0", "six==1.17.0")

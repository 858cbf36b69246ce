"""`algo auth` of PyPI's `algorithmia` 2.0.5 from its first question on, and the profiles that it writes (algorithmia-api, section 14)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.clients.terminator import Terminator, terminator
from tests.clients.test_algo import Terminal
from tests.doors.test_tokens import Directory
from tests.doors.test_tokens import directory as directory

#: what the client takes for a JWT: it knows no `-` in the first two parts
_TAKEN = re.compile(r"[a-zA-Z0-9_=]+\.[a-zA-Z0-9_=]+\.")


@pytest.fixture(scope="module")
def front(directory: Directory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminator]:
    with terminator(directory.server.address, tmp_path_factory.mktemp("tls")) as found:
        yield found


@pytest.fixture
def terminal(directory: Directory, front: Terminator, tmp_path: Path) -> Terminal:
    """A home without any profile, from which the server is reached by its name."""
    return Terminal(directory.server, tmp_path, {"https_proxy": front.proxy, "GIT_SSL_CAINFO": str(front.certificate)})


def profiles(terminal: Terminal) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((terminal.home / ".algorithmia" / "config").read_text())["profiles"]
    return found


@pytest.mark.digest("14 auth", "14 profiles", "14 clone")
def test_a_key(directory: Directory, front: Terminator, terminal: Terminal, tmp_path: Path) -> None:
    """Asked for address, key and certificate, it lists what is at data:// and keeps them."""
    key, name = directory.server.keys[directory.name], directory.name
    said = terminal.algo("auth", given=f"{front.address}\n{key}\n{front.certificate}\n")
    assert "Configuring authentication for profile: default" in said
    expected = {"api_key": key, "api_server": front.address, "ca_cert": str(front.certificate), "bearer_token": ""}
    assert profiles(terminal)["default"] == expected
    terminal.algo("auth", "--profile", "second", given=f"{front.address}\n{key}\n{front.certificate}\n")
    assert profiles(terminal) == {"default": expected, "second": expected}
    assert terminal.algo("ls").split()[0] == f"{name}/"
    terminal.algo("mkdir", "data://.my/box", "--profile", "second")
    assert f"{name}/box/" in terminal.algo("ls", f"data://{name}/")
    client = directory.server.client(key)
    algorithm, commit = directory.server.build(tmp_path / "source", name, client)
    assert terminal.algo("run", f"{algorithm}/{commit}", "-d", "hello").strip() == "hello"
    # with -t and its like the command asks past its client, and knows no certificate but that of the environment
    told = replace(terminal, more={**terminal.more, "REQUESTS_CA_BUNDLE": str(front.certificate)})
    assert told.algo("run", f"{algorithm}/{commit}", "-t", "hello", "--profile", "second").strip() == "hello"
    helper = f'!f() {{ printf "username={name}\\npassword={key}\\n"; }}; f'
    (terminal.home / ".gitconfig").write_text(
        '[credential]\n\thelper = "' + helper.replace("\\", "\\\\").replace('"', '\\"') + '"\n'
    )
    terminal.algo("clone", algorithm)  # from git.troth.example
    assert (terminal.home / algorithm.split("/")[1] / "troth.toml").is_file()


@pytest.mark.digest("14 auth", "2.1 bearer")
def test_a_token(directory: Directory, front: Terminator, terminal: Terminal) -> None:
    """What is no key is asked for as a JWT, and sent as Bearer from then on."""
    token = next(token for number in range(1000) if _TAKEN.match(token := directory.token(jti=str(number))))
    terminal.algo("auth", given=f"{front.address}\n\n{front.certificate}\n{token}\n")
    assert (profiles(terminal)["default"]["api_key"], profiles(terminal)["default"]["bearer_token"]) == ("", token)
    assert terminal.algo("ls").split()[0] == f"{directory.name}/"
    assert "invalid authentication" in terminal.algo(
        "auth", given=f"{front.address}\n\n{front.certificate}\nno token\n"
    )
    assert profiles(terminal)["default"]["bearer_token"] == token


@pytest.mark.digest("14 auth")
def test_a_key_that_is_none(front: Terminator, terminal: Terminal) -> None:
    """It is written before it is tried; the client says what the server said, in the way it has."""
    said = terminal.algo("auth", given=f"{front.address}\nsim{'x' * 25}\n{front.certificate}\n", check=False)
    assert "Directory iteration failed" in said
    assert "authorization required" in said


def test_a_certificate_that_is_not_known(directory: Directory, front: Terminator, terminal: Terminal) -> None:
    key = directory.server.keys[directory.name]
    assert "certificate verify failed" in terminal.algo("auth", given=f"{front.address}\n{key}\n\n", check=False)

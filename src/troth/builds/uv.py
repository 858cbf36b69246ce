"""uv, confined: it resolves, downloads and unpacks, and reaches the network, its cache and one scratch folder only.

The scratch folder lies below the cache, in the same mount, because files are linked from one to the other.
"""

from __future__ import annotations

import json
import os
import re
import resource
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name
from uv import find_uv_bin

from troth.builds.environment_document import Pin
from troth.builds.requirements import sha256_of
from troth.builds.services import Ended, handed, run
from troth.builds.uv_troubles import Trouble, UvStopped, readable, stopped
from troth.errors import EnvironmentUnavailable
from troth.sandbox.launcher import Confinement, Launcher, Limits, Network

_UV_INSIDE, _CACHE_INSIDE = "/troth/uv", "/cache"
_INDEXES = ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_PATIENCE = {"UV_HTTP_RETRIES": "2"}
#: what uv is given of the server's own environment, and nothing else
_PASSED = (*_INDEXES, *_CERTIFICATES, *_PROXIES, *(name.lower() for name in _PROXIES), *_PATIENCE)
#: where the launcher lets every process with a network look
_SEEN = ("/usr", "/etc/ssl", "/etc/pki", "/etc/ca-certificates")
_MOST_OUTPUT = 32 << 20
_LARGEST_DOWNLOAD = 8 << 30
_OPEN_FILES = 16 * 1024
#: Becomes uv with what stands in a descriptor: addresses with passwords must not stand in arguments, which anybody may read.
_BECOME = (
    "import json, os, sys\n"
    "with open(int(sys.argv[1]), 'rb') as given: os.environ.update(json.load(given))\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)

Say = Callable[[str], None]


class Uv:
    """The runs of uv over one cache. Every method raises UvStopped."""

    def __init__(self, launcher: Launcher, cache: Path, *, seconds: float, surroundings: Mapping[str, str]) -> None:
        self._launcher = launcher
        self._cache = cache
        self._seconds = seconds
        self._passed = _PATIENCE | {name: surroundings[name] for name in _PASSED if surroundings.get(name)}
        self._secrets = sorted(set(_passwords(self._passed.values())), key=len, reverse=True)
        try:
            self._program = os.path.realpath(find_uv_bin())
        except FileNotFoundError:
            raise EnvironmentUnavailable(
                "there is no uv beside this server",
                why="uv resolves and installs what versions depend on",
                repair="install the Python package uv into the server's environment (make setup does)",
            ) from None

    def resolve(self, requirements: Sequence[str], say: Say, *, offline: bool) -> list[Pin]:
        """The distributions that fulfil all requirements here, each with the hashes of all its wheels that run here."""
        arguments = [
            "pip",
            "compile",
            "--format",
            "pylock.toml",
            "--only-binary",
            ":all:",
            "--no-header",
            "--no-annotate",
        ]
        ended = self._run([*arguments, *_offline(offline), "-"], "\n".join(requirements), say)
        return _pins(ended.output)

    def install(self, pins: Sequence[Pin], site: Path, say: Say, *, offline: bool) -> None:
        """Unpacks the distributions into `site`, an empty folder below the cache; nothing of theirs is run."""
        target = os.path.join(self._inside, site.relative_to(self._cache))
        arguments = ["pip", "sync", "--require-hashes", "--no-build", "--target", target]
        self._run([*arguments, *_offline(offline), "-"], "\n".join(pin.line for pin in pins), say)

    def forget(self, names: Sequence[str], say: Say) -> None:
        """Takes distributions out of the cache, so that they are downloaded again."""
        self._run(["cache", "clean", "--", *names], "", say)

    @property
    def _inside(self) -> str:
        return self._launcher.seen(str(self._cache), _CACHE_INSIDE)

    def _run(self, arguments: Sequence[str], given: str, say: Say) -> Ended:
        with handed(json.dumps(self._passed).encode()) as environment:
            ended = run(
                self._launcher,
                self._confinement(arguments, environment),
                given=given.encode(),
                seconds=self._seconds,
                most_output=_MOST_OUTPUT,
            )
        if not ended.succeeded:
            raise stopped(ended, self._secrets)
        for line in readable(ended.errors, self._secrets).splitlines():
            if line.strip() and not line.startswith("Using "):  # where the interpreter lies is nobody's business
                say(line.strip())
        return ended

    def _confinement(self, arguments: Sequence[str], environment: int) -> Confinement:
        launcher = self._launcher
        binds = [(self._program, _UV_INSIDE), *((path, path) for path in _paths(self._passed))]
        program = launcher.seen(self._program, _UV_INSIDE)
        return Confinement(
            argv=[launcher.interpreter, "-I", "-S", "-B", "-c", _BECOME, str(environment), program, *arguments],
            binds=binds,
            files=[environment],
            environment={
                "UV_CACHE_DIR": os.path.join(self._inside, "uv"),
                "UV_PYTHON": launcher.interpreter,
                "UV_PYTHON_DOWNLOADS": "never",
                "UV_NO_CONFIG": "1",
                "UV_LINK_MODE": "hardlink",
                "UV_NO_PROGRESS": "1",
                "NO_COLOR": "1",
            },
            limits=Limits(open_files=min(_OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])),
            writable=[(str(self._cache), _CACHE_INSIDE)],
            service=True,
            network=Network.MACHINE,
        )


def _offline(offline: bool) -> list[str]:
    return ["--offline"] if offline else []


def _pins(document: bytes) -> list[Pin]:
    """The distributions in a pylock.toml. Raises UvStopped for one without wheels and hashes, or too much to download."""
    try:
        packages = tomllib.loads(document.decode()).get("packages", [])
        pins = [_pin(package) for package in packages]
        size = sum(max(int(wheel.get("size") or 0) for wheel in package["wheels"]) for package in packages)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise UvStopped(Trouble.OTHER, "the package index does not give the SHA-256 of every wheel") from None
    if size > _LARGEST_DOWNLOAD:
        said = f"the packages have {size / 1e9:.1f} GB, and at most {_LARGEST_DOWNLOAD / 1e9:.1f} GB are downloaded"
        raise UvStopped(Trouble.OTHER, said)
    return pins


def _pin(package: dict[str, Any]) -> Pin:
    digests = {sha256_of(f"sha256:{wheel['hashes']['sha256']}") for wheel in package["wheels"]}
    if not digests or None in digests:
        raise ValueError
    return Pin(canonicalize_name(package["name"]), package["version"], tuple(sorted(filter(None, digests))))


def _paths(passed: Mapping[str, str]) -> list[str]:
    """Files and folders of this machine that the settings name and that uv would not see by itself."""
    named = [passed[name] for name in _CERTIFICATES if name in passed]
    for name in _INDEXES:
        named += [re.sub(r"^[A-Za-z0-9._-]+=", "", part) for part in re.split(r"[\s,]+", passed.get(name, ""))]
    paths = [unquote(urlsplit(text).path) if text.startswith("file://") else text for text in named]
    return sorted({
        path for path in paths
        if path.startswith("/") and os.path.exists(path) and not path.startswith(tuple(f"{seen}/" for seen in _SEEN))
        and path not in _SEEN
    })  # fmt: skip


def _passwords(values: Any) -> list[str]:
    """What must not be read in addresses: passwords, and user names that stand alone, which are tokens."""
    found = []
    for text in re.findall(r"//([^\s/@,]+)@", " ".join(values)):
        user, _, password = text.partition(":")
        found += [part for part in {password or user, unquote(password or user), text} if len(part) > 3]
    return found

"""What an environment is made of, as a document whose digest names the environment wherever it is built."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata

from troth.errors import EnvironmentUnavailable

_FORMAT = 1
KIND = "environments"


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """One distribution in one version, and the SHA-256 of the wheels that may be installed for it."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def line(self) -> str:
        """The pin as a requirements file has it."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash=sha256:{digest}" for digest in self.hashes)])

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass(frozen=True, slots=True)
class EnvironmentDocument:
    """The interpreter and the pins of one environment. One without pins is the bare interpreter."""

    interpreter: str
    implementation: str
    machine: str
    #: the part of uv's version that changes with what it installs; empty where there is nothing to install
    uv: str
    requirements: tuple[Pin, ...]

    @classmethod
    def here(cls, pins: Sequence[Pin]) -> EnvironmentDocument:
        """The environment of this interpreter on this machine with these pins."""
        return cls(
            platform.python_version(),
            platform.python_implementation(),
            f"{platform.system()}-{platform.machine()}",
            _uv_line() if pins else "",
            tuple(sorted(pins)),
        )

    @classmethod
    def from_bytes(cls, document: bytes) -> EnvironmentDocument:
        """The environment that `document` describes, as `to_bytes` wrote it."""
        found = json.loads(document)
        pins = tuple(Pin(pin["name"], pin["version"], tuple(pin["hashes"])) for pin in found["requirements"])
        return cls(found["interpreter"], found["implementation"], found["machine"], found["uv"], pins)

    def to_bytes(self) -> bytes:
        """The document itself."""
        document = {
            "format": _FORMAT,
            "interpreter": self.interpreter,
            "implementation": self.implementation,
            "machine": self.machine,
            "uv": self.uv,
            "requirements": [
                {"name": pin.name, "version": pin.version, "hashes": list(pin.hashes)} for pin in self.requirements
            ],
        }
        return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the document, in hexadecimal."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def packages(self) -> tuple[str, ...]:
        """`name==version` of every distribution."""
        return tuple(str(pin) for pin in self.requirements)

    def check_fits(self) -> bool:
        """Whether it was locked with this very interpreter. Raises EnvironmentUnavailable where it cannot be used at all."""
        here = EnvironmentDocument.here(())
        for name, asked, found in (
            ("interpreter", f"{self.implementation} {_line(self.interpreter)}", f"{here.implementation} {_line(here.interpreter)}"),
            ("machine", self.machine, here.machine),
        ):  # fmt: skip
            if asked != found:
                raise EnvironmentUnavailable(
                    f"the environment {self.digest[:12]} needs the {name} {asked}",
                    why=f"this server has {found}, and libraries that were built for one do not run on the other",
                    repair=f"start the server with {asked}, or compile the algorithm again to get an environment for {found}",
                    asked=asked,
                    found=found,
                )
        return self.interpreter == here.interpreter


def _line(version: str) -> str:
    """Major and minor: interpreters of one line run each other's libraries."""
    return ".".join(version.split(".")[:2])


def _uv_line() -> str:
    """`0.13` or `1`: the versions of uv among which nothing breaks."""
    version = metadata.version("uv")
    found = re.match(r"0\.\d+|\d+", version)
    return found[0] if found else version

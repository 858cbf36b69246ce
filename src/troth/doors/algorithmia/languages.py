"""The languages and environments that algorithms are made in (algorithmia-api, section 12.1): this server's Python, on CPU.

One environment under several names, because scripts name the ones that they know.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import platform
import re
import sys
import tarfile
import uuid
from datetime import UTC, datetime
from typing import Any

from troth.clock import stamp
from troth.contracts.template import template
from troth.doors.algorithmia.objects import moment
from troth.doors.algorithmia.refusals import INVALID_REQUEST, UNKNOWN_LANGUAGE, WITHOUT_FEATURE, Numbered

_PYTHON = re.compile(r"python|python3[A-Za-z0-9._-]{0,40}|anaconda3[A-Za-z0-9._-]{0,40}", re.ASCII)
_SPACE = uuid.UUID("7b0f2c1e-6f0d-5f43-9a57-1d1b4f0c7a11")
#: The clients' own suites look for `anaconda3`, one of them in the first place.
_NAMES = ("anaconda3", "python3")


def languages() -> list[dict[str, Any]]:
    """Every language."""
    return [_language(name) for name in _NAMES]


def environments(name: str) -> list[dict[str, Any]]:
    """The environments of a language. Raises Numbered for one that does not run here."""
    check_language(name)
    version = platform.python_version()
    made = datetime.fromtimestamp(os.stat(sys.executable).st_mtime, UTC)
    environment = {
        "id": environment_id(),
        "environment_specification_id": _identity("specification"),
        "display_name": f"Python {version}",
        "description": "dependencies are locked for each source, from troth.toml, requirements.txt or pyproject.toml",
        "created_at": moment(stamp(made)),
        "language": _language(name),
        "machine_type": "CPU",
    }
    return [environment]


def specification(identity: str) -> bytes:
    """The template of an environment's algorithms, as a packed tar. Raises Numbered for an environment that is none here."""
    if identity != _identity("specification"):
        raise Numbered(
            INVALID_REQUEST,
            f"there is no environment specification {identity[:80]!r}",
            http_status=404,
            repair="GET /v1/algorithm-environments/edge/languages/python3/environments tells its id",
        )
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for path, content in template("owner", "algorithm").items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(whole.getvalue(), mtime=0)


def environment_id() -> str:
    """The id of the only environment; it stays as long as the interpreter's minor version does."""
    return _identity("environment")


def check_language(name: str) -> None:
    """Raises Numbered for a language that does not run here."""
    if name.lower().startswith("python2"):
        raise Numbered(
            WITHOUT_FEATURE,
            f"{name[:80]} is not run here",
            why="Python is, in version 3; Python 2 has had no releases since 2020",
            repair="name python3, and port the source",
        )
    if not _PYTHON.fullmatch(name.lower()):
        raise Numbered(
            UNKNOWN_LANGUAGE,
            f"algorithms are not made in {name[:80]!r} here",
            why="this server runs Python 3",
            repair="name python3",
        )


def runs_python(name: str) -> bool:
    """Whether a language, or a package set, is named so that Python 3 runs it."""
    return _PYTHON.fullmatch(name.lower()) is not None


def _language(name: str) -> dict[str, Any]:
    title = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    configuration = {"display_name": title, "req_files": ["troth.toml", "requirements.txt", "pyproject.toml"]}
    return {"name": name, "display_name": title, "configuration": json.dumps(configuration)}


def _identity(what: str) -> str:
    return str(uuid.uuid5(_SPACE, f"{what}/python/{sys.version_info.major}.{sys.version_info.minor}/cpu"))

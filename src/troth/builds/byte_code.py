"""Byte-code of an environment's modules, made by a process that runs no code of authors or libraries.

Byte-code from a worker is never kept: code that ran in the worker could have written it, and it would then run for everybody
who uses the environment.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import structlog

from troth.builds import compiler
from troth.builds.environment_files import FileRecord
from troth.builds.services import run
from troth.sandbox.launcher import Confinement, Launcher, Limits

log = structlog.get_logger()

_COMPILER_INSIDE, _SITE_INSIDE, _OUTPUT_INSIDE = "/troth/compiler.py", "/environment", "/output"
_MOST_MODULES = 20_000
_LARGEST = 64 << 20
_MEMORY = 2 << 30
_MOST_OUTPUT = 64 * 1024
#: time for all modules; thousands take a few seconds
_SECONDS = 120.0


def place_of(module: str) -> str:
    """Where the interpreter looks for the byte-code of the module at this path."""
    folder, _, name = module.rpartition("/")
    stem = name.removesuffix(".py")
    return f"{folder}{'/' if folder else ''}__pycache__/{stem}.{sys.implementation.cache_tag}.pyc"


def modules_of(record: FileRecord) -> list[str]:
    """The modules that have byte-code in the record."""
    return [module for module in record.files if module.endswith(".py") and place_of(module) in record.compiled]


def uncompiled(modules: Iterable[str], record: FileRecord) -> list[str]:
    """Those of `modules`, which may be anything, that are modules of the environment and have no byte-code yet."""
    found = {}
    for module in modules:
        if isinstance(module, str) and module.endswith(".py") and module in record.files:
            place = place_of(module)
            if place not in record.files and place not in record.compiled:
                found[module] = True
        if len(found) >= _MOST_MODULES:
            break
    return sorted(found)


def compiled(launcher: Launcher, site: Path, modules: list[str], output: Path) -> Mapping[str, bytes]:
    """Byte-code of the modules by the place that it belongs to, as far as they can be compiled.

    `output` is an empty folder that the launcher's service can write to.
    """
    here, inside = launcher.seen(str(site), _SITE_INSIDE), launcher.seen(str(output), _OUTPUT_INSIDE)
    pairs = [(os.path.join(here, module), f"{inside}/{number}") for number, module in enumerate(modules)]
    script = launcher.seen(compiler.__file__, _COMPILER_INSIDE)
    processes = min(len(os.sched_getaffinity(0)), 4, len(modules))
    confinement = Confinement(
        argv=[launcher.interpreter, "-I", "-S", "-B", script, str(processes), str(_MEMORY)],
        binds=[(compiler.__file__, _COMPILER_INSIDE), (str(site), _SITE_INSIDE)],
        writable=[(str(output), _OUTPUT_INSIDE)],
        limits=Limits(open_files=256),
        service=True,
    )
    ended = run(launcher, confinement, given=json.dumps(pairs).encode(), seconds=_SECONDS, most_output=_MOST_OUTPUT)
    if not ended.succeeded:
        log.warning("not every module was compiled", late=ended.late, said=ended.errors[-500:].decode(errors="replace"))
    made = {place_of(module): _made(output / str(number)) for number, module in enumerate(modules)}
    return {place: content for place, content in made.items() if content is not None}


def _made(path: Path) -> bytes | None:
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK)) as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST:
                return file.read(_LARGEST)
    except OSError:
        pass
    return None

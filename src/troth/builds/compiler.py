"""Compiles modules to byte-code without running any of them. Standard library only; runs confined.

Run as `python -I -S -B compiler.py PROCESSES MEMORY` with pairs on standard input, as JSON: a module's path, and where its
byte-code is written. What cannot be compiled is left out. The byte-code is valid for the module's content whatever its times
are (`unchecked-hash`), because the content of an environment is checked elsewhere and never changes.
"""

from __future__ import annotations

import json
import os
import py_compile
import resource
import sys
import warnings

_LARGEST_MODULE = 16 << 20


def main() -> None:
    """Compiles in several processes; a module on which the compiler dies takes the rest of its process along."""
    processes, memory = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * _LARGEST_MODULE, 4 * _LARGEST_MODULE))
    warnings.simplefilter("ignore")
    pairs = json.load(sys.stdin)
    children = []
    for number in range(processes):
        child = os.fork()
        if child == 0:
            _compile(pairs[number::processes])
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def _compile(pairs: list[list[str]]) -> None:
    for module, target in pairs:
        try:
            if os.path.getsize(module) <= _LARGEST_MODULE:
                py_compile.compile(
                    module, target, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
                )
        except Exception:  # noqa: S112 - hostile text makes the compiler raise nearly anything; the module stays as it is
            continue


if __name__ == "__main__":
    main()

"""How a worker gets from a source to an algorithm: imports its module, and finds what it says the algorithm is.

Standard library only. `plan` is the worker's (see there).
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib._bootstrap import module_from_spec
from importlib._bootstrap_external import spec_from_file_location
from importlib.machinery import ModuleSpec, PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:  # a cold call waits for every module that is imported here
    from types import ModuleType
    from typing import Any

#: What Algorithmia's own client reads: where the server is, and a stand-in for the key, which `requests_adapter.py` knows.
_VARIABLES = {
    "ALGORITHMIA_API": "http://api.troth.internal",
    "ALGORITHMIA_API_KEY": "the-key-of-the-call-that-runs",
}
#: Bounds of what a check reports: bytes of all, and names of imported files.
LARGEST_REPORT, MOST_IMPORTED = 1 << 20, 20_000
#: the flag of code with *args
_VARARGS = 4


class Form:
    """How a module says what its algorithm is."""

    def __init__(
        self, name: str, start: Callable[[], Callable[[Any], Any]], contract: Callable[[], dict[str, Any]]
    ) -> None:
        self.name = name
        #: runs what is to run before the first call; the algorithm as a function of its input
        self.start = start
        #: JSON Schemas of input and output, by those names
        self.contract = contract
        #: what the module wants to run in each fork of a loaded process, such as opening a connection anew
        self.after_fork: Callable[[], Any] | None = None


def form_of(plan: dict[str, Any]) -> Form:
    """The algorithm of the plan's source, whose module is imported. Raises what that raises, and ImportError."""
    module = _imported(plan)
    form = _typed_form(module) or _kit_form() or _apply_form(module)
    if form is None:
        raise ImportError(
            f"{os.path.basename(plan['entry'])} defines no function apply(input); nor does it initialise an ADK(apply)"
            " of Algorithmia's, or put one function under @algorithm of troth's"
        )
    after_fork = getattr(module, "after_fork", None)
    if callable(after_fork) and _is_own(after_fork):
        form.after_fork = after_fork
    return form


def report(form: Form, site: list[str]) -> bytes:
    """What the build learns of a version: its contract, and which files of its libraries were imported."""
    found = {**_contract(form), "form": form.name}
    imported = _files_below(site)[:MOST_IMPORTED]
    while True:
        body = json.dumps({"contract": found, "imported": imported}).encode()
        if len(body) <= LARGEST_REPORT or not imported:
            return body
        del imported[len(imported) // 2 :]


class _Finder:
    """Finds what the server hands in, the source's own package, and what else has the name of the entry.

    It comes before all other finders, so that no library takes the place of what is found here.
    """

    def __init__(self, plan: dict[str, Any], folder: str, name: str) -> None:
        self._modules: dict[str, str] = plan["modules"]
        self._supplied = plan["inside"] if plan["api"] else ""
        self._folder, self._package, self._entry = folder, os.path.basename(folder), name
        self._libraries = [*sys.path, *plan["site"]]
        self.clashes = name in sys.stdlib_module_names or self._is_known(name)

    def _is_known(self, name: str) -> bool:
        found = PathFinder.find_spec(name, self._libraries)
        return name == self._package or name in self._modules or (found is not None and found.loader is not None)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        """Where a module is, or None if the other finders may look for it."""
        if name == self._package:
            return self._source()
        if name == "requests.sessions" and self._supplied:
            return self._connected(name, path)
        file = self._modules.get(name)
        if file is not None:
            return self._real(name) or spec_from_file_location(name, file)
        return PathFinder.find_spec(name, self._libraries) if self.clashes and name == self._entry else None

    def _source(self) -> ModuleSpec | None:
        """The folder of the source as a package, whether or not it says that it is one."""
        file = os.path.join(self._folder, "__init__.py")
        if os.path.exists(file):
            return spec_from_file_location(self._package, file)
        spec = ModuleSpec(self._package, None, is_package=True)
        spec.submodule_search_locations = [self._folder]
        return spec

    def _connected(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """The library, which learns how this server is reached once it is loaded."""
        spec = PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def load(module: ModuleType) -> None:
            run(module)
            try:
                _adapter(self._supplied).mount(module)
            except Exception as error:  # a library of that name that is not what it should be
                import warnings

                warnings.warn(f"requests cannot be used to reach the server: {error}", stacklevel=2)

        spec.loader.exec_module = load  # type: ignore[method-assign]
        return spec

    def _real(self, name: str) -> ModuleSpec | None:
        """The author's own client of the platform, where there is one; it gets its kit from here all the same."""
        if name != "Algorithmia":
            return None
        return PathFinder.find_spec(name, self._libraries if name == self._entry else None)


def _adapter(supplied: str) -> ModuleType:
    """The module that brings requests and this server together."""
    file = os.path.join(supplied, "requests_adapter.py")
    spec = spec_from_file_location("troth_requests_adapter", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _imported(plan: dict[str, Any]) -> ModuleType:
    """The algorithm's module, run: `src.NAME` where src is a package or something else is called NAME, else `NAME`."""
    entry, folder = plan["entry"], os.path.dirname(plan["entry"])
    name = os.path.splitext(os.path.basename(entry))[0]
    if name == "__init__":
        folder, name = os.path.split(folder)
    finder = _Finder(plan, folder, name)
    sys.argv = [entry]
    if plan["api"]:
        os.environ.update(_VARIABLES)
    sys.path += plan["site"]
    sys.path[:0] = [folder, plan["root"]]
    sys.meta_path.insert(0, finder)
    os.chdir(plan["root"])
    if not finder.clashes and not os.path.exists(os.path.join(folder, "__init__.py")):
        return _run(name, entry)
    package = importlib.import_module(os.path.basename(folder))
    full = f"{package.__name__}.{name}"
    module = sys.modules.get(full) or _run(full, entry)  # the package may import its algorithm itself
    setattr(package, name, module)
    return module


def _run(name: str, file: str) -> ModuleType:
    """A module from its file, whatever else has its name."""
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python module")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _typed_form(module: ModuleType) -> Form | None:
    authoring = sys.modules.get("troth.authoring")  # else nothing can be under its decorator
    typed = authoring.typed_function_of(module) if authoring else None
    return Form("algorithm", typed.start, typed.contract) if typed else None


def _kit_form() -> Form | None:
    initialised = getattr(sys.modules.get("adk"), "initialised", None)
    if not initialised:
        return None
    kit = initialised[0]

    def start() -> Callable[[Any], Any]:
        state = kit.load()
        if kit.load_func is None and _takes(kit.apply_func, 1):
            return kit.apply_func  # type: ignore[no-any-return]
        return _with_state(kit.apply_func, state)

    return Form("adk", start, lambda: _schemas_of(kit.apply_func))


def _apply_form(module: ModuleType) -> Form | None:
    apply, load = getattr(module, "apply", None), getattr(module, "load", None)
    if not callable(apply):
        return None
    if not _is_own(load):  # such as `from json import load`
        load = None
    return Form("apply", lambda: apply if load is None else _with_state(apply, load()), lambda: _schemas_of(apply))


def _is_own(function: Any) -> bool:
    """Whether the source itself defines it."""
    defined_in = sys.modules.get(getattr(function, "__module__", None) or "")
    return (getattr(defined_in, "__file__", None) or "").startswith(os.getcwd() + os.sep)


def _with_state(apply: Callable[..., Any], state: Any) -> Callable[[Any], Any]:
    """`apply` of the input alone; what `load` returned is passed if there is room for it, be it true or not."""
    return (lambda given: apply(given, state)) if _takes(apply, 2) else apply


def _takes(function: Callable[..., Any], count: int) -> bool:
    code, defaults = getattr(function, "__code__", None), getattr(function, "__defaults__", None) or ()
    if type(function) is type(_takes) and code is not None and not function.__dict__:
        lacking = code.co_kwonlyargcount > len(function.__kwdefaults__ or ())
        least, most = code.co_argcount - len(defaults), code.co_argcount
        return not lacking and least <= count and (count <= most or bool(code.co_flags & _VARARGS))
    import inspect  # decorated functions, objects and built-ins; it takes a while to import

    try:
        inspect.signature(function).bind(*[None] * count)
    except (TypeError, ValueError):
        return False
    return True


def _schemas_of(function: Callable[..., Any]) -> Any:
    return importlib.import_module("troth.authoring").schemas_of(function)


def _contract(form: Form) -> dict[str, Any]:
    """The schemas; none where the author's code has damaged what makes them."""
    try:
        return form.contract()
    except Exception:
        return {"input": None, "output": None}


def _files_below(folders: list[str]) -> list[str]:
    """The Python files that modules came from, relative to the folder that holds them."""
    found = set()
    for module in list(sys.modules.values()):
        file = getattr(module, "__dict__", {}).get("__file__")  # of some modules every other question imports more
        for folder in folders:
            if isinstance(file, str) and file.startswith(folder + os.sep) and file.endswith(".py"):
                found.add(file[len(folder) + 1 :])
    return sorted(found)

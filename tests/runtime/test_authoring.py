"""Algorithms in each of their forms, in real workers; and what a build hears of them, from honest ones and others."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.runtime.workshop import Refused, Workshop
from tests.server import RunningServer, write_project
from troth import algorithm, authoring
from troth.errors import CallFailed
from troth.runtime.inside import entry
from troth.runtime.report import ABSENT, report_of
from troth.sandbox.isolation import measure
from troth.sandbox.launcher import Launcher, find_bubblewrap

_NOTHING = {"input": None, "output": None, "form": None}
_RUNTIME = Path(entry.__file__).parents[1]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """With bubblewrap, as workers are meant to run."""
    return _workshop(tmp_path_factory.mktemp("contained"), find_bubblewrap())


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Without bubblewrap, where every file is seen in its own place."""
    return _workshop(tmp_path_factory.mktemp("bare"), None)


def _workshop(folder: Path, bubblewrap: str | None) -> Workshop:
    launcher = Launcher(worker_uid=60001, bubblewrap=bubblewrap)
    if bubblewrap is None:
        launcher.uid = None  # another user could not walk to a test's folder
    return Workshop(launcher, measure(launcher, folder), folder)


# --- the three forms


class TestApply:
    def test_input_alone(self, workshop: Workshop) -> None:
        source = workshop.source("def apply(input):\n    return [input, type(input).__name__]\n")
        assert source.answers("a", {"a": 1}, b"a".hex()) == [["a", "str"], [{"a": 1}, "dict"], ["61", "str"]]
        assert source.check().contract == {"input": None, "output": None, "form": "apply"}

    @pytest.mark.parametrize("state", ["{}", "None", "0", "'state'"])
    def test_with_state(self, workshop: Workshop, state: str) -> None:
        source = workshop.source(
            f"def load():\n    return {state}\ndef apply(input, state):\n    return [input, state]\n"
        )
        assert source.call(1) == [1, ast.literal_eval(state)]

    def test_state_that_is_not_asked_for(self, workshop: Workshop) -> None:
        assert workshop.source("def load():\n    return 1\ndef apply(input):\n    return input\n").call(2) == 2

    def test_annotations_are_the_contract(self, workshop: Workshop) -> None:
        code = "from __future__ import annotations\ndef apply(input: dict[str, int]) -> list[str]:\n    return []\n"
        contract = workshop.source(code).check().contract
        assert contract["input"]["additionalProperties"] == {"type": "integer"}
        assert contract["output"]["items"] == {"type": "string"}

    def test_annotations_that_say_nothing_to_a_caller(self, workshop: Workshop) -> None:
        code = "import io\ndef apply(input: 'Nowhere', state: int = 0) -> io.StringIO:\n    return input\n"
        source = workshop.source(code)
        assert source.check().contract == {"input": None, "output": None, "form": "apply"}
        assert source.call(1) == 1


_KIT = "from Algorithmia import ADK\n"


class TestKit:
    @pytest.mark.parametrize("imports", [_KIT, "from adk import ADK\n", "import Algorithmia\nADK = Algorithmia.ADK\n"])
    def test_input_alone(self, workshop: Workshop, imports: str) -> None:
        code = f"{imports}def work(input):\n    return [input]\nalgorithm = ADK(work)\nalgorithm.init('sample')\n"
        source = workshop.source(code)
        assert source.answers("a", {"a": 1}) == [["a"], [{"a": 1}]]
        checked = source.check()
        assert (checked.error, checked.output) == ("", "")
        assert checked.contract == {"input": None, "output": None, "form": "adk"}

    @pytest.mark.parametrize("state", ["{}", "None", "0", "'state'"])
    def test_with_state(self, workshop: Workshop, state: str) -> None:
        code = (
            f"{_KIT}def load():\n    return {state}\ndef apply(input, state):\n    return [input, state]\n"
            "algorithm = ADK(apply_func=apply, load_func=load, client=None)\nalgorithm.init(None, print, False)\n"
        )
        assert workshop.source(code).call(1) == [1, ast.literal_eval(state)]

    @pytest.mark.parametrize(("signature", "state"), [("input, state", None), ("input, state=7", 7)])
    def test_room_for_a_state_that_nobody_loads(self, workshop: Workshop, signature: str, state: Any) -> None:
        code = f"{_KIT}def apply({signature}):\n    return [input, state]\nADK(apply).init()\n"
        assert workshop.source(code).call(1) == [1, state]

    def test_nothing_is_run_by_init(self, workshop: Workshop) -> None:
        code = (
            f"{_KIT}ran = []\ndef load():\n    ran.append('load')\ndef apply(input):\n    return ran\n"
            "ADK(apply, load).init('sample')\nran.append('after')\n"
        )
        assert workshop.source(code).call(1) == ["after", "load"]

    def test_a_model_without_a_manifest(self, workshop: Workshop) -> None:
        code = f"{_KIT}def load(models):\n    return models.get_model('m')\ndef apply(i):\n    pass\nADK(apply, load).init()\n"
        source = workshop.source(code)
        assert source.check().error == ""
        found = source.error(1)
        assert found["error_type"] == "LoadingError"
        assert "there is no model 'm': there is no model_manifest.json" in found["message"]

    def test_a_model_that_is_not_asked_for(self, workshop: Workshop) -> None:
        code = (
            f"{_KIT}def load(models):\n    return 5\ndef apply(i, state):\n    return state\nADK(apply, load).init()\n"
        )
        assert workshop.source(code).call(1) == 5

    @pytest.mark.parametrize(
        ("raised", "kind", "message"),
        [
            ("ValueError('bad')", "AlgorithmError", "bad"),
            ("Mine('mine')", "InputError", "mine"),
            ("KeyError", "AlgorithmError", "KeyError"),
        ],
    )
    def test_what_apply_raises(self, workshop: Workshop, raised: str, kind: str, message: str) -> None:
        """The original kills its process there on a current Python."""
        code = (
            f"{_KIT}class Mine(Exception):\n    error_type = 'InputError'\n"
            f"def apply(input):\n    raise {raised}\nADK(apply).init()\n"
        )
        found = workshop.source(code).error(1)
        assert (found["error_type"], found["message"]) == (kind, message)
        assert found["stacktrace"].count("File") == 1
        assert "line 5, in apply" in found["stacktrace"]

    def test_what_load_raises(self, workshop: Workshop) -> None:
        code = f"{_KIT}def load():\n    raise ValueError('no')\ndef apply(i):\n    pass\nADK(apply, load).init()\n"
        found = workshop.source(code).error(1)
        assert (found["error_type"], found["message"]) == ("LoadingError", "no")
        assert found["stacktrace"].count("File") == 1

    def test_a_kit_that_is_not_initialised(self, workshop: Workshop) -> None:
        """As the platform ran it without `.adk`: the module's own `apply`."""
        code = f"{_KIT}def other(i):\n    return 'other'\ndef apply(i):\n    return 'own'\nADK(other)\n"
        source = workshop.source(code)
        assert source.call(1) == "own"
        assert source.check().contract["form"] == "apply"

    def test_a_kit_that_is_not_initialised_is_no_algorithm(self, workshop: Workshop) -> None:
        assert "initialise an ADK" in workshop.source(f"{_KIT}def other(i):\n    pass\nADK(other)\n").check().error

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("ADK(apply, lambda a, b: 1).init()", "load function expects 0 parameters or 1 parameter"),
            ("ADK(apply).init(mlops=True)", "mlops=True"),
        ],
    )
    def test_what_is_not_there(self, workshop: Workshop, code: str, words: str) -> None:
        assert words in workshop.source(f"{_KIT}def apply(i):\n    pass\n{code}\n").check().error

    def test_annotations_are_the_contract(self, workshop: Workshop) -> None:
        code = f"{_KIT}def apply(input: int) -> str:\n    return ''\nADK(apply).init()\n"
        contract = workshop.source(code).check().contract
        assert (contract["input"]["type"], contract["output"]["type"]) == ("integer", "string")


#: What the real packages have: a client that imports its kit, and a kit that this one must replace.
_REAL = {
    "Algorithmia/__init__.py": "from Algorithmia.client import Client\nfrom adk import ADK\ndef client():\n    return Client()\n",
    "Algorithmia/client.py": "class Client:\n    name = 'real'\n",
    "adk/__init__.py": "class ADK:\n    def __init__(self, *a):\n        raise RuntimeError('the original')\n",
}


@pytest.mark.digest("16.2 import")
def test_the_real_client_has_this_kit(workshop: Workshop) -> None:
    code = (
        f"import Algorithmia\n{_KIT}client = Algorithmia.client()\n"
        "def apply(input):\n    return [client.name, Algorithmia.ADK is ADK]\nADK(apply, None, client).init()\n"
    )
    source = workshop.source(code, libraries=_REAL)
    checked = source.check()
    assert checked.error == ""
    assert checked.imported == ("Algorithmia/__init__.py", "Algorithmia/client.py")
    assert source.call(1) == ["real", True]


def test_a_real_kit_alone_does_not_win(workshop: Workshop) -> None:
    libraries = {"adk/__init__.py": _REAL["adk/__init__.py"], "troth/__init__.py": "raise RuntimeError('the whole')\n"}
    code = "import troth\nfrom adk import ADK\ndef apply(i):\n    return i\nADK(apply).init()\n"
    assert workshop.source(code, libraries=libraries).call(1) == 1


_TYPED = """
from __future__ import annotations
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, NamedTuple, NotRequired, TypedDict
from troth import algorithm

class Least:
    def __init__(self, ge):
        self.ge = ge

class Color(Enum):
    RED = "red"

class Row(NamedTuple):
    name: str
    size: int = 1

class Options(TypedDict):
    color: Color
    limit: NotRequired[Annotated[int, Least(0)]]

@dataclass
class Answer:
    rows: list[Row]
    seen: set[str]
    color: Color | None = None

@algorithm
def predict(rows: list[Row], options: Options, scale: float = 2) -> Answer:
    assert isinstance(options["color"], Color)
    return Answer([row._replace(size=row.size * options.get("limit", 1)) for row in rows], {type(scale).__name__}, Color.RED)
"""

_TYPED_BAD = [
    ({}, "the input at /rows: expected an array, got nothing: this key is required"),
    ([], "the input: expected an object, got an array of 0"),
    ("text", 'the input: expected an object, got "text"'),
    (b"bytes", "the input: expected an object, got binary data"),
    ({"rows": [], "options": {"color": "blue"}}, 'the input at /options/color: expected one of "red", got "blue"'),
    ({"rows": [["a"], [1]], "options": {"color": "red"}}, "the input at /rows/1/0: expected a string, got 1"),
    (
        {"rows": [], "options": {"color": "red", "limit": -1}},
        "the input at /options/limit: expected a number of at least 0, got -1",
    ),
    (
        {"rows": [], "options": {"color": "red"}, "scales": 1},
        "the input at /scales: expected no such key, got 1: known are rows, options, scale",
    ),
]


class TestTyped:
    def test_several_parameters(self, workshop: Workshop) -> None:
        source = workshop.source(_TYPED)
        given = {"rows": [["a"], ["b", 2]], "options": {"color": "red", "limit": 3}, "scale": 1}
        answer = {"rows": [["a", 3], ["b", 6]], "seen": ["float"], "color": "red"}
        assert source.call(given) == answer
        contract = source.check().contract
        assert contract["form"] == "algorithm"
        for side, value in (("input", given), ("output", answer)):
            Draft202012Validator.check_schema(contract[side])
            Draft202012Validator(contract[side]).validate(value)
        assert contract["input"]["required"] == ["rows", "options"]
        assert contract["output"]["$defs"]["Answer"]["required"] == ["rows", "seen", "color"]

    @pytest.mark.parametrize(("sent", "words"), _TYPED_BAD)
    def test_inputs_of_another_type(self, workshop: Workshop, sent: Any, words: str) -> None:
        found = workshop.source(_TYPED).error(sent)
        assert (found["error_type"], found["message"]) == ("InputError", words)
        assert "File" not in found["stacktrace"]  # no frame of it is the author's

    def test_the_process_goes_on(self, workshop: Workshop) -> None:
        source = workshop.source("from troth import algorithm\n@algorithm\ndef f(x: int) -> int:\n    return x + 1\n")
        with pytest.raises(Refused, match="expected an integer"):
            source.answers(1, "one")
        assert source.answers(1, 2.0) == [2, 3]

    @pytest.mark.parametrize(
        ("annotation", "sent", "got"),
        [
            ("", {"a": 1}, "{'a': 1}"),
            (": object", [1], "[1]"),
            (": str", "text", "'text'"),
            (": bytes", b"\0", r"b'\x00'"),
            (": bytes", "AA==", r"b'\x00'"),
            (": None", None, "None"),
            (": int | None = 5", None, "None"),
            (": tuple[int, ...]", [1, 2], "(1, 2)"),
        ],
    )
    def test_one_parameter(self, workshop: Workshop, annotation: str, sent: Any, got: str) -> None:
        code = f"import troth\n@troth.algorithm()\ndef f(x{annotation}):\n    return repr(x)\n"
        assert workshop.source(code).call(sent) == got

    @pytest.mark.parametrize("parameters", ["x: int, state", "*, x: int, state: int = 3", "x: int, state: dict"])
    def test_with_state(self, workshop: Workshop, parameters: str) -> None:
        code = (
            "from troth import algorithm\ndef load():\n    print('loaded')\n    return {}\n"
            f"@algorithm(load=load)\ndef f({parameters}):\n    return [x, state]\n"
        )
        source = workshop.source(code)
        assert source.call(5) == [5, {}]
        checked = source.check()
        assert checked.contract["input"]["type"] == "integer"
        assert checked.output == ""

    def test_several_parameters_and_state(self, workshop: Workshop) -> None:
        code = "from troth import algorithm\n@algorithm(load=lambda: 0)\ndef f(x: int, y: int, state):\n    return [x, y, state]\n"
        source = workshop.source(code)
        assert source.call({"x": 1, "y": 2}) == [1, 2, 0]
        assert "known are x, y" in source.error({"x": 1, "y": 2, "state": 3})["message"]

    @pytest.mark.parametrize(
        ("result", "answer"),
        [
            ("b'\\0'", "AA=="),
            ("{'a': b'\\0'}", {"a": "AA=="}),
            ("'text'", "text"),
            ("{3, 1, 2}", [1, 2, 3]),
            ("None", None),
        ],
    )
    def test_results(self, workshop: Workshop, result: str, answer: Any) -> None:
        code = f"from troth import algorithm\n@algorithm\ndef f(x):\n    return {result}\n"
        assert workshop.source(code).call(1) == answer

    def test_a_result_that_json_cannot_carry(self, workshop: Workshop) -> None:
        code = "from troth import algorithm\n@algorithm\ndef f(x):\n    return object()\n"
        assert "what JSON cannot carry" in workshop.source(code).error(1)["message"]

    def test_what_the_function_raises(self, workshop: Workshop) -> None:
        code = "from troth import algorithm\n@algorithm\ndef f(x: int):\n    raise ValueError('no')\n"
        found = workshop.source(code).error(1)
        assert (found["error_type"], found["message"]) == ("AlgorithmError", "no")
        assert found["stacktrace"].count("File") == 1

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("@algorithm\ndef f(x): pass\n@algorithm\ndef g(x): pass", "thing has several: f, g"),
            ("@algorithm\nasync def f(x): pass", "f is asynchronous"),
            ("@algorithm\nclass F: pass", "@algorithm is for a function"),
            ("@algorithm(load=5)\ndef f(x): pass", "load of @algorithm is a function"),
            ("@algorithm\ndef f(): pass", "f() has no parameter for the input"),
            ("@algorithm(load=dict)\ndef f(state): pass", "f() has no parameter for the input"),
            ("@algorithm\ndef f(*many): pass", "f() has *many"),
            ("@algorithm\ndef f(x, /): pass", "f() has x"),
            ("@algorithm\ndef f(x: complex): pass", "the parameter x of f(): complex is not a type"),
            ("@algorithm\ndef f(x: 'Nowhere'): pass", "the annotations of f cannot be read: name 'Nowhere'"),
        ],
    )
    def test_functions_that_cannot_be_algorithms(self, workshop: Workshop, code: str, words: str) -> None:
        checked = workshop.source(f"from troth import algorithm\n{code}\n").check()
        assert words in checked.error
        assert checked.contract == _NOTHING

    def test_a_result_of_no_known_type_is_not_in_the_contract(self, workshop: Workshop) -> None:
        code = "from troth import algorithm\n@algorithm\ndef f(x: int) -> complex:\n    return x\n"
        source = workshop.source(code)
        assert source.check().contract["output"] is None
        assert source.call(1) == 1

    def test_another_algorithm_that_is_imported_is_not_this_one(self, workshop: Workshop) -> None:
        helper = "from troth import algorithm\n@algorithm\ndef helper(x: str):\n    return x\n"
        code = (
            "from helper import helper\nfrom troth import algorithm\n@algorithm\ndef f(x: int):\n    return helper(x)\n"
        )
        assert workshop.source(code, files={"src/helper.py": helper}).call(1) == 1
        assert workshop.source("from helper import helper\n", files={"src/helper.py": helper}).call("a") == "a"
        only = workshop.source("import helper\ndef apply(i):\n    return 'own'\n", files={"src/helper.py": helper})
        assert only.call(1) == "own"

    def test_types_of_a_library(self, workshop: Workshop) -> None:
        """msgspec and pydantic are found by what they are, where the author has them."""
        library = (
            "class Model:\n"
            "    def __init__(self, name): self.name = name\n"
            "    @classmethod\n    def model_validate(cls, value): return cls(value['name'])\n"
            "    @classmethod\n    def model_json_schema(cls, mode): return {'type': 'object', 'title': mode}\n"
            "    def model_dump(self, mode): return {'name': self.name}\n"
        )
        code = "import lib\nfrom troth import algorithm\n@algorithm\ndef f(x: lib.Model) -> lib.Model:\n    return x\n"
        source = workshop.source(code, libraries={"lib.py": library})
        assert source.call({"name": "a"}) == {"name": "a"}
        checked = source.check()
        assert checked.contract["output"]["$defs"]["Model"]["title"] == "serialization"
        assert checked.imported == ("lib.py",)


def test_a_decorated_function_can_be_called_as_it_is() -> None:
    def double(x: int) -> int:
        return x * 2

    assert algorithm(double) is double
    assert algorithm(load=dict)(double) is double
    assert double(4) == 8


# --- where the module comes from

_HELPER = {"src/helper.py": "WORD = 'helped'\n", "data/words.txt": "read"}
_PACKAGE = {**_HELPER, "src/__init__.py": ""}


class TestImports:
    @pytest.mark.parametrize("package", [False, True], ids=["module", "package"])
    @pytest.mark.parametrize(
        "code",
        [
            "from .helper import WORD\n",
            "from src.helper import WORD\n",
            "from helper import WORD\n",
            "from src import helper\nWORD = helper.WORD\n",
        ],
    )
    def test_a_source_that_is_a_package(self, workshop: Workshop, code: str, package: bool) -> None:
        if package:
            code = code.replace(".helper", "..helper") if code.startswith("from .") else code
        source = workshop.source(f"{code}def apply(i):\n    return [WORD, __name__]\n", files=_PACKAGE, package=package)
        assert source.call(1) == ["helped", "src.thing"]

    @pytest.mark.parametrize("code", ["from src.helper import WORD\n", "from helper import WORD\n"])
    def test_a_source_that_is_none(self, workshop: Workshop, code: str) -> None:
        source = workshop.source(f"{code}def apply(i):\n    return [WORD, __name__]\n", files=_HELPER)
        assert source.call(1) == ["helped", "thing"]

    def test_a_package_entry(self, workshop: Workshop) -> None:
        files = {
            "src/thing/part.py": "from . import WORD\nfrom .deep.end import END\n",
            "src/thing/deep/end.py": "END = 2\n",
        }
        code = "WORD = 1\nfrom .part import END\ndef apply(i):\n    return [END, __name__, __package__]\n"
        assert workshop.source(code, files=files, package=True).call(1) == [2, "thing", "thing"]
        files["src/__init__.py"] = ""
        assert workshop.source(code, files=files, package=True).call(1) == [2, "src.thing", "src.thing"]

    def test_a_function_in_a_part_of_a_package_entry(self, workshop: Workshop) -> None:
        part = "from troth import algorithm\n@algorithm\ndef f(x: int) -> int:\n    return x\n"
        source = workshop.source("from .part import f\n", files={"src/thing/part.py": part}, package=True)
        assert source.call(3) == 3

    def test_a_package_that_imports_its_algorithm(self, workshop: Workshop) -> None:
        files = {"src/__init__.py": "from .thing import apply\n"}
        code = "import sys\ntimes = sys.__dict__.setdefault('times', [])\ntimes.append(__name__)\ndef apply(i):\n    return times\n"
        assert workshop.source(code, files=files).call(1) == ["src.thing"]

    @pytest.mark.parametrize(
        ("regular", "package"),
        [(False, False), (True, False), (False, True)],
        ids=["module", "in a package", "package"],
    )
    @pytest.mark.parametrize("name", ["json", "queue", "time", "src", "adk", "troth", "Algorithmia", "lib"])
    def test_a_name_that_something_else_has(self, workshop: Workshop, name: str, regular: bool, package: bool) -> None:
        """Both can be imported: the algorithm by its file, and the other by the name."""
        code = (
            "from __future__ import annotations\nimport concurrent.futures, dataclasses, json, queue, time\n"
            f"import {name if name != 'src' else 'os'} as other\nfrom adk import ADK\nfrom troth import algorithm\n"
            "from Algorithmia import ADK\n"
            "@dataclasses.dataclass\nclass Given:\n    x: list[int]\n"
            "@algorithm\ndef run(given: Given) -> list[str]:\n"
            "    assert json.loads('1') == 1 and queue.Queue and time.time and concurrent.futures.Future\n"
            "    return [__name__, getattr(other, 'run', None) is None]\n"
        )
        files = {"src/__init__.py": ""} if regular else {}
        source = workshop.source(code, name=name, files=files, libraries={"lib.py": ""}, package=package)
        assert source.call({"x": [1]}) == [f"src.{name}", True]

    def test_data_files(self, workshop: Workshop) -> None:
        code = "word = open('data/words.txt').read()\ndef apply(i):\n    return [word, open('data/words.txt').read()]\n"
        assert workshop.source(code, files=_HELPER).call(1) == ["read", "read"]

    @pytest.mark.parametrize("code", ["", "def run(i):\n    pass\n", "apply = 5\n", "from troth import algorithm\n"])
    def test_no_algorithm(self, workshop: Workshop, code: str) -> None:
        message = workshop.source(code).check().error
        assert message.startswith("thing.py defines no function apply(input)")
        assert "ADK(apply)" in message
        assert "@algorithm" in message

    def test_a_module_that_fails(self, workshop: Workshop) -> None:
        files = {"src/__init__.py": "", "src/helper.py": "raise ValueError('no')\n"}
        checked = workshop.source("from . import helper\n", files=files).check()
        assert checked.error == "no"
        assert checked.stacktrace.count("File") == 2  # of the author's two modules, and nothing else
        assert checked.contract == _NOTHING

    def test_files_of_libraries(self, workshop: Workshop) -> None:
        libraries = {"a/__init__.py": "", "a/b.py": "import c\n", "c.py": "", "unused.py": ""}
        source = workshop.source(
            "import json, a.b, helper\ndef apply(i):\n    pass\n", files=_HELPER, libraries=libraries
        )
        assert source.check().imported == ("a/__init__.py", "a/b.py", "c.py")

    def test_modules_that_must_not_be_asked(self, workshop: Workshop) -> None:
        """Some libraries put objects among the modules that import more when they are asked for anything."""
        code = (
            "import sys, types, lib\nclass Lazy(types.ModuleType):\n    def __getattr__(self, name): raise RuntimeError(name)\n"
            "sys.modules['lazy'] = Lazy('lazy')\nsys.modules['none'] = None\nsys.modules['seven'] = 7\n"
            "def apply(i):\n    pass\n"
        )
        assert workshop.source(code, libraries={"lib.py": ""}).check().imported == ("lib.py",)

    def test_an_algorithm_without_types_pays_for_none(self, workshop: Workshop) -> None:
        code = "import sys\ndef apply(i):\n    return sorted({'troth', 'adk', 'Algorithmia', 'dataclasses'} & set(sys.modules))\n"
        assert workshop.source(code).call(1) == []


def test_without_bubblewrap(bare: Workshop) -> None:
    """Every form, where the worker's files lie among the server's."""
    assert bare.source("def apply(i):\n    return i\n", files={"src/__init__.py": ""}).call(1) == 1
    kit = f"import Algorithmia\n{_KIT}def apply(i):\n    raise ValueError('no')\nADK(apply).init()\n"
    assert bare.source(kit).error(1)["stacktrace"].count("File") == 1
    assert bare.source(kit, libraries=_REAL).check().imported == ("Algorithmia/__init__.py", "Algorithmia/client.py")
    typed = bare.source(_TYPED)
    assert "File" not in typed.error({})["stacktrace"]
    assert typed.check().contract["form"] == "algorithm"
    assert bare.source("import troth.runtime.worker\n").check().error == "No module named 'troth.runtime'"


@pytest.mark.parametrize("package", [False, True], ids=["module", "package"])
def test_a_whole_server(server: RunningServer, tmp_path: Path, package: bool) -> None:
    """Built, published and called by name, as an author does it."""
    owner, client = server.account("author")
    name = server.new_name("typed")
    folder = write_project(tmp_path / name, owner, name, _TYPED)
    if package:
        (folder / "src" / name).mkdir()
        (folder / "src" / f"{name}.py").rename(folder / "src" / name / "__init__.py")
    built = client.compile(folder)
    assert built["status"] == "succeeded", built["log"]
    version = client.publish(f"{owner}/{name}", built["hash"], bump="minor")["version"]
    reference = f"{owner}/{name}/{version}"
    assert client.call(reference, {"rows": [["a"]], "options": {"color": "red"}}).result["rows"] == [["a", 1]]
    with pytest.raises(CallFailed, match="the input at /rows: expected an array, got nothing"):
        client.call(reference, {})


# --- checks that lie

_SAY = """
import json, os, socket, struct
def say(body, kind=5):
    for fd in range(3, 1024):
        try:
            link = socket.socket(fileno=os.dup(fd))
            link.sendall(struct.pack("!IIBBd", len(body), 0, kind, 0, 0.0) + body)
        except OSError:
            pass
def told(**report):
    say(json.dumps(report).encode())
def apply(i): return i
"""


class TestHostileChecks:
    def _check(self, workshop: Workshop, code: str) -> Any:
        return workshop.source(_SAY + code).check()

    @pytest.mark.parametrize(
        "code",
        [
            "say(b'garbage')",
            "say(b'')",
            "say(b'\\xff\\xfe')",
            "say(b'[' * 500_000)",
            "say(b'{\"contract\":' * 40_000 + b'1' + b'}' * 40_000)",
            "told(contract=[], imported={})",
            "say(b'1' * 1_000_000)",
        ],
    )
    def test_garbage_is_no_contract(self, workshop: Workshop, code: str) -> None:
        found = self._check(workshop, code + "\n")
        assert (found.error, found.contract, found.imported) == ("", _NOTHING, ())

    def test_too_much_is_a_failed_load(self, workshop: Workshop) -> None:
        found = self._check(workshop, "say(b' ' * ((1 << 20) + 1))\n")
        assert found.error == "the version's contract has 1048577 bytes, and 1048576 are allowed"
        assert found.contract == _NOTHING

    def test_too_much_fails_where_it_is_called_too(self, workshop: Workshop) -> None:
        found = workshop.source(_SAY + "say(b' ' * ((1 << 20) + 1))\n").error(1)
        assert (found["error_type"], "1048576 are allowed" in found["message"]) == ("LoadingError", True)

    def test_more_than_a_frame(self, workshop: Workshop) -> None:
        assert self._check(workshop, "say(b' ' * (70 << 20))\n").error != ""

    def test_a_contract_of_its_own_is_its_own_to_say(self, workshop: Workshop) -> None:
        code = "told(contract={'input': {}, 'output': 5, 'form': 'adk', 'more': 1}, imported=['a.py', '/b.py'])\n"
        found = self._check(workshop, code)
        assert found.contract == {"input": {}, "output": None, "form": "adk"}
        assert found.imported == ("a.py",)

    def test_an_end_without_words(self, workshop: Workshop) -> None:
        found = self._check(workshop, "os._exit(0)\n")
        assert "exited with code 0" in found.error
        assert found.contract == _NOTHING

    @pytest.mark.parametrize("code", ["import sys; sys.exit(0)", "raise SystemExit", "raise KeyboardInterrupt"])
    def test_an_end_by_exception(self, workshop: Workshop, code: str) -> None:
        assert self._check(workshop, f"{code}\n").error != ""

    def test_another_json(self, workshop: Workshop) -> None:
        """Whoever takes the worker's tools away has no contract, and can be run."""
        code = "import sys\nsys.modules['json'] = None\ndef apply(x: int) -> int:\n    return x\n"
        source = workshop.source(code)
        assert source.check().contract == {"input": None, "output": None, "form": "apply"}
        assert source.call(4) == 4

    @pytest.mark.parametrize("words", ["lambda *a, **k: 'garbage'", "lambda *a, **k: 5", "None"])
    def test_a_damaged_json(self, workshop: Workshop, words: str) -> None:
        found = workshop.source(f"import json\njson.dumps = {words}\ndef apply(i):\n    return i\n").check()
        assert found.contract == _NOTHING

    def test_annotations_that_act(self, workshop: Workshop) -> None:
        code = "def apply(x: 'print(\"asked\", flush=True)') -> 'exit(3)':\n    return x\n"
        found = workshop.source(code).check()
        assert found.contract["input"] is None

    def test_a_contract_that_is_too_large(self, workshop: Workshop) -> None:
        code = (
            "from typing import Literal\nfrom troth import algorithm\nwords = tuple('x' * 1000 + str(n) for n in range(2000))\n"
            "@algorithm\ndef f(x: Literal[words]) -> int:\n    return 1\n"
        )
        source = workshop.source(code)
        assert "are allowed" in source.check().error

    def test_many_imports_do_not_hurt_an_honest_contract(self, workshop: Workshop) -> None:
        code = (
            "import sys, types\nfolder = sys.path[-1]\n"
            "for number in range(30_000):\n"
            "    module = sys.modules[f'm{number}'] = types.ModuleType('m')\n"
            "    module.__file__ = f'{folder}/{\"x\" * 60}{number:05}.py'\n"
            "def apply(x: int) -> int:\n    return x\n"
        )
        found = workshop.source(code, libraries={"lib.py": ""}).check()
        assert found.error == ""
        assert found.contract["input"]["type"] == "integer"
        assert 5_000 <= len(found.imported) <= 20_000


_PATHS = ["a.py", "a/b.py", "ä/b.py"]
_NO_PATHS: list[Any] = [
    "/a.py", "../a.py", "a/../b.py", "a//b.py", "./a.py", "a/./b.py", "a.so", "a.py/", ".py/..", "", None, 5, ["a.py"],
    "a\0.py", "a\ud800.py", "x" * 1022 + ".py",
]  # fmt: skip


def test_paths_of_a_report() -> None:
    body = json.dumps({"imported": [*_NO_PATHS, *reversed(_PATHS), *_PATHS]}).encode()
    assert report_of(body).imported == tuple(sorted(_PATHS))
    many = json.dumps({"imported": [f"{number:05}.py" for number in range(30_000)]}).encode()
    assert len(report_of(many).imported) == 20_000


@pytest.mark.parametrize(
    "schema",
    [
        "[]", "null", "true", '"text"', '{"a": NaN}', '{"a": 1e999}', '{"a": "\\u0000"}', '{"\\ud800": 1}',
        '{"a": ["\\udfff"]}', '{"a":' * 65 + "1" + "}" * 65, '{"a": ' + "[" * 64 + "]" * 64 + "}",
    ],
)  # fmt: skip
def test_schemas_that_cannot_be_kept(schema: str) -> None:
    body = f'{{"contract": {{"input": {schema}, "output": {schema}, "form": "apply"}}}}'.encode()
    contract = report_of(body).contract
    assert contract["input"] is None
    assert contract["output"] is None


def test_schemas_that_can_be_kept() -> None:
    deep = '{"a":' * 62 + '{"b": [1.5, "ä", null]}' + "}" * 62
    contract = report_of(f'{{"contract": {{"input": {deep}, "form": "algorithm"}}}}'.encode()).contract
    assert contract == {"input": json.loads(deep), "output": None, "form": "algorithm"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["contract", "imported", "form", "input"]), inner),
)


@given(st.binary() | _JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_report(body: bytes) -> None:
    found = report_of(body)
    assert set(found.contract) == {"input", "output", "form"}
    assert json.loads(json.dumps(found.contract, allow_nan=False)) == found.contract
    assert report_of(b"") == ABSENT


# --- what workers import


def _worker_files() -> Iterator[Path]:
    yield _RUNTIME / "worker.py"
    yield from (_RUNTIME / "inside").rglob("*.py")
    yield from Path(authoring.__file__).parent.glob("*.py")


@pytest.mark.parametrize("file", list(_worker_files()), ids=lambda file: "/".join(file.parts[-2:]))
def test_workers_need_the_standard_library_only(file: Path) -> None:
    own = {"troth.authoring", "adk"}
    for node in ast.walk(ast.parse(file.read_text())):
        found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        for module in found:
            ours = any(module == name or module.startswith(f"{name}.") for name in own)
            assert ours or module.split(".")[0] in sys.stdlib_module_names, module


def test_authoring_imports_nothing_of_a_server() -> None:
    code = (
        "import sys, troth\n"
        "loaded = {name for name in sys.modules if name.startswith('troth.') and not name.startswith('troth.authoring')}\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_kit_is_installed_nowhere(tmp_path: Path) -> None:
    """Only workers have it; where troth is installed, an author's own packages have these names."""
    code = "import importlib.util as u\nassert u.find_spec('adk') is None and u.find_spec('Algorithmia') is None\n"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)

"""What a source may ask for, in each of the files that say it, and what is refused with a reason."""

from __future__ import annotations

import platform
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.builds.dependencies import DEPENDENCY_FILES, Dependencies, read_dependencies
from troth.errors import BuildFailed

A, B = "a" * 64, "b" * 64
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def requirements(text: str) -> Dependencies:
    return read_dependencies({"requirements.txt": text.encode()}, ())


def pyproject(text: str) -> Dependencies:
    return read_dependencies({"pyproject.toml": text.encode()}, ())


def refusal(name: str, text: str | bytes) -> BuildFailed:
    with pytest.raises(BuildFailed) as caught:
        read_dependencies({name: text if isinstance(text, bytes) else text.encode()}, ())
    error = caught.value
    assert error.what.startswith(name)
    assert error.why
    assert error.repair
    assert "\n" not in error.what
    return error


def test_nothing_is_needed_where_nothing_is_said() -> None:
    assert read_dependencies({}, ()) == Dependencies((), {}, "troth.toml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("six", ("six",)),
        ("\ufeffsix\r\nidna\r\n", ("idna", "six")),
        ("# a comment\n\n   \nsix  # another\n", ("six",)),
        ("Typing_Extensions >= 4,<5\n", ("typing-extensions<5,>=4",)),
        ("uvicorn[Standard , x_y]==0.3", ("uvicorn[standard,x-y]==0.3",)),
        ("six==1.17.0 \\\n    # no comment goes on\nidna", ("idna", "six==1.17.0")),
        ("six \\\n == \\\n 1.17.0", ("six==1.17.0",)),
        ("six\nSIX\n", ("six",)),
        ("six; python_version >= '3'\nidna ; sys_platform == 'win32'", ("six",)),
        ("six ; extra == 'x'", ()),
        ("--require-hashes\n--only-binary :all:\n--prefer-binary\nsix", ("six",)),
        ("six===1.17.0", ("six===1.17.0",)),
        ("six~=1.0,!=1.5", ("six!=1.5,~=1.0",)),
        ("six \\", ("six",)),
    ],
)
def test_requirements_files_are_read_as_pip_reads_them(text: str, expected: tuple[str, ...]) -> None:
    assert requirements(text).requirements == expected


def test_hashes_of_lines_that_hold_here_are_collected_by_name() -> None:
    found = requirements(
        f"Six==1.17.0 --hash=sha256:{A.upper()} \\\n  --hash=sha256:{B}\n"
        f"idna==1 ; sys_platform == 'win32' --hash=sha256:{A}\n"
        f"idna==2 ; sys_platform != 'win32' --hash=sha256:{B}\n"
        "click\n"
    )
    assert found.requirements == ("click", "idna==2", "six==1.17.0")
    assert found.hashes == {"six": {A, B}, "idna": {B}}
    assert found.origin == "requirements.txt"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("-r other.txt", "another file"),
        ("--requirement=other.txt", "another file"),
        ("-c constraints.txt", "another file"),
        ("-rother.txt", "another file"),
        ("-e .", "code to install"),
        ("--editable git+https://example.invalid/x", "code to install"),
        ("-i https://example.invalid/simple", "place to take packages from"),
        ("--index-url=https://example.invalid/simple", "place to take packages from"),
        ("--extra-index-url https://example.invalid", "place to take packages from"),
        ("-f /etc", "place to take packages from"),
        ("--no-binary :all:", "is not read"),
        ("--pre", "is not read"),
        ("six --global-option=x", "is not read"),
        ("six --hash=md5:0123", "not a hash that is compared"),
        ("six --hash=sha256:0123", "not a hash that is compared"),
        (f"six --hash=sha512:{A}{A}", "not a hash that is compared"),
        ("https://example.invalid/six.whl", "an address"),
        ("git+ssh://example.invalid/six", "an address"),
        ("six @ https://example.invalid/six.whl", "an address"),
        ("six @ file:///etc/passwd", "an address"),
        ("file:///etc/passwd", "an address"),
        ("./six.whl", "an address"),
        ("/etc/passwd", "an address"),
        ("~/six", "an address"),
        ("..", "an address"),
        ("C:\\six.whl", "an address"),
        ("six idna", "not a requirement"),
        ("six==", "not a requirement"),
        ("six>>1", "not a requirement"),
        ("${PACKAGE}", "not a requirement"),
        ("six; nonsense == '1'", "not a requirement"),
        ("six; python_version", "not a requirement"),
        ("six[", "not a requirement"),
        ("\x00", "not a requirement"),
        ("six\x1b[31m", "not a requirement"),
        ("sıx", "not a requirement"),
        ("six" + " " * 2000 + "x", "too long"),
        ("x" * 5000, "too long"),
    ],
)
def test_other_lines_are_refused_with_their_number(line: str, word: str) -> None:
    error = refusal("requirements.txt", f"idna\n{line}\n")
    assert error.what.startswith("requirements.txt line 2: ")
    assert word in error.what
    assert error.what.isprintable()


@pytest.mark.parametrize("depth", [10, 100, 300, 480])
def test_markers_that_are_nested_deeply_are_read_or_refused(depth: int) -> None:
    try:
        found = requirements("six;" + "(" * depth + "python_version>'3'" + ")" * depth)
    except BuildFailed as error:
        assert "not a requirement" in error.what or "no answer" in error.what
    else:
        assert found.requirements == ("six",)


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"\xff\xfe\x00", "not text"), (b"#" * (3 << 20), "bytes"), (b"six\n" * 2000, "too many")],
)
def test_files_that_are_no_requirements_are_refused(content: bytes, word: str) -> None:
    assert word in refusal("requirements.txt", content).what


def test_the_first_file_that_is_there_counts_and_declared_ones_are_added() -> None:
    files = {"requirements.txt": b"six\n", "pyproject.toml": b"[project]\ndependencies = ['idna']\n"}
    assert DEPENDENCY_FILES == ("uv.lock", "requirements.txt", "pyproject.toml")
    assert read_dependencies(files, ("Click>8",)).requirements == ("click>8", "six")
    del files["requirements.txt"]
    assert read_dependencies(files, ()).requirements == ("idna",)
    assert read_dependencies({}, ("six", "idna; sys_platform == 'win32'")).requirements == ("six",)


@pytest.mark.parametrize("text", ["six @ https://example.invalid/x", "-r x", "./x", "six >", "x" * 2000])
def test_what_is_declared_is_held_to_the_same(text: str) -> None:
    with pytest.raises(BuildFailed, match=r"troth\.toml: "):
        read_dependencies({}, (text,))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("[tool.x]\ny = 1", ()),
        ("[project]\nname = 'x'\ndependencies = ['six>=1', 'idna; python_version < \"3\"']", ("six>=1",)),
        (f"[project]\nrequires-python = '>={HERE}'\ndependencies = ['six']", ("six",)),
        ("[project]\ndependencies = ['six']\n[project.optional-dependencies]\nx = ['idna']", ("six",)),
        ("[project]\ndependencies = ['six']\n[tool.uv.sources]\nidna = {path = 'x'}", ("six",)),
        ("[project]\ndependencies = ['six']\n[[tool.uv.index]]\nurl = 'x'\nexplicit = true", ("six",)),
    ],
)
def test_projects_say_what_they_need(text: str, expected: tuple[str, ...]) -> None:
    assert pyproject(text).requirements == expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[project", "cannot be read"),
        ("project = 1", "not a table"),
        ("[project]\ndependencies = 'six'", "not a list"),
        ("[project]\ndependencies = [1]", "not a list"),
        ("[project]\ndynamic = ['dependencies']", "dynamic"),
        ("[project]\nrequires-python = '<3.9'", f"leaves out Python {platform.python_version()}"),
        ("[project]\nrequires-python = 'nonsense'", "cannot be read"),
        ("[project]\nrequires-python = ['>3']", "cannot be read"),
        ("[project]\ndependencies = ['six @ git+https://example.invalid']", "an address"),
        ("[project]\ndependencies = ['six']\n[tool.uv.sources]\nSix = {git = 'x'}", "from elsewhere"),
        ("[project]\ndependencies = ['six']\n[tool.uv]\nindex-url = 'x'", "has index-url"),
        ("[project]\ndependencies = ['six']\n[tool.uv]\noverride-dependencies = ['x']", "has override-dependencies"),
        ("[project]\ndependencies = ['six']\n[[tool.uv.index]]\nurl = 'x'", "has index"),
        ("x = " + "[" * 5000, "cannot be read"),
        ("a." * 8000 + "a = 1", "keys are too long"),
        ("[tool]\nuv = 1", "not a table"),
        ("x = '''" + "x" * (300 << 10) + "'''", "bytes"),
    ],
)
def test_projects_that_cannot_be_built_from_are_refused(text: str, word: str) -> None:
    assert word in refusal("pyproject.toml", text).what


_WORDS = st.sampled_from(
    ["six", "==", "1.0", ";", "python_version", "'3'", "(", ")", "[", "]", ",", "\\\n", "\n", "#", "-r", "--hash=sha256:",
     A, "@", "://", "<", "and", "extra", "*", "!", "~=", "\x00", "é", "project", "dependencies", "=", '"', "{", "}", "."]
)  # fmt: skip


@given(st.sampled_from(DEPENDENCY_FILES), st.lists(_WORDS, max_size=30).map(" ".join) | st.text(max_size=80))
def test_whatever_stands_in_a_file_it_is_read_or_refused(name: str, text: str) -> None:
    try:
        found = read_dependencies({name: text.encode(errors="surrogatepass")}, ())
    except BuildFailed as error:
        assert error.why
        assert error.repair
    else:
        assert all("://" not in requirement and "\n" not in requirement for requirement in found.requirements)


@given(st.binary(max_size=60), st.sampled_from(DEPENDENCY_FILES))
def test_bytes_are_read_or_refused(content: bytes, name: str) -> None:
    try:
        read_dependencies({name: content}, ())
    except BuildFailed as error:
        assert error.what.startswith(name)

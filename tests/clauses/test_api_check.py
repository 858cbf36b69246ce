"""troth api check: a branch beside what was released, with the state of each version."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import RunningServer
from troth.contracts.product import parse_product
from troth.doors.cli.main import execute

ROOT = Path(__file__).parents[2]
TEXT = {"type": "string"}


def document(
    operators: list[str] | None = None,
    media: tuple[str, ...] = ("application/json",),
    parameters: dict[str, bool] | None = None,
    paths: tuple[str, ...] = (),
    **fields: Any,
) -> str:
    """An OpenAPI document of a query and a submission; `parameters` of that are required or not."""
    answer = {"type": "object", "properties": fields, "required": sorted(fields)}
    get: dict[str, Any] = {
        "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": answer}}}}
    }
    if operators is not None:
        get["x-operators"] = operators
    body = {"content": {name: {"schema": {"type": "object"}} for name in media}}
    done: dict[str, Any] = {"responses": {"200": {"description": "ok"}}}
    listed = [
        {"name": name, "in": "query", "required": must, "schema": TEXT} for name, must in (parameters or {}).items()
    ]
    items = {"/nodes": {"get": get}, "/cmd": {"post": {"requestBody": body, "parameters": listed, **done}}}
    items |= {path: {"get": done} for path in paths}
    return json.dumps({"openapi": "3.1.0", "info": {"title": "nodes", "version": "1"}, "paths": items})


@dataclass
class Branch:
    """A repository with a release 7.3.0, in which v3 is deprecated and v4 is current, and the working tree behind it."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def write(self, states: dict[str, str], **documents: str) -> None:
        """Declares these versions; each has its document, if one is given or was there."""
        lines = []
        for name, more in states.items():
            state, *rest = more.split("; ")
            lines += [f"[nodes.{name}]", f'state = "{state}"', f'document = "{name}.json"', *rest]
        (self.folder / "apis.toml").write_text("\n".join(lines) + "\n")
        for name, text in documents.items():
            (self.folder / f"{name}.json").write_text(text)

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", "-C", str(self.folder), *arguments], check=True, capture_output=True)

    def checked(self, *tokens: str) -> tuple[int, dict[str, Any]]:
        """Exit code and the answer about the API."""
        self.capture.readouterr()
        code = execute(["api", "check", "--project", str(self.folder), "--json", *tokens])
        found = json.loads(self.capture.readouterr().out)
        return code, found["apis"][0] if "apis" in found else found


V3 = 'deprecated; since = "7.1.0"'
BOTH = {"v3": V3, "v4": "current"}


@pytest.fixture
def branch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Branch:
    found = Branch(tmp_path / "repository", capsys)
    found.folder.mkdir()
    found.write(BOTH, v3=document(name=TEXT), v4=document(["="], name=TEXT, mail=TEXT))
    found.git("init", "--quiet")
    found.git("config", "user.name", "ada")
    found.git("config", "user.email", "ada@example.org")
    found.git("add", ".")
    found.git("commit", "--quiet", "-m", "released")
    found.git("tag", "v7.3.0")
    return found


def test_nothing_changes_nothing(branch: Branch) -> None:
    code, found = branch.checked("--release", "7.3.1")
    assert (code, found["outcome"], found["moves"]) == (0, "allowed", [])
    assert found["states"] == {"v3": "deprecated", "v4": "current"}


@pytest.mark.clause("PDB-14")
@pytest.mark.clause("PDB-15")
@pytest.mark.clause("PDB-18")
@pytest.mark.clause("PDB-24")
@pytest.mark.clause("PDB-16")
@pytest.mark.clause("PDB-17")
@pytest.mark.clause("PDB-25")
@pytest.mark.parametrize(
    ("text", "release", "outcome", "clause"),
    [
        (document(["="], name=TEXT, mail=TEXT, age=TEXT), "7.4.0", "allowed", "PDB-14"),
        (document(["="], name=TEXT, mail=TEXT, age=TEXT), "7.3.1", "refused", "PDB-19"),
        (document(["=", "~"], name=TEXT, mail=TEXT), "7.4.0", "allowed", "PDB-16"),
        (document(["=", "~"], name=TEXT, mail=TEXT), "7.3.1", "refused", "PDB-16"),
        (document([], name=TEXT, mail=TEXT), "8.0.0", "refused", "PDB-25"),
        (document(["="], ("application/json", "application/msgpack"), name=TEXT, mail=TEXT), "7.4.0", "allowed", "PDB-17"),
        (document(["="], ("application/msgpack",), name=TEXT, mail=TEXT), "8.0.0", "refused", "PDB-17"),
        (document(["="], name=TEXT), "8.0.0", "refused", "PDB-24"),
        (document(["="], paths=("/facts",), name=TEXT, mail=TEXT), "7.4.0", "allowed", "PDB-15"),
        (document(["="], paths=("/facts",), name=TEXT, mail=TEXT), "7.3.1", "refused", "PDB-15"),
        (document(["="], parameters={"wait": False}, name=TEXT, mail=TEXT), "7.4.0", "allowed", "PDB-18"),
        (document(["="], parameters={"wait": True}, name=TEXT, mail=TEXT), "8.0.0", "refused", "PDB-18"),
    ],
)  # fmt: skip
def test_what_changes_of_the_current_version(
    branch: Branch, text: str, release: str, outcome: str, clause: str
) -> None:
    branch.write({"v3": V3 + '\nextended = "9.0.0"\nreason = "the bank"', "v4": "current"}, v4=text)
    code, found = branch.checked("--release", release)
    move = next(one for one in found["moves"] if one["version"] == "v4")
    assert (move["outcome"], clause in move["clauses"], code) == (outcome, True, 0 if outcome == "allowed" else 3)


def test_without_a_release_the_lowest_that_would_do_is_told(branch: Branch) -> None:
    branch.write(BOTH, v4=document(["="], name=TEXT, mail=TEXT, age=TEXT))
    code, found = branch.checked()
    assert (code, found["release"]) == (0, "7.4.0")


@pytest.mark.clause("PDB-21")
@pytest.mark.clause("PDB-20")
def test_a_break_passes_in_the_next_version(branch: Branch) -> None:
    narrow = document(["="], name=TEXT)
    branch.write({**BOTH, "v5": "experimental"}, v5=narrow)
    assert branch.checked("--release", "7.4.0")[0] == 0
    assert branch.checked("--release", "7.3.1")[1]["clauses"] == ["PDB-23", "PDB-19"]
    branch.write({**BOTH, "v5": "current"})
    assert "PDB-20" in branch.checked("--release", "7.4.0")[1]["clauses"]
    branch.write({"v4": "current", "v5": "experimental"})
    assert branch.checked("--release", "7.4.0")[1]["clauses"][0] == "PDB-23", "v3 is gone in the same release"


@pytest.mark.clause("PDB-31")
def test_a_graduation_deprecates_what_was_current(branch: Branch) -> None:
    branch.write({"v3": V3, "v4": "current", "v5": "experimental"}, v5=document(name=TEXT))
    branch.git("add", ".")
    branch.git("commit", "--quiet", "-m", "v5")
    branch.git("tag", "v7.4.0")
    branch.write({"v3": V3, "v4": "deprecated", "v5": "current"})
    code, found = branch.checked("--release", "7.5.0")
    assert (code, [one["move"] for one in found["moves"]]) == (0, ["graduate"])
    branch.write({"v3": V3, "v4": "current", "v5": "current"})
    assert branch.checked("--release", "7.5.0")[1]["clauses"][0] == "PDB-31"
    branch.write({"v3": V3, "v4": "retired", "v5": "current"})
    assert branch.checked("--release", "7.5.0")[1]["clauses"][0] == "PDB-31"
    assert branch.checked("--release", "7.5.0", "--against", "v7.3.0")[0] == 3


@pytest.mark.clause("PDB-35")
@pytest.mark.clause("PDB-37")
@pytest.mark.clause("PDB-30")
@pytest.mark.clause("PDB-33")
def test_what_is_deprecated_is_frozen_and_then_gone(branch: Branch) -> None:
    branch.write(BOTH, v3=document(name=TEXT, age=TEXT))
    assert branch.checked("--release", "7.4.0")[1]["clauses"] == ["PDB-30", "PDB-32"]
    branch.write({"v3": V3 + '\nsecurity = "CVE-2026-1"', "v4": "current"})
    assert branch.checked("--release", "7.3.1")[0] == 0
    branch.write({"v3": "retired", "v4": "current"})
    assert branch.checked("--release", "7.4.0")[1]["clauses"] == ["PDB-37"]
    assert branch.checked("--release", "8.0.0")[0] == 0
    branch.write(BOTH, v3=document(name=TEXT))
    assert branch.checked("--release", "8.0.0")[1]["clauses"] == ["PDB-35"]
    assert branch.checked("--release", "8.1.0")[1]["clauses"] == ["PDB-35"]
    assert branch.checked("--release", "7.4.0")[0] == 0


@pytest.mark.clause("PDB-41")
def test_an_endpoint_with_a_version_of_its_own_is_refused(branch: Branch) -> None:
    value = json.loads(document(["="], name=TEXT, mail=TEXT))
    value["paths"]["/v2/facts"] = {"get": {"responses": {"200": {"description": "ok"}}}}
    branch.write(BOTH, v4=json.dumps(value))
    assert "PDB-41" in branch.checked("--release", "7.4.0")[1]["clauses"]


def test_it_is_told_in_four_forms(branch: Branch) -> None:
    branch.write(BOTH, v4=document(["="], name=TEXT))
    tokens = ["api", "check", "--project", str(branch.folder), "--release", "8.0.0", "--format"]
    told = {}
    for form in ("text", "markdown", "github"):
        branch.capture.readouterr()
        assert execute([*tokens, form]) == 3
        told[form] = branch.capture.readouterr().out
    assert "change v4 in 8.0.0 is refused" in told["text"]
    assert "### nodes in 8.0.0 is refused" in told["markdown"]
    assert "| v4 | current | change | refused | PDB-21, PDB-24 |" in told["markdown"]
    first = told["github"].splitlines()[0]
    assert first.startswith("::error file=")
    assert "v4.json" in first
    assert "PDB-21" in first


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 0),
        ({"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]}, 3),
    ],
)
def test_alternatives_that_are_single_values_are_written_alike(
    tmp_path: Path, schema: dict[str, Any], code: int
) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    value = json.loads(document(parameters={"wait": False}))
    parameter = value["paths"]["/cmd"]["post"]["parameters"][0]
    for file, described in ((old, {"type": "integer"}), (new, schema)):
        parameter["schema"] = described
        file.write_text(json.dumps(value))
    assert execute(["api", "check", str(old), str(new), "--release", "1.1.0"]) == code


def test_two_documents_are_judged_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(document(name=TEXT, mail=TEXT))
    new.write_text(document(name=TEXT))
    pair = ["api", "check", str(old), str(new)]
    assert execute([*pair, "--release", "2.0.0"]) == 3
    assert execute([*pair, "--release", "1.1.0", "--state", "experimental"]) == 0
    assert execute([*pair, "--release", "1.0.1", "--state", "deprecated", "--security-fix", "CVE-2026-1"]) == 0
    assert "query operators are not regulated" in capsys.readouterr().out
    assert execute([*pair, "--state", "nothing"]) == 2
    new.write_text("{")
    assert execute(pair) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[nodes.4]\nstate = 'current'\n", "write v4"),
        ("[nodes.v04]\nstate = 'current'\n", "write v4"),
        ("[nodes.v4]\nstate = 'new'\n", "state is missing, or none"),
        ("[nodes.v4]\nstate = 'current'\ncolour = 'red'\n", "has no key 'colour'"),
        ("[nodes.v4]\nstate = 'current'\ndocument = '../v4.json'\n", "leads out"),
        ("[nodes.v4]\nstate = 'current'\nsince = '7.1'\n", "since"),
        ("[nodes\n", "it cannot be read"),
    ],
)
def test_what_is_wrong_with_a_declaration_is_told(branch: Branch, text: str, told: str) -> None:
    (branch.folder / "apis.toml").write_text(text)
    code, problem = branch.checked()
    assert code in (2, 3)
    assert told in problem["detail"] + problem["repair"]


def test_a_product_says_which_tags_are_its_releases(branch: Branch) -> None:
    branch.git("tag", "v9.0.0")
    branch.write(BOTH, v4=document(["="], name=TEXT, mail=TEXT, age=TEXT))
    branch.git("commit", "--quiet", "--all", "-m", "more")
    branch.git("tag", "nodes-7.4.0")
    assert branch.checked()[1]["release"] == "9.1.0"
    (branch.folder / "troth.toml").write_text(
        '[product]\nowner = "ada"\nname = "nodes"\ntags = "nodes-{version}"\n\n[components.core]\npaths = ["."]\n'
    )
    code, found = branch.checked()
    assert (code, found["release"], found["moves"]) == (0, "7.4.1", [])
    assert branch.checked("--against", "v7.3.0")[1]["release"] == "7.5.0"
    branch.git("tag", "nodes-seven")
    branch.git("tag", "nodes-7.5")
    assert branch.checked()[1]["clauses"] == ["PDB-06"]


PRODUCT = parse_product((ROOT / "troth.toml").read_bytes())
RECORDED = sorted((ROOT / PRODUCT.recorded).glob("*/contracts/*.openapi.json"))
PATHS = {"algorithmia.openapi.json": "/v1/openapi.json", "native.openapi.json": "/api/v1/openapi.json"}


@pytest.mark.parametrize("released", RECORDED, ids=lambda path: f"{path.parts[-3]}-{path.name.partition('.')[0]}")
def test_the_documents_of_troth_itself_keep_what_was_released(
    server: RunningServer, released: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = {"authorization": f"Bearer {server.owner_key}"}
    reply = httpx2.get(f"{server.address}{PATHS[released.name]}", headers=headers)
    now = tmp_path / released.name
    now.write_text(reply.text)
    asked = ["api", "check", str(released), str(now), "--release", str(PRODUCT.version)]
    assert execute(asked) == 0, capsys.readouterr().out


def test_a_release_of_troth_is_recorded_with_its_documents() -> None:
    assert RECORDED
    assert PRODUCT.version is not None

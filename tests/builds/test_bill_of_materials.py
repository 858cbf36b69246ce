"""Bills of materials, held to the schema of CycloneDX by its own library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.schema._res import BOM_JSON_STRICT, CRYPTOGRAPHY_DEFS, JSF, SPDX_JSON
from cyclonedx.validation.json import JsonStrictValidator

from tests.builds.index import PackageIndex
from tests.builds.workshop import Workshop
from troth.builds.bill_of_materials import bill_of_materials, licences_in
from troth.builds.environment_document import EnvironmentDocument, Pin


def _formats() -> jsonschema_rs.Draft7Validator:
    """Looks at what is written as a date, an address or an IRI. The library does so only beside packages whose import takes every
    process of these tests two seconds."""
    strict = Path(BOM_JSON_STRICT[SchemaVersion.V1_6] or "")
    others = {
        f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json": json.loads(Path(file).read_text())
        for name, file in {"spdx": SPDX_JSON, "cryptography-defs": CRYPTOGRAPHY_DEFS, "jsf-0.82": JSF}.items()
    }
    registry = jsonschema_rs.Registry(list(others.items()), draft=jsonschema_rs.Draft7)
    return jsonschema_rs.Draft7Validator(json.loads(strict.read_text()), registry=registry, validate_formats=True)


FORMATS = _formats()


def check(bill: dict[str, Any]) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    FORMATS.validate(bill)


@pytest.mark.parametrize(
    ("part", "good", "bad"),
    [
        ('"metadata": {"timestamp": "%s"}', "2026-01-02T03:04:05Z", "yesterday"),
        ('"metadata": {"authors": [{"email": "%s"}]}', "ada@example.org", "nobody"),
        ('"externalReferences": [{"type": "vcs", "url": "%s"}]', "https://example.org/a", "https://example.org/a b"),
    ],
)
def test_what_is_written_in_another_form_is_noticed(part: str, good: str, bad: str) -> None:
    for value, valid in ((good, True), (bad, False)):
        bill = json.loads(f'{{"bomFormat": "CycloneDX", "specVersion": "1.6", {part % value}}}')
        assert FORMATS.is_valid(bill) == valid


def test_a_bill_names_every_distribution_with_its_licence(workshop: Workshop) -> None:
    digest, _ = workshop.built("six==1.17.0", "click==8.1.8", "idna==3.10")
    bill = workshop.environments.bill_of_materials(digest, "ada/hello", "c" * 40)
    check(bill)
    found = {part["name"]: part for part in bill["components"]}
    assert sorted(found) == ["CPython", "click", "idna", "six"]
    assert found["six"]["purl"] == "pkg:pypi/six@1.17.0"
    assert found["six"]["licenses"] == [{"license": {"name": "MIT License"}}]
    assert found["idna"]["licenses"] == [{"license": {"name": "BSD License"}}]
    [pin] = [pin for pin in workshop.environments.document(digest).requirements if pin.name == "six"]
    assert found["six"]["hashes"] == [{"alg": "SHA-256", "content": pin.hashes[0]}]
    assert bill["metadata"]["component"]["name"] == "ada/hello"
    assert "timestamp" not in bill["metadata"]


def test_equal_builds_have_equal_bills(own: Workshop, index: PackageIndex) -> None:
    index.add("one", "1.0", {"one.py": b""})
    digest, _ = own.built("one")
    ask = own.environments.bill_of_materials
    assert ask(digest, "ada/hello", "c") == ask(digest, "ada/hello", "c")
    assert ask(digest, "ada/hello", "c")["serialNumber"] != ask(digest, "ada/hello", "d")["serialNumber"]
    dated = ask(digest, "ada/hello", timestamp="2026-01-02T03:04:05Z")
    check(dated)
    assert dated["metadata"]["timestamp"] == "2026-01-02T03:04:05Z"


def test_the_bare_interpreter_has_a_bill(own: Workshop) -> None:
    bill = own.environments.bill_of_materials(own.lock().digest, "ada/hello")
    check(bill)
    assert [part["name"] for part in bill["components"]] == ["CPython"]


def test_an_environment_that_is_not_here_has_a_bill_without_licences(own: Workshop, index: PackageIndex) -> None:
    index.add("one", "1.0", {"one.py": b""}, "License: MIT\n")
    bill = own.environments.bill_of_materials(own.lock("one").digest, "ada/hello")
    check(bill)
    assert "licenses" not in bill["components"][1]


@pytest.mark.parametrize(
    ("metadata", "licences"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: other\n", [{"expression": "MIT OR Apache-2.0"}]),
        ("License-Expression: <script>\nLicense: BSD\n", [{"license": {"name": "BSD"}}]),
        ("License: BSD\nClassifier: License :: OSI Approved :: MIT License\n", [{"license": {"name": "MIT License"}}]),
        ("License: a\x1b[31m\x00b\u202ec\n", [{"license": {"name": "a[31mbc"}}]),
        ("License: " + "x" * 5000 + "\n", [{"license": {"name": "x" * 200}}]),
        ("License: first\n  second\nLicense: third\n", [{"license": {"name": "first"}}]),
        ("License:\n", None),
        ("\nLicense: in the text\n", None),
        ("License\n: x\n :\n", None),
    ],
)
def test_licences_are_what_the_metadata_says_and_no_more(
    tmp_path: Path, metadata: str, licences: list[dict[str, Any]] | None
) -> None:
    about = tmp_path / "One_more-1.0.dist-info"
    about.mkdir()
    about.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: One.more\n{metadata}", newline="\r\n")
    found = licences_in(tmp_path)
    document = EnvironmentDocument.here([Pin("one-more", "1.0", ("a" * 64,))])
    bill = bill_of_materials(document, "ada/hello", found)
    check(bill)
    assert bill["components"][1].get("licenses") == licences


def test_odd_versions_have_legal_addresses(own: Workshop, index: PackageIndex) -> None:
    index.add("one", "1!2.0+local.1", {"one.py": b""})
    digest, _ = own.built("one")
    bill = own.environments.bill_of_materials(digest, "ada/hello")
    check(bill)
    assert bill["components"][1]["purl"] == "pkg:pypi/one@1%212.0%2Blocal.1"

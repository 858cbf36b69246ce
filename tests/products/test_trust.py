"""What a server finds out about a release by itself, whatever it is told, and what it says that it only has by hearsay."""

from __future__ import annotations

import json
import subprocess
import sys

import msgspec
import pytest

from tests.products.conftest import RECORD, SETTINGS, Shop
from tests.releases.product import CONTRACT, OPENAPI, with_parameter
from tests.server import running_server
from troth.commands.checking import Checking
from troth.commands.staged_files import StagedFiles
from troth.contracts import release_document as documents
from troth.contracts.junit import counted
from troth.contracts.product import parse_product
from troth.contracts.release_document import ReleaseDocument, ToldInfrastructure, ToldRecord, ToldUnkept, contract_files
from troth.errors import Malformed, NotFound, Refused
from troth.versions.releases.evidence import Kind

CONTRACTS = f"""
[[contracts]]
kind = "wire"
path = "src/order.schema.json"

[[contracts]]
kind = "python"
path = "src/shop"

[[contracts]]
kind = "help"
path = "src/help.txt"

{CONTRACT}
"""
FILES = {
    "src/order.schema.json": json.dumps({"type": "object", "properties": {"id": {"type": "integer"}}}),
    "src/shop/__init__.py": "def order(customer): ...\n",
    "src/help.txt": "Usage: shop\n\n  --port  where it listens\n",
    "openapi.json": json.dumps(OPENAPI),
}
BREAKS = {
    "settings.json": json.dumps({**SETTINGS, "properties": {}}),
    "src/order.schema.json": json.dumps({"type": "object", "properties": {"id": {"type": "string"}}}),
    "src/shop/__init__.py": "def order(customer, day): ...\n",
    "src/help.txt": "Usage: shop\n",
    "openapi.json": with_parameter("shop", required=True),
}


@pytest.fixture
def contracts(shop: Shop) -> Shop:
    """The product with a contract of every kind, released as 0.1.0."""
    shop.commit("0.1.0", {"troth.toml": shop.head("0.1.0") + CONTRACTS, **FILES})
    code, found = shop.cut()
    assert code == 0, found
    return shop


def silent(document: ReleaseDocument, version: str = "0.1.1") -> ReleaseDocument:
    """What somebody sends who leaves out every fact but a note."""
    told = tuple(one for one in document.facts if one.kind is Kind.NOTED_FIX)
    return msgspec.structs.replace(document, facts=told)


@pytest.mark.clause("PLX-07")
def test_a_break_that_the_client_does_not_tell_of_is_seen(contracts: Shop) -> None:
    for path, content in BREAKS.items():
        declared = contracts.head("0.1.1") + CONTRACTS
        contracts.repository.commit({"troth.toml": declared, "changes/1.fix.md": "mended\n", path: content})
        with pytest.raises(Refused) as caught:
            contracts.cut_as(silent(contracts.claimed("0.1.1")), "0.1.1")
        assert ("PLX-07" in caught.value.clauses, caught.value.least) == (True, "0.2.0"), path
        assert path.removesuffix("/__init__.py") in json.dumps(caught.value.found)
        contracts.repository.commit({path: {**FILES, "settings.json": json.dumps(SETTINGS)}[path]})
    assert contracts.cut_as(silent(contracts.claimed("0.1.1")), "0.1.1")["number"] == "0.1.1"


@pytest.mark.clause("PLX-07")
def test_a_contract_that_is_gone_is_seen(contracts: Shop) -> None:
    contracts.commit("0.1.1", {**dict.fromkeys(FILES), "changes/1.fix.md": "mended\n"})
    with pytest.raises(Refused) as caught:
        contracts.cut_as(silent(contracts.claimed("0.1.1")), "0.1.1")
    removed = [one for one in caught.value.found["facts"] if one["kind"] == "contract-removed"]
    assert {one["where"] for one in removed} == {"src/order.schema.json", "src/shop", "src/help.txt", "openapi.json"}


@pytest.mark.clause("PLX-07")
def test_a_break_of_the_core_is_not_one_of_a_beta_component(contracts: Shop) -> None:
    """What a component promised is the server's to say too."""
    declared = contracts.head("0.1.1") + CONTRACTS
    files = {"troth.toml": declared, "changes/1.fix.md": "mended\n", "settings.json": BREAKS["settings.json"]}
    contracts.repository.commit(files)
    document = contracts.claimed("0.1.1")
    told = tuple(msgspec.structs.replace(one, maturity="alpha") for one in document.facts)
    with pytest.raises(Refused) as caught:
        contracts.cut_as(msgspec.structs.replace(document, facts=told), "0.1.1")
    assert {one["maturity"] for one in caught.value.found["facts"] if "maturity" in one} == {"stable"}


def test_contracts_that_are_not_there_are_no_release(contracts: Shop) -> None:
    contracts.commit("0.1.1", {"troth.toml": contracts.head("0.1.1") + CONTRACTS, "changes/1.fix.md": "mended\n"})
    document = contracts.claimed("0.1.1")
    with pytest.raises(NotFound, match="the files of its contracts was not uploaded whole"):
        contracts.cut_as(msgspec.structs.replace(document, contracts="0" * 64), "0.1.1")
    claimed = msgspec.structs.replace(document, contracts=contracts.uploaded(b"[1]"))
    with pytest.raises(Malformed, match="no files of contracts"):
        contracts.cut_as(claimed, "0.1.1")
    for digest in (contracts.uploaded(contract_files({})), ""):
        with pytest.raises(Refused) as caught:
            contracts.cut_as(msgspec.structs.replace(document, contracts=digest), "0.1.1")
        assert {one["kind"] for one in caught.value.found["facts"]} >= {"contract-removed"}


def test_the_record_says_what_was_seen_and_what_was_believed(contracts: Shop) -> None:
    first = contracts.client.release(contracts.subject, "0.1.0")
    assert "which files changed, and the notes of these changes" in first["believed"]
    assert [one for one in first["checked"] if "contract" in one] == []
    declared = contracts.head("0.1.1") + CONTRACTS
    contracts.repository.commit({"troth.toml": declared, "changes/1.fix.md": "mended\n"})
    document = contracts.claimed("0.1.1")
    unkept = (ToldUnkept("src/shop", "it is too large"),)
    contracts.cut_as(msgspec.structs.replace(document, unkept=unkept), "0.1.1")
    found = contracts.client.release(contracts.subject, "0.1.1")
    assert "what became of the contract src/shop: it is too large" in found["believed"]
    (compared,) = [one for one in found["checked"] if "compared" in one]
    assert compared == (
        "4 contracts compared with what was kept of 0.1.0: openapi.json, settings.json, src/help.txt, src/order.schema.json"
    )
    _, out, _ = contracts.troth("release", "show", f"{contracts.subject}/0.1.1")
    assert "believed: what became of the contract src/shop" in out


def test_what_is_too_large_to_be_kept_is_left_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.releases.claim.LARGEST_CONTRACT", 20)
    document = shop.claimed("0.1.0")
    assert [one.path for one in document.unkept] == ["settings.json"]
    assert document.contracts == ""


def test_a_comparison_that_comes_to_no_end_is_no_proof(contracts: Shop) -> None:
    former = contracts.claimed("0.1.0")
    contracts.repository.commit({"troth.toml": contracts.head("0.1.1") + CONTRACTS, **BREAKS})
    document = contracts.claimed("0.1.1")
    files = StagedFiles(contracts.server.server.release_files)
    found = Checking(files, 0.0).compared(document, parse_product(document.declared.encode()), former)
    assert {(fact.kind, fact.component) for fact in found.facts} == {
        (Kind.CONTRACT_UNDECIDED, "core"),
        (Kind.CONTRACT_UNDECIDED, ""),
    }
    assert len(found.facts) == len(BREAKS)


def test_a_record_that_is_not_there_is_no_record(shop: Shop) -> None:
    told = (ToldInfrastructure("one", "one", "", "", (ToldRecord("one.xml", "0" * 64),)),)
    with pytest.raises(NotFound, match=r"one\.xml was not uploaded whole"):
        shop.cut_as(msgspec.structs.replace(shop.claimed("0.1.0"), infrastructures=told), "0.1.0")


def test_contracts_and_records_stay_as_long_as_their_release(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.products.conftest import new_shop

    folder = tmp_path_factory.mktemp("other")
    with running_server(folder / "home") as server:
        other = new_shop(server, folder, capsys)
        other.commit("0.1.0", {"records/one.xml": RECORD, "troth.toml": other.head("0.1.0") + ONE})
        assert other.cut()[0] == 0
        kept = set(server.server.release_files.stored())
        assert len(kept) == 4
        blobs = server.server.release_files
        waiting = other.uploaded(b"nothing")
        needed = {one for one in kept if blobs.find(one)}
    with running_server(folder / "home") as server:
        from troth.registry.products import needed_files

        with server.server.database.read() as connection:
            assert needed_files(connection, {*kept, waiting}) == needed


ONE = '[infrastructures.one]\nprovider = "one"\nrecords = ["records/*.xml"]\n'


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (
            b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><testsuite><testcase name="&d;"/></testsuite>',
            "document type",
        ),
        (b"<a>" * 101, "nested more than 100 deep"),
        (b"<testsuite><testcase/>", "no element found"),
        (b'<?xml version="1.0" encoding="nonsense"?><testsuite/>', "encoding"),
        (b"\xff\xfe", "no record of tests"),
        (b"", "no element found"),
    ],
)
def test_a_record_that_is_none(record: bytes, words: str) -> None:
    found = counted([record])
    assert words in found.fault
    assert not found.proves


def test_a_record_may_come_in_any_pieces() -> None:
    record = b"<testsuites><testsuite><testcase/><testcase><skipped/></testcase><testcase><error/></testcase></testsuite></testsuites>"
    for size in (1, 7, 1000):
        found = counted(record[start : start + size] for start in range(0, len(record), size))
        assert (found.tests, found.skipped, found.failed, found.fault) == (3, 1, 1, "")


#: Tells by how many bytes this process grew at most, whoever asked for them. The peak of getrusage(2) would be that of the process
#: that started it, where that is larger.
ENDLESS = """
import re
from itertools import chain, repeat
from pathlib import Path
from troth.contracts.junit import counted

def memory(of):
    return int(re.search(rf"{of}:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

before = memory("VmRSS")
found = counted(chain([b"<testsuite>"], repeat(b"<testcase/>" * 10_000)))
print(memory("VmHWM") - before)
print(found.fault)
"""


def test_a_record_without_end_is_bounded() -> None:
    done = subprocess.run([sys.executable, "-c", ENDLESS], capture_output=True, text=True, check=True)
    grown, fault = done.stdout.splitlines()
    assert "more than 64 MiB" in fault
    assert int(grown) < 8 << 20


def test_more_records_than_are_counted_are_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert documents.MOST_RECORDS == 1000
    monkeypatch.setattr("troth.commands.checking.MOST_RECORDS", 1)
    digest = shop.uploaded(RECORD.encode())
    told = (ToldInfrastructure("one", "one", "", "", (ToldRecord("a.xml", digest), ToldRecord("b.xml", digest))),)
    with pytest.raises(Exception, match="too many records"):
        shop.cut_as(msgspec.structs.replace(shop.claimed("0.1.0"), infrastructures=told), "0.1.0")

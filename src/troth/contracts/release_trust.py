"""What of a release's record a server found out itself, and what it has from who cut it. Both are told with the record."""

from __future__ import annotations

from collections.abc import Iterator

from troth.contracts.release_document import ReleaseDocument
from troth.contracts.release_findings import Compared, Records


def checked(document: ReleaseDocument, compared: Compared, records: Records, *, documented: bool) -> list[str]:
    """What the server saw for itself."""
    return list(_checked(document, compared, records, documented))


def believed(document: ReleaseDocument, compared: Compared, records: Records) -> list[str]:
    """What only who cut the release saw, and nobody can look up here."""
    return list(_believed(document, compared, records))


def _checked(document: ReleaseDocument, compared: Compared, records: Records, documented: bool) -> Iterator[str]:
    if compared.paths and records.former:
        count = _counted(len(compared.paths), "contract")
        yield f"{count} compared with what was kept of {records.former.number}: {', '.join(sorted(compared.paths))}"
    if records.former:
        declared = "declarations" if compared.then is not None else "maturities, profiles"
        yield f"{declared} and migrations beside those of {records.former.number}"
    listed = [record for one in document.infrastructures for record in one.records]
    if listed:
        tests = sum(record.tests for record in listed)
        yield f"{_counted(tests, 'test')} counted in {_counted(len(listed), 'record')}"
    if documented:
        yield "the documentation, and every link in it"


def _believed(document: ReleaseDocument, compared: Compared, records: Records) -> Iterator[str]:
    yield f"that what was sent is what commit {document.commit[:12]} holds"
    yield "which files changed, and the notes of these changes"
    for one in compared.believed:
        yield f"what became of the contract {one.path}: {one.why}"
    if document.base and records.former is None:
        yield f"the releases up to {document.base}, which are not on this server"
    if document.paths:
        yield f"{_counted(len(document.paths), 'run')} of migrations, and the times of them"
    if any(one.records for one in document.infrastructures):
        yield "that the tests were run where the records say"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"

"""The store below the data API: the same bytes again, what nobody needs, what a crash leaves."""

from __future__ import annotations

import os
from pathlib import Path

from troth.artifacts.blobs import Blob, BlobStore, Upload


def uploaded(blobs: BlobStore, content: bytes) -> tuple[Upload, Blob]:
    upload = blobs.begin()
    upload.write([content])
    return upload, blobs.keep(upload)


def scratch(folder: Path) -> list[Path]:
    return list((folder / "uploads").iterdir())


def test_the_same_bytes_again_take_the_place_of_those_there(tmp_path: Path) -> None:
    """What a failing disk made of a file is mended by whoever sends it again."""
    blobs = BlobStore(tmp_path)
    first, blob = uploaded(blobs, b"content")
    blobs.settle(first)
    kept = tmp_path / "blobs" / blob.digest[:2] / blob.digest
    kept.write_bytes(b"Content")
    reader = blobs.open(blob.digest)
    second, again = uploaded(blobs, b"content")
    assert (again, kept.read_bytes()) == (blob, b"content")
    assert len(scratch(tmp_path)) == 1  # what was there before: its removal is nothing that an answer waits for
    assert os.pread(reader, 100, 0) == b"Content"
    os.close(reader)
    blobs.settle(second)
    assert scratch(tmp_path) == []
    assert kept.read_bytes() == b"content"


def test_a_blob_that_was_replaced_is_gone_after_a_crash(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    for _ in range(2):
        _, blob = uploaded(blobs, b"content")
    assert scratch(tmp_path)
    restarted = BlobStore(tmp_path)
    restarted.recover()
    assert scratch(tmp_path) == []
    assert restarted.find(blob.digest) == blob


def test_what_nobody_needs_is_removed_once(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    doomed, blob = uploaded(blobs, b"doomed")
    assert blobs.collect([blob.digest], lambda digests: set()) == 0  # the registry is still to be asked
    blobs.settle(doomed)
    assert blobs.collect([blob.digest], lambda digests: set(digests)) == 0
    assert blobs.find(blob.digest) == blob
    assert blobs.collect([blob.digest, blob.digest], lambda digests: set()) == 1
    assert (blobs.find(blob.digest), scratch(tmp_path)) == (None, [])
    assert blobs.collect([blob.digest], lambda digests: set()) == 0

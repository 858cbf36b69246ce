"""Archives that say one thing and are another."""

from __future__ import annotations

import io
import tarfile

import httpx2
import pytest

from tests.server import RunningServer


def _sparse(size: int) -> bytes:
    """A tar of a few kilobytes with a member that claims to hold `size` bytes of nothing."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("large")
        member.pax_headers = {
            "GNU.sparse.major": "1",
            "GNU.sparse.minor": "0",
            "GNU.sparse.name": "large",
            "GNU.sparse.realsize": str(size),
        }
        content = b"0\n".ljust(512, b"\0")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize("size", [400_000_000, -400_000_000])
def test_members_that_are_larger_than_the_archive(server: RunningServer, size: int) -> None:
    reply = httpx2.put(
        f"{server.address}/api/v1/sources/{'0' * 64}",
        content=_sparse(size),
        headers={"Authorization": server.owner_key},
    )
    assert reply.status_code == 400
    assert reply.json()["code"] == "malformed-source"
    assert "not a regular file" in reply.json()["detail"]

"""What arrives in pieces is read as if it came whole."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from troth.runtime.link import FrameLink, OutputLink
from troth.runtime.worker import HEAD, MARK

frames = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary(max_size=50)), max_size=6)
cuts = st.lists(st.integers(1, 30), min_size=1)


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    """`data` cut into pieces of these sizes, over and over."""
    found, position, turn = [], 0, 0
    while position < len(data):
        found.append(data[position : position + sizes[turn % len(sizes)]])
        position += sizes[turn % len(sizes)]
        turn += 1
    return found


@given(frames, cuts)
def test_frames_are_delivered_whole_and_in_order(sent: list[tuple[int, int, bytes]], sizes: list[int]) -> None:
    delivered: list[tuple[int, int, bytes]] = []
    link = FrameLink(
        lambda kind, call, body, seconds: delivered.append((kind, call, body)), lambda complete: None, 1000
    )
    data = b"".join(HEAD.pack(len(body), call, kind, 0, 0.5) + body for kind, call, body in sent)
    for piece in pieces(data, sizes):
        link.data_received(piece)
    assert delivered == sent


def test_a_frame_beyond_the_limit_ends_the_link() -> None:
    delivered: list[bytes] = []
    link = FrameLink(lambda kind, call, body, seconds: delivered.append(body), lambda complete: None, 1000)
    link.data_received(HEAD.pack(1001, 1, 1, 0, 0.0) + b"x" * 1001)
    assert delivered == []


@given(st.binary(max_size=60), st.binary(max_size=200), st.binary(max_size=60), cuts)
def test_a_call_s_output_is_what_lies_between_its_marks(
    before: bytes, printed: bytes, after: bytes, sizes: list[int]
) -> None:
    async def listen() -> tuple[str, bytes]:
        link = OutputLink()
        wanted = link.expect(7)
        for piece in pieces(before + MARK % (7, 0) + printed + MARK % (7, 1) + after, sizes):
            link.data_received(piece)
        return await asyncio.wait_for(wanted, 1), link.last_words().encode(errors="replace")

    text, _ = asyncio.run(listen())
    assert text == printed.decode(errors="replace")


def test_output_is_cut_at_its_limit_and_says_so() -> None:
    async def listen() -> str:
        link = OutputLink()
        wanted = link.expect(1)
        link.data_received(MARK % (1, 0))
        for _ in range(100):
            link.data_received(b"x" * 10_000)
        link.data_received(MARK % (1, 1))
        return await asyncio.wait_for(wanted, 1)

    text = asyncio.run(listen())
    assert text.startswith("x" * OutputLink.LIMIT)
    assert f"{1_000_000 - OutputLink.LIMIT} more bytes" in text
    assert len(text) < OutputLink.LIMIT + 200

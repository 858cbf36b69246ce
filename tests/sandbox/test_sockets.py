"""Sockets in folders that are too deep for the kernel's own paths."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from troth.sandbox import sockets


def test_a_socket_in_a_deep_folder_is_bound_and_reached(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 30) / ("deeper" * 30)
    folder.mkdir(parents=True)
    path = folder / "way.sock"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as caller:
        with pytest.raises(OSError, match="too long"):
            listener.bind(str(path))
        sockets.bind(listener, path)
        listener.listen()
        caller.connect(sockets.within_reach(path))
        taken, _ = listener.accept()
        with taken:
            taken.sendall(b"here")
            assert caller.recv(9) == b"here"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, pytest.raises(FileNotFoundError):
        sockets.bind(listener, tmp_path / "nowhere" / "way.sock")

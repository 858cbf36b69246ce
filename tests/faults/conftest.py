"""Fixtures of the tests that break things."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.faults.wire import Author, author_of
from tests.server import RunningServer


@pytest.fixture(scope="package", autouse=True)
def _quiet_log() -> Iterator[None]:
    """The log as `troth up` writes it: warnings, and exceptions without the colours that take a second to paint."""
    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def author(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Author]:
    """Somebody who publishes on the common server."""
    with author_of(server, tmp_path_factory.mktemp("projects")) as found:
        yield found


@pytest.fixture(scope="session")
def echo(author: Author) -> str:
    """The complete reference of an algorithm that returns its input."""
    return author.publish()


@pytest.fixture(scope="session")
def counting(author: Author) -> str:
    """The complete reference of an algorithm that returns how often its present worker was called."""
    return author.publish("calls = 0\ndef apply(input):\n    global calls\n    calls += 1\n    return calls\n")

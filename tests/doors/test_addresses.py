"""The short way to operations whose address has no parameters leads where the long one does."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from troth.doors.native.operations import by_address


async def _one(request: Request) -> Response:
    return Response("one")


async def _other(request: Request) -> Response:
    return Response("other")


def test_a_route_with_parameters_before_it_is_what_answers() -> None:
    found = by_address([Route("/a/{x}", _one), Route("/a/b", _other), Route("/c", _one), Route("/c", _other)])
    assert found == {("GET", "/c"): _one, ("HEAD", "/c"): _one}


def test_methods_are_told_apart() -> None:
    found = by_address([Route("/c", _one, methods=["POST"]), Route("/c", _other, methods=["GET"])])
    assert found["POST", "/c"] is _one
    assert found["GET", "/c"] is _other

"""Errors of everything but calls, in the shapes that every client reads (algorithmia-api, section 3.2).

The documented flat object and the one that clients look for, below `error`, are sent at once. Which status and number an
error has is a row of `_ANSWERS`.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from troth.access.data_paths import NoSuchData
from troth.builds.origins import OriginInvalid, OriginUnreachable
from troth.commands.scms import KeptElsewhere, NoSuchScm, ScmDisabled, ScmPreferred, ScmTaken, ScmUsed
from troth.errors import (
    Forbidden,
    LastAdmin,
    Malformed,
    NameTaken,
    NotFound,
    Refused,
    TooLarge,
    TrothError,
    Unauthenticated,
    Unavailable,
)
from troth.queries.management import AlreadyPublished, NoSuchAlgorithm, NoSuchBuild, NoSuchVersion, NothingCompiled
from troth.queries.people import NoSuchOrganization, NoSuchUser

#: Numbers of section 3.4 that are raised where a request is read.
INVALID_JSON, INVALID_REQUEST, UNKNOWN_PATH = 2013, 6001, 2015
UNKNOWN_LANGUAGE, UNSUPPORTED_MACHINE, UNKNOWN_PACKAGE_SET, UNKNOWN_SCM = 4001, 4004, 1003, 4009
MALFORMED_USER, USERNAME_TAKEN, FIELDS_MISSING, OTHER_USERNAME, OTHER_EMAIL = 3001, 3003, 3005, 3007, 3008
ORGANIZATION_EXISTS, MALFORMED_ORGANIZATION = 3101, 3103
BAD_MARKER, BAD_LIMIT, NO_CONFIGURATION, NOT_IMPLEMENTED = 5002, 5003, 5004, 5005
NO_OAUTH_TOKEN, NO_WEBHOOKS, INVALID_SCM, MALFORMED_SCM_UPDATE = 4008, 4012, 4020, 4021
NOT_DELETABLE_SCM, NOT_MODIFIABLE_SCM, NO_OAUTH, NO_OAUTH_END, BAD_WEBHOOK = 4040, 4045, 4050, 4051, 4070
NOT_EDITABLE, PROVIDER_NOT_AUTHORIZED, WITHOUT_FEATURE, NO_DATES = 4011, 4080, 4002, 4010

#: Kind of error, HTTP status, number of section 3.4; the first row that fits.
_ANSWERS: tuple[tuple[type[TrothError], int, int], ...] = (
    (NoSuchData, 404, UNKNOWN_PATH),
    (NoSuchAlgorithm, 404, 1000),
    (NoSuchVersion, 404, 1000),
    (NoSuchBuild, 404, 1004),
    (NoSuchUser, 404, 3000),
    (NoSuchOrganization, 404, 3100),
    (LastAdmin, 400, 3102),
    (NothingCompiled, 400, 1004),
    (AlreadyPublished, 400, 1007),
    (NoSuchScm, 404, UNKNOWN_SCM),
    (ScmTaken, 400, 4044),
    (ScmUsed, 400, 4043),
    (ScmDisabled, 400, 4042),
    (ScmPreferred, 400, 4041),
    (KeptElsewhere, 400, NOT_EDITABLE),
    (OriginInvalid, 400, INVALID_SCM),
    (OriginUnreachable, 400, 4084),
    (NameTaken, 400, 1002),
    (Unauthenticated, 401, 2002),
    (Forbidden, 403, 2001),
    (TooLarge, 413, INVALID_REQUEST),
    (Malformed, 400, INVALID_REQUEST),
    (Refused, 400, INVALID_REQUEST),  # a clause objects
    (NotFound, 404, 1000),
    (Unavailable, 503, 5001),
    (TrothError, 500, 5001),
)
_LONGEST_HEADER = 1000


class Numbered(Malformed):
    """A request that cannot be served, with the number that the documentation has for it."""

    def __init__(self, number: int, what: str, *, why: str = "", repair: str = "", http_status: int = 400) -> None:
        super().__init__(what, why=why, repair=repair)
        self.number = number
        self.http_status = http_status


def refusal(error: TrothError, request: Request, identity: str, *, plain_status: bool = False, **more: Any) -> Response:
    """The answer that tells of an error; `identity` is the request's uuid. `plain_status` is for where clients look at
    nothing else, and `more` are further members of the error."""
    status, number = _answer(error)
    words = _said(error)
    if isinstance(error, NoSuchAlgorithm) and request.method in ("GET", "HEAD"):
        body: dict[str, Any] = {"error": error.what}  # exactly this, as two suites of clients compare it
    else:
        described = {"id": identity, "code": number, "message": words}
        body = {"error": {**described, **more}, **described}
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    headers = {"troth-request": f"req-{identity}"}
    if request.method == "HEAD":
        headers["X-Error-Message"] = _one_line(words)
    told = status if plain_status else _told(status, request)
    return Response(content, told, headers, media_type="application/json")


def _answer(error: TrothError) -> tuple[int, int]:
    if isinstance(error, Numbered):
        return error.http_status, error.number
    return next((status, number) for kind, status, number in _ANSWERS if isinstance(error, kind))


def _said(error: TrothError) -> str:
    """What happened, the clauses, why, and what would repair it, as one text: clients show nothing else."""
    clauses = f" ({', '.join(error.clauses)})" if error.clauses else ""
    why = f": {error.why}" if error.why else ""
    said = f"{error.what}{clauses}{why}"
    return f"{said.rstrip('.')}. help: {error.repair}" if error.repair else said


def _told(status: int, request: Request) -> int:
    """The status that is sent: 200 in place of 4xx where the Python client posts or puts.

    It throws the body of every other answer to these away, and the words with it; with 200 it raises an
    AlgorithmException that shows them, as with calls. It is known by its library and by a key without a scheme, which
    nothing else sends. Failures of the server keep their status, so that it tries again.
    """
    key = request.headers.get("authorization", "").strip()
    python_client = request.headers.get("user-agent", "").startswith("python-requests/") and key and " " not in key
    return 200 if python_client and request.method in ("POST", "PUT") and 400 <= status < 500 else status


def _one_line(words: str) -> str:
    """The words as a header may hold them."""
    latin = words.encode("latin-1", errors="replace").decode("latin-1")
    return "".join(character if character.isprintable() else " " for character in latin)[:_LONGEST_HEADER]

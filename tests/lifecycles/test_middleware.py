"""The middleware in real applications of FastAPI, Starlette, Django and Flask: the same headers and refusals in each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import fastapi
import flask
import httpx2
import pytest
from django.conf import settings as django_settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path as django_path
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.lifecycles.tables import BEGINS, MARKS, TABLE, marks, with_brownout, write
from troth.sdk.lifecycles import ApiStates, asgi, wsgi
from troth.versions.lifecycles.table import StateTable, moment

Ask = Callable[..., httpx2.Response]


def fastapi_app() -> Any:
    app = fastapi.FastAPI()

    @app.get("/v{version}/items")
    def items(version: int) -> dict[str, int]:
        return {"version": version}

    @app.get("/v{version}/broken")
    def broken(version: int) -> dict[str, int]:
        raise RuntimeError("broken")

    return app


def starlette_app() -> Any:
    async def items(request: Any) -> PlainTextResponse:
        return PlainTextResponse(str(request.path_params["version"]))

    async def saying(request: Any) -> PlainTextResponse:
        return PlainTextResponse("", headers={"deprecation": "@1", "link": "<https://docs.example>; rel=help"})

    async def broken(request: Any) -> PlainTextResponse:
        raise RuntimeError("broken")

    paths = {"items": items, "saying": saying, "broken": broken}
    return Starlette(routes=[Route(f"/v{{version:int}}/{path}", endpoint) for path, endpoint in paths.items()])


def flask_app() -> Any:
    app = flask.Flask("shop")

    @app.get("/v<int:version>/items")
    def items(version: int) -> dict[str, int]:
        return {"version": version}

    @app.get("/v<int:version>/broken")
    def broken(version: int) -> dict[str, int]:
        raise RuntimeError("broken")

    return app


def _items(request: Any, version: int) -> HttpResponse:
    return HttpResponse(str(version))


def _broken(request: Any, version: int) -> HttpResponse:
    raise RuntimeError("broken")


class DjangoAddresses:
    """What Django takes for a module of addresses."""

    urlpatterns = (django_path("v<int:version>/items", _items), django_path("v<int:version>/broken", _broken))


@pytest.fixture(scope="module", autouse=True)
def _django() -> None:
    if not django_settings.configured:
        django_settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="not a secret", ROOT_URLCONF=DjangoAddresses)
        django.setup()


def _asked_as_asgi(app: Any) -> Ask:
    def ask(method: str, address: str) -> httpx2.Response:
        async def asked() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as client:
                return await client.request(method, address)

        return asyncio.run(asked())

    return ask


def _asked_as_wsgi(app: Any) -> Ask:
    client = httpx2.Client(transport=httpx2.WSGITransport(app=app, raise_app_exceptions=False), base_url="http://shop")
    return client.request


KINDS = [
    "fastapi",
    "fastapi-added",
    "starlette",
    "flask",
    "django-wsgi",
    "django-asgi",
    "django-list",
    "django-list-asgi",
]


def _open(kind: str, states: ApiStates) -> Ask:
    match kind:
        case "fastapi":
            return _asked_as_asgi(asgi.LifeCycle(fastapi_app(), states))
        case "fastapi-added":
            app = fastapi_app()
            app.add_middleware(asgi.LifeCycle, states=states)
            return _asked_as_asgi(app)
        case "starlette":
            return _asked_as_asgi(asgi.LifeCycle(starlette_app(), states))
        case "flask":
            app = flask_app()
            app.wsgi_app = wsgi.LifeCycle(app.wsgi_app, states)
            return _asked_as_wsgi(app)
        case "django-wsgi":
            return _asked_as_wsgi(wsgi.LifeCycle(get_wsgi_application(), states))
        case "django-asgi":
            return _asked_as_asgi(asgi.LifeCycle(get_asgi_application(), states))
        case "django-list":
            return _asked_as_wsgi(get_wsgi_application())
        case _:
            return _asked_as_asgi(get_asgi_application())


class Opened:
    """An application behind the middleware, and what it goes by."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.now = moment("2027-01-01T00:00:00Z").timestamp()
        self.file = write(folder / "states.json")
        self.states = ApiStates("ada/shop", self.file, clock=lambda: self.now)
        middleware = ["troth.sdk.lifecycles.django.LifeCycle"] if "list" in kind else []
        with override_settings(MIDDLEWARE=middleware, TROTH_STATES=self.states):  # read when Django's handler is made
            self.ask = _open(kind, self.states)

    def change(self, table: StateTable) -> None:
        write(self.file, table)
        assert self.states.refresh()


@pytest.fixture(params=KINDS)
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    opened = Opened(request.param, tmp_path)
    yield opened
    opened.states.close()


@pytest.mark.clause("PDB-26")
@pytest.mark.clause("PDB-34")
@pytest.mark.parametrize("version", [4, 5, 6])
@pytest.mark.parametrize("page", ["items", "nothing-there"])
def test_every_reply_says_in_which_state_its_version_is(app: Opened, version: int, page: str) -> None:
    reply = app.ask("GET", f"/v{version}/{page}")
    assert reply.status_code == (200 if page == "items" else 404)
    assert marks(reply.headers) == MARKS[version]
    assert ('</v5>; rel="successor-version"' in reply.headers.get("link", "")) == (version == 4)


@pytest.mark.clause("PDB-38")
@pytest.mark.parametrize("page", ["", "/", "/items", "/broken", "/never/was"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "DELETE", "OPTIONS"])
def test_a_retired_version_is_gone_on_every_path(app: Opened, method: str, page: str) -> None:
    reply = app.ask(method, f"/v3{page}")
    assert reply.status_code == 410
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["link"] == '</v4>; rel="successor-version"'
    if method != "HEAD":
        assert reply.json()["successor"] == "/v4"
        assert reply.json()["clauses"] == ["PDB-38"]


def test_paths_of_no_version_are_the_applications_own(app: Opened) -> None:
    for address in ("/", "/v03/items", "/V3/items", "/v33/items", "/3", "/x/v3/items"):
        reply = app.ask("GET", address)
        assert reply.status_code != 410
        assert marks(reply.headers) == {}


def test_a_new_table_holds_from_then_on(app: Opened) -> None:
    assert app.ask("GET", "/v4/items").status_code == 200
    rows = [row for row in TABLE.versions.values() if row.number == 5]
    app.change(StateTable.of("ada/shop", 2, *rows, *(TABLE.versions[3],)))
    assert marks(app.ask("GET", "/v4/items").headers) == {}


def test_a_brownout_spares_everybody_where_nobody_says_who_is_production(app: Opened) -> None:
    app.change(with_brownout(4))
    app.now = moment(BEGINS).timestamp() - 1
    assert app.ask("GET", "/v4/items").headers["troth-brownout"] == "2027-01-10T10:00:00Z/2027-01-10T10:05:00Z"
    app.now += 1
    assert app.ask("GET", "/v4/items").status_code == 200
    app.change(with_brownout(4, production=True))
    reply = app.ask("GET", "/v4/items")
    assert reply.status_code == 503
    assert reply.headers["retry-after"] == "Sun, 10 Jan 2027 10:05:00 GMT"
    assert app.ask("GET", "/v5/items").status_code == 200
    app.now -= 3600  # the clock goes backwards
    assert app.ask("GET", "/v4/items").status_code == 200
    app.now += 7200
    assert "troth-brownout" not in app.ask("GET", "/v4/items").headers


@pytest.mark.parametrize("kind", ["fastapi", "starlette", "flask", "django-wsgi", "django-asgi"])
@pytest.mark.clause("PDB-34")
def test_what_a_framework_answers_when_a_handler_fails_is_marked_too(kind: str, tmp_path: Path) -> None:
    opened = Opened(kind, tmp_path)
    reply = opened.ask("GET", "/v4/broken")
    assert reply.status_code == 500
    assert marks(reply.headers) == MARKS[4]
    opened.states.close()


def test_who_is_production_may_be_said(tmp_path: Path) -> None:
    table = write(tmp_path / "states.json", with_brownout(4))
    states = ApiStates("ada/shop", table, clock=lambda: moment(BEGINS).timestamp())
    by_host = asgi.LifeCycle(starlette_app(), states, lambda scope: dict(scope["headers"])[b"host"] == b"shop")
    by_path = wsgi.LifeCycle(flask_app().wsgi_app, states, lambda environ: "x=1" in environ["QUERY_STRING"])
    assert _asked_as_asgi(by_host)("GET", "/v4/items").status_code == 200
    assert _asked_as_asgi(by_host)("GET", "http://test/v4/items").status_code == 503
    assert _asked_as_wsgi(by_path)("GET", "/v4/items?x=1").status_code == 200
    assert _asked_as_wsgi(by_path)("GET", "/v4/items").status_code == 503
    states.close()


def test_the_applications_own_links_stay_and_its_own_dates_give_way(tmp_path: Path) -> None:
    opened = Opened("starlette", tmp_path)
    reply = opened.ask("GET", "/v4/saying")
    assert reply.headers.get_list("deprecation") == ["@1767225600"]
    assert reply.headers.get_list("link") == ["<https://docs.example>; rel=help", '</v5>; rel="successor-version"']
    assert opened.ask("GET", "/v5/saying").headers["deprecation"] == "@1"
    opened.states.close()


@pytest.mark.clause("PDB-38")
@pytest.mark.parametrize("denies", [True, False])
def test_a_websocket_of_a_retired_version_is_refused(denies: bool, tmp_path: Path) -> None:
    states = ApiStates("ada/shop", write(tmp_path / "states.json"))
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    extensions: dict[str, Any] = {"websocket.http.response": {}} if denies else {}
    for version in (3, 4):
        scope = {"type": "websocket", "path": f"/v{version}/live", "extensions": extensions}
        asyncio.run(asgi.LifeCycle(app, states)(scope, receive, send))
    if denies:
        assert sent[0]["status"] == 410
        assert json.loads(sent[1]["body"])["code"] == "gone"
    else:
        assert sent[0] == {"type": "websocket.close", "code": 1008}
    assert (b"troth-retires-in", b"8.0.0") in sent[-1]["headers"]
    states.close()

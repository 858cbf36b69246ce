"""Signing in with JWTs: what holds signs in, everything else is no key at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.server import RunningServer, running_server
from troth.calls.routing import RoutingTable
from troth.doors.server.tokens import Tokens
from troth.errors import MalformedSetting
from troth.settings import Settings

ISSUER, AUDIENCE = "https://login.example.org", "troth"


def jwk(name: str, key: Any, **more: Any) -> dict[str, Any]:
    """The public half of a key, as a set holds it."""
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": name, "use": "sig", **more}


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.05)


@dataclass
class Directory:
    """A server that takes tokens, and the keys that they are signed with."""

    server: RunningServer
    file: Path
    key: rsa.RSAPrivateKey
    name: str

    def token(
        self, *, key: Any = None, algorithm: str = "RS256", headers: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        now = int(time.time())
        said = {"sub": "a|1", "name": self.name, "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 600, **claims}
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(said, self.key if key is None else key, algorithm, headers={"kid": "one", **(headers or {})})

    def get(self, token: str, path: str = "/api/v1/query/account") -> httpx2.Response:
        return httpx2.get(f"{self.server.address}{path}", headers={"Authorization": f"Bearer {token}"})

    def call(self, token: str, reference: str) -> dict[str, Any]:
        head = {"Authorization": f"Bearer {token}"}
        found: dict[str, Any] = httpx2.post(
            f"{self.server.address}/v1/algo/{reference}", json=1, headers=head, timeout=60
        ).json()
        return found


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    folder = tmp_path_factory.mktemp("tokens")
    key = rsa.generate_private_key(65537, 2048)
    file = folder / "jwks.json"
    file.write_text(json.dumps({"keys": [jwk("one", key)]}))
    chosen = {"tokens_jwks": str(file), "tokens_issuer": ISSUER, "tokens_audience": AUDIENCE, "tokens_claim": "name"}
    with running_server(folder / "home", **chosen) as server:
        name, _ = server.account("ada")
        found = Directory(server, file, key, name)
        until(lambda: found.get(found.token()).status_code == 200, "the keys")
        yield found


def test_a_token_signs_in_at_every_door(directory: Directory, tmp_path: Path) -> None:
    token, client = directory.token(), directory.server.client(directory.token())
    assert directory.get(token).json()["name"] == directory.name
    assert directory.get(token, f"/v1/users/{directory.name}").json()["username"] == directory.name
    algorithm, commit = directory.server.build(tmp_path, directory.name, client)
    assert directory.call(token, f"{algorithm}/{commit}")["result"] == 1
    assert directory.get(token, "/metrics").status_code == 403
    assert directory.get(directory.token(name="owner"), "/metrics").status_code == 200


def _tampered(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body}.{signature[:-6]}{'A' * 6 if signature[-6:] != 'A' * 6 else 'B' * 6}"


def _unsigned(directory: Directory) -> str:
    return jwt.encode(
        {"name": directory.name, "iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600},
        "",
        "none",
        headers={"kid": "one"},
    )


def _with_public_key_as_secret(directory: Directory) -> str:
    """The classic: a symmetric signature made with what everybody knows."""
    import base64
    import hashlib
    import hmac

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = directory.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def encoded(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    claims = {"name": directory.name, "iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600}
    signed = f"{encoded(json.dumps({'alg': 'HS256', 'kid': 'one'}).encode())}.{encoded(json.dumps(claims).encode())}"
    return f"{signed}.{encoded(hmac.new(public, signed.encode(), hashlib.sha256).digest())}"


BAD: dict[str, Callable[[Directory], str]] = {
    "expired": lambda d: d.token(exp=int(time.time()) - 3600),
    "not yet": lambda d: d.token(nbf=int(time.time()) + 3600),
    "without an end": lambda d: d.token(exp=None),
    "another issuer": lambda d: d.token(iss="https://evil.example.org"),
    "without an issuer": lambda d: d.token(iss=None),
    "another audience": lambda d: d.token(aud="other"),
    "without an audience": lambda d: d.token(aud=None),
    "another key": lambda d: d.token(key=rsa.generate_private_key(65537, 2048)),
    "a key that nobody knows": lambda d: d.token(headers={"kid": "two"}),
    "no name of a key": lambda d: d.token(headers={"kid": ""}),
    "another signature": lambda d: d.token(algorithm="RS512"),
    "no signature": _unsigned,
    "the public key as a secret": _with_public_key_as_secret,
    "a changed signature": lambda d: _tampered(d.token()),
    "an account that is none": lambda d: d.token(name="neverWas"),
    "an organisation": lambda d: d.token(name=d.server.organization(d.server.owner)),
    "no account": lambda d: d.token(name=None),
    "an account that is a number": lambda d: d.token(name=7),
    "somebody's external id": lambda d: d.token(name="external:a|1"),
    "critical extensions": lambda d: d.token(headers={"crit": ["b64"], "b64": True}),
    "too long": lambda d: d.token(more="x" * 10_000),
    "dots only": lambda d: "..",
    "no token": lambda d: "a.b.c",
    "nonsense": lambda d: "\u00ff.\u00ff.\u00ff",
}  # fmt: skip


@pytest.mark.parametrize("how", BAD)
def test_what_does_not_hold_is_no_key(directory: Directory, how: str) -> None:
    token = BAD[how](directory).encode("latin-1")
    for path in ("/api/v1/query/account", "/v1/users/owner"):
        reply = httpx2.get(f"{directory.server.address}{path}", headers=[(b"Authorization", b"Bearer " + token)])
        assert reply.status_code == 401, reply.text
        assert "authorization required" in reply.text
    reply = httpx2.post(
        f"{directory.server.address}/v1/algo/a/b", json=1, headers=[(b"Authorization", b"Bearer " + token)]
    )
    assert reply.json()["error"]["message"] == "authorization required"


def test_a_token_is_the_account_s_of_this_moment(directory: Directory) -> None:
    name, _ = directory.server.account("gone")
    token = directory.token(name=name)
    assert directory.get(token).status_code == 200
    directory.server.owner.command("delete_account", account=name)
    assert directory.get(token).status_code == 401


def test_keys_rotate(directory: Directory) -> None:
    old, new = directory.token(), rsa.generate_private_key(65537, 2048)
    token = directory.token(key=new, headers={"kid": "next"})
    assert directory.get(token).status_code == 401
    directory.file.write_text(json.dumps({"keys": [jwk("next", new), jwk("one", directory.key)]}))
    until(lambda: directory.get(token).status_code == 200, "the new key")
    assert directory.get(old).status_code == 200
    directory.file.write_text(json.dumps({"keys": [jwk("one", directory.key)]}))
    until(
        lambda: (
            directory.get(directory.token(headers={"kid": "unknown"})).status_code == 401
            and directory.get(token).status_code == 401
        ),
        "the end of the new key",
    )
    assert directory.get(old).status_code == 200


def test_a_set_that_cannot_be_read_leaves_the_keys_as_they_were(directory: Directory) -> None:
    content = directory.file.read_text()
    try:
        for broken in ("", "{", "[]", '{"keys": 1}', '{"keys": [1]}'):
            directory.file.write_text(broken)
            directory.get(directory.token(headers={"kid": "unknown"}))
            assert directory.get(directory.token()).status_code == 200
    finally:
        directory.file.write_text(content)


class _Answers(BaseHTTPRequestHandler):
    content = b"{}"
    location = ""

    def do_GET(self) -> None:
        self.send_response(302 if self.location else 200)
        if self.location:
            self.send_header("Location", self.location)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    _Answers.content, _Answers.location = b"{}", ""
    serving = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}/jwks.json"
    serving.shutdown()
    serving.server_close()
    thread.join(30)


def _tokens(source: str) -> Tokens:
    return Tokens(Settings(tokens_jwks=source, tokens_issuer=ISSUER, tokens_audience=AUDIENCE), RoutingTable.empty())


def test_a_set_comes_from_an_address(address: str) -> None:
    curve, private = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
    short = rsa.generate_private_key(65537, 1024)
    keys = [
        jwk("ec", curve), jwk("rsa", private), jwk("short", short), jwk("encrypting", private, use="enc"),
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"}, {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
    ]  # fmt: skip
    _Answers.content = json.dumps({"keys": keys}).encode()
    assert set(_tokens(address)._read()) == {"ec", "rsa"}


def test_an_address_that_leads_on_or_says_too_much_is_not_followed(address: str) -> None:
    _Answers.location = address
    with pytest.raises(httpx2.HTTPError):
        _tokens(address)._read()
    _Answers.location, _Answers.content = "", b" " * (300 << 10)
    with pytest.raises(ValueError, match="too large"):
        _tokens(address)._read()


@pytest.mark.parametrize(
    "settings",
    [{"tokens_algorithms": "none"}, {"tokens_algorithms": "HS256"}, {"tokens_algorithms": "RS256,none"}, {"tokens_algorithms": ""},
     {"tokens_issuer": ""}, {"tokens_audience": ""}, {"tokens_jwks": "http://login.example.org/jwks"}, {"tokens_jwks": "ftp://x/y"}],
)  # fmt: skip
def test_settings_that_would_make_tokens_worth_nothing(settings: dict[str, str]) -> None:
    usual: dict[str, Any] = {"tokens_jwks": "/x", "tokens_issuer": ISSUER, "tokens_audience": AUDIENCE}
    with pytest.raises(MalformedSetting):
        Tokens(Settings(**{**usual, **settings}), RoutingTable.empty())


def test_a_subject_is_an_external_id(directory: Directory, tmp_path: Path) -> None:
    """Without a claim of its own, `sub` is compared with the external ids of users."""
    tokens = Tokens(
        Settings(tokens_jwks=str(directory.file), tokens_issuer=ISSUER, tokens_audience=AUDIENCE),
        directory.server.server.table,
    )
    tokens._keys = tokens._read()
    token = directory.token(sub="auth|77:b").encode()
    assert tokens.caller(token) is None
    directory.server.owner.command("update_account", account=directory.name, details={"external_id": "auth|77:b"})
    found = tokens.caller(token)
    assert found is not None
    assert found.name == directory.name
    directory.server.owner.command("update_account", account=directory.name, details={"external_id": ""})
    assert tokens.caller(token) is None
    assert tokens.caller(directory.token(sub=directory.name).encode()) is None

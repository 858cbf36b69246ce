"""Which addresses the gateway connects to, and that what is connected to is what was looked at."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any

import pytest

from tests.gateway.upstream import running_upstream
from troth.doors.gateway.addresses import Addresses
from troth.doors.gateway.upstreams import UpstreamClient
from troth.errors import Malformed, MalformedSetting, UpstreamFailed
from troth.registry.upstreams import Upstream
from troth.sandbox.egress_broker import NEVER as NEVER_REACHED

NEVER = ["169.254.169.254", "fd00:ec2::254", "fe80::1", "0.0.0.0", "224.0.0.1", "100.100.100.200", "::"]
PRIVATE = ["127.0.0.1", "127.9.9.9", "::1", "10.1.2.3", "192.168.0.1", "172.16.3.4", "fd12::1", "100.64.0.1"]


@pytest.mark.parametrize("text", [*NEVER, *PRIVATE])
def test_what_is_here_or_private_is_refused(text: str) -> None:
    nothing = Addresses([])
    assert nothing.refusal(ipaddress.ip_address(text))
    if ":" not in text:
        assert nothing.refusal(ipaddress.ip_address(f"::ffff:{text}"))
        assert nothing.refusal(ipaddress.ip_address(f"64:ff9b::{text}"))


@pytest.mark.parametrize("text", NEVER)
def test_what_is_for_nobody_is_refused_whatever_is_allowed(text: str) -> None:
    assert Addresses(["0.0.0.0/0", "::/0"]).refusal(ipaddress.ip_address(text))


@pytest.mark.parametrize("allow", [["::/0"], ["::/0", "0.0.0.0/0"]], ids=["IPv6", "everything"])
@pytest.mark.parametrize("text", ["169.254.169.254", "100.100.100.200", "224.0.0.1", "0.0.0.1"])
def test_no_other_form_of_such_an_address_is_let_through(text: str, allow: list[str]) -> None:
    number = int(ipaddress.IPv4Address(text))
    for form in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80, number):
        if form > 1:
            assert Addresses(allow).refusal(ipaddress.IPv6Address(form)), ipaddress.IPv6Address(form)


@pytest.mark.parametrize("text", ["127.0.0.1", "10.1.2.3"])
@pytest.mark.parametrize("form", ["64:ff9b::{0}", "2002:{1:x}:{2:x}::", "::{0}"])
def test_who_allows_one_form_of_an_address_has_not_allowed_what_it_stands_for(form: str, text: str) -> None:
    high, low = divmod(int(ipaddress.IPv4Address(text)), 1 << 16)
    address = ipaddress.ip_address(form.format(text, high, low))
    for allow in ([], [str(address)], ["::/0"]):
        assert Addresses(allow).refusal(address)
    assert not Addresses(["::/0", text]).refusal(address)


@pytest.mark.parametrize("network", [one for what, networks in NEVER_REACHED if what != "loopback" for one in networks])
def test_what_sandboxes_never_reach_the_gateway_does_not_either(network: str) -> None:
    found = ipaddress.ip_network(network)
    for address in (found[0], found[-1]):
        assert Addresses([network, "0.0.0.0/0", "::/0"]).refusal(address)


@pytest.mark.parametrize("text", PRIVATE)
def test_the_operator_may_allow_networks(text: str) -> None:
    allowed = Addresses([text])
    assert not allowed.refusal(ipaddress.ip_address(text))
    assert allowed.refusal(ipaddress.ip_address("10.99.99.99"))


def test_what_is_no_network_is_no_setting() -> None:
    with pytest.raises(MalformedSetting):
        Addresses(["10.0.0.0/33"])


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "0x7f.1", "2130706433"])
def test_names_of_this_machine_are_refused(name: str) -> None:
    with pytest.raises(UpstreamFailed):
        asyncio.run(Addresses([]).of(name, 80))


def test_a_name_that_changes_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[str] = []

    def resolve(host: Any, port: Any, *more: Any, **options: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[0], port))]

    async def asked(client: UpstreamClient) -> int:
        reply = await client.send("GET", b"/v1", [], None)
        await reply.aread()
        await reply.aclose()
        return reply.status_code

    async def main(port: int) -> None:
        client = UpstreamClient(Upstream(f"http://shop.example:{port}"), Addresses(["127.0.0.1"]))
        assert await asked(client) == 200
        answers[:] = ["127.0.0.2"]  # believed for a while: what was looked at is connected to
        assert await asked(client) == 200
        client._believed = (0.0, [])
        with pytest.raises(UpstreamFailed):
            await asked(client)
        await client.close()

    with running_upstream() as upstream:
        answers[:] = ["127.0.0.1"]
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        asyncio.run(main(upstream.port))
        assert upstream.heard[0].header("host") == [f"shop.example:{upstream.port}"]


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def main(address: str) -> None:
        client = UpstreamClient(Upstream(address), Addresses(["127.0.0.1"]))
        reply = await client.send("GET", b"/v1", [], None)
        assert reply.status_code == 200
        await reply.aread()
        await client.close()

    with running_upstream() as upstream:
        asyncio.run(main(upstream.address))


@pytest.mark.parametrize("target", [b"/v1?q=" + b"x" * 70_000, b"/v1?q=\xe4"], ids=["too long", "not ASCII"])
def test_an_address_that_cannot_be_handed_on_is_the_callers_fault(target: bytes) -> None:
    async def main(address: str) -> None:
        client = UpstreamClient(Upstream(address), Addresses(["127.0.0.1"]))
        with pytest.raises(Malformed, match="cannot be handed on"):
            await client.send("GET", target, [], None)
        await client.close()

    with running_upstream() as upstream:
        asyncio.run(main(upstream.address))
        assert upstream.heard == []


def test_an_upstream_that_fails_its_health_is_ill_until_it_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.doors.gateway.upstreams._LOOK", 0.01)

    async def until(client: UpstreamClient, well: bool) -> None:
        async with asyncio.timeout(20):
            while client.is_well != well:
                await asyncio.sleep(0.01)

    async def main(address: str) -> None:
        client = UpstreamClient(Upstream(f"{address}/base", health_path="/health"), Addresses(["127.0.0.1"]))
        client.watch()
        upstream.status = 500
        await until(client, False)
        upstream.status = 200
        await until(client, True)
        await client.close()

    with running_upstream() as upstream:
        asyncio.run(main(upstream.address))
        assert {heard.target for heard in upstream.heard} == {"/base/health"}

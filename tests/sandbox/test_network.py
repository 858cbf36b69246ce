"""What sandboxes reach by each kind of network, on a machine with a neighbour made for the purpose.

Needs iproute2 and util-linux. The neighbour lives in network name spaces of the tests' own; nothing of the machine's network
is changed.
"""

from __future__ import annotations

import functools
import ipaddress
import json
from typing import Any

import pytest

from tests.escape import programs
from tests.sandbox import network_client
from troth.errors import MalformedSetting
from troth.sandbox.egress import EgressRules
from troth.sandbox.egress_broker import Rules

HOSTS = """127.0.0.1 localhost
203.0.113.2 good.test
10.77.0.2 private.test
10.78.0.2 allowed.test
127.0.0.1 loop.test
169.254.169.254 meta.test
203.0.113.1 own.test
203.0.113.200 denied.test
"""
#: the other machine's public addresses, and the private one that the operator allows
REACHED = {"good.test", "allowed.test", "203.0.113.2", "[2001:db8::2]", "10.78.0.2"}
DENIED = {"datagram", "raw", "other protocol"}
OWN_SPACE = {
    "root": ["unshare", "--net", "--mount", "--propagation=private"],
    "user": ["unshare", "--map-current-user", "--keep-caps", "--net", "--mount", "--propagation=private"],
}


@functools.cache
def scene(user: str) -> dict[str, Any]:
    """What the client reached from sandboxes that this user started."""
    said = programs.run(user, "tests.sandbox.network_scene", HOSTS, "BUBBLEWRAP", "61301", before=OWN_SPACE[user])
    found: dict[str, Any] = json.loads(said)
    return found


@pytest.mark.parametrize("user", programs.USERS)
@pytest.mark.parametrize("network", ["none", "api"])
def test_without_network_nothing_is_reached_but_the_server_by_who_may(user: str, network: str) -> None:
    found = scene(user)[network]
    assert found["api"] == (
        "hello from the server" if network == "api" else "failed: [Errno 2] No such file or directory"
    )
    for way in ("direct", "direct to loopback", *DENIED):
        assert found[way].startswith("failed"), way


@pytest.mark.parametrize("user", programs.USERS)
@pytest.mark.parametrize("run", ["full", "again"])
@pytest.mark.parametrize("way", ["http", "tunnel", "socks"])
def test_by_the_proxy_other_machines_are_reached_and_this_one_is_not(user: str, run: str, way: str) -> None:
    found = scene(user)[run][way]
    assert set(found) == set(network_client.HOSTS)
    reached = {host for host, answer in found.items() if answer.startswith("other machine")}
    assert reached == REACHED
    for host in set(found) - REACHED:
        assert found[host].startswith(("4", "5", "failed", "HTTP/1.1 403", "HTTP/1.1 502", "socks ")), (
            host,
            found[host],
        )


@pytest.mark.parametrize("user", programs.USERS)
def test_no_form_of_an_address_leads_to_a_port_that_this_machine_serves(user: str) -> None:
    found = scene(user)["full"]["own"]
    assert set(found) == set(network_client.HOSTS)
    for host, answer in found.items():
        assert answer.startswith(("403 troth's egress proxy", "502 troth's egress proxy", "failed")), (host, answer)


@pytest.mark.parametrize("user", programs.USERS)
def test_past_the_proxy_nothing_is_reached(user: str) -> None:
    found = scene(user)["full"]
    for way in ("direct", "direct to loopback", *DENIED):
        assert found[way].startswith("failed"), way
    assert json.loads(found["broker"]) == {"error": "127.0.0.1 is loopback", "kind": "refused"}
    assert found["broker told nonsense"] == ""
    assert found["api"] == "hello from the server"


@pytest.mark.parametrize("user", programs.USERS)
def test_the_relay_is_no_child_of_the_program_and_leaves_it_no_descriptor(user: str) -> None:
    found = scene(user)["full"]
    assert found["children"].startswith("failed")
    assert found["descriptors"] == []
    assert found["post"] == "500000"


@pytest.mark.parametrize("user", programs.USERS)
def test_one_version_leaves_the_others_their_connections(user: str) -> None:
    """It has 64; what is beyond waits until it ends one of them."""
    assert scene(user)["crowd"] == {"got": 64, "other": 1, "later": 1}


@pytest.mark.parametrize("user", programs.USERS)
def test_what_cannot_be_guarded_is_refused(user: str) -> None:
    found = scene(user)["without bubblewrap"]
    assert "refused" in found
    assert "bubblewrap" in found["repair"]


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("127.0.0.1", "loopback"), ("::1", "loopback"), ("::ffff:127.0.0.1", "loopback"), ("64:ff9b::7f00:1", "loopback"),
        ("2002:7f00:1::", "loopback"), ("::127.0.0.1", "loopback"), ("169.254.169.254", "metadata"),
        ("::ffff:169.254.169.254", "metadata"), ("64:ff9b::a9fe:a9fe", "metadata"), ("fd00:ec2::254", "metadata"),
        ("0.0.0.0", "unspecified"), ("::", "unspecified"), ("2002:a00:1::", "private"), ("fe80::1", "link-local"),
        ("10.0.0.1", "private"), ("192.168.1.1", "private"), ("100.64.0.1", "private"), ("fc00::1", "private"),
        ("224.0.0.1", "multicast"), ("ff02::1", "multicast"), ("240.0.0.1", "reserved"), ("2001::1", "reserved"),
        ("64:ff9b:1::1", "reserved"), ("198.51.100.7", "denied"), ("::ffff:198.51.100.7", "denied"),
    ],
)  # fmt: skip
def test_an_address_is_refused_in_every_form(address: str, word: str) -> None:
    rules = Rules(["172.16.0.0/12", "127.0.0.0/8", "169.254.0.0/16"], ["198.51.100.0/24"])
    assert word in rules.refusal(ipaddress.ip_address(address))


def test_rules_are_networks() -> None:
    with pytest.raises(MalformedSetting, match="no network"):
        EgressRules(allow=("10.0.0.1/8",))

"""How a client reaches its server."""

from __future__ import annotations

import ssl

import pytest

from troth.sdk import Client


@pytest.mark.parametrize(("address", "known"), [("http://127.0.0.1:9", False), ("HTTPS://127.0.0.1:9", True)])
def test_certificates_are_verified_and_without_tls_none_is_accepted(address: str, known: bool) -> None:
    with Client(address, "") as client:
        transport = client._http._transport
        context: ssl.SSLContext = transport._pool._ssl_context  # type: ignore[attr-defined]
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert bool(context.cert_store_stats()["x509_ca"]) is known

"""What operators put before a server: TLS under names of their own. Clients reach it as a proxy, because nothing resolves the names."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAMES = ("api.troth.example", "git.troth.example")


@dataclass(frozen=True)
class Terminator:
    """`proxy` is the address that clients take as their proxy; `certificate` is that of the names, by which they are known."""

    proxy: str
    certificate: Path
    address: str = f"https://{NAMES[0]}"


@contextmanager
def terminator(address: str, folder: Path) -> Iterator[Terminator]:
    """Takes connections for any of the names until the block ends, and hands what is in them to the server at `address`."""
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = urlsplit(address)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return  # the block has ended
                threading.Thread(
                    target=_serve, args=(client, context, (server.hostname, server.port)), daemon=True
                ).start()

        threading.Thread(target=listen, name="terminator", daemon=True).start()
        yield Terminator(f"http://127.0.0.1:{listener.getsockname()[1]}", certificate)
        listener.shutdown(socket.SHUT_RDWR)


def _serve(client: socket.socket, context: ssl.SSLContext, server: tuple[str | None, int | None]) -> None:
    with contextlib.suppress(OSError), client:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(1)  # no more than the head, because TLS comes behind it
        assert head.startswith(b"CONNECT "), head
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with context.wrap_socket(client, server_side=True) as inner, socket.create_connection(server) as outer:
            back = threading.Thread(target=_pump, args=(outer, inner), daemon=True)
            back.start()
            _pump(inner, outer)
            back.join(60)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(1 << 16):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _certificate(folder: Path) -> tuple[Path, Path]:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMES[0])])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in NAMES]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private

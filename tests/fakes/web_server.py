"""A web server on loopback that answers exactly the bytes a test tells it to, however slowly or wrongly."""

import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Respond = Callable[[Request], Iterable[bytes]]


def answer(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> list[bytes]:
    """A whole answer with its length."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return ["\r\n".join(head).encode("utf-8") + b"\r\n\r\n" + body]


class WebServer:
    """Serves until left. Keeps every request it saw, and the name that each TLS client asked for."""

    def __init__(self, respond: Respond, certificate: Path | None = None) -> None:
        self.requests: list[Request] = []
        self.names_asked_for: list[str | None] = []
        self._respond = respond
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
            self._tls.sni_callback = lambda _, name, __: self.names_asked_for.append(name)
        server = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                server._serve(self)

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port: int = self._server.server_address[1]

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: StreamRequestHandler) -> None:
        # A client that hangs up is what many tests are about.
        try:
            if self._tls is None:
                self._exchange(handler.rfile, handler.connection.sendall)
                return
            with self._tls.wrap_socket(handler.connection, server_side=True) as secured, secured.makefile("rb") as read:
                self._exchange(read, secured.sendall)
        except OSError:
            pass

    def _exchange(self, read, send: Callable[[bytes], None]) -> None:
        first = read.readline().decode("latin-1").split()
        if len(first) != 3:
            return
        headers: dict[str, str] = {}
        while line := read.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.title()] = value.strip()
        request = Request(first[0], first[1], headers, read.read(int(headers.get("Content-Length", 0))))
        self.requests.append(request)
        for piece in self._respond(request):
            send(piece)


def certificate_for(name: str, folder: Path) -> Path:
    """Write a key and a self-signed certificate for a host name; the same file serves and is trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return path

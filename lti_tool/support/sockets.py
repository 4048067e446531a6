"""Connections that check where they lead and when they must end.

urllib3 builds everything above the socket, so that the Host header, SNI and the check of the certificate use the name
in the address. Only where to connect, and how long to wait, is decided here.
"""

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from lti_tool.support.addresses import is_public
from lti_tool.support.failures import AddressRefused, TooSlow, Unreachable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

Resolve = Callable[[str, int], Sequence[str]]
"""Takes a host and a port, and returns IP addresses, best first. Raises OSError."""
Dial = Callable[[str, int, float], socket.socket]
"""Takes an IP address, a port and a time limit in seconds, and returns a connected socket. Raises OSError."""


class Deadline:
    """The moment by which a call must be over, from name look-up to the last byte."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    @property
    def seconds_left(self) -> float:
        """How long it is until then; negative afterwards."""
        return self._ends - time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether the moment has come."""
        return self.seconds_left <= 0

    def left(self) -> float:
        """Return the seconds left. Raises TimeoutError when there are none, as a socket would."""
        seconds = self.seconds_left
        if seconds <= 0:
            raise TimeoutError
        return seconds


class _PlainSocket(socket.socket):
    """A socket whose every wait ends with the call's deadline.

    A plain time-out starts anew with each byte: a platform that sends one byte a second would hold a worker for hours.
    """

    deadline: Deadline

    def start(self, deadline: Deadline) -> None:
        self.deadline = deadline
        # For the TLS handshake, which takes the time-out over. Never 0, which would mean not to wait at all.
        self.settimeout(max(deadline.seconds_left, 0.001))

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int = 0, flags: int = 0) -> int:
        self.settimeout(self.deadline.left())
        return super().recv_into(buffer, nbytes, flags)

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        self.settimeout(self.deadline.left())
        super().sendall(data, flags)


class _TlsSocket(ssl.SSLSocket):
    """The same under TLS. Its deadline is set after the handshake, which the plain socket's time-out ends."""

    deadline: Deadline

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0) -> int:
        self.settimeout(self.deadline.left())
        return super().recv_into(buffer, nbytes, flags)

    def send(self, data: "ReadableBuffer", flags: int = 0) -> int:  # sendall() repeats send() here
        self.settimeout(self.deadline.left())
        return super().send(data, flags)


@dataclass(frozen=True, slots=True)
class Guard:
    """Opens connections to addresses that we may call. A name is looked up once, and the address that was checked is
    the one that is called.
    """

    reachable_private_hosts: frozenset[tuple[str, int]]
    is_http_allowed: bool
    """Whether to use plain http, which is allowed only to a private host that the operator named."""
    resolve: Resolve
    dial: Dial

    def connect(self, host: str, port: int, *, is_encrypted: bool, deadline: Deadline) -> _PlainSocket:
        """Return a connected socket. Raises AddressRefused, Unreachable or TooSlow."""
        is_named = (host.lower(), port) in self.reachable_private_hosts
        if not is_encrypted and not (self.is_http_allowed and is_named):
            raise AddressRefused(host, "not https")
        try:
            addresses = self._resolve_in_time(host, port, deadline)
            # One private address among public ones is an attempt, not an accident.
            if not is_named and not all(is_public(address) for address in addresses):
                raise AddressRefused(host, "not on the public internet")
            connected = self._dial_first(addresses, port, deadline)
            if connected is None:
                raise Unreachable(host, "connection")
        except TimeoutError:
            raise TooSlow(host) from None
        guarded = _PlainSocket(connected.family, connected.type, connected.proto, fileno=connected.detach())
        guarded.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        guarded.start(deadline)
        return guarded

    def _dial_first(self, addresses: Sequence[str], port: int, deadline: Deadline) -> socket.socket | None:
        for tried, address in enumerate(addresses):
            try:
                return self.dial(address, port, deadline.left() / (len(addresses) - tried))
            except OSError:
                deadline.left()
        return None

    def _resolve_in_time(self, host: str, port: int, deadline: Deadline) -> Sequence[str]:
        # The system's resolver takes no time limit and may wait half a minute for a dead name server.
        answers: SimpleQueue[Sequence[str]] = SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(self.resolve(host, port))
            except (OSError, UnicodeError):
                answers.put(())

        Thread(target=look_up, daemon=True, name="resolve").start()
        try:
            addresses = answers.get(timeout=deadline.left())
        except Empty:
            raise TimeoutError from None
        if not addresses:
            raise Unreachable(host, "name")
        return addresses


def system_resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver. It also understands 127.1 and 2130706433; what it makes of them is checked."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in addresses))


def system_dial(address: str, port: int, seconds: float) -> socket.socket:
    """Connect to an IP address."""
    return socket.create_connection((address, port), timeout=seconds)


class _HttpConnection(HTTPConnection):
    def __init__(self, *args: Any, guard: Guard, deadline: Deadline, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard, self._deadline = guard, deadline

    def _new_conn(self) -> socket.socket:
        return self._guard.connect(self.host, self.port, is_encrypted=False, deadline=self._deadline)


class _HttpsConnection(HTTPSConnection):
    def __init__(self, *args: Any, guard: Guard, deadline: Deadline, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard, self._deadline = guard, deadline

    def _new_conn(self) -> socket.socket:
        return self._guard.connect(self.host, self.port, is_encrypted=True, deadline=self._deadline)

    def connect(self) -> None:
        super().connect()
        if not isinstance(self.sock, _TlsSocket):
            raise TypeError("TLS contexts come from tls_context()")
        self.sock.deadline = self._deadline


class GuardedPools(PoolManager):
    """urllib3's connections for one call, opened through a guard."""

    def __init__(self, guard: Guard, deadline: Deadline) -> None:
        super().__init__(num_pools=1, maxsize=1)
        self._connections = {
            "http": partial(_HttpConnection, guard=guard, deadline=deadline),
            "https": partial(_HttpsConnection, guard=guard, deadline=deadline),
        }

    def _new_pool(
        self, scheme: str, host: str, port: int, request_context: dict[str, Any] | None = None
    ) -> HTTPConnectionPool:
        pool = super()._new_pool(scheme, host, port, request_context)
        pool.ConnectionCls = self._connections[scheme]  # type: ignore[assignment]  # called like a class, never asked for more
        return pool


@cache
def tls_context(*authorities: str) -> ssl.SSLContext:
    """Return a verifying TLS context that trusts the system's authorities and those in the given files.

    It is made once in a process: reading some hundred certificates takes longer than a call.
    """
    context = ssl.create_default_context()
    for authority in authorities:
        context.load_verify_locations(authority)
    context.sslsocket_class = _TlsSocket
    return context

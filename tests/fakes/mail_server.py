"""A mail server on loopback that keeps what it takes, and hangs, refuses or breaks off where a test says so."""

import contextlib
import ssl
import threading
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Final, Self

HANG: Final = "hang"
CLOSE: Final = "close"
Behave = Callable[[str], str | None]
"""From a stage (CONNECT, EHLO, MAIL, RCPT, DATA, END) to what is answered in place of what a good server says."""


class MailServer:
    """Serves until left. `letters` are those that it said it had taken, `seen` those that came in whole."""

    def __init__(self, behave: Behave = lambda _: None, certificate: Path | None = None) -> None:
        self.letters: list[tuple[str, EmailMessage]] = []
        self.seen = 0
        self.behave = behave
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._left = threading.Event()
        server = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError, _Closed):
                    server._serve(self)

        class Server(ThreadingTCPServer):
            request_queue_size = 64
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._left.set()
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: StreamRequestHandler) -> None:
        with contextlib.ExitStack() as stack:
            self._talk(handler, stack)

    def _talk(self, handler: StreamRequestHandler, stack: contextlib.ExitStack) -> None:
        connection, read = handler.connection, handler.rfile

        def say(stage: str, usual: str) -> bool:
            """Answer, and return whether it was the usual."""
            told = self.behave(stage)
            if told == HANG:
                self._left.wait(60)
            if told in {HANG, CLOSE}:
                raise _Closed
            connection.sendall((told or usual).encode() + b"\r\n")
            return told is None

        receiver = ""
        say("CONNECT", "220 sink ready")
        while line := read.readline().decode("latin-1").strip():
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO" | "HELO":
                    say("EHLO", "250-sink\r\n250 STARTTLS" if self._tls else "250 sink")
                case "STARTTLS":
                    assert self._tls is not None
                    connection.sendall(b"220 go\r\n")
                    connection = stack.enter_context(
                        self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                    )
                    connection.do_handshake()
                    read = stack.enter_context(connection.makefile("rb"))
                case "MAIL":
                    say("MAIL", "250 ok")
                case "RCPT":
                    receiver = rest.partition("<")[2].partition(">")[0]
                    say("RCPT", "250 ok")
                case "DATA":
                    if say("DATA", "354 go on"):
                        text = b""
                        while (part := read.readline()) != b".\r\n":
                            text += part
                        self.seen += 1
                        letter = receiver, message_from_bytes(text, policy=policy.default)
                        # Before the answer, after which a test looks.
                        self.letters.append(letter)
                        is_taken = False
                        try:
                            is_taken = say("END", "250 taken")
                        finally:
                            if not is_taken:
                                self.letters.remove(letter)
                case "QUIT":
                    connection.sendall(b"221 bye\r\n")
                    return
                case _:
                    connection.sendall(b"502 what?\r\n")


class _Closed(Exception):
    """The connection is to be cut."""

"""Browsers for load runs: kept-open connections, in a process of their own so that they cost the servers no time."""

import json
import multiprocessing
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

ATTEMPTS = 200
TIMEOUT = 30


@dataclass(frozen=True, slots=True)
class Post:
    """One form to send."""

    path: str
    form: bytes = field(repr=False)
    cookies: str = ""

    def wire(self, port: int) -> bytes:
        cookies = f"Cookie: {self.cookies}\r\n" if self.cookies else ""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: localhost:{port}\r\n{cookies}"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(self.form)}\r\n\r\n"
        )
        return head.encode() + self.form


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long it took."""

    seconds: float
    head: str = field(repr=False)
    body: str = field(repr=False)

    @property
    def status(self) -> int:
        return int(self.head.split(" ", 2)[1])

    def cookies(self) -> str:
        """The cookies that a browser would send back."""
        lines = self.head.split("\r\n")
        return "; ".join(line[12:].split(";", 1)[0] for line in lines if line.lower().startswith("set-cookie: "))


class Line:
    """One kept-open connection. It stays with the server process that accepted it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def exchange(self, sent: bytes) -> tuple[float, bytes, bytes]:
        """Send a request and read its whole answer: seconds, head, body."""
        start = time.perf_counter()
        self.socket.sendall(sent)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        head = received[:end]
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        while len(received) < end + 4 + length:
            received += self._more()
        return time.perf_counter() - start, head, received[end + 4 :]

    def _more(self) -> bytes:
        piece = self.socket.recv(65_536)
        if not piece:
            raise ConnectionError("the server hung up")
        return piece

    def about_worker(self) -> dict[str, Any]:
        """Which server process this line leads to, and how much CPU it used so far."""
        _, _, body = self.exchange(b"GET /load-run/worker HTTP/1.1\r\nHost: localhost\r\n\r\n")
        found: dict[str, Any] = json.loads(body)
        return found


class Browsers:
    """The lines to one tool: the same number to each of its processes."""

    def __init__(self, port: int, workers: int, lines_each: int) -> None:
        self._port = port
        self.lines_of: dict[int, list[Line]] = {}
        wanted = workers * lines_each
        spare: list[Line] = []
        for _ in range(ATTEMPTS):
            # Several at once: a line opened alone would mostly be taken by the same process.
            lines = [Line(port) for _ in range(wanted)]
            for line in lines:
                owner = self.lines_of.setdefault(line.about_worker()["pid"], [])
                (owner if len(owner) < lines_each else spare).append(line)
            if sum(map(len, self.lines_of.values())) == wanted:
                break
        for line in spare:
            line.socket.close()
        if [len(lines) for lines in self.lines_of.values()] != [lines_each] * workers:
            raise RuntimeError("the server's processes do not share its connections")
        self.lines = [line for lines in self.lines_of.values() for line in lines]

    def cpu(self) -> float:
        """Seconds of CPU that the tool's processes used so far."""
        return sum(float(lines[0].about_worker()["cpu"]) for lines in self.lines_of.values())

    def send(self, posts: Sequence[Post]) -> tuple[float, list[Answer]]:
        """Send all, the n-th always over the same line, each line one after the other. Seconds, and answers in order.

        Raises what went wrong on any line.
        """
        wires = [post.wire(self._port) for post in posts]
        raw: list[tuple[float, bytes, bytes]] = [(0.0, b"", b"")] * len(wires)
        failures: list[Exception] = []
        barrier = threading.Barrier(len(self.lines) + 1)

        def work(number: int, line: Line) -> None:
            barrier.wait()
            try:
                for index in range(number, len(wires), len(self.lines)):
                    raw[index] = line.exchange(wires[index])
            except Exception as failure:
                failures.append(failure)

        threads = [threading.Thread(target=work, args=each) for each in enumerate(self.lines)]
        for thread in threads:
            thread.start()
        barrier.wait()
        start = time.perf_counter()
        for thread in threads:
            thread.join()
        elapsed = time.perf_counter() - start
        if failures:
            raise failures[0]
        return elapsed, [Answer(seconds, head.decode("latin-1"), body.decode()) for seconds, head, body in raw]

    def close(self) -> None:
        for line in self.lines:
            line.socket.close()


@dataclass(frozen=True)
class Client:
    """The process in which the browsers live, seen from outside."""

    _pipe: Connection

    def connect(self, port: int, workers: int, lines_each: int) -> None:
        self._call("connect", port, workers, lines_each)

    def cpu(self) -> float:
        seconds: float = self._call("cpu")
        return seconds

    def send(self, posts: Sequence[Post]) -> tuple[float, list[Answer]]:
        answered: tuple[float, list[Answer]] = self._call("send", posts)
        return answered

    def _call(self, *call: Any) -> Any:
        self._pipe.send(call)
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def _serve(pipe: Connection) -> None:
    browsers: Browsers | None = None
    while call := pipe.recv():
        name, *arguments = call
        try:
            if name == "connect":
                if browsers:
                    browsers.close()
                browsers = Browsers(*arguments)
                pipe.send(None)
            else:
                pipe.send(getattr(browsers, name)(*arguments))
        except Exception as failure:
            pipe.send(failure)


@contextmanager
def running_client() -> Iterator[Client]:
    """A client process."""
    ours, theirs = multiprocessing.Pipe()
    # Not forked: it should hold nothing of what this process has open.
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield Client(ours)
    finally:
        ours.send(None)
        process.join(10)

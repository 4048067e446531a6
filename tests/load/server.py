"""One tool of a load run under gunicorn: `python -m tests.load.server TOOL FACTS BASE_URL SOCKET WORKERS THREADS`."""

import json
import os
import sys
import time
from collections.abc import Iterable
from typing import Any

from gunicorn.app.base import BaseApplication

from tests.load.tools import TOOLS, Facts, prepare_tandem


class Measured:
    """The same shell around every tool: it tells which process answers and how much CPU that used."""

    def __init__(self, tool: Any) -> None:
        self._tool = tool

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/load-run/worker":
            answer: Iterable[bytes] = self._tool(environ, start_response)
            return answer
        body = json.dumps({"pid": os.getpid(), "cpu": time.process_time()}).encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]


class Server(BaseApplication):
    """The same gunicorn for every tool."""

    def __init__(self, tool: str, facts: Facts, base_url: str, **options: Any) -> None:
        self._tool, self._facts, self._base_url, self._options = tool, facts, base_url, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Measured:
        return Measured(TOOLS[self._tool](self._facts, self._base_url))


def main() -> None:
    tool, facts, base_url, socket, workers, threads = sys.argv[1:]
    known: Facts = json.loads(facts)
    if tool == "tandem":
        prepare_tandem(known)
    Server(
        tool,
        known,
        base_url,
        bind=f"fd://{socket}",
        worker_class="gthread",
        workers=int(workers),
        threads=int(threads),
        # A line stays open while other tools have their turn.
        keepalive=120,
        timeout=120,
        graceful_timeout=5,
        loglevel="warning",
        control_socket_disable=True,
    ).run()


if __name__ == "__main__":
    main()

"""A real LMS and the real tool on two sites, and a real browser in front of them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from lti_tool.jobs.worker import Worker
from lti_tool.registration.service import keys
from lti_tool.settings import Settings
from lti_tool.support.crypto import KeyRing
from lti_tool.wiring import Services, build
from sandbox_lms import SandboxLms
from tests.browser.chromium import chromium
from tests.shared import Databases, in_english, serving

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark journeys, and let them come first: one worker waits for its browser while the others compute.

    At the end of a run a long one would leave all others idle.
    """
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("browser")
    items.sort(key=lambda item: not item.path.is_relative_to(HERE))


class QuietHandler(WSGIRequestHandler):
    """Serves without a line for each request."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  named so by the class it replaces
        if type == "error":
            super().log(type, message, *args)


@dataclass(frozen=True)
class Tool:
    """A running tool, its address, and its inside for what a test has to arrange."""

    url: str
    services: Services
    app: Flask


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    # Playwright's own five seconds are little where other tests keep the machine busy.
    expect.set_options(timeout=15_000)
    with sync_playwright() as started:
        yield started


@pytest.fixture
def lms() -> Iterator[SandboxLms]:
    lms = in_english(SandboxLms(profile="moodle"))
    # Moodle's roster lists an assistant as a learner: without that one their number is even, and all work in pairs.
    lms.unenrol(lms.course(), lms.people["assistant"])
    with lms.running():
        yield lms


@pytest.fixture
def tool(databases: Databases, lms: SandboxLms) -> Iterator[Tool]:
    """The tool on `localhost`, a site other than the LMS's `127.0.0.1`, with its embedded worker."""
    waiting = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=QuietHandler)
    url = f"http://localhost:{waiting.server_port}"
    settings = Settings.from_env(
        {
            "LTI_TOOL_DEVELOPMENT": "1",
            "LTI_TOOL_BASE_URL": url,
            "LTI_TOOL_DATABASE_URL": databases.sqlite(is_empty=False),
            "LTI_TOOL_SECRET_KEYS": KeyRing.generate_key(),
            "LTI_TOOL_REACHABLE_PRIVATE_HOSTS": f"127.0.0.1:{lms.port}",
        }
    )
    services = build(settings)
    with services.kit.open_session() as session:
        keys.ensure_signing_key(session, services.kit.secrets, now=services.kit.clock.now())
    worker = Worker(services.kit, services.handlers, services.periodic, threads=2)
    with serving(services) as app:
        waiting.app = app
        worker.start()
        with _answering(waiting):
            yield Tool(url, services, app)
        worker.stop(timedelta(seconds=10))
    services.engine.dispose()


@contextmanager
def _answering(server: BaseWSGIServer) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    """The address of the pages alone: an app without an LMS or a worker, on a real socket."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    with _answering(server):
        yield f"http://localhost:{server.server_port}"


OpenBrowser = Callable[[str], Browser]


@pytest.fixture
def open_browser(playwright: Playwright, tmp_path: Path) -> Iterator[OpenBrowser]:
    """Start a Chromium under a privacy policy of `chromium.POLICIES`."""
    with ExitStack() as started:

        def start(policy: str = "third-party cookies blocked") -> Browser:
            folder = tmp_path / f"chromium-{len(list(tmp_path.glob('chromium-*')))}"
            opened: AbstractContextManager[Browser] = chromium(playwright, folder, policy)
            return started.enter_context(opened)

        yield start


@pytest.fixture(scope="session")
def browser_of_all(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One Chromium for tests of pages alone, where no other site and no privacy setting plays a part."""
    with chromium(playwright, tmp_path_factory.mktemp("chromium"), "third-party cookies blocked") as browser:
        yield browser


@pytest.fixture
def context(browser_of_all: Browser) -> Iterator[BrowserContext]:
    """A window of its own, with no cookie and nothing stored."""
    context = browser_of_all.new_context()
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def no_cookies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that takes none of our cookies: they are not even sent."""
    set_cookie: Callable[..., None] = Response.set_cookie

    def only_others(self: Response, *names: Any, partitioned: bool = False, **values: Any) -> None:
        if not partitioned:
            set_cookie(self, *names, **values)

    monkeypatch.setattr(Response, "set_cookie", only_others)

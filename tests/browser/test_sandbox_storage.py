"""The sandbox LMS's platform storage and frames, in a real browser with the tool on another site."""

import html
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Frame, Page, Playwright

from sandbox_lms import SandboxLms
from tests.browser.chromium import executable

PAGE = """<!doctype html><title>Tool</title><p id="target">{target}</p><script>
window.heard = [];
addEventListener("message", (event) => heard.push({{ origin: event.origin, data: event.data }}));
function say(subject, more, origin) {{
  const name = document.getElementById("target").textContent;
  const to = name === "_parent" || !name ? parent : parent.frames[name];
  if (!to) return "no frame";
  to.postMessage({{ subject, message_id: subject + heard.length, ...more }}, origin);
  return "said";
}}
</script>"""


class _Tool(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        fields = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        target = html.escape(fields.get("lti_storage_target", [""])[0])
        self._answer(PAGE.format(target=target))

    def do_GET(self) -> None:
        self._answer(PAGE.format(target=""))

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  named so by the class
        """Keep quiet."""


@pytest.fixture
def tool_url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tool)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=executable())
    yield browser
    browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(10_000)
    yield page
    page.close()


@contextmanager
def activity(profile: str, tool_url: str, page: Page, behavior: str = "answer") -> Iterator[tuple[SandboxLms, Frame]]:
    """A learner looks at an activity; gives the tool's frame."""
    with SandboxLms(profile).running() as lms:
        lms.storage_behavior = behavior
        tool = lms.register_tool(
            title="Tool",
            initiate_login_uri=f"{tool_url}/login",
            redirect_uris=[f"{tool_url}/launch"],
            jwks_uri=f"{tool_url}/jwks",
            target_link_uri=f"{tool_url}/launch",
        )
        link = lms.add_link(lms.course(), tool, title="Activity")
        page.goto(lms.url)
        page.get_by_role("button", name="Mette Sørensen").click()
        page.get_by_role("link", name=link.title, exact=True).click()
        page.frame_locator("#tool").locator("#target").wait_for(state="attached")
        page.wait_for_load_state("load")
        frame = page.frame("tool")
        assert frame is not None
        yield lms, frame


def heard(frame: Frame, count: int) -> list[dict[str, Any]]:
    frame.wait_for_function(f"heard.length >= {count}")
    answers: list[dict[str, Any]] = frame.evaluate("heard")
    return answers


def say(frame: Frame, subject: str, origin: str, **more: Any) -> str:
    said: str = frame.evaluate("([subject, more, origin]) => say(subject, more, origin)", [subject, more, origin])
    return said


@pytest.mark.parametrize("profile", ["canvas", "blackboard", "brightspace"])
def test_what_a_tool_put_away_is_handed_back_to_it(profile: str, tool_url: str, page: Page) -> None:
    with activity(profile, tool_url, page) as (lms, frame):
        say(frame, "lti.capabilities", lms.url)
        heard(frame, 1)
        say(frame, "lti.put_data", lms.url, key="lti.state", value="secret")
        heard(frame, 2)
        say(frame, "lti.get_data", lms.url, key="lti.state")
        say(frame, "lti.get_data", lms.url, key="other")

        can, put, got, nothing = heard(frame, 4)

        subjects = {one["subject"] for one in can["data"]["supported_messages"]}
        assert {"lti.put_data", "lti.get_data"} <= subjects
        assert put["data"] == {
            "subject": "lti.put_data.response",
            "message_id": "lti.put_data1",
            "key": "lti.state",
            "value": "secret",
        }
        assert (got["data"]["value"], got["origin"]) == ("secret", lms.url)
        assert nothing["data"]["value"] is None


def test_moodle_answers_no_message(tool_url: str, page: Page) -> None:
    with activity("moodle", tool_url, page) as (lms, frame):
        assert say(frame, "lti.put_data", lms.url, key="a", value="b") == "said"
        page.wait_for_timeout(500)
        assert frame.evaluate("heard") == []


def test_a_silent_platform_says_nothing(tool_url: str, page: Page) -> None:
    with activity("canvas", tool_url, page, "silent") as (lms, frame):
        assert say(frame, "lti.get_data", lms.url, key="a") == "said"
        page.wait_for_timeout(500)
        assert frame.evaluate("heard") == []


def test_a_missing_frame_is_missing(tool_url: str, page: Page) -> None:
    with activity("canvas", tool_url, page, "missing_frame"):
        assert page.frame("post_message_forwarding") is None


@pytest.mark.parametrize("profile", ["canvas", "blackboard"])
def test_an_answer_can_come_from_a_wrong_origin(profile: str, tool_url: str, page: Page) -> None:
    with activity(profile, tool_url, page, "wrong_origin") as (lms, frame):
        page.frame_locator("iframe[name=stranger]").get_by_role(
            "heading", name="Answers from another origin", include_hidden=True
        ).wait_for(state="attached")
        say(frame, "lti.get_data", lms.url, key="a")
        (answer,) = heard(frame, 1)
        assert answer["data"]["subject"] == "lti.get_data.response"
        assert answer["origin"] == lms.url.replace("127.0.0.1", "localhost")


@pytest.mark.parametrize(("profile", "height"), [("canvas", 1234), ("moodle", None)])
def test_a_tool_gets_more_height_where_the_product_listens(
    profile: str, height: int | None, tool_url: str, page: Page
) -> None:
    with activity(profile, tool_url, page) as (lms, frame):
        before = page.locator("#tool").bounding_box()
        frame.evaluate("url => parent.postMessage({ subject: 'lti.frameResize', height: 1234 }, url)", lms.url)
        page.wait_for_timeout(300)
        after = page.locator("#tool").bounding_box()
        assert before is not None
        assert after is not None
        assert round(after["height"]) == (height or round(before["height"]))


def test_a_registration_ends_when_its_own_frame_says_so(tool_url: str, page: Page) -> None:
    with SandboxLms().running() as lms:
        lms.suggested_registration_url = f"{tool_url}/register?invite=1"
        page.goto(lms.url)
        page.get_by_role("button", name="Go as Ada – Register the tool").click()
        page.get_by_role("button", name="Open the tool's page").click()
        frame = page.frame_locator("#tool")
        frame.locator("#target").wait_for(state="attached")
        page.evaluate("postMessage({ subject: 'org.imsglobal.lti.close' }, '*')")
        page.wait_for_timeout(200)
        assert page.url.endswith("/admin/register")
        frame.locator("#target").evaluate("() => parent.postMessage({ subject: 'org.imsglobal.lti.close' }, '*')")
        page.wait_for_url("**/admin")

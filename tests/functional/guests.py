"""Somebody whom a launch let in, and what they read."""

import re
from dataclasses import dataclass
from html import unescape

from werkzeug.test import TestResponse

from tests.functional.launching import BASE_URL, Browser

PROOF = {"Accept": "text/html"}


@dataclass
class Guest:
    """Somebody with a visit that a launch opened, in a browser that keeps cookies and runs no script."""

    browser: Browser
    key: str
    landing: TestResponse

    def get(self, path: str = "/") -> TestResponse:
        return self.browser.client.get(f"/v/{self.key}{path}", base_url=BASE_URL, headers=PROOF, follow_redirects=True)

    def send(self, path: str, **fields: str) -> TestResponse:
        """Send a form and stay with its answer. The proof is taken from a page, as a browser would."""
        return self.browser.client.post(
            f"/v/{self.key}{path}", data={"form_token": self.token(), **fields}, base_url=BASE_URL, headers=PROOF
        )

    def post(self, path: str, **fields: str) -> TestResponse:
        """Send a form and follow where it leads."""
        answer = self.send(path, **fields)
        if answer.status_code != 303:
            return answer
        return self.browser.client.get(
            answer.headers["Location"], base_url=BASE_URL, headers=PROOF, follow_redirects=True
        )

    def token(self) -> str:
        # The header of every page has the form that opens a tab of its own.
        found = re.search(r'name="form_token" value="([^"]+)"', self.landing.text)
        assert found is not None, self.landing.text
        return found[1]


def text_of(page: TestResponse) -> str:
    """What a person reads on a page, in one line."""
    main = re.search(r"<main.*?</main>", page.text, re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main[0] if main else page.text)))

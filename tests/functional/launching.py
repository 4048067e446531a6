"""A platform and a browser for tests of launches: what one signs and the other keeps."""

import html
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

BASE_URL = "http://localhost:8000"


@dataclass
class Begun:
    """What the login page gave the browser."""

    page: TestResponse
    state: str
    secret: str
    next: str
    cookie: str

    @property
    def request(self) -> dict[str, str]:
        """The authentication request that goes to the platform."""
        return dict(parse_qsl(urlsplit(self.next).query))


@dataclass
class Browser:
    """A browser that keeps cookies, or none."""

    app: Flask
    keeps_cookies: bool = True
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client(use_cookies=self.keeps_cookies)

    def login(self, fields: dict[str, str], *, method: str = "POST", path: str = "/lti/login") -> TestResponse:
        where: dict[str, Any] = {"data": fields} if method == "POST" else {"query_string": fields}
        return self.client.open(path, method=method, base_url=BASE_URL, **where)

    def begin(self, fields: dict[str, str], **how: str) -> Begun:
        page = self.login(fields, **how)
        assert page.status_code == 200, page.text
        return Begun(
            page,
            state=attribute(page.text, "data-state"),
            secret=attribute(page.text, "data-secret"),
            next=attribute(page.text, "data-next"),
            cookie=attribute(page.text, "data-kept").rsplit("=", 1)[1],
        )

    def launch(self, fields: dict[str, str]) -> TestResponse:
        return self.client.post("/lti/launch", data=fields, base_url=BASE_URL)

    def confirm(self, state: str, secret: str) -> TestResponse:
        return self.client.post("/lti/launch/confirm", data={"state": state, "secret": secret}, base_url=BASE_URL)


def attribute(page: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', page)
    assert found is not None, f"{name} is not on the page"
    return html.unescape(found[1])


def reference_on(page: str) -> str:
    found = re.search(r"<code>([A-Z0-9]{8})</code>", page)
    assert found is not None, "no reference on the page"
    return found[1]

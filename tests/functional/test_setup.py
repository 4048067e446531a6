"""A designer sets an activity up and places it, through the pages."""

import pytest
from flask import Flask

from lti_tool.launch.rules import LTI
from lti_tool.support.kit import Kit
from lti_tool.web.visits import VisitKind
from tests.fakes.clock import FakeClock
from tests.functional.designing import Designer, a_designer, answer_page, claims_of

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"


@pytest.fixture
def placing(app: Flask, kit: Kit, clock: FakeClock) -> Designer:
    """Somebody in the deep-linking dialog."""
    return a_designer(app, kit, clock, kind=VisitKind.PLACING)


@pytest.fixture
def visiting(app: Flask, kit: Kit, clock: FakeClock) -> Designer:
    """Somebody who opened a plain link."""
    return a_designer(app, kit, clock, kind=VisitKind.ACTIVITY)


def test_a_designer_places_the_template_as_it_is(placing: Designer) -> None:
    chosen = placing.get("/setup")
    assert "Observation and feedback" in chosen.text
    path, fields = placing.start()
    answer = placing.post(path, **fields, do="place")
    page = answer_page(placing, answer)
    [activity] = placing.activities()
    assert activity.state == "ready"
    claims = claims_of(placing, page)
    assert claims["iss"] == placing.registration.client_id
    assert claims[f"{LTI}message_type"] == "LtiDeepLinkingResponse"
    [item] = claims[f"{DL}content_items"]
    assert item["type"] == "ltiResourceLink"
    assert item["url"] == "http://localhost:8000/lti/launch"
    assert item["custom"]["activity"] == activity.key
    assert item["lineItem"]["scoreMaximum"] == 100
    assert f"{DL}data" not in claims
    origin = placing.registration.platform_origins[0]
    assert f"form-action 'self' {origin}" in page.headers["Content-Security-Policy"]

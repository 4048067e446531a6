"""What Open edX's consumer says about our preflights, launches, tokens and deep links."""

from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.service.deep_linking import HISTORY
from lti_tool.support.db import across_institutions
from lti_tool.web.visits import Visit
from tests.crosscheck.edx import (
    COURSE,
    Edx,
    LtiDlLtiResourceLinkSerializer,
    PreflightRequestValidationFailure,
    launch,
    new_pem,
    preflight,
)
from tests.crosscheck.rig import ACTIVITY, Tool, platform_and_tool

LINE_ITEMS = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
SCORES = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
RESULTS = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
ROSTER = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
DEEP_LINKING = "LtiDeepLinkingRequest"


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Edx, Tool]]:
    with platform_and_tool(Edx, tmp_path) as (edx, tool):
        assert isinstance(edx, Edx)
        edx.granting = edx.consumer(tool)
        yield edx, tool


@pytest.mark.parametrize(
    ("role", "becomes"),
    [
        ("student", "learner"),
        ("staff", "instructor"),
        ("instructor", "instructor"),
        ("Community TA", "assistant"),
        ("guest", "learner"),
    ],
)
def test_a_launch_by_edx_opens_a_visit_with_the_role_it_names(both: tuple[Edx, Tool], role: str, becomes: str) -> None:
    edx, tool = both
    visit = tool.launch(launch(tool, edx.consumer(tool), "anonymous-id-1", role))
    assert (visit.kind, visit.role) == ("activity", becomes)
    with tool.kit.open_session() as session, across_institutions(session):
        person, course = session.get_one(Person, visit.person_id), session.get_one(Course, visit.course_id)
        member = session.get_one(Member, visit.member_id)
    assert (person.sub, person.name, member.role) == ("anonymous-id-1", "Ada Lovelace", becomes)
    assert (course.context_id, course.memberships_url) == (COURSE, f"{edx.url}/memberships")
    assert SCORES in course.gradebook_scopes


@pytest.mark.parametrize("part", ["client_id", "redirect_uri", "nonce", "state"])
def test_edx_does_check_what_our_preflight_says(both: tuple[Edx, Tool], part: str) -> None:
    edx, tool = both
    consumer = edx.consumer(tool)
    asked = preflight(tool, consumer, "anonymous-id-1", "student")
    assert consumer.generate_launch_request(asked)["state"] == asked["state"]
    with pytest.raises(PreflightRequestValidationFailure):
        consumer.generate_launch_request(asked | {part: ""})


def test_a_launch_signed_by_somebody_else_is_refused(both: tuple[Edx, Tool]) -> None:
    edx, tool = both
    forged = launch(tool, edx.consumer(tool, pem=new_pem()), "1", "student")
    assert tool.browser.post("/lti/launch", data=forged).status_code in {400, 401, 403}
    with tool.kit.open_session() as session, across_institutions(session):
        assert session.query(Visit).count() == 0


def test_edx_grants_a_token_for_our_assertion(both: tuple[Edx, Tool]) -> None:
    edx, tool = both
    token = tool.token(SCORES, RESULTS, ROSTER)
    assert token.granted == {SCORES, RESULTS, ROSTER}
    assert edx.granting.check_token(token.value, [SCORES])
    assert not edx.granting.check_token(token.value, [LINE_ITEMS])


def test_edx_takes_what_we_sign_with_a_new_key(both: tuple[Edx, Tool]) -> None:
    edx, tool = both
    before = tool.token(SCORES)
    tool.change_keys()
    after = tool.token(ROSTER)
    assert edx.granting.check_token(before.value, [SCORES])
    assert edx.granting.check_token(after.value, [ROSTER])


def test_edx_reads_our_deep_link_and_launches_what_it_names(both: tuple[Edx, Tool]) -> None:
    edx, tool = both
    consumer = edx.consumer(tool)
    placing = tool.launch(launch(tool, consumer, "designer", "staff", DEEP_LINKING))
    assert placing.kind == "placing"

    [item] = consumer.check_and_decode_deep_linking_token(tool.place(placing, edx.url))
    checked = LtiDlLtiResourceLinkSerializer(data=item)
    assert checked.is_valid(), checked.errors
    kept = checked.validated_data
    assert kept["custom"] == {"activity": ACTIVITY, **HISTORY}
    assert kept["lineItem"] == {
        "label": "Observation",
        "scoreMaximum": 100,
        "resourceId": ACTIVITY,
        "tag": "completion",
    }

    consumer.set_dl_content_launch_parameters(url=kept["url"], custom=kept["custom"])
    visit = tool.launch(launch(tool, consumer, "learner", "student"))
    assert (visit.kind, visit.role, visit.details["activity"]) == ("activity", "learner", ACTIVITY)


def test_edx_refuses_a_deep_link_that_was_changed_on_the_way(both: tuple[Edx, Tool]) -> None:
    edx, tool = both
    consumer = edx.consumer(tool)
    placing = tool.launch(launch(tool, consumer, "designer", "staff", DEEP_LINKING))
    head, _, signature = tool.place(placing, edx.url).split(".")
    other = tool.place(placing, edx.url).split(".")[1]
    with pytest.raises(jwt.InvalidSignatureError):
        consumer.check_and_decode_deep_linking_token(f"{head}.{other}.{signature}")

"""The sandbox LMS as an OpenID provider: logins, tokens for tools' pages, hostile and stale requests."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import requests

from sandbox_lms import PROFILES, SandboxLms
from sandbox_lms import vocabulary as words
from sandbox_lms.keys import new_key
from sandbox_lms.oidc import MayNotLaunch, UntrustedRequest
from tests.contract.sandbox_tool import TIMEOUT, TinyTool, sandbox

ROLES = f"{words.LTI}roles"


@pytest.fixture
def moodle() -> Iterator[tuple[SandboxLms, TinyTool]]:
    with sandbox() as both:
        yield both


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_learner_launches_in_every_product(profile: str) -> None:
    with sandbox(profile) as (lms, tool):
        link = lms.add_link(lms.course(), tool.registered, title="Observe – øvelse", line_item={"scoreMaximum": 10})
        learner = lms.people["learner07"]

        claims = tool.launched(learner, link)

        assert claims["sub"] == learner.sub
        assert claims["nonce"] == "nonce-1"
        assert (claims["name"], claims["email"]) == ("Søren Kjær", "learner07@school.example")
        assert claims[f"{words.LTI}deployment_id"] == tool.registered.deployment_id
        assert claims[f"{words.LTI}resource_link"]["title"] == "Observe – øvelse"
        assert f"{words.CONTEXT}Learner" in claims[ROLES]
        assert f"{words.CONTEXT}Instructor" not in claims[ROLES]
        assert claims[f"{words.LTI}launch_presentation"]["locale"] == "da"
        assert "/lineitems/" in claims[words.AGS_ENDPOINT]["lineitem"]
        assert claims["exp"] - claims["iat"] == PROFILES[profile].id_token_lifetime


@pytest.mark.parametrize(
    ("username", "recording"),
    [("learner01", "student01"), ("designer", "teacher1"), ("assistant", "tutor1"), ("admin", "admin")],
)
def test_moodles_launch_says_what_a_real_one_said(
    moodle: tuple[SandboxLms, TinyTool], username: str, recording: str
) -> None:
    lms, tool = moodle
    recorded = json.loads((Path(__file__).parent / "recordings" / "moodle_launches.json").read_text())
    theirs = recorded[f"launch_resourcelink_{recording}"]
    link = lms.add_link(lms.course(), tool.registered, custom={"mixedCase": "x"}, line_item={})
    login = lms.login_form(lms.people[username], link)

    ours = tool.claims_of(lms.authorize(tool.authentication_request(login)))

    assert list(login.fields) == list(theirs["login_initiation"])
    # The sandbox serves no Basic Outcomes, so it does not offer them.
    expected = {key: value for key, value in theirs["claims"].items() if "lti-bo" not in key}
    assert set(ours) == set(expected)
    assert ours[ROLES] == expected[ROLES]
    assert ours["exp"] - ours["iat"] == expected["exp"] - expected["iat"]
    for name in ("context", "resource_link", "launch_presentation", "tool_platform", "ext", "lis"):
        assert set(ours[f"{words.LTI}{name}"]) == set(expected[f"{words.LTI}{name}"]), name
    for claim in (words.AGS_ENDPOINT, words.NRPS_SERVICE):
        assert set(ours[claim]) == set(expected[claim])
    assert type(ours["aud"]) is type(expected["aud"])


def test_the_browser_gets_a_form_that_posts_itself_to_the_tool(moodle: tuple[SandboxLms, TinyTool]) -> None:
    lms, tool = moodle
    login = lms.login_form(lms.people["learner01"], lms.add_link(lms.course(), tool.registered))

    page = requests.get(f"{lms.url}/auth", params=tool.authentication_request(login), timeout=TIMEOUT)

    assert page.status_code == 200
    assert f'action="{tool.url}/launch"' in page.text
    assert re.search(r'name="id_token" value="[\w-]+\.[\w-]+\.[\w-]+"', page.text)
    assert 'name="state" value="state-1"' in page.text
    assert "<script>" not in page.text


def test_moodle_forgets_a_login_once_it_was_answered(moodle: tuple[SandboxLms, TinyTool]) -> None:
    lms, tool = moodle
    login = lms.login_form(lms.people["learner01"], lms.add_link(lms.course(), tool.registered))
    request = tool.authentication_request(login)

    first, second = lms.authorize(request), lms.authorize(request)

    assert "id_token" in first.fields
    assert second.fields["error"] == "invalid_request"
    assert second.fields["state"] == "state-1"
    assert "id_token" not in second.fields


def test_canvas_answers_a_login_more_than_once() -> None:
    with sandbox("canvas") as (lms, tool):
        login = lms.login_form(lms.people["learner01"], lms.add_link(lms.course(), tool.registered))
        request = tool.authentication_request(login)
        assert all("id_token" in lms.authorize(request).fields for _ in range(2))


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("scope", "openid profile", "invalid_scope"),
        ("response_type", "code", "unsupported_response_type"),
        ("response_mode", "query", "invalid_request"),
        ("prompt", "login", "invalid_request"),
        ("nonce", "", "invalid_request"),
        ("login_hint", "3", "access_denied"),
        ("lti_message_hint", "made up", "invalid_request"),
    ],
)
def test_a_request_with_a_wrong_part_is_answered_with_an_error(
    moodle: tuple[SandboxLms, TinyTool], name: str, value: str, error: str
) -> None:
    lms, tool = moodle
    login = lms.login_form(lms.people["learner01"], lms.add_link(lms.course(), tool.registered))

    answer = lms.authorize(tool.authentication_request(login, **{name: value}))

    assert answer.fields["error"] == error
    assert "id_token" not in answer.fields


@pytest.mark.parametrize("wrong", [{"client_id": "nobody"}, {"redirect_uri": "https://elsewhere.example/launch"}])
def test_nothing_is_sent_to_an_address_that_was_not_registered(
    moodle: tuple[SandboxLms, TinyTool], wrong: dict[str, str]
) -> None:
    lms, tool = moodle
    login = lms.login_form(lms.people["learner01"], lms.add_link(lms.course(), tool.registered))
    request = tool.authentication_request(login, **wrong)

    with pytest.raises(UntrustedRequest):
        lms.authorize(request)
    assert requests.get(f"{lms.url}/auth", params=request, timeout=TIMEOUT).status_code == 400


def test_somebody_else_at_the_browser_is_refused(moodle: tuple[SandboxLms, TinyTool]) -> None:
    lms, tool = moodle
    login = lms.login_form(lms.people["learner01"], lms.add_link(lms.course(), tool.registered))
    browser = requests.Session()
    browser.post(f"{lms.url}/be", data={"person": "learner02"}, timeout=TIMEOUT)

    page = browser.get(f"{lms.url}/auth", params=tool.authentication_request(login), timeout=TIMEOUT)

    assert 'name="error" value="access_denied"' in page.text
    assert "id_token" not in page.text


def test_people_without_a_place_in_the_course_do_not_reach_the_tool(moodle: tuple[SandboxLms, TinyTool]) -> None:
    lms, tool = moodle
    course = lms.course()
    link = lms.add_link(course, tool.registered)
    suspended, gone, outsider = lms.people["learner01"], lms.people["learner02"], lms.add_person("outsider", "Otto")
    lms.suspend(course, suspended)
    lms.unenrol(course, gone)

    for person in (suspended, gone, outsider):
        with pytest.raises(MayNotLaunch):
            lms.login_form(person, link)
    lms.resume(course, suspended)
    assert lms.login_form(suspended, link).fields["login_hint"] == suspended.sub


def test_a_tool_that_is_switched_off_is_not_launched(moodle: tuple[SandboxLms, TinyTool]) -> None:
    lms, tool = moodle
    link = lms.add_link(lms.course(), tool.registered)
    lms.deactivate(tool.registered)
    with pytest.raises(MayNotLaunch):
        lms.login_form(lms.people["learner01"], link)
    assert tool.ask_for_token().json()["error"] == "invalid_client"


def test_roles_are_worded_as_each_product_words_them() -> None:
    told: dict[str, dict[str, list[str]]] = {}
    for profile in PROFILES:
        with sandbox(profile) as (lms, tool):
            link = lms.add_link(lms.course(), tool.registered)
            people = ("designer", "assistant", "observer", "admin", "test-student")
            told[profile] = {name: tool.launched(lms.people[name], link)[ROLES] for name in people}

    assert told["moodle"]["assistant"] == told["moodle"]["designer"] == [f"{words.CONTEXT}Instructor"]
    assert told["moodle"]["admin"] == [
        f"{words.INSTITUTION}Administrator",
        f"{words.CONTEXT}Instructor",
        f"{words.SYSTEM}Administrator",
    ]
    assert all(f"{words.SYSTEM}User" in roles for roles in told["canvas"].values())
    assert words.TEST_PERSON in told["canvas"]["test-student"]
    assert not any(words.CONTEXT in role for role in told["canvas"]["admin"])
    assert told["blackboard"]["assistant"] == [f"{words.CONTEXT_INSTRUCTOR}TeachingAssistant"]
    assert {f"{words.CONTEXT}Learner", f"{words.CONTEXT}Instructor"} < set(told["brightspace"]["admin"])


def test_a_teacher_with_a_switched_role_arrives_as_a_learner(moodle: tuple[SandboxLms, TinyTool]) -> None:
    lms, tool = moodle
    link = lms.add_link(lms.course(), tool.registered)
    claims = tool.launched(lms.people["designer"], link, as_learner=True)
    assert claims[ROLES] == [f"{words.CONTEXT}Learner"]
    assert claims["sub"] == lms.people["designer"].sub


def test_a_look_at_a_grade_names_the_learner(moodle: tuple[SandboxLms, TinyTool]) -> None:
    lms, tool = moodle
    review = {"url": f"{tool.url}/launch?review", "custom": {"review": "1"}}
    link = lms.add_link(lms.course(), tool.registered, line_item={"scoreMaximum": 5, "submissionReview": review})

    claims = tool.launched(lms.people["designer"], link, for_person=lms.people["learner03"])

    assert claims[f"{words.LTI}message_type"] == "LtiSubmissionReviewRequest"
    assert claims[f"{words.LTI}for_user"] == {"user_id": lms.people["learner03"].sub}
    assert claims[f"{words.LTI}target_link_uri"] == f"{tool.url}/launch?review"
    assert claims[f"{words.LTI}custom"]["review"] == "1"


def test_names_and_mail_stay_in_the_lms_when_the_tool_may_not_have_them(moodle: tuple[SandboxLms, TinyTool]) -> None:
    lms, tool = moodle
    link = lms.add_link(lms.course(), tool.registered, custom={"mail": "$Person.email.primary"})
    lms.set_privacy(tool.registered, name=False, email=False)

    claims = tool.launched(lms.people["learner01"], link)

    assert not {"name", "given_name", "family_name", "email"} & set(claims)
    assert claims[f"{words.LTI}custom"] == {"mail": None}


def test_custom_parameters_are_filled_in_as_moodle_does(moodle: tuple[SandboxLms, TinyTool]) -> None:
    lms, tool = moodle
    course = lms.copy_course(lms.course(), "copy")
    link = lms.add_link(
        course,
        tool.registered,
        custom={
            "id": "$ResourceLink.id",
            "CamelCase": "kept",
            "group": "$CourseGroup.id",
            "old": "$Context.id.history",
        },
    )
    assert tool.launched(lms.people["designer"], link)[f"{words.LTI}custom"] == {
        "id": link.id,
        "camelcase": "kept",
        "CamelCase": "kept",
        "group": "$CourseGroup.id",
        "old": lms.course().id,
    }


def test_a_new_key_signs_while_the_old_one_is_still_published(moodle: tuple[SandboxLms, TinyTool]) -> None:
    lms, tool = moodle
    link = lms.add_link(lms.course(), tool.registered)
    old = lms.sign({"iss": lms.issuer})
    lms.rotate_keys()

    published = requests.get(f"{lms.url}/jwks", timeout=TIMEOUT).json()["keys"]

    kids = [key["kid"] for key in published]
    assert jwt.get_unverified_header(old)["kid"] == kids[0] != kids[1]
    assert tool.launched(lms.people["learner01"], link)["sub"] == lms.people["learner01"].sub
    lms.rotate_keys(withdraw_old=True)
    assert kids[0] not in str(requests.get(f"{lms.url}/jwks", timeout=TIMEOUT).json())


def test_hostile_tokens_can_be_made(moodle: tuple[SandboxLms, TinyTool]) -> None:
    lms, tool = moodle
    link = lms.add_link(lms.course(), tool.registered)
    claims = lms.launch_claims(lms.people["learner01"], link, nonce="mine") | {"sub": "somebody"}
    stranger = new_key()

    token = lms.sign(claims, kid="odd", headers={"jku": "https://elsewhere.example"}, key=stranger.private)

    header = jwt.get_unverified_header(token)
    assert (header["kid"], header["jku"]) == ("odd", "https://elsewhere.example")
    opened = jwt.decode(token, stranger.private.public_key(), ["RS256"], audience=tool.registered.client_id)
    assert (opened["sub"], opened["nonce"]) == ("somebody", "mine")


def test_the_login_carries_what_each_product_adds() -> None:
    fields: dict[str, set[str]] = {}
    for profile in PROFILES:
        with sandbox(profile) as (lms, tool):
            login = lms.login_form(lms.people["learner01"], lms.add_link(lms.course(), tool.registered))
            fields[profile] = set(login.fields)
            lms.storage_behavior = "missing_frame"
            again = lms.login_form(lms.people["learner01"], lms.links[0])
            assert "lti_storage_target" not in again.fields

    common = {"iss", "target_link_uri", "login_hint", "lti_message_hint", "client_id", "lti_deployment_id"}
    assert fields["moodle"] == common
    assert fields["canvas"] == common | {"lti_storage_target", "canvas_region", "canvas_environment"}
    assert fields["brightspace"] == fields["blackboard"] == common | {"lti_storage_target"}


def test_blackboard_tells_institutions_apart_by_deployment_alone() -> None:
    with sandbox("blackboard") as (lms, tool):
        other = lms.add_deployment(tool.registered)
        links = [lms.add_link(lms.course(), tool.registered, deployment_id=one) for one in (None, other)]
        claims = [tool.launched(lms.people["learner01"], link) for link in links]

    assert {one["iss"] for one in claims} == {"https://blackboard.example"}
    assert len({one["aud"] for one in claims}) == 1
    assert [one[f"{words.LTI}deployment_id"] for one in claims] == tool.registered.deployment_ids

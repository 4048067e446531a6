"""The sandbox LMS takes tools in and places what they offer: dynamic registration, deep linking, its pages."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sandbox_lms import PROFILES, SandboxLms
from sandbox_lms import vocabulary as words
from sandbox_lms.messages import line_item_url
from tests.contract.sandbox_tool import TIMEOUT, TinyTool, part_of, query_of, sandbox

RECORDINGS = Path(__file__).parent / "recordings"
Both = tuple[SandboxLms, TinyTool]


def recorded(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text())
    return content


@pytest.fixture
def moodle() -> Iterator[Both]:
    with sandbox() as both:
        yield both


def signed_in(lms: SandboxLms, username: str) -> requests.Session:
    browser = requests.Session()
    page = browser.post(f"{lms.url}/be", data={"person": username}, timeout=TIMEOUT)
    assert page.status_code == 200
    return browser


# deep linking


def started(lms: SandboxLms, tool: TinyTool, **settings: Any) -> dict[str, Any]:
    """The claims of a deep-linking launch by the designer."""
    login = lms.deep_link_form(lms.people["designer"], lms.course(), tool.registered, **settings)
    return tool.claims_of(lms.authorize(tool.authentication_request(login)))


def returned(claims: dict[str, Any], message: str) -> requests.Response:
    address = claims[words.DEEP_LINKING_SETTINGS]["deep_link_return_url"]
    return requests.post(address, data={"JWT": message}, timeout=TIMEOUT)


def an_item(tool: TinyTool, **own: Any) -> dict[str, Any]:
    item = {
        "type": "ltiResourceLink",
        "title": "Observe a rehearsal",
        "text": "In pairs",
        "url": f"{tool.url}/launch",
        "custom": {"activity": "7"},
        "lineItem": {"scoreMaximum": 20, "label": "Not used", "resourceId": "r", "tag": "t"},
    }
    return item | own


def test_a_designer_places_an_activity_and_confirms_it(moodle: Both) -> None:
    lms, tool = moodle
    claims = started(lms, tool)
    seen = recorded("moodle_launches")["deeplinking_teacher1_two"]["claims"]
    assert set(seen[words.DEEP_LINKING_SETTINGS]) == set(claims[words.DEEP_LINKING_SETTINGS])
    assert f"{words.LTI}resource_link" not in claims

    answer = returned(claims, tool.deep_link_answer([an_item(tool)]))

    assert answer.status_code == 200
    assert lms.links == []
    (link,) = lms.save_selection()
    assert (link.title, link.text, link.custom) == ("Observe a rehearsal", "In pairs", {"activity": "7"})
    (column,) = lms.line_items_of(link)
    assert (column.label, column.score_maximum, column.resource_id, column.tag) == ("Observe a rehearsal", 20, "r", "t")
    assert lms.save_selection() == []
    assert tool.launched(lms.people["learner01"], link)[f"{words.LTI}custom"] == {"activity": "7"}


def test_canvas_places_at_once_and_wants_its_data_back() -> None:
    with sandbox("canvas") as (lms, tool):
        claims = started(lms, tool)
        data = claims[words.DEEP_LINKING_SETTINGS]["data"]
        assert returned(claims, tool.deep_link_answer([an_item(tool)])).status_code == 400
        assert returned(claims, tool.deep_link_answer([an_item(tool)], data="other")).status_code == 400
        assert returned(claims, tool.deep_link_answer([an_item(tool)], data=data)).status_code == 200
        assert [link.title for link in lms.links] == ["Observe a rehearsal"]


def test_an_empty_answer_places_nothing(moodle: Both) -> None:
    lms, tool = moodle
    claims = started(lms, tool)
    page = returned(claims, tool.deep_link_answer([]))
    assert page.status_code == 200
    assert "Nothing was picked" in page.text
    assert lms.save_selection() == []


def test_a_platform_that_takes_no_columns_makes_none(moodle: Both) -> None:
    lms, tool = moodle
    claims = started(lms, tool, accept_lineitem=False)
    returned(claims, tool.deep_link_answer([an_item(tool)]))
    (link,) = lms.save_selection()
    assert lms.line_items_of(link) == []


def test_answers_that_are_not_right_in_every_part_are_refused(moodle: Both) -> None:
    lms, tool = moodle
    claims = started(lms, tool, accept_multiple=False)
    now = int(lms.now().timestamp())
    good = [an_item(tool)]
    honest = tool.sign
    wrong = {
        "type": tool.deep_link_answer([an_item(tool, type="link")]),
        "foreign address": tool.deep_link_answer([an_item(tool, url="https://elsewhere.example/")]),
        "custom": tool.deep_link_answer([an_item(tool, custom={"a": 1})]),
        "maximum": tool.deep_link_answer([an_item(tool, lineItem={"scoreMaximum": 0})]),
        "too many": tool.deep_link_answer(good * 2),
        "data that was not sent": tool.deep_link_answer(good, data="x"),
        "audience": tool.deep_link_answer(good, aud="https://elsewhere.example"),
        "issuer": tool.deep_link_answer(good, iss="somebody"),
        "expired": tool.deep_link_answer(good, exp=now - 100),
        "deployment": tool.deep_link_answer(good, **{f"{words.LTI}deployment_id": "99"}),
        "message": tool.deep_link_answer(good, **{f"{words.LTI}message_type": "LtiResourceLinkRequest"}),
        "version": tool.deep_link_answer(good, **{f"{words.LTI}version": "1.1"}),
        "no nonce": tool.deep_link_answer(good, nonce=""),
        "rubbish": "no JWT",
        "unknown key": honest({"iss": tool.registered.client_id}, kid="unknown"),
    }
    for name, message in wrong.items():
        assert (name, returned(claims, message).status_code) == (name, 400)
    right = tool.deep_link_answer(good)
    assert returned(claims, right).status_code == 200
    assert returned(claims, right).status_code == 400
    assert returned(claims, tool.deep_link_answer(good)).status_code == 400


# dynamic registration


def a_description(tool: TinyTool, **own: Any) -> dict[str, Any]:
    described: dict[str, Any] = recorded("moodle_registration")["request"]
    text = json.dumps(described).replace("http://127.0.0.1:9001", tool.url)
    described = json.loads(text.replace("127.0.0.1:9001", urlsplit(tool.url).netloc))
    return described | own


def register(lms: SandboxLms, url: str, description: Any) -> requests.Response:
    """Register as a tool would: read the configuration, then post to the address that it names."""
    query = query_of(url)
    headers = {"Authorization": f"Bearer {query['registration_token']}"} if "registration_token" in query else {}
    configuration = requests.get(query["openid_configuration"], headers=headers, timeout=TIMEOUT)
    assert configuration.status_code == 200
    return requests.post(
        configuration.json()["registration_endpoint"], json=description, headers=headers, timeout=TIMEOUT
    )


def test_the_configuration_has_what_moodles_has(moodle: Both) -> None:
    lms, _ = moodle
    theirs = recorded("moodle_openid_configuration")
    ours = requests.get(f"{lms.url}/.well-known/openid-configuration", timeout=TIMEOUT).json()
    assert set(ours) == set(theirs)
    assert set(ours[words.PLATFORM_CONFIGURATION]) == set(theirs[words.PLATFORM_CONFIGURATION])
    assert ours["issuer"] == lms.url


def test_a_tool_registers_itself_and_waits_for_two_switches(moodle: Both) -> None:
    lms, tool = moodle
    url = lms.registration_url("http://localhost:8000/lti/register?invite=secret")
    assert query_of(url)["invite"] == "secret"

    answer = register(lms, url, a_description(tool))

    theirs = recorded("moodle_registration")["response"]
    assert answer.status_code == 200
    assert set(answer.json()) == set(theirs)
    assert set(answer.json()[words.TOOL_CONFIGURATION]) == set(theirs[words.TOOL_CONFIGURATION])
    assert sorted(answer.json()["scope"].split()) == sorted(theirs["scope"].split())
    registered = lms.tool_of_client(answer.json()["client_id"])
    assert registered is not None
    assert answer.json()[words.TOOL_CONFIGURATION]["deployment_id"] == registered.deployment_id
    assert not registered.active
    tool.registration = registered
    assert tool.ask_for_token().status_code == 400
    lms.activate(registered)
    assert tool.ask_for_token().status_code == 200
    assert not lms.may_place(lms.course(), registered)
    lms.switch_on(lms.course(), registered)
    assert lms.may_place(lms.course(), registered)


def test_a_registration_token_works_once_and_for_an_hour(moodle: Both) -> None:
    lms, tool = moodle
    url = lms.registration_url("http://localhost:8000/register")
    assert register(lms, url, a_description(tool, client_name="")).status_code == 400
    assert register(lms, url, a_description(tool)).status_code == 200
    assert register(lms, url, a_description(tool)).status_code == 401
    late = lms.registration_url("http://localhost:8000/register")
    lms.clock_offset = timedelta(minutes=61)
    assert register(lms, late, a_description(tool)).status_code == 401
    without = requests.post(f"{lms.url}/register", json=a_description(tool), timeout=TIMEOUT)
    assert without.status_code == 401


def test_descriptions_with_a_wrong_part_are_refused(moodle: Both) -> None:
    lms, tool = moodle
    url = lms.registration_url("http://localhost:8000/register")
    configuration = a_description(tool)[words.TOOL_CONFIGURATION]
    wrong: list[dict[str, Any]] = [
        {"redirect_uris": []},
        {"jwks_uri": None},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"application_type": "native"},
        {"grant_types": ["implicit"]},
        {words.TOOL_CONFIGURATION: None},
        {words.TOOL_CONFIGURATION: configuration | {"domain": "elsewhere.example"}},
        {words.TOOL_CONFIGURATION: {"domain": "elsewhere.example"}},
    ]
    before = len(lms.tools)
    for part in wrong:
        assert (part, register(lms, url, a_description(tool, **part)).status_code) == (part, 400)
    assert register(lms, url, ["no", "object"]).status_code == 400
    assert len(lms.tools) == before


def test_a_second_registration_can_update_the_first(moodle: Both) -> None:
    lms, tool = moodle
    url = lms.registration_url("http://localhost:8000/register", updates=tool.registered)
    client_id, count = tool.registered.client_id, len(lms.tools)

    answer = register(lms, url, a_description(tool, client_name="New name"))

    assert answer.json()["client_id"] == client_id
    assert len(lms.tools) == count
    assert tool.registered.title == "New name"


def test_names_are_shared_only_when_the_tool_asked_for_them(moodle: Both) -> None:
    lms, tool = moodle
    description = a_description(tool)
    description[words.TOOL_CONFIGURATION]["claims"] = ["iss", "sub", "email"]
    answer = register(lms, lms.registration_url("http://localhost:8000/register"), description)
    registered = lms.tool_of_client(answer.json()["client_id"])
    assert registered is not None
    assert (registered.shares_names, registered.shares_mail) == (False, True)


def test_canvas_shows_its_configuration_only_for_the_token() -> None:
    with sandbox("canvas") as (lms, tool):
        url = lms.registration_url("http://localhost:8000/register")
        assert requests.get(query_of(url)["openid_configuration"], timeout=TIMEOUT).status_code == 401
        answer = register(lms, url, a_description(tool))
        assert answer.status_code == 200
        registered = lms.tool_of_client(answer.json()["client_id"])
        assert registered is not None
        assert registered.active


def test_brightspace_registers_without_a_token() -> None:
    with sandbox("brightspace") as (lms, tool):
        url = lms.registration_url("http://localhost:8000/register")
        assert "registration_token" not in query_of(url)
        assert register(lms, url, a_description(tool)).status_code == 200
        assert register(lms, url, a_description(tool)).status_code == 401


def test_the_values_of_a_typed_registration_fit_on_one_page(moodle: Both) -> None:
    lms, tool = moodle
    browser = signed_in(lms, "admin")
    typed = {
        "title": "Typed",
        "initiate_login_uri": f"{tool.url}/login",
        "redirect_uris": f"{tool.url}/launch {tool.url}/other",
        "jwks_uri": f"{tool.url}/jwks",
        "target_link_uri": f"{tool.url}/launch",
        "deep_link_uri": "",
    }
    missing = browser.post(f"{lms.url}/admin/tools/new", data=typed | {"jwks_uri": ""}, timeout=TIMEOUT)
    assert missing.status_code == 400
    assert "jwks uri" in missing.text
    page = browser.post(f"{lms.url}/admin/tools/new", data=typed, timeout=TIMEOUT)
    registered = lms.tools[-1]
    assert registered.redirect_uris == [f"{tool.url}/launch", f"{tool.url}/other"]
    for value in registered.as_registration_json().values():
        assert value is None or str(value if isinstance(value, str) else value[0]) in page.text


# pages


def test_the_path_on_the_first_page_is_ticked_as_it_is_walked(moodle: Both) -> None:
    lms, tool = moodle
    lms.tools.clear()

    def ticked() -> list[str]:
        page = requests.get(lms.url, timeout=TIMEOUT).text
        return re.findall(r'<li class="(\w+)">\s*<div>', page)

    assert ticked() == ["current"] + ["later"] * 6
    answer = register(lms, lms.registration_url("http://localhost:8000/register"), a_description(tool))
    tool.registration = lms.tool_of_client(answer.json()["client_id"])
    assert ticked()[:2] == ["done", "current"]
    lms.activate(tool.registered)
    lms.switch_on(lms.course(), tool.registered)
    assert ticked()[:4] == ["done", "done", "done", "current"]
    link = lms.add_link(lms.course(), tool.registered, line_item={"scoreMaximum": 20})
    tool.launched(lms.people["designer"], link)
    assert ticked()[4:] == ["done", "current", "later"]
    for username in ("learner01", "learner02"):
        tool.launched(lms.people[username], link)
    assert ticked()[5:] == ["done", "current"]
    item = line_item_url(lms, lms.course(), tool.registered, lms.line_items_of(link)[0].number)
    score = {
        "userId": lms.people["learner01"].sub,
        "timestamp": lms.now().isoformat(),
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "scoreGiven": 20,
        "scoreMaximum": 20,
    }
    tool.call("POST", part_of(item, "scores"), words.SCORE_TYPE, score)
    assert ticked() == ["done"] * 7


def test_a_designer_walks_from_the_list_of_tools_to_a_saved_activity(moodle: Both) -> None:
    lms, tool = moodle
    browser = signed_in(lms, "designer")
    assert f"/courses/course-1/add/{tool.registered.number}" in browser.get(f"{lms.url}/courses/course-1/add").text
    opening = browser.get(f"{lms.url}/courses/course-1/pick/{tool.registered.number}").text
    hint = re.search(r'name="lti_message_hint" value="([^"]+)"', opening)
    assert hint is not None
    (launch,) = lms.launches.values()
    login = {"client_id": tool.registered.client_id, "login_hint": launch.person.sub, "lti_message_hint": launch.hint}
    assert launch.selection is not None
    form = lms.authorize(
        login
        | {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "redirect_uri": f"{tool.url}/launch",
            "nonce": "n",
        }
    )
    picked = returned(tool.claims_of(form), tool.deep_link_answer([an_item(tool)]))
    address = f"/courses/course-1/selections/{launch.selection}"
    assert address in picked.text
    assert "Observe a rehearsal" in browser.get(lms.url + address).text
    page = browser.post(lms.url + address)
    assert page.url == f"{lms.url}/courses/course-1"
    assert "Observe a rehearsal" in page.text
    browser.post(f"{lms.url}/courses/course-1/activities/{lms.links[0].number}/duplicate")
    browser.post(f"{lms.url}/courses/course-1/activities/{lms.links[0].number}/delete")
    assert [link.title for link in lms.links] == ["Observe a rehearsal (copy)"]


def test_everybody_sees_only_their_own_pages(moodle: Both) -> None:
    lms, tool = moodle
    lms.add_link(lms.course(), tool.registered, line_item={"scoreMaximum": 20})
    lms.suspend(lms.course(), lms.people["learner02"])
    may = {
        "learner01": {"/courses/course-1": 200, "/courses/course-1/add": 403, "/admin": 403},
        "learner02": {"/courses/course-1": 403, "/courses/course-1/launch/1": 403},
        "assistant": {"/courses/course-1/gradebook": 200, "/courses/course-1/gradebook/1/2": 403},
        "designer": {"/courses/course-1/gradebook/1/2": 200, "/courses/course-1/tools": 200, "/admin/faults": 403},
        "admin": {"/courses/course-1": 200, "/admin": 200, "/admin/faults": 200, "/admin/register": 200},
    }
    for username, pages in may.items():
        browser = signed_in(lms, "learner01") if username == "learner02" else signed_in(lms, username)
        if username == "learner02":
            browser.post(f"{lms.url}/be", data={"person": username}, timeout=TIMEOUT)
        for address, status in pages.items():
            answer = browser.get(lms.url + address, timeout=TIMEOUT)
            assert (username, address, answer.status_code) == (username, address, status)
    own = signed_in(lms, "learner01").get(f"{lms.url}/courses/course-1/gradebook", timeout=TIMEOUT).text
    assert "Åsa Öberg" in own
    assert "Björn Åkerlund" not in own
    nobody = requests.get(f"{lms.url}/courses/course-1", timeout=TIMEOUT)
    assert "Who would you like to be?" in nobody.text


def test_a_visitor_is_never_sent_to_another_site(moodle: Both) -> None:
    lms, _ = moodle
    for address in ("https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example"):
        answer = requests.post(
            f"{lms.url}/be",
            data={"person": "designer", "next": address},
            allow_redirects=False,
            timeout=TIMEOUT,
        )
        assert answer.headers["Location"] == "/courses/course-1"


def test_a_switched_role_shows_in_the_launch_until_it_is_switched_back(moodle: Both) -> None:
    lms, tool = moodle
    link = lms.add_link(lms.course(), tool.registered)
    browser = signed_in(lms, "designer")
    browser.post(f"{lms.url}/courses/course-1/role", data={"as": "learner"}, timeout=TIMEOUT)
    browser.get(f"{lms.url}/courses/course-1/launch/{link.number}", timeout=TIMEOUT)
    browser.post(f"{lms.url}/courses/course-1/role", data={"as": "self"}, timeout=TIMEOUT)
    browser.get(f"{lms.url}/courses/course-1/launch/{link.number}?window=1", timeout=TIMEOUT)
    first, second = lms.launches.values()
    assert (first.as_learner, first.opens_window) == (True, False)
    assert (second.as_learner, second.opens_window) == (False, True)


def test_a_learners_look_at_a_grade_is_always_at_their_own(moodle: Both) -> None:
    lms, tool = moodle
    link = lms.add_link(lms.course(), tool.registered, line_item={})
    other = lms.people["learner02"]
    for username in ("learner01", "designer"):
        signed_in(lms, username).get(
            f"{lms.url}/courses/course-1/launch/{link.number}?for={other.number}", timeout=TIMEOUT
        )
    subjects = [launch.for_person.username for launch in lms.launches.values() if launch.for_person]
    assert subjects == ["learner01", "learner02"]


def test_grades_are_set_locked_and_given_back_by_hand(moodle: Both) -> None:
    lms, tool = moodle
    link = lms.add_link(lms.course(), tool.registered, title="Activity", line_item={"scoreMaximum": 20})
    learner = lms.people["learner01"]
    browser = signed_in(lms, "designer")
    cell = f"{lms.url}/courses/course-1/gradebook/{lms.line_items_of(link)[0].number}/{learner.number}"
    page = browser.post(cell, data={"action": "override", "points": "18.5", "comment": "By hand"}, timeout=TIMEOUT)
    assert "18.5" in page.text
    assert "by hand" in page.text
    browser.post(cell, data={"action": "lock"}, timeout=TIMEOUT)
    grade = lms.grade_of(link, learner)
    assert grade is not None
    assert grade.is_locked
    browser.post(cell, data={"action": "unlock"}, timeout=TIMEOUT)
    browser.post(cell, data={"action": "clear"}, timeout=TIMEOUT)
    assert (grade.is_locked, grade.is_overridden, grade.shown) == (False, False, None)


def test_the_way_back_shows_what_the_tool_says_and_nothing_else_of_it(moodle: Both) -> None:
    lms, _ = moodle
    page = requests.get(
        f"{lms.url}/return",
        params={"course": "course-1", "lti_msg": "Well <b>done</b>", "lti_errormsg": "Broken"},
        timeout=TIMEOUT,
    ).text
    assert "Well &lt;b&gt;done&lt;/b&gt;" in page
    assert "Broken" in page


def test_fault_switches_work_from_their_page(moodle: Both) -> None:
    lms, _ = moodle
    browser = signed_in(lms, "admin")
    page = f"{lms.url}/admin/faults"
    for form in (
        {"action": "add", "endpoint": "jwks", "kind": "status", "status": "503", "retry_after": "7", "times": "1"},
        {"action": "storage", "storage": "silent"},
        {"action": "clock", "seconds": "-90"},
        {"action": "rotate"},
    ):
        browser.post(page, data=form, timeout=TIMEOUT)
    answer = requests.get(f"{lms.url}/jwks", timeout=TIMEOUT)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert lms.storage_behavior == "silent"
    assert lms.clock_offset == timedelta(seconds=-90)
    assert len(lms.keyring.keys) == 2
    browser.post(page, data={"action": "add", "endpoint": "token", "kind": "drop"}, timeout=TIMEOUT)
    assert "token: close the connection" in browser.get(page, timeout=TIMEOUT).text
    browser.post(page, data={"action": "clear"}, timeout=TIMEOUT)
    assert lms.faults.active == []


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_no_page_has_inline_script_or_style(profile: str) -> None:
    with sandbox(profile) as (lms, tool):
        lms.add_link(lms.course(), tool.registered, line_item={})
        course = "/courses/course-1"
        addresses = {
            "designer": [
                "/",
                course,
                f"{course}/activities/1",
                f"{course}/launch/1",
                f"{course}/add",
                f"{course}/add/1",
                f"{course}/people",
                f"{course}/tools",
                f"{course}/gradebook",
                f"{course}/gradebook/1/2",
                f"{course}/review/1?for=2",
                "/return",
                "/storage-frame",
                "/stranger",
            ],
            "admin": ["/admin", "/admin/register", "/admin/tools/new", "/admin/tools/1", "/admin/faults"],
        }
        for username, own in addresses.items():
            browser = signed_in(lms, username)
            for address in own:
                page = browser.get(lms.url + address, timeout=TIMEOUT)
                assert page.status_code == 200, address
                assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text), address
                assert len(re.findall("<h1", page.text)) == 1, address
                assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")

"""The sandbox LMS's token endpoint and its roster, held against what a real Moodle answered."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox_lms import PROFILES, Role, SandboxLms
from sandbox_lms import vocabulary as words
from sandbox_lms.messages import roster_url
from tests.contract.sandbox_tool import TIMEOUT, TinyTool, query_of, sandbox

RECORDINGS = Path(__file__).parent / "recordings"
Both = tuple[SandboxLms, TinyTool]


def recorded(name: str) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in json.loads((RECORDINGS / f"{name}.json").read_text())}


@pytest.fixture
def moodle() -> Iterator[Both]:
    with sandbox() as both:
        yield both


# tokens


def test_a_token_is_granted_for_what_is_asked_and_permitted(moodle: Both) -> None:
    _, tool = moodle
    tool.register(scopes=[words.ROSTER, words.SCORE])
    entries = recorded("moodle_tokens")

    answer = tool.ask_for_token(words.ROSTER, "https://example.org/scope/bogus")

    assert answer.status_code == 200
    assert set(answer.json()) == set(entries["ok_all_scopes"]["answer"])
    assert answer.headers["Content-Type"] == entries["ok_all_scopes"]["answer_type"]
    assert answer.json()["scope"] == entries["asks_for_more_than_permitted"]["answer"]["scope"]
    assert tool.ask_for_token("https://example.org/scope/bogus").json() == entries["only_bogus_scope"]["answer"]


def test_refused_assertions_are_worded_as_moodle_words_them(moodle: Both) -> None:
    lms, tool = moodle
    entries = recorded("moodle_tokens")
    now = int(lms.now().timestamp())
    other_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = tool.assertion()
    sent = {
        "expired_assertion": tool.sign(tool.assertion(iat=now - 800, exp=now - 700)),
        "assertion_iat_in_future_120s": tool.sign(tool.assertion(iat=now + 120, exp=now + 300)),
        "no_kid": jwt.encode(claims, tool.key, "RS256"),
        "unknown_kid": tool.sign(claims, kid="never published"),
        "signed_with_other_key": jwt.encode(claims, other_key, "RS256", headers={"kid": tool.kid}),
        "unknown_client": tool.sign(tool.assertion(iss="nobody", sub="nobody")),
    }
    for name, assertion in sent.items():
        answer = tool.ask_for_token(assertion=assertion)
        seen = entries.get(name) or next(entry for key, entry in entries.items() if "expired" in key)
        assert answer.status_code == seen["status"] == 400, name
        assert answer.headers["Content-Type"] == seen["answer_type"], name
        if name == "unknown_kid":
            assert answer.text == seen["answer"]
        elif name == "assertion_iat_in_future_120s":
            assert answer.json()["error"][:40] == seen["answer"]["error"][:40]
        else:
            assert answer.json() == seen["answer"], name
    as_json = requests.post(tool.registered.auth_token_url, json={"grant_type": "client_credentials"}, timeout=TIMEOUT)
    assert as_json.json() == entries["json_body"]["answer"]


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_an_assertion_is_checked_strictly_in_every_product(profile: str) -> None:
    with sandbox(profile) as (_, tool):
        used = tool.sign(tool.assertion())
        assert tool.ask_for_token(assertion=used).status_code == 200
        refused = {
            "replayed": used,
            "wrong audience": tool.sign(tool.assertion(aud="https://elsewhere.example/token")),
            "iss is not sub": tool.sign(tool.assertion(iss="somebody")),
            "no jti": tool.sign({key: value for key, value in tool.assertion().items() if key != "jti"}),
            "no exp": tool.sign({key: value for key, value in tool.assertion().items() if key != "exp"}),
            "symmetric": jwt.encode(tool.assertion(), "x" * 32, "HS256", headers={"kid": tool.kid}),
            "rubbish": "a.b.c",
        }
        for name, assertion in refused.items():
            answer = tool.ask_for_token(assertion=assertion)
            assert (name, answer.status_code) == (name, 400)
            assert "access_token" not in answer.text
        assert tool.ask_for_token(grant_type="password").status_code == 400


def test_brightspace_wants_its_own_audience() -> None:
    with sandbox("brightspace") as (_, tool):
        assert tool.registered.as_registration_json()["auth_audience"] == "https://api.brightspace.example/auth/token"
        wrong = tool.sign(tool.assertion(aud=tool.registered.auth_token_url))
        assert tool.ask_for_token(assertion=wrong).status_code == 400
        assert tool.ask_for_token().status_code == 200


def test_a_new_key_of_the_tool_is_fetched_when_the_old_one_does_not_fit(moodle: Both) -> None:
    _, tool = moodle
    assert tool.ask_for_token().status_code == 200
    assert tool.ask_for_token().status_code == 200
    assert tool.key_set_fetches == 1
    tool.change_key("key-2")
    assert tool.ask_for_token().status_code == 200
    tool.change_key("key-2")
    assert tool.ask_for_token().status_code == 200
    assert tool.key_set_fetches == 3


def test_tokens_end(moodle: Both) -> None:
    lms, tool = moodle
    url = roster_url(lms, lms.course(), tool.registered)
    headers = tool.bearer(words.ROSTER)
    assert tool.call("GET", url, words.ROSTER_TYPE, headers=headers).status_code == 200
    lms.clock_offset = timedelta(seconds=3601)
    assert tool.call("GET", url, words.ROSTER_TYPE, headers=headers).status_code == 401
    lms.clock_offset = timedelta(0)
    lms.revoke_tokens()
    assert tool.call("GET", url, words.ROSTER_TYPE, headers=headers).status_code == 401


# roster


def all_pages(tool: TinyTool, url: str) -> tuple[list[dict[str, Any]], list[str]]:
    members, addresses = [], [url]
    headers = tool.bearer(words.ROSTER)
    while True:
        answer = tool.call("GET", addresses[-1], words.ROSTER_TYPE, headers=headers)
        assert answer.status_code == 200
        members += answer.json()["members"]
        if "next" not in answer.links:
            return members, addresses
        addresses.append(answer.links["next"]["url"])


def test_the_roster_is_answered_as_a_real_moodle_answered_it(moodle: Both) -> None:
    lms, tool = moodle
    course = lms.course()
    lms.enrol(lms.add_course("second", "A course without an activity of the tool"), lms.people["learner01"])
    link = lms.add_link(course, tool.registered)
    url = roster_url(lms, course, tool.registered)
    entries = recorded("moodle_roster")
    headers: dict[tuple[str, ...], dict[str, str]] = {(): {}} | {
        (scope,): tool.bearer(scope) for scope in words.ALL_SCOPES
    }
    base = "/CourseSection/2/bindings/1/memberships"
    # Moodle forgives an address in small letters. The sandbox does not, so that a tool that makes one is found out.
    del entries["lower_cased_url_as_pylti1p3_follows_it"]
    for name, entry in entries.items():
        query = entry["url"].removeprefix(base).replace("rlid=2", "rlid=1")
        sent = {"Accept": entry["accept"] or "*/*"} | headers[tuple(entry["scopes"])]
        answer = requests.get(
            (url + query) if entry["url"].startswith(base) else f"{lms.url}/services{entry['url']}",
            headers=sent,
            timeout=TIMEOUT,
        )
        assert (name, answer.status_code) == (name, entry["status"])
        assert answer.reason == " ".join(entry["reason"].split())
        assert answer.headers["Content-Type"] == entry["answer_type"], name
        if answer.status_code != 200:
            if entry["answer"]:
                assert answer.json()["reason"].strip() == entry["answer"]["reason"].strip()
            continue
        theirs, ours = entry["answer"], answer.json()
        assert set(ours) == set(theirs) - {"member_count"}
        assert set(ours["members"][0]) == set(theirs["members"][0]), name
        if entry["link"] and "rlid=2" not in entry["link"]:
            assert answer.headers["Link"].partition("memberships")[2] == entry["link"].partition("memberships")[2]
    assert link.id == "1"


def test_moodle_lists_an_assistant_as_learner_and_escapes_names(moodle: Both) -> None:
    lms, tool = moodle
    lms.suspend(lms.course(), lms.people["learner01"])

    members, _ = all_pages(tool, roster_url(lms, lms.course(), tool.registered))

    by_sub = {member["user_id"]: member for member in members}
    assert by_sub[lms.people["assistant"].sub]["roles"] == ["Learner"]
    assert by_sub[lms.people["designer"].sub]["roles"] == ["Instructor"]
    assert by_sub[lms.people["learner21"].sub]["name"] == "Tom &amp; Jerry Ampersand"
    assert by_sub[lms.people["learner20"].sub]["family_name"] == "&#039;t Hart"
    assert lms.people["learner01"].sub not in by_sub
    assert {member["status"] for member in members} == {"Active"}
    assert lms.people["admin"].sub not in by_sub
    assert len(members) == 24 - 1 + 3


def test_moodles_second_page_forgets_the_role(moodle: Both) -> None:
    lms, tool = moodle
    url = roster_url(lms, lms.course(), tool.registered)
    members, addresses = all_pages(tool, f"{url}?role=Instructor&limit=1")
    assert len(addresses) == 1
    members, addresses = all_pages(tool, f"{url}?role=Learner&limit=20")
    assert query_of(addresses[1]) == {"limit": "20", "from": "20"}
    assert len(members) == 27


def test_canvas_pages_by_fifty_whatever_is_asked_and_lists_the_inactive() -> None:
    with sandbox("canvas") as (lms, tool):
        lms.fill_course(lms.course(), 100)
        lms.suspend(lms.course(), lms.people["learner01"])
        url = roster_url(lms, lms.course(), tool.registered)

        members, addresses = all_pages(tool, f"{url}?limit=1000")

        assert len(addresses) == 3
        assert all("limit" not in query_of(address) for address in addresses[1:])
        assert query_of(addresses[1])["page"].startswith("bookmark:")
        assert len({member["user_id"] for member in members}) == len(members) == 127
        inactive = [member["user_id"] for member in members if member["status"] == "Inactive"]
        assert inactive == [lms.people["learner01"].sub]
        assert lms.people["test-student"].sub not in {member["user_id"] for member in members}
        missing = tool.call("GET", f"{url}?rlid=nothing", words.ROSTER_TYPE)
        assert (missing.status_code, missing.json()["errors"]["message"]) == (
            400,
            "Requested ResourceLink was not found",
        )


@pytest.mark.parametrize("profile", ["blackboard", "brightspace"])
def test_the_others_page_plainly_and_keep_the_role(profile: str) -> None:
    with sandbox(profile) as (lms, tool):
        url = roster_url(lms, lms.course(), tool.registered)
        members, addresses = all_pages(tool, f"{url}?role={words.CONTEXT.replace('#', '%23')}Learner&limit=10")
        assert len(addresses) == 3
        assert len(members) == 24


def test_a_restricted_activity_lists_only_those_who_may_open_it(moodle: Both) -> None:
    lms, tool = moodle
    link = lms.add_link(lms.course(), tool.registered)
    link.visible_to = {lms.people["learner01"].number, lms.people["learner02"].number}
    members, _ = all_pages(tool, f"{roster_url(lms, lms.course(), tool.registered)}?rlid={link.id}")
    assert [member["name"] for member in members] == ["Åsa Öberg", "Björn Åkerlund"]
    assert "message" in members[0]


def test_names_and_mail_are_left_out_when_the_tool_may_not_have_them(moodle: Both) -> None:
    lms, tool = moodle
    lms.set_privacy(tool.registered, name=False, email=False)
    members, _ = all_pages(tool, roster_url(lms, lms.course(), tool.registered))
    assert set(members[0]) == {"status", "roles", "user_id", "lis_person_sourcedid"}


def test_late_arrivals_and_leavers_show_at_once(moodle: Both) -> None:
    lms, tool = moodle
    url = roster_url(lms, lms.course(), tool.registered)
    late = lms.add_person("late", "Late", "Arrival", locale="nl")
    lms.enrol(lms.course(), late, "learner")
    lms.unenrol(lms.course(), lms.people["learner01"])
    members, _ = all_pages(tool, url)
    subs = {member["user_id"] for member in members}
    assert late.sub in subs
    assert lms.people["learner01"].sub not in subs


@pytest.mark.nightly
@pytest.mark.parametrize("profile", ["moodle", "brightspace"])
def test_fifty_thousand_members_are_listed(profile: str) -> None:
    with sandbox(profile) as (lms, tool):
        lms.fill_course(lms.course(), 50_000)
        members, _ = all_pages(tool, f"{roster_url(lms, lms.course(), tool.registered)}?limit=1000")
        assert len({member["user_id"] for member in members}) == 50_027


# faults


def test_a_roster_breaks_off_in_the_middle_of_a_page(moodle: Both) -> None:
    lms, tool = moodle
    url = roster_url(lms, lms.course(), tool.registered)
    lms.faults.roster(break_after_page=1)

    first = tool.call("GET", f"{url}?limit=10", words.ROSTER_TYPE)
    second = first.links["next"]["url"]

    assert len(first.json()["members"]) == 10
    with pytest.raises(requests.RequestException):
        tool.call("GET", second, words.ROSTER_TYPE)
    assert len(tool.call("GET", second, words.ROSTER_TYPE).json()["members"]) == 10


def test_faults_are_used_up_and_counted(moodle: Both) -> None:
    lms, tool = moodle
    lms.faults.answer("token", 429, retry_after=3, times=2, body="slow down", headers={"X-Rate-Limit-Remaining": "0"})

    answers = [tool.ask_for_token() for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "3"
    assert answers[0].headers["X-Rate-Limit-Remaining"] == "0"
    assert answers[0].text == "slow down"
    assert [(seen.endpoint, seen.status) for seen in lms.requests_seen] == [
        ("token", 429),
        ("token", 429),
        ("token", 200),
    ]


def test_a_key_set_can_be_broken_in_many_ways(moodle: Both) -> None:
    lms, _ = moodle
    lms.faults.jwks(status=500)
    lms.faults.garble("jwks", '["a list"]', content_type="application/json")
    url = f"{lms.url}/jwks"
    assert requests.get(url, timeout=TIMEOUT).status_code == 500
    assert requests.get(url, timeout=TIMEOUT).json() == ["a list"]
    whole = requests.get(url, timeout=TIMEOUT)
    assert set(whole.json()["keys"][0]) == {"kty", "alg", "kid", "e", "n", "use"}
    assert "max-age" in whole.headers["Cache-Control"]


def test_a_lost_answer_is_told_from_a_lost_request(moodle: Both) -> None:
    lms, tool = moodle
    lms.faults.close_connection("token")
    lms.faults.close_connection("token", after=True)
    for granted in (0, 1):
        with pytest.raises(requests.ConnectionError):
            tool.ask_for_token()
        assert len(lms.access_tokens) == granted


def test_stopping_does_not_wait_for_a_slow_answer() -> None:
    with sandbox() as (lms, tool):
        lms.faults.delay("jwks", 60)
        with pytest.raises(requests.ReadTimeout):
            requests.get(tool.registered.key_set_url, timeout=0.2)
        begun = time.monotonic()
        lms.stop()
        # Far from a measurement: the answer was a minute away.
        assert time.monotonic() - begun < 30


def test_the_date_is_by_the_clock_of_the_lms(moodle: Both) -> None:
    lms, _ = moodle
    lms.clock_offset = timedelta(days=-365)
    shown = requests.get(f"{lms.url}/jwks", timeout=TIMEOUT).headers["Date"]
    assert str(lms.now().year) in shown
    assert lms.now().year < 2200
    assert shown.count("GMT") == 1


def test_roles_can_be_changed_by_name(moodle: Both) -> None:
    lms, _ = moodle
    assert lms.enrol(lms.course(), lms.people["learner01"], "assistant").role is Role.ASSISTANT

"""The sandbox LMS's gradebook, held against what a real Moodle answered, and the other products' rules."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox_lms import ResourceLink, Role, SandboxLms
from sandbox_lms import vocabulary as words
from sandbox_lms.messages import line_item_url, line_items_url
from sandbox_lms.records import Grade, LineItem
from tests.contract.sandbox_tool import TIMEOUT, TinyTool, part_of, sandbox

RECORDINGS = Path(__file__).parent / "recordings"
Both = tuple[SandboxLms, TinyTool]


def recorded(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((RECORDINGS / f"{name}.json").read_text())
    return entries


@pytest.fixture
def moodle() -> Iterator[Both]:
    with sandbox() as both:
        yield both


def an_activity(lms: SandboxLms, tool: TinyTool, maximum: float = 20) -> tuple[ResourceLink, str]:
    link = lms.add_link(lms.course(), tool.registered, title="Activity", line_item={"scoreMaximum": maximum})
    item = lms.line_items_of(link)[0]
    return link, line_item_url(lms, lms.course(), tool.registered, item.number)


def a_score(lms: SandboxLms, username: str, given: float | None = 15, **own: Any) -> dict[str, Any]:
    score: dict[str, Any] = {
        "userId": lms.people[username].sub,
        "timestamp": lms.now().isoformat(),
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
    }
    if given is not None:
        score |= {"scoreGiven": given, "scoreMaximum": 20}
    return score | own


def post(tool: TinyTool, item: str, score: dict[str, Any], **headers: str) -> requests.Response:
    sent = tool.bearer(words.SCORE) | headers
    return tool.call("POST", part_of(item, "scores"), words.SCORE_TYPE, score, sent)


# Moodle, replayed


def row_of(item: LineItem, grade: Grade | None) -> str:
    """The cell in the words of the recording: raw, maximum, shown, time, comment."""
    if grade is None:
        return ""

    def points(value: float | None) -> str:
        return "" if value is None else f"{value:.5f}"

    moment = "" if grade.timestamp is None else str(int(grade.timestamp.timestamp()))
    return "|".join(
        [points(grade.raw), points(item.score_maximum), points(grade.shown), moment, grade.comment.replace("\n", " ")]
    )


def recorded_row(text: str) -> str:
    parts = text.split("|")
    return "|".join([*parts[:4], parts[6]]) if len(parts) > 6 else text


def test_scores_are_answered_as_a_real_moodle_answered_them(moodle: Both) -> None:
    lms, tool = moodle
    course = lms.course()
    lms.add_course("second", "Second course")
    for number in range(1, 16):
        lms.add_line_item(course, tool.registered, f"column {number}", 10 if number == 15 else 20)
    items = {item.number: item for item in lms.all_line_items(course)}
    lms.line_items.remove(items[4])
    lms.suspend(course, lms.people["learner20"])
    lms.people["learner21"].account_suspended = True
    outsider = lms.add_person("outsider", "Otto")
    stands_for = {
        "28": lms.people["learner20"].sub,
        "29": lms.people["learner21"].sub,
        "30": lms.people["designer"].sub,
        "31": lms.people["assistant"].sub,
        "2": lms.people["admin"].sub,
        "32": outsider.sub,
    }
    # A grade that a person set, and grades that nobody may change.
    lms.read_clock = lambda: datetime(2026, 11, 20, 23, 54, 35, tzinfo=UTC)
    lms.override_grade(items[5], lms.people["learner13"], 19, "teacher override")
    lms.lock_grade(items[5], lms.people["learner14"])
    needs_more = {
        "course_total_item",
        "other_tools_token_with_its_type_id",
        "other_tools_token_with_our_type_id",
        "expired_token",
        "garbage_token",
        "locked_grade_item",
    }
    tokens: dict[tuple[str, ...], dict[str, str]] = {(): {}} | {
        (scope,): tool.bearer(scope) for scope in words.ALL_SCOPES
    }
    replayed = 0
    for entry in recorded("moodle_scores"):
        if entry["method"] != "POST" or entry["name"] in needs_more:
            continue
        body, reason = entry["body"], entry["reason"]
        if isinstance(body, dict) and body["userId"] in stands_for:
            reason = reason.replace(json.dumps(body), json.dumps(body | {"userId": stands_for[body["userId"]]}))
            body = body | {"userId": stands_for[body["userId"]]}
        answer = requests.post(
            f"{lms.url}/services{entry['url']}",
            data=(body if isinstance(body, str) else json.dumps(body)).encode(),
            headers=tokens[tuple(entry["scopes"])] | {"Content-Type": entry["content_type"]},
            timeout=TIMEOUT,
        )
        said = (entry["name"], answer.status_code, answer.reason.encode("latin-1").decode())
        assert said == (entry["name"], entry["status"], " ".join(reason.split()))
        assert answer.headers["Content-Type"] == entry["answer_type"], entry["name"]
        row = recorded_row(entry.get("grade_row_after", ""))
        if row.startswith("|10.00000"):
            # Of a column without an activity the recording has no raw points.
            row = ""
        if row:
            item = items[int(entry["url"].split("/")[3])]
            grade = item.grades.get(str(body["userId"]))
            if grade is not None and grade.is_overridden:
                assert (grade.raw, grade.shown) == (3, 19)
            elif not (grade is not None and grade.is_locked):
                assert row_of(item, grade) == row, entry["name"]
        replayed += 1
    assert replayed > 50


def test_line_items_are_answered_as_a_real_moodle_answered_them(moodle: Both) -> None:
    lms, tool = moodle
    course = lms.course()
    # The recording starts with columns 2 to 12 on activities 1 to 10.
    lms.add_line_item(course, tool.registered, "course total", 220)
    for number in range(11):
        lms.add_link(
            course,
            tool.registered,
            title="Peer observation – Übung 1 « été »" if number == 0 else f"Activity {number}",
            line_item={"scoreMaximum": 20, "resourceId": "res", "tag": "feedback"},
        )
    lms.line_items.pop(0)
    tokens: dict[tuple[str, ...], dict[str, str]] = {(): {}} | {
        (scope,): tool.bearer(scope) for scope in words.ALL_SCOPES
    }
    seen = set()
    for entry in recorded("moodle_line_items"):
        if entry["name"] in {"get_course_total_item", "item_via_other_course_path", "list_limit_2"}:
            continue
        headers = tokens[tuple(entry["scopes"])] | {
            name: entry[key] for name, key in (("Accept", "accept"), ("Content-Type", "content_type")) if entry[key]
        }
        answer = requests.request(
            entry["method"],
            f"{lms.url}/services{entry['url']}",
            data=json.dumps(entry["body"]).encode() if entry["body"] else None,
            headers=headers,
            timeout=TIMEOUT,
        )
        assert answer.status_code == entry["status"], entry["name"]
        assert answer.headers.get("Content-Type") == entry["answer_type"] or answer.status_code == 204, entry["name"]
        expected = entry["answer"]
        if answer.status_code in {400, 401, 403, 404}:
            assert answer.reason == " ".join(entry["reason"].split()), entry["name"]
            assert set(answer.json()["request"]) <= {*expected["request"], "contentType"}, entry["name"]
        elif isinstance(expected, dict):
            assert set(answer.json()) == set(expected), entry["name"]
            told = {key: value for key, value in answer.json().items() if key != "id"}
            if entry["method"] != "GET":
                assert told == {key: value for key, value in expected.items() if key != "id"}, entry["name"]
            assert answer.json()["id"].partition("/services")[2] == expected["id"].partition("services.php")[2]
        seen.add(entry["name"])
    assert {"create_same_again", "put_without_resource_link", "delete_the_activitys_own_item", "no_token"} <= seen


def test_paged_line_items_have_links_that_few_can_read(moodle: Both) -> None:
    lms, tool = moodle
    for _ in range(5):
        an_activity(lms, tool)
    url = line_items_url(lms, lms.course(), tool.registered)

    link = tool.call("GET", f"{url}&limit=2", words.LINE_ITEMS_TYPE).headers["Link"].encode("latin-1").decode()

    entry = next(one for one in recorded("moodle_line_items") if one["name"] == "list_limit_2")
    seen = entry["link"].encode("latin-1").decode()
    assert [one.rpartition("rel=")[2] for one in link.split(", ")] == [
        one.rpartition("rel=")[2] for one in seen.split(", ")
    ]
    assert "&amp;limit=2&amp;from=2>; rel=“next”" in link


def test_line_items_are_found_by_link_resource_and_tag(moodle: Both) -> None:
    lms, tool = moodle
    other = lms.register_tool(
        title="Other",
        initiate_login_uri="http://127.0.0.1:9/",
        redirect_uris=["http://127.0.0.1:9/"],
        jwks_uri="http://127.0.0.1:9/",
        target_link_uri="http://127.0.0.1:9/",
    )
    first = lms.add_link(lms.course(), tool.registered, title="A", line_item={"resourceId": "a", "tag": "x"})
    lms.add_link(lms.course(), tool.registered, title="B", line_item={"resourceId": "b", "tag": "x"})
    lms.add_link(lms.course(), other, title="C", line_item={"resourceId": "a", "tag": "x"})
    url = line_items_url(lms, lms.course(), tool.registered)

    def found(query: str) -> list[str]:
        return [item["label"] for item in tool.call("GET", f"{url}&{query}", words.LINE_ITEMS_TYPE).json()]

    assert found("tag=x") == ["A", "B"]
    assert found("resource_id=b") == ["B"]
    assert found(f"resource_link_id={first.id}") == ["A"]
    assert found("tag=y") == []


def test_the_claim_goes_when_a_link_has_two_columns_or_none(moodle: Both) -> None:
    lms, tool = moodle
    link, url = an_activity(lms, tool)
    learner = lms.people["learner01"]
    assert tool.launched(learner, link)[words.AGS_ENDPOINT]["lineitem"] == url
    second = lms.add_line_item(lms.course(), tool.registered, "second", 5, resource_link=link)
    assert "lineitem" not in tool.launched(learner, link)[words.AGS_ENDPOINT]
    lms.line_items.remove(second)
    assert tool.call("DELETE", url, words.LINE_ITEM_TYPE).status_code == 204
    assert "lineitem" not in tool.launched(learner, link)[words.AGS_ENDPOINT]


def test_results_are_answered_as_a_real_moodle_answered_them(moodle: Both) -> None:
    lms, tool = moodle
    _, item = an_activity(lms, tool)
    assert post(tool, item, a_score(lms, "learner01", 15, comment="Tydligt")).status_code == 200
    assert post(tool, item, a_score(lms, "learner02", 0)).status_code == 200
    url = part_of(item, "results")
    entries = {entry["name"]: entry for entry in recorded("moodle_results")}

    everybody = tool.call("GET", url, words.RESULTS_TYPE)
    one = tool.call("GET", f"{url}&user_id={lms.people['learner02'].sub}", words.RESULTS_TYPE)

    assert set(one.json()[0]) == set(entries["one_user"]["answer"][0])
    assert one.json()[0]["resultScore"] == 0
    assert [result.get("comment") for result in everybody.json()] == ["Tydligt", None]
    assert everybody.headers["Content-Type"] == entries["all"]["answer_type"]
    nobody = tool.call("GET", f"{url}&user_id={lms.people['learner03'].sub}", words.RESULTS_TYPE)
    assert (nobody.status_code, nobody.json()) == (200, [])
    limited = tool.call("GET", f"{url}&limit=5", words.RESULTS_TYPE)
    assert (limited.status_code, limited.headers["Content-Type"]) == (404, entries["limit_5"]["answer_type"])
    wrong_scope = tool.call("GET", url, words.RESULTS_TYPE, headers=tool.bearer(words.SCORE))
    assert wrong_scope.status_code == 401


# all products


def test_a_teachers_own_grade_stays_and_can_be_given_back(moodle: Both) -> None:
    lms, tool = moodle
    link, item = an_activity(lms, tool)
    learner, column = lms.people["learner01"], lms.line_items_of(link)[0]
    lms.clock_offset = timedelta(seconds=-10)
    lms.override_grade(column, learner, 19, "by hand")
    lms.clock_offset = timedelta(0)

    assert post(tool, item, a_score(lms, "learner01", 3)).status_code == 200

    grade = lms.grade_of(link, learner)
    assert grade is not None
    assert (grade.raw, grade.shown, grade.comment) == (3, 19, "by hand")
    lms.override_grade(column, learner, None)
    assert lms.score_of(link, learner) == 3


def test_canvas_has_its_own_rules_for_scores() -> None:
    with sandbox("canvas") as (lms, tool):
        link, item = an_activity(lms, tool)
        learner, submission = lms.people["learner01"], "https://canvas.instructure.com/lti/submission"
        moment = lms.now()
        first = post(tool, item, a_score(lms, "learner01", 15, timestamp=moment.isoformat()))
        assert first.status_code == 200
        assert "resultUrl" in first.json()
        assert first.headers["X-Rate-Limit-Remaining"]
        assert post(tool, item, a_score(lms, "learner01", 16, timestamp=moment.isoformat())).status_code == 200
        older = (moment - timedelta(milliseconds=1)).isoformat()
        assert post(tool, item, a_score(lms, "learner01", 1, timestamp=older)).status_code == 400
        assert lms.score_of(link, learner) == 16
        for refused in ("designer", "test-student"):
            assert post(tool, item, a_score(lms, refused)).status_code == 422
        lms.suspend(lms.course(), lms.people["learner02"])
        assert post(tool, item, a_score(lms, "learner02")).status_code == 422

        grade = lms.grade_of(link, learner)
        assert grade is not None
        assert grade.attempts == 2
        quiet = {submission: {"new_submission": False, "prioritize_non_tool_grade": True}}
        lms.override_grade(lms.line_items_of(link)[0], learner, 19)
        assert post(tool, item, a_score(lms, "learner01", 17) | quiet).status_code == 200
        assert lms.score_of(link, learner) == 19
        assert post(tool, item, a_score(lms, "learner01", 17)).status_code == 200
        assert lms.score_of(link, learner) == 17
        kept = {submission: {"preserve_score": True}}
        assert post(tool, item, a_score(lms, "learner01", None, gradingProgress="Pending") | kept).status_code == 200
        assert lms.score_of(link, learner) == 17
        assert post(tool, item, a_score(lms, "learner01", None)).status_code == 200
        assert lms.score_of(link, learner) is None


def test_a_concluded_canvas_course_answers_404_to_everything() -> None:
    with sandbox("canvas") as (lms, tool):
        _, item = an_activity(lms, tool)
        lms.conclude_course(lms.course())
        url = line_items_url(lms, lms.course(), tool.registered)
        assert tool.call("GET", url, words.LINE_ITEMS_TYPE).status_code == 404
        assert post(tool, item, a_score(lms, "learner01")).status_code == 404
        lms.conclude_course(lms.course(), is_concluded=False)
        assert post(tool, item, a_score(lms, "learner01")).status_code == 200


def test_canvas_keeps_the_column_of_an_activity() -> None:
    with sandbox("canvas") as (lms, tool):
        _, item = an_activity(lms, tool)
        assert tool.call("DELETE", item, words.LINE_ITEM_TYPE).status_code == 401
        created = tool.call(
            "POST",
            line_items_url(lms, lms.course(), tool.registered),
            "application/json",
            {"label": "Extra", "scoreMaximum": 5},
        )
        assert created.status_code == 201
        assert tool.call("DELETE", created.json()["id"], words.LINE_ITEM_TYPE).status_code == 204


def test_brightspace_says_why_a_person_gets_no_score() -> None:
    with sandbox("brightspace") as (lms, tool):
        link, item = an_activity(lms, tool)
        lms.add_person("outsider", "Otto")
        assert post(tool, item, a_score(lms, "designer")).status_code == 422
        assert post(tool, item, a_score(lms, "outsider")).status_code == 403
        assert post(tool, item, a_score(lms, "learner01") | {"userId": "nobody"}).status_code == 404
        assert post(tool, item, a_score(lms, "learner01", 25)).status_code == 200
        assert lms.score_of(link, lms.people["learner01"]) == 20


def test_blackboard_does_not_find_people_who_left() -> None:
    with sandbox("blackboard") as (lms, tool):
        link, item = an_activity(lms, tool)
        lms.unenrol(lms.course(), lms.people["learner01"])
        gone = post(tool, item, a_score(lms, "learner01"))
        assert gone.status_code == 400
        assert gone.json()["errors"]["message"].startswith("User could not be found:")
        comment = "<b>Good</b><br/>and clear"
        assert post(tool, item, a_score(lms, "learner02", comment=comment)).status_code == 200
        grade = lms.grade_of(link, lms.people["learner02"])
        assert grade is not None
        assert grade.comment == "Good<br/>and clear"
        results = part_of(item, "results")
        filtered = tool.call("GET", f"{results}?user_id={lms.people['learner02'].sub}", words.RESULTS_TYPE).json()
        assert "comment" not in filtered[0]
        assert tool.call("GET", f"{results}?limit=1000", words.RESULTS_TYPE).json()[0]["comment"] == grade.comment


def test_a_tool_without_the_scope_for_line_items_makes_none(moodle: Both) -> None:
    lms, tool = moodle
    tool.register(scopes=[words.LINE_ITEM_READONLY, words.SCORE])
    link, _ = an_activity(lms, tool)
    asked = tool.ask_for_token().json()["scope"].split()
    assert sorted(asked) == sorted([words.LINE_ITEM_READONLY, words.SCORE])
    endpoint = tool.launched(lms.people["learner01"], link)[words.AGS_ENDPOINT]
    assert endpoint["scope"] == [words.LINE_ITEM_READONLY, words.SCORE]
    url = line_items_url(lms, lms.course(), tool.registered)
    made = tool.call("POST", url, words.LINE_ITEM_TYPE, {"label": "x", "scoreMaximum": 1})
    assert made.status_code == 401


def test_a_tool_reaches_only_its_own_columns(moodle: Both) -> None:
    lms, tool = moodle
    _, item = an_activity(lms, tool)
    tool.register(title="Another tool")
    assert post(tool, item, a_score(lms, "learner01")).status_code == 401
    without_type = item.partition("?")[0]
    assert post(tool, without_type, a_score(lms, "learner01")).status_code == 403


def test_copies_have_columns_of_their_own(moodle: Both) -> None:
    lms, tool = moodle
    link = lms.add_link(lms.course(), tool.registered, custom={"activity": "7"}, line_item={"scoreMaximum": 5})
    twin = lms.duplicate_link(link)
    course = lms.copy_course(lms.course(), "copy")
    restored = next(one for one in lms.links if one.course is course)

    assert len({link.id, twin.id, restored.id}) == 3
    assert link.custom == twin.custom == restored.custom
    for copy in (twin, restored):
        assert [item.score_maximum for item in lms.line_items_of(copy)] == [5]
    assert not any(one.role is Role.LEARNER for one in course.enrolments.values())
    lms.delete_link(twin)
    assert lms.line_items_of(twin) == []


def test_a_reset_course_keeps_its_activities_and_loses_learners_and_grades(moodle: Both) -> None:
    lms, tool = moodle
    link, item = an_activity(lms, tool)
    assert post(tool, item, a_score(lms, "learner01")).status_code == 200
    column = lms.line_items_of(link)[0].number
    assert lms.gradebook(lms.course())[column][lms.people["learner01"].sub].shown == 15
    lms.reset_course(lms.course())
    assert link in lms.links
    assert lms.gradebook(lms.course()) == {column: {}}
    assert {one.role for one in lms.course().enrolments.values()} == {Role.INSTRUCTOR, Role.ASSISTANT, Role.OBSERVER}

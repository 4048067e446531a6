"""The leak walk: every page, file and poll as every person, held against the table of who sees what.

A route that the walk cannot address, and a file that it does not ask for, fail the test: add them here.
"""

import html
import io
import zipfile
from collections.abc import Iterator
from itertools import product
from typing import Any, Final

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from lti_tool.activities.kinds import KINDS
from lti_tool.meetings import service as meetings
from lti_tool.support.kit import Kit
from tests.fakes.clock import FakeClock
from tests.functional.leaking import LEARNERS, LeakyCourse, a_leaky_course
from tests.functional.teaching import Visitor

BY_DAY: Final = {("circle", True)}
"""Kinds, and whether staff read feedback, that are walked in every run; the others at night."""
ALSO: Final = {
    "feedback.read": ("change=1", "check=1"),
    "feedback.write": ("check=1", "notes=1"),
    "meeting.show": ("check=1",),
    "progress.show": ("show=all",),
    "acts.choose": ("scope=all&do=remind", "scope=all&do=release"),
    "plan.show_plan": ("round=1",),
    "practices.new": ("win=1", "win=2", "resource=1", "resource=2"),
    "people.show_people": ("search=Qx",),
}
"""Addresses with words behind them that change what a page shows."""
ELSEWHERE: Final = {
    "/": "no one's pages",
    "/go/<code>": "a code that works once",
    "/d/<code>": "asked for by each download below",
    "/calendar/<secret>.ics": "asked for below",
    "/letters/<sealed>": "names nobody and holds nothing",
    "/lti/config.json": "the tool's own",
    "/lti/jwks": "the tool's own",
    "/lti/launch": "no visit yet",
    "/lti/login": "no visit yet",
    "/lti/login/blocked": "no visit yet",
    "/lti/register": "no visit yet",
    "/health": "the tool's own",
    "/hints/words.json": "the tool's own",
}
DOWNLOADS: Final = {
    "own work": "/own-work",
    "progress": "/progress/export",
    "plan": "/plan/export",
    "meeting": "/round/1/time/file",
    "table of learners": "/people/template",
    "rubric": "/setup/rubric-file",
    "personal data": "",
    "deep-linking answer": "",
}
"""Where each file of the tool is asked for; "" for an export of a person, which has a test of its own, and for the
answer to a platform, which holds nothing of people.
"""


def addresses(app: Flask, course: LeakyCourse) -> Iterator[str]:
    """Every address of a visit that can be read, with every id that could stand in it."""
    for rule in app.url_map.iter_rules():
        methods = rule.methods or set()
        if "GET" not in methods or rule.endpoint.endswith("static"):
            continue
        if not rule.rule.startswith("/v/<visit>/"):
            assert rule.rule in ELSEWHERE, f"walk over {rule.rule} too"
            continue
        yield from filled_in(rule, course.ids)


def filled_in(rule: Rule, ids: dict[str, list[Any]]) -> Iterator[str]:
    """The addresses of one route."""
    places = sorted(rule.arguments - {"visit"})
    assert set(places) <= ids.keys(), f"say what can stand in {rule.rule}"
    for values in product(*(ids[place] for place in places)):
        path = rule.rule.removeprefix("/v/<visit>")
        for place, value in zip(places, values, strict=True):
            path = path.replace(f"<int:{place}>", str(value)).replace(f"<{place}>", str(value))
        yield path
        yield from (f"{path}?{also}" for also in ALSO.get(rule.endpoint, ()))


def text_of(answer: TestResponse) -> str:
    """What an answer holds, archives opened."""
    if answer.data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            return "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    return html.unescape(answer.data.decode("utf-8", "replace"))


def leaks(course: LeakyCourse, who: str, answer: TestResponse) -> list[str]:
    assert answer.status_code < 500, answer.request.path
    found = course.secrets.in_text(text_of(answer), who)
    return [f"{who} reads the {what} at {answer.request.path} ({answer.status_code})" for what in found]


@pytest.fixture(
    params=[
        pytest.param(
            (kind, staff_read),
            marks=() if (kind, staff_read) in BY_DAY else pytest.mark.nightly,
            id=f"{kind}-{staff_read}",
        )
        for kind in KINDS
        for staff_read in (False, True)
    ]
)
def course(request: pytest.FixtureRequest, app: Flask, kit: Kit, clock: FakeClock) -> LeakyCourse:
    kind, staff_read = request.param
    return a_leaky_course(app, kit, clock, kind, staff_read=staff_read)


def test_nobody_reads_what_the_table_forbids(request: pytest.FixtureRequest, app: Flask, course: LeakyCourse) -> None:
    """A walk that sees nothing would find nothing, so it also checks that people read most of what is theirs."""
    paths = list(addresses(app, course))
    found: list[str] = []
    is_by_day = request.node.get_closest_marker("nightly") is None
    for who, visitor in course.visitors.items():
        seen = ""
        # People of other courses are refused before a page looks at its address; every fifth tells that by day.
        is_sampled = is_by_day and who.endswith(("next door", "elsewhere"))
        for path in paths[:: 5 if is_sampled else 1]:
            answer = visitor.get(path)
            found += leaks(course, who, answer)
            seen += text_of(answer)
        # Addresses and ids stand in files more than on pages.
        on_pages = [secret for secret in course.secrets.made if not secret.what.startswith(("address", "id"))]
        own = [secret for secret in on_pages if who in secret.readers]
        unread = [secret.what for secret in own if secret.text not in seen]
        assert is_sampled or len(unread) <= len(own) / 2, f"{who} does not read {unread}"
    assert found == []


def test_no_file_holds_what_its_reader_must_not_read(app: Flask, course: LeakyCourse) -> None:
    assert set(app.extensions["tandem.downloads"]) == set(DOWNLOADS), "walk over every file"
    found = []
    for who, visitor in course.visitors.items():
        for path in filter(None, DOWNLOADS.values()):
            found += leaks(course, who, visitor.post(path))
    assert found == []
    assert "Qx" in text_of(course.visitors["Ada"].post("/own-work"))


def test_an_export_of_a_person_is_what_that_person_may_read(course: LeakyCourse) -> None:
    admin = course.visitors["admin"]
    for name in LEARNERS:
        person = course.room.members[name].person_id
        assert leaks(course, name, admin.post(f"/institution/people/{person}/export")) == []
        for who in set(course.visitors) - {"admin"}:
            assert leaks(course, who, course.visitors[who].post(f"/institution/people/{person}/export")) == []


def test_a_calendar_holds_nothing_but_its_owners_meetings(
    app: Flask, kit: Kit, clock: FakeClock, course: LeakyCourse
) -> None:
    with kit.open_session(course.room.institution.id) as session:
        secret = meetings.make_address(session, course.room.members["Ada"].id, now=clock.now())
    answer = app.test_client().get(f"/calendar/{secret}.ics")
    assert answer.status_code == 200
    assert leaks(course, "Ada", answer) == []


def test_who_is_not_concerned_gets_nothing_by_sending_forms_either(app: Flask, course: LeakyCourse) -> None:
    visitors = course.visitors
    nobody = Visitor(app, visitors["Ada"].key, "not-the-secret", visitors["Ada"].member)
    found = []
    for who in ("observer", "learner next door", "learner elsewhere", "instructor elsewhere", "nobody"):
        for rule in app.url_map.iter_rules():
            if "POST" in (rule.methods or set()) and rule.rule.startswith("/v/<visit>/"):
                for path in filled_in(rule, course.ids):
                    found += leaks(course, who, visitors.get(who, nobody).send(path))
    assert found == []

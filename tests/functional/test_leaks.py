"""The leak walk: every page, file and poll as every person, held against the table of who sees what.

A route that the walk cannot address, and a file that it does not ask for, fail the test: add them here.
"""

import html
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from lti_tool.activities.kinds import KINDS
from lti_tool.activities.kinds.kind import To
from lti_tool.activities.rules import may_be_anonymous
from lti_tool.feedback.models import Entry
from lti_tool.goals.models import GrowthPoint
from lti_tool.meetings import service as meetings
from lti_tool.reports.models import Report
from lti_tool.support.kit import Kit
from tests.fakes.clock import FakeClock
from tests.functional.leaking import ASSISTANT, INSTRUCTOR, LeakyCourse, a_leaky_course
from tests.functional.teaching import Visitor

BY_DAY: Final = {("circle", True, False)}
"""Kinds, and whether staff read feedback and it is anonymous, that are walked in every run; the others at night."""
ALSO: Final = {
    "feedback.read": ("change=1", "check=1"),
    "feedback.write": ("check=1", "notes=1"),
    "meeting.show": ("check=1",),
    "progress.show": ("show=all",),
    "acts.choose": ("scope=all&do=remind", "scope=all&do=release"),
    "plan.show_plan": ("round=1",),
    "practices.new": ("win=1", "win=2", "resource=1", "resource=2", "entry=1", "entry=2"),
    "people.show_people": ("search=Qx",),
    "evidence.people": ("row=words&column=goals", "row=half&column=goals", "row=1-give_feedback&column=done"),
}
"""Addresses with words behind them that change what a page shows."""
ELSEWHERE: Final = {
    "/": "no one's pages",
    "/go/<code>": "a code that works once",
    "/d/<code>": "asked for by each download below",
    "/calendar/<secret>.ics": "asked for below",
    "/certificates/<key>": "what its holder publishes; test_certificates says what it holds",
    "/certificates/<key>/badge": "the same, signed",
    "/issuers/<address>": "the institution's own",
    "/issuers/<address>/key": "the institution's own",
    "/issuers/<address>/revocations": "ids that tell nothing",
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
    "certificate": "/certificate/pdf",
    "badge": "/certificate/badge",
    "figure": "/figures/goals/file",
    "figures": "/figures/export",
    "closing report": "/closing-report/pdf",
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
            (kind, staff_read, anonymous),
            marks=() if (kind, staff_read, anonymous) in BY_DAY else pytest.mark.nightly,
            id=f"{kind}-{staff_read}{'-anonymous' if anonymous else ''}",
        )
        for kind in KINDS
        for staff_read in (False, True)
        for anonymous in (False, True)
        if may_be_anonymous(KINDS[kind].going(To.PARTNERS)) or not anonymous
    ]
)
def course(request: pytest.FixtureRequest, app: Flask, kit: Kit, clock: FakeClock) -> LeakyCourse:
    kind, staff_read, anonymous = request.param
    return a_leaky_course(app, kit, clock, kind, staff_read=staff_read, anonymous=anonymous)


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
    for name in course.learners:
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


# ---- feedback without names ------------------------------------------------------------------------------------------

OF_A_TEXT: Final = ("alias", "fields", "additions", "correction", "read_at", "withheld_at")
"""What goes with a text to another author; id, times and version stay."""
BY_DAY_WITHOUT_NAMES: Final = (
    "/feedback",
    "/goals",
    "/growth",
    "/round/1/feedback",
    "/round/1/meeting",
    "/round/1/side",
)
"""Where feedback is read and used; at night everything is looked at."""


@pytest.mark.parametrize(
    ("kind", "who"),
    [
        ("circle", "Ada"),
        *(
            pytest.param(kind, who, marks=pytest.mark.nightly)
            for kind in ("circle", "observation")
            for who in ("Ada", INSTRUCTOR, ASSISTANT, "observer", "preview")
            if (kind, who) != ("circle", "Ada")
        ),
    ],
)
def test_whoever_wrote_what_everybody_else_reads_the_same(
    request: pytest.FixtureRequest, app: Flask, kit: Kit, clock: FakeClock, kind: str, who: str
) -> None:
    """Three people gave to Ada without their names. Each text, with her answer, then goes to another of the three: now
    it stands under another author, id and time, and first is who was last. No page and no file may be another.
    """
    course = a_leaky_course(app, kit, clock, kind, staff_read=False, anonymous=True)
    _give_at_times_of_their_own(kit, clock, course)
    ada = course.visitors["Ada"]
    first, second, third = _texts_for_ada(kit, course)
    not_hers = {f"/feedback/{entry.id}" for entry in (first, second, third)}
    assert ada.send(f"/growth/{first.alias}/next_time_1", do="goal").status_code == 303
    assert ada.send(f"/feedback/{second.alias}/report", concern="hurts").status_code == 303
    is_by_day = request.node.get_closest_marker("nightly") is None
    # Its page says that a PDF was asked for.
    course.visitors[who].post(DOWNLOADS["closing report"])
    # The first look marks what is read, and finds what there is to read.
    paths = [
        path
        for path in addresses(app, course)
        if (not is_by_day or path == "/" or path.startswith(BY_DAY_WITHOUT_NAMES))
        and (course.visitors[who].get(path).status_code == 200 or path in not_hers)
    ]
    before = _everything(course, who, paths)
    assert who != "Ada" or first.fields["strengths"] in before["/feedback"]
    assert who != "Ada" or first.fields["strengths"] in before["/own-work"]
    assert who != "Ada" or first.fields["strengths"] in before["export"]
    _let_texts_change_places(kit, course)
    after = _everything(course, who, paths)
    assert [path for path, page in before.items() if page != after[path]] == []


def _texts_for_ada(kit: Kit, course: LeakyCourse) -> list[Entry]:
    with kit.open_session(course.room.institution.id) as session:
        of_ada = select(Entry).where(Entry.recipient_id == course.room.members["Ada"].id, Entry.alias.is_not(None))
        return list(session.scalars(of_ada.order_by(Entry.id)))


def _give_at_times_of_their_own(kit: Kit, clock: FakeClock, course: LeakyCourse) -> None:
    with kit.open_session(course.room.institution.id) as session:
        for place, given in enumerate(_texts_for_ada(kit, course), start=1):
            entry = session.get_one(Entry, given.id)
            entry.created_at = entry.saved_at = entry.submitted_at = clock.now() - timedelta(hours=7 * place)
            entry.version = place


def _let_texts_change_places(kit: Kit, course: LeakyCourse) -> None:
    """Each text goes to the next of those who gave; Ada's answer, her goal and her report go with it."""
    with kit.open_session(course.room.institution.id) as session:
        given = [session.get_one(Entry, entry.id) for entry in _texts_for_ada(kit, course)]
        answers = [
            session.scalars(
                select(Entry).where(Entry.step == "acknowledge", Entry.recipient_id == entry.author_id)
            ).one()
            for entry in given
        ]
        goals = {one.entry_id: one for one in session.scalars(select(GrowthPoint))}
        reports = {one.entry_id: one for one in session.scalars(select(Report))}
        texts = [{name: getattr(entry, name) for name in OF_A_TEXT} for entry in given]
        authors = [entry.author_id for entry in given]
        for place, (entry, answer) in enumerate(zip(given, answers, strict=True)):
            # Out of the way of what the database allows once.
            entry.alias, answer.step = None, f"moving {place}"
        session.flush()
        for place, entry in enumerate(given):
            target = given[(place + 1) % len(given)]
            for name, value in texts[place].items():
                setattr(target, name, value)
            answers[place].recipient_id, answers[place].step = authors[(place + 1) % len(given)], "acknowledge"
            if entry.id in goals:
                goals[entry.id].entry_id = target.id
            if entry.id in reports:
                reports[entry.id].entry_id, reports[entry.id].reported_id = target.id, target.author_id or 0


def _everything(course: LeakyCourse, who: str, paths: list[str]) -> dict[str, str]:
    """These pages and every file of this person by address, without what differs from one look to the next.

    Staff see of a report who wrote the text.
    """
    visitor = course.visitors[who]
    answers = {path: visitor.get(path) for path in paths if who == "Ada" or not path.startswith("/reports")}
    answers |= {path: visitor.post(path) for path in filter(None, DOWNLOADS.values())}
    if who == "Ada":
        person = course.room.members[who].person_id
        answers["export"] = course.visitors["admin"].post(f"/institution/people/{person}/export")
    return {path: _lasting(answer) for path, answer in answers.items()}


def _without_record(answer: TestResponse) -> str:
    """An export without the record, which gets longer by every page that is refused; figures without the time."""
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        if "data.json" not in archive.namelist():
            lasting = [name for name in archive.namelist() if name != "docProps/core.xml"]
            return "".join(archive.read(name).decode("utf-8-sig") for name in lasting)
        everything = json.loads(archive.read("data.json"))
    return json.dumps({name: part for name, part in everything.items() if name != "record"})


def _lasting(answer: TestResponse) -> str:
    if answer.status_code >= 400:
        return str(answer.status_code)
    if answer.data[:2] == b"PK":
        return _without_record(answer)
    return re.sub(r'name="form_token" value="[^"]*"|nonce="[^"]*"|/go/[\w-]+|/d/[\w-]+', "", text_of(answer))

"""Several people press the same buttons at the same moment: whoever loses is told so, and nothing breaks."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from threading import Barrier, BrokenBarrierError, local

import pytest
from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.test import TestResponse

from lti_tool.activities.models import Activity
from lti_tool.attributes import service as attributes
from lti_tool.pairing import service
from lti_tool.pairing.models import Absence, Plan
from lti_tool.pairing.pages import plan_view
from lti_tool.support.kit import Kit
from lti_tool.web.access import TRIES, Here
from lti_tool.web.database import db
from tests.factories.pairing import a_draft, a_published_plan
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, Visitor, a_school

pytestmark = pytest.mark.store


def at_once(*acts: Callable[[], TestResponse]) -> list[TestResponse]:
    ready = Barrier(len(acts))

    def run(act: Callable[[], TestResponse]) -> TestResponse:
        ready.wait(timeout=60)
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def groups(school: School, number: int = 1) -> list[list[int]]:
    with school.kit.open_session(school.institution_id) as session:
        plan = service.find_plan(session, school.group.activity.id)
        assert plan is not None
        return [list(group.members) for group in service.groups_in_plan(session, plan, number)]


# ---- one plan


def test_of_sixteen_different_swaps_one_is_done_and_all_others_are_told_that_the_plan_changed(
    app: Flask, kit: Kit, clock: FakeClock
) -> None:
    school = a_school(app, kit, clock, 32)
    with kit.open_session(school.institution_id) as session:
        version = a_draft(session, school.group, clock.now()).version
    before = groups(school)
    staff = [school.somebody("instructor") for _ in range(16)]

    def swap(place: int) -> Callable[[], TestResponse]:
        who = [before[place][0], before[(place + 1) % 16][1]]
        return lambda: staff[place].send("/plan/change", do="swap", who=who, round=1, version=version)

    answers = at_once(*map(swap, range(16)))

    assert Counter(one.status_code for one in answers) == {303: 1, 409: 15}
    for answer in answers:
        if answer.status_code == 409:
            assert re.search("Someone changed the plan while you were looking|The plan has changed since", answer.text)
    assert len({frozenset(group) for group in groups(school)} - {frozenset(group) for group in before}) == 2


@pytest.mark.parametrize("state", ["draft", "published"])
def test_whatever_is_done_to_one_plan_at_once_the_plan_holds_and_everybody_is_answered(
    app: Flask, kit: Kit, clock: FakeClock, state: str
) -> None:
    school = a_school(app, kit, clock, 12)
    with kit.open_session(school.institution_id) as session:
        make = a_draft if state == "draft" else a_published_plan
        version = make(session, school.group, clock.now()).version
    here = groups(school)
    changes: list[tuple[str, dict[str, object]]] = [
        ("/plan/change", {"do": "swap", "who": [here[0][0], here[1][0]]}),
        ("/plan/change", {"do": "together", "who": [here[2][0], here[3][0]]}),
        ("/plan/change", {"do": "never", "who": here[4]}),
        ("/plan/change", {"do": "avoid", "who": here[4]}),
        ("/plan/change", {"do": "absent", "who": [here[5][0]]}),
        ("/plan/change", {"do": "leave-out", "who": [here[5][1]]}),
        ("/plan/change", {"do": "mend"}),
        ("/plan/update", {}),
        ("/plan/propose", {}),
        ("/plan/publish", {}),
        ("/plan/take-back", {}),
        ("/plan/rules", {"kind": "pairs", "not_again": "1"}),
    ]
    staff = [school.somebody("instructor") for _ in changes]

    def act(visitor: Visitor, path: str, fields: dict[str, object]) -> Callable[[], TestResponse]:
        return lambda: visitor.send(path, round=1, **{"version": version, **fields})

    answers = at_once(*(act(visitor, path, fields) for visitor, (path, fields) in zip(staff, changes, strict=True)))

    codes = {(path, fields.get("do")): one.status_code for (path, fields), one in zip(changes, answers, strict=True)}
    assert set(codes.values()) <= {200, 303, 409}, codes
    with kit.open_session(school.institution_id) as session:
        plan = service.find_plan(session, school.group.activity.id)
        assert plan is not None
        standing = service.current_plan(session, school.group.activity, plan, now=clock.now())
        for groups_of_round in standing.schedule.rounds:
            seated = [one for group in groups_of_round for one in group]
            assert len(seated) == len(set(seated))


# ---- a race that is lost


def says_twice(here: Here, school: School) -> None:
    """Two rows where the database allows one, as when somebody else's came first."""
    for _ in range(2):
        round_id, member_id = school.group.rounds[0].id, school.group.learners[0].id
        here.session.add(Absence(round_id=round_id, member_id=member_id, said_by_id=None, said_at=here.now))
        here.session.flush()


def is_too_late(here: Here, school: School) -> None:
    """A row that somebody else has removed since it was read."""
    activity = here.session.get_one(Activity, school.group.activity.id)
    here.session.execute(text("DELETE FROM activity"))
    activity.title = "Another"
    here.session.flush()


def trips_over_it(here: Here, school: School) -> None:
    """The same within a savepoint, with whatever fails while that is said."""
    with here.session.begin_nested():
        try:
            is_too_late(here, school)
        except StaleDataError:
            here.session.scalars(select(Plan)).all()


@pytest.mark.parametrize("loses", [says_twice, is_too_late, trips_over_it])
def test_a_page_that_lost_a_race_is_answered_anew(
    app: Flask, kit: Kit, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, loses: Callable[[Here, School], None]
) -> None:
    school = a_school(app, kit, clock, 4)
    times: list[Callable[[Here, School], None]] = [loses]
    show = plan_view.page

    def page(here: Here, *activity: Activity) -> object:
        if times:
            times.pop()(here, school)
        return show(here, *activity)

    monkeypatch.setattr(plan_view, "page", page)
    instructor = school.somebody("instructor")

    answer = instructor.get("/plan")
    assert answer.status_code == 200
    assert "Propose groups" in answer.text

    times += [loses] * TRIES
    answer = instructor.get("/plan")
    assert answer.status_code == 409
    assert "Someone else changed this at the same time" in answer.text


def test_a_mistake_of_ours_is_not_called_a_race(
    app: Flask, kit: Kit, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    school = a_school(app, kit, clock, 4)

    def page(here: Here, _: Activity) -> None:
        here.session.add(Absence(round_id=school.group.rounds[0].id, member_id=None, said_at=here.now))
        here.session.flush()

    monkeypatch.setattr(plan_view, "page", page)

    assert school.somebody("instructor").get("/plan").status_code == 500


# ---- every page


@dataclass
class Form:
    """A form of a page as a browser would send it."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Forms(HTMLParser):
    """The forms of a page that post."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._form: Form | None = None
        self._select: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._form = Form(of.get("action", "")) if of.get("method") == "post" else None
            if self._form is not None:
                self.found.append(self._form)
        form, name = self._form, of.get("name")
        if form is None:
            return
        if tag == "button" and "formaction" not in of:
            form.buttons.append((name or "", of.get("value", "")))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in of or self._select not in form.fields):
            form.fields[self._select] = [of.get("value", "")]
        elif tag == "textarea" and name:
            form.fields[name] = ["Some words"]
        elif tag == "input" and name and (of.get("type") not in {"radio", "checkbox", "file"} or "checked" in of):
            form.fields.setdefault(name, []).append(of.get("value", "") or "Some words")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None


@contextmanager
def everybody_reads_before_anybody_writes(people: int, *, is_possible: bool) -> Iterator[None]:
    """Let so many transactions come to their first write together, but for those that wait for a lock of another one.

    SQLite lets only one begin that may write.
    """
    ready, waited = Barrier(people), local()

    def wait(*_: object) -> None:
        if not getattr(waited, "once", False):
            waited.once = True
            with suppress(BrokenBarrierError):
                ready.wait(timeout=0.2)

    if is_possible:
        event.listen(db.session, "before_flush", wait)
    yield
    if is_possible:
        event.remove(db.session, "before_flush", wait)


PAGES = {
    "instructor": (
        "/",
        "/plan",
        "/plan/effect?do=never&who={one}&who={other}",
        "/plan/rules",
        "/people",
        "/people/{one}",
        "/people/delete?what=all",
        "/progress",
        "/progress/{one}",
        "/grades",
        "/setup",
    ),
    "learner": ("/", "/about-you"),
}


def ways_to_send(page: str) -> Iterator[tuple[str, dict[str, list[str]]]]:
    for form in Forms(page).found:
        for name, value in dict.fromkeys(form.buttons) or [("", "")]:
            yield form.action, {**form.fields, **({name: [value]} if name else {})}


@pytest.mark.parametrize("state", ["none", "draft", "published"])
@pytest.mark.parametrize("role", PAGES)
def test_every_form_may_be_sent_by_several_at_the_same_moment(
    app: Flask, kit: Kit, clock: FakeClock, database_kind: str, role: str, state: str
) -> None:
    school = a_school(app, kit, clock, 6)
    with kit.open_session(school.institution_id) as session:
        attributes.ask_for(session, school.group.course.id, ["languages"], now=clock.now())
        if state != "none":
            (a_draft if state == "draft" else a_published_plan)(session, school.group, clock.now())
    people = [school.somebody(role) if role == "instructor" else school.learner(0) for _ in range(3)]
    one, other = (learner.id for learner in school.group.learners[:2])
    pages = [path.format(one=one, other=other) for path in PAGES[role]]
    if role == "learner" and state == "published":
        partner = next(one for group in groups(school) if people[0].member.id in group for one in group[::-1])
        pages.append(f"/round/1/for/{partner}")

    def act(visitor: Visitor, path: str, fields: dict[str, list[str]]) -> Callable[[], TestResponse]:
        return lambda: visitor.send(path, **fields)

    sent, failed = 0, []
    for path in pages:
        for action, fields in ways_to_send(people[0].get(path).text):
            at = re.sub(r"^/v/[^/]+", "", action)
            with everybody_reads_before_anybody_writes(len(people), is_possible=database_kind == "postgresql"):
                answers = at_once(*(act(visitor, at, fields) for visitor in people))
            failed += [(at, fields, one.status_code) for one in answers if one.status_code >= 500]
            sent += 1
    assert failed == []
    assert sent >= 3

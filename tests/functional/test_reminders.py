"""Reminders on pages: a learner's first page, what staff send to many at once and undo, and letters that stop."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from lti_tool.activities.models import Activity, Allowance
from lti_tool.launch.models import Person
from lti_tool.registration.models import Institution
from lti_tool.reminders.models import MailPreference, Reminder
from lti_tool.reminders.service import letters
from lti_tool.support.kit import Kit
from lti_tool.web.audit import AuditEntry
from lti_tool.web.visits import VisitKind
from tests.factories.mail import with_mail
from tests.factories.pairing import a_published_plan
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, Visitor, a_school


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    """Six learners with a round due yesterday, and one in two days."""
    due = clock.now() - timedelta(days=1), clock.now() + timedelta(days=2)
    school = a_school(app, kit, clock, rounds=[(None, due[0]), (None, due[1])])
    with kit.open_session(school.institution_id) as session:
        a_published_plan(session, school.group, clock.now() - timedelta(days=5))
    return school


def everybody(school: School) -> list[int]:
    return [member.id for member in school.group.learners]


def chosen(page: str) -> list[int]:
    return [int(one) for one in re.findall(r'name="who" value="([0-9]+)"', page)]


def test_what_waits_stands_in_one_place_and_says_nothing_twice(school: School) -> None:
    learner = school.learner(0)

    page = learner.get("/").text

    card = page.split('id="waiting"')[1].split("</section>")[0]
    assert "Round 2 is due on" in card
    assert "Round 1 was due" not in card  # the sentence above asks for that
    assert page.index('id="now-title"') < page.index('id="waiting"')


def test_many_are_reminded_after_a_look_and_each_sees_it_until_it_is_undone(school: School) -> None:
    assistant, learner = school.somebody("assistant"), school.learner(0)
    with school.kit.open_session(school.institution_id) as session:
        session.merge(school.group.learners[5]).status = "inactive"

    form = assistant.get("/acts?scope=all").text
    assert set(chosen(form)) == set(everybody(school))
    fields = {"do": "remind", "who": everybody(school), "words": "Friday <b>at</b> noon\r\nRoom 4"}
    preview = assistant.post("/acts", **fields)
    assert preview.status_code == 200
    assert "Do it for 5 learners" in preview.text
    assert "has left the course" in preview.text
    assert "Friday" not in learner.get("/").text

    again = assistant.post("/acts", **{**fields, "who": everybody(school)[:5]}, left_out=everybody(school)[5], back="1")
    assert set(chosen(again.text)) == set(everybody(school))
    assert "Friday" in again.text
    done = assistant.post("/acts", **fields, confirmed="1").text
    assert "Done. You can undo it below." in done
    page = learner.get("/").text
    assert "Friday &lt;b&gt;at&lt;/b&gt; noon\nRoom 4" in page
    assert page.count("Your instructors reminded you.") == 1
    own = learner.get("/reminders").text
    assert "Your instructors reminded you." in own
    assert "Your institution sends no letters." in own
    assert assistant.get("/reminders").text.count("Sent by staff") == 5

    [act] = set(re.findall(r"/acts/([0-9]+)/undo", done))
    undone = assistant.post(f"/acts/{act}/undo").text
    assert "Undone for 5 of 5." in undone
    assert "Friday" not in learner.get("/").text
    assert "Undone for" not in assistant.post(f"/acts/{act}/undo").text
    with school.kit.open_session(school.institution_id) as session:
        assert session.scalars(select(Reminder)).all() == []
        whats = session.scalars(select(AuditEntry.what).where(AuditEntry.course_id == school.group.course.id))
        assert sorted(whats) == ["staff act done", "staff act undone"]


def test_a_group_gets_more_time_and_it_is_taken_back_by_one_click(school: School) -> None:
    assistant = school.somebody("assistant")
    one = everybody(school)[0]

    form = assistant.get(f"/acts?scope=group&who={one}&round=1&do=extend").text
    group = chosen(form)
    assert len(group) == 2
    assert one in group
    fields = {"do": "extend", "who": group, "round": "1", "day": "2026-11-20"}
    assert "Do it for 2 learners" in assistant.post("/acts", **fields).text
    done = assistant.post("/acts", **fields, confirmed="1").text
    assert "More time: 2 learners, Round 1" in done
    assert "has until later already" in assistant.post("/acts", **{**fields, "day": "2026-11-10"}).text
    with school.kit.open_session(school.institution_id) as session:
        assert sorted(session.scalars(select(Allowance.member_id))) == sorted(group)
    [act] = set(re.findall(r"/acts/([0-9]+)/undo", done))
    assistant.post(f"/acts/{act}/undo")
    with school.kit.open_session(school.institution_id) as session:
        assert session.scalars(select(Allowance)).all() == []


def test_what_staff_allow_one_learner_is_undone_the_same_way(school: School) -> None:
    assistant, one = school.somebody("assistant"), everybody(school)[0]

    page = assistant.post(f"/progress/{one}/allow/1", wish="excuse").text

    [act] = set(re.findall(r"/acts/([0-9]+)/undo", page))
    assert "Undone for 1 of 1." in assistant.post(f"/acts/{act}/undo").text
    assert "Excused from this round" not in assistant.get(f"/progress/{one}").text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Choose what to do"),
        ({"do": "nonsense"}, "Choose what to do"),
        ({"do": "extend"}, "Type the new date"),
        ({"do": "extend", "day": "2026-10-01"}, "Choose a date in the future"),
        ({"do": "extend", "day": "2026-12-01", "clock": "99:99"}, "Type the time"),
        ({"do": "remind", "words": "x" * 1001}, "Shorten your sentence"),
    ],
)
def test_what_cannot_be_done_is_explained_and_kept(school: School, fields: dict[str, str], sentence: str) -> None:
    answer = school.somebody("assistant").post("/acts", who=everybody(school), confirmed="1", **fields)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert sorted(chosen(answer.text)) == everybody(school)
    if fields.get("day"):
        assert f'value="{fields["day"]}"' in answer.text


def test_nobody_of_another_course_is_touched(school: School, app: Flask, kit: Kit, clock: FakeClock) -> None:
    other = a_school(app, kit, clock)
    assistant = school.somebody("assistant")
    theirs = [member.id for member in other.group.learners]

    assert "No one is chosen" in assistant.get(f"/acts?who={theirs[0]}&who=x&who=99999999999").text
    answer = assistant.post("/acts", do="remind", who=theirs, confirmed="1")
    assert answer.status_code == 422
    assert "Choose at least one learner" in answer.text
    done = other.somebody("assistant").post("/acts", do="excuse", round="1", who=theirs, confirmed="1").text
    [act] = set(re.findall(r"/acts/([0-9]+)/undo", done))
    assert assistant.post(f"/acts/{act}/undo").status_code == 404
    learner = school.learner(0)
    assert learner.get("/acts").status_code == learner.post("/acts", do="remind").status_code == 403


def test_a_closed_activity_takes_no_acts(school: School) -> None:
    with school.kit.open_session(school.institution_id) as session:
        session.execute(update(Activity).values(state="closed"))
    answer = school.somebody("instructor").post("/acts", do="remind", who=everybody(school), words="My words")
    assert answer.status_code == 403
    assert "My words" in answer.text


def test_only_instructors_release_feedback(school: School) -> None:
    fields = {"do": "release", "who": everybody(school)}
    assert school.somebody("assistant").post("/acts", **fields).status_code == 403
    page = school.somebody("instructor").post("/acts", **fields)
    assert "has no feedback waiting for you" in page.text


# ---- letters ---------------------------------------------------------------------------------------------------------


def link_for(school: School, visitor: Visitor) -> str:
    name = letters.name_of(school.institution_id, visitor.member.person_id)
    return f"/letters/{school.kit.secrets.encrypt(name)}"


def stopped(school: School) -> bool:
    with school.kit.open_session(school.institution_id) as session:
        return session.scalars(select(MailPreference.stopped_at)).first() is not None


def test_letters_stop_by_one_click_without_signing_in(school: School) -> None:
    client, address = school.app.test_client(), link_for(school, school.learner(0))

    assert "Stop letters from Tandem?" in client.get(address).text
    assert not stopped(school)  # programs that check links open them too
    one_click = client.post(address, data={"List-Unsubscribe": "One-Click"})
    assert one_click.status_code == 200
    assert stopped(school)
    assert not client.get_cookie("session")
    assert "You get letters again" in client.post(address, data={"do": "again"}).text
    assert not stopped(school)


@pytest.mark.parametrize("sealed", ["nonsense", "å", "gAAAA" + "x" * 100, "x" * 4000])
def test_a_link_that_was_cut_says_so(school: School, sealed: str) -> None:
    answer = school.app.test_client().post(f"/letters/{sealed}")
    assert answer.status_code == 404
    assert "This link cannot be read" in answer.text


def test_a_secret_for_something_else_stops_nothing(school: School) -> None:
    for text in (b"letters 1", b"other 1 1", b"letters 1 1 1"):
        assert school.app.test_client().post(f"/letters/{school.kit.secrets.encrypt(text)}").status_code == 404


def test_a_learner_sees_whether_letters_come_and_stops_them(app: Flask, school: School) -> None:
    app.extensions["tandem"] = with_mail(school.kit, 9)
    learner = school.learner(0)
    with school.kit.open_session(school.institution_id) as session:
        session.execute(update(Institution).values(sends_letters=True))
    assert "does not share your e-mail address" in learner.get("/reminders").text
    with school.kit.open_session(school.institution_id) as session:
        session.execute(update(Person).values(email="learner@campus.example"))
    page = learner.get("/reminders").text
    assert "at most one a day" in page
    assert "campus.example" not in page
    assert "You get no more letters." in learner.post("/reminders", do="stop").text
    assert stopped(school)
    assert "You get letters again" in learner.post("/reminders", do="again").text
    assert not stopped(school)


def test_an_administrator_switches_letters_on_and_it_stands_in_the_record(app: Flask, school: School) -> None:
    admin = school.somebody("observer", kind=VisitKind.INSTITUTION, frame_origins=[], course_id=None)
    with school.kit.open_session(school.institution_id) as session:
        session.get_one(Person, admin.member.person_id).is_administrator = True
    assert "named no mail server" in admin.get("/institution/people").text
    app.extensions["tandem"] = with_mail(school.kit, 9)
    assert "Remind learners by e-mail" in admin.get("/institution/people").text
    admin.post("/institution/people/letters", sends_letters="1")
    with school.kit.open_session(school.institution_id) as session:
        assert session.scalars(select(Institution.sends_letters)).one()
        assert "letters switched on" in session.scalars(select(AuditEntry.what)).all()
    instructor = school.somebody("instructor")
    assert 'name="letters_a_week"' in instructor.get("/setup").text

"""Learners are asked about themselves, see what is known of them, and can take back what they said."""

import re

import pytest
from flask import Flask

from lti_tool.attributes import service
from lti_tool.attributes.rules.catalogue import Source
from lti_tool.attributes.service import reading
from lti_tool.support.kit import Kit
from tests.factories.pairing import a_published_plan
from tests.factories.people import a_visit
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, Visitor, a_school

ALL = ("languages", "slots", "experience", "time_zone", "offers", "needs")
INVITED = "It takes a minute at most"


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    return a_school(app, kit, clock)


def ask(school: School, *keys: str) -> Visitor:
    """Switch these questions on, and be the first learner."""
    school.somebody("instructor").post("/people/questions", asked=list(keys))
    return school.learner(0)


def known(school: School, place: int = 0) -> dict[str, object]:
    member = school.group.learners[place]
    with school.kit.open_session(school.institution_id) as session:
        found = reading.values_of_members(session, [member.id])[member.id]
        return {key: next(iter(one.value.values())) for key, one in found.items()}


def keep(school: School, source: Source, **values: str) -> None:
    with school.kit.open_session(school.institution_id) as session:
        changes = {school.group.learners[0].id: {key: {"name": value} for key, value in values.items()}}
        service.put(session, changes, source, now=school.clock.now())


def test_nobody_is_asked_before_a_designer_wants_it(school: School) -> None:
    learner = school.learner(0)

    assert INVITED not in learner.get("/").text
    assert "/about-you" not in learner.get("/").text
    assert "Nothing is known about you here" in learner.get("/about-you").text


def test_a_learner_is_invited_answers_and_changes_it(school: School) -> None:
    learner = ask(school, *ALL)
    assert INVITED in learner.get("/").text
    assert 'value="Europe/Stockholm"' in learner.get("/about-you").text

    page = learner.post(
        "/about-you",
        languages=["sv", "en", "xx"],
        other_languages="Elvish, suomi",
        slots=["mon-am", "fri-eve", "never"],
        experience="7",
        time_zone="oslo",
        offers="Excel, talks",
        needs="",
    ).text

    assert "Saved, thank you" in page
    assert known(school) == {
        "languages": ["Elvish", "en", "fi", "sv"],
        "slots": ["fri-eve", "mon-am"],
        "experience": 7,
        "time_zone": "Europe/Oslo",
        "offers": ["Excel", "talks"],
    }
    assert "Monday morning, Friday evening" in page
    assert 'value="mon-am" checked' in page
    assert 'value="sv" checked' in page
    assert 'value="Elvish"' in page
    home = learner.get("/").text
    assert INVITED not in home
    assert "What is known about you for finding partners" in home

    learner.post("/about-you", needs="Patience")
    assert known(school) == {"needs": ["Patience"]}


def test_a_time_zone_that_the_platform_calls_by_a_number_is_not_proposed(school: School) -> None:
    ask(school, "time_zone")
    with school.kit.open_session(school.institution_id) as session:
        member = school.group.learners[0]
        visit, secret = a_visit(
            session,
            member,
            school.group.registration,
            now=school.clock.now(),
            placement_id=school.group.activity.placement_id,
            time_zone="99",
        )

    page = Visitor(school.app, visit.key, secret, member).get("/about-you").text

    assert 'name="time_zone" value=""' in page


def test_only_what_is_asked_is_taken(school: School) -> None:
    learner = ask(school, "needs")
    page = learner.get("/about-you").text
    assert "When could you meet?" not in page

    learner.post("/about-you", needs="Patience", department="Sales", manager="me", experience="9")

    assert known(school) == {"needs": ["Patience"]}


def test_what_is_typed_wrongly_is_explained_and_stays(school: School) -> None:
    learner = ask(school, *ALL)

    answer = learner.post("/about-you", experience="many", time_zone="Mars", offers="Excel", slots=["tue-pm"])

    assert answer.status_code == 422
    assert "Experience is not a whole number" in answer.text
    assert "Time zone is not a time zone" in answer.text
    for typed in ('value="many"', 'value="Mars"', 'value="Excel"', 'value="tue-pm" checked'):
        assert typed in answer.text
    assert known(school) == {}


def test_a_learner_may_skip_and_answer_later(school: School) -> None:
    learner = ask(school, *ALL)

    assert INVITED not in learner.post("/about-you/skip").text
    learner.post("/about-you", needs="Patience")
    assert known(school) == {"needs": ["Patience"]}
    assert "1 has answered" in school.somebody("instructor").get("/people").text


def test_staffs_word_is_shown_and_not_asked_for(school: School) -> None:
    keep(school, Source.CSV, time_zone="UTC", department="Sales")
    learner = ask(school, "time_zone", "needs")

    page = learner.get("/about-you").text
    assert "What time zone" not in page
    assert "Sales" in page
    assert "from a table" in page
    learner.post("/about-you", time_zone="Europe/Oslo", needs="Patience")
    assert known(school)["time_zone"] == "UTC"


def test_a_learners_own_word_wins_over_the_platforms(school: School) -> None:
    keep(school, Source.LAUNCH, time_zone="UTC")
    learner = ask(school, "time_zone")
    assert 'name="time_zone" value="UTC"' in learner.get("/about-you").text

    learner.post("/about-you", time_zone="Europe/Oslo")

    assert known(school) == {"time_zone": "Europe/Oslo"}


def test_what_one_said_can_always_be_deleted(school: School, clock: FakeClock) -> None:
    keep(school, Source.STAFF, department="Sales")
    learner = ask(school, "needs")
    learner.post("/about-you", needs="Patience")
    with school.kit.open_session(school.institution_id) as session:
        a_published_plan(session, school.group, clock.now())

    page = learner.post("/about-you/delete").text

    assert "Your answers are deleted" in page
    assert "Delete my answers" not in page
    assert known(school) == {"department": "Sales"}


def test_nothing_is_asked_or_changed_once_the_groups_are_published(school: School, clock: FakeClock) -> None:
    learner = ask(school, "needs")
    with school.kit.open_session(school.institution_id) as session:
        a_published_plan(session, school.group, clock.now())

    assert INVITED not in learner.get("/").text
    page = learner.get("/about-you").text
    assert "The groups are published" in page
    assert 'name="needs"' not in page
    learner.post("/about-you", needs="Patience")
    assert known(school) == {}


def test_nobody_else_is_asked_and_nobody_sees_what_others_said(school: School) -> None:
    learner = ask(school, *ALL)
    learner.post("/about-you", offers="Something secret", other_languages="Elvish")

    for role in ("instructor", "assistant", "observer"):
        visitor = school.somebody(role)
        assert visitor.get("/about-you").status_code == 403
        assert visitor.post("/about-you", needs="x").status_code == 403
    for path in ("/", "/about-you"):
        page = school.learner(1).get(path).text
        assert "secret" not in page
        assert "Elvish" not in page


def test_what_staff_try_in_the_preview_is_not_kept(school: School) -> None:
    ask(school, "needs")
    member = school.somebody("instructor").member
    with school.kit.open_session(school.institution_id) as session:
        visit, secret = a_visit(
            session,
            member,
            school.group.registration,
            now=school.clock.now(),
            placement_id=school.group.activity.placement_id,
            role="learner",
            is_preview=True,
        )
    staff = Visitor(school.app, visit.key, secret, member)

    assert "What would you like to learn" in staff.get("/about-you").text
    staff.post("/about-you", needs="Patience")

    assert "Patience" not in staff.get("/about-you").text


def test_the_week_is_said_in_the_time_of_the_activity(school: School) -> None:
    page = ask(school, "slots").get("/about-you").text

    assert "in the time zone Europe/Stockholm" in page
    assert len(re.findall(r'name="slots"', page)) == 21

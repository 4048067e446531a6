"""A person's data across all features: what an export holds, and what erasing leaves to the partner."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Allowance
from lti_tool.feedback import rules, service
from lti_tool.feedback.models import Entry, Note
from lti_tool.grades.models import LineItem, ScoreAttempt, ScoreState
from lti_tool.jobs.models import Job
from lti_tool.launch.models import Person
from lti_tool.pairing.models import Seat
from lti_tool.support.kit import Kit
from lti_tool.web.visits import Visit
from lti_tool.workspace import personal_data
from tests.factories.feedback import Classroom, a_classroom, given
from tests.factories.people import a_visit
from tests.fakes.clock import FakeClock


def a_story(session: Session, clock: FakeClock) -> Classroom:
    """Mette and Jonas observed each other, gave feedback, and Mette answered; Mette has a score and a later date."""
    now = clock.now()
    room = a_classroom(session, "Mette", "Jonas", now=now)
    mette = room.members["Mette"]
    service.add_note(session, room.task(session, "Mette", "Jonas"), "A note of my own", at=now, device="", now=now)
    given(session, room.task(session, "Mette", "Jonas"), now=now, strengths="Said by Mette")
    about_mette = given(session, room.task(session, "Jonas", "Mette"), now=now, strengths="Said by Jonas")
    shown = service.read_entry(session, about_mette.id, rules.Reader(mette.id, False), room.course.id, now=now)
    answering = service.answer_task(shown)
    typed = {"heard": "Heard by Mette", "will_use": "One breath", "usefulness": "4"}
    service.save_draft(session, answering, typed, {}, device="", now=now)
    service.give(session, answering, now=now)
    session.add(
        Allowance(
            round_id=room.rounds[0].id,
            member_id=mette.id,
            due_at=now,
            given_by_id=room.members["Ingrid"].id,
            given_at=now,
        )
    )
    column = LineItem(activity_id=room.activity.id, state="linked", url="https://lms.example/items/1")
    session.add(column)
    session.flush()
    for name in ("Mette", "Jonas"):
        score = ScoreState(
            line_item_id=column.id,
            member_id=room.members[name].id,
            state="delivered",
            wanted=1_000_000,
            sent=500_000,
            changed_at=now,
        )
        session.add(score)
        session.flush()
        session.add(ScoreAttempt(score_id=score.id, at=now, share=500_000, outcome="delivered", status=200))
    a_visit(session, mette, room.registration, now=now)
    session.flush()
    return room


@pytest.fixture
def told(app: Flask, kit: Kit, clock: FakeClock) -> Any:
    """The story, and everything about Mette."""
    with kit.open_session() as session:
        room = a_story(session, clock)
        return room, personal_data.everything_about(session, room.members["Mette"].person_id)


def test_an_export_holds_what_a_person_wrote_and_may_read(told: Any) -> None:
    _, everything = told
    text = json.dumps(everything)
    for own in ("Said by Mette", "Said by Jonas", "Heard by Mette", "A note of my own"):
        assert own in text
    assert everything["scores"] == [
        {
            "activity": everything["groups"][0]["activity"],
            "state": "delivered",
            "percent": 100.0,
            "percent_confirmed": 50.0,
            "attempts": [{"at": "2026-11-02T09:00:00+00:00", "percent": 50.0, "outcome": "delivered"}],
        }
    ]
    assert everything["groups"][0]["people_in_the_group"] == 2
    assert len(everything["allowances"]) == len(everything["visits"]) == 1


def test_an_export_names_nobody_else(told: Any) -> None:
    _, everything = told
    text = json.dumps({name: part for name, part in everything.items() if name != "written"})
    assert "Jonas" not in text
    assert "Ingrid" not in json.dumps(everything)


def test_what_is_not_released_stays_out(app: Flask, kit: Kit, clock: FakeClock) -> None:
    with kit.open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        given(session, room.task(session, "Jonas", "Mette"), now=clock.now(), strengths="Not for Mette yet")
        everything = personal_data.everything_about(session, room.members["Mette"].person_id)
    assert "Not for Mette yet" not in json.dumps(everything)


def test_every_word_of_an_export_has_a_label(told: Any) -> None:
    def keys_of(value: Any) -> set[str]:
        match value:
            case dict():
                return set(value) | {key for inner in value.values() for key in keys_of(inner)}
            case list():
                return {key for inner in value for key in keys_of(inner)}
        return set()

    _, everything = told
    named = {name for one in everything["written"] for name in (*one["levels"], *one["texts"])}
    assert keys_of(everything) - named - personal_data.LABELS.keys() == set()


def test_erasing_removes_the_person_and_leaves_the_partners_record(told: Any, kit: Kit, clock: FakeClock) -> None:
    room, _ = told
    mette, jonas = room.members["Mette"], room.members["Jonas"]
    for _ in range(2):
        with kit.open_session(room.institution.id) as session:
            personal_data.erase(session, mette.person_id, now=clock.now())
    with kit.open_session(room.institution.id) as session:
        person = session.get_one(Person, mette.person_id)
        assert (person.name, person.email, person.given_name, person.family_name) == (None,) * 4
        assert session.scalars(select(Visit)).all() == []
        assert session.scalars(select(Allowance)).all() == []
        assert [score.member_id for score in session.scalars(select(ScoreState))] == [jonas.id]
        assert len(session.scalars(select(ScoreAttempt)).all()) == 1
        assert session.scalars(select(Note)).all() == []
        # What Jonas received, what he gave, and the answer to it are his record too.
        kept = session.scalars(select(Entry)).all()
        assert all(one.submitted_at is not None for one in kept)
        assert {one.fields["strengths"] for one in kept if one.step == "give_feedback"} == {
            "Said by Mette",
            "Said by Jonas",
        }
        assert [one.fields["heard"] for one in kept if one.step == "acknowledge"] == ["Heard by Mette"]
        assert len(session.scalars(select(Seat)).all()) == 2
        hers = session.scalars(select(Entry).where(Entry.author_id == mette.id, Entry.step == "give_feedback")).one()
        shown = service.read_entry(session, hers.id, rules.Reader(jonas.id, False), room.course.id, now=clock.now())
        assert shown.author_name is None
        assert {job.unique_key for job in session.scalars(select(Job))} >= {f"pairing.roster_changed:{room.course.id}"}


def test_erasing_one_person_touches_no_other_institution(app: Flask, kit: Kit, clock: FakeClock) -> None:
    with kit.open_session() as session:
        a_story(session, clock)
    with kit.open_session() as session:
        theirs = a_story(session, clock)
    with kit.open_session(theirs.institution.id) as session:
        personal_data.erase(session, theirs.members["Mette"].person_id, now=clock.now())
        assert len(session.scalars(select(ScoreState)).all()) == 1
    with kit.open_session(theirs.institution.id - 1) as session:
        assert sorted(one.name or "" for one in session.scalars(select(Person))) == ["Ingrid", "Jonas", "Mette"]
        assert len(session.scalars(select(ScoreState)).all()) == 2
        assert len(session.scalars(select(Note)).all()) == 1

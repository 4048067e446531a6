"""Practices are read by others while everybody concerned agrees to these words, and not a moment longer."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.launch.models import Member
from lti_tool.practices import service
from lti_tool.practices.errors import NobodyToAsk, PracticeChanged, PracticeGone, PracticeRefused
from lti_tool.practices.models import Consent, Practice
from lti_tool.practices.rules import Draft, Stage
from lti_tool.practices.service import Reader
from lti_tool.support.db import OpenSession
from tests.factories.feedback import Classroom, a_classroom
from tests.factories.goals import a_resource, a_win, place
from tests.factories.people import a_course, a_deployment, a_member, a_person
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
DRAFT = Draft("practice", "Count to five", "After a question, count to five before you speak.")
TRIO = ("Mette", "Jonas", "Sara")


def a_room(session: Session, clock: FakeClock) -> Classroom:
    """Mette, Jonas and Sara are a group; Oliver is in the course."""
    return a_classroom(session, *TRIO, "Oliver", now=clock.now(), groups=(TRIO,))


def reader(room: Classroom, name: str) -> Reader:
    return Reader(room.members[name].id, room.course.id, is_staff=name == "Ingrid")


def next_door(session: Session, room: Classroom, role: str = "learner") -> Reader:
    """Somebody in another course of the institution."""
    course = a_course(session, a_deployment(session, room.registration), title="Next door")
    member = a_member(session, course, a_person(session, room.registration, name="Stranger"), role)
    return Reader(member.id, course.id, is_staff=role == "instructor")


def offered(session: Session, room: Classroom, clock: FakeClock) -> Practice:
    group_id = place(session, room, "Mette", clock).group_id
    assert group_id is not None
    return service.offer(session, reader(room, "Mette"), DRAFT, group_id, now=clock.now())


def agree(session: Session, room: Classroom, practice: Practice, clock: FakeClock, *names: str) -> None:
    for name in names:
        service.agree(session, reader(room, name), practice.id, seen_version=practice.version, now=clock.now())


def readers_of(session: Session, practice: Practice, *readers: Reader) -> list[bool]:
    def may(each: Reader) -> bool:
        try:
            service.read_practice(session, each, practice.id)
        except PracticeGone:
            return False
        return True

    return [may(each) for each in readers]


def everybody(room: Classroom) -> list[Reader]:
    return [reader(room, name) for name in ("Mette", "Jonas", "Sara", "Oliver", "Ingrid")]


GROUP_ONLY = [True, True, True, False, False]


def test_until_all_agree_and_after_one_takes_it_back_only_the_group_reads_it(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = a_room(session, clock)
        practice = offered(session, room, clock)
        agree(session, room, practice, clock, "Jonas")
        assert readers_of(session, practice, *everybody(room)) == GROUP_ONLY
        agree(session, room, practice, clock, "Sara")
        assert readers_of(session, practice, *everybody(room)) == [True] * 5
        service.take_back(session, reader(room, "Jonas"), practice.id, now=clock.now())
        assert readers_of(session, practice, *everybody(room)) == GROUP_ONLY
        for name in ("Mette", "Sara"):
            news = service.news_of(session, room.course.id, room.members[name].id, now=clock.now())
            assert [one.what for one in news] == ["declined"]
        assert service.news_of(session, room.course.id, room.members["Jonas"].id, now=clock.now()) == []
        agree(session, room, practice, clock, "Jonas")
        assert readers_of(session, practice, *everybody(room)) == [True] * 5


def test_consent_is_to_the_words_that_were_read(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_room(session, clock)
        practice = offered(session, room, clock)
        agree(session, room, practice, clock, "Jonas", "Sara")
        seen = practice.version
        mette = reader(room, "Mette")
        service.reword(session, mette, practice.id, DRAFT, seen_version=seen, now=clock.now())
        assert readers_of(session, practice, *everybody(room)) == [True] * 5, "the same words ask nobody"
        other = Draft("practice", DRAFT.title, "Jonas counts to five.")
        service.reword(session, mette, practice.id, other, seen_version=seen, now=clock.now())
        assert readers_of(session, practice, *everybody(room)) == GROUP_ONLY
        with pytest.raises(PracticeChanged):
            service.agree(session, reader(room, "Jonas"), practice.id, seen_version=seen, now=clock.now())
        with pytest.raises(PracticeChanged):
            service.reword(session, mette, practice.id, DRAFT, seen_version=seen, now=clock.now())
        agree(session, room, practice, clock, "Sara")
        assert service.read_practice(session, mette, practice.id).agreed == 2


def test_nobody_answers_rewords_or_removes_what_is_not_theirs(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_room(session, clock)
        practice = offered(session, room, clock)
        agree(session, room, practice, clock, "Jonas", "Sara")
        seen = practice.version
        for name in ("Oliver", "Ingrid"):
            with pytest.raises(PracticeGone):
                service.agree(session, reader(room, name), practice.id, seen_version=seen, now=clock.now())
            with pytest.raises(PracticeGone):
                service.take_back(session, reader(room, name), practice.id, now=clock.now())
        for name in ("Jonas", "Oliver"):
            with pytest.raises(PracticeGone):
                service.remove(session, reader(room, name), practice.id, seen_version=seen)
            with pytest.raises(PracticeGone):
                service.reword(session, reader(room, name), practice.id, DRAFT, seen_version=seen, now=clock.now())
        service.remove(session, reader(room, "Mette"), practice.id, seen_version=seen)
        assert session.scalar(select(func.count(Consent.id))) == 0


def test_who_left_the_course_is_asked_no_more_once_it_is_reworded(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_room(session, clock)
        practice = offered(session, room, clock)
        agree(session, room, practice, clock, "Jonas")
        session.get_one(Member, room.members["Sara"].id).status = "inactive"
        other = Draft("example", DRAFT.title, DRAFT.text)
        seen = practice.version
        service.reword(session, reader(room, "Mette"), practice.id, other, seen_version=seen, now=clock.now())
        agree(session, room, practice, clock, "Jonas")
        assert readers_of(session, practice, reader(room, "Oliver")) == [True]


def test_the_institution_reads_a_link_and_no_copy(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_room(session, clock)
        practice, ingrid, stranger = offered(session, room, clock), reader(room, "Ingrid"), next_door(session, room)
        with pytest.raises(PracticeGone):
            service.bring_to_institution(session, ingrid, practice.id, seen_version=1, now=clock.now())
        agree(session, room, practice, clock, "Jonas", "Sara")
        with pytest.raises(PracticeChanged):
            service.bring_to_institution(session, ingrid, practice.id, seen_version=0, now=clock.now())
        assert readers_of(session, practice, stranger) == [False]
        seen = practice.version
        service.bring_to_institution(session, ingrid, practice.id, seen_version=seen, now=clock.now())
        assert readers_of(session, practice, stranger) == [True]
        assert [one.practice.id for one in service.library_of(session, stranger).elsewhere] == [practice.id]
        assert service.count_in_library(session) == 1
        with pytest.raises(PracticeGone):
            service.hide(session, next_door(session, room, "instructor"), practice.id, "No.", now=clock.now())
        service.take_back(session, reader(room, "Sara"), practice.id, now=clock.now())
        assert readers_of(session, practice, stranger) == [False]
        assert service.library_of(session, stranger).elsewhere == ()
        assert service.count_in_library(session) == 0
        agree(session, room, practice, clock, "Sara")
        other, seen = Draft("practice", DRAFT.title, "Other words"), practice.version
        service.reword(session, reader(room, "Mette"), practice.id, other, seen_version=seen, now=clock.now())
        agree(session, room, practice, clock, "Jonas", "Sara")
        assert readers_of(session, practice, stranger) == [False], "staff took over other words"


def test_what_staff_hide_is_for_its_people_and_staff(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_room(session, clock)
        practice, ingrid = offered(session, room, clock), reader(room, "Ingrid")
        with pytest.raises(PracticeGone):
            service.hide(session, ingrid, practice.id, "It names a school.", now=clock.now())
        agree(session, room, practice, clock, "Jonas", "Sara")
        with pytest.raises(PracticeRefused):
            service.hide(session, ingrid, practice.id, "  ", now=clock.now())
        service.hide(session, ingrid, practice.id, "It names a school.", now=clock.now())
        assert readers_of(session, practice, *everybody(room)) == [True, True, True, False, True]
        assert [one.stage for one in service.library_of(session, ingrid).course] == [Stage.HIDDEN]
        assert service.library_of(session, reader(room, "Oliver")).course == ()
        owner, partner = (
            service.news_of(session, room.course.id, room.members[name].id, now=clock.now())
            for name in ("Mette", "Jonas")
        )
        assert ([one.what for one in owner], partner) == (["hidden"], [])
        service.show_again(session, ingrid, practice.id)
        assert readers_of(session, practice, reader(room, "Oliver")) == [True]


def test_an_offer_begins_from_what_is_ones_own(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_room(session, clock)
        win = a_win(session, room, "Mette", clock, "Everybody spoke")
        shelf = a_resource(session, room, "Mette", clock, for_course=True, resource_title="A book")
        mette, jonas = reader(room, "Mette"), reader(room, "Jonas")
        source = service.source_of(session, mette, win_id=win.id, now=clock.now())
        assert source is not None
        assert (source.text, source.group_id) == ("Everybody spoke", win.group_id)
        source = service.source_of(session, mette, resource_id=shelf.id, now=clock.now())
        assert source is not None
        assert (source.title, source.group_id) == ("A book", None)
        assert service.source_of(session, jonas, win_id=win.id, now=clock.now()) is None
        assert service.source_of(session, jonas, resource_id=shelf.id, now=clock.now()) is None
        assert win.group_id is not None
        with pytest.raises(NobodyToAsk):
            service.offer(session, reader(room, "Oliver"), DRAFT, win.group_id, now=clock.now())


def test_an_erasure_takes_every_practice_that_concerns_the_person(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_room(session, clock)
        offered(session, room, clock)
        kept = service.offer(session, reader(room, "Oliver"), DRAFT, None, now=clock.now()).id
        own = service.texts_of(session, [room.members["Mette"].id])
        assert (own[0]["title"], own[0]["text"]) == (DRAFT.title, DRAFT.text)
        (asked,) = service.texts_of(session, [room.members["Jonas"].id])
        assert "text" not in asked
        service.erase_texts_of(session, [room.members["Jonas"].id])
        assert list(session.scalars(select(Practice.id))) == [kept]

"""Meetings as they are kept: who may change what, what calendars are told, and what follows when groups change."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import delete, event, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.activities.errors import ActivityReadOnly
from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules.rhythm import Rhythm
from lti_tool.jobs.queue import JobContext
from lti_tool.launch.models import Course, Member, Person
from lti_tool.meetings import handlers, service
from lti_tool.meetings.errors import AskedToday, CalendarBusy, CalendarUnknown, NotYourMeeting, TimeGone
from lti_tool.meetings.models import Acceptance, Appointment, CalendarAddress, MeetingTime, Nudge
from lti_tool.meetings.rules.calendar import Status
from lti_tool.meetings.rules.standing import MeetingView, State
from lti_tool.meetings.rules.times import Wanted
from lti_tool.meetings.service.calendars import MOST_READS, Held
from lti_tool.pairing.models import Group, Plan, Seat
from lti_tool.support.crypto import fingerprint
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from lti_tool.workspace import personal_data
from tests.factories.feedback import Classroom, a_classroom
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store

PAIRS = (("Mette", "Jonas"), ("Femke", "Zoë"))


@pytest.fixture
def now(clock: FakeClock) -> datetime:
    return clock.now()


@pytest.fixture
def room(open_session: OpenSession, now: datetime) -> Classroom:
    with open_session() as session:
        return a_classroom(session, "Mette", "Jonas", "Femke", "Zoë", now=now, groups=PAIRS)


def place(session: Session, room: Classroom, who: str) -> service.Planned:
    return service.find_planned(session, session.get_one(Activity, room.activity.id), 1, room.members[who].id)


def tomorrow(now: datetime, **values: object) -> Wanted:
    return Wanted(now + timedelta(days=1), time_zone="Europe/Stockholm", **values)


def view(session: Session, room: Classroom, who: str, now: datetime) -> MeetingView:
    group = place(session, room, who).group_id
    return service.of_groups(session, [group], now=now)[group]


def agree(session: Session, room: Classroom, one: str, other: str, wanted: Wanted, now: datetime) -> MeetingTime:
    service.propose(session, place(session, room, one), [wanted], now=now)
    time = session.scalars(select(MeetingTime).order_by(MeetingTime.id.desc())).first()
    assert time is not None
    assert service.accept(session, place(session, room, other), time.id, now=now)
    return time


def in_calendar(session: Session, room: Classroom, who: str, now: datetime) -> list[Held]:
    return list(service.events_of(session, room.members[who].id, now=now))


def moves(session: Session, room: Classroom, who: str, to_group_of: str) -> None:
    """Another plan for the round: somebody has a seat in another group."""
    group = session.scalars(select(Seat.group_id).where(Seat.member_id == room.members[to_group_of].id)).one()
    seat = session.scalars(select(Seat).where(Seat.member_id == room.members[who].id)).one()
    seat.group_id, seat.turn = group, 9
    session.flush()


def test_a_group_gets_one_meeting_when_it_needs_one(open_session: OpenSession, room: Classroom, now: datetime) -> None:
    with open_session(room.institution.id) as session:
        assert view(session, room, "Mette", now).state is State.NO_TIME
        assert session.scalar(select(func.count()).select_from(Appointment)) == 0
        agree(session, room, "Mette", "Jonas", tomorrow(now), now)
        agree(session, room, "Jonas", "Mette", tomorrow(now), now)
        assert session.scalar(select(func.count()).select_from(Appointment)) == 1


def test_a_circle_agrees_when_everybody_has_accepted(open_session: OpenSession, now: datetime) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", "Femke", now=now, groups=(("Mette", "Jonas", "Femke"),))
        service.propose(session, place(session, room, "Mette"), [tomorrow(now)], now=now)
        time_id = session.scalars(select(MeetingTime.id)).one()
        assert not service.accept(session, place(session, room, "Jonas"), time_id, now=now)
        assert not service.accept(session, place(session, room, "Jonas"), time_id, now=now)
        assert view(session, room, "Femke", now).proposed[0].missing == (room.members["Femke"].id,)
        assert service.accept(session, place(session, room, "Femke"), time_id, now=now)
        assert service.accept(session, place(session, room, "Femke"), time_id, now=now)
        assert session.scalars(select(Appointment.sequence)).one() == 1
        assert view(session, room, "Femke", now).state is State.AGREED


def test_every_change_raises_the_sequence_and_keeps_the_uid(
    open_session: OpenSession, room: Classroom, now: datetime
) -> None:
    with open_session(room.institution.id) as session:
        mette, jonas = place(session, room, "Mette"), place(session, room, "Jonas")
        seen = []

        def look() -> None:
            [held] = in_calendar(session, room, "Mette", now)
            seen.append((held.uid, held.sequence, held.status))

        agree(session, room, "Mette", "Jonas", tomorrow(now, rhythm=Rhythm.WEEKLY), now)
        look()
        agree(session, room, "Jonas", "Mette", Wanted(now + timedelta(days=2), rhythm=Rhythm.WEEKLY), now)
        look()
        service.skip_date(session, jonas, 1, now=now)
        look()
        service.skip_date(session, jonas, 1, now=now, undo=True)
        look()
        service.cancel(session, mette, now=now)
        look()
        assert service.take_up(session, mette, now=now)
        look()
        assert len({uid for uid, _, _ in seen}) == 1
        assert [number for _, number, _ in seen] == [1, 2, 3, 4, 5, 6]
        assert [status for _, _, status in seen] == [
            *[Status.CONFIRMED] * 4,
            Status.CANCELED,
            Status.CONFIRMED,
        ]


def test_a_proposal_stands_in_no_calendar(open_session: OpenSession, room: Classroom, now: datetime) -> None:
    with open_session(room.institution.id) as session:
        service.propose(session, place(session, room, "Mette"), [tomorrow(now)], now=now)
        assert in_calendar(session, room, "Mette", now) == []


def test_what_others_agreed_is_nobody_elses(open_session: OpenSession, room: Classroom, now: datetime) -> None:
    with open_session(room.institution.id) as session:
        time = agree(session, room, "Mette", "Jonas", tomorrow(now), now)
        with pytest.raises(TimeGone):
            service.accept(session, place(session, room, "Femke"), time.id, now=now)
        with pytest.raises(TimeGone):
            service.cancel(session, place(session, room, "Femke"), now=now)
        with pytest.raises(NotYourMeeting):
            place(session, room, "Ingrid")
        stranger = replace(place(session, room, "Mette"), member_id=room.members["Zoë"].id)
        for act in (service.cancel, service.withdraw, service.take_up):
            with pytest.raises(NotYourMeeting):
                act(session, stranger, now=now)


@pytest.mark.parametrize("ends", ["closed", "course over"])
def test_nothing_changes_when_the_activity_or_the_course_is_over(
    open_session: OpenSession, room: Classroom, now: datetime, ends: str
) -> None:
    with open_session(room.institution.id) as session:
        time = agree(session, room, "Mette", "Jonas", tomorrow(now), now)
        mette = place(session, room, "Mette")
        if ends == "closed":
            mette.activity.state = "closed"
        else:
            session.get_one(Course, room.course.id).ended_at = now
        acts: list[Callable[[], object]] = [
            lambda: service.propose(session, mette, [tomorrow(now)], now=now),
            lambda: service.accept(session, mette, time.id, now=now),
            lambda: service.withdraw(session, mette, now=now),
            lambda: service.cancel(session, mette, now=now),
            lambda: service.take_up(session, mette, now=now),
            lambda: service.skip_date(session, mette, 1, now=now),
            lambda: service.nudge(session, mette, room.members["Jonas"].id, now=now),
            lambda: service.answer_nudge(session, mette, room.members["Jonas"].id, now=now),
        ]
        for act in acts:
            with pytest.raises(ActivityReadOnly):
                act()
        assert view(session, room, "Jonas", now).state is State.AGREED


def test_who_is_taken_out_of_the_group_has_it_canceled_and_who_comes_is_asked(
    open_session: OpenSession, room: Classroom, now: datetime
) -> None:
    with open_session(room.institution.id) as session:
        time = agree(session, room, "Mette", "Jonas", tomorrow(now), now)
        [before] = in_calendar(session, room, "Jonas", now)
        moves(session, room, "Jonas", "Femke")
        moves(session, room, "Zoë", "Mette")
        session.expire_all()
        [after] = in_calendar(session, room, "Jonas", now)
        assert (after.uid, after.status, after.partners) == (before.uid, Status.CANCELED, ())
        assert after.sequence > before.sequence
        assert [one.status for one in in_calendar(session, room, "Mette", now)] == [Status.TENTATIVE]
        assert in_calendar(session, room, "Zoë", now) == []
        seen = view(session, room, "Zoë", now)
        assert (seen.state, [one.id for one in seen.proposed]) == (State.PROPOSED, [time.id])
        assert service.accept(session, place(session, room, "Zoë"), time.id, now=now)
        for name in ("Mette", "Zoë"):
            [held] = in_calendar(session, room, name, now)
            assert held.status is Status.CONFIRMED
        assert [one.partners for one in in_calendar(session, room, "Mette", now)] == [("Zoë",)]


def test_a_meeting_of_a_group_that_is_gone_is_canceled(
    open_session: OpenSession, room: Classroom, now: datetime
) -> None:
    with open_session(room.institution.id) as session:
        agree(session, room, "Mette", "Jonas", tomorrow(now), now)
        group = place(session, room, "Mette").group_id
        session.execute(delete(Seat).where(Seat.group_id == group))
        session.execute(delete(Group).where(Group.id == group))
        session.expire_all()
        assert [one.status for one in in_calendar(session, room, "Mette", now)] == [Status.CANCELED]


def test_a_plan_that_is_taken_back_cancels_and_calendars_are_told_by_a_job(
    open_session: OpenSession, kit: Kit, room: Classroom, now: datetime
) -> None:
    with open_session(room.institution.id) as session:
        agree(session, room, "Mette", "Jonas", tomorrow(now), now)
        session.scalars(select(Plan)).one().state = "draft"
    handlers.follow_groups(kit, JobContext(1, "meetings.follow_groups", {}, None, 1))
    with open_session(room.institution.id) as session:
        assert None not in session.scalars(select(Acceptance.ended_at)).all()
        assert session.scalars(select(Appointment.sequence)).one() == 2
        session.scalars(select(Plan)).one().state = "published"
        assert view(session, room, "Mette", now).state is State.PROPOSED


def test_a_partner_who_left_the_course_leaves_the_meeting_off(
    open_session: OpenSession, room: Classroom, now: datetime
) -> None:
    with open_session(room.institution.id) as session:
        agree(session, room, "Mette", "Jonas", tomorrow(now), now)
        session.get_one(Member, room.members["Jonas"].id).status = "inactive"
        session.flush()
        assert view(session, room, "Mette", now).state is State.NO_TIME
        assert [one.status for one in in_calendar(session, room, "Mette", now)] == [Status.CANCELED]


def test_a_round_that_goes_takes_its_meetings_along(open_session: OpenSession, room: Classroom, now: datetime) -> None:
    with open_session(room.institution.id) as session:
        agree(session, room, "Mette", "Jonas", tomorrow(now), now)
        session.execute(delete(Round).where(Round.id == room.rounds[0].id))
        for model in (Appointment, MeetingTime, Acceptance):
            assert session.scalar(select(func.count()).select_from(model)) == 0


def test_the_number_of_queries_does_not_depend_on_the_number_of_groups(
    open_session: OpenSession, room: Classroom, now: datetime
) -> None:
    with open_session(room.institution.id) as session:
        agree(session, room, "Mette", "Jonas", tomorrow(now), now)
        agree(session, room, "Femke", "Zoë", tomorrow(now), now)
        groups = [place(session, room, name).group_id for name in ("Mette", "Femke")]
        counts = []
        for asked in (groups[:1], groups):
            session.info.pop(("marks", room.course.id, False), None)
            counts.append(queries(session, lambda asked=asked: service.of_groups(session, asked, now=now)))
        assert counts[0] == counts[1] <= 2


def queries(session: Session, act: Callable[[], object]) -> int:
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(statement)

    event.listen(session.get_bind(), "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(session.get_bind(), "before_cursor_execute", note)
    return len(seen)


def test_a_reminder_is_kept_until_it_is_answered_and_repeated_once_a_day(
    open_session: OpenSession, room: Classroom, now: datetime
) -> None:
    with open_session(room.institution.id) as session:
        mette, jonas = place(session, room, "Mette"), place(session, room, "Jonas")
        service.nudge(session, mette, jonas.member_id, now=now)
        with pytest.raises(AskedToday):
            service.nudge(session, mette, jonas.member_id, now=now + timedelta(hours=23))
        service.nudge(session, mette, jonas.member_id, now=now + timedelta(hours=24))
        assert service.waiting_since(session, room.activity.id) == {mette.member_id: now}
        [seen] = service.nudges_of(session, room.activity, jonas.member_id)
        assert (seen.author_id, seen.recipient_id, seen.since) == (mette.member_id, jonas.member_id, now)
        service.answer_nudge(session, jonas, mette.member_id, now=now + timedelta(hours=25))
        assert service.waiting_since(session, room.activity.id) == {}
        assert service.nudges_of(session, room.activity, mette.member_id) == []
        service.nudge(session, mette, jonas.member_id, now=now + timedelta(days=3))
        assert service.waiting_since(session, room.activity.id) == {mette.member_id: now + timedelta(days=3)}


def test_reminders_end_with_the_group(open_session: OpenSession, room: Classroom, now: datetime) -> None:
    with open_session(room.institution.id) as session:
        mette = place(session, room, "Mette")
        with pytest.raises(NotYourMeeting):
            service.nudge(session, mette, room.members["Femke"].id, now=now)
        with pytest.raises(NotYourMeeting):
            service.nudge(session, mette, mette.member_id, now=now)
        service.nudge(session, mette, room.members["Jonas"].id, now=now)
        moves(session, room, "Jonas", "Femke")
        assert service.nudges_of(session, room.activity, mette.member_id) == []
        assert service.waiting_since(session, room.activity.id) == {}


def test_of_an_address_only_the_hash_is_kept_and_a_new_one_ends_the_old(
    open_session: OpenSession, room: Classroom, now: datetime
) -> None:
    member_id = room.members["Mette"].id
    with open_session(room.institution.id) as session:
        agree(session, room, "Mette", "Jonas", tomorrow(now), now)
        old = service.make_address(session, member_id, now=now)
        new = service.make_address(session, member_id, now=now)
        assert session.scalars(select(CalendarAddress.token_hash)).all() == [fingerprint(new)]
        assert service.address_made_at(session, member_id) == now
    with open_session() as session:
        feed = service.open_feed(session, new, now=now)
        assert [(one.partners, one.activity_title) for one in feed.events] == [(("Jonas",), room.activity.title)]
    for secret in (old, "", "guess"):
        with open_session() as session, pytest.raises(CalendarUnknown):
            service.open_feed(session, secret, now=now)
    with open_session(room.institution.id) as session:
        service.give_up_address(session, member_id)
    with open_session() as session, pytest.raises(CalendarUnknown):
        service.open_feed(session, new, now=now)


def test_an_address_is_answered_so_often_an_hour(open_session: OpenSession, room: Classroom, now: datetime) -> None:
    with open_session(room.institution.id) as session:
        secret = service.make_address(session, room.members["Mette"].id, now=now)
    for _ in range(MOST_READS):
        with open_session() as session:
            service.open_feed(session, secret, now=now)
    with open_session() as session, pytest.raises(CalendarBusy):
        service.open_feed(session, secret, now=now + timedelta(minutes=59))
    with open_session() as session:
        service.open_feed(session, secret, now=now + timedelta(minutes=60))


def test_the_database_knows_one_agreed_time_and_no_reminder_to_oneself(
    open_session: OpenSession, room: Classroom, now: datetime
) -> None:
    with open_session(room.institution.id) as session:
        time = agree(session, room, "Mette", "Jonas", tomorrow(now), now)
        twin = {"meeting_id": time.meeting_id, "by_id": time.by_id, "proposed_at": now, "starts_at": now}
        with pytest.raises(IntegrityError), session.begin_nested():
            session.add(MeetingTime(**twin, minutes=45, time_zone="UTC", state="agreed"))
        own = {"author_id": time.by_id, "recipient_id": time.by_id, "round_id": room.rounds[0].id}
        with pytest.raises(IntegrityError), session.begin_nested():
            session.add(Nudge(**own, since=now, at=now))


def test_a_person_is_told_of_their_meetings_and_leaves_no_place_behind(
    open_session: OpenSession, room: Classroom, now: datetime
) -> None:
    mette = room.members["Mette"]
    with open_session(room.institution.id) as session:
        agree(session, room, "Mette", "Jonas", tomorrow(now, place="Mette's kitchen"), now)
        service.propose(session, place(session, room, "Mette"), [tomorrow(now, place="Mette's garden")], now=now)
        service.nudge(session, place(session, room, "Jonas"), mette.id, now=now)
        service.make_address(session, mette.id, now=now)
        told = personal_data.everything_about(session, mette.person_id)
        assert [(one["place"], one["state"]) for one in told["meetings"]] == [
            ("Mette's kitchen", "agreed"),
            ("Mette's garden", "proposed"),
        ]
        assert [one["direction"] for one in told["reminders"]] == ["received"]
        assert len(told["calendar_addresses"]) == 1
        personal_data.erase(session, mette.person_id, now=now)
        assert session.scalars(select(MeetingTime.place)).all() == [""]
        assert session.scalars(select(Acceptance.member_id)).all() == [room.members["Jonas"].id]
        assert session.scalars(select(Nudge)).all() == []
        assert session.scalars(select(CalendarAddress)).all() == []
        assert [one.status for one in in_calendar(session, room, "Jonas", now)] == [Status.CANCELED]
        assert session.get_one(Person, mette.person_id).name is None


def test_two_who_propose_first_at_the_same_moment_share_one_meeting(
    open_session: OpenSession, room: Classroom, now: datetime
) -> None:
    ready = Barrier(2)

    def proposes(who: str) -> None:
        ready.wait(timeout=30)
        with open_session(room.institution.id) as session:
            service.propose(session, place(session, room, who), [tomorrow(now)], now=now)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(proposes, ("Mette", "Jonas")))
    with open_session(room.institution.id) as session:
        assert session.scalar(select(func.count()).select_from(Appointment)) == 1
        assert len(view(session, room, "Mette", now).proposed) == 2


def test_two_who_accept_and_cancel_at_the_same_moment_go_one_after_the_other(
    open_session: OpenSession, room: Classroom, now: datetime
) -> None:
    with open_session(room.institution.id) as session:
        agree(session, room, "Mette", "Jonas", tomorrow(now), now)
        service.propose(session, place(session, room, "Jonas"), [Wanted(now + timedelta(days=2))], now=now)
        newer = session.scalars(select(MeetingTime.id).order_by(MeetingTime.id.desc())).first()
        assert newer is not None
    ready = Barrier(2)

    def act(who: str) -> None:
        ready.wait(timeout=30)
        with open_session(room.institution.id) as session:
            if who == "Mette":
                service.accept(session, place(session, room, who), newer, now=now)
            else:
                service.cancel(session, place(session, room, who), now=now)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(act, ("Mette", "Jonas")))
    with open_session(room.institution.id) as session:
        states = session.scalars(select(MeetingTime.state).order_by(MeetingTime.id)).all()
        assert states in (["canceled", "agreed"], ["replaced", "canceled"])

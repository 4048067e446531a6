"""Staff in the facilitator's seat of a group: one at a time, recorded, and closed by what nobody agreed to."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.rules import SeatRefusal
from lti_tool.feedback import service
from lti_tool.feedback.errors import NotFacilitating, SeatClosed
from lti_tool.feedback.service import SeatView
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Facilitation, Group
from lti_tool.support.db import OpenSession
from lti_tool.web.audit import AuditEntry
from tests.factories.feedback import Classroom, a_classroom
from tests.factories.people import a_member, a_person
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
NAMES = ("Mette", "Jonas", "Ada")


def a_guided_circle(session: Session, clock: FakeClock) -> tuple[Classroom, int]:
    """A circle of three in one guided round, and its group."""
    room = a_classroom(session, *NAMES, now=clock.now(), groups=(NAMES,), kind="circle", guided_rounds=1)
    return room, session.scalars(select(Group.id)).one()


def taking(session: Session, room: Classroom, group_id: int, clock: FakeClock) -> Callable[[int], None]:
    """Takes the group's seat for a member of staff."""

    def take(member_id: int) -> None:
        service.take_seat(session, room.activity, group_id, member_id, is_staff=True, now=clock.now())

    return take


def test_one_at_a_time_has_the_seat_and_the_record_says_who(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room, group_id = a_guided_circle(session, clock)
        ingrid = room.members["Ingrid"].id
        ola = a_member(session, room.course, a_person(session, room.registration, name="Ola"), "assistant").id
        take = taking(session, room, group_id, clock)

        def seat_of(member_id: int) -> SeatView:
            return service.seats_for(session, room.activity, [group_id], member_id, is_staff=True)[group_id]

        take(ingrid)
        take(ingrid)
        assert seat_of(ingrid).refusal is None
        assert seat_of(ola).refusal is SeatRefusal.TAKEN
        with pytest.raises(SeatClosed):
            take(ola)
        with pytest.raises(NotFacilitating):
            service.facilitated_meeting(session, room.activity, 1, group_id, ola, is_staff=True)
        meeting = service.facilitated_meeting(session, room.activity, 1, group_id, ingrid, is_staff=True)
        assert {each.name for each in meeting.partners} == set(NAMES)
        assert [each.seat for each in meeting.participants] == ["case_giver", "member", "member"]
        with pytest.raises(NotFacilitating):
            service.facilitated_meeting(session, room.activity, 1, group_id, ingrid, is_staff=False)

        service.leave_seat(session, room.activity, group_id, ola, now=clock.now())
        assert seat_of(ingrid).facilitator is not None, "nobody leaves for somebody else"
        service.leave_seat(session, room.activity, group_id, ingrid, now=clock.now())
        service.leave_seat(session, room.activity, group_id, ingrid, now=clock.now())
        take(ola)
        rows = session.execute(select(Facilitation.member_id, Facilitation.left_at).order_by(Facilitation.id)).all()
        assert [tuple(row) for row in rows] == [(ingrid, clock.now()), (ola, None)]
        told = session.execute(select(AuditEntry.what, AuditEntry.person_id).order_by(AuditEntry.id)).all()
        assert [what for what, _ in told] == ["facilitator came", "facilitator left", "facilitator came"]
        assert told[0].person_id == room.members["Ingrid"].person_id
        assert session.scalars(select(Group.begun_at)).one() is None, "who only comes keeps nobody from joining"


def test_the_words_of_the_facilitator_and_the_timer_are_no_words_of_members(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room, group_id = a_guided_circle(session, clock)
        ingrid, mette = room.members["Ingrid"].id, room.members["Mette"].id
        take = taking(session, room, group_id, clock)
        take(ingrid)
        meeting = service.facilitated_meeting(session, room.activity, 1, group_id, ingrid, is_staff=True)
        clock_step, notes = meeting.kind.step("clock"), meeting.kind.step("own_notes")
        assert clock_step is not None
        assert notes is not None
        service.save_draft(session, meeting.task(clock_step), {"clock": "0 now"}, {}, device="a", now=clock.now())
        own = service.find_meeting(session, room.activity, 1, mette)
        service.save_draft(session, own.task(notes), {"my_notes": "Mine"}, {}, device="b", now=clock.now())
        service.leave_seat(session, room.activity, group_id, ingrid, now=clock.now())
        take(ingrid)

        check_in = own.kind.step("check_in")
        assert check_in is not None
        service.save_draft(session, own.task(check_in), {"win_or_challenge": "Ours"}, {}, device="b", now=clock.now())
        service.leave_seat(session, room.activity, group_id, ingrid, now=clock.now())
        with pytest.raises(SeatClosed) as closed:
            take(ingrid)
        assert closed.value.why == SeatRefusal.NOT_AGREED


def test_facilitated_once_is_facilitated_for_what_members_owe(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room, group_id = a_guided_circle(session, clock)
        ingrid = room.members["Ingrid"].id

        def owes() -> frozenset[str]:
            [group] = pairing.published_groups(session, room.activity.id)
            kind = service.find_meeting(session, room.activity, 1, room.members["Mette"].id).kind
            return group.owed(kind, room.members["Mette"].id, room.members["Jonas"].id)

        assert "give_feedback" in owes()
        taking(session, room, group_id, clock)(ingrid)
        assert owes() == frozenset()
        service.leave_seat(session, room.activity, group_id, ingrid, now=clock.now())
        assert owes() == frozenset()

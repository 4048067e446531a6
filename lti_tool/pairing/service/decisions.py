"""What staff decided about people: who is pinned together, kept apart, absent or left out. Read, checked and stored."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.launch.models import Member
from lti_tool.pairing.errors import ChangeImpossible
from lti_tool.pairing.models import Absence, Exclusion, Move, PinnedMember
from lti_tool.pairing.models import Pin as PinRow
from lti_tool.pairing.rules.changes import (
    Absent,
    Change,
    KeepApart,
    LeaveOut,
    Pin,
    Relax,
    UndoAbsent,
    UndoKeepApart,
    Unpin,
)
from lti_tool.pairing.rules.views import PinView, couple_of
from lti_tool.pairing.service.preferences import preferences_of, save_preferences
from lti_tool.roster import service as roster


def pins_of(session: Session, activity_id: int) -> list[PinView]:
    """The pins of an activity, oldest first."""
    members: dict[int, list[int]] = defaultdict(list)
    pinned = select(PinnedMember.pin_id, PinnedMember.member_id).join(PinRow, PinRow.id == PinnedMember.pin_id)
    for pin_id, member_id in session.execute(
        pinned.where(PinRow.activity_id == activity_id).order_by(PinnedMember.member_id)
    ):
        members[pin_id].append(member_id)
    rows = session.execute(
        select(PinRow, Round.number)
        .outerjoin(Round, Round.id == PinRow.round_id)
        .where(PinRow.activity_id == activity_id)
        .order_by(PinRow.id)
    )
    return [PinView(pin.id, tuple(members[pin.id]), number, pin.said_by_id, pin.said_at) for pin, number in rows]


def apart_of(session: Session, course_id: int) -> Sequence[Exclusion]:
    """Who is kept apart in a course, oldest first."""
    rows = select(Exclusion).where(Exclusion.course_id == course_id).order_by(Exclusion.id)
    # Rows that this session has read before are read again, because a proposal is compared with rows of now.
    return session.scalars(rows.execution_options(populate_existing=True)).all()


def absences_of(session: Session, activity_id: int) -> dict[int, frozenset[int]]:
    """Who is absent, by round number."""
    absent: dict[int, set[int]] = defaultdict(set)
    listed = select(Round.number, Absence.member_id).join(Round, Round.id == Absence.round_id)
    for number, member_id in session.execute(listed.where(Round.activity_id == activity_id).order_by(Round.number)):
        absent[number].add(member_id)
    return {number: frozenset(people) for number, people in absent.items()}


def refuse(session: Session, activity: Activity, change: Change) -> None:
    """Raise if a change cannot be made, whatever the groups are.

    Raises ChangeImpossible and MemberUnknown.
    """
    match change:
        case Pin(members, round_number):
            _refuse_pin(session, activity, set(members), round_number)
        case KeepApart(members):
            if len(set(members)) < 2:
                raise ChangeImpossible("one person")
            if not _are_members(session, activity.course_id, members):
                raise ChangeImpossible("not in the course")
        case LeaveOut(member_id):
            roster.member_of(session, activity.course_id, member_id)


def _refuse_pin(session: Session, activity: Activity, people: set[int], round_number: int | None) -> None:
    if len(people) < 2:
        raise ChangeImpossible("too few")
    if len(people) > preferences_of(session, activity).preferences.shape.size + 1:
        raise ChangeImpossible("too many")
    if not _are_members(session, activity.course_id, people):
        raise ChangeImpossible("strangers")
    if round_number is not None and _round_id(session, activity, round_number) is None:
        raise ChangeImpossible("no round")
    for pin in pins_of(session, activity.id):
        if people.isdisjoint(pin.members):
            continue
        if people == set(pin.members) and pin.round_number in {None, round_number}:
            raise ChangeImpossible("pinned already")
        if pin.round_number is None or round_number is None or pin.round_number == round_number:
            raise ChangeImpossible("pinned to others")


def record(session: Session, activity: Activity, change: Change, *, by: int | None, now: datetime) -> None:
    """Store what someone decided, apart from the groups. `by` is a person."""
    match change:
        case Pin(members, round_number):
            round_id = _round_id(session, activity, round_number) if round_number is not None else None
            pin = PinRow(activity_id=activity.id, round_id=round_id, said_by_id=by, said_at=now)
            session.add(pin)
            session.flush()
            session.add_all(PinnedMember(pin_id=pin.id, member_id=member_id) for member_id in sorted(set(members)))
        case Unpin(pin_id):
            session.execute(delete(PinRow).where(PinRow.id == pin_id, PinRow.activity_id == activity.id))
        case KeepApart(members, kind):
            first, second = couple_of(*members)
            couple = {"course_id": activity.course_id, "one_id": first, "other_id": second}
            row = session.scalar(select(Exclusion).filter_by(**couple).with_for_update()) or Exclusion(**couple)
            row.kind, row.said_by_id, row.said_at = kind, by, now
            session.add(row)
        case UndoKeepApart(apart_id):
            couples = delete(Exclusion).where(Exclusion.course_id == activity.course_id)
            session.execute(couples.where(Exclusion.id == apart_id))
        case Relax(rules):
            saved = preferences_of(session, activity)
            wanted = saved.preferences.without(*rules)
            save_preferences(session, activity.id, wanted, expected_version=saved.version, by=by, now=now)
        case Absent(member_id, round_number):
            round_id = _round_id(session, activity, round_number)
            if round_id is not None:
                session.add(Absence(round_id=round_id, member_id=member_id, said_by_id=by, said_at=now))
        case UndoAbsent(member_id, round_number):
            round_id = _round_id(session, activity, round_number)
            session.execute(delete(Absence).where(Absence.round_id == round_id, Absence.member_id == member_id))
        case LeaveOut(member_id):
            roster.name_as_staff(session, activity.course_id, member_id, now=now)
    session.flush()


def _round_id(session: Session, activity: Activity, round_number: int) -> int | None:
    return session.scalar(select(Round.id).where(Round.activity_id == activity.id, Round.number == round_number))


def _are_members(session: Session, course_id: int, people: Collection[int]) -> bool:
    listed = session.scalars(select(Member.id).where(Member.course_id == course_id, Member.id.in_(people))).all()
    return len(listed) == len(set(people))


def said_of(session: Session, members: Collection[int]) -> list[dict[str, str]]:
    """What staff decided about these members, as plain values for the person, without naming anyone else."""
    pinned = select(PinRow.said_at).join(PinnedMember, PinnedMember.pin_id == PinRow.id)
    apart = select(Exclusion.kind, Exclusion.said_at)
    absent = select(Absence.said_at).where(Absence.member_id.in_(members))
    said = [("pinned", at) for at in session.scalars(pinned.where(PinnedMember.member_id.in_(members)))]
    said += session.execute(apart.where(or_(Exclusion.one_id.in_(members), Exclusion.other_id.in_(members)))).all()
    said += [("absent", at) for at in session.scalars(absent)]
    return [{"said": what, "at": at.isoformat(timespec="seconds")} for what, at in sorted(said, key=lambda row: row[1])]


def forget(session: Session, members: Collection[int]) -> None:
    """Delete what staff decided about these members and why they were moved, to erase a person."""
    session.execute(delete(Exclusion).where(or_(Exclusion.one_id.in_(members), Exclusion.other_id.in_(members))))
    pins = select(PinnedMember.pin_id).where(PinnedMember.member_id.in_(members))
    session.execute(delete(PinRow).where(PinRow.id.in_(pins)))
    session.execute(delete(Absence).where(Absence.member_id.in_(members)))
    session.execute(delete(Move).where(Move.member_id.in_(members)))

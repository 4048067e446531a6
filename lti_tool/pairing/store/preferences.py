"""What staff decided about groups, in the database: preferences, pins, people kept apart, absences."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Round
from lti_tool.launch.models import Member
from lti_tool.pairing.engine import Couple
from lti_tool.pairing.models import Absence, Exclusion, Move, PairingPreferences, PinnedMember
from lti_tool.pairing.models import Pin as PinRow
from lti_tool.pairing.rules import Apart, PinView, couple_of
from lti_tool.pairing.rules.preferences import Preferences, read

Row = TypeVar("Row")


def find_row(session: Session, activity_id: int) -> PairingPreferences | None:
    """The saved preferences of an activity."""
    return session.scalar(_newest(select(PairingPreferences).where(PairingPreferences.activity_id == activity_id)))


def read_row(row: PairingPreferences) -> Preferences:
    """A saved row as plain data. Raises PreferencesInvalid."""
    fields = ("kind", "size", "rules", "wishes", "not_again", "should_not_holds", "history_counts")
    return read({field: getattr(row, field) for field in fields})


def write_row(session: Session, row: PairingPreferences, wanted: Preferences, *, by: int | None, now: datetime) -> None:
    """Save preferences in this row, which may be new. `by` is a person."""
    for field, value in wanted.to_json().items():
        setattr(row, field, value)
    row.changed_by_id, row.changed_at = by, now
    session.add(row)
    session.flush()


def pins_of(session: Session, activity_id: int) -> list[PinView]:
    """The pins of an activity, oldest first."""
    members: dict[int, list[int]] = defaultdict(list)
    for pin_id, member_id in session.execute(
        select(PinnedMember.pin_id, PinnedMember.member_id)
        .join(PinRow, PinRow.id == PinnedMember.pin_id)
        .where(PinRow.activity_id == activity_id)
        .order_by(PinnedMember.member_id)
    ):
        members[pin_id].append(member_id)
    rows = session.execute(
        select(PinRow, Round.number)
        .outerjoin(Round, Round.id == PinRow.round_id)
        .where(PinRow.activity_id == activity_id)
        .order_by(PinRow.id)
    )
    return [PinView(pin.id, tuple(members[pin.id]), number, pin.said_by_id, pin.said_at) for pin, number in rows]


def add_pin(
    session: Session, activity_id: int, members: tuple[int, ...], round_id: int | None, *, by: int | None, now: datetime
) -> None:
    """Add a pin. `by` is a person."""
    pin = PinRow(activity_id=activity_id, round_id=round_id, said_by_id=by, said_at=now)
    session.add(pin)
    session.flush()
    session.add_all(PinnedMember(pin_id=pin.id, member_id=member_id) for member_id in members)
    session.flush()


def remove_pin(session: Session, activity_id: int, pin_id: int) -> None:
    """Remove a pin, if it is still there."""
    session.execute(delete(PinRow).where(PinRow.id == pin_id, PinRow.activity_id == activity_id))


def apart_of(session: Session, course_id: int) -> Sequence[Exclusion]:
    """Who is kept apart in a course, oldest first."""
    rows = select(Exclusion).where(Exclusion.course_id == course_id).order_by(Exclusion.id)
    return session.scalars(_newest(rows)).all()


def add_apart(session: Session, course_id: int, members: Couple, kind: Apart, *, by: int | None, now: datetime) -> None:
    """Keep two people of a course apart; an earlier decision about the two is replaced. `by` is a person."""
    first, second = couple_of(*members)
    row = session.scalar(
        select(Exclusion)
        .where(Exclusion.course_id == course_id, Exclusion.one_id == first, Exclusion.other_id == second)
        .with_for_update()
    )
    if row is None:
        row = Exclusion(course_id=course_id, one_id=first, other_id=second)
        session.add(row)
    row.kind, row.said_by_id, row.said_at = kind, by, now
    session.flush()


def remove_apart(session: Session, course_id: int, apart_id: int) -> None:
    """Let two people meet again, if they are still kept apart."""
    session.execute(delete(Exclusion).where(Exclusion.id == apart_id, Exclusion.course_id == course_id))


def round_id_of(session: Session, activity_id: int, round_number: int) -> int | None:
    """The id of a round by its number."""
    return session.scalar(select(Round.id).where(Round.activity_id == activity_id, Round.number == round_number))


def add_absence(session: Session, round_id: int, member_id: int, *, by: int | None, now: datetime) -> None:
    """Record that someone is absent in a round. `by` is a person."""
    session.add(Absence(round_id=round_id, member_id=member_id, said_by_id=by, said_at=now))
    session.flush()


def remove_absence(session: Session, activity_id: int, round_number: int, member_id: int) -> None:
    """Record that someone is not absent in a round after all."""
    rounds = select(Round.id).where(Round.activity_id == activity_id, Round.number == round_number)
    session.execute(delete(Absence).where(Absence.round_id.in_(rounds), Absence.member_id == member_id))


def are_members(session: Session, course_id: int, people: Collection[int]) -> bool:
    """Whether all of these are members of the course."""
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


def _newest(statement: Select[Row]) -> Select[Row]:
    """Read rows again that this session has read before, because a proposal is compared with rows of now."""
    return statement.execution_options(populate_existing=True)

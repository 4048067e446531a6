"""What a designer says of groups: preferences, pins, who must not meet whom. Kept here, acted on elsewhere."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity, Round
from lti_tool.launch.models import Member
from lti_tool.launch.rules.context import LaunchContext
from lti_tool.pairing import preferences
from lti_tool.pairing.engine import Kind
from lti_tool.pairing.errors import ExclusionImpossible, PinImpossible, PreferencesChanged, PreferencesInvalid
from lti_tool.pairing.models import Absence, Exclusion, Move, PairingPreferences, Pin, PinnedMember
from lti_tool.pairing.preferences import Preferences
from lti_tool.pairing.rules import ExclusionView, ForbidKind, PinView
from lti_tool.web.visits import Visit

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class KeptPreferences:
    """An activity's preferences, and how often they were saved."""

    preferences: Preferences
    version: int = 0
    """0 while nothing was saved: these are the defaults, or those of the activity that this one is a copy of."""
    changed_by_id: int | None = None
    changed_at: datetime | None = None


def preferences_of(session: Session, activity: Activity) -> KeptPreferences:
    """What the designer wants. A copy that was not saved yet wants what the activity wants that it was copied from."""
    seen: set[int] = set()
    source: Activity | None = activity
    while source is not None and source.id not in seen:
        seen.add(source.id)
        row = session.scalar(_newest(select(PairingPreferences).where(PairingPreferences.activity_id == source.id)))
        if row is not None:
            is_own = source.id == activity.id
            return KeptPreferences(
                _read(row),
                row.version if is_own else 0,
                row.changed_by_id if is_own else None,
                row.changed_at if is_own else None,
            )
        source = session.get(Activity, source.copied_from_id) if source.copied_from_id is not None else None
    return KeptPreferences(Preferences())


def save_preferences(
    session: Session,
    activity_id: int,
    wanted: Preferences,
    *,
    expected_version: int,
    by: int | None,
    now: datetime,
) -> None:
    """Keep what a designer wants. Groups stay as they are until somebody proposes or mends. `by` is a person.

    Raises PreferencesInvalid, PreferencesChanged when somebody saved since `expected_version`, ActivityReadOnly.
    """
    activity = session.get_one(Activity, activity_id, with_for_update={"key_share": True})
    activities.refuse_read_only(session, activity)
    problems = preferences.check(wanted)
    if problems:
        raise PreferencesInvalid(problems)
    row = session.scalar(_newest(select(PairingPreferences).where(PairingPreferences.activity_id == activity_id)))
    if (row.version if row is not None else 0) != expected_version:
        raise PreferencesChanged(activity_id)
    _write(session, row or PairingPreferences(activity_id=activity_id), wanted, by=by, now=now)


def switch_off(session: Session, activity: Activity, rules: Collection[str], *, by: int | None, now: datetime) -> None:
    """Want the same without these rules, by their names in the engine. Raises PreferencesChanged where none holds."""
    kept = preferences_of(session, activity)
    wanted = kept.preferences
    for name in sorted(rules):
        wanted = wanted.without(name)
    if wanted == kept.preferences:
        raise PreferencesChanged(activity.id)
    save_preferences(session, activity.id, wanted, expected_version=kept.version, by=by, now=now)


def pins_of(session: Session, activity_id: int) -> list[PinView]:
    """The pins of an activity, oldest first."""
    members: dict[int, list[int]] = defaultdict(list)
    for pin_id, member_id in session.execute(
        select(PinnedMember.pin_id, PinnedMember.member_id)
        .join(Pin, Pin.id == PinnedMember.pin_id)
        .where(Pin.activity_id == activity_id)
        .order_by(PinnedMember.member_id)
    ):
        members[pin_id].append(member_id)
    rows = session.execute(
        select(Pin, Round.number)
        .outerjoin(Round, Round.id == Pin.round_id)
        .where(Pin.activity_id == activity_id)
        .order_by(Pin.id)
    )
    return [PinView(pin.id, tuple(members[pin.id]), number, pin.said_by_id, pin.said_at) for pin, number in rows]


def add_pin(
    session: Session,
    activity: Activity,
    members: Sequence[int],
    round_number: int | None,
    *,
    by: int | None,
    now: datetime,
) -> PinView:
    """Keep a pin. Raises PinImpossible; the groups are not looked at here."""
    people = tuple(sorted(set(members)))
    round_id = None
    if round_number is not None:
        round_id = session.scalar(
            select(Round.id).where(Round.activity_id == activity.id, Round.number == round_number)
        )
        if round_id is None:
            raise PinImpossible("round")
    refuse_pin(session, activity, people, round_number)
    pin = Pin(activity_id=activity.id, round_id=round_id, said_by_id=by, said_at=now)
    session.add(pin)
    session.flush()
    session.add_all(PinnedMember(pin_id=pin.id, member_id=one) for one in people)
    session.flush()
    return PinView(pin.id, people, round_number, by, now)


def refuse_pin(session: Session, activity: Activity, people: tuple[int, ...], round_number: int | None) -> None:
    """Raise PinImpossible, with the word why, where these people cannot be pinned together."""
    if len(people) < 2:
        raise PinImpossible("too few")
    shape = preferences_of(session, activity).preferences.shape
    if len(people) > shape.size + 1:
        raise PinImpossible("too many")
    if not _are_members(session, activity.course_id, people):
        raise PinImpossible("not in the course")
    for other in pins_of(session, activity.id):
        if not set(other.members) & set(people):
            continue
        if other.members == people and other.round_number in {None, round_number}:
            raise PinImpossible("pinned already")
        if other.round_number is None or round_number is None or other.round_number == round_number:
            raise PinImpossible("somebody is pinned to others")


def remove_pin(session: Session, activity_id: int, pin_id: int) -> None:
    """Take a pin away; one that is gone already is no mistake."""
    session.execute(delete(Pin).where(Pin.id == pin_id, Pin.activity_id == activity_id))


def exclusions_of(session: Session, course_id: int) -> list[ExclusionView]:
    """Who must not, or rather should not, meet whom in a course, oldest first."""
    rows = session.scalars(_newest(select(Exclusion).where(Exclusion.course_id == course_id).order_by(Exclusion.id)))
    return [
        ExclusionView(row.id, row.one_id, row.other_id, ForbidKind(row.kind), row.said_by_id, row.said_at)
        for row in rows
    ]


def add_exclusion(
    session: Session, course_id: int, one: int, other: int, kind: ForbidKind, *, by: int | None, now: datetime
) -> None:
    """Keep two people of a course apart from now on; said again, the newest word holds. Raises ExclusionImpossible."""
    refuse_exclusion(session, course_id, one, other)
    first, second = min(one, other), max(one, other)
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


def refuse_exclusion(session: Session, course_id: int, one: int, other: int) -> None:
    """Raise ExclusionImpossible, with the word why, where these two cannot be kept apart."""
    if one == other:
        raise ExclusionImpossible("nobody else")
    if not _are_members(session, course_id, (one, other)):
        raise ExclusionImpossible("not in the course")


def remove_exclusion(session: Session, course_id: int, exclusion_id: int) -> None:
    """Let two people meet again; what is gone already is no mistake."""
    session.execute(delete(Exclusion).where(Exclusion.id == exclusion_id, Exclusion.course_id == course_id))


def said_of(session: Session, members: Collection[int]) -> list[dict[str, str]]:
    """What staff said of these members, as plain values for the person themselves; who else it names stays out."""
    pinned = select(Pin.said_at).join(PinnedMember, PinnedMember.pin_id == Pin.id)
    apart = select(Exclusion.kind, Exclusion.said_at)
    absent = select(Absence.said_at).where(Absence.member_id.in_(members))
    found = [("pinned", at) for at in session.scalars(pinned.where(PinnedMember.member_id.in_(members)))]
    found += session.execute(apart.where(or_(Exclusion.one_id.in_(members), Exclusion.other_id.in_(members)))).all()
    found += [("absent", at) for at in session.scalars(absent)]
    return [
        {"said": said, "at": at.isoformat(timespec="seconds")} for said, at in sorted(found, key=lambda one: one[1])
    ]


def forget(session: Session, members: Collection[int]) -> None:
    """Delete what staff said of these members, and why they were moved: part of erasing a person."""
    session.execute(delete(Exclusion).where(or_(Exclusion.one_id.in_(members), Exclusion.other_id.in_(members))))
    session.execute(
        delete(Pin).where(Pin.id.in_(select(PinnedMember.pin_id).where(PinnedMember.member_id.in_(members))))
    )
    session.execute(delete(Absence).where(Absence.member_id.in_(members)))
    session.execute(delete(Move).where(Move.member_id.in_(members)))


def after_launch(session: Session, visit: Visit, context: LaunchContext, now: datetime) -> None:
    """Give a copy that the launch of a copied link made what the original wants, in the launch's transaction."""
    if not context.custom.get("activity"):
        return  # Only links with a key are ever copies.
    activity = activities.activity_of(session, visit.placement_id)
    if activity is not None and activity.copied_from_id is not None:
        keep_preferences_of_copy(session, activity, now=now)


def keep_preferences_of_copy(session: Session, copy: Activity, *, now: datetime) -> None:
    """Give a copy its own row, so that it wants what the original wants today, whatever becomes of that later.

    Rules are copied, people are not: pins and exclusions stay where they are. Doing it again changes nothing.
    """
    kept = preferences_of(session, copy)
    if kept.version == 0 and kept.preferences != Preferences():
        try:
            with session.begin_nested():
                _write(session, PairingPreferences(activity_id=copy.id), kept.preferences, by=None, now=now)
        except IntegrityError:
            # Somebody else's launch of the same new link was quicker.
            pass


def _newest(statement: Select[Row]) -> Select[Row]:
    """Rows as they are now, also those that this session has read before: a proposal is held against both."""
    return statement.execution_options(populate_existing=True)


def _are_members(session: Session, course_id: int, people: Collection[int]) -> bool:
    found = session.scalars(select(Member.id).where(Member.course_id == course_id, Member.id.in_(people))).all()
    return len(found) == len(set(people))


def _write(session: Session, row: PairingPreferences, wanted: Preferences, *, by: int | None, now: datetime) -> None:
    kept = wanted.to_json()
    row.kind, row.size = wanted.kind, wanted.size
    row.rules, row.wishes = kept["rules"], kept["wishes"]
    row.not_again, row.should_not_holds = wanted.not_again, wanted.should_not_holds
    row.history_counts = wanted.history_counts
    row.changed_by_id, row.changed_at = by, now
    session.add(row)
    session.flush()


def _read(row: PairingPreferences) -> Preferences:
    return preferences.read(
        {
            "kind": Kind(row.kind),
            "size": row.size,
            "rules": row.rules,
            "wishes": row.wishes,
            "not_again": row.not_again,
            "should_not_holds": row.should_not_holds,
            "history_counts": row.history_counts,
        }
    )

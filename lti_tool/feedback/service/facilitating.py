"""Staff in the facilitator's seat of a group: who has it, taking and leaving it, and the meeting as they see it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import Audience, SeatRefusal, is_guided, kind_for, why_no_seat
from lti_tool.activities.service import completion_changed
from lti_tool.feedback import rules
from lti_tool.feedback.errors import NotFacilitating, SeatClosed
from lti_tool.feedback.models import Entry
from lti_tool.feedback.service.meetings import Facilitator, Meeting, facilitators_of, meeting_of
from lti_tool.launch.models import Course, Member
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Facilitation, Group, Plan, Seat, published
from lti_tool.web import audit


@dataclass(frozen=True, slots=True)
class SeatView:
    """The facilitator's seat of a group, for one member of staff."""

    facilitator: Facilitator | None
    """Who has it now."""
    refusal: SeatRefusal | None
    """Why they cannot have it; None where they can take it, or have it."""


def seats_for(
    session: Session, activity: Activity, group_ids: Collection[int], member_id: int, *, is_staff: bool
) -> dict[int, SeatView]:
    """How the facilitator's seats of these groups stand for this person; empty where the kind has no facilitator."""
    if not kind_for(activity).facilitator:
        return {}
    rounds: dict[int, int] = dict(
        session.execute(
            published(Group.id, Round.number).where(Plan.activity_id == activity.id, Group.id.in_(group_ids))
        ).all()
    )
    held = facilitators_of(session, activity.course_id, rounds)
    unannounced = _with_unannounced_words(session, activity, rounds)
    is_open = rules.may_write(
        state=activity.state, is_course_over=session.get_one(Course, activity.course_id).ended_at is not None
    )

    def view(group_id: int) -> SeatView:
        facilitator = held.get(group_id)
        is_theirs = facilitator is not None and facilitator.member_id == member_id
        return SeatView(
            facilitator,
            why_no_seat(
                is_staff=is_staff,
                is_guided=is_guided(rounds[group_id], activity.guided_rounds),
                is_open=is_open,
                is_taken=facilitator is not None and not is_theirs,
                has_unannounced_words=group_id in unannounced and not is_theirs,
            ),
        )

    return {group_id: view(group_id) for group_id in rounds}


def take_seat(
    session: Session, activity: Activity, group_id: int, member_id: int, *, is_staff: bool, now: datetime
) -> None:
    """Put a member of staff into the facilitator's seat of this group alone. Taking it twice changes nothing.

    Raises SeatClosed.
    """
    # Nobody begins to write, and nobody else takes the seat, between the look and the seat.
    pairing.hold_group(session, group_id)
    seat = seats_for(session, activity, [group_id], member_id, is_staff=is_staff).get(group_id)
    refusal = seat.refusal if seat is not None else SeatRefusal.SELF_RUN
    if seat is None or refusal is not None:
        raise SeatClosed(group_id, refusal or SeatRefusal.SELF_RUN)
    if seat.facilitator is not None:
        return
    session.add(Facilitation(group_id=group_id, member_id=member_id, taken_at=now))
    _record(session, activity, group_id, member_id, "facilitator came", now=now)


def leave_seat(session: Session, activity: Activity, group_id: int, member_id: int, *, now: datetime) -> None:
    """Leave the seat: from this moment on nothing of the group is shown. Left twice, it changes nothing."""
    left = session.execute(
        update(Facilitation)
        .where(Facilitation.group_id == group_id, Facilitation.member_id == member_id, Facilitation.left_at.is_(None))
        .values(left_at=now)
        .execution_options(synchronize_session=False)
    )
    if getattr(left, "rowcount", 0):
        _record(session, activity, group_id, member_id, "facilitator left", now=now)


def facilitated_meeting(
    session: Session, activity: Activity, round_number: int, group_id: int, member_id: int, *, is_staff: bool
) -> Meeting:
    """The meeting of a group as the member of staff who has its facilitator's seat now sees it.

    Raises NotFacilitating for everybody else, and as soon as the seat is left or must be.
    """
    group = next(iter(pairing.published_groups(session, activity.id, group_id=group_id)), None)
    seat = seats_for(session, activity, [group_id], member_id, is_staff=is_staff).get(group_id)
    if (
        group is None
        or group.round_number != round_number
        or seat is None
        or seat.refusal is not None
        or seat.facilitator is None
    ):
        raise NotFacilitating(round_number, group_id)
    return meeting_of(session, activity, group, member_id)


def ask_to_agree_again(session: Session, activity: Activity, *, now: datetime) -> None:
    """Take back that members accepted the agreement, because it now announces facilitators in more rounds.

    Their groups stay closed to staff until they accept the new text: nobody's words are opened by a setting that
    changed after they were promised otherwise.
    """
    step = kind_for(activity).agreement
    if step is None:
        return
    accepted = session.scalars(
        select(Entry)
        .where(Entry.activity_id == activity.id, Entry.step == step.key, Entry.submitted_at.is_not(None))
        .order_by(Entry.id)
        .with_for_update()
    ).all()
    for entry in accepted:
        entry.submitted_at = None
        entry.version += 1
    session.flush()
    members = {entry.author_id for entry in accepted if entry.author_id is not None}
    completion_changed(session, activity.id, members, now=now)


def _with_unannounced_words(session: Session, activity: Activity, group_ids: Collection[int]) -> set[int]:
    """Those of these groups in which somebody wrote for the group who has not accepted the agreement."""
    kind = kind_for(activity)
    words = {step.key for step in kind.steps if step.is_live and step.form and Audience.GROUP in step.form.audience}
    agreement = kind.agreement.key if kind.agreement is not None else ""
    agreed = set(
        session.scalars(
            select(Entry.author_id).where(
                Entry.activity_id == activity.id, Entry.step == agreement, Entry.submitted_at.is_not(None)
            )
        )
    )
    members = set(session.scalars(select(Seat.member_id).where(Seat.group_id.in_(group_ids))))
    entries = session.execute(
        select(Entry.group_id, Entry.author_id, Entry.stamps).where(
            Entry.group_id.in_(group_ids), Entry.recipient_id.is_(None), Entry.step.in_(words)
        )
    )
    return {
        group_id
        for group_id, author_id, stamps in entries
        for writer in ({author_id} if author_id else {rules.Stamp(*stamp).member_id for stamp in stamps.values()})
        if writer in members - agreed
    }


def _record(session: Session, activity: Activity, group_id: int, member_id: int, what: str, *, now: datetime) -> None:
    """Keep in the institution's record who took or left which seat, and have what the members owe follow."""
    session.flush()
    group = pairing.published_groups(session, activity.id, group_id=group_id)[0]
    audit.record(
        session,
        what,
        now=now,
        institution_id=activity.institution_id,
        course_id=activity.course_id,
        person_id=session.get_one(Member, member_id).person_id,
        activity=activity.id,
        round=group.round_number,
        group=group_id,
    )
    completion_changed(session, activity.id, set(group.members), now=now)

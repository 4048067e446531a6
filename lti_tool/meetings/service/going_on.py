"""A partner does not answer: the member goes on alone, or gets another partner."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import kind_of
from lti_tool.activities.service import completion_changed, refuse_read_only
from lti_tool.launch.models import Member
from lti_tool.meetings.errors import NotWaiting, TooEarly
from lti_tool.meetings.models import Nudge
from lti_tool.meetings.service.nudges import find_nudge, settle_nudges, wait_of
from lti_tool.meetings.service.reading import Planned, of_groups
from lti_tool.pairing import service as pairing
from lti_tool.pairing.errors import PlanError
from lti_tool.pairing.models import Absence, Plan, Seat
from lti_tool.pairing.rules.changes import Change, Do


class Asked(StrEnum):
    """What became of a request for another partner."""

    FOUND = "found"
    """The groups have changed, and the member has a partner."""
    TOLD = "told"
    """Staff see it."""


def go_on_alone(session: Session, planned: Planned, partner_id: int, *, now: datetime) -> None:
    """Go on without a partner who does not answer: steps that need them are not needed any more.

    Raises NotWaiting, TooEarly, NotYourMeeting where the kind offers nothing to do alone, or ActivityReadOnly.
    """
    row = _waiting(session, planned, partner_id, now=now)
    if kind_of(planned.activity.kind).alone is None:
        raise NotWaiting(partner_id)
    row.alone_at = now
    completion_changed(session, planned.activity.id, {planned.member_id}, now=now)


def work_together(session: Session, planned: Planned, partner_id: int, *, now: datetime) -> None:
    """Take back that the member goes on alone, or asked for another partner. Raises ActivityReadOnly."""
    refuse_read_only(session, planned.activity)
    row = find_nudge(session, planned, partner_id)
    if row is not None:
        row.alone_at = row.change_asked_at = None
        completion_changed(session, planned.activity.id, {planned.member_id}, now=now)


def ask_for_partner(session: Session, planned: Planned, partner_id: int, *, by: int, now: datetime) -> Asked:
    """Ask for another partner in place of one who does not answer. `by` is a person.

    Where the designer allows it and the groups can change, they do at once: the partner counts as absent in the round.
    Else staff see the request. Raises NotWaiting, TooEarly or ActivityReadOnly.
    """
    row = _waiting(session, planned, partner_id, now=now)
    row.change_asked_at = now
    session.flush()
    if not planned.activity.finds_partners:
        return Asked.TOLD
    change = Change(Do.ABSENT, (partner_id,), planned.round.number)
    try:
        effect = pairing.preview(session, planned.activity, change, now=now)
        if (planned.round.number, planned.member_id) in effect.newly_unpaired:
            return Asked.TOLD
        plan = pairing.find_plan(session, planned.activity.id, "published")
        with session.begin_nested():
            version = plan.version if plan is not None else None
            pairing.apply(session, planned.activity.id, change, expected_version=version, by=by, now=now)
    except PlanError:
        # The group has begun, or a rule or a pin is in the way: staff can still excuse somebody or give more time.
        return Asked.TOLD
    return Asked.FOUND


def not_reached_in(session: Session, activity_id: int, member_id: int) -> frozenset[int]:
    """Rounds in which a partner got somebody else because this member did not answer, and who has no group there."""
    rows = session.scalars(
        select(Round.number)
        .join(Nudge, Nudge.round_id == Round.id)
        .join(Absence, (Absence.round_id == Round.id) & (Absence.member_id == Nudge.recipient_id))
        .where(Round.activity_id == activity_id, Nudge.recipient_id == member_id, Nudge.change_asked_at.is_not(None))
    )
    return frozenset(rows)


def come_back(
    session: Session, activity: Activity, round_number: int, member_id: int, *, by: int, now: datetime
) -> bool:
    """A member who could not be reached is there again, and gets a partner if there is anybody. `by` is a person.

    Returns whether they have a group now. Raises NotWaiting where nobody missed them, or ActivityReadOnly.
    """
    refuse_read_only(session, activity)
    plan = pairing.find_plan(session, activity.id, "published")
    if plan is None or round_number not in not_reached_in(session, activity.id, member_id):
        raise NotWaiting(member_id)
    change = Change(Do.TURNS_UP, (member_id,), round_number)
    pairing.apply(session, activity.id, change, expected_version=plan.version, by=by, now=now)
    round_id = session.scalar(select(Round.id).where(Round.activity_id == activity.id, Round.number == round_number))
    settle_nudges(session, round_id or 0, recipient_id=member_id, now=now)
    own = select(Seat.id).join(Plan, Plan.id == Seat.plan_id).where(Plan.id == plan.id)
    return session.scalar(own.where(Seat.round_id == round_id, Seat.member_id == member_id)) is not None


def _waiting(session: Session, planned: Planned, partner_id: int, *, now: datetime) -> Nudge:
    """The member's reminder to this partner, which had time to be answered and was not."""
    refuse_read_only(session, planned.activity)
    # Locked, so that a button pressed twice asks once.
    session.get(Member, planned.member_id, with_for_update={"key_share": True})
    row = find_nudge(session, planned, partner_id)
    view = of_groups(session, [planned.group_id], now=now)[planned.group_id]
    if row is None or row.answered_at is not None or partner_id not in view.members:
        raise NotWaiting(partner_id)
    if not wait_of(planned.round.number, row).may_go_on(now=now, met_at=view.met_at(now)):
        raise TooEarly(partner_id)
    return row

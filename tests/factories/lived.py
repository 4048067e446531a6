"""An activity that people have lived through: they met, wrote, answered, set goals, and answered the survey."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.feedback.models import Entry
from lti_tool.goals.models import Action, CheckIn, Goal, LookBack
from lti_tool.meetings.models import Appointment, MeetingGroup, MeetingTime
from lti_tool.pairing import service as pairing
from lti_tool.surveys.models import SurveyAnswer
from lti_tool.surveys.rules import items_of


def live_through(session: Session, activity: Activity, *, since: datetime) -> None:
    """Every group met in round 1, a week after `since`, and everybody but the last did what the round asks.

    Later rounds have agreed times alone. Goals of the first three members stand at 1, 2 and 3 of 4.
    """
    groups = pairing.published_groups(session, activity.id)
    members = [member for group in groups if group.round_number == 1 for member in group.members]
    first = {group.id: group for group in groups if group.round_number == 1}
    for number, group in enumerate(groups):
        met_at = since + timedelta(days=7 * group.round_number, hours=number % 3)
        _agree_on(session, group.id, group.round_id, group.members[0], met_at)
        if group.id not in first:
            continue
        for place, author in enumerate(group.members):
            if author == members[-1]:
                continue
            at = met_at + timedelta(hours=1 + 30 * place)
            base: dict[str, Any] = {"activity_id": activity.id, "round_id": group.round_id, "group_id": group.id}
            for step in ("agree", "meet"):
                _enter(session, base, step, author, None, met_at)
            recipient = group.members[(place + 1) % len(group.members)]
            counted = {
                "has_strength": True,
                "has_growth": place == 0,
                "has_example": True,
                "word_count": 40 + place,
                "level_places": [place + 1],
            }
            _enter(session, base, "give_feedback", author, recipient, at, counted)
            if recipient != members[-1]:
                _enter(session, base, "acknowledge", recipient, author, at, {"usefulness": 3 if place else 2})
    for number, member in enumerate(members):
        round_id = next(iter(first.values())).round_id
        _plan(session, activity, member, round_id, since, number)
        if activity.survey is not None:
            for item in items_of(activity.survey):
                for moment, value in (("before", 2 + number % 2), ("after", 4)):
                    answer = SurveyAnswer(activity_id=activity.id, member_id=member, moment=moment, item=item.key)
                    answer.value, answer.at = value, since
                    session.add(answer)
    session.flush()


def _agree_on(session: Session, group_id: int, round_id: int, by_id: int, starts_at: datetime) -> None:
    meeting = Appointment(round_id=round_id, uid=f"meeting-{group_id}", changed_at=starts_at)
    session.add(meeting)
    session.flush()
    session.add(MeetingGroup(meeting_id=meeting.id, group_id=group_id))
    when = {"proposed_at": starts_at, "starts_at": starts_at, "minutes": 60, "time_zone": "Europe/Stockholm"}
    session.add(MeetingTime(meeting_id=meeting.id, by_id=by_id, state="agreed", settled_at=starts_at, **when))


def _enter(
    session: Session,
    base: dict[str, Any],
    step: str,
    author: int,
    recipient: int | None,
    at: datetime,
    counted: dict[str, Any] | None = None,
) -> None:
    times = dict.fromkeys(("created_at", "saved_at", "submitted_at", "released_at"), at)
    session.add(Entry(**base, step=step, author_id=author, recipient_id=recipient, counted=counted, **times))


def _plan(session: Session, activity: Activity, member: int, round_id: int, at: datetime, number: int) -> None:
    """A goal with a check-in, and an action that is done, moved on, open or dropped in turn."""
    owned = {"course_id": activity.course_id, "owner_id": member, "round_id": round_id, "created_at": at}
    goal = Goal(**owned, words="Ask first", start=0, target=4, state="reached" if number == 3 else "open", worded_at=at)
    became = ("done", "open", "open", "dropped")[number % 4]
    action = Action(**owned, words="Ask in the next meeting", state=became, changed_at=at)
    session.add_all((goal, action))
    session.flush()
    session.add(CheckIn(goal_id=goal.id, at=at, value=number + 1, how="Well"))
    if number % 4 == 1:
        session.add(LookBack(action_id=action.id, at=at, became="moved"))

"""Surveys are asked, answered, and compared."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.activities.service import refuse_read_only, rounds_of
from lti_tool.surveys import rules
from lti_tool.surveys.errors import SurveyOver
from lti_tool.surveys.models import SurveyAnswer
from lti_tool.surveys.rules import Change, Item, Moment


def answers_of(session: Session, activity: Activity, member_id: int) -> dict[Moment, dict[str, int]]:
    """What a member answered, by moment and item; without a statement where the activity asks nothing."""
    if activity.survey is None:
        return {}
    answers: dict[Moment, dict[str, int]] = defaultdict(dict)
    for row in session.scalars(
        select(SurveyAnswer).where(SurveyAnswer.activity_id == activity.id, SurveyAnswer.member_id == member_id)
    ):
        answers[Moment(row.moment)][row.item] = row.value
    return dict(answers)


def answer(
    session: Session, activity: Activity, member_id: int, moment: Moment, values: Mapping[str, int], *, now: datetime
) -> None:
    """Keep a member's answers in the place of those before. Raises ActivityReadOnly and SurveyOver."""
    refuse_read_only(session, activity)
    first_due = next((round_.due_at for round_ in rounds_of(session, activity.id)), None)
    if moment is Moment.BEFORE and first_due is not None and now > first_due:
        raise SurveyOver(activity.id)
    session.execute(
        delete(SurveyAnswer).where(
            SurveyAnswer.activity_id == activity.id,
            SurveyAnswer.member_id == member_id,
            SurveyAnswer.moment == moment,
        )
    )
    known = {item.key for item in rules.items_of(activity.survey or ())}
    for item, value in values.items():
        if item in known:
            session.add(
                SurveyAnswer(
                    activity_id=activity.id, member_id=member_id, moment=moment, item=item, value=value, at=now
                )
            )
    session.flush()


@dataclass(frozen=True, slots=True)
class Results:
    """What changed, as far as enough people answered, and how many answered at all."""

    rows: list[Change | Item]
    before: int
    after: int


def results_of(session: Session, activity: Activity) -> Results:
    """The comparison over everybody who answered."""
    values: dict[str, dict[int, dict[str, int]]] = {Moment.BEFORE: defaultdict(dict), Moment.AFTER: defaultdict(dict)}
    rows = session.execute(
        select(SurveyAnswer.moment, SurveyAnswer.member_id, SurveyAnswer.item, SurveyAnswer.value).where(
            SurveyAnswer.activity_id == activity.id
        )
    )
    for moment, member_id, item, value in rows:
        values[moment][member_id][item] = value
    before, after = values[Moment.BEFORE], values[Moment.AFTER]
    items = rules.items_of(activity.survey or ())
    return Results(rules.changes_of(items, before, after), len(before), len(after))


def texts_of(session: Session, members: Collection[int]) -> list[dict[str, Any]]:
    """What these members answered, for their owner."""
    rows = session.execute(
        select(SurveyAnswer, Activity.title)
        .join(Activity, Activity.id == SurveyAnswer.activity_id)
        .where(SurveyAnswer.member_id.in_(members))
        .order_by(SurveyAnswer.id)
    )
    return [
        {
            "activity": title,
            "at": row.at.isoformat(timespec="seconds"),
            "moment": row.moment,
            "item": rules.ITEMS.get(row.item, row.item),
            "value": row.value,
        }
        for row, title in rows
    ]


def erase_of(session: Session, members: Collection[int]) -> None:
    """Forget what these members answered."""
    session.execute(delete(SurveyAnswer).where(SurveyAnswer.member_id.in_(members)))

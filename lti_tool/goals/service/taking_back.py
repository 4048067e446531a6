"""Check-ins, wins and remarks are taken back by whoever wrote them, for a while, and brought back again."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.goals import rules
from lti_tool.goals.errors import NotShown, StandsByNow
from lti_tool.goals.models import CheckIn, Goal, Remark, Win
from lti_tool.goals.service.places import Place, record_writing, refuse_closed

WRITTEN: Final[dict[str, tuple[Any, Any]]] = {
    "check_in": (CheckIn, Goal.owner_id),
    "win": (Win, Win.author_id),
    "remark": (Remark, Remark.author_id),
}
"""What can be taken back, and the column with its author."""


def take_back(session: Session, place: Place, what: str, row_id: int, *, now: datetime, undo: bool = False) -> None:
    """Show what this member wrote to nobody any more, or show it again. `what` is a key of `WRITTEN`.

    Raises GoalsClosed, NotShown, and StandsByNow once it is older than `rules.TAKEN_BACK_WITHIN`.
    """
    refuse_closed(place, learners_only=False)
    if what not in WRITTEN:
        raise NotShown(what[:20], row_id)
    model, author_id = WRITTEN[what]
    statement = select(model).where(model.id == row_id, author_id == place.member.id)
    if model is CheckIn:
        statement = statement.join(Goal, Goal.id == CheckIn.goal_id)
    row = session.scalar(statement.with_for_update(of=model).execution_options(populate_existing=True))
    if row is None:
        raise NotShown(what, row_id)
    if not rules.can_be_taken_back(row.at, now=now):
        raise StandsByNow(what, row_id)
    row.removed_at = None if undo else now
    if model is CheckIn:
        record_writing(session, place, now=now, in_group=False, also_in=(row.round_id,))
    session.flush()

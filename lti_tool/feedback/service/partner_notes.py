"""What partners tell each other before they meet, and where they can be reached."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.feedback import rules
from lti_tool.feedback.errors import ActivityClosed, NotYourPartner, PartnerNoteTooLong
from lti_tool.feedback.models import PartnerNote
from lti_tool.feedback.service.tasks import Task
from lti_tool.launch.models import Member, Person
from lti_tool.registration.models import Institution

LONGEST: Final = 500
"""Characters of a note to a partner: a place and a time, not a conversation."""


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes between a member and one partner in one round."""

    mine: PartnerNote | None = None
    theirs: PartnerNote | None = None


def tell_partner(session: Session, task: Task, text: str, *, now: datetime) -> None:
    """Leave a note on a partner's first page, in place of the one before; an empty text takes it away.

    Raises ActivityClosed, NotYourPartner where the two share no group in the round any more, and PartnerNoteTooLong.
    """
    if task.group_id is None or task.recipient_id is None:
        raise NotYourPartner(task.round.number, task.author_id, task.recipient_id)
    if not task.takes_texts:
        raise ActivityClosed(task.activity.id)
    text = rules.clean(text).strip()
    if len(text) > LONGEST:
        raise PartnerNoteTooLong("text", len(text))
    own = select(PartnerNote).where(
        PartnerNote.round_id == task.round.id,
        PartnerNote.author_id == task.author_id,
        PartnerNote.recipient_id == task.recipient_id,
    )
    note = session.scalar(own)
    if note is None and text:
        try:
            with session.begin_nested():
                session.add(
                    PartnerNote(
                        round_id=task.round.id,
                        author_id=task.author_id,
                        recipient_id=task.recipient_id,
                        text=text,
                        at=now,
                    )
                )
        except IntegrityError:
            # Sent twice at the same moment: the other one is there now.
            note = session.scalars(own).one()
    if note is not None and not text:
        session.delete(note)
    elif note is not None:
        note.text, note.at = text, now
    session.flush()


def notes_between(session: Session, activity: Activity, member_id: int) -> dict[tuple[int, int], Notes]:
    """A member's notes to and from partners, by row of the round and partner."""
    rows = session.scalars(
        select(PartnerNote)
        .join(Round, Round.id == PartnerNote.round_id)
        .where(Round.activity_id == activity.id)
        .where(or_(PartnerNote.author_id == member_id, PartnerNote.recipient_id == member_id))
    ).all()
    mine = {(one.round_id, one.recipient_id): one for one in rows if one.author_id == member_id}
    theirs = {(one.round_id, one.author_id): one for one in rows if one.recipient_id == member_id}
    return {place: Notes(mine.get(place), theirs.get(place)) for place in mine.keys() | theirs.keys()}


def addresses_of(session: Session, institution_id: int, members: set[int]) -> dict[int, str]:
    """E-mail addresses by member: of those whose platform tells it, where the institution lets partners see it."""
    if not members or not session.get_one(Institution, institution_id).shows_addresses:
        return {}
    rows = session.execute(
        select(Member.id, Person.email)
        .join(Person, Person.id == Member.person_id)
        .where(Member.id.in_(members), Member.status == "active", Person.email.is_not(None))
    )
    return {member_id: email for member_id, email in rows if email}

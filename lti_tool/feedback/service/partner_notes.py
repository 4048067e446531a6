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
from lti_tool.launch.models import Course, Member, Person
from lti_tool.pairing import service as pairing
from lti_tool.registration.models import Institution

LONGEST: Final = 500
"""Characters of a note to a partner: a place and a time, not a conversation."""


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes between a member and one partner in one round."""

    mine: PartnerNote | None = None
    theirs: PartnerNote | None = None


def tell_partner(
    session: Session, activity: Activity, round_number: int, people: tuple[int, int], text: str, *, now: datetime
) -> None:
    """Leave a note of the first of two people on the first page of the second, in place of the one before; an empty
    text takes it away.

    Raises ActivityClosed, NotYourPartner where the two share no group in the round, and PartnerNoteTooLong.
    """
    author_id, recipient_id = people
    groups = pairing.published_groups(session, activity.id, member_id=author_id)
    group = next((one for one in groups if one.round_number == round_number), None)
    if group is None or recipient_id not in group.partners_of(author_id):
        raise NotYourPartner(round_number, author_id, recipient_id)
    is_over = session.get_one(Course, activity.course_id).ended_at is not None
    if not rules.may_write(state=activity.state, is_course_over=is_over):
        raise ActivityClosed(activity.id)
    text = rules.clean(text).strip()
    if len(text) > LONGEST:
        raise PartnerNoteTooLong("text", len(text))
    own = select(PartnerNote).where(
        PartnerNote.round_id == group.round_id,
        PartnerNote.author_id == author_id,
        PartnerNote.recipient_id == recipient_id,
    )
    note = session.scalar(own)
    if note is None and text:
        try:
            with session.begin_nested():
                session.add(
                    PartnerNote(
                        round_id=group.round_id,
                        author_id=author_id,
                        recipient_id=recipient_id,
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

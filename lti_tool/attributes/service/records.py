"""Store, change and delete the attributes of learners."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from lti_tool.attributes.models import (
    AttributeUpload,
    MemberAttribute,
    Outsider,
    Questionnaire,
    QuestionnaireAnswer,
)
from lti_tool.attributes.rules.catalogue import (
    ASKABLE,
    BY_KEY,
    FROM_LAUNCHES,
    Form,
    Kept,
    Source,
    Value,
    may_replace,
    read_from_launch,
)
from lti_tool.attributes.rules.checking import manager_named
from lti_tool.attributes.rules.matching import Register, reference
from lti_tool.attributes.rules.values import tidy
from lti_tool.attributes.service.reading import Invitation, attributes_of, invitation, listed, outsiders
from lti_tool.launch.models import CourseRole, Member, Person
from lti_tool.launch.rules.context import LaunchContext
from lti_tool.roster.service import groups
from lti_tool.support.db import find_or_add, in_batches
from lti_tool.web.visits import Visit

__all__ = ["Invitation", "asks", "attributes_of"]

Changes = Mapping[int, Mapping[str, Kept | None]]
"""Member id, then attribute, to the new value; None deletes a value."""


def asks(session: Session, member_id: int, course_id: int) -> Invitation:
    """The questions for this learner. The caller decides whether it is too late to ask."""
    return invitation(session, member_id, course_id)


def put(session: Session, changes: Changes, source: Source, *, now: datetime) -> int:
    """Store these values, except where a source that ranks higher has set one. Returns how many values changed.

    `RANK` orders the sources. An equal value takes the source that ranks higher.
    """
    changed = 0
    for batch in in_batches(sorted(changes), 5000):
        # Lock members in one order, since a table, an answer and a launch may write at the same time.
        session.execute(select(Member.id).where(Member.id.in_(batch)).order_by(Member.id).with_for_update())
        rows = session.scalars(select(MemberAttribute).where(MemberAttribute.member_id.in_(batch)))
        known = {(row.member_id, row.attribute): row for row in rows}
        for member_id in batch:
            for key, value in changes[member_id].items():
                row = known.get((member_id, key))
                if row is not None and not may_replace(row.source, source):
                    continue
                changed += (row.value if row is not None else None) != value
                if value is None:
                    if row is not None:
                        session.delete(row)
                elif row is None:
                    session.add(
                        MemberAttribute(member_id=member_id, attribute=key, value=value, source=source, changed_at=now)
                    )
                else:
                    row.value, row.source, row.changed_at = value, source, now
        session.flush()
    return changed


def find_manager(session: Session, course_id: int, text: str, *, is_exact: bool = False) -> Kept:
    """A manager as it is stored: a member of the course, or a person outside, who is added if new.

    `is_exact`: look for a member with exactly this text. `attributes_of` resolves the others later.
    """
    people = listed(session, course_id, tidy(text, 400) if is_exact else None)
    value = manager_named(text, Register(people), {})
    return {"outsider": outsider_named(session, course_id, value["outside"]).id} if "outside" in value else value


def outsider_named(session: Session, course_id: int, name: str) -> Outsider:
    """The person outside the course with this name, added if new. Many members may add the same one at once."""
    key = reference(name)
    return find_or_add(
        session,
        select(Outsider).where(Outsider.course_id == course_id, Outsider.key == key),
        lambda: Outsider(course_id=course_id, key=key, name=name),
    )


def would_loop(session: Session, course_id: int, member_id: int, manager: Kept) -> bool:
    """Whether the managers above this one include the member."""
    lines = attributes_of(session, course_id).get("manager", {})
    person: Value = manager.get("member", -manager["outsider"] if "outsider" in manager else None)
    seen: set[Value] = set()
    while person is not None and person not in seen:
        if person == member_id:
            return True
        seen.add(person)
        person = lines.get(person) if isinstance(person, int) else None
    return False


def after_launch(session: Session, visit: Visit, context: LaunchContext, now: datetime) -> None:
    """Store the attributes of a learner that a launch carries, in the launch's transaction."""
    texts = {key: context.about[key] for key in FROM_LAUNCHES if key in context.about}
    if not texts or visit.member_id is None or visit.course_id is None:
        return
    member = session.get_one(Member, visit.member_id)
    if member.role != CourseRole.LEARNER or member.ever_staff:
        return
    if "group" in texts and groups.are_used(session, visit.course_id):
        del texts["group"]
    values: dict[str, Kept | None] = {}
    for key, text in texts.items():
        attribute = BY_KEY[key]
        if attribute.form is Form.PERSON:
            value: Kept | None = find_manager(session, visit.course_id, text, is_exact=True)
            values[key] = None if value == {"member": member.id} else value
        else:
            values[key] = read_from_launch(attribute, text)
    put(
        session, {member.id: {key: value for key, value in values.items() if value is not None}}, Source.LAUNCH, now=now
    )


# ---- deleting --------------------------------------------------------------------------------------------------------


def delete_all(session: Session, course_id: int, attribute: str | None = None) -> int:
    """Delete all attributes of the members of a course, or one attribute. Returns how many values.

    If no attribute is named, answers to the questionnaire and uploaded tables are deleted too.
    """
    members = session.scalars(select(Member.id).where(Member.course_id == course_id)).all()
    count = 0
    for batch in in_batches(members):
        conditions: list[ColumnElement[bool]] = [MemberAttribute.member_id.in_(batch)]
        if attribute is not None:
            conditions.append(MemberAttribute.attribute == attribute)
        count += session.scalar(select(func.count()).select_from(MemberAttribute).where(*conditions)) or 0
        session.execute(delete(MemberAttribute).where(*conditions).execution_options(synchronize_session=False))
        if attribute is None:
            session.execute(
                delete(QuestionnaireAnswer)
                .where(QuestionnaireAnswer.member_id.in_(batch))
                .execution_options(synchronize_session=False)
            )
    if attribute is None:
        session.execute(delete(AttributeUpload).where(AttributeUpload.course_id == course_id))
    if attribute is None or BY_KEY[attribute].form is Form.PERSON:
        session.execute(delete(Outsider).where(Outsider.course_id == course_id))
    session.expire_all()
    return count


def forget_outsiders(session: Session, course_id: int) -> None:
    """Delete people outside the course who are in no reporting line any more."""
    outside = {one.id: one for one in session.scalars(select(Outsider).where(Outsider.course_id == course_id))}
    if not outside:
        return
    values = session.scalars(
        select(MemberAttribute.value)
        .join(Member, Member.id == MemberAttribute.member_id)
        .where(Member.course_id == course_id, MemberAttribute.attribute == "manager")
    )
    waiting = [value["outsider"] for value in values if "outsider" in value]
    needed: set[int] = set()
    while waiting:
        outsider_id = waiting.pop()
        if outsider_id in needed or outsider_id not in outside:
            continue
        needed.add(outsider_id)
        above = outside[outsider_id].manager
        if above is not None and "outsider" in above:
            waiting.append(above["outsider"])
    for outsider_id, outsider in outside.items():
        if outsider_id not in needed:
            session.delete(outsider)
    session.flush()


def forget_person(session: Session, person_id: int) -> None:
    """Delete all attributes of a person in all courses, and their name where it was written for a manager."""
    person = session.get_one(Person, person_id)
    members = session.execute(select(Member.id, Member.course_id).where(Member.person_id == person_id)).all()
    own = [member_id for member_id, _ in members]
    for model in (MemberAttribute, QuestionnaireAnswer):
        session.execute(delete(model).where(model.member_id.in_(own)).execution_options(synchronize_session=False))
    courses = [course_id for _, course_id in members]
    # A table under way may hold them; its owner uploads it again.
    session.execute(delete(AttributeUpload).where(AttributeUpload.course_id.in_(courses)))
    session.execute(delete(AttributeUpload).where(AttributeUpload.created_by_id == person_id))
    called = {
        reference(text) for text in (person.sub, person.sourced_id or "", person.email or "", person.name or "") if text
    }
    for course_id in courses:
        for key, outsider in outsiders(session, course_id).items():
            if key in called:
                outsider.key = outsider.name = f"erased {outsider.id}"
        forget_outsiders(session, course_id)
    session.flush()


# ---- the questionnaire -----------------------------------------------------------------------------------------------


def ask_for(session: Session, course_id: int, keys: Collection[str], *, now: datetime) -> None:
    """Ask the learners of a course for these attributes from now on; for none, ask nothing."""
    asked = [key for key in ASKABLE if key in keys]
    questionnaire = find_or_add(
        session,
        select(Questionnaire).where(Questionnaire.course_id == course_id),
        lambda: Questionnaire(course_id=course_id, asked=asked, changed_at=now),
    )
    questionnaire.asked, questionnaire.changed_at = asked, now
    session.flush()


def answer(session: Session, member_id: int, values: Mapping[str, Kept | None], *, now: datetime) -> None:
    """Store what a learner says about themselves; None deletes it. Values set by staff are kept."""
    put(session, {member_id: values}, Source.QUESTIONNAIRE, now=now)
    _note_answer(session, member_id, is_skipped=False, now=now)


def skip(session: Session, member_id: int, *, now: datetime) -> None:
    """Record that a learner skips the questionnaire. Earlier answers are kept until they take them back."""
    _note_answer(session, member_id, is_skipped=True, now=now)


def take_back(session: Session, member_id: int) -> None:
    """Delete everything that a learner said of themselves."""
    session.execute(
        delete(MemberAttribute).where(
            MemberAttribute.member_id == member_id, MemberAttribute.source == Source.QUESTIONNAIRE
        )
    )
    session.execute(delete(QuestionnaireAnswer).where(QuestionnaireAnswer.member_id == member_id))
    session.expire_all()


def _note_answer(session: Session, member_id: int, *, is_skipped: bool, now: datetime) -> None:
    answered = find_or_add(
        session,
        select(QuestionnaireAnswer).where(QuestionnaireAnswer.member_id == member_id),
        lambda: QuestionnaireAnswer(member_id=member_id, is_skipped=is_skipped, at=now),
    )
    answered.is_skipped, answered.at = is_skipped, now
    session.flush()

"""Read the attributes of the people of a course, for pages and for pairing."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.attributes.models import MemberAttribute, Outsider, Questionnaire, QuestionnaireAnswer
from lti_tool.attributes.rules.catalogue import BY_KEY, CATALOGUE, Form, Kept, Value, engine_values
from lti_tool.attributes.rules.matching import Listed, Register
from lti_tool.launch.models import Course, Member, Person
from lti_tool.support.db import in_batches
from lti_tool.support.zones import zone_label


@dataclass(frozen=True, slots=True)
class Known:
    """One value of one member, with its source and date."""

    value: Kept
    source: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a learner is asked, and whether they have answered or skipped it."""

    asked: tuple[str, ...]
    """Keys of attributes; empty where nothing is asked."""
    is_answered: bool = False
    is_skipped: bool = False
    is_anything_known: bool = False
    """Whether they have attributes that they may want to see."""

    @property
    def is_open(self) -> bool:
        """Whether the learner's first page should still invite."""
        return bool(self.asked) and not self.is_answered and not self.is_skipped


def attributes_of(session: Session, course_id: int) -> dict[str, dict[int, Value]]:
    """Everything that is known of the members of a course: attribute, then member id, to the value.

    A manager is the id of a member. A manager outside the course is a negative number, the same for all whom they lead;
    under it stands their own manager, if known. See `engine_values` for spellings.
    """
    kept: dict[str, dict[int, Kept]] = {attribute.key: {} for attribute in CATALOGUE}
    for member_id, attribute, value in session.execute(
        select(MemberAttribute.member_id, MemberAttribute.attribute, MemberAttribute.value)
        .join(Member, Member.id == MemberAttribute.member_id)
        .where(Member.course_id == course_id)
        .order_by(MemberAttribute.member_id)
    ):
        if attribute in kept:
            kept[attribute][member_id] = value
    managers = {key: known for key, known in kept.items() if BY_KEY[key].form is Form.PERSON}
    lines = {key: _managers(session, course_id, known) for key, known in managers.items()}
    return {key: known for key, known in (engine_values(kept) | lines).items() if known}


def values_of_members(session: Session, members: Collection[int]) -> dict[int, dict[str, Known]]:
    """The attributes of these members: member id, then attribute, to the value."""
    values: dict[int, dict[str, Known]] = {member_id: {} for member_id in members}
    for batch in in_batches(sorted(members)):
        for row in session.scalars(select(MemberAttribute).where(MemberAttribute.member_id.in_(batch))):
            values[row.member_id][row.attribute] = Known(row.value, row.source, row.changed_at)
    return values


def tally(known: Mapping[int, Mapping[str, Known]]) -> Counter[str]:
    """How many people have a value, by attribute."""
    return Counter(key for values in known.values() for key in values)


def names_of_people(session: Session, values: Collection[Kept]) -> dict[tuple[str, int], str | None]:
    """The names of the people in these values, by ("member" or "outsider", id)."""
    members = {value["member"] for value in values if "member" in value}
    outsiders = {value["outsider"] for value in values if "outsider" in value}
    names: dict[tuple[str, int], str | None] = {}
    for batch in in_batches(sorted(members)):
        rows = session.execute(
            select(Member.id, Person.name).join(Person, Person.id == Member.person_id).where(Member.id.in_(batch))
        )
        names |= {("member", one): name for one, name in rows}
    for batch in in_batches(sorted(outsiders)):
        rows = session.execute(select(Outsider.id, Outsider.name).where(Outsider.id.in_(batch)))
        names |= {("outsider", one): name for one, name in rows}
    return names


def listed(session: Session, course_id: int, named: str | None = None) -> list[Listed]:
    """Every member of the course, including those who left, with what tables may name them by.

    `named`: only members with exactly this id, e-mail address or name, so that a launch need not read a whole course.
    """
    only: list[ColumnElement[bool]] = []
    if named is not None:
        exact = [column == named for column in (Person.sub, Person.sourced_id, Person.name)]
        only.append(or_(*exact, func.lower(Person.email) == named.lower()))
    rows = session.execute(
        select(
            Member.id,
            Person.sub,
            Person.sourced_id,
            Person.email,
            Person.name,
            Person.given_name,
            Person.family_name,
        )
        .join(Person, Person.id == Member.person_id)
        .where(Member.course_id == course_id, Person.erased_at.is_(None), *only)
        .order_by(Member.id)
    )
    return [Listed(*row) for row in rows]


def outsiders(session: Session, course_id: int) -> dict[str, Outsider]:
    """The people outside the course who were named, by the key by which they are compared."""
    return {one.key: one for one in session.scalars(select(Outsider).where(Outsider.course_id == course_id))}


def invitation(session: Session, member_id: int, course_id: int) -> Invitation:
    """What this learner is asked about themselves."""
    is_known = select(MemberAttribute.id).where(MemberAttribute.member_id == Member.id).exists()
    row = session.execute(
        select(QuestionnaireAnswer.is_skipped, is_known, Questionnaire.asked)
        .select_from(Member)
        .outerjoin(QuestionnaireAnswer, QuestionnaireAnswer.member_id == Member.id)
        .outerjoin(Questionnaire, Questionnaire.course_id == course_id)
        .where(Member.id == member_id)
    ).first()
    is_skipped, is_anything_known, asked = row if row is not None else (None, False, None)
    return Invitation(
        _offered(asked),
        is_answered=is_skipped is False,
        is_skipped=is_skipped is True,
        is_anything_known=is_anything_known,
    )


def asked_of(session: Session, course_id: int) -> tuple[str, ...]:
    """The keys of what the learners of a course are asked."""
    return _offered(session.scalar(select(Questionnaire.asked).where(Questionnaire.course_id == course_id)))


def _offered(asked: list[str] | None) -> tuple[str, ...]:
    """Of what was chosen to be asked, what there is."""
    return tuple(key for key in asked or () if key in BY_KEY)


def answers(session: Session, course_id: int) -> tuple[int, int]:
    """How many members have answered the questionnaire, and how many have skipped it."""
    rows = session.scalars(
        select(QuestionnaireAnswer.is_skipped)
        .join(Member, Member.id == QuestionnaireAnswer.member_id)
        .where(Member.course_id == course_id)
    ).all()
    return rows.count(False), rows.count(True)


def values_of_person(session: Session, person_id: int) -> list[dict[str, Any]]:
    """Everything that is known of a person in all their courses, as plain values."""
    rows = session.execute(
        select(Course.title, MemberAttribute)
        .join(Member, Member.id == MemberAttribute.member_id)
        .join(Course, Course.id == Member.course_id)
        .where(Member.person_id == person_id)
        .order_by(MemberAttribute.id)
    ).all()
    names = names_of_people(session, [row.value for _, row in rows])
    return [
        {
            "course": title,
            "attribute": row.attribute,
            "value": written(row.value, names),
            "source": row.source,
            "at": row.changed_at.isoformat(timespec="seconds"),
        }
        for title, row in rows
    ]


def written(value: Kept, names: Mapping[tuple[str, int], str | None]) -> str:
    """A value as a cell of a table. A member without a name is written as our key."""
    form, content = next(iter(value.items()))
    if form == "nobody":
        return "none"
    if form in {"member", "outsider"}:
        return names.get((form, content)) or f"T{content}"
    return "; ".join(content) if isinstance(content, list) else zone_label(str(content))


def _managers(session: Session, course_id: int, managers: Mapping[int, Kept]) -> dict[int, Value]:
    outside = {one.id: one for one in session.scalars(select(Outsider).where(Outsider.course_id == course_id))}
    ids: dict[int, int] = {}
    if outside:
        # An outsider may have joined the course since they were named.
        register = Register(listed(session, course_id))
        ids = {one.id: register.named(one.name) or -one.id for one in outside.values()}

    def person(value: Kept) -> int | None:
        return ids.get(value["outsider"]) if "outsider" in value else value.get("member")

    lines: dict[int, Value] = defaultdict(lambda: None)
    for outsider in outside.values():
        if outsider.manager is not None and ids[outsider.id] not in managers:
            lines[ids[outsider.id]] = person(outsider.manager)
    for member_id, value in managers.items():
        manager = person(value)
        if manager is not None or "nobody" in value:
            lines[member_id] = manager
    return dict(lines)

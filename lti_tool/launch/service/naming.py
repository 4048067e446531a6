"""Names of people, told apart if several members of a course share one."""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.launch.models import Member, Person


def told_apart(
    session: Session, course_id: int, names: Mapping[int, str | None], *, for_staff: bool = True
) -> dict[int, str | None]:
    """These names by member, with a mark behind each name that several members share.

    For staff the mark is the e-mail address, or the key of our tables if there is none. For learners it is a number,
    which reveals nothing.
    """
    if not any(names.values()):
        return dict(names)
    marks = _marks(session, course_id, for_staff=for_staff)
    return {
        member_id: f"{name} ({marks[member_id]})" if name and member_id in marks else name
        for member_id, name in names.items()
    }


def _marks(session: Session, course_id: int, *, for_staff: bool) -> dict[int, str]:
    """The mark of each member who shares a name. Read once in a session, since a page has many names."""
    key = "marks", course_id, for_staff
    if key not in session.info:
        marks: dict[int, str] = {}
        for people in _namesakes(session, course_id):
            addresses = [email for _, email in people]
            for number, (member_id, email) in enumerate(people, start=1):
                has_own_address = email is not None and addresses.count(email) == 1
                staff_mark = email if has_own_address else f"T{member_id}"
                marks[member_id] = str(staff_mark) if for_staff else str(number)
        session.info[key] = marks
    kept_marks: dict[int, str] = session.info[key]
    return kept_marks


def _namesakes(session: Session, course_id: int) -> list[list[tuple[int, str | None]]]:
    """The members of each shared name, with their addresses."""
    lowered = func.lower(Person.name)
    of_course = (
        select(Member.id, lowered, Person.email)
        .join(Person, Person.id == Member.person_id)
        .where(Member.course_id == course_id)
    )
    several = of_course.with_only_columns(lowered).group_by(lowered).having(func.count() > 1)
    members: dict[str, list[tuple[int, str | None]]] = defaultdict(list)
    for member_id, name, email in session.execute(of_course.where(lowered.in_(several)).order_by(Member.id)):
        members[name].append((member_id, email))
    return list(members.values())

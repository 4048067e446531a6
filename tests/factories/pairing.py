"""An activity with rounds, a class that can be paired, and a published plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.attributes.models import MemberAttribute
from lti_tool.launch.models import Course, Member
from lti_tool.pairing import service
from lti_tool.pairing.models import Exclusion, Group, PinnedMember, Plan, Seat
from lti_tool.pairing.models import Pin as PinRow
from lti_tool.pairing.rules import proposing
from lti_tool.pairing.rules.changes import APART, Change, Do
from lti_tool.pairing.rules.comparing import Comparison
from lti_tool.pairing.rules.preferences import Preferences
from lti_tool.registration.models import Registration
from lti_tool.rubrics.models import Rubric
from tests.factories.people import (
    LONG_AGO,
    a_course,
    a_deployment,
    a_member,
    a_person,
    a_placement,
    a_registration,
    an_institution,
)

NAMES = (
    "Åsa Lindqvist",
    "Mette Sørensen",
    "Jonas Haugen",
    "Femke de Vries",
    "Oliver Grant",
    "نور حداد",
    "李小龍",
    "Zoë",
)


@dataclass(frozen=True, slots=True)
class Class:
    """A course with learners and one activity."""

    registration: Registration
    course: Course
    activity: Activity
    rounds: list[Round]
    learners: list[Member]


def an_activity(session: Session, course: Course, rounds: Sequence[Any] = ((), ()), **values: Any) -> Activity:
    """A ready activity; each round is (), (opens_at, due_at)."""
    rubric = Rubric(course_id=course.id, title="Teaching", created_at=LONG_AGO)
    session.add(rubric)
    session.flush()
    placement = a_placement(session, course)
    defaults: dict[str, Any] = {
        "key": f"key-{placement.id}",
        "course_id": course.id,
        "placement_id": placement.id,
        "kind": "observation",
        "title": "Observe and learn",
        "rubric_id": rubric.id,
        "time_zone": "Europe/Stockholm",
        "state": "ready",
        "completion": {"give_feedback": True, "acknowledge": True, "write_notes": 0},
        "created_at": LONG_AGO,
        "changed_at": LONG_AGO,
    }
    activity = Activity(**{**defaults, **values})
    session.add(activity)
    session.flush()
    for number, dates in enumerate(rounds, start=1):
        opens_at, due_at = dates or (None, None)
        session.add(Round(activity_id=activity.id, number=number, opens_at=opens_at, due_at=due_at))
    session.flush()
    return activity


def a_learner(session: Session, registration: Registration, course: Course, name: str, **values: Any) -> Member:
    return a_member(session, course, a_person(session, registration, name=name), **values)


def a_class(session: Session, learners: int, rounds: Sequence[Any] = ((), ()), **values: Any) -> Class:
    """A course with this many learners in its roster, and an activity."""
    institution = an_institution(session)
    registration = a_registration(session, institution)
    course = a_course(session, a_deployment(session, registration), memberships_url="https://lms.example/members")
    activity = an_activity(session, course, rounds, **values)
    members = [
        a_learner(session, registration, course, f"{NAMES[number % len(NAMES)]} {number + 1}")
        for number in range(learners)
    ]
    listed = list(session.query(Round).filter_by(activity_id=activity.id).order_by(Round.number))
    return Class(registration, course, activity, listed, members)


def know(session: Session, learners: Sequence[Member], attribute: str, values: Sequence[Any]) -> None:
    """One value a learner, in order: a name, a number, a list of names, or None of somebody of whom it is unknown."""
    for learner, value in zip(learners, values, strict=True):
        if value is not None:
            form = "name" if isinstance(value, str) else "number" if isinstance(value, int) else "names"
            session.add(
                MemberAttribute(
                    member_id=learner.id, attribute=attribute, value={form: value}, source="csv", changed_at=LONG_AGO
                )
            )
    session.flush()


def want(session: Session, group: Class, **wanted: Any) -> None:
    """Save what is wanted of the groups, in place of what was wanted before."""
    version = service.preferences_of(session, group.activity).version
    service.save_preferences(
        session, group.activity.id, Preferences(**wanted), expected_version=version, by=None, now=LONG_AGO
    )


def propose(
    session: Session,
    activity_id: int,
    *,
    seed: int,
    now: datetime,
    by: int | None = None,
    expected_version: int | None = None,
) -> Plan:
    """Groups for all rounds, planned at once however large the course is."""
    basis = service.basis_of(session, activity_id, expected_version=expected_version)
    return service.keep(session, basis, proposing.work_out(basis, seed=seed), by=by, now=now)


def a_draft(session: Session, group: Class, now: datetime, seed: int = 1) -> Plan:
    return propose(session, group.activity.id, seed=seed, now=now)


def a_published_plan(session: Session, group: Class, now: datetime, seed: int = 1) -> Plan:
    plan = propose(session, group.activity.id, seed=seed, now=now)
    return service.publish(session, group.activity.id, expected_version=plan.version, now=now)


def look(session: Session, group: Class, asked: Change, now: datetime) -> Comparison:
    """What a change would do to the plan as it is."""
    return service.preview(session, group.activity, asked, now=now)


def make(
    session: Session,
    group: Class,
    asked: Change,
    now: datetime,
    *,
    version: int | None = None,
    by: int | None = None,
    anyway: bool = False,
) -> Comparison:
    """Make a change to the plan as it is, or as it was in an earlier version."""
    plan = service.find_plan(session, group.activity.id)
    if plan is None:
        decide(session, group, asked)
        return Comparison()
    seen = version if version is not None else plan.version
    activity_id = group.activity.id
    return service.apply(session, activity_id, asked, expected_version=seen, by=by, now=now, anyway=anyway)


def decide(session: Session, group: Class, asked: Change) -> None:
    """What somebody decided about people before there was a plan."""
    if asked.do in APART:
        one, other = sorted(asked.members)
        couple = {"course_id": group.activity.course_id, "one_id": one, "other_id": other}
        session.add(Exclusion(**couple, kind=APART[asked.do], said_at=LONG_AGO))
    else:
        rounds = {round_.number: round_.id for round_ in group.rounds}
        round_id = rounds[asked.round] if asked.do is Do.TOGETHER else None
        pin = PinRow(activity_id=group.activity.id, round_id=round_id, said_at=LONG_AGO)
        session.add(pin)
        session.flush()
        session.add_all(PinnedMember(pin_id=pin.id, member_id=member_id) for member_id in asked.members)
    session.flush()


def a_pin(members: Sequence[int], number: int | None) -> Change:
    """People stay together in a round, or in every round."""
    return Change(Do.ALWAYS, tuple(members)) if number is None else Change(Do.TOGETHER, tuple(members), number)


def a_swap(session: Session, seat_id: int, other_id: int) -> Change:
    """The swap of the people of two seats, in the round of the first."""
    seat, other = session.get_one(Seat, seat_id), session.get_one(Seat, other_id)
    return Change(Do.SWAP, (seat.member_id, other.member_id), session.get_one(Round, seat.round_id).number)


def an_absence(session: Session, group_id: int, member_id: int) -> Change:
    """The absence of a member in the round of a group."""
    return Change(Do.ABSENT, (member_id,), session.get_one(Round, session.get_one(Group, group_id).round_id).number)

"""What a look at a change shows is what making the change gives, in plans of every kind."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.launch.models import Member
from lti_tool.pairing import service
from lti_tool.pairing.engine import Schedule
from lti_tool.pairing.errors import PlanError
from lti_tool.pairing.models import Plan, Seat
from lti_tool.pairing.rules import comparing
from lti_tool.pairing.rules.changes import Change, Do
from lti_tool.pairing.rules.comparing import Comparison
from lti_tool.pairing.rules.preferences import RuleChoice, RuleKind, WishChoice, WishKind
from lti_tool.pairing.store import load
from lti_tool.support.db import OpenSession
from tests.factories.pairing import (
    Class,
    a_class,
    a_draft,
    a_learner,
    a_pin,
    a_published_plan,
    a_swap,
    an_absence,
    know,
    make,
    want,
)
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


@dataclass(frozen=True)
class World:
    """A plan, and people in it who can be named."""

    session: Session
    group: Class
    plan: Plan
    now: datetime

    def sits(self, place: int) -> tuple[int, ...]:
        """A group of the last round by its place."""
        return load(self.session, self.plan).schedule.rounds[-1][place]

    def seat(self, member_id: int) -> Seat:
        seats = select(Seat).where(Seat.plan_id == self.plan.id, Seat.round_id == self.group.rounds[-1].id)
        return self.session.scalars(seats.where(Seat.member_id == member_id)).one()

    @property
    def how(self) -> dict[str, Any]:
        return {"expected_version": self.plan.version, "now": self.now}


Look = Callable[[World], Comparison]


def swap(world: World, *, looks: bool) -> Comparison:
    seats = world.seat(world.sits(0)[0]).id, world.seat(world.sits(1)[1]).id
    if looks:
        return service.preview(world.session, world.group.activity, a_swap(world.session, *seats), now=world.now)
    return service.apply(
        world.session, world.plan.activity_id, a_swap(world.session, *seats), anyway=True, by=None, **world.how
    )


def pin(world: World, *, looks: bool, number: int | None) -> Comparison:
    people = world.sits(0)[0], world.sits(1)[1]
    if looks:
        return service.preview(world.session, world.group.activity, a_pin(people, number), now=world.now)
    return service.apply(world.session, world.group.activity.id, a_pin(people, number), by=None, **world.how)


def forbid(world: World, *, looks: bool, kind: Do, couple: tuple[int, int] | None = None) -> Comparison:
    one, other = couple or world.sits(0)[:2]
    if looks:
        return service.preview(world.session, world.group.activity, Change(kind, (one, other)), now=world.now)
    return service.apply(world.session, world.group.activity.id, Change(kind, (one, other)), by=None, **world.how)


def allow_again(world: World, *, looks: bool) -> Comparison:
    """Two of whom somebody said “never” are said to be “rather not”."""
    one, other = world.group.learners[0].id, world.group.learners[1].id
    return forbid(world, looks=looks, kind=Do.AVOID, couple=(one, other))


def mend(world: World, *, looks: bool) -> Comparison:
    if looks:
        return service.preview(world.session, world.group.activity, Change(Do.MEND), now=world.now)
    return service.apply(world.session, world.plan.activity_id, Change(Do.MEND), by=None, **world.how)


def relax(world: World, *, looks: bool) -> Comparison:
    rules = ["other:department"]
    if looks:
        return service.preview(world.session, world.group.activity, Change(Do.RELAX, rules=tuple(rules)), now=world.now)
    return service.apply(
        world.session, world.plan.activity_id, Change(Do.RELAX, rules=tuple(rules)), by=None, **world.how
    )


def absent(world: World, *, looks: bool) -> Comparison:
    seat = world.seat(world.sits(0)[0])
    if looks:
        return service.preview(
            world.session,
            world.group.activity,
            an_absence(world.session, seat.group_id, seat.member_id),
            now=world.now,
        )
    return service.apply(
        world.session,
        world.plan.activity_id,
        an_absence(world.session, seat.group_id, seat.member_id),
        by=None,
        **world.how,
    )


def leave_out(world: World, *, looks: bool) -> Comparison:
    somebody = world.sits(0)[0]
    if looks:
        return service.preview(world.session, world.group.activity, Change(Do.LEAVE_OUT, (somebody,)), now=world.now)
    return service.apply(world.session, world.plan.activity_id, Change(Do.LEAVE_OUT, (somebody,)), by=None, **world.how)


CHANGES: dict[str, Callable[..., Comparison]] = {
    "swap": swap,
    "pin in a round": lambda world, *, looks: pin(world, looks=looks, number=len(world.group.rounds)),
    "pin in every round": lambda world, *, looks: pin(world, looks=looks, number=None),
    "forbid": lambda world, *, looks: forbid(world, looks=looks, kind=Do.NEVER),
    "rather not": lambda world, *, looks: forbid(world, looks=looks, kind=Do.AVOID),
    "rather not instead of never": allow_again,
    "mend": mend,
    "relax": relax,
    "absent": absent,
    "leave out": leave_out,
}


def settled(session: Session, group: Class, now: datetime) -> Plan:
    """Nothing in particular."""
    return a_draft(session, group, now)


def stirred(session: Session, group: Class, now: datetime) -> Plan:
    """Somebody left and somebody came after it was published, and one group has begun."""
    plan = a_published_plan(session, group, now)
    service.begin(session, service.groups_in_plan(session, plan, 1)[0].id, now=now)
    session.get_one(Member, load(session, plan).schedule.rounds[0][2][0]).status = "inactive"
    a_learner(session, group.registration, group.course, "Late")
    session.flush()
    return plan


def against_rules(session: Session, group: Class, now: datetime) -> Plan:
    """Rules, a pin and who is kept apart came after the groups."""
    plan = a_draft(session, group, now)
    one, two, three, four, *_ = [learner.id for learner in group.learners]
    want(session, group, rules=(RuleChoice(RuleKind.OTHER, "department"), RuleChoice(RuleKind.SHARE, "languages")))
    make(session, group, Change(Do.NEVER, (one, two)), now)
    make(session, group, Change(Do.TOGETHER, (three, four), 1), now)
    return plan


def without_partners(session: Session, group: Class, now: datetime) -> Plan:
    """Most work in one department, nobody may meet somebody of their own, and “rather not” is switched off."""
    want(session, group, rules=(RuleChoice(RuleKind.OTHER, "department"),), should_not_holds=False)
    return a_draft(session, group, now)


PLANS = {one.__name__: one for one in (settled, stirred, against_rules, without_partners)}


def a_world(session: Session, plan: str, now: datetime) -> World:
    group = a_class(session, 9, rounds=((), (), ()))
    know(session, group.learners, "department", ["Sales" if at % 3 else "Care" for at in range(9)])
    know(session, group.learners, "languages", [["sv", "en"] if at % 2 else ["en"] for at in range(9)])
    want(session, group, wishes=(WishChoice(WishKind.OTHER, "department", weight=5),))
    return World(session, group, PLANS[plan](session, group, now), now)


def told(session: Session, world: World) -> Schedule:
    return load(session, world.plan).schedule


def in_order(found: Comparison) -> Comparison:
    """The same with groups by their members: they have no order of their own before they are stored."""
    rounds = (replace(one, gone=tuple(sorted(one.gone)), new=tuple(sorted(one.new))) for one in found.rounds)
    return replace(found, rounds=tuple(rounds))


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("what", CHANGES)
def test_a_look_shows_what_the_change_gives(open_session: OpenSession, clock: FakeClock, what: str, plan: str) -> None:
    with open_session() as session:
        world = a_world(session, plan, clock.now())
        before = told(session, world)
        try:
            seen = CHANGES[what](world, looks=True)
        except PlanError as refusal:
            with pytest.raises(type(refusal)), session.begin_nested():
                CHANGES[what](world, looks=False)
            assert told(session, world).rounds == before.rounds
            return
        assert told(session, world).rounds == before.rounds

        done = CHANGES[what](world, looks=False)

        session.expire_all()
        after = told(session, world)
        course = service.conditions_of(session, world.group.activity).course(world.plan.shape)
        assert seen == done
        assert in_order(seen) == in_order(comparing.compare(course, before, after))

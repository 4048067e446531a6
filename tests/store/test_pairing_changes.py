"""Plans that people change: seen before, stored after, told to whom it concerns."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.jobs.models import Job
from lti_tool.pairing import service
from lti_tool.pairing.engine import Breach, Violation
from lti_tool.pairing.errors import (
    ChangeImpossible,
    NoPlan,
    PlanChanged,
    PlanImpossible,
    PreferencesChanged,
    RuleBroken,
)
from lti_tool.pairing.models import Group, Plan, Seat
from lti_tool.pairing.models import Pin as PinRow
from lti_tool.pairing.rules.changes import Change, Do
from lti_tool.pairing.rules.preferences import RuleChoice, RuleKind, WishChoice, WishKind
from lti_tool.pairing.rules.views import Cause, GroupView
from lti_tool.pairing.rules.why import relaxations
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
    look,
    make,
    propose,
    want,
)
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store

OTHER_DEPARTMENT = RuleChoice(RuleKind.OTHER, "department")


def ids(group: Class) -> list[int]:
    return [one.id for one in group.learners]


def rounds(session: Session, plan: Plan) -> list[set[frozenset[int]]]:
    return [{frozenset(group) for group in groups} for groups in load(session, plan).schedule.rounds]


def partner(session: Session, plan: Plan, member_id: int, number: int) -> int:
    [group] = [group for group in rounds(session, plan)[number - 1] if member_id in group]
    [other] = group - {member_id}
    return other


def seat_of(session: Session, plan: Plan, member_id: int, number: int) -> Seat:
    [groups] = [load(session, plan).groups]
    [group_id] = [group_id for (at, group), group_id in groups.items() if at == number and member_id in group]
    return session.scalars(select(Seat).where(Seat.group_id == group_id, Seat.member_id == member_id)).one()


def view_of(session: Session, group: Class, member_id: int, number: int) -> GroupView:
    [view] = [
        one
        for one in service.published_groups(session, group.activity.id, member_id=member_id)
        if one.round_number == number
    ]
    return view


def why(session: Session, group: Class) -> tuple[str, ...]:
    """What the first learner is told of their partners in round 1."""
    me = ids(group)[0]
    return service.why_matched(session, group.activity, view_of(session, group, me, 1), me)


def moves(session: Session, group: Class) -> dict[tuple[int, int], Cause]:
    return {
        (one, number): cause
        for one in ids(group)
        for number, cause in service.moves_of(session, one, group.activity.id).items()
    }


def two_departments(session: Session, people: int = 8, number: int = 1) -> Class:
    group = a_class(session, people, rounds=[()] * number)
    know(session, group.learners, "department", ["Sales" if at % 2 else "Care" for at in range(people)])
    return group


# ---- swaps


def test_a_swap_is_seen_before_it_is_done(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = two_departments(session)
        want(session, group, wishes=(WishChoice(WishKind.OTHER, "department", weight=5),))
        plan = a_draft(session, group, clock.now())
        before = rounds(session, plan)
        one = ids(group)[0]
        other = next(two for two in ids(group)[2::2] if two != partner(session, plan, one, 1))
        seats = seat_of(session, plan, one, 1).id, seat_of(session, plan, partner(session, plan, other, 1), 1).id

        seen = look(session, group, a_swap(session, *seats), clock.now())

        assert rounds(session, plan) == before
        assert (seen.before.points, seen.after.points) == (40, 20)
        assert len(seen.touched[0].gone) == len(seen.touched[0].new) == 2
        assert len(seen.moved) == 4
        done = make(session, group, a_swap(session, *seats), clock.now())
        assert done == seen
        assert frozenset((one, other)) in rounds(session, plan)[0]


def test_a_swap_against_a_rule_is_refused_and_done_only_on_purpose(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = two_departments(session)
        want(session, group, rules=(OTHER_DEPARTMENT,))
        plan = a_draft(session, group, clock.now())
        one, other = ids(group)[0], ids(group)[2]
        seats = seat_of(session, plan, one, 1).id, seat_of(session, plan, partner(session, plan, other, 1), 1).id
        before = rounds(session, plan)

        with pytest.raises(RuleBroken) as refusal:
            make(session, group, a_swap(session, *seats), clock.now())

        assert {found.rule for found in refusal.value.broken} == {"other:department"}
        assert rounds(session, plan) == before
        make(session, group, a_swap(session, *seats), clock.now(), anyway=True)
        warned = service.current_plan(session, group.activity, plan, now=clock.now()).broken
        assert Violation(Breach.RULE, 1, (one, other), "other:department") in warned
        assert service.publish(session, group.activity.id, expected_version=plan.version, now=clock.now())


def test_what_was_swapped_on_purpose_is_not_mended_behind_anybodys_back(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = two_departments(session)
        want(session, group, rules=(OTHER_DEPARTMENT,))
        plan = a_published_plan(session, group, clock.now())
        one, other = ids(group)[0], ids(group)[2]
        seats = seat_of(session, plan, one, 1).id, seat_of(session, plan, partner(session, plan, other, 1), 1).id
        make(session, group, a_swap(session, *seats), clock.now(), anyway=True)
        before = rounds(session, plan)
        a_learner(session, group.registration, group.course, "Late")

        service.follow_course(session, group.activity.id, now=clock.now())

        assert frozenset((one, other)) in before[0] & rounds(session, plan)[0]
        seen = look(session, group, Change(Do.MEND), clock.now())
        assert len(seen.no_longer_broken) == 2
        make(session, group, Change(Do.MEND), clock.now())
        assert service.current_plan(session, group.activity, plan, now=clock.now()).broken == ()


# ---- pins and exclusions


def test_a_pin_brings_people_together_and_leaves_the_others_where_they_are(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 12)
        plan = a_published_plan(session, group, clock.now())
        one = ids(group)[0]
        other = next(
            two for two in ids(group)[1:] if all({one, two} - pair for at in rounds(session, plan) for pair in at)
        )
        before, person = rounds(session, plan), group.learners[0].person_id

        seen = look(session, group, Change(Do.TOGETHER, (one, other), 2), clock.now())
        assert service.pins_of(session, group.activity.id) == {}
        done = make(session, group, Change(Do.TOGETHER, (one, other), 2), clock.now(), by=person)

        assert done == seen
        assert rounds(session, plan)[0] == before[0]
        assert frozenset((one, other)) in rounds(session, plan)[1]
        assert len(before[1] - rounds(session, plan)[1]) == 2
        [(pin_id, kept)] = service.pins_of(session, group.activity.id).items()
        said = session.get_one(PinRow, pin_id)
        assert (said.said_by_id, said.said_at, kept.round) == (person, clock.now(), 2)
        assert set(moves(session, group).values()) == {Cause.PLAN_CHANGED}


def test_other_groups_are_proposed_around_the_pins(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 12)
        one, other = ids(group)[:2]
        make(session, group, Change(Do.ALWAYS, (one, other)), clock.now())

        for seed in range(3):
            plan = a_draft(session, group, clock.now(), seed=seed)
            assert all(frozenset((one, other)) in groups for groups in rounds(session, plan))

        [pin] = service.pins_of(session, group.activity.id)
        make(session, group, Change(Do.UNPIN, decision_id=pin), clock.now())
        assert service.pins_of(session, group.activity.id) == {}
        assert all(frozenset((one, other)) in groups for groups in rounds(session, plan))


def test_a_pin_against_a_rule_is_refused(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = two_departments(session)
        want(session, group, rules=(OTHER_DEPARTMENT,))
        a_draft(session, group, clock.now())
        with pytest.raises(RuleBroken):
            look(session, group, Change(Do.TOGETHER, tuple(ids(group)[:4:2]), 1), clock.now())
        with pytest.raises(RuleBroken):
            make(session, group, Change(Do.TOGETHER, tuple(ids(group)[:4:2]), 1), clock.now())
        assert service.pins_of(session, group.activity.id) == {}


def test_pins_that_rules_came_to_forbid_are_named_when_groups_are_proposed(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = two_departments(session)
        make(session, group, Change(Do.TOGETHER, tuple(ids(group)[:4:2]), 1), clock.now())
        want(session, group, rules=(OTHER_DEPARTMENT,))

        with pytest.raises(PlanImpossible) as refusal:
            a_draft(session, group, clock.now())

        assert type(refusal.value.reason).__name__ == "LockForbidden"


def test_a_pin_that_comes_too_late_is_refused(open_session: OpenSession, clock: FakeClock) -> None:
    past = clock.now() - timedelta(days=1)
    with open_session() as session:
        group = a_class(session, 6, rounds=[(None, past), ()])
        plan = a_published_plan(session, group, past)
        one = ids(group)[0]
        other = next(two for two in ids(group)[1:] if two != partner(session, plan, one, 2))
        service.begin(session, seat_of(session, plan, one, 2).group_id, now=clock.now())

        for number, why in ((1, "round over"), (2, "begun")):
            with pytest.raises(ChangeImpossible) as refusal:
                make(session, group, a_pin((one, other), number), clock.now())
            assert refusal.value.why == why


def test_keeping_two_apart_changes_as_few_groups_as_that_takes(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 12)
        plan = a_published_plan(session, group, clock.now())
        one = ids(group)[0]
        other = partner(session, plan, one, 1)
        before = rounds(session, plan)

        seen = look(session, group, Change(Do.NEVER, (one, other)), clock.now())
        done = make(session, group, Change(Do.NEVER, (one, other)), clock.now())

        assert done == seen
        assert (done.before.broken, done.after.broken) == (1, 0)
        assert len(done.moved) == 4
        assert frozenset((one, other)) not in rounds(session, plan)[0]
        assert rounds(session, plan)[1] == before[1]


def test_what_two_people_do_at_once_is_refused_to_the_second(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 8)
        plan = a_draft(session, group, clock.now())
        seen, one = plan.version, ids(group)[0]
        apart = [two for two in ids(group) if two not in {one, partner(session, plan, one, 1)}]
        make(session, group, Change(Do.TOGETHER, (one, apart[0]), 1), clock.now(), version=seen)

        stale = {"expected_version": seen, "by": None, "now": clock.now()}
        for change in (
            lambda: service.apply(session, group.activity.id, Change(Do.TOGETHER, tuple(apart[1:3]), 1), **stale),
            lambda: service.apply(session, group.activity.id, Change(Do.NEVER, (one, apart[1])), **stale),
            lambda: make(session, group, Change(Do.MEND), clock.now(), version=seen),
            lambda: service.drop_proposal(session, group.activity.id, expected_version=seen, now=clock.now()),
            lambda: a_draft_of(session, group, clock, seen),
        ):
            with pytest.raises(PlanChanged):
                change()
        assert len(service.pins_of(session, group.activity.id)) == 1


def a_draft_of(session: Session, group: Class, clock: FakeClock, version: int) -> Plan | None:
    return service.request_proposal(
        session, group.activity.id, seed=9, by=None, now=clock.now(), expected_version=version
    )


# ---- comparing


def test_a_draft_is_compared_with_the_one_before_and_may_be_dropped(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 9)
        first = a_draft(session, group, clock.now(), seed=1)
        assert service.compare_proposals(session, group.activity) is None
        before = rounds(session, first)
        second = a_draft(session, group, clock.now(), seed=2)
        after = rounds(session, second)

        beside = service.compare_proposals(session, group.activity)

        assert beside is not None
        assert [one.kept for one in beside.rounds] == [len(old & new) for old, new in zip(before, after, strict=True)]
        back = service.drop_proposal(session, group.activity.id, expected_version=second.version, now=clock.now())
        assert (back.id, back.state) == (first.id, "draft")
        assert back.version > second.version
        assert rounds(session, back) == before
        with pytest.raises(NoPlan):
            service.drop_proposal(session, group.activity.id, expected_version=back.version, now=clock.now())


def test_publishing_keeps_no_other_draft(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        a_draft(session, group, clock.now(), seed=1)
        plan = a_published_plan(session, group, clock.now())

        assert session.scalars(select(Plan.id)).all() == [plan.id]
        service.take_back(session, group.activity.id, expected_version=plan.version, now=clock.now())
        assert service.find_plan(session, group.activity.id) == plan


# ---- following the course


def test_everybody_who_is_moved_is_told_why(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 8, rounds=[()])
        plan = a_published_plan(session, group, clock.now())
        gone, widow = ids(group)[0], partner(session, plan, ids(group)[0], 1)
        group.learners[0].status = "inactive"
        session.flush()
        late = a_learner(session, group.registration, group.course, "Late")

        service.follow_course(session, group.activity.id, now=clock.now())

        assert moves(session, group) == {(widow, 1): Cause.PARTNER_LEFT}
        assert service.moves_of(session, late.id, group.activity.id) == {1: Cause.JOINED}
        assert service.moves_of(session, gone, group.activity.id) == {}
        version = service.find_plan(session, group.activity.id)
        assert version is not None
        service.take_back(session, group.activity.id, expected_version=version.version, now=clock.now())
        service.publish(session, group.activity.id, expected_version=version.version, now=clock.now())
        assert moves(session, group) == {}


def test_nobody_is_told_of_changes_to_a_draft(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 6)
        plan = a_draft(session, group, clock.now())
        one, other = ids(group)[0], partner(session, plan, ids(group)[0], 1)
        make(session, group, Change(Do.NEVER, (one, other)), clock.now())

        assert session.scalars(select(Job.id).where(Job.name == "progress.changed")).all() == []
        service.publish(session, group.activity.id, expected_version=plan.version, now=clock.now())
        assert moves(session, group) == {}


def test_a_late_joiner_is_placed_by_the_rules(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = two_departments(session)
        want(session, group, rules=(OTHER_DEPARTMENT,))
        plan = a_published_plan(session, group, clock.now())
        gone = ids(group)[0]
        group.learners[0].status = "inactive"
        session.flush()
        late = a_learner(session, group.registration, group.course, "Late")
        know(session, [late], "department", ["Care"])
        widow = partner(session, plan, gone, 1)

        service.follow_course(session, group.activity.id, now=clock.now())

        assert partner(session, plan, late.id, 1) == widow


def test_rules_that_change_after_publishing_warn_and_move_nobody(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 8, rounds=[()])
        plan = a_published_plan(session, group, clock.now())
        one = ids(group)[0]
        other = partner(session, plan, one, 1)
        departments = ["Sales" if member in {one, other} else "Care" for member in ids(group)]
        # Two of Sales sit together; of the others everybody would need one of them.
        know(session, group.learners, "department", departments)
        want(session, group, rules=(OTHER_DEPARTMENT,))
        before, version = rounds(session, plan), plan.version

        service.follow_course(session, group.activity.id, now=clock.now())

        assert (rounds(session, plan), plan.version) == (before, version)
        assert len(service.current_plan(session, group.activity, plan, now=clock.now()).broken) == 4
        seen = make(session, group, Change(Do.MEND), clock.now(), version=version)
        assert seen.after.broken == 0
        assert seen.after.unpaired == 4
        assert {one.reason for one in load(session, plan).schedule.unpaired} == {"too_few_partners"}


# ---- not turning up


def test_the_partner_of_somebody_who_does_not_turn_up_gets_another_one(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 7)
        plan = a_published_plan(session, group, clock.now())
        [trio] = [pair for pair in rounds(session, plan)[0] if len(pair) == 3]
        missing = next(one for one in ids(group) if one not in trio)
        widow, second = partner(session, plan, missing, 1), rounds(session, plan)[1]
        seat = seat_of(session, plan, missing, 1)

        make(session, group, an_absence(session, seat.group_id, missing), clock.now(), by=group.learners[0].person_id)

        assert len(next(pair for pair in rounds(session, plan)[0] if widow in pair)) == 2
        assert rounds(session, plan)[1] == second
        assert moves(session, group)[widow, 1] == Cause.PARTNER_ABSENT
        assert (missing, 1) not in moves(session, group)
        [out] = service.current_plan(session, group.activity, plan, now=clock.now()).unplaced
        assert (out.member_id, out.round_number, out.reason) == (missing, 1, "absent")

        before = rounds(session, plan)
        assert not service.follow_course(session, group.activity.id, now=clock.now()).moved
        assert rounds(session, plan) == before
        make(session, group, Change(Do.TURNS_UP, (missing,), 1), clock.now())
        assert any(missing in pair for pair in rounds(session, plan)[0])


def test_other_groups_are_proposed_without_who_does_not_turn_up(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 8)
        plan = a_published_plan(session, group, clock.now())
        missing = ids(group)[0]
        seat = seat_of(session, plan, missing, 1)
        said = {"by": group.learners[0].person_id, "now": clock.now()}
        service.apply(
            session,
            plan.activity_id,
            an_absence(session, seat.group_id, missing),
            expected_version=plan.version,
            **said,
        )
        service.take_back(session, group.activity.id, expected_version=plan.version, now=clock.now())

        again = propose(session, group.activity.id, seed=7, **said)

        first, second = rounds(session, again)
        assert missing not in {one for pair in first for one in pair}
        assert sorted(map(len, first)) == [2, 2, 3]
        assert missing in {one for pair in second for one in pair}
        service.publish(session, group.activity.id, expected_version=again.version, now=clock.now())


def test_nobody_steps_into_a_group_that_has_begun(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4, rounds=[()])
        plan = a_published_plan(session, group, clock.now())
        seat = seat_of(session, plan, ids(group)[0], 1)
        service.begin(session, seat.group_id, now=clock.now())

        for member_id, why in ((ids(group)[0], "group begun"), (999_999, "no group")):
            with pytest.raises(ChangeImpossible) as refusal:
                make(session, group, an_absence(session, seat.group_id, member_id), clock.now())
            assert refusal.value.why == why


# ---- relaxing


def test_the_first_rule_that_helps_is_advised_and_given_up_by_choice_only(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 4, rounds=[()])
        know(session, group.learners, "department", ["Sales", "Sales", "Sales", "Care"])
        know(session, group.learners, "languages", [["sv"]] * 4)
        want(session, group, rules=(OTHER_DEPARTMENT, RuleChoice(RuleKind.SHARE, "languages")))
        plan = a_draft(session, group, clock.now())
        assert len(load(session, plan).schedule.unpaired) == 2

        advised = [
            one.rules
            for one in relaxations(service.current_plan(session, group.activity, plan, now=clock.now()))
            if one.is_advised
        ]
        assert advised == [("other:department",)]
        seen = look(session, group, Change(Do.RELAX, rules=tuple(advised[0])), clock.now())
        assert len(seen.newly_paired) == 2
        assert len(load(session, plan).schedule.unpaired) == 2

        make(session, group, Change(Do.RELAX, rules=tuple(advised[0])), clock.now())

        assert load(session, plan).schedule.unpaired == ()
        [left] = service.preferences_of(session, group.activity).preferences.rules
        assert left.to_engine()[0].name == "share:languages"
        with pytest.raises(PreferencesChanged):
            make(session, group, Change(Do.RELAX, rules=("exclusions",)), clock.now())


# ---- what learners are told


def test_learners_are_told_why_they_were_matched_and_nothing_private(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = two_departments(session, people=4)
        know(session, group.learners, "languages", [["sv", "da"], ["DA", "sv"], ["sv", "da"], ["da", "sv"]])
        know(session, group.learners, "experience", [1, 9, 1, 9])
        want(
            session,
            group,
            rules=(RuleChoice(RuleKind.REPORTING_LINE), OTHER_DEPARTMENT, RuleChoice(RuleKind.SHARE, "languages")),
            wishes=(
                WishChoice(WishKind.OTHER, "department"),
                WishChoice(WishKind.GAP),
                WishChoice(WishKind.OTHER, "cohort"),
            ),
        )
        a_published_plan(session, group, clock.now())
        make(session, group, Change(Do.NEVER, tuple(ids(group)[:4:2])), clock.now())

        told = why(session, group)

        assert told == (
            "You work in different departments.",
            "You share a language.",
            "You bring different experience.",
        )


def test_what_counts_as_one_spelling_in_the_plan_counts_as_one_for_learners(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 2, rounds=[()])
        know(session, group.learners, "department", ["Eve's x-ray team", "EVE\u2019S X\u2011RAY TEAM"])
        want(session, group, rules=(RuleChoice(RuleKind.SAME, "department"),))
        a_published_plan(session, group, clock.now())

        assert why(session, group) == ("You work in the same department.",)


def test_nothing_is_said_of_what_is_unknown_or_of_people_who_left(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 2, rounds=[()])
        want(session, group, rules=(OTHER_DEPARTMENT,), not_again=True)
        a_published_plan(session, group, clock.now())

        assert why(session, group) == ("You have not worked together before.",)

        group.learners[1].status = "inactive"
        session.flush()
        assert why(session, group) == ()


def test_groups_of_a_plan_have_no_more_begun_than_before(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 6)
        plan = a_published_plan(session, group, clock.now())
        service.begin(session, seat_of(session, plan, ids(group)[0], 1).group_id, now=clock.now())
        kept = next(pair for pair in rounds(session, plan)[0] if ids(group)[0] in pair)
        for one in ids(group)[1:]:
            if one not in kept:
                make(session, group, Change(Do.NEVER, (one, partner(session, plan, one, 1))), clock.now())
                break

        assert kept in rounds(session, plan)[0]
        assert session.scalars(select(Group.id).where(Group.begun_at.is_not(None))).all() == [
            seat_of(session, plan, ids(group)[0], 1).group_id
        ]

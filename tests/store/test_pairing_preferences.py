"""What a designer wants of groups: kept, copied, heeded by proposals."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from lti_tool.activities.errors import ActivityReadOnly
from lti_tool.launch.models import Member
from lti_tool.launch.rules.context import LaunchContext, Message, PersonFacts, PlatformFacts, Services
from lti_tool.launch.rules.roles import Roles
from lti_tool.pairing import service
from lti_tool.pairing.engine import Kind, Lock
from lti_tool.pairing.errors import (
    ChangeImpossible,
    PlanError,
    PreferencesChanged,
    PreferencesInvalid,
)
from lti_tool.pairing.models import Exclusion, PairingPreferences, PinnedMember, Plan, Seat
from lti_tool.pairing.models import Pin as PinRow
from lti_tool.pairing.rules.changes import Change, Do
from lti_tool.pairing.rules.preferences import Preferences, RuleChoice, RuleKind, WishChoice, WishKind
from lti_tool.pairing.rules.views import Apart
from lti_tool.pairing.store import load
from lti_tool.support.db import OpenSession
from tests.factories.pairing import (
    Class,
    a_class,
    a_draft,
    a_pin,
    a_published_plan,
    an_absence,
    an_activity,
    know,
    make,
    want,
)
from tests.factories.people import a_course, a_deployment, a_member, a_person, a_visit
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store

EVERYTHING = Preferences(
    kind=Kind.CIRCLES,
    size=4,
    rules=(
        RuleChoice(RuleKind.REPORTING_LINE, unknown_is_allowed=False),
        RuleChoice(RuleKind.SHARE, "languages", at_least=2, priority=7),
        RuleChoice(RuleKind.GAP, at_least=0, at_most=5),
        RuleChoice(RuleKind.OFFERS_MEET_NEEDS, both_ways=True),
    ),
    wishes=(
        WishChoice(WishKind.OTHER, "department", weight=10),
        WishChoice(WishKind.NEAR_IN_TIME),
        WishChoice(WishKind.GAP, weight=3),
    ),
    not_again=True,
    should_not_holds=False,
    history_counts=False,
)


def test_what_was_never_said_is_pairs_without_rules(open_session: OpenSession) -> None:
    with open_session() as session:
        group = a_class(session, 2)

        kept = service.preferences_of(session, group.activity)

        assert (kept.preferences, kept.version) == (Preferences(), 0)


def test_what_was_saved_is_read_back_as_it_was(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 2)
        person = group.learners[0].person_id

        service.save_preferences(session, group.activity.id, EVERYTHING, expected_version=0, by=person, now=clock.now())
        session.expire_all()

        kept = service.preferences_of(session, group.activity)
        assert kept.preferences == EVERYTHING
        assert kept.version > 0
        row = session.scalars(select(PairingPreferences)).one()
        assert (row.changed_by_id, row.changed_at) == (person, clock.now())


def test_of_two_who_save_at_once_one_is_told_that_it_changed(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 2)
        institution_id, activity_id = group.course.institution_id, group.activity.id
    both_ready = Barrier(2)

    def save(size: int) -> str:
        both_ready.wait(timeout=30)
        try:
            with open_session(institution_id) as session:
                wanted = Preferences(Kind.CIRCLES, size)
                service.save_preferences(session, activity_id, wanted, expected_version=0, by=None, now=clock.now())
        except PlanError as refusal:
            return type(refusal).__name__
        return "saved"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(save, (3, 4))) == ["PreferencesChanged", "saved"]


def test_what_makes_no_sense_is_named_by_field_and_not_saved(open_session: OpenSession, clock: FakeClock) -> None:
    wrong = Preferences(Kind.CIRCLES, 9, rules=(RuleChoice(RuleKind.GAP),))
    with open_session() as session:
        group = a_class(session, 2)

        with pytest.raises(PreferencesInvalid) as refusal:
            service.save_preferences(session, group.activity.id, wrong, expected_version=0, by=None, now=clock.now())

        assert list(refusal.value.problems) == ["size", "rules.0.at_least"]
        assert service.preferences_of(session, group.activity).version == 0


def test_a_closed_activity_is_not_changed(open_session: OpenSession) -> None:
    with open_session() as session:
        group = a_class(session, 2, state="closed")
        with pytest.raises(ActivityReadOnly):
            want(session, group, not_again=True)


def test_a_stale_page_saves_nothing(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 2)
        want(session, group, not_again=True)
        with pytest.raises(PreferencesChanged):
            service.save_preferences(
                session, group.activity.id, EVERYTHING, expected_version=0, by=None, now=clock.now()
            )


def test_a_copy_wants_what_the_original_wants_and_none_of_its_people(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        want(session, group, not_again=True)
        make(session, group, Change(Do.ALWAYS, tuple(ids(group)[:2])), clock.now())
        elsewhere = a_course(session, a_deployment(session, group.registration))
        copy = an_activity(session, elsewhere, copied_from_id=group.activity.id)
        assert service.preferences_of(session, copy).preferences.not_again

        visit, _ = a_visit(
            session, group.learners[0], group.registration, now=clock.now(), placement_id=copy.placement_id
        )
        for _ in range(2):
            service.after_launch(session, visit, a_launch(activity=group.activity.key), clock.now())
        want(session, group, not_again=False)

        assert service.preferences_of(session, copy).preferences.not_again
        assert service.preferences_of(session, copy).version > 0
        assert service.pins_of(session, copy.id) == {}


def test_launches_of_a_copy_at_once_all_arrive(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 2)
        want(session, group, not_again=True)
        copy = an_activity(session, group.course, copied_from_id=group.activity.id)
        institution_id = group.course.institution_id
        visit, _ = a_visit(
            session, group.learners[0], group.registration, now=clock.now(), placement_id=copy.placement_id
        )
    ready = Barrier(4)

    def launch(_: int) -> None:
        ready.wait(timeout=30)
        with open_session(institution_id) as session:
            service.after_launch(session, visit, a_launch(activity=group.activity.key), clock.now())

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(launch, range(4)))

    with open_session(institution_id) as session:
        assert service.preferences_of(session, copy).version > 0


def test_a_proposal_keeps_rules_and_follows_wishes(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 8, rounds=[()])
        know(session, group.learners, "department", ["Sales"] * 4 + ["Care"] * 4)
        know(session, group.learners, "languages", [["sv"], ["sv"], ["da"], ["da"]] * 2)
        department, languages = RuleChoice(RuleKind.OTHER, "department"), RuleChoice(RuleKind.SHARE, "languages")
        want(session, group, rules=(department, languages))

        [couples] = load(session, a_draft(session, group, clock.now())).schedule.rounds

        place = {one: at for at, one in enumerate(ids(group))}
        assert len(couples) == 4
        for one, other in couples:
            assert place[one] // 4 != place[other] // 4
            assert place[one] % 4 // 2 == place[other] % 4 // 2


def test_whoever_cannot_be_paired_is_kept_with_the_reason_and_the_proof(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 6, rounds=[()])
        know(session, group.learners, "department", ["Sales"] * 5 + ["Care"])
        want(session, group, rules=(RuleChoice(RuleKind.OTHER, "department"),))

        plan = a_draft(session, group, clock.now())
        stored = load(session, plan)
        standing = service.current_plan(session, group.activity, plan, now=clock.now())

        assert len(stored.schedule.unpaired) == 4
        assert len(stored.schedule.proofs) == 1
        assert {(one.member_id, one.reason) for one in standing.unplaced} == {
            (one.person, one.reason) for one in stored.schedule.unpaired
        }


@pytest.mark.parametrize("counts", [True, False])
def test_other_activities_of_the_course_count_where_the_designer_says_so(
    open_session: OpenSession, clock: FakeClock, counts: bool
) -> None:
    with open_session() as session:
        group = a_class(session, 3, rounds=[()])
        other = a_published_plan(session, group, clock.now())
        [[trio]] = load(session, other).schedule.rounds
        second = an_activity(session, group.course, [()])
        group_of_second = Class(group.registration, group.course, second, [], group.learners)
        want(session, group_of_second, history_counts=counts)

        course = service.conditions_of(session, second).course()

        assert len(course.met) == (3 if counts else 0)
        assert course.ahead == ({trio[0]: 1, trio[2]: -1} if counts else {})
        assert course.in_trios == {}


def test_who_was_left_out_last_comes_first_now(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4, rounds=[()])
        know(session, group.learners, "department", ["Sales", "Sales", "Sales", "Care"])
        want(session, group, rules=(RuleChoice(RuleKind.OTHER, "department"),))
        plan = a_published_plan(session, group, clock.now())
        left_out = {one.person for one in load(session, plan).schedule.unpaired}

        course = service.conditions_of(session, an_activity(session, group.course, [()])).course()

        assert len(left_out) == 2
        assert course.left_out == left_out


def test_pins_are_locks_of_those_who_are_here(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 5)
        one, two, three, four, _ = ids(group)
        for people, number in (((two, one), None), ((four, three), 2)):
            make(session, group, a_pin(people, number), clock.now())
        assert service.conditions_of(session, group.activity).course().locks == (
            Lock((one, two)),
            Lock((three, four), 2),
        )

        group.learners[0].status = "inactive"
        session.flush()

        assert service.conditions_of(session, group.activity).course().locks == (Lock((three, four), 2),)


def test_pins_that_make_no_sense_are_refused_with_a_word(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 5)
        elsewhere = a_course(session, a_deployment(session, group.registration))
        stranger = a_member(session, elsewhere, a_person(session, group.registration)).id
        one, two, three, four, _ = ids(group)

        def refused(members: tuple[int, ...], number: int | None) -> str:
            with pytest.raises(ChangeImpossible) as refusal:
                make(session, group, a_pin(members, number), clock.now())
            return refusal.value.why

        a_draft(session, group, clock.now())
        make(session, group, Change(Do.TOGETHER, (one, two), 1), clock.now())
        assert refused((one, one), 1) == "too few"
        assert refused((one, two, three, four), 1) == "too many"
        assert refused((three, stranger), 1) == "not in the course"
        assert refused((three, four), 9) == "no round"
        assert refused((two, one), 1) == "pinned already"
        assert refused((one, three), None) == "pinned to others"
        assert len(service.pins_of(session, group.activity.id)) == 1


def test_who_is_kept_apart_is_so_in_the_whole_course(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        second = an_activity(session, group.course)
        one, two, three, _ = ids(group)
        a_draft(session, group, clock.now())
        for other, kind in ((two, Do.NEVER), (three, Do.AVOID), (three, Do.NEVER)):
            make(session, group, Change(kind, (other, one)), clock.now())

        kept = service.apart_of(session, group.course.id)

        assert [(*row.members, row.kind) for row in kept] == [
            (one, two, Apart.NEVER),
            (one, three, Apart.NEVER),
        ]
        [rule] = service.conditions_of(session, second).course().rules
        assert rule.name == "exclusions"
        make(session, group, Change(Do.MEET_AGAIN, decision_id=kept[0].id), clock.now())
        assert len(service.apart_of(session, group.course.id)) == 1


def test_nobody_is_kept_apart_from_themselves_or_from_strangers(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 2)
        elsewhere = a_course(session, a_deployment(session, group.registration))
        stranger = a_member(session, elsewhere, a_person(session, group.registration)).id
        one = ids(group)[0]
        a_draft(session, group, clock.now())
        for other, why in ((one, "one person"), (stranger, "not in the course")):
            with pytest.raises(ChangeImpossible) as refusal:
                make(session, group, Change(Do.NEVER, (one, other)), clock.now())
            assert refusal.value.why == why


def test_what_is_said_of_somebody_goes_with_them(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        one, two, three, four = ids(group)
        for people in ((one, two), (three, four)):
            make(session, group, Change(Do.ALWAYS, tuple(people)), clock.now())
        a_published_plan(session, group, clock.now())
        seat = session.scalars(select(Seat).where(Seat.member_id == one).order_by(Seat.id)).first()
        assert seat is not None
        make(session, group, an_absence(session, seat.group_id, one), clock.now())
        for people in ((one, three), (two, four)):
            make(session, group, Change(Do.NEVER, tuple(people)), clock.now())
        assert [row["said"] for row in service.said_of(session, [one])] == ["pinned", "never", "absent"]

        service.forget(session, [one])

        assert service.said_of(session, [one]) == []
        assert service.moves_of(session, one, group.activity.id) == {}
        assert [pin.members for pin in service.pins_of(session, group.activity.id).values()] == [(three, four)]
        assert [row.members for row in service.apart_of(session, group.course.id)] == [(two, four)]
        session.delete(session.get_one(Member, four))
        session.flush()
        assert session.scalars(select(Exclusion.id)).all() == []
        assert session.scalars(select(PinnedMember.member_id)).all() == [three]
        assert service.conditions_of(session, group.activity).course().locks == ()


def test_everything_goes_with_the_activity(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        want(session, group, history_counts=False)
        make(session, group, Change(Do.ALWAYS, tuple(ids(group)[:2])), clock.now())
        a_draft(session, group, clock.now())

        session.delete(group.activity)
        session.flush()

        assert session.scalars(select(PinRow.id)).all() == []
        assert session.scalars(select(Plan.id)).all() == []


def ids(group: Class) -> list[int]:
    return [one.id for one in group.learners]


def a_launch(**custom: str) -> LaunchContext:
    """What a launch of a link with these custom parameters says."""
    return LaunchContext(
        message=Message.RESOURCE_LINK,
        deployment_id="1",
        target_link_uri="https://tandem.example/lti/launch",
        person=PersonFacts("1"),
        roles=Roles(None, False, False),
        course=None,
        link=None,
        services=Services(),
        platform=PlatformFacts(),
        custom=custom,
    )

"""What pages, jobs and other features ask of plans and do to them.

Who is with whom and why; what decides about groups; proposing and publishing them; changing them. The SQL is in
`store`, and what is decided in `rules`.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, exists, func, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import To, kind_for
from lti_tool.attributes.rules.catalogue import Kept, engine_values
from lti_tool.attributes.service import attributes_of
from lti_tool.attributes.service.reading import values_of_members
from lti_tool.jobs import queue
from lti_tool.launch.models import Course, CourseRole, Member
from lti_tool.launch.rules.context import LaunchContext
from lti_tool.launch.service.arrivals import tell_plans
from lti_tool.pairing import engine, store
from lti_tool.pairing.engine import Breach, Reason, Schedule, Value
from lti_tool.pairing.errors import (
    ChangeImpossible,
    NoPlan,
    PlanChanged,
    PlanImpossible,
    PreferencesChanged,
    RuleBroken,
)
from lti_tool.pairing.models import (
    Absence,
    Exclusion,
    Group,
    Move,
    PairingPreferences,
    Pin,
    PinnedMember,
    Plan,
    ProposalRequest,
    Seat,
)
from lti_tool.pairing.rules import proposing
from lti_tool.pairing.rules.changes import APART, LEAVES_GROUPS, Change, Do, Outcome, outcome
from lti_tool.pairing.rules.comparing import Comparison, compare, couple_of
from lti_tool.pairing.rules.current import Conditions, CurrentPlan
from lti_tool.pairing.rules.preferences import Preferences, read
from lti_tool.pairing.rules.proposing import Basis
from lti_tool.pairing.rules.views import Alone, Apart, Cause, GroupView, Unplaced
from lti_tool.pairing.rules.why import TOLD, told
from lti_tool.roster import service as roster
from lti_tool.support.db import served_institution
from lti_tool.web.visits import Visit

# What is read as it is stored.
apart_of = store.apart_of
find_plan = store.find_plan
forget = store.forget
groups_in_plan = store.groups_in_plan
hold_group = store.hold_group
moves_of = store.moves_of
names_of = store.names_of
pins_of = store.pins_of
planned_activities = store.planned_activities
published_groups = store.published_groups
said_of = store.said_of
share_group = store.share_group
with_published_plan = store.with_published_plan

PROPOSE = "pairing.draft"
"""The job that works a proposal out."""
MOST_INLINE: Final = 36_000
"""Learners times rounds that are planned while someone waits: two seconds of a processor for 3,000 in 12 rounds."""
NOT_AGAIN: Final = engine.NotAgain().name
CAUSES: Final = {cause: Cause(cause.value) for cause in engine.Cause if cause.value in set(Cause)}
"""What members are told of the engine's causes. Someone who is absent is told nothing."""
CAUSES[engine.Cause.RULE_CHANGED] = Cause.PLAN_CHANGED


# ---- who is with whom, and why ---------------------------------------------------------------------------------------


def why_matched(session: Session, activity: Activity, group: GroupView, member_id: int) -> tuple[str, ...]:
    """Why a member has the partners in this group, as sentences that are still to be translated.

    They are true of all partners. Reads only what is known about the group.
    """
    members = tuple(person for person in group.members if person not in group.left)
    if member_id not in members or len(members) < 2:
        return ()
    wanted = preferences_of(session, activity).preferences
    course = Conditions(members, wanted, _attributes(session, members) if wanted.reads else {}).course()
    partners = engine.Explanations(Schedule(((members,),), course=course)).why(member_id, 1).partners
    names = [dict.fromkeys([*partner.rules, *dict(partner.wishes)]) for partner in partners]
    shared = [name for name in names[0] if name != NOT_AGAIN and all(name in others for others in names)]
    sentences = tuple(dict.fromkeys(filter(None, map(told, shared))))
    if (NOT_AGAIN in names[0] or not sentences) and not store.have_met(session, activity, group, member_id, members):
        sentences = (TOLD[NOT_AGAIN], *sentences)
    return sentences


def _attributes(session: Session, members: tuple[int, ...]) -> Mapping[str, Mapping[int, Value]]:
    """What is known about these members, except about other people and what learners may not know."""
    kept: dict[str, dict[int, Kept]] = {}
    for member_id, values in values_of_members(session, members).items():
        for name, known in values.items():
            kept.setdefault(name, {})[member_id] = known.value
    return engine_values(kept)


def why_alone(session: Session, activity: Activity, member_id: int, *, now: datetime) -> dict[int, Alone]:
    """Why a learner has no group, by the numbers of the rounds in which they have none."""
    plan = store.find_plan(session, activity.id, "published")
    rounds = select(Round).where(Round.activity_id == activity.id).order_by(Round.number)
    if plan is not None:
        own = select(Seat.round_id).where(Seat.plan_id == plan.id, Seat.member_id == member_id)
        rounds = rounds.where(Round.id.not_in(own))
    without = session.scalars(rounds).all()
    if not without:
        return {}
    outside = _why_outside(session, activity, member_id)
    absent = set(session.scalars(select(Absence.round_id).where(Absence.member_id == member_id)))
    unpaired = {number for number, person, _ in (plan.unpaired if plan is not None else ()) if person == member_id}

    def why(round_: Round) -> Alone:
        if round_.due_at is not None and round_.due_at <= now:
            return Alone.OVER
        if round_.id in absent:
            return Alone.ABSENT
        if outside is None and plan is not None:
            return Alone.NOBODY if round_.number in unpaired else Alone.COMING
        return outside or Alone.NOT_PLANNED

    return {round_.number: why(round_) for round_ in without}


def _why_outside(session: Session, activity: Activity, member_id: int) -> Alone | None:
    """Why someone takes no part in pairing at all; None if they do."""
    member = session.get_one(Member, member_id)
    course = session.get_one(Course, activity.course_id)
    if member.is_test:
        return Alone.TEST_PERSON
    if course.memberships_url is None or member.in_roster_at is not None or member.is_taken_in:
        return None
    if member.is_taken_in is False:
        return Alone.LEFT_OUT
    sync = roster.latest(session, course.id)
    is_read = sync is not None and sync.state in {"finished", "asks"} and sync.started_at >= member.created_at
    return Alone.UNLISTED if is_read else Alone.ROSTER_ASKED


def unplaced(session: Session, activity: Activity, plan: Plan, *, now: datetime) -> list[Unplaced]:
    """Learners without a group in rounds that are not over. Reads no seats of others."""
    learner = roster.who_takes_part(session, activity.course_id, activity.placement_id).subquery()
    over = select(func.max(Round.number)).where(Round.activity_id == activity.id, Round.due_at <= now).scalar_subquery()
    seated = exists().where(Seat.plan_id == plan.id, Seat.round_id == Round.id, Seat.member_id == learner.c.id)
    rows = session.execute(
        select(Round.number, learner.c.id)
        .join(learner, true())
        .where(Round.activity_id == activity.id, Round.number > func.coalesce(over, 0), ~seated)
        .order_by(Round.number, learner.c.id)
    )
    reasons = {(number, member_id): Reason(why) for number, member_id, why in plan.unpaired}
    return [Unplaced(member_id, number, reasons.get((number, member_id))) for number, member_id in rows]


# ---- what decides about groups ---------------------------------------------------------------------------------------


def conditions_of(session: Session, activity: Activity) -> Conditions:
    """What decides about the groups of an activity today. The number of queries is the same in any course."""
    return Conditions(
        tuple(roster.learners_to_pair(session, activity.course_id, activity.placement_id)),
        preferences_of(session, activity).preferences.going_round(is_ring=is_ring(activity)),
        attributes_of(session, activity.course_id),
        tuple(store.pins_of(session, activity.id).values()),
        tuple((*apart.members, Apart(apart.kind)) for apart in store.apart_of(session, activity.course_id)),
        store.history_of(session, activity),
    )


def is_ring(activity: Activity) -> bool:
    """Whether each member of a group writes to the next, so that their order matters."""
    return any(step.to is To.NEXT for step in kind_for(activity).steps)


def current_plan(session: Session, activity: Activity, plan: Plan, *, now: datetime) -> CurrentPlan:
    """A plan as it is now, with everything that decides about its groups."""
    stored = store.load(session, plan)
    return CurrentPlan(
        activity.id,
        plan.id,
        stored.schedule,
        stored.fixed,
        1 + stored.last_over(now),
        plan.shape,
        conditions_of(session, activity),
        store.absences_of(session, activity.id),
    )


@dataclass(frozen=True, slots=True)
class SavedPreferences:
    """An activity's preferences, and how often they were saved."""

    preferences: Preferences
    version: int = 0
    """0 if nothing was saved: these are the defaults, or the preferences of the activity that this is a copy of."""


def preferences_of(session: Session, activity: Activity) -> SavedPreferences:
    """What the designer wants. A copy without saved preferences has those of the activity it was copied from."""
    seen: set[int] = set()
    source: Activity | None = activity
    while source is not None and source.id not in seen:
        seen.add(source.id)
        row = store.saved_preferences(session, source.id)
        if row is not None:
            return SavedPreferences(_read(row), row.version if source.id == activity.id else 0)
        source = session.get(Activity, source.copied_from_id) if source.copied_from_id is not None else None
    return SavedPreferences(Preferences())


def save_preferences(
    session: Session, activity_id: int, wanted: Preferences, *, expected_version: int, by: int | None, now: datetime
) -> None:
    """Save what a designer wants. Groups stay as they are until someone proposes or mends. `by` is a person.

    Raises PreferencesInvalid, PreferencesChanged if someone saved since `expected_version`, and ActivityReadOnly.
    """
    activities.refuse_read_only(session, store.hold(session, activity_id))
    read(wanted.to_json())
    row = store.saved_preferences(session, activity_id)
    if (row.version if row is not None else 0) != expected_version:
        raise PreferencesChanged(activity_id)
    _write(session, row or PairingPreferences(activity_id=activity_id), wanted, by=by, now=now)


def after_launch(session: Session, visit: Visit, context: LaunchContext, now: datetime) -> None:
    """If the launch of a copied link made a copy of an activity, give it the preferences that the original has today.

    Repeating it changes nothing. Rules are copied; pins and people who are kept apart are not.
    """
    if not context.custom.get("activity"):
        return  # Only links with a key are ever copies.
    copy = activities.activity_of(session, visit.placement_id)
    if copy is None or copy.copied_from_id is None:
        return
    saved = preferences_of(session, copy)
    if saved.version == 0 and saved.preferences != Preferences():
        # Someone else may have launched the same new link first.
        with suppress(IntegrityError), session.begin_nested():
            _write(session, PairingPreferences(activity_id=copy.id), saved.preferences, by=None, now=now)


def _read(row: PairingPreferences) -> Preferences:
    return read({field.name: getattr(row, field.name) for field in fields(Preferences)})


def _write(session: Session, row: PairingPreferences, wanted: Preferences, *, by: int | None, now: datetime) -> None:
    for field, value in wanted.to_json().items():
        setattr(row, field, value)
    row.changed_by_id, row.changed_at = by, now
    session.add(row)
    session.flush()


# ---- proposing -------------------------------------------------------------------------------------------------------


def basis_of(session: Session, activity_id: int, *, expected_version: int | None = None) -> Basis:
    """Read what a proposal is made from. `expected_version` is the proposal that someone looked at, 0 for none.

    Raises ChangeImpossible, PlanChanged and ActivityReadOnly.
    """
    activity = session.get_one(Activity, activity_id)
    activities.refuse_read_only(session, activity)
    if store.find_plan(session, activity_id, "published") is not None:
        raise ChangeImpossible("published")
    proposal = store.find_plan(session, activity_id, "draft")
    version = proposal.version if proposal is not None else 0
    if expected_version is not None and expected_version != version:
        raise PlanChanged(activity_id, version)
    rounds = activities.rounds_of(session, activity_id)
    course = conditions_of(session, activity).course()
    if len(course.people) < 2 or not rounds:
        raise ChangeImpossible("too few learners")
    round_ids = tuple(round_.id for round_ in rounds)
    return Basis(activity_id, course, round_ids, version, store.absences_of(session, activity_id))


def keep(session: Session, basis: Basis, schedule: Schedule, *, by: int | None, now: datetime) -> Plan:
    """Make this the activity's proposal; the earlier one is kept for comparison. `by` is a person.

    Raises as `basis_of` does, and PlanChanged if anything that it was made from has changed.
    """
    store.hold(session, basis.activity_id)
    if basis_of(session, basis.activity_id) != basis:
        raise PlanChanged(basis.activity_id)
    former = store.find_plan(session, basis.activity_id, "draft")
    session.execute(delete(ProposalRequest).where(ProposalRequest.activity_id == basis.activity_id))
    if former is not None:
        session.execute(delete(Plan).where(Plan.activity_id == basis.activity_id, Plan.state == "previous"))
        former.state = "previous"
        store.touch(session, former, now)
    plan = Plan(
        activity_id=basis.activity_id,
        state="draft",
        seed=schedule.seed,
        kind=basis.course.shape.kind,
        size=basis.course.shape.size,
        engine=schedule.engine or engine.NAME,
        created_by_id=by,
        created_at=now,
        changed_at=now,
        version=former.version + 1 if former is not None else 1,
    )
    session.add(plan)
    session.flush()
    store.store_changes(session, plan, store.load(session, plan), schedule)
    return plan


def request_proposal(
    session: Session,
    activity_id: int,
    *,
    seed: int,
    by: int | None,
    now: datetime,
    expected_version: int | None = None,
) -> Plan | None:
    """Propose groups for all rounds. `by` is a person. Raises what `basis_of`, `keep` and `proposing.work_out` raise.

    A large course is planned in the background: then the answer is None, and `proposal_request` says how far it is.
    Pins that contradict each other or a rule are refused at once.
    """
    basis = basis_of(session, activity_id, expected_version=expected_version)
    if len(basis.course.people) * len(basis.round_ids) <= MOST_INLINE:
        return keep(session, basis, proposing.work_out(basis, seed=seed), by=by, now=now)
    try:
        engine.check_locks(basis.course, len(basis.round_ids))
    except engine.ImpossibleRequest as refusal:
        raise PlanImpossible(activity_id, refusal) from refusal
    store.hold(session, activity_id)
    session.execute(delete(ProposalRequest).where(ProposalRequest.activity_id == activity_id))
    session.add(ProposalRequest(activity_id=activity_id, seed=seed, asked_by_id=by, asked_at=now))
    session.flush()
    key, institution_id = f"{PROPOSE}:{activity_id}", served_institution(session)
    queue.enqueue(
        session, PROPOSE, {"activity_id": activity_id}, institution_id=institution_id, now=now, unique_key=key
    )
    return None


def proposal_request(session: Session, activity_id: int) -> ProposalRequest | None:
    """The proposal that is worked out in the background, or why it failed; None if there is none."""
    return session.scalar(select(ProposalRequest).where(ProposalRequest.activity_id == activity_id))


def end_request(session: Session, activity_id: int, refusal: str) -> None:
    """Record the cause of the error that ended the work in the background."""
    failed = update(ProposalRequest).where(ProposalRequest.activity_id == activity_id)
    session.execute(failed.values(refusal=refusal))


def compare_proposals(session: Session, activity: Activity) -> Comparison | None:
    """The proposal compared with the earlier one, by the rules and wishes of today; None if there is only one."""
    former, plan = (store.find_plan(session, activity.id, state) for state in ("previous", "draft"))
    if former is None or plan is None:
        return None
    course = conditions_of(session, activity).course(plan.shape)
    return compare(course, store.load(session, former).schedule, store.load(session, plan).schedule)


def publish(session: Session, activity_id: int, *, expected_version: int, now: datetime) -> Plan:
    """Show the proposal to learners, and delete the earlier proposal.

    Raises NoPlan, PlanChanged, ChangeImpossible if someone joined or left, and ActivityReadOnly. Groups that break a
    rule are published; the page warns about them.
    """
    activity, plan = _held(session, activity_id, "draft", expected_version)
    if any(flaw.breach is not Breach.PROOF for flaw in current_plan(session, activity, plan, now=now).flaws()):
        raise ChangeImpossible("out of date")
    session.execute(delete(Plan).where(Plan.activity_id == activity_id, Plan.state == "previous"))
    plan.state, plan.published_at = "published", now
    store.touch(session, plan, now)
    activities.completion_changed(session, activity_id, now=now)
    return plan


def take_back(session: Session, activity_id: int, *, expected_version: int, now: datetime) -> Plan:
    """Turn a published plan into a proposal again. Raises NoPlan, PlanChanged, ChangeImpossible, ActivityReadOnly."""
    _, plan = _held(session, activity_id, "published", expected_version)
    if any(session.scalars(select(Group.begun_at).where(Group.plan_id == plan.id).with_for_update())):
        raise ChangeImpossible("plan begun")
    session.execute(delete(Move).where(Move.plan_id == plan.id))
    plan.state, plan.published_at = "draft", None
    store.touch(session, plan, now)
    activities.completion_changed(session, activity_id, now=now)
    return plan


def drop_proposal(session: Session, activity_id: int, *, expected_version: int, now: datetime) -> Plan:
    """Delete the proposal and go back to the earlier one. Raises NoPlan, PlanChanged and ActivityReadOnly."""
    _, plan = _held(session, activity_id, "draft", expected_version)
    former = store.find_plan(session, activity_id, "previous")
    if former is None:
        raise NoPlan(activity_id, "previous")
    version = plan.version
    session.execute(delete(Plan).where(Plan.id == plan.id))
    session.expunge(plan)
    former.state, former.version = "draft", version
    store.touch(session, former, now)
    return former


def _held(session: Session, activity_id: int, state: str | None, expected_version: int | None) -> tuple[Activity, Plan]:
    """The activity, locked, and its plan in this state and version. Raises ActivityReadOnly, NoPlan and PlanChanged."""
    activity = store.hold(session, activity_id)
    activities.refuse_read_only(session, activity)
    plan = store.find_plan(session, activity_id, state)
    if plan is None:
        raise NoPlan(activity_id, state)
    if expected_version is not None and plan.version != expected_version:
        raise PlanChanged(plan.id, plan.version)
    return activity, plan


# ---- changing --------------------------------------------------------------------------------------------------------


def preview(session: Session, activity: Activity, change: Change, *, now: datetime) -> Comparison:
    """What a change would do to the plan as it is now. Nothing is stored. Raises NoPlan and what `outcome` raises."""
    plan = store.find_plan(session, activity.id)
    if plan is None:
        raise NoPlan(activity.id)
    return outcome(current_plan(session, activity, plan, now=now), change).effect


def apply(
    session: Session,
    activity_id: int,
    change: Change,
    *,
    expected_version: int | None,
    by: int | None,
    now: datetime,
    anyway: bool = False,
) -> Comparison:
    """Make a change, with as few other changes as possible. `by` is a person.

    `expected_version` is the version of the plan that someone looked at; if groups stay as they are it does
    not matter. `anyway` lets a swap break a rule. Raises PlanChanged, NoPlan, RuleBroken for a swap that breaks a rule,
    ActivityReadOnly, and what `outcome` raises.
    """
    activity, plan = _held(session, activity_id, None, None if change.do in LEAVES_GROUPS else expected_version)
    store.hold_groups(session, plan)
    made = outcome(current_plan(session, activity, plan, now=now), change)
    if change.do is Do.SWAP and not anyway and made.effect.newly_broken:
        raise RuleBroken(plan.id, made.effect.newly_broken)
    _record(session, activity, change, by=by, now=now)
    makes_room = change.do in {Do.ABSENT, Do.TURNS_UP, Do.LEAVE_OUT, Do.FOLLOW}
    _store(session, plan, made, now, usual=Cause.MADE_ROOM if makes_room else Cause.PLAN_CHANGED)
    return made.effect


def follow_course(session: Session, activity_id: int, *, now: datetime) -> Comparison:
    """Bring the plan up to date with roster and rounds, with as few changes as possible. It can be repeated safely.

    A newcomer is paired with someone who lost a partner; otherwise a pair becomes a trio. Groups that have begun and
    rounds that are over stay; so do groups that break a newer rule, until someone mends the plan.
    """
    activity = store.hold(session, activity_id)
    if store.find_plan(session, activity_id) is None or activities.is_read_only(session, activity):
        return Comparison()
    return apply(session, activity_id, Change(Do.FOLLOW), expected_version=None, by=None, now=now)


def place_at_launch(session: Session, visit: Visit, *, now: datetime) -> None:
    """Place a learner within seconds who launches and has no group although the plan may have room."""
    activity = activities.activity_of(session, visit.placement_id)
    if activity is None or visit.member_id is None or visit.role != CourseRole.LEARNER or visit.is_preview:
        return
    if Alone.COMING in why_alone(session, activity, visit.member_id, now=now).values():
        tell_plans(session, activity.course_id, now=now, institution_id=activity.institution_id)


def begin(session: Session, group_id: int, *, now: datetime) -> None:
    """Record that the group has begun, so that it is not changed any more. `Step.begins_group` says what begins it."""
    session.execute(update(Group).where(Group.id == group_id, Group.begun_at.is_(None)).values(begun_at=now))


def _store(session: Session, plan: Plan, made: Outcome, now: datetime, *, usual: Cause) -> None:
    """Store the groups that differ, and note why members of a published plan have other partners.

    `usual` is the cause for people whose group could have stayed as it was. Progress is worked out anew for everyone
    who moved, and for those in a group that someone left, since less is asked of them.
    """
    if plan.state == "published":
        groups = [set(group) for of_round in made.current.schedule.rounds for group in of_round]
        left_behind = set().union(*(group for group in groups if group & made.current.gone))
        activities.completion_changed(session, plan.activity_id, made.effect.moved | left_behind, now=now)
    if not made.effect.touched and made.after.unpaired == made.current.schedule.unpaired:
        return
    stored = store.load(session, plan)
    store.store_changes(session, plan, stored, made.after)
    store.touch(session, plan, now)
    if plan.state == "published":
        moves = [(stored.rounds[number - 1].id, person, cause) for number, person, cause in _causes(made, usual)]
        store.note_moves(session, plan, moves, now)


def _causes(made: Outcome, usual: Cause) -> list[tuple[int, int, Cause]]:
    """The round, the member and the cause for every member of today who has other partners in a round."""
    current = made.current
    known = current.seated | {missing.person for missing in current.schedule.unpaired}
    before, after = current.schedule_for(current.course), replace(made.after, course=current.course)
    causes = {**CAUSES, engine.Cause.MADE_ROOM: usual}
    return [
        (moved.round, moved.person, causes[moved.cause] if moved.person in known else Cause.JOINED)
        for moved in engine.changes(before, after)
        if moved.cause in causes
    ]


def _record(session: Session, activity: Activity, change: Change, *, by: int | None, now: datetime) -> None:
    """Store what someone decided, apart from the groups. `by` is a person."""
    said: dict[str, Any] = {"said_by_id": by, "said_at": now}
    match change.do:
        case Do.TOGETHER | Do.ALWAYS:
            round_id = store.round_id_of(session, activity, change.round) if change.do is Do.TOGETHER else None
            pin = Pin(activity_id=activity.id, round_id=round_id, **said)
            session.add(pin)
            session.flush()
            session.add_all(PinnedMember(pin_id=pin.id, member_id=person) for person in sorted(set(change.members)))
        case Do.UNPIN:
            session.execute(delete(Pin).where(Pin.id == change.decision_id, Pin.activity_id == activity.id))
        case Do.NEVER | Do.AVOID:
            first, second = couple_of(*change.members)
            couple = {"course_id": activity.course_id, "one_id": first, "other_id": second}
            row = session.scalar(select(Exclusion).filter_by(**couple).with_for_update()) or Exclusion(**couple)
            row.kind, row.said_by_id, row.said_at = APART[change.do], by, now
            session.add(row)
        case Do.MEET_AGAIN:
            couples = delete(Exclusion).where(Exclusion.course_id == activity.course_id)
            session.execute(couples.where(Exclusion.id == change.decision_id))
        case Do.RELAX:
            saved = preferences_of(session, activity)
            wanted = saved.preferences.without(*change.rules)
            save_preferences(session, activity.id, wanted, expected_version=saved.version, by=by, now=now)
        case Do.ABSENT:
            round_id = store.round_id_of(session, activity, change.round)
            session.add(Absence(round_id=round_id, member_id=change.members[0], **said))
        case Do.TURNS_UP:
            round_id = store.round_id_of(session, activity, change.round)
            ended = delete(Absence).where(Absence.round_id == round_id, Absence.member_id.in_(change.members))
            session.execute(ended)
        case Do.LEAVE_OUT:
            roster.name_as_staff(session, activity.course_id, change.members[0], now=now)
    session.flush()

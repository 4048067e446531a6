"""Propose groups, publish them, take them back.

A proposal is read, worked out and kept in three steps, so that nobody waits for a lock while the engine works: `ask`
reads, `propose` knows no database, and `keep` stores what came out if nothing it was made from has changed meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity
from lti_tool.jobs import queue
from lti_tool.pairing import comparing, engine, foreseeing
from lti_tool.pairing.engine import Breach, Course, Kind, Schedule
from lti_tool.pairing.engine.improver import MOST_CHOICES
from lti_tool.pairing.errors import (
    ImproverUnavailable,
    NoPlan,
    NothingBetterFound,
    PlanBegun,
    PlanChanged,
    PlanFlawed,
    PlanImpossible,
    PlanPublished,
    ProposalFlawed,
    TooFewLearners,
)
from lti_tool.pairing.gathering import absences_of, course_for
from lti_tool.pairing.keeping import (
    find_plan,
    have_begun,
    hold,
    hold_to_change,
    plan_in_state,
    refuse_flawed,
    touch,
)
from lti_tool.pairing.models import Drafting, Group, Move, Plan
from lti_tool.pairing.storing import load, store_all
from lti_tool.pairing.wanting import preferences_of
from lti_tool.support.db import served_institution

DRAFT = "pairing.draft"
MOST_INLINE: Final = 36_000
"""Learners times rounds that are planned while somebody waits: two seconds of a processor for 3,000 in 12 rounds."""
EFFORT: Final = "normal"
BETTER_FOUND: Final = "BetterFound"
"""Stands where the name of an error would, when a longer look ended well."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that a proposal is made from."""

    activity_id: int
    course: Course
    round_ids: tuple[int, ...]
    version: int
    """Of the draft that it takes the place of; 0 where there was none."""
    absent: Mapping[int, frozenset[int]]
    """For each round number, who does not turn up in it."""

    @property
    def size(self) -> int:
        """Learners times rounds."""
        return len(self.course.people) * len(self.round_ids)


def ask(session: Session, activity_id: int, *, expected_version: int | None = None) -> Asked:
    """Read what a proposal for the activity is made from. `expected_version` is of the draft that somebody looked at, 0
    for none.

    Raises TooFewLearners, PlanPublished, PlanChanged, and ActivityReadOnly of a closed activity.
    """
    activity = session.get_one(Activity, activity_id)
    activities.refuse_read_only(session, activity)
    # Columns and no rows: a row that this session has read before would be shown as it was then.
    plans = select(Plan.state, Plan.version).where(Plan.activity_id == activity_id, Plan.state != "previous")
    versions = dict(session.execute(plans).all())
    if "published" in versions:
        raise PlanPublished(activity_id)
    version = versions.get("draft", 0)
    if expected_version is not None and expected_version != version:
        raise PlanChanged(activity_id, version)
    rounds = activities.rounds_of(session, activity_id)
    course = course_for(session, activity)
    if len(course.people) < 2 or not rounds:
        raise TooFewLearners(activity_id, len(course.people))
    return Asked(activity_id, course, tuple(one.id for one in rounds), version, absences_of(session, activity_id))


@cache
def is_improver_here() -> bool:
    """Whether OR-tools, which a longer look takes, is installed."""
    return find_spec("ortools") is not None


def can_look_longer(session: Session, activity: Activity, learners: int, rounds: int) -> bool:
    """Whether a longer look can give better groups: for pairs, in a small course, where the improver is installed."""
    is_small = learners * (learners - 1) // 2 * rounds <= MOST_CHOICES
    return is_small and is_improver_here() and preferences_of(session, activity).preferences.shape.kind is Kind.PAIRS


def refuse_contradictions(asked: Asked) -> None:
    """Raise PlanImpossible where pins contradict each other or a rule, without looking for groups."""
    if not asked.course.locks:
        return
    try:
        engine.check_locks(asked.course, len(asked.round_ids))
    except engine.ImpossibleRequest as refusal:
        raise PlanImpossible(asked.activity_id, refusal) from refusal


def propose(asked: Asked, *, seed: int, improve: bool = False) -> Schedule:
    """Work out groups for all rounds and check them. Needs no database.

    Raises PlanImpossible where pins contradict each other or a rule, ProposalFlawed, and ImproverUnavailable.
    """
    try:
        schedule = engine.plan(asked.course, len(asked.round_ids), seed, improve=improve)
        for number, absent in asked.absent.items():
            schedule = engine.step_in(schedule, absent.intersection(asked.course.people), number)
    except engine.ImpossibleRequest as refusal:
        raise PlanImpossible(asked.activity_id, refusal) from refusal
    except engine.ImproverMissing as missing:
        raise ImproverUnavailable(asked.activity_id) from missing
    try:
        refuse_flawed(None, engine.verify(asked.course, schedule))
    except PlanFlawed as flawed:
        raise ProposalFlawed(None, flawed.breaches) from flawed
    return schedule


def draft_as_it_is(session: Session, asked: Asked) -> Schedule | None:
    """The draft that a longer look is to make better; None where there is none."""
    plan = find_plan(session, asked.activity_id, "draft")
    return replace(load(session, plan).schedule, course=asked.course) if plan is not None else None


def look_longer(asked: Asked, draft: Schedule | None, *, seed: int) -> Schedule:
    """The better of a new proposal and of the draft, both improved. Needs no database. Raises what `propose` raises."""
    found = propose(asked, seed=seed, improve=True)
    if draft is None or engine.verify(asked.course, draft):
        return found
    improved = engine.improve(replace(draft, seed=seed, engine=engine.NAME))
    if engine.verify(asked.course, improved) or not comparing.is_better(asked.course, improved, found):
        return found
    return improved


def keep(
    session: Session,
    asked: Asked,
    schedule: Schedule,
    *,
    by: int | None,
    now: datetime,
    only_better: bool = False,
) -> Plan:
    """Make the proposal the activity's draft; the draft before it stays for comparison. `by` is a person.

    Raises what `ask` raises, PlanChanged when anything that the proposal was made from is different by now, and
    NothingBetterFound where it must be `only_better` than the draft and is not.
    """
    hold(session, asked.activity_id)
    if ask(session, asked.activity_id) != asked:
        raise PlanChanged(asked.activity_id)
    former = find_plan(session, asked.activity_id, "draft")
    present = load(session, former).schedule if only_better and former is not None else None
    if present is not None and not comparing.is_better(asked.course, schedule, present):
        raise NothingBetterFound(asked.activity_id)
    session.execute(delete(Drafting).where(Drafting.activity_id == asked.activity_id))
    if former is not None:
        session.execute(delete(Plan).where(Plan.activity_id == asked.activity_id, Plan.state == "previous"))
        former.state = "previous"
        touch(session, former, now)
    plan = Plan(
        activity_id=asked.activity_id,
        state="draft",
        seed=schedule.seed,
        kind=asked.course.shape.kind,
        size=asked.course.shape.size,
        engine=schedule.engine or engine.NAME,
        effort=EFFORT,
        created_by_id=by,
        created_at=now,
        changed_at=now,
        version=former.version + 1 if former is not None else 1,
    )
    session.add(plan)
    session.flush()
    store_all(session, plan, asked.round_ids, schedule)
    if only_better:
        ended = {"asked_at": now, "refusal": BETTER_FOUND}
        session.add(Drafting(activity_id=asked.activity_id, seed=plan.seed, improve=True, asked_by_id=by, **ended))
    session.flush()
    return plan


def draft_plan(
    session: Session,
    activity_id: int,
    *,
    seed: int,
    by: int | None,
    now: datetime,
    expected_version: int | None = None,
    improve: bool = False,
) -> Plan:
    """Propose groups for all rounds in this transaction. `by` is a person. Raises what the three steps raise."""
    asked = ask(session, activity_id, expected_version=expected_version)
    schedule = propose(asked, seed=seed, improve=improve)
    return keep(session, asked, schedule, by=by, now=now)


def request_draft(
    session: Session,
    activity_id: int,
    *,
    seed: int,
    by: int | None,
    now: datetime,
    expected_version: int | None = None,
    improve: bool = False,
) -> Plan | None:
    """As `draft_plan`; but a large course, and what is to be improved, is planned in the background.

    Then the answer is None, and `drafting_of` tells how it goes. Pins that contradict each other or a rule are refused
    at once. Also raises ImproverUnavailable.
    """
    if improve and not is_improver_here():
        raise ImproverUnavailable(activity_id)
    asked = ask(session, activity_id, expected_version=expected_version)
    if asked.size <= MOST_INLINE and not improve:
        return draft_plan(
            session,
            activity_id,
            seed=seed,
            by=by,
            now=now,
            expected_version=expected_version,
        )
    refuse_contradictions(asked)
    hold(session, activity_id)
    session.execute(delete(Drafting).where(Drafting.activity_id == activity_id))
    session.add(Drafting(activity_id=activity_id, seed=seed, improve=improve, asked_by_id=by, asked_at=now))
    session.flush()
    queue.enqueue(
        session,
        DRAFT,
        {"activity_id": activity_id},
        institution_id=served_institution(session),
        now=now,
        unique_key=f"{DRAFT}:{activity_id}",
    )
    return None


def drafting_of(session: Session, activity_id: int) -> Drafting | None:
    """The proposal that is being worked out in the background, or why it came to nothing; None when there is none."""
    return session.scalar(select(Drafting).where(Drafting.activity_id == activity_id))


def found_better(session: Session, plan: Plan) -> bool:
    """Whether a longer look found these groups, and nothing of them was changed since."""
    drafting = drafting_of(session, plan.activity_id)
    return drafting is not None and drafting.refusal == BETTER_FOUND and drafting.asked_at == plan.changed_at


def end_drafting(session: Session, activity_id: int, refusal: str | None = None) -> None:
    """Record that the work in the background is over: well, or with the name of the error that ended it."""
    drafting = drafting_of(session, activity_id)
    if drafting is None:
        return
    if refusal is None:
        session.delete(drafting)
    else:
        drafting.refusal = refusal
    session.flush()


def publish(session: Session, activity_id: int, *, expected_version: int, now: datetime) -> Plan:
    """Show the draft to learners; the draft before it is not kept any longer.

    Raises NoPlan, PlanChanged, PlanFlawed (somebody came or left), ActivityReadOnly. Groups that break a rule are
    published: the page warns of them.
    """
    activity = hold(session, activity_id)
    plan = plan_in_state(session, activity_id, "draft", expected_version)
    activities.refuse_read_only(session, activity)
    # Somebody may have come or left since the page was read; then the plan is brought up to date and looked at again.
    found = foreseeing.flaws(foreseeing.look(session, activity, plan, now=now))
    refuse_flawed(plan.id, [one for one in found if one.breach is not Breach.PROOF])
    session.execute(delete(Plan).where(Plan.activity_id == activity_id, Plan.state == "previous"))
    plan.state, plan.published_at = "published", now
    touch(session, plan, now)
    activities.completion_changed(session, activity_id, now=now)
    return plan


def undo_publish(session: Session, activity_id: int, *, expected_version: int, now: datetime) -> Plan:
    """Take a published plan back into a draft.

    Raises NoPlan, PlanChanged, PlanBegun once somebody wrote, and ActivityReadOnly.
    """
    hold_to_change(session, activity_id)
    plan = plan_in_state(session, activity_id, "published", expected_version)
    if have_begun(session, Group.plan_id == plan.id):
        raise PlanBegun(plan.id)
    session.execute(delete(Move).where(Move.plan_id == plan.id))
    plan.state, plan.published_at = "draft", None
    touch(session, plan, now)
    activities.completion_changed(session, activity_id, now=now)
    return plan


def drop_draft(session: Session, activity_id: int, *, expected_version: int, now: datetime) -> Plan:
    """Go back to the draft before the present one, which is not kept. Raises NoPlan, PlanChanged, ActivityReadOnly."""
    hold_to_change(session, activity_id)
    plan = plan_in_state(session, activity_id, "draft", expected_version)
    former = find_plan(session, activity_id, "previous")
    if former is None:
        raise NoPlan(activity_id, "previous")
    version = plan.version
    session.execute(delete(Plan).where(Plan.id == plan.id))
    session.expunge(plan)
    former.state, former.version = "draft", version
    touch(session, former, now)
    return former

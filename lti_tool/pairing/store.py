"""SQL, and nothing that decides: plans with their groups and seats, and what staff decided about people.

Plans are locked, read for the engine and for pages, and written.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, groupby
from operator import itemgetter

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, true
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import Seating
from lti_tool.launch.models import Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Kind, Lock, Placed, Proof, Reason, Schedule, Unpaired
from lti_tool.pairing.engine import Group as People
from lti_tool.pairing.models import (
    Absence,
    Exclusion,
    Group,
    Move,
    PairingPreferences,
    Pin,
    PinnedMember,
    Plan,
    Seat,
    is_facilitated,
    published,
    published_seats,
)
from lti_tool.pairing.rules.current import NO_HISTORY
from lti_tool.pairing.rules.views import Cause, GroupView
from lti_tool.support.db import in_batches


def find_plan(session: Session, activity_id: int, state: str | None = None) -> Plan | None:
    """The activity's plan in this state as it is now; without a state the published plan, or else the proposal."""
    statement = select(Plan).where(Plan.activity_id == activity_id).order_by(Plan.state.desc()).limit(1)
    states = ("draft", "published") if state is None else (state,)
    # Someone may have changed it while this session waited for the lock, so it is read again.
    return session.scalar(statement.where(Plan.state.in_(states)).execution_options(populate_existing=True))


def planned_activities(session: Session, course_id: int) -> list[int]:
    """Activities of the course that have a plan."""
    planned = select(Plan.activity_id).join(Activity, Activity.id == Plan.activity_id)
    return list(session.scalars(planned.where(Activity.course_id == course_id).distinct().order_by(Plan.activity_id)))


def with_published_plan(session: Session, activity_ids: Collection[int]) -> frozenset[int]:
    """Those of these activities whose plan is published."""
    statement = select(Plan.activity_id).where(Plan.activity_id.in_(activity_ids), Plan.state == "published")
    return frozenset(session.scalars(statement))


def hold(session: Session, activity_id: int) -> Activity:
    """The activity, locked so that two people do not propose, publish or change its plan at the same moment."""
    return session.get_one(Activity, activity_id, with_for_update={"key_share": True})


def hold_groups(session: Session, plan: Plan) -> None:
    """Lock the groups of a plan, so that none begins while they are changed."""
    session.execute(select(Group.id).where(Group.plan_id == plan.id).with_for_update())


def hold_group(session: Session, group_id: int) -> None:
    """Lock one group, so that its members stay the same until the transaction ends."""
    session.execute(select(Group.id).where(Group.id == group_id).with_for_update())


def touch(session: Session, plan: Plan, now: datetime) -> None:
    """Raise the plan's version, also if only its groups changed."""
    plan.changed_at = now
    plan.version += 1
    session.flush()


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored plan for the engine, and its rows."""

    schedule: Schedule
    rounds: tuple[Round, ...]
    groups: dict[Placed, int]
    """Ids of rows by round number and members in order of turn."""
    fixed: frozenset[Placed]
    """Groups that have begun."""

    def last_over(self, now: datetime) -> int:
        """The number of the last round that is over; 0 if none is."""
        over = [number for number, round_ in enumerate(self.rounds, start=1) if round_.due_at and round_.due_at <= now]
        return max(over, default=0)


def load(session: Session, plan: Plan) -> Stored:
    """Read a plan for the engine."""
    rounds = session.scalars(select(Round).where(Round.activity_id == plan.activity_id).order_by(Round.number)).all()
    numbers = {round_.id: number for number, round_ in enumerate(rounds, start=1)}
    members: dict[tuple[int, int], list[int]] = defaultdict(list)
    begun: set[int] = set()
    for round_id, group_id, member_id, begun_at in session.execute(
        select(Seat.round_id, Seat.group_id, Seat.member_id, Group.begun_at)
        .join(Group, Group.id == Seat.group_id)
        .where(Seat.plan_id == plan.id)
        .order_by(Group.number, Seat.turn)
    ):
        members[numbers[round_id], group_id].append(member_id)
        if begun_at is not None:
            begun.add(group_id)
    groups: list[list[People]] = [[] for _ in rounds]
    ids: dict[Placed, int] = {}
    for (number, group_id), people in members.items():
        groups[number - 1].append(tuple(people))
        ids[number, tuple(people)] = group_id
    schedule = Schedule(
        tuple(tuple(of_round) for of_round in groups),
        tuple(Unpaired(person, number, Reason(why)) for number, person, why in plan.unpaired if number <= len(rounds)),
        seed=plan.seed,
        engine=plan.engine,
        proofs=tuple(Proof(number, tuple(barrier)) for number, barrier in plan.proofs if number <= len(rounds)),
    )
    fixed = frozenset(placed for placed, group_id in ids.items() if group_id in begun)
    return Stored(schedule, tuple(rounds), ids, fixed)


def store_changes(session: Session, plan: Plan, stored: Stored, after: Schedule) -> None:
    """Write the groups that differ from what is stored, and who is unpaired."""
    for number, (old, new) in enumerate(zip(stored.schedule.rounds, after.rounds, strict=True), start=1):
        if set(old) != set(new):
            _store_round(session, plan, stored, number, new)
    plan.unpaired = [[missing.round, missing.person, missing.reason.value] for missing in after.unpaired]
    plan.proofs = [[proof.round, list(proof.barrier)] for proof in after.proofs]


def _store_round(session: Session, plan: Plan, stored: Stored, number: int, groups: tuple[People, ...]) -> None:
    """A row goes on as the group that keeps most of its members."""
    before = stored.schedule.rounds[number - 1]
    kept = set(before) & set(groups)
    free = {group: stored.groups[number, group] for group in before if group not in kept}
    row = {"institution_id": plan.institution_id, "plan_id": plan.id, "round_id": stored.rounds[number - 1].id}
    if free:
        session.execute(delete(Seat).where(Seat.group_id.in_(free.values())))
    seated: list[tuple[int, People]] = []
    without_row: list[People] = []
    for group in groups:
        if group in kept:
            continue
        heir = max(free, key=lambda earlier: len({*group} & {*earlier}), default=None)
        if heir is None:
            without_row.append(group)
        else:
            seated.append((free.pop(heir), group))
    if free:
        session.execute(delete(Group).where(Group.id.in_(free.values())))
    if without_row:
        taken = select(func.max(Group.number)).where(Group.plan_id == plan.id, Group.round_id == row["round_id"])
        first = (session.scalar(taken) or 0) + 1
        rows = [{**row, "number": number} for number in range(first, first + len(without_row))]
        ids = session.scalars(insert(Group).returning(Group.id, sort_by_parameter_order=True), rows)
        seated += zip(ids, without_row, strict=True)
    seats = [
        {**row, "group_id": group_id, "member_id": member_id, "turn": turn}
        for group_id, group in seated
        for turn, member_id in enumerate(group, start=1)
    ]
    if seats:
        session.execute(insert(Seat), seats)


def note_moves(session: Session, plan: Plan, moves: Collection[tuple[int, int, Cause]], now: datetime) -> None:
    """Store why members have other partners: (round id, member, cause). The newest cause for a round counts."""
    for round_id, moved in groupby(sorted(moves), itemgetter(0)):
        outdated = delete(Move).where(Move.plan_id == plan.id, Move.round_id == round_id)
        for batch in in_batches(member_id for _, member_id, _ in moved):
            session.execute(outdated.where(Move.member_id.in_(batch)))
    row = {"institution_id": plan.institution_id, "plan_id": plan.id, "at": now}
    rows = [
        {**row, "round_id": round_id, "member_id": member_id, "cause": cause.value}
        for round_id, member_id, cause in sorted(moves)
    ]
    if rows:
        session.execute(insert(Move), rows)


def moves_of(session: Session, member_id: int, activity_id: int) -> dict[int, Cause]:
    """Why a member got other partners since the plan was published, by the numbers of the rounds."""
    rows = session.execute(
        select(Round.number, Move.cause)
        .join(Plan, Plan.id == Move.plan_id)
        .join(Round, Round.id == Move.round_id)
        .where(Move.member_id == member_id, Plan.activity_id == activity_id, Plan.state == "published")
        .order_by(Round.number)
    )
    return {number: Cause(cause) for number, cause in rows}


def published_groups(
    session: Session, activity_id: int, *, member_id: int | None = None, group_id: int | None = None
) -> list[GroupView]:
    """The groups of an activity's published plan, those of one member, or one group, by round and number."""
    wanted = [Plan.activity_id == activity_id, Plan.state == "published"]
    if member_id is not None:
        wanted.append(Group.id.in_(select(Seat.group_id).where(Seat.member_id == member_id)))
    if group_id is not None:
        wanted.append(Group.id == group_id)
    return _groups(session, *wanted)


def groups_in_plan(session: Session, plan: Plan, round_number: int | None = None) -> list[GroupView]:
    """The groups of a plan or of one of its rounds, by round and number."""
    return _groups(session, Plan.id == plan.id, true() if round_number is None else Round.number == round_number)


def _groups(session: Session, *wanted: ColumnElement[bool]) -> list[GroupView]:
    of_group = (Group.id, Group.number, Round.id, Round.number, Round.due_at, Group.begun_at)
    rows = session.execute(
        select(*of_group, Plan.kind, is_facilitated(), Seat.member_id, Member.status, Member.takes_part)
        .join_from(Group, Plan, Plan.id == Group.plan_id)
        .join(Round, Round.id == Group.round_id)
        .join(Seat, Seat.group_id == Group.id)
        .join(Member, Member.id == Seat.member_id)
        .where(*wanted)
        .order_by(Round.number, Group.number, Seat.turn)
    )
    views = []
    for group, seats in groupby(rows, key=lambda row: tuple(row[:-3])):
        group_id, number, round_id, round_number, due_at, begun_at, kind, is_led = group
        members, statuses, taking_part = zip(*(row[-3:] for row in seats), strict=True)
        left = frozenset(member for member, status in zip(members, statuses, strict=True) if status != "active")
        away = frozenset(turn for turn, takes_part in enumerate(taking_part, start=1) if not takes_part)
        seating = Seating(len(members), round_number, away, kind == Kind.RINGS, is_led)
        views.append(GroupView(group_id, number, round_id, round_number, due_at, begun_at, members, left, seating))
    return views


def have_met(session: Session, activity: Activity, group: GroupView, member_id: int, partners: Collection[int]) -> bool:
    """Whether the member shares an earlier group of the activity, or a group of another activity, with any of these.

    Other activities always count, even if they do not in pairing, because what a page says about the past must be true.
    """
    partner = aliased(Seat)
    shared = session.scalar(
        published_seats(func.count())
        .join(partner, and_(partner.group_id == Seat.group_id, partner.member_id != Seat.member_id))
        .join(Activity, Activity.id == Plan.activity_id)
        .where(
            or_(Plan.activity_id != activity.id, Round.number < group.round_number),
            Activity.course_id == activity.course_id,
            Seat.member_id == member_id,
            partner.member_id.in_(partners),
        )
    )
    return bool(shared)


def share_group(session: Session, group_id: int, member_id: int, partner_id: int) -> bool:
    """Whether these two members are in this group now."""
    return {member_id, partner_id} <= set(session.scalars(select(Seat.member_id).where(Seat.group_id == group_id)))


def names_of(session: Session, members: Collection[int]) -> dict[int, str | None]:
    """Names by member id for staff, with a mark on names that several share; None if the platform gave none."""
    named = select(Member.id, Member.course_id, Person.name).join(Person, Person.id == Member.person_id)
    rows = [row for batch in in_batches(members) for row in session.execute(named.where(Member.id.in_(batch)))]
    return told_apart(session, rows[0].course_id, {row.id: row.name for row in rows}) if rows else {}


def round_id_of(session: Session, activity: Activity, round_number: int) -> int | None:
    return session.scalar(select(Round.id).where(Round.activity_id == activity.id, Round.number == round_number))


def history_of(session: Session, activity: Activity) -> Course:
    """Who met, who began and who was left out last, in published plans of other activities of the course."""
    plans = session.scalars(
        select(Plan)
        .join(Activity, Activity.id == Plan.activity_id)
        .where(Activity.course_id == activity.course_id, Activity.id != activity.id, Plan.state == "published")
        .order_by(Plan.published_at, Plan.id)
    ).all()
    if not plans:
        return NO_HISTORY
    seats = session.execute(
        select(Seat.plan_id, Seat.group_id, Seat.member_id)
        .where(Seat.plan_id.in_([plan.id for plan in plans]))
        .order_by(Seat.plan_id, Seat.round_id, Seat.group_id, Seat.turn)
    ).all()
    groups: list[People] = []
    in_trios: Counter[int] = Counter()
    for _, of_plan in groupby(seats, itemgetter(0)):
        planned = [tuple(row.member_id for row in group) for _, group in groupby(of_plan, itemgetter(1))]
        groups += planned
        # A trio in a plan of pairs is an exception that everyone should have equally often.
        if any(len(people) == 2 for people in planned):
            in_trios.update(person for people in planned if len(people) == 3 for person in people)
    ended = plans[-1]
    last = session.scalar(published(func.max(Round.number)).where(Plan.id == ended.id))
    return Course(
        (),
        met=tuple(couple for people in groups for couple in combinations(sorted(people), 2)),
        ahead=engine.balance([groups]),
        in_trios=in_trios,
        left_out=frozenset(
            member_id for number, member_id, why in ended.unpaired if number == last and why != Reason.ABSENT
        ),
    )


# ---- what staff decided ----------------------------------------------------------------------------------------------


def saved_preferences(session: Session, activity_id: int) -> PairingPreferences | None:
    """The saved row as it is now, also if this session has read it before."""
    saved = select(PairingPreferences).where(PairingPreferences.activity_id == activity_id)
    return session.scalar(saved.execution_options(populate_existing=True))


def pins_of(session: Session, activity_id: int) -> dict[int, Lock]:
    """The pins of an activity by id, oldest first. People who left are among their members, and have no effect."""
    rows = session.execute(
        select(Pin.id, Round.number, PinnedMember.member_id)
        .outerjoin(Round, Round.id == Pin.round_id)
        .join(PinnedMember, PinnedMember.pin_id == Pin.id)
        .where(Pin.activity_id == activity_id)
        .order_by(Pin.id, PinnedMember.member_id)
    )
    return {
        pin_id: Lock(tuple(row.member_id for row in pinned), number)
        for (pin_id, number), pinned in groupby(rows, key=lambda row: row[:2])
    }


def apart_of(session: Session, course_id: int) -> Sequence[Exclusion]:
    """Who is kept apart in a course, oldest first."""
    rows = select(Exclusion).where(Exclusion.course_id == course_id).order_by(Exclusion.id)
    # Rows that this session has read before are read again, because a proposal is compared with rows of now.
    return session.scalars(rows.execution_options(populate_existing=True)).all()


def absences_of(session: Session, activity_id: int) -> frozenset[tuple[int, int]]:
    """Round and member, for everyone who is absent in a round."""
    absent = select(Round.number, Absence.member_id).join(Round, Round.id == Absence.round_id)
    rows = session.execute(absent.where(Round.activity_id == activity_id))
    return frozenset((number, member_id) for number, member_id in rows)


def said_of(session: Session, members: Collection[int]) -> list[dict[str, str]]:
    """What staff decided about these members, as plain values for the person, without naming anyone else."""
    pinned = select(Pin.said_at).join(PinnedMember, PinnedMember.pin_id == Pin.id)
    apart = select(Exclusion.kind, Exclusion.said_at)
    absent = select(Absence.said_at).where(Absence.member_id.in_(members))
    said = [("pinned", at) for at in session.scalars(pinned.where(PinnedMember.member_id.in_(members)))]
    said += session.execute(apart.where(or_(Exclusion.one_id.in_(members), Exclusion.other_id.in_(members)))).all()
    said += [("absent", at) for at in session.scalars(absent)]
    return [{"said": what, "at": at.isoformat(timespec="seconds")} for what, at in sorted(said, key=lambda row: row[1])]


def forget(session: Session, members: Collection[int]) -> None:
    """Delete what staff decided about these members and why they were moved, to erase a person."""
    session.execute(delete(Exclusion).where(or_(Exclusion.one_id.in_(members), Exclusion.other_id.in_(members))))
    pins = select(PinnedMember.pin_id).where(PinnedMember.member_id.in_(members))
    session.execute(delete(Pin).where(Pin.id.in_(pins)))
    session.execute(delete(Absence).where(Absence.member_id.in_(members)))
    session.execute(delete(Move).where(Move.member_id.in_(members)))

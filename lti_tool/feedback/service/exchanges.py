"""Everything between a member and their partners, round by round."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Allowance, Round
from lti_tool.activities.rules import Completion, Kind, Step, kind_for
from lti_tool.feedback import rules
from lti_tool.feedback.models import Entry
from lti_tool.feedback.service.release import anonymous_order, is_readable
from lti_tool.feedback.service.tasks import are_anonymous
from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.pairing import service as pairing
from lti_tool.pairing.rules.views import GroupView
from lti_tool.rubrics import service as rubrics
from lti_tool.rubrics.models import Rubric
from lti_tool.rubrics.rules import Asked, Beside, Reply, beside


@dataclass(frozen=True, slots=True)
class Exchange:
    """Both directions between a member and one partner in one round; without a partner what goes to nobody, or is
    written together. What was given without a name has an exchange of its own, with the answer to it.
    """

    round: Round
    partner_id: int | None
    """The alias of feedback without a name in place of its author."""
    partner_name: str | None
    due_at: datetime | None
    """The member's own due time."""
    is_excused: bool
    is_current: bool
    """False when the groups have changed since and only what was written is left."""
    seat: str = ""
    """The key of the member's seat in the group."""
    turn: int = 0
    """The member's place in the group: 1 begins. 0 where they share no group any more."""
    partner_turn: int = 0
    i_owe: frozenset[str] = frozenset()
    """Keys of the steps that the member owes the partner."""
    owed_to_me: frozenset[str] = frozenset()
    """Keys of the steps that the partner owes the member."""
    has_left: bool = False
    """Whether the partner takes part in the course no longer."""
    mine: Mapping[str, Entry] = field(default_factory=dict)
    """By step, drafts included."""
    theirs: Mapping[str, Entry] = field(default_factory=dict)
    """By step, what the partner gave, readable yet or not."""
    readable: frozenset[int] = frozenset()
    """Entries whose receiver can read them now."""
    unnamed: int = 0
    """Of feedback without a name, its place among such in the round, counted from 1."""

    def given(self, step: Step) -> Entry | None:
        """What the member gave in this step."""
        entry = self.mine.get(step.key)
        return entry if entry is not None and entry.submitted_at is not None else None

    def to_read(self, step: Step | None) -> Entry | None:
        """What the partner gave in this step and the member can read."""
        entry = self.theirs.get(step.key) if step is not None else None
        return entry if entry is not None and entry.id in self.readable else None

    def received(self) -> list[Entry]:
        """Everything from the partner that the member can read."""
        return [entry for entry in self.theirs.values() if entry.id in self.readable]


def exchanges_of(
    session: Session,
    activity: Activity,
    member_id: int,
    *,
    now: datetime,
    groups: Sequence[GroupView] | None = None,
) -> list[Exchange]:
    """The member's rounds and partners with what was written both ways, in the order of rounds; five queries.

    `groups`: the member's published groups, where the caller has read them.
    """
    kind = kind_for(activity)
    completion = Completion.from_json(activity.completion, kind).with_every_task(kind)
    not_offered = {step.key for step in kind.steps if not completion.offers(step)}
    has_own_steps = any(not step.is_to_partners and completion.of(step) for step in kind.steps)
    if groups is None:
        groups = pairing.published_groups(session, activity.id, member_id=member_id)
    seated: dict[tuple[int, int | None], tuple[str, int, int, frozenset[str], frozenset[str]]] = {}
    for group in groups:
        seat, turn = group.seat_of(kind, member_id), group.turn_of(member_id)
        for partner_id in group.partners_of(member_id):
            mine_owed, theirs_owed = _named_only(activity, group, kind, member_id, partner_id)
            owed = (mine_owed - not_offered, theirs_owed - not_offered)
            seated[group.round_id, partner_id] = (seat, turn, group.turn_of(partner_id), *owed)
        if has_own_steps:
            seated[group.round_id, None] = (seat, turn, 0, frozenset(), frozenset())
    own_groups = [group.id for group in groups]
    entries = session.scalars(
        select(Entry).where(
            Entry.activity_id == activity.id,
            or_(
                Entry.author_id == member_id,
                Entry.recipient_id == member_id,
                and_(Entry.author_id.is_(None), Entry.group_id.in_(own_groups)),
            ),
        )
    ).all()
    mine, theirs, aliases = _by_line(entries, kind, member_id)
    rounds = {
        round_.id: (round_, allowance)
        for round_, allowance in session.execute(
            select(Round, Allowance)
            .select_from(Round)
            .outerjoin(Allowance, and_(Allowance.round_id == Round.id, Allowance.member_id == member_id))
            .where(Round.activity_id == activity.id)
        )
    }
    lines = [line for line in seated.keys() | mine.keys() | theirs.keys() if line[1] not in aliases.get(line[0], ())]
    people = _people(session, activity.course_id, {partner_id for _, partner_id in lines if partner_id is not None})
    ended_at = session.get_one(Course, activity.course_id).ended_at

    def released(entries: Mapping[str, Entry], back: Mapping[str, Entry], round_: Round) -> set[int]:
        readable_ids = set()
        for key, entry in entries.items():
            back_at = back[key].submitted_at if key in back else None
            if is_readable(entry, back_at, round_, activity, ended_at, now=now):
                readable_ids.add(entry.id)
        return readable_ids

    exchanges = []
    # What goes to no one comes first: it is what a group begins a round with.
    for place in sorted(lines, key=lambda line: (rounds[line[0]][0].number, line not in seated, line[1] or 0)):
        round_, allowance = rounds[place[0]]
        name, status = people[place[1]] if place[1] is not None else (None, "active")
        own, came = mine.get(place, {}), theirs.get(place, {})
        exchanges.append(
            Exchange(
                round_,
                place[1],
                name,
                (allowance.due_at if allowance is not None else None) or round_.due_at,
                allowance is not None and allowance.is_excused,
                place in seated,
                *seated.get(place, ("", 0, 0, frozenset(), frozenset())),
                has_left=status != "active",
                mine=own,
                theirs=came,
                readable=frozenset(released(own, came, round_) | released(came, own, round_)),
            )
        )
    for round_id, of_round in aliases.items():
        round_, _ = rounds[round_id]
        for number, alias in enumerate(of_round, start=1):
            own, came = mine.get((round_id, alias), {}), theirs.get((round_id, alias), {})
            readable = frozenset(released(own, came, round_) | released(came, own, round_))
            exchange = Exchange(round_, alias, None, round_.due_at, False, False, mine=own, theirs=came)
            exchanges.append(replace(exchange, readable=readable, unnamed=number))
    return sorted(exchanges, key=lambda one: one.round.number)


Lines: TypeAlias = dict[tuple[int, int | None], dict[str, Entry]]
"""By round and partner, or alias, what was written in each step."""


def _by_line(entries: Iterable[Entry], kind: Kind, member_id: int) -> tuple[Lines, Lines, dict[int, list[int | None]]]:
    """What the member wrote, what was written to them, and the aliases of what came without a name, by round."""
    mine: Lines = {}
    theirs: Lines = {}
    entries = list(entries)
    came = [one for one in entries if one.alias is not None and one.recipient_id == member_id]
    alias_of = {(one.round_id, one.author_id, one.step): one.alias for one in came}
    answered = {step.key: step.after for step in kind.steps if step.is_answer}
    for entry in entries:
        if entry.author_id in {member_id, None}:
            alias = alias_of.get((entry.round_id, entry.recipient_id, answered.get(entry.step, "")))
            mine.setdefault((entry.round_id, alias or entry.recipient_id), {})[entry.step] = entry
        elif entry.alias is not None:
            # Before it is released, nothing says that it is there.
            if entry.released_at is not None:
                theirs[entry.round_id, entry.alias] = {entry.step: entry}
        elif entry.submitted_at is not None:
            # A draft of a former partner stays theirs alone; it makes no line on anybody else's page.
            theirs.setdefault((entry.round_id, entry.author_id), {})[entry.step] = entry
    aliases: dict[int, list[int | None]] = {}
    for entry in sorted((one for one in came if one.released_at is not None), key=anonymous_order):
        aliases.setdefault(entry.round_id, []).append(entry.alias)
    return mine, theirs, aliases


def _named_only(
    activity: Activity, group: GroupView, kind: Kind, member_id: int, partner_id: int
) -> tuple[frozenset[str], frozenset[str]]:
    """What the member owes the partner, and what the partner owes them with their name on it."""
    mine, theirs = group.owed(kind, member_id, partner_id), group.owed(kind, partner_id, member_id)
    if not activity.anonymous_feedback:
        return mine, theirs
    steps = {step.key: step for step in kind.steps}
    hidden = {key for key in theirs if are_anonymous(activity, group, kind, steps[key], member_id)}
    return frozenset(key for key in mine if steps[key].after not in hidden), theirs - hidden


@dataclass(frozen=True, slots=True)
class Pool:
    """Feedback to a member in one round that comes without names and is not shown yet."""

    round: Round
    given: int
    asked: int
    """How many people are to give it in all."""
    is_over: bool
    """Whether it is shown only if more people give, or say that they may be named."""


def pools_of(session: Session, activity: Activity, member_id: int, *, now: datetime) -> list[Pool]:
    """What waits for a member without names, by round; empty where feedback is named."""
    if not activity.anonymous_feedback:
        return []
    kind = kind_for(activity)
    asked: dict[int, int] = {}
    for group in pairing.published_groups(session, activity.id, member_id=member_id):
        for step in kind.steps:
            if are_anonymous(activity, group, kind, step, member_id):
                asked[group.round_id] = len(group.givers_to(kind, member_id, step.key))
    rows = session.execute(
        select(Entry.round_id, Entry.released_at.is_not(None).label("is_shown"), func.count().label("entries"))
        .where(Entry.activity_id == activity.id, Entry.recipient_id == member_id, Entry.alias.is_not(None))
        .where(Entry.submitted_at.is_not(None))
        .group_by(Entry.round_id, Entry.released_at.is_not(None))
    ).all()
    waits = {row.round_id: row.entries for row in rows if not row.is_shown}
    shown = {row.round_id for row in rows if row.is_shown}
    closed_at = activity.closed_at or session.get_one(Course, activity.course_id).ended_at
    pools = []
    for round_ in session.scalars(select(Round).where(Round.activity_id == activity.id).order_by(Round.number)):
        given, is_over = waits.get(round_.id, 0), rules.is_over(round_.due_at, closed_at, now=now)
        if given or (round_.id in asked and not is_over and round_.id not in shown):
            pools.append(Pool(round_, given, max(asked.get(round_.id, 0), given), is_over))
    return pools


@dataclass(frozen=True, slots=True)
class SideBySide:
    """How a member sees themselves in a round, and how partners see them."""

    names: tuple[str | None, ...]
    """Of the partners, in the order in which their answers stand behind the member's own."""
    rows: list[Beside]


def rounds_for_own_view(session: Session, activity: Activity, member_id: int) -> set[int]:
    """The rounds, by id, in which the member is asked to assess themselves, can do so, and has not done so."""
    kind = kind_for(activity)
    step = kind.self_assessment
    if step is None or not Completion.from_json(activity.completion, kind).of(step):
        return set()
    is_over = session.get_one(Course, activity.course_id).ended_at is not None
    if not rules.may_write(state=activity.state, is_course_over=is_over):
        return set()
    done = select(Entry.round_id).where(
        Entry.activity_id == activity.id,
        Entry.author_id == member_id,
        Entry.step == step.key,
        Entry.submitted_at.is_not(None),
    )
    groups = pairing.published_groups(session, activity.id, member_id=member_id)
    return {group.round_id for group in groups} - set(session.scalars(done))


def waits_for_own_view(entry: Entry, rounds: Collection[int]) -> bool:
    """Whether its receiver is asked to assess themselves first; `rounds` as above. What was read once stays open.

    It is an order and no lock: the page that asks for it leads on as well.
    """
    return entry.round_id in rounds and entry.read_at is None and entry.rubric_id is not None


def side_by_side(session: Session, activity: Activity, exchanges: Iterable[Exchange], number: int) -> SideBySide | None:
    """The member's self-assessment beside what they can read of partners; None where either is missing."""
    kind = kind_for(activity)
    here = [one for one in exchanges if one.round.number == number]
    step = kind.self_assessment
    own = next((entry for one in here if step is not None and (entry := one.given(step)) is not None), None)
    received = [
        (one.partner_name, [entry for entry in one.received() if entry.rubric_id is not None])
        for one in here
        if not one.unnamed
    ]
    theirs = [(name, entries) for name, entries in received if entries]
    if own is None or not theirs:
        return None
    views = [_view(session, activity, entries) for entries in ([own], *(entries for _, entries in theirs))]
    return SideBySide(tuple(name for name, _ in theirs), beside(views))


def _view(session: Session, activity: Activity, entries: Iterable[Entry]) -> tuple[list[Asked], dict[str, str]]:
    """What somebody was asked in these entries, and everything that they answered."""
    questions: dict[int, Asked] = {}
    fields: dict[str, str] = {}
    for entry in entries:
        rubric = rubrics.rubric_of(session, entry.rubric_id or activity.rubric_id)
        questions |= {asked.id: asked for asked in rubrics.questions_of(rubric)}
        fields |= entry.fields
    return list(questions.values()), fields


def _people(session: Session, course_id: int, member_ids: set[int]) -> dict[int, tuple[str | None, str]]:
    """Name, as other learners see it, and status by member."""
    rows = session.execute(
        select(Member.id, Person.name, Member.status)
        .join(Person, Person.id == Member.person_id)
        .where(Member.id.in_(member_ids))
    ).all()
    names = told_apart(session, course_id, {row.id: row.name for row in rows}, for_staff=False)
    return {row.id: (names[row.id], row.status) for row in rows}


def typical_replies(rubric: Rubric, received: Collection[tuple[int, Entry]]) -> list[tuple[Asked, Reply]]:
    """For each criterion with levels or a scale the answer in the middle of what partners chose, without comments; none
    where fewer than three people did. `received` is what the reader may see, with its author.
    """
    typical = []
    for asked in rubrics.questions_of(rubric):
        chosen = [
            (author_id, reply)
            for author_id, entry in received
            if (reply := asked.reply({asked.key: entry.fields.get(asked.key, "")})).step is not None
        ]
        by_step = {reply.step: reply for _, reply in chosen if reply.step is not None}
        middle = rules.typical_level((author_id, reply.step) for author_id, reply in chosen if reply.step is not None)
        if middle is not None:
            typical.append((asked, by_step[middle]))
    return typical

"""What is done and what is missing, for one member or for all, and what staff allow."""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Allowance, Round
from lti_tool.activities.rules import FEWEST_WITHOUT_NAMES, ActivityState, Completion, CountedBy, Kind, kind_for, owed
from lti_tool.activities.service import completion_changed
from lti_tool.craft import service as craft
from lti_tool.feedback import service as feedback
from lti_tool.feedback.models import Entry, Note
from lti_tool.feedback.rules import Moments, is_over, is_released, release_rule
from lti_tool.feedback.service import points_given
from lti_tool.goals import service as goals
from lti_tool.launch.models import Course, CourseRole, Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.meetings import service as meetings
from lti_tool.meetings.models import Nudge
from lti_tool.pairing import service as pairing
from lti_tool.pairing.rules.views import GroupView
from lti_tool.progress.errors import ActUnknown, LearnerUnknown
from lti_tool.progress.models import StaffAct
from lti_tool.progress.rules import (
    Extra,
    MyGroup,
    Partner,
    Progress,
    RoundDates,
    Summary,
    What,
    Written,
    checklist,
    summary,
    without_names,
)
from lti_tool.reports import service as reports
from lti_tool.reports.rules import paused
from lti_tool.roster.service import learners_to_pair
from lti_tool.roster.service.links import locked_out
from lti_tool.support.alphabet import sort_key
from lti_tool.support.db import in_batches


def progress_of(session: Session, activity_id: int, member_id: int, now: datetime) -> Progress:
    """The checklist of one member as of now."""
    activity = session.get_one(Activity, activity_id)
    return _Gathered.of(session, activity, now, member_id).checklist_of(member_id)


def progress_and_tasks_of(
    session: Session,
    activity_id: int,
    member_id: int,
    now: datetime,
    groups: Sequence[GroupView] | None = None,
) -> tuple[Progress, Progress]:
    """The checklist of one member as they see it, and the same with every task of a round in it, asked for or not.

    A task that is in both stands alike in both. `groups`: the member's published ones, where the caller has read them.
    """
    activity = session.get_one(Activity, activity_id)
    gathered = _Gathered.of(session, activity, now, member_id, groups)
    counted = gathered.own_checklist_of(member_id)
    gathered.completion = gathered.completion.with_every_task(gathered.kind)
    return counted, gathered.own_checklist_of(member_id)


def summaries_of_all(session: Session, activity_id: int, now: datetime) -> dict[int, Summary]:
    """What lists show of everybody who takes part or has a seat, by member id. The number of queries is constant.

    Most people of a large course stand like many others, so each way to stand is worked out once.
    """
    activity = session.get_one(Activity, activity_id)
    gathered = _Gathered.of(session, activity, now)
    members = gathered.groups.keys() | learners_to_pair(session, activity.course_id, activity.placement_id)
    summary_by_standing: dict[Hashable, Summary] = {}
    summaries = {}
    for member_id in sorted(members):
        standing = gathered.standing_of(member_id)
        if standing not in summary_by_standing:
            summary_by_standing[standing] = summary(gathered.checklist_of(member_id))
        summaries[member_id] = summary_by_standing[standing]
    return summaries


def progress_of_all(session: Session, activity_id: int, now: datetime) -> dict[int, Progress]:
    """The checklists of everybody who takes part or has a seat, by member id; for a file, where every date counts."""
    activity = session.get_one(Activity, activity_id)
    gathered = _Gathered.of(session, activity, now)
    members = gathered.groups.keys() | learners_to_pair(session, activity.course_id, activity.placement_id)
    return {member_id: gathered.checklist_of(member_id) for member_id in sorted(members)}


def standings(
    session: Session, activity: Activity, now: datetime, member_id: int | None = None
) -> Iterator[tuple[int, Progress, dict[int, int]]]:
    """The checklists of everybody, or of one member, with how many texts each has yet to read, by round.

    One after the other, so that those of a large course are never held at once.
    """
    gathered = _Gathered.of(session, activity, now, member_id)
    everybody = (
        {member_id}
        if member_id is not None
        else gathered.groups.keys() | learners_to_pair(session, activity.course_id, activity.placement_id)
    )
    answers = {step.key for step in gathered.kind.steps if step.is_answer}
    for each_id in sorted(everybody):
        unread = Counter(
            text.round for text in gathered.theirs.get(each_id, ()) if text.is_unread and text.step not in answers
        )
        yield each_id, gathered.checklist_of(each_id), dict(unread)


def next_date(session: Session, activity_id: int, *, now: datetime) -> datetime | None:
    """When completion may next change although nobody does anything: a round opens or ends, or somebody's longer
    time in it ends.
    """
    ends = (
        select(func.min(Round.opens_at)).where(Round.activity_id == activity_id, Round.opens_at > now),
        select(func.min(Round.due_at)).where(Round.activity_id == activity_id, Round.due_at >= now),
        select(func.min(Allowance.due_at))
        .join(Round, Round.id == Allowance.round_id)
        .where(Round.activity_id == activity_id, Allowance.due_at >= now),
    )
    return min((end for statement in ends if (end := session.scalar(statement)) is not None), default=None)


@dataclass(frozen=True, slots=True)
class Learner:
    """A member as lists show them."""

    member_id: int
    name: str | None
    email: str | None
    sort_name: str
    is_active: bool
    last_launch_at: datetime | None


def learners(session: Session, members: Iterable[int], *, language: str = "en") -> dict[int, Learner]:
    """Names and standing of these members, in the order that family names have in a language."""
    known = select(
        Member.id,
        Member.course_id,
        Member.takes_part,
        Member.last_launch_at,
        Person.name,
        Person.email,
        Person.family_name,
        Person.given_name,
    ).join(Person, Person.id == Member.person_id)
    rows = [row for batch in in_batches(members) for row in session.execute(known.where(Member.id.in_(batch)))]
    listed = [
        Learner(
            row.id,
            row.name,
            row.email,
            " ".join(part for part in (row.family_name, row.given_name, row.name) if part),
            row.takes_part,
            row.last_launch_at,
        )
        for row in rows
    ]
    if rows:
        names = told_apart(session, rows[0].course_id, {one.member_id: one.name for one in listed})
        listed = [replace(one, name=names[one.member_id]) for one in listed]
    listed.sort(key=lambda one: (sort_key(one.sort_name, language), one.member_id))
    return {one.member_id: one for one in listed}


def learner(session: Session, activity: Activity, member_id: int) -> Learner:
    """One member of the activity's course who is, or was, a learner. Raises LearnerUnknown."""
    member = session.get(Member, member_id)
    if member is None or member.course_id != activity.course_id or member.role != CourseRole.LEARNER:
        raise LearnerUnknown(member_id)
    return learners(session, [member_id])[member_id]


def open_to_staff(session: Session, activity: Activity, member_id: int) -> dict[tuple[str, int, int], int]:
    """What this member gave and staff may read, by step, round and receiver; empty unless the activity says so."""
    if not activity.staff_read_feedback:
        return {}
    rows = session.execute(
        select(Entry.step, Round.number, Entry.recipient_id, Entry.id)
        .join(Round, Round.id == Entry.round_id)
        .where(
            Entry.activity_id == activity.id,
            Entry.author_id == member_id,
            Entry.recipient_id.is_not(None),
            Entry.submitted_at.is_not(None),
            Entry.is_open_to_staff,
            Entry.withheld_at.is_(None),
        )
    )
    return {(row.step, row.number, row.recipient_id): row.id for row in rows}


def allowances_of(session: Session, activity_id: int, member_id: int) -> dict[int, Allowance]:
    """What staff allowed a member, by round number."""
    rows = session.execute(
        select(Round.number, Allowance)
        .join(Allowance, Allowance.round_id == Round.id)
        .where(Round.activity_id == activity_id, Allowance.member_id == member_id)
    )
    return {row.number: row.Allowance for row in rows}


def allowances_in_round(session: Session, activity_id: int, round_number: int) -> dict[int, Allowance]:
    """What staff allowed in a round, by member."""
    rows = session.scalars(
        select(Allowance)
        .join(Round, Round.id == Allowance.round_id)
        .where(Round.activity_id == activity_id, Round.number == round_number)
    )
    return {row.member_id: row for row in rows}


def allow(
    session: Session,
    activity: Activity,
    round_number: int,
    members: Collection[int],
    *,
    due_at: datetime | None,
    is_excused: bool,
    by: int,
    now: datetime,
) -> StaffAct:
    """Give members more time in a round, excuse them from it, or (with neither) take both back. `by` is a person.

    Their completion and that of their partners is worked out again. Raises LearnerUnknown.
    """
    of_course = learners_among(session, activity, members)
    round_id = session.scalar(
        select(Round.id).where(Round.activity_id == activity.id, Round.number == round_number).with_for_update()
    )
    if round_id is None or len(of_course) < len(members):
        raise LearnerUnknown(sorted(members)[:1], round_number)
    what = What.EXTEND if due_at is not None else What.EXCUSE if is_excused else What.TAKE_BACK
    given = None if what is What.TAKE_BACK else _Given(due_at, is_excused, by, now)
    before = _write_allowances(session, round_id, dict.fromkeys(members, given))
    act = note_act(session, activity, what, before, by=by, now=now, round_number=round_number, due_at=due_at)
    _allowances_changed(session, activity, round_id, members, now=now)
    return act


def note_act(
    session: Session,
    activity: Activity,
    what: What,
    before: Mapping[int, Any],
    *,
    by: int,
    now: datetime,
    round_number: int | None = None,
    due_at: datetime | None = None,
    words: str = "",
) -> StaffAct:
    """Write down what staff did, so that staff see it and can undo it. `before` names the members it concerns."""
    details = {"round_number": round_number, "due_at": due_at, "words": words, "by_id": by, "at": now}
    kept = {str(member_id): state for member_id, state in before.items()}
    act = StaffAct(activity_id=activity.id, what=what, before=kept, **details)
    session.add(act)
    session.flush()
    return act


def act_of(session: Session, activity: Activity, act_id: int) -> StaffAct:
    """What staff did in this activity under this number. Raises ActUnknown."""
    act = session.get(StaffAct, act_id, with_for_update=True)
    if act is None or act.activity_id != activity.id:
        raise ActUnknown(act_id)
    return act


def acts_in(session: Session, activity_id: int, *, most: int) -> list[tuple[StaffAct, str | None]]:
    """What staff did last in an activity, newest first, and the name of who did it."""
    rows = session.execute(
        select(StaffAct, Person.name)
        .outerjoin(Person, Person.id == StaffAct.by_id)
        .where(StaffAct.activity_id == activity_id)
        .order_by(StaffAct.at.desc(), StaffAct.id.desc())
        .limit(most)
    )
    return [(act, name) for act, name in rows]


def undo_allowances(session: Session, activity: Activity, act: StaffAct, *, now: datetime) -> int:
    """Restore what members had before staff gave or took it. What was changed again since stays. Returns how many
    were restored.
    """
    round_id = session.scalar(
        select(Round.id).where(Round.activity_id == activity.id, Round.number == act.round_number).with_for_update()
    )
    if round_id is None:
        return 0
    rows = _allowances_in(session, round_id, [int(one) for one in act.before])
    # After taking back there was no row, and after giving one of that moment.
    was_left = {int(one) for one in act.before if (act.what == What.TAKE_BACK) == (int(one) not in rows)}
    kept = {
        one: _Given.from_json(act.before[str(one)])
        for one in sorted(was_left)
        if one not in rows or rows[one].given_at == act.at
    }
    _write_allowances(session, round_id, kept)
    _allowances_changed(session, activity, round_id, kept, now=now)
    return len(kept)


@dataclass(frozen=True, slots=True)
class _Given:
    """What staff gave a member in a round: a date of their own, an excuse, or neither; and who gave it when."""

    due_at: datetime | None
    is_excused: bool
    by: int
    at: datetime

    @classmethod
    def from_json(cls, kept: list[Any] | None) -> "_Given | None":
        if kept is None:
            return None
        due_at, is_excused, by, at = kept
        return cls(datetime.fromisoformat(due_at) if due_at else None, is_excused, by, datetime.fromisoformat(at))

    @classmethod
    def to_json(cls, row: Allowance | None) -> list[Any] | None:
        if row is None:
            return None
        due_at = row.due_at.isoformat() if row.due_at is not None else None
        return [due_at, row.is_excused, row.given_by_id, row.given_at.isoformat()]


def _write_allowances(session: Session, round_id: int, wanted: Mapping[int, _Given | None]) -> dict[int, Any]:
    """Have members of a round what is wanted for them. Returns what they had."""
    rows = _allowances_in(session, round_id, wanted)
    before = {member_id: _Given.to_json(rows.get(member_id)) for member_id in wanted}
    for member_id, given in wanted.items():
        row = rows.get(member_id)
        if given is None:
            if row is not None:
                session.delete(row)
            continue
        if row is None:
            row = Allowance(round_id=round_id, member_id=member_id)
            session.add(row)
        row.due_at, row.is_excused, row.given_by_id, row.given_at = given.due_at, given.is_excused, given.by, given.at
    session.flush()
    return before


def _allowances_in(session: Session, round_id: int, members: Iterable[int]) -> dict[int, Allowance]:
    return {
        row.member_id: row
        for batch in in_batches(members)
        for row in session.scalars(
            select(Allowance).where(Allowance.round_id == round_id, Allowance.member_id.in_(batch))
        )
    }


def _allowances_changed(
    session: Session, activity: Activity, round_id: int, members: Collection[int], *, now: datetime
) -> None:
    """What a member may leave out concerns their partners too."""
    alone = next(iter(members)) if len(members) == 1 else None
    groups = pairing.published_groups(session, activity.id, member_id=alone)
    concerned = {*members}
    for group in groups:
        if group.round_id == round_id and not concerned.isdisjoint(group.members):
            concerned |= {*group.members}
    completion_changed(session, activity.id, concerned, now=now)


def learners_among(session: Session, activity: Activity, members: Collection[int]) -> set[int]:
    """Which of these members are, or were, learners of the activity's course."""
    is_learner = (Member.course_id == activity.course_id, Member.role == CourseRole.LEARNER)
    return {
        one
        for batch in in_batches(members)
        for one in session.scalars(select(Member.id).where(Member.id.in_(batch), *is_learner))
    }


@dataclass(slots=True)
class _Gathered:
    """Everything that the checklists of an activity are made of, by member id."""

    kind: Kind
    completion: Completion
    rounds: list[RoundDates]
    is_closed: bool
    closed_at: datetime | None
    """The end of the course closes an activity too."""
    now: datetime
    release: str
    groups: dict[int, list[MyGroup]] = field(default_factory=lambda: defaultdict(list))
    members: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """By group."""
    mine: dict[int, list[Written]] = field(default_factory=lambda: defaultdict(list))
    theirs: dict[int, list[Written]] = field(default_factory=lambda: defaultdict(list))
    extras: dict[int, list[Extra]] = field(default_factory=lambda: defaultdict(list))
    points: dict[int, Fraction] = field(default_factory=dict)
    """Shares of the rubric points that members were given, where the score asks for them."""
    anonymous: set[tuple[int, int, str]] = field(default_factory=set)
    """By round, receiver and step what comes without names."""
    waits: dict[tuple[int, int, int], meetings.Wait] = field(default_factory=dict)
    """By round, who waits, and for whom."""

    @classmethod
    def of(
        cls,
        session: Session,
        activity: Activity,
        now: datetime,
        member_id: int | None = None,
        groups: Sequence[GroupView] | None = None,
    ) -> "_Gathered":
        """Read what concerns this member, or everybody."""
        waits = and_(Nudge.round_id == Round.id, *((Nudge.author_id == member_id,) if member_id is not None else ()))
        with_waits = session.execute(
            select(Round, Nudge).outerjoin(Nudge, waits).where(Round.activity_id == activity.id).order_by(Round.number)
        ).all()
        rounds = list(dict.fromkeys(row.Round for row in with_waits))
        ended_at = session.get_one(Course, activity.course_id).ended_at
        kind = kind_for(activity)
        gathered = cls(
            kind,
            Completion.from_json(activity.completion, kind),
            [RoundDates(one.number, one.opens_at, one.due_at) for one in rounds],
            activity.state == ActivityState.CLOSED or ended_at is not None,
            activity.closed_at or ended_at,
            now,
            activity.release,
        )
        for round_, nudge in with_waits:
            if nudge is not None:
                wait = meetings.wait_of(round_.number, nudge)
                gathered.waits[wait.round_number, wait.author_id, wait.recipient_id] = wait
        gathered._read_extras(session, activity.id)
        if groups is None:
            groups = pairing.published_groups(session, activity.id, member_id=member_id)
        gathered._read_groups(groups, locked_out(session, activity.placement_id))
        gathered.anonymous = {
            (group.round_number, receiver, step.key)
            for group in (groups if activity.anonymous_feedback else ())
            for receiver in group.members
            for step in kind.steps
            if feedback.are_anonymous(activity, group, kind, step, receiver)
        }
        gathered._read_entries(session, activity, member_id)
        gathered._read_goals(session, activity, member_id)
        gathered._read_warm_up(session, activity, member_id)
        return gathered

    def checklist_of(self, member_id: int) -> Progress:
        """What the rules make of it."""
        return checklist(
            self.kind.steps,
            self.completion,
            self.rounds,
            my_groups=self.groups.get(member_id, ()),
            mine=self.mine.get(member_id, ()),
            theirs=self.theirs.get(member_id, ()),
            extras=self.extras.get(member_id, ()),
            now=self.now,
            is_closed=self.is_closed,
            points=self.points.get(member_id),
            done_alone=self.kind.alone.steps if self.kind.alone is not None else (),
            release=self.release,
        )

    def own_checklist_of(self, member_id: int) -> Progress:
        """The same as the member themselves may see it."""
        came = {(one.step, one.round, one.partner_id or 0): one for one in self.theirs.get(member_id, ())}
        return without_names(
            self.checklist_of(member_id),
            came,
            lambda item: (item.round, member_id, item.step.after) in self.anonymous,
        )

    def standing_of(self, member_id: int) -> Hashable:
        """All that a member's summary depends on: two members with equal standings have equal summaries.

        Partners are told apart by their places, and of moments only whether a date was kept.
        """
        enough = max(self.completion.asked.values(), default=0)
        mine = defaultdict(list)
        for written in self.mine.get(member_id, ()):
            count = min(written.count, max(enough, written.left))
            way = (written.step, written.given_at is not None, count, written.has_text, written.left)
            mine[written.round, written.partner_id].append(way)
        to_nobody = sorted(
            (number, *way) for (number, partner), ways in mine.items() if partner is None for way in ways
        )
        theirs = defaultdict(list)
        for written in self.theirs.get(member_id, ()):
            theirs[written.round, written.partner_id].append(written)
        places: list[Hashable] = []
        for group in self.groups.get(member_id, ()):
            for place, partner in enumerate(group.partners):
                key = (group.round, partner.member_id)
                places.append(
                    (
                        (group.round, place, replace(partner, member_id=0)),
                        tuple(sorted(mine.get(key, ()))),
                        tuple(sorted(_way_received(written, partner) for written in theirs.get(key, ()))),
                    )
                )
        return tuple(places), tuple(to_nobody), tuple(self.extras.get(member_id, ())), self.points.get(member_id)

    def _read_extras(self, session: Session, activity_id: int) -> None:
        for number, allowance in session.execute(
            select(Round.number, Allowance)
            .join(Allowance, Allowance.round_id == Round.id)
            .where(Round.activity_id == activity_id)
        ):
            self.extras[allowance.member_id].append(Extra(number, allowance.due_at, allowance.is_excused))
        self._wait_for_decisions(session, activity_id)

    def _wait_for_decisions(self, session: Session, activity_id: int) -> None:
        """No date runs against the two people of a report while staff decide about it."""
        due = {dates.number: dates.due_at for dates in self.rounds}
        for (number, member_id), since in reports.waiting_since(session, activity_id).items():
            own = next((extra for extra in self.extras[member_id] if extra.round == number), Extra(number))
            later = paused(own.due_at or due[number], since, self.now)
            self.extras[member_id] = [extra for extra in self.extras[member_id] if extra is not own]
            self.extras[member_id].append(replace(own, due_at=later))

    def _waits_in_vain(self, number: int, member_id: int, partner_id: int, due_at: datetime | None) -> bool:
        wait = self.waits.get((number, member_id, partner_id))
        return wait is not None and wait.is_in_vain(due_at=due_at, now=self.now)

    def _read_groups(self, groups: Sequence[GroupView], kept_out: Collection[int]) -> None:
        due = {dates.number: dates.due_at for dates in self.rounds}
        extras = {(member_id, extra.round): extra for member_id, all_of in self.extras.items() for extra in all_of}
        for group in groups:
            number = group.round_number
            self.members[group.id] += group.members
            people: list[Partner] = []
            for turn, member_id in enumerate(group.members, start=1):
                extra = extras.get((member_id, number), Extra(number))
                is_absent = member_id in kept_out or turn in group.seating.away
                people.append(Partner(member_id, is_absent, extra.is_excused, extra.due_at or due[number]))
            owes = owed(self.kind, group.seating)
            for turn, person in enumerate(people, start=1):
                others = tuple(
                    replace(
                        partner,
                        gets=owes.get((turn, place), frozenset()),
                        is_silent=self._waits_in_vain(number, person.member_id, partner.member_id, person.due_at),
                    )
                    for place, partner in enumerate(people, start=1)
                    if place != turn
                )
                self.groups[person.member_id].append(MyGroup(number, others))

    def _read_entries(self, session: Session, activity: Activity, member_id: int | None) -> None:
        concerns: list[ColumnElement[bool]] = [Entry.activity_id == activity.id]
        if member_id is not None:
            is_theirs = and_(Entry.author_id.is_(None), Entry.group_id.in_(self.members))
            concerns.append(or_(Entry.author_id == member_id, Entry.recipient_id == member_id, is_theirs))
        numbered = func.row_number().over(partition_by=Note.entry_id, order_by=(Note.at, Note.id)).label("place")
        numbered_notes = (
            select(Note.entry_id, Note.at, numbered)
            .join(Entry, Entry.id == Note.entry_id)
            .where(Note.removed_at.is_(None), *concerns)
            .subquery()
        )
        asked = max((self.completion.of(step) for step in self.kind.steps if step.part_of), default=0)
        reached_at = func.max(case((numbered_notes.c.place == asked, numbered_notes.c.at)))
        notes = (
            select(numbered_notes.c.entry_id, func.count().label("count"), reached_at.label("reached_at"))
            .group_by(numbered_notes.c.entry_id)
            .subquery()
        )
        rows = session.execute(
            select(
                Entry.id,
                Entry.step,
                Round.number.label("round_number"),
                Round.due_at,
                Entry.group_id,
                Entry.author_id,
                Entry.recipient_id,
                Entry.submitted_at,
                Entry.released_at,
                Entry.withheld_at,
                Entry.alias,
                Entry.read_at,
                func.coalesce(notes.c.count, 0).label("notes"),
                notes.c.reached_at,
            )
            .join(Round, Round.id == Entry.round_id)
            .outerjoin(notes, notes.c.entry_id == Entry.id)
            .where(*concerns)
        ).all()
        given_at = {(row.step, row.round_number, row.author_id, row.recipient_id): row.submitted_at for row in rows}
        steps = {step.key: step for step in self.kind.steps}
        pools = Counter(
            (row.round_number, row.recipient_id, row.step)
            for row in rows
            if row.alias is not None and row.submitted_at is not None and row.released_at is None
        )
        released_ids = []
        for row in rows:
            place = (row.step, row.round_number, row.recipient_id)
            mine = Written(*place, row.submitted_at, row.notes, has_text=True, counted_at=row.reached_at)
            for author_id in self.members[row.group_id] if row.author_id is None else (row.author_id,):
                self.mine[author_id].append(mine)
            if row.submitted_at is None or row.recipient_id is None:
                continue
            moments = Moments(
                submitted_at=row.submitted_at,
                released_at=row.released_at,
                counterpart_submitted_at=given_at.get((row.step, row.round_number, row.recipient_id, row.author_id)),
                due_at=row.due_at,
                closed_at=self.closed_at,
                is_withheld=row.withheld_at is not None,
            )
            rule = release_rule(steps.get(row.step), activity.release, is_anonymous=row.alias is not None)
            released = is_released(rule, moments, now=self.now)
            is_held = (
                row.alias is not None
                and row.released_at is None
                and pools[row.round_number, row.recipient_id, row.step] < FEWEST_WITHOUT_NAMES
                and is_over(row.due_at, self.closed_at, now=self.now)
            )
            received = Written(
                row.step,
                row.round_number,
                row.author_id,
                row.submitted_at,
                is_released=released,
                released_at=row.released_at,
                is_withheld=moments.is_withheld,
                alias=row.alias,
                is_held=is_held,
                is_unread=released and row.read_at is None,
            )
            self.theirs[row.recipient_id].append(received)
            if released:
                released_ids.append(row.id)
        if activity.points_share:
            self.points = points_given(session, released_ids)

    def _read_goals(self, session: Session, activity: Activity, member_id: int | None) -> None:
        counted = [step for step in self.kind.steps if step.counted_by and self.completion.of(step)]
        steps = [step for step in counted if step.counted_by is not CountedBy.WARM_UP]
        if not steps:
            return
        first_round = min((dates.number for dates in self.rounds), default=0)
        counts: dict[tuple[int, str, int], list[int]] = defaultdict(lambda: [0, 0])
        reached: dict[tuple[int, str, int], datetime] = {}
        for (number, owner_id), done in goals.done_in(session, activity.id, member_id).items():
            for step in steps:
                place = (owner_id, step.key, first_round if step.is_asked_once else number)
                counts[place][0] += getattr(done, str(step.counted_by))
                counts[place][1] += done.to_look_back_at if step.looks_back else 0
                if at := done.reached.get(str(step.counted_by)):
                    reached[place] = min(reached.get(place, at), at)
        for place, (count, left) in counts.items():
            owner_id, key, number = place
            self.mine[owner_id].append(Written(key, number, count=count, left=left, counted_at=reached.get(place)))

    def _read_warm_up(self, session: Session, activity: Activity, member_id: int | None) -> None:
        step = next((step for step in self.kind.steps if step.counted_by is CountedBy.WARM_UP), None)
        if step is None or not self.completion.of(step):
            return
        first_round = min((dates.number for dates in self.rounds), default=0)
        for owner_id, done_at in craft.done_in(session, activity.course_id, member_id).items():
            self.mine[owner_id].append(Written(step.key, first_round, count=1, counted_at=done_at))


def _way_received(entry: Written, partner: Partner) -> tuple[str, bool, bool, bool]:
    is_late = partner.due_at is not None and entry.given_at is not None and entry.given_at > partner.due_at
    return entry.step, is_late, entry.is_released, entry.is_withheld or entry.is_held

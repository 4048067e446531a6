"""What a group writes when it meets, for the page that all its members have open."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Allowance, Round
from lti_tool.activities.rules import Audience, Form, Kind, Step, kind_for, prompts_shown, seat_at
from lti_tool.feedback import rules
from lti_tool.feedback.errors import NotInGroup
from lti_tool.feedback.models import Entry
from lti_tool.feedback.service.tasks import Task
from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Facilitation, Group, Plan, Seat, published_seats
from lti_tool.pairing.rules.views import GroupView


@dataclass(frozen=True, slots=True)
class Participant:
    """A member of the group."""

    member_id: int
    name: str | None
    seat: str
    """The key of the seat that they have now."""
    has_left: bool


@dataclass(frozen=True, slots=True)
class Facilitator:
    """A member of staff who has the facilitator's seat of a group."""

    member_id: int
    name: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Meeting:
    """One group in one round, as one of its members, or its facilitator from the staff, sees it."""

    activity: Activity
    kind: Kind
    round: Round
    group_id: int
    member_id: int
    participants: tuple[Participant, ...]
    """In the order of their turns."""
    facilitator: Facilitator | None
    """Who of the staff facilitates now."""
    entries: Mapping[tuple[str, int | None], Entry]
    """By step and author; None is the group. Only what goes to nobody in particular."""
    version: str
    """Another one as soon as anybody in the group wrote something."""
    due_at: datetime | None
    course_ended_at: datetime | None

    @property
    def partners(self) -> tuple[Participant, ...]:
        """Everybody but the member."""
        return tuple(each for each in self.participants if each.member_id != self.member_id)

    @property
    def my_seat(self) -> str:
        """The key of the seat of whoever looks at the page."""
        seats = (each.seat for each in self.participants if each.member_id == self.member_id)
        return next(seats, self.kind.facilitator)

    @property
    def prompts(self) -> Mapping[str, Sequence[str]]:
        """By title of a timed step what whoever facilitates is prompted with; empty for everybody else."""
        if not self.kind.facilitator or self.my_seat != self.kind.facilitator:
            return {}
        guided = self.activity.guided_rounds
        return {step.title: prompts_shown(step.prompts, self.round.number, guided) for step in self.kind.method}

    @property
    def takes_texts(self) -> bool:
        """Whether anything may still be written."""
        return rules.may_write(state=self.activity.state, is_course_over=self.course_ended_at is not None)

    def entry(self, step: Step, author_id: int | None = None) -> Entry | None:
        """What this author, by default the member, wrote in the step; what the group wrote in a shared one."""
        return self.entries.get((step.key, None if step.is_shared else author_id or self.member_id))

    def is_done(self, step: Step, author_id: int | None = None) -> bool:
        """Whether the step is done by this author, by default the member."""
        entry = self.entry(step, author_id)
        return entry is not None and entry.submitted_at is not None

    def has_swapped(self) -> bool:
        """Whether the group has changed seats."""
        return any(step.is_confirmation and step.is_shared and self.is_done(step) for step in self.kind.steps)

    def shown_by(self, step: Step, participant: Participant) -> Mapping[str, str]:
        """What the others may read of what this participant wrote in the step."""
        entry = self.entry(step, participant.member_id)
        return readable_by_group(step.form, entry) if step.form is not None and entry is not None else {}

    def written_together(self, step: Step) -> Mapping[str, str]:
        """What the group wrote in a shared step, for those who may read it."""
        entry = self.entry(step)
        return readable_by_group(step.form, entry) if step.form is not None and entry is not None else {}

    def writer_of(self, step: Step, field: str) -> str | None:
        """Who wrote last on a field that the group shares, where that was somebody else."""
        entry = self.entry(step)
        if entry is None or not step.is_shared or field not in entry.stamps:
            return None
        writer = rules.Stamp(*entry.stamps[field]).member_id
        return next((each.name for each in self.partners if each.member_id == writer), None)

    def task(self, step: Step) -> Task:
        """The step as the member's to write."""
        if step.form is None:
            raise NotInGroup(self.round.number, self.member_id)
        return Task(
            self.activity,
            self.kind,
            step,
            step.form,
            self.round,
            self.member_id,
            None,
            None,
            self.group_id,
            self.due_at,
            self.course_ended_at,
            is_facilitated=self.facilitator is not None and self.facilitator.member_id == self.member_id,
        )


def readable_by_group(form: Form, entry: Entry) -> dict[str, str]:
    """The filled-in fields of an entry that everybody in its group may read at once."""
    fields = [field.key for section in form.seen_by(Audience.GROUP) for field in section.fields]
    return {key: text for key in fields if (text := str(entry.fields.get(key, "")).strip())}


def find_meeting(session: Session, activity: Activity, round_number: int, member_id: int) -> Meeting:
    """The meeting of a member's group in a round. Raises NotInGroup where they have no group in it now."""
    groups = pairing.published_groups(session, activity.id, member_id=member_id)
    group = next((each for each in groups if each.round_number == round_number), None)
    if group is None:
        raise NotInGroup(round_number, member_id)
    return meeting_of(session, activity, group, member_id)


def meeting_of(session: Session, activity: Activity, group: GroupView, member_id: int) -> Meeting:
    """The meeting of a group for somebody who may see it."""
    kind = kind_for(activity)
    round_, own_due_at, ended_at = session.execute(
        select(Round, Allowance.due_at, Course.ended_at)
        .select_from(Round)
        .join(Course, Course.id == activity.course_id)
        .outerjoin(Allowance, (Allowance.round_id == Round.id) & (Allowance.member_id == member_id))
        .where(Round.id == group.round_id)
    ).one()
    entries = session.scalars(select(Entry).where(Entry.group_id == group.id, Entry.recipient_id.is_(None))).all()
    by_step = {(entry.step, entry.author_id): entry for entry in entries}
    is_swapped = any(
        step.is_confirmation and step.is_shared and (entry := by_step.get((step.key, None))) and entry.submitted_at
        for step in kind.steps
    )
    facilitator = facilitators_of(session, activity.course_id, [group.id]).get(group.id) if kind.facilitator else None
    return Meeting(
        activity,
        kind,
        round_,
        group.id,
        member_id,
        _participants(session, activity.course_id, kind, group, is_swapped=is_swapped),
        facilitator,
        by_step,
        version_of(session, group.id),
        own_due_at or round_.due_at,
        ended_at,
    )


def facilitators_of(session: Session, course_id: int, group_ids: Collection[int]) -> dict[int, Facilitator]:
    """Who of the staff has the facilitator's seat now, by group."""
    rows = session.execute(
        select(Facilitation, Person.name)
        .join(Member, Member.id == Facilitation.member_id)
        .join(Person, Person.id == Member.person_id)
        .where(Facilitation.group_id.in_(group_ids), Facilitation.left_at.is_(None))
    ).all()
    names = told_apart(session, course_id, {row.Facilitation.member_id: row.name for row in rows}, for_staff=False)
    return {
        held.group_id: Facilitator(held.member_id, names[held.member_id], held.taken_at)
        for held in (row.Facilitation for row in rows)
    }


VERSION: Final = select(
    func.count(),
    func.coalesce(func.sum(Entry.version), 0),
    select(func.count() + func.count(Facilitation.left_at))
    .where(Facilitation.group_id == bindparam("group_id"))
    .scalar_subquery(),
).where(Entry.group_id == bindparam("group_id"))
"""What tells versions of a group's meeting apart: how often anybody wrote, and staff came or left; by indexes."""


def version_of(session: Session, group_id: int) -> str:
    """Another word as soon as anybody in the group wrote something, or staff came or left: one query."""
    return version_in(session.execute(VERSION, {"group_id": group_id}).one())


def version_in(row: Sequence[Any]) -> str:
    """The word for a row that `VERSION` finds."""
    return "-".join(str(count) for count in row)


def done_by_group(session: Session, round_id: int) -> dict[int, dict[str, int]]:
    """For each group of a round and each step that goes to nobody, how many entries are done; one query, no texts."""
    rows = session.execute(
        select(Entry.group_id, Entry.step, func.count())
        .where(Entry.round_id == round_id, Entry.recipient_id.is_(None), Entry.submitted_at.is_not(None))
        .group_by(Entry.group_id, Entry.step)
    )
    done: dict[int, dict[str, int]] = {}
    for group_id, step, times in rows:
        done.setdefault(group_id, {})[step] = times
    return done


def group_at(session: Session, activity_id: int, round_number: int, member_id: int) -> int:
    """The member's group in a round. Raises NotInGroup."""
    group_id = session.scalar(
        published_seats(Group.id).where(
            Plan.activity_id == activity_id, Round.number == round_number, Seat.member_id == member_id
        )
    )
    if group_id is None:
        raise NotInGroup(round_number, member_id)
    return int(group_id)


def _participants(
    session: Session, course_id: int, kind: Kind, group: GroupView, *, is_swapped: bool
) -> tuple[Participant, ...]:
    order = group.members
    rows = {
        row.id: row
        for row in session.execute(
            select(Member.id, Member.status, Person.name)
            .join(Person, Person.id == Member.person_id)
            .where(Member.id.in_(order))
        )
    }
    names = told_apart(session, course_id, {row.id: row.name for row in rows.values()}, for_staff=False)
    # After a swap everybody takes the seat of the one before, so that in a pair both change.
    shift = 1 if is_swapped else 0
    return tuple(
        Participant(
            member_id,
            names[member_id],
            seat_at(kind, (turn + shift - 1) % len(order) + 1, group.seating),
            rows[member_id].status != "active",
        )
        for turn, member_id in enumerate(order, start=1)
    )

"""What a group writes when it meets, for the page that all its members have open."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Allowance, Round
from lti_tool.activities.rules import Audience, Form, Kind, Step, kind_of
from lti_tool.feedback import rules
from lti_tool.feedback.errors import NotInGroup
from lti_tool.feedback.models import Entry
from lti_tool.feedback.service.tasks import Task
from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Group, Plan, Seat, published_seats


@dataclass(frozen=True, slots=True)
class Participant:
    """A member of the group."""

    member_id: int
    name: str | None
    seat: str
    """The key of the seat that they have now."""
    has_left: bool


@dataclass(frozen=True, slots=True)
class Meeting:
    """One group in one round, as one of its members sees it."""

    activity: Activity
    kind: Kind
    round: Round
    group_id: int
    member_id: int
    participants: tuple[Participant, ...]
    """In the order of their turns."""
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
    def me(self) -> Participant:
        """The member."""
        return next(each for each in self.participants if each.member_id == self.member_id)

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
        )


def readable_by_group(form: Form, entry: Entry) -> dict[str, str]:
    """The filled-in fields of an entry that everybody in its group may read at once."""
    fields = [field.key for section in form.seen_by(Audience.GROUP) for field in section.fields]
    return {key: text for key in fields if (text := str(entry.fields.get(key, "")).strip())}


def find_meeting(session: Session, activity: Activity, round_number: int, member_id: int) -> Meeting:
    """The meeting of a member's group in a round. Raises NotInGroup where they have no group in it now."""
    kind = kind_of(activity.kind)
    row = session.execute(
        select(Round, Allowance.due_at, Course.ended_at)
        .select_from(Round)
        .join(Course, Course.id == activity.course_id)
        .outerjoin(Allowance, (Allowance.round_id == Round.id) & (Allowance.member_id == member_id))
        .where(Round.activity_id == activity.id, Round.number == round_number)
    ).first()
    groups = pairing.published_groups(session, activity.id, member_id=member_id)
    group = next((each for each in groups if row is not None and each.round_id == row.Round.id), None)
    if row is None or group is None:
        raise NotInGroup(round_number, member_id)
    entries = session.scalars(select(Entry).where(Entry.group_id == group.id, Entry.recipient_id.is_(None))).all()
    by_step = {(entry.step, entry.author_id): entry for entry in entries}
    is_swapped = any(
        step.is_confirmation and step.is_shared and (entry := by_step.get((step.key, None))) and entry.submitted_at
        for step in kind.steps
    )
    return Meeting(
        activity,
        kind,
        row.Round,
        group.id,
        member_id,
        _participants(session, activity.course_id, kind, group.members, is_swapped=is_swapped),
        by_step,
        version_of(session, group.id),
        row.due_at or row.Round.due_at,
        row.ended_at,
    )


VERSION: Final = select(func.count(), func.coalesce(func.sum(Entry.version), 0)).where(
    Entry.group_id == bindparam("group_id")
)
"""What tells versions of a group's meeting apart; by an index."""


def version_of(session: Session, group_id: int) -> str:
    """Another word as soon as anybody in the group wrote something."""
    count, total = session.execute(VERSION, {"group_id": group_id}).one()
    return f"{count}-{total}"


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
    session: Session, course_id: int, kind: Kind, members: Iterable[int], *, is_swapped: bool
) -> tuple[Participant, ...]:
    order = list(members)
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
            kind.seat_at((turn + shift - 1) % len(order) + 1),
            rows[member_id].status != "active",
        )
        for turn, member_id in enumerate(order, start=1)
    )

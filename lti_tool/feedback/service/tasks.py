"""What a member has to write in a round, and to whom."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Allowance, Round
from lti_tool.activities.rules import FEWEST_WITHOUT_NAMES, Completion, Form, Kind, Opens, Step, kind_for
from lti_tool.feedback import rules
from lti_tool.feedback.errors import NotYourPartner
from lti_tool.feedback.models import Entry, Note
from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.pairing import service as pairing
from lti_tool.pairing.rules.views import GroupView
from lti_tool.rubrics import service as rubrics
from lti_tool.rubrics.models import Rubric
from lti_tool.rubrics.rules import Asked, asked_of


@dataclass(frozen=True, slots=True)
class Task:
    """A step of a round as one member's to write, or what is left of it after the groups changed."""

    activity: Activity
    kind: Kind
    step: Step
    form: Form
    round: Round
    author_id: int
    """Who writes; of a shared entry, whoever does so now."""
    recipient_id: int | None
    recipient_name: str | None
    group_id: int | None
    """None when it is no longer asked for, since the groups changed: what was written stays readable, nothing new is
    taken."""
    due_at: datetime | None
    """The author's own due time."""
    course_ended_at: datetime | None
    answers: Entry | None = None
    """What is answered, by a step that does so."""
    seats: frozenset[str] = frozenset()
    """The keys of the seats about which the rubric asks, as `Kind.looked_at` says."""
    begun_with: int | None = None
    """The version of the rubric that the author's page shows, where they have begun no entry."""
    is_facilitated: bool = False
    """Whether the author is no member of the group, but has its facilitator's seat."""
    is_anonymous: bool = False
    """Whether the receiver is not told who wrote it. What was promised before the first word stays so."""

    def is_open(self, now: datetime) -> bool:
        """Whether the round has begun, where the step waits for it."""
        is_bound = self.step.opens in {Opens.ROUND, Opens.AFTER}
        return not is_bound or self.round.opens_at is None or self.round.opens_at <= now

    @property
    def minimum_notes(self) -> int:
        """How many notes the checklist asks for."""
        step = self.kind.notes_step(self.step)
        return Completion.from_json(self.activity.completion, self.kind).of(step) if step is not None else 0

    @property
    def takes_texts(self) -> bool:
        """Whether anything may still be written, apart from the round having begun."""
        is_over = self.course_ended_at is not None
        return self.group_id is not None and rules.may_write(state=self.activity.state, is_course_over=is_over)


def find_task(
    session: Session,
    activity: Activity,
    round_number: int,
    author_id: int,
    recipient_id: int | None = None,
    *,
    step_key: str | None = None,
    begun_with: int | None = None,
) -> Task:
    """The task of this author for this receiver, or for nobody; without a key that of the kind's first such step.

    `begun_with` is the version of the rubric that the author's page shows.

    Raises NotYourPartner when the author does not owe it to the receiver and has not written it, or the kind has no
    such step.
    """
    kind = kind_for(activity)
    completion = Completion.from_json(activity.completion, kind)
    is_to_partners = recipient_id is not None
    step = kind.step(step_key) if step_key else kind.first_step(is_to_partners=is_to_partners)
    row = session.execute(
        select(Round, Allowance.due_at, Course.ended_at)
        .select_from(Round)
        .join(Course, Course.id == activity.course_id)
        .outerjoin(Allowance, and_(Allowance.round_id == Round.id, Allowance.member_id == author_id))
        .where(Round.activity_id == activity.id, Round.number == round_number)
    ).first()
    if (
        row is None
        or step is None
        or step.form is None
        or step.is_answer
        or step.is_to_partners != is_to_partners
        or author_id == recipient_id
    ):
        raise NotYourPartner(round_number, author_id, recipient_id)
    round_, own_due_at, ended_at = row
    group_id, seat, is_anonymous = None, None, False
    for group in pairing.published_groups(session, activity.id, member_id=author_id):
        is_owed = recipient_id is None or (
            completion.offers(step) and step.key in group.owed(kind, author_id, recipient_id)
        )
        if group.round_id == round_.id and is_owed:
            group_id = group.id
            seat = group.seat_of(kind, recipient_id or author_id)
            is_anonymous = are_anonymous(activity, group, kind, step, recipient_id)
    if begun_with is not None and not rubrics.is_version_of(session, begun_with, activity.rubric_id):
        begun_with = None
    name = _name_of(session, activity.course_id, recipient_id) if recipient_id is not None else None
    due_at = own_due_at or round_.due_at
    task = Task(
        activity,
        kind,
        step,
        step.form,
        round_,
        author_id,
        recipient_id,
        name,
        group_id,
        due_at,
        ended_at,
        seats=kind.looked_at(step, seat, completion.counted),
        begun_with=begun_with,
        is_anonymous=is_anonymous,
    )
    begun = find_entry(session, task) if group_id is None or activity.anonymous_feedback else None
    if group_id is None and begun is None:
        raise NotYourPartner(round_number, author_id, recipient_id)
    return task if begun is None else replace(task, is_anonymous=begun.alias is not None)


def are_anonymous(activity: Activity, group: GroupView, kind: Kind, step: Step, recipient_id: int | None) -> bool:
    """Whether those who begin to write this to a member of the group are not named to them."""
    if not activity.anonymous_feedback or recipient_id is None or step.is_answer:
        return False
    return len(group.givers_to(kind, recipient_id, step.key)) >= FEWEST_WITHOUT_NAMES


def _name_of(session: Session, course_id: int, member_id: int) -> str | None:
    name = session.scalar(
        select(Person.name)
        .join(Member, Member.person_id == Person.id)
        .where(Member.id == member_id, Member.course_id == course_id)
    )
    return told_apart(session, course_id, {member_id: name}, for_staff=False)[member_id]


def place_of(task: Task) -> list[ColumnElement[bool]]:
    """The condition that finds a task's entry."""
    place = [Entry.round_id == task.round.id, Entry.step == task.step.key]
    if task.step.is_shared:
        return [*place, Entry.group_id == task.group_id, Entry.author_id.is_(None)]
    return [*place, Entry.author_id == task.author_id, Entry.recipient_id == task.recipient_id]


def find_entry(session: Session, task: Task) -> Entry | None:
    """What is written so far, or None."""
    return session.scalar(select(Entry).where(*place_of(task)))


def notes_of(session: Session, entry: Entry) -> list[Note]:
    """The author's notes in the order of their moments, those removed included."""
    return list(session.scalars(select(Note).where(Note.entry_id == entry.id).order_by(Note.at, Note.id)))


def rubric_id_of(task: Task, entry: Entry | None) -> int:
    """The version of the rubric that this entry was begun with, or begins with."""
    if entry is None or entry.rubric_id is None:
        return task.begun_with or task.activity.rubric_id
    return entry.rubric_id


def rubric_of(session: Session, rubric_id: int) -> Rubric:
    """The rubric with its criteria and levels."""
    return rubrics.rubric_of(session, rubric_id)


def problems_of(session: Session, task: Task, entry: Entry | None) -> tuple[rules.Problem, ...]:
    """What keeps an entry from being given as its draft stands. One that was given already is asked for no notes:
    they can be added to it as they come.
    """
    notes = [note for note in notes_of(session, entry) if note.removed_at is None] if entry is not None else []
    is_given = entry is not None and entry.submitted_at is not None
    return rules.problems_of(
        task.form,
        draft_fields(entry, notes),
        questions_of(session, task, entry),
        notes=len(notes),
        minimum_notes=0 if is_given else task.minimum_notes,
    )


def questions_of(session: Session, task: Task, entry: Entry | None) -> list[Asked]:
    """What the rubric asks in this task; nothing where the step's form has no rubric."""
    if not task.form.has_marks:
        return []
    rubric = rubric_of(session, rubric_id_of(task, entry))
    return asked_of(rubrics.questions_of(rubric), task.seats, task.round.number)


def begun_with_rubric(session: Session, activity_id: int) -> tuple[int, int]:
    """How many entries of an activity were begun with a version of its rubric, and by how many people."""
    entries, people = session.execute(
        select(func.count(), func.count(Entry.author_id.distinct())).where(
            Entry.activity_id == activity_id, Entry.rubric_id.is_not(None)
        )
    ).one()
    return entries, people


def draft_fields(entry: Entry | None, notes: Iterable[Note] = ()) -> dict[str, str]:
    """Every field of the form as its author last left it; what was never typed is not in it."""
    if entry is None:
        return {}
    return {**entry.fields, **{f"{rules.NOTE}{note.id}": note.text for note in notes}, **(entry.correction or {})}

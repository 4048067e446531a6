"""One entry for one reader, and the answer to it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Allowance, Round
from lti_tool.activities.rules import FEWEST_WITHOUT_NAMES, Audience, Kind, Step, kind_for
from lti_tool.feedback import rules
from lti_tool.feedback.errors import FeedbackHidden
from lti_tool.feedback.models import Entry
from lti_tool.feedback.service.release import anonymous_order, is_counterpart, is_readable
from lti_tool.feedback.service.tasks import Task
from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.service.naming import told_apart


@dataclass(frozen=True, slots=True)
class Shown:
    """What was written to somebody, for whoever may read it."""

    entry: Entry
    kind: Kind
    step: Step
    activity: Activity
    round: Round
    author_name: str | None
    recipient_name: str | None
    is_released: bool
    is_late: bool
    answer: Entry | None
    """The receiver's, sent or not."""
    course_ended_at: datetime | None
    is_answer_released: bool = False
    """Whether the giver can read the answer."""
    is_unnamed: bool = False
    """Whether this reader is not told who wrote it; `place` tells it from others of the round."""
    place: int = 0
    is_held: bool = False
    """Whether it stays unread although the round is over: fewer than three gave without their names."""

    @property
    def sent_answer(self) -> Entry | None:
        """The receiver's answer, once it was sent; None for others than the receiver while it is withheld."""
        return self.answer if self.answer is not None and self.answer.submitted_at is not None else None

    @property
    def answer_step(self) -> Step | None:
        """The step in which the receiver answers, where the kind has one."""
        return self.kind.answer_to(self.step)

    @property
    def takes_answers(self) -> bool:
        """Whether its receiver may answer now."""
        is_over = self.course_ended_at is not None
        is_asked = self.is_released and self.answer_step is not None
        return is_asked and rules.may_write(state=self.activity.state, is_course_over=is_over)


def read_entry(session: Session, entry_id: int, reader: rules.Reader, course_id: int, *, now: datetime) -> Shown:
    """What one member wrote to another in this course, for this reader; `entry_id` as addresses name it for them.

    Raises FeedbackHidden when there is nothing that they may see. Answers are read with what they answer.
    """
    author, recipient = aliased(Member), aliased(Member)
    by, to, back = aliased(Person), aliased(Person), aliased(Entry)
    row = session.execute(
        select(
            Entry,
            back.submitted_at,
            Activity,
            Round,
            by.name,
            to.name,
            author.id,
            recipient.id,
            Allowance.due_at,
            Course.ended_at,
        )
        .select_from(Entry)
        .join(Activity, Activity.id == Entry.activity_id)
        .join(Course, Course.id == Activity.course_id)
        .join(Round, Round.id == Entry.round_id)
        .join(author, author.id == Entry.author_id)
        .join(by, by.id == author.person_id)
        .join(recipient, recipient.id == Entry.recipient_id)
        .join(to, to.id == recipient.person_id)
        .outerjoin(back, is_counterpart(back))
        .outerjoin(Allowance, and_(Allowance.round_id == Round.id, Allowance.member_id == Entry.author_id))
        .where(Entry.is_at(entry_id, reader.member_id), Activity.course_id == course_id)
    ).first()
    if row is None:
        raise FeedbackHidden(entry_id)
    entry, back_at, activity, round_, by_name, to_name, author_id, recipient_id, own_due_at, ended_at = row
    kind = kind_for(activity)
    step = kind.step(entry.step)
    if step is None or step.form is None or step.is_answer:
        raise FeedbackHidden(entry_id)
    is_released = is_readable(entry, back_at, round_, activity, ended_at, now=now)
    staff_read = Audience.STAFF in step.form.audience and activity.staff_read_feedback and entry.is_open_to_staff
    if not rules.may_read(
        reader,
        author_id=author_id,
        recipient_id=recipient_id,
        is_given=entry.submitted_at is not None,
        is_released=is_released,
        staff_read=staff_read,
        is_withheld=entry.withheld_at is not None,
    ):
        raise FeedbackHidden(entry_id)
    late = rules.is_late(entry.submitted_at, own_due_at or round_.due_at)
    named = {author_id: by_name, recipient_id: to_name}
    names = told_apart(session, course_id, named, for_staff=reader.member_id not in named)
    answer = _answer_to(session, entry, kind.answer_to(step))
    if answer is not None and answer.withheld_at is not None and reader.member_id != recipient_id:
        answer = None
    is_unnamed = entry.alias is not None and reader.member_id == recipient_id
    closed_at = activity.closed_at or ended_at
    return Shown(
        entry,
        kind,
        step,
        activity,
        round_,
        names[author_id] if not is_unnamed else None,
        names[recipient_id],
        is_released,
        late and not is_unnamed,
        answer,
        ended_at,
        answer is not None and is_readable(answer, None, round_, activity, ended_at, now=now),
        is_unnamed,
        place_among_unnamed(session, entry) if is_unnamed else 0,
        rules.is_over(round_.due_at, closed_at, now=now) and _is_held(session, entry),
    )


def _is_held(session: Session, entry: Entry) -> bool:
    """Whether so few gave without their names that it is not shown, unless more do."""
    if entry.alias is None or entry.submitted_at is None or entry.released_at is not None:
        return False
    waiting = select(func.count()).where(
        Entry.round_id == entry.round_id,
        Entry.recipient_id == entry.recipient_id,
        Entry.step == entry.step,
        Entry.alias.is_not(None),
        Entry.submitted_at.is_not(None),
        Entry.released_at.is_(None),
    )
    return (session.scalar(waiting) or 0) < FEWEST_WITHOUT_NAMES


def place_among_unnamed(session: Session, entry: Entry) -> int:
    """The place of an anonymous entry among those that its receiver was given in the round, counted from 1."""
    given = session.execute(
        select(Entry.released_at, Entry.alias).where(
            Entry.round_id == entry.round_id,
            Entry.recipient_id == entry.recipient_id,
            Entry.step == entry.step,
            Entry.alias.is_not(None),
            Entry.released_at.is_not(None),
        )
    )
    return sum(anonymous_order(row) <= anonymous_order(entry) for row in given)


def _answer_to(session: Session, entry: Entry, step: Step | None) -> Entry | None:
    if step is None:
        return None
    return session.scalar(
        select(Entry).where(
            Entry.round_id == entry.round_id,
            Entry.step == step.key,
            Entry.author_id == entry.recipient_id,
            Entry.recipient_id == entry.author_id,
        )
    )


def has_own_view(session: Session, shown: Shown) -> bool:
    """Whether the receiver has assessed themselves in this round, with a rubric as this was written with."""
    step = shown.kind.self_assessment
    if step is None or shown.entry.rubric_id is None or not shown.is_released:
        return False
    own = select(Entry.id).where(
        Entry.round_id == shown.round.id,
        Entry.step == step.key,
        Entry.author_id == shown.entry.recipient_id,
        Entry.submitted_at.is_not(None),
    )
    return session.scalar(own) is not None


def answer_task(shown: Shown) -> Task:
    """The receiver's task to answer what they read. Raises FeedbackHidden where they cannot read it yet."""
    entry, step = shown.entry, shown.answer_step
    if not shown.is_released or step is None or step.form is None or entry.recipient_id is None:
        raise FeedbackHidden(entry.id)
    return Task(
        shown.activity,
        shown.kind,
        step,
        step.form,
        shown.round,
        author_id=entry.recipient_id,
        recipient_id=entry.author_id,
        recipient_name=shown.author_name,
        group_id=entry.group_id,
        due_at=None,
        course_ended_at=shown.course_ended_at,
        answers=entry,
    )

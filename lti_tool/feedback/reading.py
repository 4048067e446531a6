"""What is stored, for those who may read it: tasks, drafts, released feedback, and everything one person wrote."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Allowance, Round
from lti_tool.activities.rules import Completion
from lti_tool.feedback import rules
from lti_tool.feedback.errors import FeedbackHidden, NotYourPartner
from lti_tool.feedback.models import Acknowledgement, AnswerDraft, Feedback, Note
from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.pairing.models import Plan, Seat
from lti_tool.rubrics.models import Criterion, Level, Rubric


@dataclass(frozen=True, slots=True)
class Assignment:
    """One member's task to give another feedback in one round, or what is left of it after the groups changed."""

    activity: Activity
    round: Round
    author_id: int
    recipient_id: int
    recipient_name: str | None
    group_id: int | None
    """None when the two no longer share a group: what was written stays readable, nothing new is taken."""
    due_at: datetime | None
    """The author's own due time."""
    course_ended_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Whether the round has begun."""
        return self.round.opens_at is None or self.round.opens_at <= now

    @property
    def minimum_notes(self) -> int:
        """How many notes the checklist asks for."""
        return Completion.from_json(self.activity.completion).minimum_notes

    @property
    def takes_texts(self) -> bool:
        """Whether anything may still be written, apart from the round having begun."""
        is_over = self.course_ended_at is not None
        return self.group_id is not None and rules.may_write(state=self.activity.state, is_course_over=is_over)


def find_assignment(
    session: Session, activity: Activity, round_number: int, author_id: int, recipient_id: int
) -> Assignment:
    """The task of this author for this receiver. Raises NotYourPartner when they never shared a group in the round."""
    own, other = aliased(Seat), aliased(Seat)
    row = session.execute(
        select(Round, Person.name, own.group_id, Allowance.due_at, Course.ended_at)
        .select_from(Round)
        .join(Member, Member.id == recipient_id)
        .join(Person, Person.id == Member.person_id)
        .join(Course, Course.id == Member.course_id)
        .outerjoin(Plan, and_(Plan.activity_id == Round.activity_id, Plan.state == "published"))
        .outerjoin(other, and_(other.plan_id == Plan.id, other.round_id == Round.id, other.member_id == recipient_id))
        .outerjoin(own, and_(own.group_id == other.group_id, own.member_id == author_id))
        .outerjoin(Allowance, and_(Allowance.round_id == Round.id, Allowance.member_id == author_id))
        .where(Round.activity_id == activity.id, Round.number == round_number, Course.id == activity.course_id)
    ).first()
    if row is None or author_id == recipient_id:
        raise NotYourPartner(round_number, author_id, recipient_id)
    round_, name, group_id, own_due_at, ended_at = row
    name = told_apart(session, activity.course_id, {recipient_id: name}, for_staff=False)[recipient_id]
    due_at = own_due_at or round_.due_at
    task = Assignment(activity, round_, author_id, recipient_id, name, group_id, due_at, ended_at)
    if group_id is None and find_feedback(session, task) is None:
        raise NotYourPartner(round_number, author_id, recipient_id)
    return task


def find_feedback(session: Session, task: Assignment) -> Feedback | None:
    """What the author wrote so far, or None."""
    return session.scalar(
        select(Feedback).where(
            Feedback.round_id == task.round.id,
            Feedback.author_id == task.author_id,
            Feedback.recipient_id == task.recipient_id,
        )
    )


def notes_of(session: Session, feedback: Feedback) -> list[Note]:
    """The author's notes in the order of their moments, those removed included."""
    return list(session.scalars(select(Note).where(Note.feedback_id == feedback.id).order_by(Note.at, Note.id)))


def rubric_id_of(task: Assignment, feedback: Feedback | None) -> int:
    """The version of the rubric that this feedback was begun with; the activity's own for one that is not begun."""
    return task.activity.rubric_id if feedback is None or feedback.rubric_id is None else feedback.rubric_id


def rubric_of(session: Session, rubric_id: int) -> Rubric:
    """The rubric with its criteria and levels."""
    return session.get_one(Rubric, rubric_id)


def levels_by_criterion(rubric: Rubric) -> dict[int, list[int]]:
    """Criteria and their levels by id, as the rules take them."""
    return {criterion.id: [level.id for level in criterion.levels] for criterion in rubric.criteria}


def draft_fields(feedback: Feedback | None, notes: Iterable[Note] = ()) -> dict[str, str]:
    """Every field of the form as its author last left it."""
    if feedback is None:
        return dict.fromkeys((*rules.TEXTS, rules.NOTE_DRAFT), "")
    fields = {name: str(getattr(feedback, name)) for name in (*rules.TEXTS, rules.NOTE_DRAFT)}
    fields |= {f"{rules.MARK}{criterion}": str(level) for criterion, level in feedback.marks.items()}
    fields |= {f"{rules.NOTE}{note.id}": note.text for note in notes}
    return fields | (feedback.correction or {})


def problems_of(session: Session, task: Assignment, feedback: Feedback | None) -> tuple[rules.Problem, ...]:
    """What keeps the feedback from being given as its draft stands. One that was given already is asked for no notes:
    they can be added to it as they come.
    """
    notes = [note for note in notes_of(session, feedback) if note.removed_at is None] if feedback is not None else []
    is_given = feedback is not None and feedback.submitted_at is not None
    return rules.problems_of(
        draft_fields(feedback, notes),
        levels_by_criterion(rubric_of(session, rubric_id_of(task, feedback))),
        notes=len(notes),
        minimum_notes=0 if is_given else task.minimum_notes,
    )


def find_answer_draft(session: Session, feedback_id: int) -> AnswerDraft | None:
    """An acknowledgement that was begun and not sent."""
    return session.scalar(select(AnswerDraft).where(AnswerDraft.feedback_id == feedback_id))


def answer_fields(draft: AnswerDraft | None, sent: Acknowledgement | None) -> dict[str, str]:
    """The fields of the acknowledgement as the receiver last left them."""
    fields = {"heard": "", "will_use": "", "usefulness": ""}
    if sent is not None:
        fields = {"heard": sent.heard, "will_use": sent.will_use, "usefulness": str(sent.usefulness or "")}
    return fields | (draft.fields if draft is not None else {})


@dataclass(frozen=True, slots=True)
class Shown:
    """Feedback that its reader may read."""

    feedback: Feedback
    activity: Activity
    round: Round
    author_name: str | None
    recipient_name: str | None
    is_released: bool
    is_late: bool
    acknowledgement: Acknowledgement | None
    course_ended_at: datetime | None

    @property
    def takes_answers(self) -> bool:
        """Whether its receiver may answer now."""
        is_over = self.course_ended_at is not None
        return self.is_released and rules.may_write(state=self.activity.state, is_course_over=is_over)


def moments_of(
    feedback: Feedback,
    counterpart_submitted_at: datetime | None,
    round_: Round,
    activity: Activity,
    course_ended_at: datetime | None,
) -> rules.Moments:
    """What decides whether this feedback is released. The end of its course is the activity's close as well."""
    closed_at = activity.closed_at or course_ended_at
    return rules.Moments(
        feedback.submitted_at, feedback.released_at, counterpart_submitted_at, round_.due_at, closed_at
    )


def read_feedback(session: Session, feedback_id: int, reader: rules.Reader, course_id: int, *, now: datetime) -> Shown:
    """One feedback of this course for this reader. Raises FeedbackHidden when there is none that they may see."""
    author, recipient = aliased(Member), aliased(Member)
    by, to, back = aliased(Person), aliased(Person), aliased(Feedback)
    row = session.execute(
        select(
            Feedback,
            back.submitted_at,
            Activity,
            Round,
            by.name,
            to.name,
            Acknowledgement,
            Allowance.due_at,
            Course.ended_at,
        )
        .select_from(Feedback)
        .join(Activity, Activity.id == Feedback.activity_id)
        .join(Course, Course.id == Activity.course_id)
        .join(Round, Round.id == Feedback.round_id)
        .join(author, author.id == Feedback.author_id)
        .join(by, by.id == author.person_id)
        .join(recipient, recipient.id == Feedback.recipient_id)
        .join(to, to.id == recipient.person_id)
        .outerjoin(back, _is_counterpart(back))
        .outerjoin(Acknowledgement, Acknowledgement.feedback_id == Feedback.id)
        .outerjoin(Allowance, and_(Allowance.round_id == Round.id, Allowance.member_id == Feedback.author_id))
        .where(Feedback.id == feedback_id, Activity.course_id == course_id)
    ).first()
    if row is None:
        raise FeedbackHidden(feedback_id)
    feedback, back_at, activity, round_, by_name, to_name, answer, own_due_at, ended_at = row
    is_released = rules.is_released(
        activity.release, moments_of(feedback, back_at, round_, activity, ended_at), now=now
    )
    if not rules.may_read(
        reader,
        author_id=feedback.author_id,
        recipient_id=feedback.recipient_id,
        is_given=feedback.submitted_at is not None,
        is_released=is_released,
        staff_read=activity.staff_read_feedback and feedback.is_open_to_staff,
    ):
        raise FeedbackHidden(feedback_id)
    late = rules.is_late(feedback.submitted_at, own_due_at or round_.due_at)
    named = {feedback.author_id: by_name, feedback.recipient_id: to_name}
    names = told_apart(session, course_id, named, for_staff=reader.member_id not in named)
    by_name, to_name = names[feedback.author_id], names[feedback.recipient_id]
    return Shown(feedback, activity, round_, by_name, to_name, is_released, late, answer, ended_at)


def _is_counterpart(back: Any) -> Any:
    """Joins what the receiver wrote to the author in the same round."""
    return and_(
        back.round_id == Feedback.round_id,
        back.author_id == Feedback.recipient_id,
        back.recipient_id == Feedback.author_id,
    )


@dataclass(frozen=True, slots=True)
class Exchange:
    """Both directions between a member and one partner in one round."""

    round: Round
    partner_id: int
    partner_name: str | None
    due_at: datetime | None
    """The member's own due time."""
    is_excused: bool
    is_current: bool
    """False when the groups have changed since and only what was written is left."""
    turn: int
    """The member's place in the group: 1 is observed first. 0 where they share no group any more."""
    partner_turn: int
    has_left: bool
    """Whether the partner takes part in the course no longer."""
    mine: Feedback | None
    theirs: Feedback | None
    is_theirs_released: bool
    is_mine_released: bool
    answer_to_theirs: Acknowledgement | None
    answer_to_mine: Acknowledgement | None

    @property
    def is_mine_given(self) -> bool:
        """Whether the member gave feedback to the partner."""
        return self.mine is not None and self.mine.submitted_at is not None

    @property
    def is_theirs_given(self) -> bool:
        """Whether the partner gave feedback, readable yet or not."""
        return self.theirs is not None and self.theirs.submitted_at is not None

    @property
    def is_mine_late(self) -> bool:
        """Whether the member gave it after the due time."""
        return self.mine is not None and rules.is_late(self.mine.submitted_at, self.due_at)


def exchanges_of(session: Session, activity: Activity, member_id: int, *, now: datetime) -> list[Exchange]:
    """The member's rounds and partners with what was written both ways, in the order of rounds; five queries."""
    own, other = aliased(Seat), aliased(Seat)
    seated = {
        (round_id, partner_id): (own_turn, partner_turn)
        for round_id, partner_id, own_turn, partner_turn in session.execute(
            select(own.round_id, other.member_id, own.turn, other.turn)
            .select_from(own)
            .join(Plan, and_(Plan.id == own.plan_id, Plan.state == "published", Plan.activity_id == activity.id))
            .join(other, and_(other.group_id == own.group_id, other.member_id != own.member_id))
            .where(own.member_id == member_id)
        )
    }
    written: dict[tuple[int, int, bool], tuple[Feedback, Acknowledgement | None]] = {}
    for feedback, answer in session.execute(
        select(Feedback, Acknowledgement)
        .select_from(Feedback)
        .outerjoin(Acknowledgement, Acknowledgement.feedback_id == Feedback.id)
        .where(
            Feedback.activity_id == activity.id,
            or_(Feedback.author_id == member_id, Feedback.recipient_id == member_id),
        )
    ):
        is_mine = feedback.author_id == member_id
        partner_id = feedback.recipient_id if is_mine else feedback.author_id
        written[feedback.round_id, partner_id, is_mine] = (feedback, answer)
    # A draft of a former partner stays theirs alone; it makes no line on anybody else's page.
    lines = set(seated) | {(r, p) for (r, p, mine), (one, _) in written.items() if mine or one.submitted_at is not None}
    rounds = {
        round_.id: (round_, allowance)
        for round_, allowance in session.execute(
            select(Round, Allowance)
            .select_from(Round)
            .outerjoin(Allowance, and_(Allowance.round_id == Round.id, Allowance.member_id == member_id))
            .where(Round.activity_id == activity.id)
        )
    }
    people = _people(session, activity.course_id, {partner_id for _, partner_id in lines})
    ended_at = session.get_one(Course, activity.course_id).ended_at

    def is_released(one: Feedback | None, back: Feedback | None, round_: Round) -> bool:
        if one is None:
            return False
        moments = moments_of(one, back.submitted_at if back is not None else None, round_, activity, ended_at)
        return rules.is_released(activity.release, moments, now=now)

    found = []
    for round_id, partner_id in sorted(
        lines, key=lambda line: (rounds[line[0]][0].number, line not in seated, line[1])
    ):
        round_, allowance = rounds[round_id]
        mine, answer_to_mine = written.get((round_id, partner_id, True), (None, None))
        theirs, answer_to_theirs = written.get((round_id, partner_id, False), (None, None))
        turns = seated.get((round_id, partner_id))
        found.append(
            Exchange(
                round_,
                partner_id,
                people[partner_id][0],
                (allowance.due_at if allowance is not None else None) or round_.due_at,
                allowance is not None and allowance.is_excused,
                turns is not None,
                *(turns or (0, 0)),
                people[partner_id][1] != "active",
                mine,
                theirs,
                is_released(theirs, mine, round_),
                is_released(mine, theirs, round_),
                answer_to_theirs,
                answer_to_mine,
            )
        )
    return found


def _people(session: Session, course_id: int, member_ids: set[int]) -> dict[int, tuple[str | None, str]]:
    """Name, as other learners see it, and status by member."""
    rows = session.execute(
        select(Member.id, Person.name, Member.status)
        .join(Person, Person.id == Member.person_id)
        .where(Member.id.in_(member_ids))
    ).all()
    names = told_apart(session, course_id, {row.id: row.name for row in rows}, for_staff=False)
    return {row.id: (names[row.id], row.status) for row in rows}


def typical_levels(rubric: Rubric, exchanges: Iterable[Exchange]) -> list[tuple[Criterion, Level]]:
    """For each criterion the level in the middle of what partners chose; none where fewer than three people did."""
    received = [one for one in exchanges if one.theirs is not None and one.is_theirs_released]
    found = []
    for criterion in rubric.criteria:
        rank = {level.id: place for place, level in enumerate(criterion.levels)}
        chosen = [
            (one.partner_id, rank[level])
            for one in received
            if one.theirs is not None and (level := one.theirs.marks.get(str(criterion.id))) in rank
        ]
        middle = rules.typical_level(chosen)
        if middle is not None:
            found.append((criterion, criterion.levels[middle]))
    return found

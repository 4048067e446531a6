"""Report a text or what happened, set the text aside, decide, and tell both people."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Allowance, Round
from lti_tool.activities.rules import Step, kind_of
from lti_tool.activities.service import completion_changed
from lti_tool.feedback import rules as feedback_rules
from lti_tool.feedback import service as feedback
from lti_tool.feedback.errors import FeedbackHidden
from lti_tool.feedback.models import Entry
from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.pairing import service as pairing
from lti_tool.reports import rules
from lti_tool.reports.errors import NothingToReport, NotModerator, ReportDecided, ReportHidden, ReportRefused
from lti_tool.reports.models import Report, ReportEvent
from lti_tool.reports.rules import Outcome
from lti_tool.rubrics import service as rubrics
from lti_tool.rubrics.rules import is_in_own_words

NEWS_FOR: Final = timedelta(days=21)
"""How long the first page of both people says what was decided."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report is about, and between whom."""

    activity: Activity
    round: Round
    entry: Entry | None
    step: Step | None
    """Of the entry; None where the report is about what happened."""
    reporter_id: int
    reported_id: int
    reported_name: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """A line of a report's history."""

    at: datetime
    by: str | None
    act: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report as staff see it."""

    report: Report
    round_number: int
    step: Step | None
    reporter_name: str | None
    reported_name: str | None
    events: tuple[Event, ...] = ()

    @property
    def passages(self) -> dict[str, dict[str, str]]:
        """The texts that staff can hide in part, cut into passages, by field of the step's form."""
        return rules.passages_of(_texts(self.report))


@dataclass(frozen=True, slots=True)
class News:
    """What the first page tells one of the two people about a report."""

    report_id: int
    entry_id: int | None
    round_number: int
    partner_id: int | None
    """Of the reporter; the author of a text is not told whose report it was."""
    partner_name: str | None
    is_reporter: bool
    outcome: str


# ---- reporting -------------------------------------------------------------------------------------------------------


def subject_of_text(session: Session, course_id: int, entry_id: int, member_id: int, *, now: datetime) -> Subject:
    """A text that this member received and can read, or has reported. Raises NothingToReport."""
    entry = session.scalar(
        select(Entry)
        .join(Activity, Activity.id == Entry.activity_id)
        .where(Entry.id == entry_id, Entry.recipient_id == member_id, Activity.course_id == course_id)
    )
    if entry is None or entry.author_id is None or entry.submitted_at is None:
        raise NothingToReport(entry_id)
    activity, round_ = session.get_one(Activity, entry.activity_id), session.get_one(Round, entry.round_id)
    step = kind_of(activity.kind).step(entry.step)
    if step is not None and step.is_answer:
        ended_at = session.get_one(Course, course_id).ended_at
        is_read = feedback.is_readable(entry, None, round_, activity, ended_at, now=now)
    else:
        is_read = _can_read(session, entry, course_id, now=now)
    if step is None or not (entry.withheld_at or is_read):
        raise NothingToReport(entry_id)
    name = _names(session, course_id, [entry.author_id], for_staff=False)[entry.author_id]
    return Subject(activity, round_, entry, step, member_id, entry.author_id, name)


def _can_read(session: Session, entry: Entry, course_id: int, *, now: datetime) -> bool:
    reader = feedback_rules.Reader(entry.recipient_id, is_staff=False)
    try:
        return feedback.read_entry(session, entry.id, reader, course_id, now=now).is_released
    except FeedbackHidden:
        return False


def subject_of_meeting(
    session: Session, activity: Activity, round_number: int, member_id: int, partner_id: int
) -> Subject:
    """What happened between two people who have, or had, a group in this round. Raises NothingToReport."""
    groups = pairing.published_groups(session, activity.id, member_id=member_id)
    round_ = session.scalar(select(Round).where(Round.activity_id == activity.id, Round.number == round_number))
    if round_ is None or not any(
        group.round_id == round_.id and partner_id in group.partners_of(member_id) for group in groups
    ):
        raise NothingToReport(partner_id)
    name = _names(session, activity.course_id, [partner_id], for_staff=False)[partner_id]
    return Subject(activity, round_, None, None, member_id, partner_id, name)


def find_report(session: Session, subject: Subject) -> Report | None:
    """The reporter's newest report about this, or None."""
    return session.scalar(
        select(Report)
        .where(
            Report.reporter_id == subject.reporter_id,
            Report.reported_id == subject.reported_id,
            Report.round_id == subject.round.id,
            Report.entry_id == (subject.entry.id if subject.entry is not None else None),
        )
        .order_by(Report.id.desc())
        .limit(1)
    )


def report(session: Session, subject: Subject, concern: str, words: str, *, by: int, now: datetime) -> Report:
    """Set the text aside for everybody but its author, and ask staff to decide. `by` is the reporter's person.

    Reported again while it is open, nothing changes. The dates of both people wait meanwhile. Raises ReportRefused.
    """
    if flaws := rules.flaws_of_report(concern, words, is_about_text=subject.entry is not None):
        raise ReportRefused(tuple(flaws))
    entry = subject.entry
    if entry is not None:
        entry = feedback.lock_entry(session, entry.id)
    before = find_report(session, subject)
    if before is not None and before.outcome == Outcome.OPEN:
        return before
    made = Report(
        activity_id=subject.activity.id,
        round_id=subject.round.id,
        entry_id=entry.id if entry is not None else None,
        reporter_id=subject.reporter_id,
        reported_id=subject.reported_id,
        concern=concern,
        words=feedback_rules.clean(words).strip(),
        original=feedback.withhold(entry, now=now) if entry is not None else {},
        opened_at=now,
    )
    if entry is not None:
        feedback.mark_read(session, entry, now=now)
    session.add(made)
    session.flush()
    _note(session, made, "reported", by=by, now=now)
    _look_again(session, made, now=now)
    return made


def take_back(session: Session, report: Report, *, by: int, now: datetime) -> None:
    """The reporter no longer wants it looked at: the text can be read again. Raises ReportDecided."""
    _settle(session, report, Outcome.TAKEN_BACK, by=by, now=now)
    _show(session, report, report.original)


# ---- for those who decide --------------------------------------------------------------------------------------------


def refuse_others(activity: Activity, role: str) -> None:
    """Raise NotModerator unless this role decides about reports of the activity."""
    if not rules.may_moderate(role, assistants_moderate=activity.assistants_moderate):
        raise NotModerator(activity.id)


def open_reports(session: Session, activity: Activity, role: str) -> int:
    """How many reports wait for a decision; 0 for a role that may not know."""
    if not rules.may_moderate(role, assistants_moderate=activity.assistants_moderate):
        return 0
    waiting = select(func.count()).where(Report.activity_id == activity.id, Report.outcome == Outcome.OPEN)
    return int(session.scalar(waiting) or 0)


def reports_of(session: Session, activity: Activity, role: str) -> list[ReportView]:
    """All reports of an activity, open ones first, then the newest. Raises NotModerator."""
    refuse_others(activity, role)
    rows = session.execute(
        select(Report, Round.number)
        .join(Round, Round.id == Report.round_id)
        .where(Report.activity_id == activity.id, Report.outcome != Outcome.TAKEN_BACK)
        .order_by(Report.outcome != Outcome.OPEN, Report.id.desc())
    ).all()
    return _views(session, activity, rows)


def read_report(
    session: Session, activity: Activity, role: str, report_id: int, *, by: int, now: datetime
) -> ReportView:
    """One report with its text and history, for whoever decides. That it was read is noted, once an hour a person.

    Raises NotModerator, ReportHidden.
    """
    refuse_others(activity, role)
    row = session.execute(
        select(Report, Round.number)
        .join(Round, Round.id == Report.round_id)
        .where(Report.id == report_id, Report.activity_id == activity.id, Report.outcome != Outcome.TAKEN_BACK)
    ).first()
    if row is None:
        raise ReportHidden(report_id)
    last = session.scalar(
        select(func.max(ReportEvent.at)).where(
            ReportEvent.report_id == report_id, ReportEvent.person_id == by, ReportEvent.act == "read"
        )
    )
    if last is None or now - last >= timedelta(hours=1):
        _note(session, row.Report, "read", by=by, now=now)
    (view,) = _views(session, activity, [row])
    events = session.execute(
        select(ReportEvent, Person.name)
        .join(Person, Person.id == ReportEvent.person_id)
        .where(ReportEvent.report_id == report_id)
        .order_by(ReportEvent.id)
    )
    history = tuple(Event(event.at, name, event.act) for event, name in events)
    return ReportView(view.report, view.round_number, view.step, view.reporter_name, view.reported_name, history)


def names_in_rubric(session: Session, report: Report) -> dict[str, str]:
    """What the rubric of a reported text calls its fields: each by its criterion."""
    entry = session.get(Entry, report.entry_id) if report.entry_id is not None else None
    if entry is None or entry.rubric_id is None:
        return {}
    questions = rubrics.questions_of(rubrics.rubric_of(session, entry.rubric_id))
    return {name: asked.draft.name for asked in questions for name in asked.names()}


def tell_author(session: Session, report: Report, *, by: int, now: datetime) -> None:
    """Let the author know that the text is under review. Said twice, it changes nothing. Raises ReportDecided."""
    if report.outcome != Outcome.OPEN:
        raise ReportDecided(report.id)
    if report.author_told_at is None:
        report.author_told_at = now
        _note(session, report, "told", by=by, now=now)


def decide(
    session: Session,
    report: Report,
    outcome: str,
    reason: str,
    passages: Collection[str] = (),
    *,
    seen_version: int,
    by: int,
    now: datetime,
) -> None:
    """Hide the text, hide passages of it, or restore it; both people learn it, with the reason.

    A decision can be changed later in the same way: the text as it was is kept. `seen_version` is the report's when the
    page was opened. Raises ReportRefused, ReportDecided where somebody else was quicker.
    """
    known = {key for parts in rules.passages_of(_texts(report)).values() for key in parts}
    hidden = sorted(set(passages) & known)
    if flaws := rules.flaws_of_decision(outcome, reason, hidden, is_about_text=report.entry_id is not None):
        raise ReportRefused(tuple(flaws))
    if report.version != seen_version or report.outcome == Outcome.TAKEN_BACK:
        raise ReportDecided(report.id)
    report.hidden = hidden if outcome == Outcome.PASSAGES_HIDDEN else []
    report.reason = feedback_rules.clean(reason).strip()
    _settle(session, report, Outcome(outcome), by=by, now=now, is_again=report.outcome != Outcome.OPEN)
    if outcome == Outcome.HIDDEN:
        _hide(session, report, now=now)
    else:
        _show(session, report, {**report.original, **rules.without(_texts(report), report.hidden)})


def _texts(report: Report) -> dict[str, str]:
    return {name: str(text) for name, text in report.original.items() if is_in_own_words(name, str(text))}


def _hide(session: Session, report: Report, *, now: datetime) -> None:
    if report.entry_id is not None:
        feedback.withhold(feedback.lock_entry(session, report.entry_id), now=now)


def _show(session: Session, report: Report, texts: Mapping[str, str]) -> None:
    if report.entry_id is not None:
        feedback.show_again(feedback.lock_entry(session, report.entry_id), texts)


def _settle(
    session: Session, report: Report, outcome: Outcome, *, by: int, now: datetime, is_again: bool = False
) -> None:
    """Close a report; both get the time that it took. A decision that is changed takes no time from anybody."""
    if report.outcome != Outcome.OPEN and not is_again:
        raise ReportDecided(report.id)
    if not is_again:
        _extend(session, report, by=by, now=now)
    report.outcome, report.decided_at = outcome, now
    _note(session, report, outcome, by=by, now=now)
    _look_again(session, report, now=now)


def _extend(session: Session, report: Report, *, by: int, now: datetime) -> None:
    round_ = session.get_one(Round, report.round_id)
    for member_id in (report.reporter_id, report.reported_id):
        own = session.scalar(select(Allowance).where(Allowance.round_id == round_.id, Allowance.member_id == member_id))
        due_at = (own.due_at if own is not None else None) or round_.due_at
        later = rules.paused(due_at, report.opened_at, now)
        if later == due_at:
            continue
        if own is None:
            own = Allowance(round_id=round_.id, member_id=member_id, given_by_id=by, given_at=now)
            session.add(own)
        own.due_at = later
    session.flush()


def _look_again(session: Session, report: Report, *, now: datetime) -> None:
    completion_changed(session, report.activity_id, {report.reporter_id, report.reported_id}, now=now)


def _note(session: Session, report: Report, act: str, *, by: int, now: datetime) -> None:
    session.add(ReportEvent(report_id=report.id, person_id=by, at=now, act=act))
    session.flush()


def _views(session: Session, activity: Activity, rows: Iterable[Any]) -> list[ReportView]:
    rows = list(rows)
    kind = kind_of(activity.kind)
    people = [member for row in rows for member in (row.Report.reporter_id, row.Report.reported_id)]
    names = _names(session, activity.course_id, people, for_staff=True)
    entries = [row.Report.entry_id for row in rows if row.Report.entry_id is not None]
    steps = {row.id: row.step for row in session.execute(select(Entry.id, Entry.step).where(Entry.id.in_(entries)))}
    return [
        ReportView(
            row.Report,
            row.number,
            kind.step(steps[row.Report.entry_id]) if row.Report.entry_id in steps else None,
            names[row.Report.reporter_id],
            names[row.Report.reported_id],
        )
        for row in rows
    ]


def _names(session: Session, course_id: int, members: Collection[int], *, for_staff: bool) -> dict[int, str | None]:
    if not members:
        return {}
    rows = session.execute(
        select(Member.id, Person.name)
        .join(Person, Person.id == Member.person_id)
        .where(Member.id.in_(members), Member.course_id == course_id)
    )
    return told_apart(session, course_id, {row.id: row.name for row in rows}, for_staff=for_staff)


# ---- what others ask -------------------------------------------------------------------------------------------------


def waiting_since(session: Session, activity_id: int) -> dict[tuple[int, int], datetime]:
    """Since when the dates of a member wait for a decision, by round number and member."""
    rows = session.execute(
        select(Round.number, Report.reporter_id, Report.reported_id, Report.opened_at)
        .join(Round, Round.id == Report.round_id)
        .where(Report.activity_id == activity_id, Report.outcome == Outcome.OPEN)
        .order_by(Report.opened_at.desc())
    )
    return {(row.number, who): row.opened_at for row in rows for who in (row.reporter_id, row.reported_id)}


def report_for_author(session: Session, course_id: int, entry_id: int, member_id: int) -> Report:
    """The newest report of a text for its author, once staff told them about it or decided. Raises NothingToReport."""
    report = session.scalar(
        select(Report)
        .join(Activity, Activity.id == Report.activity_id)
        .where(
            Report.entry_id == entry_id,
            Report.reported_id == member_id,
            Report.outcome != Outcome.TAKEN_BACK,
            Activity.course_id == course_id,
        )
        .order_by(Report.id.desc())
        .limit(1)
    )
    if report is None or not (report.author_told_at or report.outcome != Outcome.OPEN):
        raise NothingToReport(entry_id)
    return report


def news_of(session: Session, activity: Activity, member_id: int, *, now: datetime) -> list[News]:
    """What a member's first page says about reports of theirs, and of texts of theirs where they know about it."""
    rows = session.execute(
        select(Report, Round.number)
        .join(Round, Round.id == Report.round_id)
        .where(
            Report.activity_id == activity.id,
            or_(Report.reporter_id == member_id, Report.reported_id == member_id),
            Report.outcome != Outcome.TAKEN_BACK,
            or_(Report.decided_at.is_(None), Report.decided_at > now - NEWS_FOR),
        )
        .order_by(Report.id)
    ).all()
    known = [
        (report, number)
        for report, number in rows
        if report.reporter_id == member_id
        or (report.entry_id is not None and (report.author_told_at or report.outcome != Outcome.OPEN))
    ]
    members = [report.reported_id for report, _ in known] + [report.reporter_id for report, _ in known]
    names = _names(session, activity.course_id, members, for_staff=False)
    return [
        News(
            report.id,
            report.entry_id,
            number,
            report.reported_id if report.reporter_id == member_id else None,
            names[report.reported_id] if report.reporter_id == member_id else None,
            report.reporter_id == member_id,
            report.outcome,
        )
        for report, number in known
    ]


def texts_of(session: Session, members: Collection[int]) -> list[dict[str, Any]]:
    """What these members reported, and what was decided about texts of theirs, as plain values for their export."""
    rows = session.execute(
        select(Report, Activity.title, Round.number)
        .join(Activity, Activity.id == Report.activity_id)
        .join(Round, Round.id == Report.round_id)
        .where(or_(Report.reporter_id.in_(members), Report.reported_id.in_(members)))
        .order_by(Report.id)
    )
    return [
        {
            "activity": title,
            "round": number,
            "direction": "given" if report.reporter_id in members else "received",
            "at": report.opened_at.isoformat(),
            "outcome": report.outcome,
            "reason": report.reason,
            **({"concern": report.concern, "words": report.words} if report.reporter_id in members else {}),
        }
        for report, title, number in rows
        if report.reporter_id in members or report.decided_at is not None
    ]


def erase_texts_of(session: Session, members: Collection[int]) -> None:
    """Remove the words of reporters; what they reported, and what was decided, stays the course's record."""
    session.execute(
        update(Report)
        .where(Report.reporter_id.in_(members))
        .values(words="")
        .execution_options(synchronize_session=False)
    )

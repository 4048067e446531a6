"""The first page of a visit: for learners the next step, for staff what needs their attention."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import and_, case, func, select

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import Kind, ReflectionDays, Step, kind_for, why_not_ready
from lti_tool.activities.service import activity_of, chosen_instead, open_activities, rounds_of
from lti_tool.attributes import service as attributes
from lti_tool.certificates import service as certificates
from lti_tool.errors import N_, NotFound
from lti_tool.feedback import service as feedback
from lti_tool.feedback.service import Exchange
from lti_tool.feedback.wording import labeled
from lti_tool.goals import service as goals
from lti_tool.grades.models import LineItem, ScoreState
from lti_tool.grades.service import ledger as grades
from lti_tool.launch.models import Course, CourseRole, Member, Person
from lti_tool.meetings import service as meetings
from lti_tool.meetings import wording as meeting_words
from lti_tool.meetings.wording import ShownMeeting
from lti_tool.pairing import service as pairing
from lti_tool.pairing.rules.views import RULE_REASONS, Alone, Cause, GroupView, Unplaced
from lti_tool.practices import service as practices
from lti_tool.programmes import service as programmes
from lti_tool.programmes.models import Programme
from lti_tool.progress import service as progress
from lti_tool.progress.rules import Item, Progress, State, WaitsFor, why_held
from lti_tool.reminders import service as reminders
from lti_tool.reminders.rules import News, Rule, Waiting, waiting_for
from lti_tool.reports import service as reports
from lti_tool.reports import wording as report_words
from lti_tool.roster import service as roster
from lti_tool.roster.service import links
from lti_tool.roster.service.members import unlisted
from lti_tool.surveys import rules as surveys
from lti_tool.surveys.service import answers_of
from lti_tool.web.access import Here, on_visit
from lti_tool.web.i18n import zone_of_reader
from lti_tool.web.kept import kept_texts_of
from lti_tool.web.pages import offer_tab
from lti_tool.web.visits import VisitKind
from lti_tool.workspace.checkup import LASTS
from lti_tool.workspace.programmes import path_of
from lti_tool.workspace.setup import is_in_use

pages = Blueprint("home", __name__)


class Do(StrEnum):
    """What the first sentence of a learner's page asks for, or says."""

    GIVE = "give"
    ADD_NOTES = "notes"
    READ = "read"
    WAIT_FOR_PARTNER = "partner"
    WAIT_FOR_OPENING = "opening"
    WAIT_FOR_FEEDBACK = "feedback"
    WAIT_FOR_RELEASE = "release"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Now:
    """The next step, and the people it concerns."""

    do: Do
    item: Item | None = None
    exchange: Exchange | None = None
    round: Round | None = None
    step: Step | None = None
    """The step to open: for notes that are asked for, the step in which they are written."""


@dataclass(frozen=True, slots=True)
class Together:
    """What a learner is told of why they have these partners, in rounds that are not over."""

    number: int = 0
    """The round that the sentences are about: the first that is not over."""
    sentences: tuple[str, ...] = ()
    moves: Mapping[int, Cause] = field(default_factory=dict)
    """For each round with other partners than first planned, the cause."""


WAITS: Final = {
    WaitsFor.PARTNER: Do.WAIT_FOR_PARTNER,
    WaitsFor.OPENING: Do.WAIT_FOR_OPENING,
    WaitsFor.FEEDBACK: Do.WAIT_FOR_FEEDBACK,
    WaitsFor.OWN_FEEDBACK: Do.WAIT_FOR_RELEASE,
    WaitsFor.INSTRUCTOR: Do.WAIT_FOR_RELEASE,
    WaitsFor.RELEASE: Do.WAIT_FOR_RELEASE,
    WaitsFor.STEP: Do.NOTHING,
    WaitsFor.ROUND: Do.NOTHING,
}


NOT_ALONE: Final[Mapping[int, Alone]] = {}
OTHERS_EACH_ROUND: Final = N_("Partners change from round to round.")
"""The sentence for learners if no rule and no wish is the reason."""


@pages.get("/")
@on_visit(kinds=frozenset(VisitKind))
def show(here: Here) -> ResponseReturnValue:
    """The page that a launch opens."""
    match here.visit.kind:
        case VisitKind.PLACING:
            return redirect(url_for("setup.show"), code=303)
        case VisitKind.INSTITUTION:
            return redirect(url_for("administration.confirm"), code=303)
        case VisitKind.REVIEW:
            return _review(here)
        case _:
            return _activity(here)


def _activity(here: Here) -> ResponseReturnValue:
    activity = activity_of(here.session, here.placement_id)
    course = here.session.get_one(Course, here.course_id)
    if here.is_staff and activity is not None:
        return _staff(here, activity, course)
    if here.is_instructor:
        return redirect(url_for("setup.show"), code=303)
    if here.role == CourseRole.OBSERVER:
        return render_template("home/look.html", activity=activity)
    if activity is None or why_not_ready(activity.state) is not None:
        return render_template("home/not_ready.html", activity=activity)
    return _preview(here, activity, course) if here.is_preview else _learner(here, activity, course)


@pages.post("/also/<int:activity_id>")
@on_visit()
def also(here: Here, activity_id: int) -> ResponseReturnValue:
    """Another activity of the same course, in a tab of its own."""
    activity = next((one for one in open_activities(here.session, here.course_id) if one.id == activity_id), None)
    if activity is None or not _may_enter(here, activity):
        raise NotFound("activity", activity_id)
    return offer_tab(here, VisitKind.ACTIVITY, activity.placement_id)


def _review(here: Here) -> ResponseReturnValue:
    """What a platform's grade page opens: one learner's progress for staff, one's own feedback for a learner."""
    if not here.is_staff:
        return redirect(url_for("feedback.received"), code=303)
    member_id = here.session.scalar(
        select(Member.id)
        .join(Person, Person.id == Member.person_id)
        .where(
            Member.course_id == here.course_id,
            Person.registration_id == here.visit.registration_id,
            Person.sub == here.visit.details.get("reviewed_sub"),
        )
    )
    if member_id is None:
        return render_template("home/unknown_learner.html")
    return redirect(url_for("progress.show_learner", member_id=member_id), code=303)


def _learner(here: Here, activity: Activity, course: Course) -> ResponseReturnValue:
    member_id = here.member_id or 0
    rounds = rounds_of(here.session, activity.id)
    kind = kind_for(activity)
    groups = pairing.published_groups(here.session, activity.id, member_id=member_id)
    exchanges = labeled(feedback.exchanges_of(here.session, activity, member_id, now=here.now, groups=groups))
    done, tasks = progress.progress_and_tasks_of(here.session, activity.id, member_id, here.now, groups)
    is_read_only = activities.is_read_only(here.session, activity)
    together = why_together(here, activity, member_id) if not is_read_only else Together()
    between = _between(here, activity, member_id)
    own = goals.own_board(here.session, here.course_id, member_id, zone=zone_of_reader(activity.time_zone))
    grouped = {exchange.round.id for exchange in exchanges if exchange.is_current}
    has_begun = any(one.mine for one in exchanges)
    asks_why = not is_read_only and any(round_.id not in grouped for round_ in rounds)
    alone = pairing.why_alone(here.session, activity, member_id, now=here.now) if asks_why else {}
    is_absent = Alone.ABSENT in alone.values()
    may_have_one = activity.certificate is not None or done.is_complete
    certificate = certificates.find(here.session, activity, member_id) if may_have_one else None
    beside = programmes.open_activities(here.session, here.course_id)
    path = path_of(here, beside.get(activity), activity, member_id, done, may_enter=_may_enter)
    now = what_now(kind, done, tasks, exchanges, rounds=rounds, alone=alone) if not is_read_only else None
    shown_meetings = _meetings(here, activity, member_id, is_read_only=is_read_only)
    return render_template(
        "home/learner.html",
        activity=activity,
        course=course,
        is_read_only=is_read_only,
        kind=kind,
        now=now,
        waiting=_waiting(kind, done, exchanges, shown_meetings, now, now=here.now),
        from_staff=reminders.shown_to(here.session, activity.id, member_id, now=here.now)
        if done.next is not None and not is_read_only
        else None,
        alone=alone,
        not_reached=meetings.not_reached_in(here.session, activity.id, member_id) if is_absent else frozenset(),
        notes=feedback.notes_between(here.session, activity, member_id),
        addresses=_addresses(here, exchanges),
        meetings=shown_meetings,
        report_news=[
            (news, _address_of(news)) for news in reports.news_of(here.session, activity, member_id, now=here.now)
        ],
        practice_news=practices.news_of(here.session, here.course_id, member_id, now=here.now),
        for_reporter=report_words.FOR_REPORTER,
        for_author=report_words.FOR_AUTHOR,
        rounds=[(one, [each for each in exchanges if each.round.id == one.id]) for one in rounds],
        task_items={
            (one.round.number, one.partner_id): tasks_with(one, tasks, kind, activity.release) for one in exchanges
        },
        partners={one.partner_id: one.partner_name for one in exchanges}
        | {item.partner_id: gettext("your group") for item in done.items if (item.partner_id or 0) < 0},
        pools={one.round.number: one for one in feedback.pools_of(here.session, activity, member_id, now=here.now)},
        own_rounds={one.round.number for one in exchanges if one.is_current},
        readable=sum(one.to_read(step) is not None for one in exchanges for step in kind.steps if not step.is_answer),
        goals=own,
        **between,
        has_own_work=any(one.mine or one.received() for one in exchanges)
        or bool(own.goals or own.actions or own.ended or between["occasions"] or certificate),
        progress=done,
        is_new="joined" in together.moves.values() and not has_begun,
        together=together,
        survey=_survey(here, activity, rounds, done, has_begun=has_begun) if not is_read_only else None,
        score=grades.own_state(here.session, activity.id, member_id),
        certificate=certificate,
        path=path,
        has_something=now is not None and now.do in {Do.GIVE, Do.ADD_NOTES, Do.READ},
        others=_may_enter_of(here, activity, (one for one in beside if path is None or one.id not in path.ids)),
        kept=len(kept_texts_of(here.session, here.person_id, here.course_id)),
        about=attributes.asks(here.session, member_id, here.course_id),
        is_planned=is_read_only
        or bool(exchanges)
        or pairing.find_plan(here.session, activity.id, "published") is not None,
        said=request.args.get("said"),
    )


def _survey(
    here: Here, activity: Activity, rounds: Sequence[Round], done: Progress, *, has_begun: bool
) -> surveys.Moment | None:
    """Which answers the learner is asked for now, if the activity asks before and after."""
    if activity.survey is None:
        return None
    due = [round_.due_at for round_ in rounds]
    return surveys.asked_now(
        answers_of(here.session, activity, here.member_id or 0),
        first_due=due[0] if due else None,
        last_due=due[-1] if due else None,
        has_begun=has_begun,
        is_complete=done.is_complete,
        now=here.now,
    )


def _between(here: Here, activity: Activity, member_id: int) -> dict[str, Any]:
    """What the learner wrote between meetings, and whether today is a day on which they are asked to."""
    days = ReflectionDays.from_json(activity.reflection_days)
    asks = kind_for(activity).between is not None
    occasions = feedback.occasions_of(here.session, activity.id, member_id) if asks else []
    zone = zone_of_reader(activity.time_zone)
    last_on = occasions[0].created_at.astimezone(zone).date() if occasions else None
    today = here.now.astimezone(zone).date()
    return {
        "occasions": occasions,
        "is_asked": days is not None and days.asks_on(today, last_written_on=last_on),
        "reflection_after": days.after if days is not None else "",
    }


def _waiting(
    kind: Kind,
    done: Progress,
    exchanges: Sequence[Exchange],
    shown_meetings: Mapping[int, ShownMeeting],
    next_step: Now | None,
    *,
    now: datetime,
) -> list[Waiting]:
    """What waits for a learner besides the next step, in the words of letters; partners who wait stand above it."""
    if next_step is None:
        return []
    answers = {step.key for step in kind.steps if step.is_answer}
    unread: Counter[int] = Counter()
    for exchange in exchanges:
        if not (next_step.do is Do.READ and next_step.exchange is exchange):
            unread[exchange.round.number] += sum(
                text.read_at is None and text.step not in answers for text in exchange.received()
            )
    times = {number: [time.id for time in one.answers_wanted] for number, one in shown_meetings.items()}
    waiting = waiting_for(done, unread, News(times, {}), now=now)
    number = next_step.round.number if next_step.round is not None else None
    return [one for one in waiting if one.round != number or one.rule not in {Rule.OVERDUE, Rule.DUE_SOON}]


def _address_of(news: reports.News) -> str:
    if news.entry_id is None:
        return url_for("reports.report_meeting", number=news.round_number, member_id=news.partner_id)
    return url_for("reports.report_text" if news.is_reporter else "reports.review", feedback_id=news.entry_id)


def _meetings(here: Here, activity: Activity, member_id: int, *, is_read_only: bool) -> dict[int, ShownMeeting]:
    """How the learner's meetings stand, by round number."""
    zone = zone_of_reader(activity.time_zone)
    nudges = meetings.nudges_of(here.session, activity, member_id)
    return {
        number: meeting_words.shown(view, member_id, zone, nudges, now=here.now, is_read_only=is_read_only)
        for number, view in meetings.of_member(here.session, activity, member_id, now=here.now).items()
    }


def _addresses(here: Here, exchanges: Sequence[Exchange]) -> dict[tuple[int, int], str]:
    """Where present partners can be reached until the learner's own due time, by row of the round and partner."""
    present = [one for one in exchanges if one.is_current and not (one.due_at and one.due_at < here.now)]
    asked = {one.partner_id for one in present if one.partner_id is not None}
    known = feedback.addresses_of(here.session, here.visit.institution_id, asked)
    return {(one.round.id, one.partner_id): known[one.partner_id] for one in present if one.partner_id in known}


def why_together(here: Here, activity: Activity, member_id: int) -> Together:
    """The reasons why the learner has these partners, as far as they are true of all of them and harmless."""
    groups = pairing.published_groups(here.session, activity.id, member_id=member_id)
    coming = [one for one in groups if one.due_at is None or one.due_at > here.now]
    if not coming:
        return Together()
    words = pairing.why_matched(here.session, activity, coming[0], member_id)
    if not words and _have_partners_changed(groups, coming[0], member_id):
        words = (OTHERS_EACH_ROUND,)
    open_rounds = {one.round_number for one in coming}
    moves = pairing.moves_of(here.session, member_id, activity.id)
    return Together(
        coming[0].round_number,
        tuple(gettext(sentence) for sentence in words),
        {number: cause for number, cause in moves.items() if number in open_rounds},
    )


def _have_partners_changed(groups: Sequence[GroupView], now: GroupView, member_id: int) -> bool:
    """Whether the partners in this round differ from those in the round before it."""
    before = [one for one in groups if one.round_number < now.round_number]
    if not before or now.left.issuperset(now.partners_of(member_id)):
        return False
    return set(before[-1].members) != set(now.members)


def _preview(here: Here, activity: Activity, course: Course) -> ResponseReturnValue:
    return render_template(
        "home/preview.html",
        activity=activity,
        kind=kind_for(activity),
        course=course,
        rounds=rounds_of(here.session, activity.id),
        is_read_only=activities.is_read_only(here.session, activity),
    )


def what_now(
    kind: Kind,
    done: Progress,
    tasks: Progress,
    exchanges: Sequence[Exchange],
    *,
    rounds: Sequence[Round],
    alone: Mapping[int, Alone] = NOT_ALONE,
) -> Now:
    """The next step by the checklist; a step that does not count is proposed only if none that counts is left.

    `tasks` also holds the steps that the checklist does not ask for.
    """
    by_place = {(one.round.number, one.partner_id): one for one in exchanges}
    by_number = {one.number: one for one in rounds}
    todo = done.next or _answer_not_asked_for(done, tasks)
    if todo is not None:
        exchange = by_place.get((todo.round, todo.partner_id))
        host = (kind.step(todo.step.part_of) if todo.step.part_of else None) or todo.step
        do = Do.READ if todo.step.is_answer else Do.GIVE
        if host is not todo.step and exchange is not None and exchange.given(host) is not None:
            do = Do.ADD_NOTES
        return Now(do, todo, exchange, by_number.get(todo.round), host)
    waiting: Item | None = done.waiting
    if waiting is None or waiting.waits_for is None:
        rounds_alone = [number for number, why in alone.items() if why is not Alone.OVER]
        if rounds_alone and not exchanges:
            # Also where nothing counts, nobody without a partner reads that there is nothing to do.
            return Now(Do.WAIT_FOR_PARTNER, round=by_number.get(rounds_alone[0]))
        return Now(Do.NOTHING)
    exchange = by_place.get((waiting.round, waiting.partner_id))
    return Now(WAITS[waiting.waits_for], waiting, exchange, by_number.get(waiting.round), waiting.step)


def _answer_not_asked_for(done: Progress, tasks: Progress) -> Item | None:
    """An answer that the learner can give although the checklist does not ask for it: the partner's text is worth
    reading.
    """
    asked = {(item.step, item.round, item.partner_id) for item in done.items}
    is_open = (item for item in tasks.items if item.step.is_answer and item.state is State.OPEN)
    return next((item for item in is_open if (item.step, item.round, item.partner_id) not in asked), None)


def tasks_with(exchange: Exchange, tasks: Progress, kind: Kind, release: str) -> list[Item]:
    """The steps of a member with one partner in one round, as the checklist has them.

    For a former partner: what was written, and an answer that can still be given.
    """
    place = (exchange.round.number, exchange.partner_id)
    if exchange.is_current or exchange.unnamed:
        return [item for item in tasks.items if (item.round, item.partner_id) == place]
    items = []
    for step in kind.steps:
        given_at = entry.submitted_at if (entry := exchange.given(step)) is not None else None
        state, waits = State.EXCUSED if given_at is None else State.DONE, None
        if step.is_owed_back and step.after in exchange.theirs:
            came = kind.step(step.after)
            if given_at is None and exchange.to_read(came) is not None:
                state = State.OPEN
            elif given_at is None:
                is_own_given = came is not None and exchange.given(came) is not None
                state, waits = State.WAITING, why_held(came, release, is_own_given=is_own_given)
        elif step.is_owed_back or step.key not in exchange.mine:
            continue
        due_at = None if step.is_owed_back else exchange.due_at
        items.append(Item(step, *place, state, counts=False, due_at=due_at, waits_for=waits, done_at=given_at))
    return items


def _may_enter_of(here: Here, activity: Activity, beside: Iterable[Activity]) -> list[Activity]:
    return [other for other in beside if other is not activity and _may_enter(here, other)]


def _may_enter(here: Here, activity: Activity) -> bool:
    """Whether the person may open another activity of the course. One that is not ready, hidden or restricted is for
    staff.
    """
    if here.is_staff:
        return True
    if why_not_ready(activity.state) is not None:
        return False
    access = links.access_to(here.session, activity.placement_id)
    return not access.is_hidden and here.member_id not in access.kept_out


def _staff(here: Here, activity: Activity, course: Course) -> ResponseReturnValue:
    access = links.access_to(here.session, activity.placement_id)
    plan = pairing.find_plan(here.session, activity.id, "published")
    summaries = progress.summaries_of_all(here.session, activity.id, here.now) if plan is not None else {}
    figures = {
        "learners": roster.count_learners(here.session, here.course_id, activity.placement_id),
        "kept_out": len(access.kept_out),
        "taking_part": len(summaries),
        "complete": sum(one.is_complete for one in summaries.values()),
        "given": sum(one.given for one in summaries.values()),
        "to_give": sum(one.to_give for one in summaries.values()),
        "behind": sum(one.behind_since is not None for one in summaries.values()),
    }
    unplaced = pairing.unplaced(here.session, activity, plan, now=here.now) if plan is not None else []
    beside = programmes.open_activities(here.session, here.course_id)
    programme_id = beside.get(activity)
    chosen = None
    if here.is_instructor and not here.is_preview:
        chosen = chosen_instead(here.session, activity, here.visit.details.get("activity"))
    return render_template(
        "home/staff.html",
        kind=kind_for(activity),
        is_hidden=access.is_hidden,
        chosen=chosen,
        is_in_use=chosen is not None and is_in_use(here.session, activity.id),
        activity=activity,
        course=course,
        not_ready=why_not_ready(activity.state),
        rounds=rounds_of(here.session, activity.id),
        plan=plan,
        draft=pairing.find_plan(here.session, activity.id, "draft"),
        sync=roster.latest(here.session, here.course_id),
        is_first_reading=roster.is_first_reading(here.session, here.course_id, now=here.now),
        doubt=roster.doubt(here.session, here.course_id),
        figures=figures,
        unplaced=len({one.member_id for one in unplaced if _can_be_placed(one)}),
        wishes=len(meetings.requests_in(here.session, activity.id)),
        unlisted=sum(one.is_taken_in is None for one in unlisted(here.session, here.course_id)),
        scores=_scores(here, activity),
        held=len(feedback.waiting_for_instructor(here.session, activity)),
        reports=reports.open_reports(here.session, activity, here.role),
        others=_may_enter_of(here, activity, beside),
        programme=here.session.get(Programme, programme_id) if programme_id is not None else None,
        kept=len(kept_texts_of(here.session, here.person_id, here.course_id)),
    )


def _can_be_placed(person: Unplaced) -> bool:
    """Whether staff can do something about it: nobody has looked for a group yet, or a rule could give way."""
    return person.reason is None or person.reason in RULE_REASONS


def _scores(here: Here, activity: Activity) -> dict[str, int]:
    """How many scores stand in each state. `late` are those that the platform has refused for a while."""
    is_late = and_(ScoreState.state == "waiting", ScoreState.waits_since < here.now - LASTS)
    state = case((is_late, "late"), else_=ScoreState.state)
    rows = here.session.execute(
        select(state, func.count())
        .join(LineItem, LineItem.id == ScoreState.line_item_id)
        .where(LineItem.activity_id == activity.id)
        .group_by(state)
    )
    return dict(rows.all())

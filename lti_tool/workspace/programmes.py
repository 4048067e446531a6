"""Programmes: one page over all their activities, their order and dates, copies for other courses, a learner's path."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.errors import ActivityReadOnly
from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import ActivityState, RoundDates, local_parts, why_not_ready
from lti_tool.activities.rules.rhythm import Week, WeeksUnreadable, read_weeks
from lti_tool.certificates import service as certificates
from lti_tool.certificates.errors import NotComplete
from lti_tool.certificates.models import Certificate
from lti_tool.errors import N_, NotFound
from lti_tool.launch.models import Course, Placement
from lti_tool.launch.rules.values import clean
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Group, Plan
from lti_tool.programmes import rules, service
from lti_tool.programmes.errors import ProgrammeChanged
from lti_tool.programmes.models import Programme
from lti_tool.programmes.rules import Flaw, Moved, Problem, Standing, Step, Timetable, Where
from lti_tool.programmes.service import Source, Stage
from lti_tool.progress import service as progress
from lti_tool.progress.rules import Item, Progress, Summary
from lti_tool.web import audit
from lti_tool.web.access import Here, on_visit
from lti_tool.workspace.setup import ACT, ACTIVITY, DESIGNING, PLACING, asked_by, leave, name_of

pages = Blueprint("programmes", __name__)

NAMES: Final = {"title": N_("Name of the program"), "free": N_("Free weeks")}
MOST_LISTED: Final = 50
LONGEST_FREE: Final = 500
FLAWS: Final[Mapping[Flaw, str]] = {
    Flaw.NOTHING_MOVES: N_("There is nothing to move: every round has begun, or has no dates."),
    Flaw.PAST: N_("“%(title)s”, round %(number)d, would lie in the past."),
    Flaw.BEFORE_BEGUN: N_("“%(title)s”, round %(number)d, would be due before a round that has begun."),
}


# ---- what a learner sees ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PathStep:
    """An activity as the path shows it to a learner."""

    activity: Activity
    where: Where
    is_here: bool
    may_open: bool
    opens_at: datetime | None
    next: Item | None
    """What there is to do in it."""


@dataclass(frozen=True, slots=True)
class Path:
    """A learner's way through a programme."""

    programme: Programme
    steps: tuple[PathStep, ...]
    certificate: Certificate | None
    is_certificate_due: bool

    @property
    def number(self) -> int:
        """The step at which the reader is, counted from 1."""
        return next(number for number, step in enumerate(self.steps, start=1) if step.is_here)

    @property
    def elsewhere(self) -> PathStep | None:
        """The step to go on with, where that is another activity and there is something to do in it."""
        current = next((step for step in self.steps if step.where is Where.NOW), None)
        return current if current is not None and current.next is not None and not current.is_here else None

    @property
    def ids(self) -> set[int]:
        """The activities that are on it."""
        return {step.activity.id for step in self.steps}


def path_of(
    here: Here,
    programme_id: int | None,
    activity: Activity,
    member_id: int,
    done: Progress,
    *,
    may_enter: Callable[[Here, Activity], bool],
) -> Path | None:
    """The path of a learner, where the activity belongs to a programme.

    An activity that is hidden from them, or whose link is gone, is left out; one that is not ready yet is coming.
    `done`: how they stand in this activity.
    """
    if programme_id is None:
        return None
    programme = here.session.get_one(Programme, programme_id)
    standings: list[Standing] = []
    steps: list[dict[str, Any]] = []
    is_all_done = True
    for stage in service.stages_of(here.session, programme.id):
        step = stage.activity
        is_ready = stage.placement is not None and why_not_ready(step.state) is None
        if stage.is_gone or (is_ready and step is not activity and not may_enter(here, step)):
            continue
        opens_at = next((row.opens_at for row in activities.rounds_of(here.session, step.id)), None)
        is_open = is_ready and (opens_at is None or opens_at <= here.now)
        is_over = activities.is_read_only(here.session, step)
        stands = done if step is activity else None
        if stands is None and is_ready:
            stands = progress.progress_of(here.session, step.id, member_id, here.now)
        has_done = stands is not None and (stands.is_complete or stands.is_excused_from_all)
        todo = stands.next if stands is not None and is_open and not is_over else None
        standings.append(Standing(is_open, is_over, has_done, todo is not None))
        is_all_done &= has_done or not stage.counts
        steps.append(
            {
                "activity": step,
                "is_here": step is activity,
                "may_open": is_ready,
                "opens_at": None if is_open else opens_at,
                "next": todo,
            }
        )
    shown = zip(steps, rules.places_on(standings), strict=True)
    certificate = certificates.find(here.session, programme, member_id)
    return Path(
        programme,
        tuple(PathStep(where=where, **step) for step, where in shown),
        certificate,
        certificate is None and is_all_done and _is_certificate_due(here, programme, member_id),
    )


def _is_certificate_due(here: Here, programme: Programme, member_id: int) -> bool:
    try:
        certificates.content_for(here.session, programme, member_id, now=here.now)
    except NotComplete:
        return False
    return True


# ---- one page over all activities ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """An activity of a programme as staff see it."""

    stage: Stage
    state: str
    """A word for the page, and in `number` or `when` what belongs to it."""
    number: int = 0
    when: datetime | None = None
    summaries: Mapping[int, Summary] = field(default_factory=dict)

    @property
    def complete(self) -> int:
        """How many have done all that counts."""
        return sum(one.is_complete for one in self.summaries.values())

    @property
    def behind(self) -> int:
        """How many are past a due date."""
        return sum(one.behind_since is not None for one in self.summaries.values())


@pages.get("/programmes")
@on_visit(may="see progress")
def show_all(here: Here) -> ResponseReturnValue:
    """The programmes of the course; for instructors also a form for another one, and those that can be copied."""
    return _list(here)


@pages.post("/programmes")
@on_visit(may=ACT)
def make(here: Here) -> ResponseReturnValue:
    """Make a program of the ticked activities."""
    _refuse_ended(here)
    title = _title()
    suggested = service.suggestion(here.session, here.course_id)
    chosen = [one for one in suggested.activities if str(one.id) in _ticked()]
    problem = _problem_of(title) or (("activity", gettext("Tick at least one activity.")) if not chosen else None)
    if problem is not None:
        return _list(here, title=title, problem=problem), 422
    steps = [Step(one.id) for one in chosen]
    programme = service.make(here.session, here.course_id, title, steps, by=here.person_id, now=here.now)
    return redirect(url_for(".show", programme_id=programme.id, said="made"), code=303)


@pages.get("/programmes/<int:programme_id>")
@on_visit(may="see progress")
def show(here: Here, programme_id: int) -> ResponseReturnValue:
    """Every activity of a programme with its state, and who is behind over all of them."""
    return _overview(here, service.programme_in(here.session, here.course_id, programme_id))


@pages.post("/programmes/<int:programme_id>")
@on_visit(may=ACT)
def change(here: Here, programme_id: int) -> ResponseReturnValue:
    """Handle any button on that page: name and choices, order, undo, and opening what was copied."""
    _refuse_ended(here)
    programme = service.programme_in(here.session, here.course_id, programme_id)
    wish, _, what = request.form.get("do", "save").partition(":")
    at: dict[str, Any] = {
        "expected_version": request.form.get("version", 0, type=int),
        "by": here.person_id,
        "now": here.now,
    }
    said = "arranged"
    try:
        match wish:
            case "save":
                title = _title()
                if (problem := _problem_of(title)) is not None:
                    return _overview(here, programme, title=title, problem=problem), 422
                at["gives_certificate"], at["is_offered"] = (
                    name in request.form for name in ("gives_certificate", "is_offered")
                )
                service.describe(here.session, programme, title=title, **at)
                said = "saved"
            case "undo":
                said = _undo(here, programme, at)
            case "open":
                said = _open_all(here, programme)
            case _:
                number = int(what) if what.isdecimal() and len(what) < 10 else request.form.get("activity", 0, type=int)
                before = [Step(one.activity.id, one.counts) for one in service.stages_of(here.session, programme.id)]
                after = arranged(before, wish, number)
                if after != before:
                    service.arrange(here.session, programme, after, **at)
                said = "dissolved" if wish == "dissolve" else said
    except ProgrammeChanged:
        here.session.refresh(programme)
        return _overview(here, programme, is_changed=True), 409
    return redirect(url_for(".show", programme_id=programme.id, said=said), code=303)


def arranged(steps: Sequence[Step], wish: str, activity_id: int) -> list[Step]:
    """The steps after a button was pressed. One that means nothing now changes nothing."""
    after = list(steps)
    place = next((number for number, one in enumerate(after) if one.activity_id == activity_id), None)
    match wish:
        case "dissolve":
            return []
        case "add" if place is None and activity_id:
            after.append(Step(activity_id))
        case "remove" if place is not None:
            del after[place]
        case "counts" if place is not None:
            after[place] = Step(activity_id, not after[place].counts)
        case "up" if place:
            after[place - 1], after[place] = after[place], after[place - 1]
        case "down" if place is not None and place + 1 < len(after):
            after[place + 1], after[place] = after[place], after[place + 1]
    return after


def _undo(here: Here, programme: Programme, at: Mapping[str, Any]) -> str:
    is_of_dates = "dates" in (programme.before or {})
    is_all = service.undo(here.session, programme, _worked_in(here.session, programme), **at)
    if is_of_dates:
        _record(here, programme, "programme dates moved back")
    return "undone" if is_all else "undone_partly"


def _open_all(here: Here, programme: Programme) -> str:
    for stage in service.stages_of(here.session, programme.id):
        if stage.placement is not None and stage.activity.state == ActivityState.UNCONFIRMED:
            activities.confirm(here.session, stage.activity, by=here.person_id, now=here.now)
    return "opened"


def _list(here: Here, *, title: str = "", problem: tuple[str, str] | None = None) -> str:
    listed = service.programmes_of(here.session, here.course_id)
    suggested = service.suggestion(here.session, here.course_id)
    return render_template(
        "programmes/list.html",
        listed=[(one, service.stages_of(here.session, one.id)) for one in listed],
        free=suggested.activities if _may_change(here) else [],
        to_copy=service.to_copy(here.session, here.course_id, here.person_id) if _may_change(here) else [],
        may_change=_may_change(here),
        title=title or suggested.title,
        ticked=_ticked() or suggested.copies,
        problems=[problem] if problem is not None else [],
    )


def _overview(
    here: Here,
    programme: Programme,
    *,
    title: str | None = None,
    problem: tuple[str, str] | None = None,
    is_changed: bool = False,
) -> str:
    stages = service.stages_of(here.session, programme.id)
    planned = pairing.with_published_plan(here.session, [one.activity.id for one in stages])
    rows = [_row(here, stage, has_plan=stage.activity.id in planned) for stage in stages]
    behind: dict[int, list[str]] = {}
    for row in rows:
        for member_id, summary in row.summaries.items():
            if summary.behind_since is not None:
                behind.setdefault(member_id, []).append(row.stage.activity.title)
    own = activities.activity_of(here.session, here.placement_id)
    return render_template(
        "programmes/show.html",
        programme=programme,
        title=programme.title if title is None else title,
        rows=rows,
        own_id=own.id if own is not None else None,
        behind=behind,
        people=list(progress.learners(here.session, behind).values()),
        most=MOST_LISTED,
        free=service.free_activities(here.session, here.course_id) if _may_change(here) else [],
        may_change=_may_change(here),
        changed_by=name_of(here.session, programme.changed_by_id),
        is_changed=is_changed,
        to_open=sum(one.placement is not None and one.activity.state == ActivityState.UNCONFIRMED for one in stages),
        to_place=sum(one.placement is None for one in stages),
        problems=[problem] if problem is not None else [],
    )


def _row(here: Here, stage: Stage, *, has_plan: bool) -> Row:
    activity, number, when = stage.activity, 0, None
    rounds = activities.rounds_of(here.session, activity.id)
    current = next((one for one in rounds if one.due_at is None or one.due_at > here.now), None)
    if stage.placement is None:
        state = "not_placed"
    elif stage.is_gone:
        state = "gone"
    elif why_not_ready(activity.state) is not None:
        state = "not_ready"
    elif activity.state == ActivityState.CLOSED:
        state = "closed"
    elif not has_plan:
        state, when = "no_plan", current.opens_at if current is not None else None
    elif current is None:
        state = "over"
    else:
        number = current.number
        is_coming = current.opens_at is not None and current.opens_at > here.now
        state, when = ("opens", current.opens_at) if is_coming else ("running", current.due_at)
    counts_people = has_plan and state not in {"not_placed", "gone", "not_ready"}
    summaries = progress.summaries_of_all(here.session, activity.id, here.now) if counts_people else {}
    return Row(stage, state, number, when, summaries)


# ---- dates -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A move of dates as somebody typed it, and what it means."""

    how: str
    start: str
    weeks: str
    direction: str
    free: str
    day: date | None = None
    """The new start; None where nothing was asked for, or something is wrong."""
    free_weeks: frozenset[Week] = frozenset()
    problem: tuple[str, str] | None = None
    """The field, and what is wrong with it."""

    @property
    def fields(self) -> dict[str, str]:
        """What a form sends on."""
        return {
            "how": self.how,
            "start": self.start,
            "weeks": self.weeks,
            "direction": self.direction,
            "free": self.free,
        }


def _asked(path: Sequence[Timetable], programme: Programme, *, today: date) -> Asked:
    how, start, weeks, direction = (
        clean(request.values.get(name, "")) for name in ("how", "start", "weeks", "direction")
    )
    free = clean(request.values.get("free", programme.free_weeks), LONGEST_FREE)
    asked = Asked(how, start, weeks, direction, free)
    if not how:
        return asked
    before, problem = rules.first_day(path), None
    if how == "weeks":
        number = int(weeks) if weeks.isdecimal() and len(weeks) < 4 else -1
        if not 0 <= number <= rules.MOST_WEEKS:
            problem = ("weeks", gettext("Type a number of weeks from 0 to %(most)d.", most=rules.MOST_WEEKS))
        shift = timedelta(weeks=-number if direction == "earlier" else number)
        day = before + shift if before is not None and problem is None else None
    else:
        day = _day(start)
        if day is None or not today <= day <= today + timedelta(weeks=2 * rules.MOST_WEEKS):
            problem = ("start", gettext("Choose the day on which it starts, today or later."))
    if problem is not None:
        return replace(asked, problem=problem)
    try:
        free_weeks = read_weeks(free, near=day or today)
    except WeeksUnreadable as unreadable:
        words = gettext("“%(part)s” is no week. Write weeks like 44, 52–1 or 2027-02-15.", part=unreadable.part)
        return replace(asked, problem=("free", words))
    return replace(asked, day=day, free_weeks=free_weeks)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@pages.get("/programmes/<int:programme_id>/dates")
@on_visit(may=ACT)
def show_dates(here: Here, programme_id: int) -> ResponseReturnValue:
    """Ask how the dates should move, and show what they would be."""
    return _dates(here, service.programme_in(here.session, here.course_id, programme_id))


@pages.post("/programmes/<int:programme_id>/dates")
@on_visit(may=ACT)
def move_dates(here: Here, programme_id: int) -> ResponseReturnValue:
    """Move the dates as they were shown; if something has changed since, show them again."""
    _refuse_ended(here)
    programme = service.programme_in(here.session, here.course_id, programme_id)
    stages = service.stages_of(here.session, programme.id)
    path, asked = _move_asked_for(here, programme, stages)
    after = _after(path, asked, programme)
    if after is None or rules.problems_of(path, after.path, now=here.now):
        return _dates(here, programme), 422
    if request.form.get("seen") != _seen(programme, stages, path):
        return _dates(here, programme, is_changed=True), 409
    service.move(
        here.session,
        programme,
        path,
        after,
        free_weeks=asked.free,
        expected_version=programme.version,
        by=here.person_id,
        now=here.now,
    )
    _record(here, programme, "programme dates moved")
    return redirect(url_for(".show", programme_id=programme.id, said="moved"), code=303)


def _move_asked_for(here: Here, programme: Programme, stages: Sequence[Stage]) -> tuple[list[Timetable], Asked]:
    path = service.timetables_of(here.session, stages, _worked_in(here.session, programme), now=here.now)
    zone = stages[0].activity.time_zone if stages else "UTC"
    return path, _asked(path, programme, today=local_parts(here.now, zone)[0])


def _after(path: Sequence[Timetable], asked: Asked, programme: Programme) -> Moved | None:
    if asked.day is None:
        return None
    skipped = {(year, week) for year, week in programme.skipped_weeks}
    return rules.moved(path, asked.day, free=asked.free_weeks, skipped=skipped)


def _dates(here: Here, programme: Programme, *, is_changed: bool = False) -> str:
    stages = service.stages_of(here.session, programme.id)
    path, asked = _move_asked_for(here, programme, stages)
    after = _after(path, asked, programme)
    titles = {one.activity.id: one.activity.title for one in stages}
    nothing = rules.first_day(path) is None
    flaws = rules.problems_of(path, after.path if after is not None else path, now=here.now) if after or nothing else []
    return render_template(
        "programmes/dates.html",
        programme=programme,
        asked=asked,
        starts_on=rules.first_day(path),
        compared=_compared(path, after.path, titles) if after is not None else [],
        problems=[*filter(None, [asked.problem]), *_sentences(flaws, titles)],
        seen=_seen(programme, stages, path),
        is_changed=is_changed,
        nothing=nothing,
    )


def _compared(
    before: Sequence[Timetable], after: Sequence[Timetable], titles: Mapping[int, str]
) -> list[tuple[str, str, int, list[tuple[RoundDates, RoundDates]]]]:
    """Of each activity its title, time zone, how many rounds stay, and the dates of all rounds now and then."""
    return [
        (titles[old.activity_id], old.zone, old.begun, list(zip(old.rounds, new.rounds, strict=True)))
        for old, new in zip(before, after, strict=True)
    ]


def _sentences(flaws: Sequence[Problem], titles: Mapping[int, str]) -> list[tuple[str, str]]:
    return [
        ("dates", gettext(FLAWS[one.flaw], title=titles.get(one.activity_id, ""), number=one.round)) for one in flaws
    ]


def _seen(programme: Programme, stages: Sequence[Stage], path: Sequence[Timetable]) -> str:
    """What the dates on a page depend on, so that nobody confirms others than they saw."""
    versions = [f"{one.activity.id}-{one.activity.version}" for one in stages]
    return ".".join([str(programme.version), *versions, *(str(one.begun) for one in path)])


def _worked_in(session: Session, programme: Programme) -> dict[int, int]:
    """By activity the highest round in which a group has begun."""
    ids = [one.activity.id for one in service.stages_of(session, programme.id)]
    highest = (
        select(Plan.activity_id, func.max(Round.number))
        .join(Group, Group.plan_id == Plan.id)
        .join(Round, Round.id == Group.round_id)
        .where(Plan.activity_id.in_(ids), Plan.state == "published", Group.begun_at.is_not(None))
        .group_by(Plan.activity_id)
    )
    return dict(session.execute(highest).all())


# ---- copying and placing ---------------------------------------------------------------------------------------------


@pages.get("/programmes/<int:programme_id>/copy")
@on_visit(may=ACT, kinds=DESIGNING)
def show_copy(here: Here, programme_id: int) -> ResponseReturnValue:
    """Ask when the copy starts, and show what would come and what would not."""
    return _copy_form(here, service.source_for(here.session, here.course_id, here.person_id, programme_id))


@pages.post("/programmes/<int:programme_id>/copy")
@on_visit(may=ACT, kinds=DESIGNING)
def copy(here: Here, programme_id: int) -> ResponseReturnValue:
    """Copy the program to this course, as it was shown. Its activities still have to be placed."""
    _refuse_ended(here)
    source = service.source_for(here.session, here.course_id, here.person_id, programme_id)
    sources, asked = _copy_asked_for(here, source)
    coming = [one for one in sources if not one.is_kind_gone]
    if request.form.get("seen") != _seen_to_copy(source, sources):
        return _copy_form(here, source, is_changed=True), 409
    after = _after([one.timetable for one in coming], asked, source)
    if after is None or not coming:
        return _copy_form(here, source), 422
    made = service.copy(
        here.session,
        source,
        here.course_id,
        coming,
        after,
        free_weeks=asked.free,
        by=here.person_id,
        now=here.now,
    )
    _want_alike(here, made)
    _record(here, made, "programme copied")
    if activities.activity_of(here.session, here.placement_id) is None:
        return redirect(url_for("setup.show", _anchor=f"programme-{made.id}"), code=303)
    return redirect(url_for(".show", programme_id=made.id, said="copied"), code=303)


def _want_alike(here: Here, made: Programme) -> None:
    """Save what the copied activities want of groups, so that later changes of the originals do not reach them."""
    for stage in service.stages_of(here.session, made.id):
        wanted = pairing.preferences_of(here.session, stage.activity).preferences
        pairing.save_preferences(
            here.session, stage.activity.id, wanted, expected_version=0, by=here.person_id, now=here.now
        )


def _copy_asked_for(here: Here, source: Programme) -> tuple[list[Source], Asked]:
    sources = service.sources_of(here.session, source, here.course_id)
    path = [one.timetable for one in sources if not one.is_kind_gone]
    zone = path[0].zone if path else "UTC"
    return sources, _asked(path, source, today=local_parts(here.now, zone)[0])


def _copy_form(here: Here, source: Programme, *, is_changed: bool = False) -> str:
    sources, asked = _copy_asked_for(here, source)
    path = [one.timetable for one in sources if not one.is_kind_gone]
    after = _after(path, asked, source)
    titles = {one.activity.id: one.activity.title for one in sources}
    return render_template(
        "programmes/copy.html",
        programme=source,
        course=here.session.get_one(Course, source.course_id),
        sources=sources,
        asked=asked,
        compared=_compared(path, after.path, titles) if after is not None else [],
        problems=[*filter(None, [asked.problem])],
        seen=_seen_to_copy(source, sources),
        is_changed=is_changed,
        is_placing=here.visit.kind in PLACING,
    )


def _seen_to_copy(source: Programme, sources: Sequence[Source]) -> str:
    return ".".join([str(source.version), *(f"{one.activity.id}-{one.activity.version}" for one in sources)])


@pages.post("/programmes/<int:programme_id>/place")
@on_visit(may=ACT, kinds=PLACING)
def place(here: Here, programme_id: int) -> ResponseReturnValue:
    """Place every activity of a programme that has no link yet, in a dialog that takes several."""
    programme = service.programme_in(here.session, here.course_id, programme_id)
    waiting = dict(service.to_place(here.session, here.course_id)).get(programme, [])
    if not waiting or not asked_by(here).accepts_multiple:
        return redirect(url_for("setup.show"), code=303)
    return leave(here, *waiting, title=programme.title)


@pages.post("/programmes/<int:programme_id>/here/<int:activity_id>")
@on_visit(may=ACT, kinds=ACTIVITY)
def put_here(here: Here, programme_id: int, activity_id: int) -> ResponseReturnValue:
    """Put an activity of a programme that has no link yet at the one that was opened."""
    programme = service.programme_in(here.session, here.course_id, programme_id)
    waiting = dict(service.to_place(here.session, here.course_id)).get(programme, [])
    activity = next((one for one in waiting if one.id == activity_id), None)
    if activity is None or here.placement_id is None:
        raise NotFound("activity", activity_id)
    # If somebody else was quicker, the settings page shows what stands there now.
    activities.land(here.session, activity, here.session.get_one(Placement, here.placement_id))
    return redirect(url_for("setup.show"), code=303)


# ---- what all of these share -----------------------------------------------------------------------------------------


def _may_change(here: Here) -> bool:
    return here.is_instructor and here.session.get_one(Course, here.course_id).ended_at is None


def _refuse_ended(here: Here) -> None:
    if not _may_change(here):
        raise ActivityReadOnly(here.course_id)


def _title() -> str:
    return clean(request.form.get("title", ""), rules.LONGEST_TITLE + 1)


def _problem_of(title: str) -> tuple[str, str] | None:
    if not title:
        return "title", gettext("Give the program a name.")
    return ("title", gettext("Shorten the name to 255 characters.")) if len(title) > rules.LONGEST_TITLE else None


def _ticked() -> set[str]:
    return set(request.form.getlist("activity"))


def _record(here: Here, programme: Programme, what: str) -> None:
    audit.record(
        here.session,
        what,
        now=here.now,
        institution_id=here.visit.institution_id,
        course_id=here.course_id,
        person_id=here.person_id,
        programme=programme.id,
    )

"""The page of a meeting: one for each group and round, which all members may have open at once."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import (
    AgendaPart,
    Completion,
    Kind,
    MethodStep,
    Step,
    is_guided,
    kind_for,
    scenario_of,
)
from lti_tool.activities.service import activity_at, rounds_of
from lti_tool.errors import NotFound
from lti_tool.feedback import service as feedback
from lti_tool.feedback.errors import PreviewOnly
from lti_tool.feedback.service import Meeting, SeatView
from lti_tool.feedback.wording import labeled
from lti_tool.goals import service as goals
from lti_tool.meetings import service as meetings
from lti_tool.meetings import wording as meeting_words
from lti_tool.pairing import service as pairing
from lti_tool.progress import service as progress
from lti_tool.progress.rules import Column, State
from lti_tool.web.access import Here, on_visit, secret_sent
from lti_tool.web.i18n import in_words, zone_of_reader
from lti_tool.web.pages import unsent_store
from lti_tool.workspace.listening import Listening

pages = Blueprint("meeting", __name__)

FORTNIGHT: Final = timedelta(days=14)
"""An action is proposed to be done within."""
GROUPS_A_PAGE: Final = 100
CLOCK_STEP: Final = "clock"
"""The step in which a group keeps its timer: the number of the timed step and the moment at which it began."""


@pages.get("/round/<int:number>/meeting")
@on_visit(may="take part")
def show(here: Here, number: int) -> ResponseReturnValue:
    """The agenda with everything that is written so far."""
    if here.is_preview:
        activity = activity_at(here.session, here.placement_id)
        return render_template("meeting/preview.html", activity=activity, kind=kind_for(activity), number=number)
    return _page(here, _meeting(here, number))


@pages.get("/round/<int:number>/meeting/changes")
@on_visit(may="take part")
def changes(here: Here, number: int) -> ResponseReturnValue:
    """What others changed, if anybody wrote anything since the version that the browser has; else 304.

    Whoever was let in here a moment ago gets the 304 from `Listening`, which stands in front of the app.
    """
    activity = activity_at(here.session, here.placement_id)
    group_id = feedback.group_at(here.session, activity.id, number, here.member_id or 0)
    version = feedback.version_of(here.session, group_id)
    listening: Listening = current_app.extensions["tandem.listening"]
    listening.let_in((here.visit.key, secret_sent(here.visit.key)[0] or "", number), group_id)
    if request.headers.get("If-None-Match") == f'"{version}"':
        return Response(status=304)
    changed = _what_changes(here, _meeting(here, number))
    answer = Response(render_template("meeting/changes.html", **changed, is_news=True))
    answer.set_etag(version)
    return answer


@pages.get("/meetings")
@on_visit(may="see progress")
def of_all_groups(here: Here) -> ResponseReturnValue:
    """For staff how the meetings of a round stand, group by group: that steps are done, never what was written."""
    activity = activity_at(here.session, here.placement_id)
    rounds = rounds_of(here.session, activity.id)
    asked = request.args.get("round", "")
    is_ahead = (each for each in rounds if each.due_at is None or each.due_at > here.now)
    chosen = next((each for each in rounds if str(each.number) == asked), None) or next(is_ahead, rounds[-1])
    plan = pairing.find_plan(here.session, activity.id, "published")
    groups = pairing.groups_in_plan(here.session, plan, chosen.number) if plan is not None else []
    first = max(int(page), 1) if (page := request.args.get("page", "1")).isdecimal() and len(page) < 6 else 1
    shown = groups[(first - 1) * GROUPS_A_PAGE : first * GROUPS_A_PAGE]
    kind = kind_for(activity)
    completion = Completion.from_json(activity.completion, kind)
    return render_template(
        "meeting/of_all_groups.html",
        activity=activity,
        kind=kind,
        rounds=rounds,
        chosen=chosen,
        groups=shown,
        names=pairing.names_of(here.session, {member for group in shown for member in group.members}),
        steps=[
            step
            for step in kind.steps
            if not (step.is_to_partners or step.part_of)
            and (completion.of(step) or (step.is_confirmation and not step.is_shared))
        ],
        counted=_counted(here, activity, chosen, kind, completion),
        times=meetings.of_groups(here.session, [group.id for group in shown], now=here.now),
        done=feedback.done_by_group(here.session, chosen.id),
        seats=_seats(here, activity, chosen, [group.id for group in shown]),
        page=first,
        pages=-(-len(groups) // GROUPS_A_PAGE),
    )


def _counted(
    here: Here, activity: Activity, chosen: Round, kind: Kind, completion: Completion
) -> dict[tuple[int, str], State]:
    """How the steps that are done with goals and actions stand in a round, by member and step; without those that are
    not asked of a member.
    """
    columns = [Column(chosen.number, step) for step in kind.steps if step.counted_by and completion.of(step)]
    if not columns:
        return {}
    return {
        (member_id, column.step.key): summary.cells[column].state
        for member_id, summary in progress.summaries_of_all(here.session, activity.id, here.now).items()
        for column in columns
        if column in summary.cells and summary.cells[column].state is not State.EXCUSED
    }


def _seats(here: Here, activity: Activity, round_: Round, groups: Collection[int]) -> Mapping[int, SeatView]:
    """The facilitator's seats of these groups, in a guided round."""
    if not is_guided(round_.number, activity.guided_rounds):
        return {}
    return feedback.seats_for(here.session, activity, groups, here.member_id or 0, is_staff=here.is_staff)


@pages.get("/round/<int:number>/meeting/paper")
@on_visit(may="take part")
def paper(here: Here, number: int) -> ResponseReturnValue:
    """The agenda with room to write, for a meeting without screens."""
    meeting = None if here.is_preview else _meeting(here, number)
    activity = activity_at(here.session, here.placement_id)
    return render_template("meeting/paper.html", activity=activity, kind=kind_for(activity), meeting=meeting)


@pages.post("/round/<int:number>/meeting/confirm/<step>")
@on_visit(may="take part")
def confirm(here: Here, number: int, step: str) -> ResponseReturnValue:
    """Say by one tap that a step is done, or take that back."""
    meeting = _meeting(here, number)
    confirmed = meeting.kind.step(step)
    if confirmed is None or not confirmed.is_confirmation:
        raise NotFound("step", step)
    if request.form.get("do") == "take_back":
        feedback.take_back(here.session, meeting.task(confirmed), now=here.now)
    else:
        feedback.confirm(here.session, meeting.task(confirmed), now=here.now)
    return _back(meeting, confirmed)


@pages.post("/round/<int:number>/meeting/question")
@on_visit(may="take part")
def put_question(here: Here, number: int) -> ResponseReturnValue:
    """Put a question of the bank among those that the group wants to talk about."""
    meeting = _meeting(here, number)
    step, field = _questions(meeting.kind)
    asked = _question_at(meeting.kind, request.form.get("question", ""))
    entry = meeting.entry(step)
    before = entry.fields.get(field, "") if entry is not None else ""
    text = gettext(asked)
    if text not in before:
        _write(here, meeting, step, {field: f"{before.rstrip()}\n{text}".strip()})
    return _back(meeting, step)


@pages.post("/round/<int:number>/meeting/favorite")
@on_visit(may="take part")
def keep_question(here: Here, number: int) -> ResponseReturnValue:
    """Keep a question of the bank as a favorite in this course, or keep it no longer."""
    meeting = _meeting(here, number)
    place = request.form.get("question", "")
    question = _question_at(meeting.kind, place)
    if request.form.get("do") == "drop":
        feedback.drop_question(here.session, meeting.member_id, question)
    else:
        feedback.keep_question(here.session, meeting.member_id, question, now=here.now)
    part = place.partition(".")[0]
    return redirect(url_for(".show", number=number, part=part, bank=1, _anchor=f"{part}-bank"), code=303)


@pages.post("/round/<int:number>/meeting/clock")
@on_visit(may="take part")
def set_clock(here: Here, number: int) -> ResponseReturnValue:
    """Begin a timed step of the method, or stop the timer; all members' pages follow."""
    meeting = _meeting(here, number)
    part = start_clock(here, meeting, request.form.get("step", ""))
    return redirect(url_for(".show", number=number, part=part, _anchor=part), code=303)


def start_clock(here: Here, meeting: Meeting, asked: str) -> str | None:
    """Begin the timed step with this number, or with none stop the timer. Returns the part of the page that holds it.

    Raises NotFound.
    """
    step = meeting.kind.step(CLOCK_STEP)
    if step is None or (asked and not (asked.isdecimal() and int(asked) < len(meeting.kind.method))):
        raise NotFound("timed step", asked)
    _write(here, meeting, step, {CLOCK_STEP: f"{int(asked)} {here.now.isoformat()}" if asked else ""})
    part = meeting.kind.part_of(step)
    return part.key if part is not None else None


def running(meeting: Meeting) -> tuple[int, MethodStep, datetime] | None:
    """The timed step that runs, by its number, and since when; None where the timer is stopped."""
    step = meeting.kind.step(CLOCK_STEP)
    entry = meeting.entry(step) if step is not None else None
    number, _, since = (entry.fields.get(CLOCK_STEP, "") if entry is not None else "").partition(" ")
    if not since or int(number) >= len(meeting.kind.method):
        return None
    return int(number), meeting.kind.method[int(number)], datetime.fromisoformat(since)


def _page(here: Here, meeting: Meeting) -> str:
    zone = zone_of_reader(meeting.activity.time_zone)
    time = meetings.of_groups(here.session, [meeting.group_id], now=here.now)[meeting.group_id]
    favorites = {kept.question for kept in feedback.favorites_of(here.session, [meeting.member_id])}
    return render_template(
        "meeting/show.html",
        **_what_changes(here, meeting),
        bank_of=lambda part: _bank(part, favorites),
        time=meeting_words.shown(time, meeting.member_id, zone, now=here.now, is_read_only=not meeting.takes_texts),
        together=goals.for_group(here.session, meeting.group_id, meeting.member_id, zone=zone),
        action_by=(here.now.astimezone(zone) + FORTNIGHT).date(),
        said=request.args.get("said"),
        address_of_part=lambda part: f"round/{meeting.round.number}/meeting?part={part.key}#{part.key}",
    )


def _what_changes(here: Here, meeting: Meeting) -> dict[str, Any]:
    """What the page shows of things that others of the group may change while it is open."""
    steps = {step.key: step for step in meeting.kind.steps}
    exchanges = labeled(feedback.exchanges_of(here.session, meeting.activity, meeting.member_id, now=here.now))
    with_partners = [
        exchange for exchange in exchanges if exchange.round.id == meeting.round.id and exchange.partner_id is not None
    ]
    return {
        "meeting": meeting,
        "kind": meeting.kind,
        "activity": meeting.activity,
        "steps": steps,
        "filled": {
            step.key: _filled_in(here, meeting, step)
            for step in meeting.kind.steps
            if step.is_live and not step.is_confirmation
        },
        "exchanges": [exchange for exchange in with_partners if exchange.is_current or exchange.unnamed],
        "running": running(meeting),
        "scenario": scenario_of(meeting.activity),
        "questions_part": next((part.key for part in meeting.kind.meeting if "questions" in part.steps), None),
        "has_begun": meeting.round.opens_at is None or meeting.round.opens_at <= here.now,
        "clock": clock_of(meeting.activity),
        "summary": lambda part: summary_of(meeting, part, steps),
    }


def clock_of(activity: Activity) -> Callable[..., str]:
    """Shows moments in the reader's own time zone, the activity's where theirs is not known."""
    zone = zone_of_reader(activity.time_zone)

    def clock(moment: datetime, pattern: str = "EEE d MMM, HH:mm") -> str:
        return in_words(moment, zone, pattern)

    return clock


def _filled_in(here: Here, meeting: Meeting, step: Step) -> dict[str, Any]:
    """A live step's form as it stands."""
    entry = meeting.entry(step)
    asides: dict[str, list[Any]] = {}
    for aside in feedback.asides_of(entry):
        asides.setdefault(aside.field, []).append(aside)
    parts = ("feedback", meeting.activity.id, meeting.round.number, step.key, meeting.group_id)
    return {
        "form": step.form,
        "fields": feedback.draft_fields(entry),
        "asides": asides,
        "version": entry.version if entry is not None else 0,
        "to_offer": entry.id if entry is not None and step.may_be_offered and any(entry.fields.values()) else None,
        "store": unsent_store(here, ":".join(str(part) for part in parts)),
        "writers": {
            field.key: writer
            for field in (step.form.fields if step.form is not None else ())
            if (writer := meeting.writer_of(step, field.key)) is not None
        },
    }


def summary_of(meeting: Meeting, part: AgendaPart, steps: Mapping[str, Step]) -> str:
    """What a folded part says about itself: its first words, or what is confirmed."""
    for key in part.steps:
        step = steps[key]
        if step.is_confirmation:
            if meeting.is_done(step):
                return str(gettext(step.words.done))
        elif step.is_live:
            entry = meeting.entry(step)
            texts = (str(text).strip() for text in (entry.fields.values() if entry is not None else ()))
            if first := next((text for text in texts if text), ""):
                line = first.splitlines()[0]
                return line if len(line) <= 60 else f"{line[:59]}…"
    return ""


def _questions(kind: Kind) -> tuple[Step, str]:
    """The step and the field that hold the questions which a group wants to talk about."""
    step = kind.step("questions")
    if step is None or step.form is None:
        raise NotFound("step", "questions")
    return step, step.form.fields[0].key


def _bank(part: AgendaPart, favorites: Collection[str]) -> list[tuple[str, str, bool]]:
    """The open questions of a part as (place, question, whether it is a favorite), favorites first."""
    bank = [(f"{part.key}.{number}", text, text in favorites) for number, text in enumerate(part.questions)]
    return sorted(bank, key=lambda question: not question[2])


def _question_at(kind: Kind, place: str) -> str:
    """The question of the bank at `<part>.<number>`; an address made up by somebody is refused."""
    key, _, number = place.partition(".")
    part = next((part for part in kind.meeting if part.key == key), None)
    if part is None or not number.isdecimal() or int(number) >= len(part.questions):
        raise NotFound("question", place)
    return part.questions[int(number)]


def _write(here: Here, meeting: Meeting, step: Step, texts: Mapping[str, str]) -> None:
    """Write fields as they stand now, whatever this browser had seen of them."""
    entry = meeting.entry(step)
    seen = dict.fromkeys(texts, entry.version if entry is not None else 0)
    feedback.save_draft(here.session, meeting.task(step), texts, seen, device=here.visit.key, now=here.now)


def _meeting(here: Here, number: int) -> Meeting:
    if here.is_preview:
        raise PreviewOnly
    activity = activity_at(here.session, here.placement_id)
    return feedback.find_meeting(here.session, activity, number, here.member_id or 0)


def _back(meeting: Meeting, step: Step) -> ResponseReturnValue:
    part = meeting.kind.part_of(step)
    key = part.key if part is not None else None
    return redirect(url_for(".show", number=meeting.round.number, part=key, _anchor=key), code=303)

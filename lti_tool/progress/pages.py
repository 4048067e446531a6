"""What staff see of a course's progress: everybody by step, who is behind, one learner, and what can be allowed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import kind_for, local_parts
from lti_tool.activities.service import activity_at, activity_of, is_read_only, refuse_read_only, rounds_of
from lti_tool.errors import N_
from lti_tool.meetings import service as meetings
from lti_tool.pairing import service as pairing
from lti_tool.progress import forms, rules, service
from lti_tool.progress.forms import AllowanceText, Flaw
from lti_tool.progress.rules import Column, Progress, Show, State, Summary, WaitsFor
from lti_tool.progress.service import Learner
from lti_tool.roster.service.members import unlisted
from lti_tool.support.zones import zone_label
from lti_tool.web import audit
from lti_tool.web.access import Here, on_visit
from lti_tool.web.downloads import builds, offer, table
from lti_tool.web.i18n import page_language, zone_of_reader

pages = Blueprint("progress", __name__)

EXPORT: Final = "progress"
PEOPLE_A_PAGE: Final = 50
MOST_BEHIND: Final = 10

STATES: Final[dict[State, str]] = {
    State.DONE: N_("Done"),
    State.STARTED: N_("Started"),
    State.OPEN: N_("To do"),
    State.WAITING: N_("Waiting"),
    State.EXCUSED: N_("Does not count"),
    State.MISSED: N_("Overdue"),
}
WAITS: Final[dict[WaitsFor, str]] = {
    WaitsFor.PARTNER: N_("for a partner"),
    WaitsFor.OPENING: N_("for the round to open"),
    WaitsFor.FEEDBACK: N_("for the partner to write"),
    WaitsFor.OWN_FEEDBACK: N_("for their own feedback"),
    WaitsFor.INSTRUCTOR: N_("for an instructor to release the feedback"),
    WaitsFor.RELEASE: N_("for the day when feedback is shown"),
    WaitsFor.STEP: N_("for the step before it"),
    WaitsFor.ROUND: N_("for the end of the round before it"),
}
SHOWN: Final[dict[Show, str]] = {
    Show.ALL: N_("Everyone"),
    Show.COMPLETE: N_("Complete"),
    Show.BEHIND: N_("Overdue"),
    Show.TO_DO: N_("Something to do"),
    Show.WAITING: N_("Waiting for others"),
    Show.EXCUSED: N_("Nothing required"),
}
NAMES: Final = {"day": N_("New date"), "clock": N_("Time")}
FLAWS: Final[dict[Flaw, str]] = {
    Flaw.NO_WISH: N_("Choose what to allow"),
    Flaw.NO_DATE: N_("Type the new date"),
    Flaw.NO_TIME: N_("Type the time as hours and minutes, or leave it empty"),
    Flaw.PASSED: N_("Choose a date in the future"),
}


@pages.get("/progress")
@on_visit(may="see progress")
def show(here: Here) -> ResponseReturnValue:
    """Everybody by step; a state or a step narrows the list."""
    activity = activity_of(here.session, here.placement_id)
    if activity is None:
        return redirect(url_for("setup.show"))
    summaries = service.summaries_of_all(here.session, activity.id, here.now)
    people = service.learners(here.session, summaries, language=page_language())
    tally = rules.tally(kind_for(activity).steps, summaries.values())
    columns = list(tally)
    listed = _listed(people, summaries, columns)
    page = max(request.args.get("page", 1, type=int), 1)
    behind = [(since, one) for one, summary in summaries.items() if (since := summary.behind_since) is not None]
    return render_template(
        "progress/grid.html",
        activity=activity,
        plan=pairing.find_plan(here.session, activity.id, "published"),
        people=people,
        unlisted=sum(one.is_taken_in is None for one in unlisted(here.session, here.course_id)),
        found=summaries,
        columns=columns,
        counts=Counter(one.belongs for one in summaries.values()),
        tally=tally,
        behind=sorted(behind)[:MOST_BEHIND],
        behind_count=len(behind),
        waits=meetings.waiting_since(here.session, activity.id),
        wishes=meetings.requests_in(here.session, activity.id),
        absent=[one for one in people.values() if one.is_active and one.last_launch_at is None],
        listed=listed[(page - 1) * PEOPLE_A_PAGE : page * PEOPLE_A_PAGE],
        listed_count=len(listed),
        page=page,
        pages=-(-len(listed) // PEOPLE_A_PAGE),
        filters={name: value for name in ("show", "step", "state", "q") if (value := request.args.get(name))},
        titles=_titles(columns),
        states={state: gettext(word) for state, word in STATES.items()},
        shown=SHOWN,
    )


@pages.get("/progress/<int:member_id>")
@on_visit(may="see progress")
def show_learner(here: Here, member_id: int) -> ResponseReturnValue:
    """One learner's checklist, and what staff can allow them."""
    activity = activity_at(here.session, here.placement_id)
    return _learner_page(here, activity, service.learner(here.session, activity, member_id))


@pages.post("/progress/<int:member_id>/allow/<int:number>")
@on_visit(may="extend")
def allow(here: Here, member_id: int, number: int) -> ResponseReturnValue:
    """Give more time in a round, excuse from it, or take both back."""
    activity = activity_at(here.session, here.placement_id)
    refuse_read_only(here.session, activity)
    learner = service.learner(here.session, activity, member_id)
    text = AllowanceText(*(request.form.get(name, "") for name in ("wish", "day", "clock")))
    meant = forms.read(text, zone=activity.time_zone, now=here.now)
    if isinstance(meant, Flaw):
        return _learner_page(here, activity, learner, number=number, text=text, flaw=meant)
    act = service.allow(
        here.session,
        activity,
        number,
        [member_id],
        due_at=meant.due_at,
        is_excused=meant.is_excused,
        by=here.person_id,
        now=here.now,
    )
    audit.record(
        here.session,
        "staff act done",
        now=here.now,
        institution_id=here.visit.institution_id,
        course_id=here.course_id,
        person_id=here.person_id,
        act=act.what,
        people=1,
    )
    return redirect(url_for(".show_learner", member_id=member_id, said=text.wish, act=act.id), code=303)


@pages.post("/progress/export")
@on_visit(may="export progress")
def export(here: Here) -> ResponseReturnValue:
    """Offer the whole grid as a file."""
    return offer(here, EXPORT, activity_id=activity_at(here.session, here.placement_id).id)


@builds(pages, EXPORT)
def build_export(here: Here, details: dict[str, Any]) -> Response:
    """The grid as CSV: names, partners, a state and a date for each step, and what counts of it."""
    activity = here.session.get_one(Activity, details["activity_id"])
    checklists = service.progress_of_all(here.session, activity.id, here.now)
    people = service.learners(here.session, checklists, language=page_language())
    summaries = [rules.summary(one) for one in checklists.values()]
    columns = list(rules.tally(kind_for(activity).steps, summaries))
    zone = zone_of_reader(activity.time_zone)
    titles = []
    for title in _titles(columns).values():
        titles += [title, gettext("%(what)s, when (%(zone)s)", what=title, zone=zone_label(zone.key))]
    numbers = sorted({column.round for column in columns})
    partners = [gettext("Round %(number)d: partners", number=number) for number in numbers]
    counts = [gettext("Done"), gettext("Out of"), gettext("Complete")]
    header = [gettext("Name"), gettext("E-mail"), *titles, *partners, *counts]
    # From the groups and not from the items: round a ring nobody owes something to everybody in their group.
    groups = pairing.published_groups(here.session, activity.id)
    met = {(one, group.round_number): group.partners_of(one) for group in groups for one in group.members}
    names = pairing.names_of(here.session, {one for one, _ in met})
    lines = [
        [
            *_line(one, checklists[member_id], columns, zone),
            *(_named(met.get((member_id, number), ()), names) for number in numbers),
            *_counts(checklists[member_id]),
        ]
        for member_id, one in people.items()
    ]
    return table("progress", header, lines)


def _titles(columns: list[Column]) -> dict[Column, str]:
    return {
        column: gettext("Round %(number)d: %(step)s", number=column.round, step=gettext(column.step.words.name))
        for column in columns
    }


def _line(learner: Learner, progress: Progress, columns: list[Column], zone: ZoneInfo) -> list[object]:
    row, dates = rules.cells(progress), rules.done_dates(progress)
    states: list[object] = []
    for column in columns:
        at = f"{dates[column].astimezone(zone):%Y-%m-%d %H:%M}" if column in dates else ""
        states += [gettext(STATES[row[column].state]) if column in row else "", at]
    return [learner.name or "", learner.email or "", *states]


def _named(people: Iterable[int], names: Mapping[int, str | None]) -> str:
    return "; ".join(names.get(one) or gettext("Learner %(number)s", number=one) for one in people)


def _counts(progress: Progress) -> list[object]:
    return [progress.done, progress.counting, gettext("yes") if progress.is_complete else gettext("no")]


def _listed(people: dict[int, Learner], summaries: dict[int, Summary], columns: list[Column]) -> list[Learner]:
    """Who is asked for by the address: a group of people, a step in a state, or a part of a name."""
    show, state = request.args.get("show"), request.args.get("state")
    column = next((one for one in columns if one.key == request.args.get("step")), None)
    wanted = request.args.get("q", "").strip().casefold()
    return [
        one
        for member_id, one in people.items()
        if (show not in set(Show) - {Show.ALL} or summaries[member_id].belongs == show)
        and (
            column is None
            or (column in summaries[member_id].cells and summaries[member_id].cells[column].state == state)
        )
        and (not wanted or wanted in (one.name or "").casefold())
    ]


def _learner_page(
    here: Here,
    activity: Activity,
    learner: Learner,
    *,
    number: int = 0,
    text: AllowanceText | None = None,
    flaw: Flaw | None = None,
) -> ResponseReturnValue:
    progress = service.progress_of(here.session, activity.id, learner.member_id, here.now)
    partners = {item.partner_id for item in progress.items if item.partner_id is not None}
    allowances = service.allowances_of(here.session, activity.id, learner.member_id)
    typed = {
        round_number: AllowanceText(
            "extend", *(str(part)[:10] for part in local_parts(allowance.due_at, activity.time_zone))
        )
        for round_number, allowance in allowances.items()
        if allowance.due_at is not None
    }
    page = render_template(
        "progress/learner.html",
        activity=activity,
        learner=learner,
        progress=progress,
        rounds=rounds_of(here.session, activity.id),
        names=pairing.names_of(here.session, partners),
        allowances=allowances,
        waited=meetings.waits_in(here.session, activity.id, learner.member_id),
        readable=service.open_to_staff(here.session, activity, learner.member_id),
        typed={**typed, number: text} if text is not None else typed,
        wrong={number: gettext(FLAWS[flaw])} if flaw is not None else {},
        is_read_only=is_read_only(here.session, activity),
        states=STATES,
        waits=WAITS,
        act_id=request.args.get("act", type=int),
    )
    return page, 422 if flaw is not None else 200

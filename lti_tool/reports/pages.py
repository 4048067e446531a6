"""Pages on which a learner reports something, and staff decide about it."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import kind_of
from lti_tool.activities.service import activity_at
from lti_tool.errors import N_
from lti_tool.feedback.errors import PreviewOnly
from lti_tool.feedback.service import ADDITION
from lti_tool.reports import service, wording
from lti_tool.reports.errors import ReportRefused
from lti_tool.reports.rules import Flaw, Outcome
from lti_tool.reports.service import ReportView, Subject
from lti_tool.rubrics.rules import MARK
from lti_tool.web.access import Here, on_visit
from lti_tool.web.i18n import in_words, zone_of_reader

pages = Blueprint("reports", __name__)

NAMES: Final[dict[str, str]] = {"words": N_("What happened"), "reason": N_("Explanation for both")}
"""What pages call a field whose text could not be taken."""


# ---- for learners ----------------------------------------------------------------------------------------------------


@pages.get("/feedback/<int:feedback_id>/report")
@on_visit(may="take part")
def report_text(here: Here, feedback_id: int) -> ResponseReturnValue:
    """The form to report a text that the member received; later, what became of the report."""
    return _form(here, _text(here, feedback_id))


@pages.post("/feedback/<int:feedback_id>/report")
@on_visit(may="take part")
def send_text(here: Here, feedback_id: int) -> ResponseReturnValue:
    """Report it, or take the report back."""
    return _send(here, _text(here, feedback_id), url_for(".report_text", feedback_id=feedback_id, said="reported"))


@pages.get("/round/<int:number>/for/<int:member_id>/report")
@on_visit(may="take part")
def report_meeting(here: Here, number: int, member_id: int) -> ResponseReturnValue:
    """The form to report what happened between the member and a partner."""
    return _form(here, _meeting(here, number, member_id))


@pages.post("/round/<int:number>/for/<int:member_id>/report")
@on_visit(may="take part")
def send_meeting(here: Here, number: int, member_id: int) -> ResponseReturnValue:
    """Report it, or take the report back."""
    place = url_for(".report_meeting", number=number, member_id=member_id, said="reported")
    return _send(here, _meeting(here, number, member_id), place)


@pages.get("/feedback/<int:feedback_id>/review")
@on_visit(may="take part")
def review(here: Here, feedback_id: int) -> ResponseReturnValue:
    """What the author of a reported text may know: that it is under review, once staff say so, and what was decided."""
    report = service.report_for_author(here.session, here.course_id, feedback_id, here.member_id or 0)
    return render_template("reports/review.html", report=report, states=wording.FOR_AUTHOR)


def _text(here: Here, feedback_id: int) -> Subject:
    if here.is_preview:
        raise PreviewOnly
    return service.subject_of_text(here.session, here.course_id, feedback_id, here.member_id or 0, now=here.now)


def _meeting(here: Here, number: int, member_id: int) -> Subject:
    if here.is_preview:
        raise PreviewOnly
    activity = activity_at(here.session, here.placement_id)
    return service.subject_of_meeting(here.session, activity, number, here.member_id or 0, member_id)


def _send(here: Here, subject: Subject, place: str) -> ResponseReturnValue:
    if request.form.get("do") == "take_back":
        report = service.find_report(here.session, subject)
        if report is not None:
            service.take_back(here.session, report, by=here.person_id, now=here.now)
        return redirect(url_for("home.show", said="report_taken_back"), code=303)
    concern, words = request.form.get("concern", ""), request.form.get("words", "")
    try:
        service.report(here.session, subject, concern, words, by=here.person_id, now=here.now)
    except ReportRefused as refused:
        return _form(here, subject, typed=request.form, flaws=refused.flaws), 422
    return redirect(place, code=303)


def _form(here: Here, subject: Subject, *, typed: Any = None, flaws: tuple[Any, ...] = ()) -> str:
    report = service.find_report(here.session, subject)
    return render_template(
        "reports/report.html",
        subject=subject,
        report=report if report is not None and report.outcome != Outcome.TAKEN_BACK else None,
        typed=typed or {},
        problems=_problems(flaws, "words"),
        concerns=wording.CONCERNS,
        states=wording.FOR_REPORTER,
        said=request.args.get("said"),
    )


# ---- for staff -------------------------------------------------------------------------------------------------------


@pages.get("/reports")
@on_visit(may="moderate a report")
def show_reports(here: Here) -> ResponseReturnValue:
    """All reports of the activity: between whom, since when, and what became of them. No texts."""
    activity = activity_at(here.session, here.placement_id)
    return render_template(
        "reports/list.html",
        activity=activity,
        reports=service.reports_of(here.session, activity, here.role),
        concerns=wording.CONCERNS,
        outcomes=wording.OUTCOMES,
        clock=_clock(activity),
    )


@pages.get("/reports/<int:report_id>")
@on_visit(may="moderate a report", notes_reading=True)
def show_report(here: Here, report_id: int) -> ResponseReturnValue:
    """One report with its text, and the form to decide. Opening it is noted in its history."""
    activity, view = _report(here, report_id)
    return _decision(here, activity, view)


@pages.post("/reports/<int:report_id>")
@on_visit(may="moderate a report")
def decide(here: Here, report_id: int) -> ResponseReturnValue:
    """Tell the author that it is under review, or decide."""
    activity, view = _report(here, report_id)
    if request.form.get("do") == "tell_author":
        service.tell_author(here.session, view.report, by=here.person_id, now=here.now)
        return redirect(url_for(".show_report", report_id=report_id, said="told"), code=303)
    seen = request.form.get("version", "")
    outcome = request.form.get("outcome", "") if view.report.entry_id is not None else Outcome.TALKED
    try:
        service.decide(
            here.session,
            view.report,
            outcome,
            request.form.get("reason", ""),
            request.form.getlist("passage"),
            seen_version=int(seen) if seen.isdecimal() and len(seen) < 10 else 0,
            by=here.person_id,
            now=here.now,
        )
    except ReportRefused as refused:
        return _decision(here, activity, view, typed=request.form, flaws=refused.flaws), 422
    return redirect(url_for(".show_report", report_id=report_id, said="decided"), code=303)


def _report(here: Here, report_id: int) -> tuple[Activity, ReportView]:
    activity = activity_at(here.session, here.placement_id)
    return activity, service.read_report(here.session, activity, here.role, report_id, by=here.person_id, now=here.now)


def _name_of(key: str, names: Mapping[str, str]) -> str:
    """What a field of a reported text is called."""
    if key.startswith(ADDITION):
        return str(gettext("Added later"))
    return names.get(key, "") if key.startswith(MARK) else str(gettext(names.get(key, key)))


def _decision(
    here: Here, activity: Activity, view: ReportView, *, typed: Any = None, flaws: tuple[Any, ...] = ()
) -> str:
    report = view.report
    kept = {"outcome": report.outcome, "reason": report.reason, "passage": report.hidden}
    names = {field.key: field.name for field in view.step.form.texts} if view.step and view.step.form else {}
    names |= service.names_in_rubric(here.session, report)
    chosen = set(typed.getlist("passage")) if typed is not None else set(report.hidden)
    return render_template(
        "reports/decide.html",
        activity=activity,
        kind=kind_of(activity.kind),
        view=view,
        passages=[(_name_of(key, names), parts) for key, parts in view.passages.items()],
        typed=typed or kept,
        chosen=chosen,
        problems=_problems(flaws, "reason"),
        concerns=wording.CONCERNS,
        decisions=wording.DECISIONS,
        outcomes=wording.OUTCOMES,
        acts=wording.ACTS,
        clock=_clock(activity),
        said=request.args.get("said"),
    )


def _problems(flaws: tuple[Any, ...], words_field: str) -> list[tuple[str, str]]:
    """The field and the sentence of each flaw."""
    return [(wording.FIELD_OF.get(flaw, words_field), gettext(wording.FLAWS[Flaw(flaw)])) for flaw in flaws]


def _clock(activity: Activity) -> Any:
    zone = zone_of_reader(activity.time_zone)
    return lambda moment: in_words(moment, zone, "EEE d MMM, HH:mm")

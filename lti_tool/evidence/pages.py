"""What an activity did, for its staff: figures with the people behind them, files, and the closing report."""

import io
import zipfile
from typing import Any, Final

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import kind_for
from lti_tool.activities.service import activity_at, activity_of, rounds_of
from lti_tool.errors import NotFound
from lti_tool.evidence import service, wording
from lti_tool.evidence.errors import FigureUnknown
from lti_tool.evidence.rules.figures import counted
from lti_tool.launch.models import Course
from lti_tool.pairing import service as pairing
from lti_tool.practices import service as practices
from lti_tool.programmes import service as programmes
from lti_tool.programmes.models import Programme
from lti_tool.progress import service as progress
from lti_tool.support import paper
from lti_tool.support.paper import PdfState
from lti_tool.support.spreadsheet import as_csv, as_xlsx, delimiter_for
from lti_tool.web.access import Here, on_visit
from lti_tool.web.downloads import builds, offer
from lti_tool.web.i18n import reader_locale
from lti_tool.web.lists import page_of

pages = Blueprint("evidence", __name__)

FIGURE: Final = "figure"
FIGURES: Final = "figures"
REPORT: Final = "closing report"
PEOPLE_A_PAGE: Final = 50


@pages.get("/figures")
@on_visit(may="see progress")
def show(here: Here) -> ResponseReturnValue:
    """Every figure of the activity as a picture with its table."""
    activity = activity_of(here.session, here.placement_id)
    if activity is None:
        return redirect(url_for("home.show"))
    return render_template(
        "evidence/figures.html",
        activity=activity,
        has_plan=pairing.find_plan(here.session, activity.id, "published") is not None,
        part=service.part_of(here.session, activity, now=here.now),
        wording=wording,
    )


@pages.get("/figures/<figure>")
@on_visit(may="see progress")
def people(here: Here, figure: str) -> ResponseReturnValue:
    """Who is behind one number of a figure. Raises FigureUnknown."""
    activity = activity_at(here.session, here.placement_id)
    wanted = service.figure_named(figure)
    facts = service.facts_of(here.session, activity, now=here.now)
    table = counted(wanted, facts)
    place = table.cell(request.args.get("row", ""), request.args.get("column", ""))
    if place is None:
        raise FigureUnknown(figure)
    row, column, cell = place
    listed = list(progress.learners(here.session, cell.people).values())
    page = page_of(len(listed), PEOPLE_A_PAGE)
    return render_template(
        "evidence/people.html",
        activity=activity,
        table=table,
        row=row,
        column=column,
        cell=cell,
        count=len(listed),
        listed=listed[page.part],
        page=page,
        since=wanted.since(facts) if wanted.since is not None else {},
        wording=wording,
    )


@pages.post("/figures/<figure>/file")
@on_visit(may="export progress")
def download(here: Here, figure: str) -> ResponseReturnValue:
    """Offer one figure as a CSV file. Raises FigureUnknown."""
    activity = activity_at(here.session, here.placement_id)
    return offer(here, FIGURE, activity_id=activity.id, figure=service.figure_named(figure).key)


@builds(pages, FIGURE)
def build_figure(here: Here, details: dict[str, Any]) -> Response:
    """The table of one figure as CSV."""
    activity = here.session.get_one(Activity, details["activity_id"])
    facts = service.facts_of(here.session, activity, now=here.now)
    sheet = wording.sheet(counted(service.figure_named(details["figure"]), facts))
    table = as_csv(sheet.header, sheet.lines, delimiter_for(reader_locale()))
    return _file(table, "text/csv; charset=utf-8", f"{details['figure']}.csv")


@pages.post("/figures/export")
@on_visit(may="export progress")
def export(here: Here) -> ResponseReturnValue:
    """Offer all figures with their dictionary: a workbook, or CSV files in an archive."""
    form = request.form.get("form", "xlsx")
    if form not in {"xlsx", "csv"}:
        raise NotFound("form", form)
    return offer(here, FIGURES, activity_id=activity_at(here.session, here.placement_id).id, form=form)


@builds(pages, FIGURES)
def build_figures(here: Here, details: dict[str, Any]) -> Response:
    """All figures as XLSX, or as a ZIP archive of CSV files. They hold counts and means, and name nobody."""
    activity = here.session.get_one(Activity, details["activity_id"])
    tables = service.part_of(here.session, activity, now=here.now).tables
    if details["form"] == "xlsx":
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return _file(as_xlsx(wording.sheets(tables)), kind, "figures.xlsx")
    names = ["dictionary", *(table.figure.key for table in tables)]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, sheet in zip(names, wording.sheets(tables), strict=True):
            archive.writestr(f"{name}.csv", as_csv(sheet.header, sheet.lines, delimiter_for(reader_locale())))
    return _file(made.getvalue(), "application/zip", "figures.zip")


@pages.get("/programmes/<int:programme_id>/closing-report")
@pages.get("/closing-report")
@on_visit(may="see progress")
def report(here: Here, programme_id: int | None = None) -> ResponseReturnValue:
    """The closing report as a page that prints well, and the PDF that was made of it last: of the activity, or of all
    activities of a programme.
    """
    subject = _subject(here, programme_id)
    reader = practices.Reader(here.member_id or 0, subject.course_id, is_staff=True)
    return render_template(
        "evidence/report.html",
        **_report(here, subject),
        programme_id=programme_id,
        kept=service.report_of(here.session, subject),
        kept_for=service.REPORT_KEPT.days,
        pdf_words=wording.PDF_STATES,
        can_print=paper.can_make_pdf(),
        practices=[one for one in practices.library_of(here.session, reader).course if one.practice.hidden_at is None],
        said=request.args.get("said"),
    )


@pages.post("/programmes/<int:programme_id>/closing-report/pdf")
@pages.post("/closing-report/pdf")
@on_visit(may="export progress")
def pdf(here: Here, programme_id: int | None = None) -> ResponseReturnValue:
    """Have a PDF made of the report as it is now, or offer the one that there is."""
    subject = _subject(here, programme_id)
    kept = service.report_of(here.session, subject)
    if request.form.get("do") == "download" and kept is not None and kept.pdf_state == PdfState.READY:
        return offer(here, REPORT, programme_id=programme_id)
    document = render_template("evidence/document.html", **_report(here, subject))
    service.keep_document(here.session, subject, document, can_print=paper.can_make_pdf(), now=here.now)
    return redirect(url_for(".report", programme_id=programme_id), code=303)


@builds(pages, REPORT)
def build_report(here: Here, details: dict[str, Any]) -> Response:
    """The closing report as a PDF."""
    made = service.pdf_of(here.session, _subject(here, details["programme_id"]))
    return _file(made or b"", "application/pdf", "closing-report.pdf")


def _subject(here: Here, programme_id: int | None) -> Activity | Programme:
    if programme_id is None:
        return activity_at(here.session, here.placement_id)
    return programmes.programme_in(here.session, here.course_id, programme_id)


def _report(here: Here, subject: Activity | Programme) -> dict[str, Any]:
    """What the report says, on the page and on paper; `parts` has one entry for each activity that it is about."""
    if isinstance(subject, Activity):
        activities = [subject]
    else:
        activities = [one.activity for one in programmes.stages_of(here.session, subject.id) if not one.is_gone]
    return {
        "title": gettext("Closing report"),
        "subject": subject,
        "zone": activities[0].time_zone if activities else None,
        "course": here.session.get_one(Course, subject.course_id),
        "parts": [service.part_of(here.session, one, now=here.now) for one in activities],
        "rounds": {one.id: rounds_of(here.session, one.id) for one in activities},
        "kinds": {one.id: kind_for(one) for one in activities},
        "at": here.now,
        "wording": wording,
    }


def _file(content: bytes, kind: str, name: str) -> Response:
    answer = make_response(content)
    answer.headers["Content-Type"] = kind
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer

"""The plan on paper and as a table."""

from datetime import datetime
from itertools import groupby
from typing import Any, Final

from flask import Blueprint, Response, make_response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import local_parts
from lti_tool.activities.service import activity_at, rounds_of
from lti_tool.attributes.rules.matching import key_of
from lti_tool.pairing import service
from lti_tool.pairing.engine import Kind, Reason
from lti_tool.pairing.errors import NoPlan
from lti_tool.pairing.models import Plan
from lti_tool.pairing.pages.plan_view import plan_of
from lti_tool.support.spreadsheet import as_csv, delimiter_for
from lti_tool.web.access import Here, on_visit
from lti_tool.web.downloads import builds, offer
from lti_tool.web.i18n import reader_locale

pages = Blueprint("plan_printing", __name__)

TABLE: Final = "plan"


@pages.get("/plan/print")
@on_visit(may="see the plan")
def on_paper(here: Here) -> ResponseReturnValue:
    """All rounds on one page, made for paper."""
    activity = activity_at(here.session, here.placement_id)
    plan = plan_of(here, activity)
    groups = service.groups_in_plan(here.session, plan)
    unplaced = service.current_plan(here.session, activity, plan, now=here.now).unplaced
    context: dict[str, Any] = {
        "activity": activity,
        "plan": plan,
        "rounds": rounds_of(here.session, activity.id),
        "groups": {number: list(some) for number, some in groupby(groups, key=lambda group: group.round_number)},
        "alone": {number: list(some) for number, some in groupby(unplaced, key=lambda missing: missing.round_number)},
        "names": service.names_of(here.session, {missing.member_id for missing in unplaced}),
    }
    return render_template("pairing/print.html", **context)


@pages.post("/plan/export")
@on_visit(may="see the plan")
def export(here: Here) -> ResponseReturnValue:
    """Offer the plan as a table."""
    plan = plan_of(here, activity_at(here.session, here.placement_id))
    return offer(here, TABLE, plan_id=plan.id)


@builds(pages, TABLE)
def build_table(here: Here, details: dict[str, Any]) -> Response:
    """The plan as CSV: a line for everyone in every round."""
    plan = here.session.get(Plan, details["plan_id"])
    if plan is None:
        # Other groups have been proposed since.
        raise NoPlan(details["plan_id"])
    activity = here.session.get_one(Activity, plan.activity_id)
    answer = make_response(as_csv(*_as_table(here, activity, plan), delimiter_for(reader_locale())))
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = 'attachment; filename="plan.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _as_table(here: Here, activity: Activity, plan: Plan) -> tuple[list[str], list[list[object]]]:
    """A header, and a line for everyone in every round, with or without a group; times are local to the activity."""
    current = service.current_plan(here.session, activity, plan, now=here.now)
    groups = service.groups_in_plan(here.session, plan)
    people = {seat.member_id for group in groups for seat in group.seats} | set(current.course.people)
    names = service.names_of(here.session, people)
    header = [
        gettext("Round"),
        gettext("Opens"),
        gettext("Due"),
        gettext("Group"),
        gettext("Learner"),
        gettext("Tandem key"),
        gettext("Works with"),
        gettext("Observed first"),
        gettext("Has begun"),
    ]
    yes, no = gettext("yes"), gettext("no")

    def at(moment: datetime | None) -> str:
        return "{} {:%H:%M}".format(*local_parts(moment, activity.time_zone)) if moment is not None else ""

    def name(member_id: int) -> str:
        return names.get(member_id) or str(gettext("Learner %(number)s", number=member_id))

    lines: list[list[object]] = []
    for group in groups:
        when = [group.round_number, at(group.opens_at), at(group.due_at), group.number]
        for seat in group.seats:
            partners = ", ".join(name(partner.member_id) for partner in group.seats if partner is not seat)
            begins = "" if plan.kind == Kind.RINGS else yes if seat is group.seats[0] else no
            about = [name(seat.member_id), key_of(seat.member_id), partners]
            lines.append([*when, *about, begins, yes if group.has_begun else no])
    for missing in current.unplaced:
        why = gettext("is absent") if missing.reason is Reason.ABSENT else gettext("without a partner")
        about = [name(missing.member_id), key_of(missing.member_id), why]
        lines.append([missing.round_number, "", "", "", *about, "", ""])
    return header, lines

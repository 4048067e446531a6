"""What staff see of certificates: how one looks, who has one, and those that were withdrawn."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.service import activity_at
from lti_tool.certificates import service, wording
from lti_tool.certificates.errors import ReasonRefused
from lti_tool.errors import N_
from lti_tool.web.access import Here, on_visit

pages = Blueprint("certificates", __name__)

NAMES = {"withdrawn_why": N_("Why it is withdrawn")}
"""What pages call a field whose text could not be taken."""


@pages.get("/certificates")
@on_visit(may="see progress")
def show_all(here: Here) -> ResponseReturnValue:
    """An example of the activity's certificate, and everybody who has one."""
    return _list(here)


@pages.post("/certificates/<int:certificate_id>/withdraw")
@on_visit(may="withdraw a certificate")
def withdraw(here: Here, certificate_id: int) -> ResponseReturnValue:
    """Withdraw a certificate with a reason that its holder reads, or let it stand again."""
    activity = activity_at(here.session, here.placement_id)
    if request.form.get("do") == "put_back":
        service.put_back(here.session, activity.id, certificate_id)
        return redirect(url_for(".show_all", said="put_back"), code=303)
    typed = request.form.get("withdrawn_why", "")
    try:
        service.withdraw(here.session, activity.id, certificate_id, typed, by=here.person_id, now=here.now)
    except ReasonRefused as refused:
        return _list(here, wrong=certificate_id, typed=typed, refused=refused), 422
    return redirect(url_for(".show_all", said="withdrawn"), code=303)


def _example(here: Here, activity: Activity) -> wording.Shown:
    content = service.example_of(here.session, activity)
    return wording.shown(content, gettext("Name of the learner"), here.now, activity.time_zone)


def _list(here: Here, *, wrong: int | None = None, typed: str = "", refused: ReasonRefused | None = None) -> str:
    activity = activity_at(here.session, here.placement_id)
    page = min(max(request.args.get("page", 1, type=int), 1), 10_000)
    listed, count = service.certificates_of(here.session, activity.id, page=page)
    return render_template(
        "certificates/list.html",
        activity=activity,
        example=_example(here, activity) if service.terms_of(activity) is not None else None,
        listed=listed,
        count=count,
        page=page,
        pages=-(-count // service.A_PAGE),
        wrong=wrong,
        typed=typed,
        problems=[(f"withdrawn_why-{wrong}", gettext(wording.FLAWS[refused.flaw]))] if refused is not None else [],
        said=request.args.get("said"),
    )

"""The page of staff on how good the feedback is, without a word of it."""

from typing import Final

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from lti_tool.activities.rules import kind_for
from lti_tool.activities.service import activity_of
from lti_tool.errors import N_
from lti_tool.pairing import service as pairing
from lti_tool.quality import service
from lti_tool.quality.rules import SHARES, Measure, Pattern
from lti_tool.web.access import Here, on_visit

pages = Blueprint("quality", __name__)

MEASURES: Final[dict[Measure, str]] = {
    Measure.STRENGTH: N_("With a strength"),
    Measure.GROWTH: N_("With something to try"),
    Measure.EXAMPLE: N_("With an example"),
    Measure.USEFUL: N_("Found useful"),
    Measure.WORDS: N_("Words"),
    Measure.HOURS: N_("Hours after the meeting"),
}
PATTERNS: Final[dict[Pattern, str]] = {
    Pattern.SAME_LEVELS: N_("Both chose the same level for each other on every criterion"),
    Pattern.BOTH_LOW: N_("Each found the other’s feedback of little use"),
    Pattern.ONE_SIDED: N_("Only one of the two gave feedback, and the round is over"),
    Pattern.UNEQUAL: N_("One wrote less than a third of what the other wrote"),
}


@pages.get("/quality")
@on_visit(may="see progress")
def show(here: Here) -> ResponseReturnValue:
    """How good the feedback is: figures by round and group, who got nothing, and patterns between two as counts."""
    activity = activity_of(here.session, here.placement_id)
    if activity is None:
        return redirect(url_for("home.show"))
    quality = service.quality_of(here.session, activity, now=here.now)
    shown = {group for each in quality.groups.values() for group in each}
    people = {member for group in shown for member in quality.members[group]}
    people |= {member for each in quality.without_feedback.values() for member in each}
    return render_template(
        "quality/show.html",
        activity=activity,
        kind=kind_for(activity),
        quality=quality,
        measures=MEASURES,
        shares=SHARES,
        patterns=PATTERNS,
        names=pairing.names_of(here.session, people),
    )

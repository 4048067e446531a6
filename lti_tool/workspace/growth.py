"""What feedback gave a learner over time: strengths that came again, growth points and what became of them, levels."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.activities.rules import Craft
from lti_tool.activities.service import activity_at
from lti_tool.errors import NotFound
from lti_tool.feedback import service as feedback
from lti_tool.feedback.errors import PreviewOnly
from lti_tool.feedback.service import LevelSeen, Received
from lti_tool.feedback.wording import label_of
from lti_tool.goals import service as goals
from lti_tool.goals.service import Became
from lti_tool.hints import rules as hints
from lti_tool.web.access import Here, on_visit
from lti_tool.web.i18n import reader_language, zone_of_reader
from lti_tool.web.pages import address_of

pages = Blueprint("growth", __name__)


@dataclass(frozen=True, slots=True)
class Again:
    """A strength that came again: the words that its texts share, and where they stand."""

    words: tuple[str, ...]
    said: tuple[tuple[Received, str], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """Something to try, and what it was made."""

    received: Received
    field: str
    text: str
    became: Became | None


@pages.get("/growth")
@on_visit(may="take part", notes_reading=True)
def show(here: Here) -> ResponseReturnValue:
    """What came of the feedback that the member received in the course. Nobody else sees this page."""
    if here.is_preview:
        raise PreviewOnly
    readable, held = feedback.received_in_course(here.session, here.course_id, here.member_id or 0, now=here.now)
    received = [replace(item, author_name=label_of(item.place)) if item.place else item for item in readable]
    for item in received:
        feedback.mark_read(here.session, item.entry, now=here.now)
    place = goals.place_of(
        here.session, activity_at(here.session, here.placement_id), here.member_id or 0, now=here.now
    )
    return render_template(
        "growth/show.html",
        received=received,
        held=held,
        again=_again(received),
        points=_points(here, received),
        criteria=_criteria(here, received),
        can_adopt=place.takes_part and not place.is_closed,
        said=request.args.get("said"),
    )


@pages.post("/growth/<int:feedback_id>/<field>")
@on_visit(may="take part")
def adopt(here: Here, feedback_id: int, field: str) -> ResponseReturnValue:
    """Make something to try a goal or an action of one's own by one tap. Only its owner sees it then."""
    if here.is_preview:
        raise PreviewOnly
    wish = request.form.get("do")
    if wish not in {"goal", "action"}:
        raise NotFound("button", wish)
    activity = activity_at(here.session, here.placement_id)
    place = goals.place_of(here.session, activity, here.member_id or 0, now=here.now)
    today = here.now.astimezone(zone_of_reader(activity.time_zone)).date()
    goals.adopt_point(here.session, place, feedback_id, field, as_goal=wish == "goal", today=today, now=here.now)
    back = address_of(request.form.get("back", ""), said=f"{wish}_made")
    return redirect(back or url_for(".show", said=f"{wish}_made"), code=303)


def _again(received: list[Received]) -> list[Again]:
    strengths = [(one, " ".join(one.texts(Craft.STRENGTH).values())) for one in received]
    themes = hints.themes_of([text for _, text in strengths], reader_language())
    return [Again(theme.words, tuple(strengths[place] for place in theme.places)) for theme in themes]


def _points(here: Here, received: list[Received]) -> list[Point]:
    became = goals.became(here.session, [one.entry.id for one in received])
    return [
        Point(one, field, text, became.get((one.entry.id, field)))
        for one in reversed(received)
        for field, text in one.texts(*goals.TO_TRY).items()
    ]


def _criteria(here: Here, received: list[Received]) -> Mapping[str, list[tuple[Received, LevelSeen]]]:
    """For each criterion who chose which level, oldest first; only what was looked at more than once makes a line."""
    seen = feedback.levels_over_time(here.session, received)
    return {name: [(received[place], level) for place, level in each.items()] for name, each in seen.items()}

"""The questionnaire in which learners see and change their attributes."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.service import activity_at, is_read_only, refuse_read_only
from lti_tool.attributes import forms, service
from lti_tool.attributes.errors import AnswerTooLate
from lti_tool.attributes.forms import OFFERED_LANGUAGES, AnswerText
from lti_tool.attributes.rules import values
from lti_tool.attributes.rules.catalogue import BY_KEY, CATALOGUE, Flaw, Source
from lti_tool.attributes.rules.values import PARTS, language_name
from lti_tool.attributes.service import reading
from lti_tool.attributes.wording import FLAWS, PARTS_OF_DAY, SOURCES, day_names, in_words
from lti_tool.errors import NotAllowed
from lti_tool.launch.models import CourseRole
from lti_tool.pairing import service as pairing
from lti_tool.support.zones import known_zones
from lti_tool.web.access import Here, on_visit
from lti_tool.web.pages import unsent_store

pages = Blueprint("about_you", __name__)


@pages.get("/about-you")
@on_visit(may="take part")
def show(here: Here) -> ResponseReturnValue:
    """Show the learner's attributes and the questions."""
    return _page(here, activity_at(here.session, here.placement_id))


@pages.post("/about-you")
@on_visit(may="take part")
def answer(here: Here) -> ResponseReturnValue:
    """Store the learner's answers."""
    activity = activity_at(here.session, here.placement_id)
    member_id = _own(here)
    refuse_read_only(here.session, activity)
    if _is_planned(here, activity):
        raise AnswerTooLate(activity.id)
    asked = service.asks(here.session, member_id, here.course_id).asked
    answerable = forms.answerable(asked, reading.values_of_members(here.session, [member_id])[member_id])
    text = forms.typed({name: request.form.getlist(name) for name in request.form})
    if request.form.get("do") == "back":
        return _page(here, activity, text)
    values_read, flaws = forms.read_answer(text, answerable)
    if flaws:
        return _page(here, activity, text, flaws)
    service.answer(here.session, member_id, values_read, now=here.now)
    return redirect(url_for(".show", said="saved"), code=303)


@pages.post("/about-you/skip")
@on_visit(may="take part")
def skip(here: Here) -> ResponseReturnValue:
    """Record that the learner skips the questionnaire."""
    service.skip(here.session, _own(here), now=here.now)
    return redirect(url_for("home.show"), code=303)


@pages.post("/about-you/delete")
@on_visit(may="take part")
def delete(here: Here) -> ResponseReturnValue:
    """Delete what the learner said of themselves; that is always possible."""
    service.take_back(here.session, _own(here))
    return redirect(url_for(".show", said="deleted"), code=303)


def _page(
    here: Here, activity: Activity, text: AnswerText | None = None, flaws: Mapping[str, Flaw] | None = None
) -> ResponseReturnValue:
    member_id = _own(here)
    locale = str(get_locale() or "en")
    known = reading.values_of_members(here.session, [member_id])[member_id]
    asked = service.asks(here.session, member_id, here.course_id).asked
    is_open = not is_read_only(here.session, activity) and not _is_planned(here, activity)
    names = reading.names_of_people(here.session, [value.value for value in known.values()])
    context: dict[str, Any] = {
        "activity": activity,
        "is_open": is_open,
        "questions": [BY_KEY[key] for key in (forms.answerable(asked, known) if is_open else ())],
        "catalogue": CATALOGUE,
        "known": known,
        "has_own_words": any(value.source == Source.QUESTIONNAIRE for value in known.values()),
        "shown": in_words(names, locale),
        "sources": SOURCES,
        "text": text or forms.shown(known, locale),
        "is_typed": text is not None,
        "store": unsent_store(here, f"about you:{here.course_id}"),
        "zone": values.zone(here.visit.time_zone or "") or "",
        "problems": {key: gettext(FLAWS[flaw]) for key, flaw in (flaws or {}).items()},
        "languages": [(code, language_name(code, locale)) for code in OFFERED_LANGUAGES],
        "days": day_names(locale),
        "parts": {part: gettext(PARTS_OF_DAY[part]) for part in PARTS},
        "zones": known_zones(),
        "said": None if flaws else request.args.get("said"),
    }
    return render_template("attributes/about_you.html", **context), 422 if flaws else 200


def _own(here: Here) -> int:
    """The member who asks, if they are a learner, or staff who look as one."""
    if here.member_id is None or here.role != CourseRole.LEARNER:
        raise NotAllowed("about you", here.visit.key)
    return here.member_id


def _is_planned(here: Here, activity: Activity) -> bool:
    """Whether the groups are published, so that answers come too late for them."""
    return pairing.find_plan(here.session, activity.id, "published") is not None

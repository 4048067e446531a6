"""Take a ready rubric, one of the library or one from a file into the settings page; put one into the library.

Everything that is typed on the settings page travels along, and nothing of the activity is saved here: what is taken
stands in the editor, to be looked at, undone or saved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from flask import Response, make_response, render_template, request
from flask_babel import gettext

from lti_tool.activities import service
from lti_tool.activities.errors import TemplateChanged, TemplateUnknown
from lti_tool.activities.forms import SetupText
from lti_tool.activities.models import Activity, SavedTemplate
from lti_tool.activities.rules import LONGEST_TITLE, Kind, kind_of
from lti_tool.activities.rules.saved import may_change, rubric_from
from lti_tool.activities.rules.templates.rubrics import READY_RUBRICS
from lti_tool.errors import N_, NotAllowed
from lti_tool.launch.models import Person
from lti_tool.rubrics import forms as rubric_forms
from lti_tool.rubrics.errors import RubricFileUnusable
from lti_tool.rubrics.rules import RubricDraft, plain
from lti_tool.rubrics.rules.files import MOST_BYTES, Note, Unusable, read_file
from lti_tool.web.access import Here
from lti_tool.web.i18n import into_language

BUTTON: Final = "rubrics"
OWN: Final = "library-"
"""How the fields begin that this page has itself."""
NAMES: Final = {"library-title": N_("Name in the library"), "library-rounds": N_("Only in rounds")}
UNUSABLE: Final[dict[Unusable, str]] = {
    Unusable.NOTHING: N_("Choose a file first. An empty file holds no rubric."),
    Unusable.TOO_LARGE: N_(
        "This file is too large for a rubric. The limit is 1 MB. From a large course export, take only rubrics.xml."
    ),
    Unusable.NO_TEXT: N_("This file is not text, so no rubric can be read from it. Save it as CSV or JSON."),
    Unusable.NO_RUBRIC: N_("There is no rubric in this file. A table needs a column called “criterion”."),
    Unusable.BROKEN: N_("This file ends before the rubric does, or is damaged. Export it again."),
    Unusable.TOO_MANY: N_("This file has %(count)s criteria. A rubric has at most 30."),
    Unusable.TOO_LONG: N_(
        "A criterion in this file has %(count)s levels or options. The limit is six levels or ten options."
    ),
}
NOTES: Final[dict[Note, str]] = {
    Note.ROUNDED: N_("Points with decimals were rounded to whole numbers."),
    Note.FIRST_OF_SEVERAL: N_("The file holds several rubrics. The first was taken."),
}
TITLE_MISSING: Final = N_("Give the rubric a name in the library.")
TITLE_TOO_LONG: Final = N_("Shorten the name to 255 characters.")
SAVED_MEANWHILE: Final = N_(
    "Someone saved a newer version of this rubric while you were here. Save again to make yours the newest version."
)


@dataclass(frozen=True, slots=True)
class Taken:
    """The settings page with what was taken, and what to say about it."""

    text: SetupText
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A rubric of the library as the page shows it."""

    template: SavedTemplate
    rubric: RubricDraft
    saved_by: str
    may_change: bool
    uses_here: tuple[service.Use, ...]
    """In this course."""
    uses_elsewhere: int


def answer(here: Here, activity: Activity, text: SetupText, button: str, **page: Any) -> Taken | Response:
    """What follows from one of the buttons that begin with BUTTON. `page` is what the page needs to lead back."""
    _, verb, source = [*button.split(":", 2), "", ""][:3]
    if verb == "file":
        return _from_file(here, activity, text, page)
    if verb in {"use", "add"}:
        kept, _, key = source.partition(".")
        if kept == "ready":
            ready = READY_RUBRICS.get(key)
            if ready is None:
                raise TemplateUnknown(key)
            return _take(activity, text, ready.worded(into_language(text.language)), is_added=verb == "add")
        template = service.template_named(here.session, here.course_id, key, holds=service.RUBRIC)
        origin = (template.id, template.version)
        return _take(activity, text, rubric_from(template.rubric), is_added=verb == "add", origin=origin)
    if verb == "save":
        return _save(here, activity, text, page)
    return _page(here, activity, text, page)


def _take(
    activity: Activity,
    text: SetupText,
    draft: RubricDraft,
    *,
    is_added: bool,
    origin: tuple[int, int] | None = None,
    notes: tuple[Note, ...] = (),
) -> Taken:
    kind = kind_of(activity.kind)
    draft = _about(plain(draft, [seat.key for seat in kind.seats]), kind)
    form = rubric_forms.extended(text.rubric, draft) if is_added else rubric_forms.replaced(text.rubric, draft, origin)
    said = gettext("The rubric below is not saved yet. Look at it, change what you like, and save.")
    return Taken(replace(text, rubric=form), (said, *(gettext(NOTES[note]) for note in notes)))


def _about(draft: RubricDraft, kind: Kind) -> RubricDraft:
    """The rubric about the seat, and in the rounds, that the page asks for."""
    seat = request.form.get("library-seat", "")
    rounds = request.form.get("library-rounds", "")
    numbers = tuple(sorted({int(one) for one in rounds.replace(",", " ").split() if one.isascii() and one.isdecimal()}))
    criteria = draft.criteria
    if seat in {one.key for one in kind.seats}:
        criteria = tuple(replace(one, seat=seat) for one in criteria)
    if numbers:
        criteria = tuple(replace(one, rounds=numbers) for one in criteria)
    return replace(draft, criteria=criteria)


def _from_file(here: Here, activity: Activity, text: SetupText, page: Mapping[str, Any]) -> Taken | Response:
    file = request.files.get("library-file")
    try:
        rubric = read_file(file.read(MOST_BYTES + 1) if file is not None else b"")
    except RubricFileUnusable as refusal:
        problem = gettext(UNUSABLE[Unusable(refusal.reason)]) % {"count": refusal.count}
        return _page(here, activity, text, page, problems={"library-file": problem}, status=422)
    is_added = request.form.get("library-how") == "add"
    return _take(activity, text, rubric.draft, is_added=is_added, notes=rubric.notes)


def _save(here: Here, activity: Activity, text: SetupText, page: Mapping[str, Any]) -> Taken | Response:
    """Put the rubric, as it is typed, into a library. Where it has mistakes, the editor shows them."""
    rubric, mistakes = rubric_forms.read(text.rubric)
    if mistakes:
        return Taken(text, (gettext("Correct the rubric before you put it into the library."),))
    chosen = request.form.get("library-as", "new")
    title = request.form.get("library-title", "").replace("\x00", "").strip()
    if chosen != "new":
        template = service.template_named(here.session, here.course_id, chosen, holds=service.RUBRIC)
        if not _may_change(here, template):
            raise NotAllowed("template", template.id)
        seen = request.form.get(f"library-version-{template.id}", 0, type=int)
        try:
            service.save_rubric_version(
                here.session, template, rubric, expected_version=seen, by=here.person_id, now=here.now
            )
        except TemplateChanged:
            problems = {"library-title": gettext(SAVED_MEANWHILE)}
            return _page(here, activity, text, page, problems=problems, status=409)
    elif not title or len(title) > LONGEST_TITLE:
        problem = gettext(TITLE_TOO_LONG if title else TITLE_MISSING)
        return _page(here, activity, text, page, problems={"library-title": problem}, status=422)
    else:
        template = service.save_rubric(
            here.session,
            here.course_id,
            rubric,
            title=title,
            is_for_institution=request.form.get("library-place") == "institution",
            by=here.person_id,
            now=here.now,
        )
    text.rubric.origin.data = f"{template.id}.{template.version}"
    said = gettext(
        "Version %(number)d of “%(title)s” is in the library.", number=template.version, title=template.title
    )
    return _page(here, activity, text, page, said=said)


def library(here: Here) -> list[Listed]:
    """The rubrics of this course and of the institution, newest first."""
    templates = service.templates_for(here.session, here.course_id, holds=service.RUBRIC)
    uses = service.uses_of(here.session, [template.id for template in templates])
    return [
        Listed(
            template,
            rubric_from(template.rubric),
            _name_of(here, template.saved_by_id),
            _may_change(here, template),
            tuple(use for use in uses.get(template.id, ()) if use.course_id == here.course_id),
            sum(use.course_id != here.course_id for use in uses.get(template.id, ())),
        )
        for template in templates
    ]


def newer_of(here: Here, text: SetupText) -> SavedTemplate | None:
    """The rubric of the library that the typed one began with, where it has a newer version."""
    origin = rubric_forms.origin_of(text.rubric)
    templates = service.templates_for(here.session, here.course_id, holds=service.RUBRIC) if origin else []
    return next((one for one in templates if origin and one.id == origin[0] and one.version > origin[1]), None)


def origin_in(here: Here, text: SetupText) -> tuple[int, int] | None:
    """Where the typed rubric began, as far as that is true."""
    origin = rubric_forms.origin_of(text.rubric)
    if origin is None:
        return None
    try:
        template = service.template_for(here.session, here.course_id, origin[0])
    except TemplateUnknown:
        return None
    return origin if template.holds == service.RUBRIC and 0 < origin[1] <= template.version else None


def _may_change(here: Here, template: SavedTemplate) -> bool:
    person = here.session.get_one(Person, here.person_id)
    is_administrator = person.is_administrator
    return may_change(
        template.saved_by_id, template.course_id, person_id=here.person_id, is_administrator=is_administrator
    )


def _name_of(here: Here, person_id: int | None) -> str:
    person = here.session.get(Person, person_id) if person_id is not None else None
    return (person.name if person is not None else None) or gettext("Someone")


def _page(
    here: Here,
    activity: Activity,
    text: SetupText,
    page: Mapping[str, Any],
    *,
    problems: Mapping[str, str] | None = None,
    said: str = "",
    status: int = 200,
) -> Response:
    kind = kind_of(activity.kind)
    titles = {seat.key: gettext(seat.title) for seat in kind.seats}
    say = into_language(text.language)
    ready = [(one.key, one.worded(say), titles[one.seat]) for one in READY_RUBRICS.values() if one.suits(kind)]
    others = [(one.key, one.worded(say), "") for one in READY_RUBRICS.values() if not one.suits(kind)]
    typed = {
        name: value
        for name, value in request.form.items()
        if name not in {"form_token", "do", "rubric-from"} and not name.startswith(OWN)
    }
    rubric = rubric_forms.read(text.rubric)[0]
    own = {name: request.form.get(f"{OWN}{name}", "") for name in ("title", "place", "as", "seat", "rounds", "how")}
    # What came from the library mostly goes back as its next version.
    origin = origin_in(here, text)
    if not own["as"] and origin is not None:
        own["as"] = str(origin[0])
    shown = render_template(
        "rubrics/choose.html",
        activity=activity,
        typed=[*typed.items(), ("rubric-from", text.rubric.origin.data or "")],
        own=own,
        title=request.form.get("library-title", rubric.title),
        ready=ready,
        others=others,
        library=library(here),
        seats=list(titles.items()),
        problems=problems or {},
        said=said,
        **page,
    )
    return make_response(shown, status)

"""Templates of one's own: save an activity as one, rename and withdraw it, take over a newer version."""

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities import rules, service
from lti_tool.activities.errors import ActivityChanged, ActivityInvalid, TemplateChanged
from lti_tool.activities.models import Activity, SavedTemplate
from lti_tool.activities.rules import LONGEST_TITLE, kind_of
from lti_tool.activities.rules.saved import content_of, may_change
from lti_tool.errors import N_, NotAllowed
from lti_tool.launch.models import Person
from lti_tool.pairing import service as pairing
from lti_tool.pairing.rules import preferences
from lti_tool.web.access import Here, on_visit
from lti_tool.workspace.setup import ACT, DESIGNING, address_here, agreed_again, in_use, name_of, store_of

pages = Blueprint("saved_templates", __name__)

NAMES: Final = {"template-title-": N_("Name of the template")}
TITLE_MISSING: Final = N_("Give the template a name.")
TITLE_TOO_LONG: Final = N_("Shorten the name to 255 characters.")


@dataclass(frozen=True, slots=True)
class Listed:
    """A saved template as a list shows it."""

    template: SavedTemplate
    kind: rules.Kind
    saved_by: str
    may_change: bool


def listed(here: Here, *, are_withdrawn: bool = False) -> list[Listed]:
    """The templates of this course and of the institution, newest first."""
    found = service.templates_for(here.session, here.course_id, are_withdrawn=are_withdrawn)
    return [
        Listed(one, kind_of(one.settings["kind"]), name_of(here.session, one.saved_by_id), _may_change(here, one))
        for one in found
    ]


@pages.get("/setup/templates")
@on_visit(may=ACT, kinds=DESIGNING)
def show(here: Here) -> ResponseReturnValue:
    """The templates that designers saved, to be renamed, withdrawn and brought back."""
    return _list(here)


@pages.post("/setup/templates/<int:template_id>")
@on_visit(may=ACT, kinds=DESIGNING)
def change(here: Here, template_id: int) -> ResponseReturnValue:
    """Rename a template, withdraw it, or bring it back."""
    template = service.template_for(here.session, here.course_id, template_id)
    if not _may_change(here, template):
        raise NotAllowed("template", template_id)
    match request.form.get("do"):
        case "rename":
            title = _typed(f"template-title-{template.id}")
            problem = _problem(title)
            if problem:
                return _list(here, problems={template.id: (title, problem)}, status=422)
            service.rename_template(here.session, template, title)
            said = "renamed"
        case "withdraw":
            service.withdraw_template(here.session, template, now=here.now)
            said = "withdrawn"
        case _:
            service.restore_template(here.session, template)
            said = "restored"
    return redirect(url_for(".show", said=said, about=template.id), code=303)


@pages.get("/setup/template", defaults={"key": None})
@pages.get("/setup/drafts/<key>/template")
@on_visit(may=ACT, kinds=DESIGNING)
def ask(here: Here, key: str | None) -> ResponseReturnValue:
    """Ask for name and place of a template before an activity is saved as one."""
    activity = _activity(here, key)
    current = service.template_of(here.session, activity)
    chosen = str(current.id) if current is not None and _may_change(here, current) else "new"
    return _form(here, activity, {"title": activity.title, "place": "course", "as": chosen})


@pages.post("/setup/template", defaults={"key": None})
@pages.post("/setup/drafts/<key>/template")
@on_visit(may=ACT, kinds=DESIGNING)
def save(here: Here, key: str | None) -> ResponseReturnValue:
    """Save the activity as a template, or as a new version of one."""
    activity = _activity(here, key)
    typed = {name: _typed(name) for name in ("title", "place", "as")}
    content = content_of(
        service.settings_of(here.session, activity),
        service.rubric_draft_of(here.session, activity),
        pairing.preferences_of(here.session, activity).preferences.to_json(),
    )
    if typed["as"] not in {"", "new"}:
        template = service.template_named(here.session, here.course_id, typed["as"])
        if not _may_change(here, template):
            raise NotAllowed("template", template.id)
        expected = request.form.get(f"version-{template.id}", 0, type=int)
        try:
            service.save_version(
                here.session,
                activity,
                template,
                content,
                expected_version=expected,
                by=here.person_id,
                now=here.now,
            )
        except TemplateChanged:
            return _form(here, activity, typed, changed=template, status=409)
        return redirect(address_here(activity, "new-version"), code=303)
    problem = _problem(typed["title"])
    if problem:
        return _form(here, activity, typed, problem=problem, status=422)
    service.save_template(
        here.session,
        activity,
        content,
        title=typed["title"],
        is_for_institution=typed["place"] == "institution",
        by=here.person_id,
        now=here.now,
    )
    return redirect(address_here(activity, "template"), code=303)


@pages.post("/setup/newer", defaults={"key": None})
@pages.post("/setup/drafts/<key>/newer")
@on_visit(may=ACT, kinds=DESIGNING)
def take_over(here: Here, key: str | None) -> ResponseReturnValue:
    """Bring the activity to the newest version of its template; rounds and dates stay."""
    activity = _activity(here, key)
    template = service.newer_template(here.session, activity)
    seen = request.form.get("template-version", 0, type=int)
    if template is None or template.version != seen:
        # Withdrawn, or saved once more: the page says what there is now.
        return redirect(address_here(activity), code=303)
    try:
        with agreed_again(here, activity):
            service.take_over(
                here.session,
                activity,
                template,
                expected_version=request.form.get("version", 0, type=int),
                in_use=in_use(here.session, activity.id),
                by=here.person_id,
                now=here.now,
            )
    except ActivityInvalid:
        return redirect(address_here(activity, "dates-in-the-way"), code=303)
    except ActivityChanged:
        return redirect(address_here(activity), code=303)
    pairing.save_preferences(
        here.session,
        activity.id,
        preferences.read(template.preferences),
        expected_version=pairing.preferences_of(here.session, activity).version,
        by=here.person_id,
        now=here.now,
    )
    return redirect(address_here(activity, "taken-over"), code=303)


def _activity(here: Here, key: str | None) -> Activity:
    if key is None:
        return service.activity_at(here.session, here.placement_id)
    return service.draft_for_key(here.session, here.course_id, key)


def _may_change(here: Here, template: SavedTemplate) -> bool:
    person = here.session.get_one(Person, here.person_id)
    return may_change(
        template.saved_by_id,
        template.course_id,
        person_id=here.person_id,
        is_administrator=person.is_administrator,
    )


def _typed(field: str) -> str:
    """What stands in a field; NUL, which no database column takes, is dropped."""
    return request.form.get(field, "").replace("\x00", "").strip()


def _problem(title: str) -> str:
    if not title:
        return TITLE_MISSING
    return TITLE_TOO_LONG if len(title) > LONGEST_TITLE else ""


def _list(here: Here, *, problems: dict[int, tuple[str, str]] | None = None, status: int = 200) -> Response:
    about = request.args.get("about", 0, type=int)
    page = render_template(
        "setup/templates.html",
        offered=listed(here),
        withdrawn=listed(here, are_withdrawn=True),
        problems=problems or {},
        summary=[(f"template-title-{id_}", gettext(problem)) for id_, (_, problem) in (problems or {}).items()],
        about=about,
    )
    return make_response(page, status)


def _form(
    here: Here,
    activity: Activity,
    typed: dict[str, str],
    *,
    problem: str = "",
    changed: SavedTemplate | None = None,
    status: int = 200,
) -> Response:
    own = [one for one in listed(here) if one.may_change and one.kind.key == activity.kind]
    context: dict[str, Any] = {
        "activity": activity,
        "own": own,
        "typed": typed,
        "problem": problem,
        "summary": [("title", gettext(problem))] if problem else [],
        "changed": changed,
        "changed_by": name_of(here.session, changed.saved_by_id) if changed is not None else "",
        "settings_address": address_here(activity),
        "store": store_of(here, activity),
    }
    return make_response(render_template("setup/save_template.html", **context), status)

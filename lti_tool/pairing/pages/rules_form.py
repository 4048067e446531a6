"""The page on which designers set pairing rules, and see what they cost."""

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import kind_for
from lti_tool.activities.service import activity_at, is_read_only, rounds_of
from lti_tool.attributes.rules.catalogue import CATALOGUE as ATTRIBUTES
from lti_tool.errors import N_
from lti_tool.pairing import engine, forms, service
from lti_tool.pairing import wording as words
from lti_tool.pairing.engine import Course, Kind
from lti_tool.pairing.errors import PreferencesChanged, PreferencesInvalid
from lti_tool.pairing.rules import preferences
from lti_tool.pairing.rules.preferences import Preferences
from lti_tool.web.access import Here, on_visit
from lti_tool.web.pages import unsent_store

pages = Blueprint("pairing_rules", __name__)

SHAPES: Final = (
    (Kind.PAIRS, N_("Pairs"), N_("Two and two; one group of three when the number is odd. The usual choice.")),
    (Kind.TRIOS, N_("Groups of three"), N_("Everyone observes, and is observed by, two others.")),
    (
        Kind.CIRCLES,
        N_("Circles"),
        N_("Three to six people. To whom they give feedback is chosen in the settings of the activity."),
    ),
)
"""Rings are no choice of their own: they follow from the settings, where each gives feedback to the next."""
KEPT_APART: Final = (engine.Exclusions, engine.ShouldNot)
FLAWS: Final = {
    "enum": N_("Choose one of the options."),
    "missing": N_("Choose one of the options."),
    "unknown_attribute": N_("Choose one of the options."),
    "listed_twice": N_("This is listed twice."),
    "too_long": N_("There are more of these than Tandem can take. Remove some."),
    "size": N_("Choose a size that suits what people do together here."),
    "greater_than_equal": N_("This number is too small or too large."),
    "less_than_equal": N_("This number is too small or too large."),
    "contradicts": N_("This contradicts another line."),
    "gap_empty": N_("Enter how many years at least or at most; at least cannot be more than at most."),
}
"""By the name of the error; for every other error a number is missing."""
NOTHING_WRONG: Final[Mapping[str, str]] = {}
NO_NUMBER: Final = N_("Write a whole number.")


@pages.get("/plan/rules")
@on_visit(may="change a plan")
def show(here: Here) -> ResponseReturnValue:
    """Show the pairing rules, and what they cost."""
    activity = activity_at(here.session, here.placement_id)
    saved = service.preferences_of(here.session, activity)
    return _page(here, activity, forms.texts_of(saved.preferences), saved.version, saved.preferences)


@pages.post("/plan/rules")
@on_visit(may="change a plan")
def answer(here: Here) -> ResponseReturnValue:
    """Save the rules, or show what they would cost, or fill in the form from a preset."""
    activity = activity_at(here.session, here.placement_id)
    texts = {name: value.strip()[:200] for name, value in request.form.items()}
    version = request.form.get("version", 0, type=int)
    press = texts.get("do", "save")
    preset = forms.PRESETS.get(press.removeprefix("preset-"))
    if preset is not None:
        # A start for rules and wishes: the size of groups is the kind's matter, and stays as it was chosen.
        kept = service.preferences_of(here.session, activity).preferences
        start = replace(preset.wanted, kind=kept.kind, size=kept.size)
        return _page(here, activity, forms.texts_of(start), version, start, is_saved=False)
    try:
        wanted = preferences.read(forms.plain_values(texts))
        _refuse_size(here, activity, wanted)
        if press == "check":
            return _page(here, activity, texts, version, wanted, is_saved=False)
        service.save_preferences(
            here.session, activity.id, wanted, expected_version=version, by=here.person_id, now=here.now
        )
    except PreferencesInvalid as refusal:
        return _page(here, activity, texts, version, None, is_saved=False, problems=refusal.problems)
    except PreferencesChanged:
        here.session.expire_all()
        current = service.preferences_of(here.session, activity).version
        return _page(here, activity, texts, current, wanted, is_saved=False, changed=True)
    return redirect(url_for(".show", said="saved"), code=303)


def _sizes(activity: Activity, shape: Kind) -> list[int]:
    """The sizes of this shape that suit what people do together. Circles of three only are groups of three."""
    kind = kind_for(activity)
    sizes = [size for size in preferences.SIZES[shape] if kind.smallest_group <= size <= kind.largest_group]
    return [] if shape is Kind.CIRCLES and sizes == [3] else sizes


def _refuse_size(here: Here, activity: Activity, wanted: Preferences) -> None:
    """Raise PreferencesInvalid for a size that does not suit the activity's kind, unless it was chosen before."""
    kept = service.preferences_of(here.session, activity).preferences
    if wanted.shape != kept.shape and wanted.size not in _sizes(activity, wanted.kind):
        raise PreferencesInvalid({"size": "size"})


def _page(
    here: Here,
    activity: Activity,
    texts: dict[str, str],
    version: int,
    wanted: Preferences | None,
    *,
    is_saved: bool = True,
    problems: Mapping[str, str] = NOTHING_WRONG,
    changed: bool = False,
) -> ResponseReturnValue:
    plan = service.find_plan(here.session, activity.id)
    flawed = {forms.field_of(texts, field): gettext(FLAWS.get(flaw, NO_NUMBER)) for field, flaw in problems.items()}
    conditions = service.conditions_of(here.session, activity)
    course = replace(conditions, wanted=wanted).course() if wanted is not None else None
    rules = course.rules if course is not None else ()
    known = conditions.known()
    chosen = {name for name, text in texts.items() if text}
    context: dict[str, Any] = {
        "activity": activity,
        "plan": plan,
        "is_read_only": is_read_only(here.session, activity),
        "texts": texts,
        "version": version,
        "store": unsent_store(here, f"rules:{activity.id}"),
        "is_saved": is_saved,
        "changed": changed,
        "problems": flawed,
        "summary": list(flawed.items()),
        "shapes": [shape for shape in SHAPES if _sizes(activity, shape[0]) or shape[0] == texts.get("kind")],
        "sizes": _sizes(activity, Kind.CIRCLES),
        "rule_lines": _shown_and_folded("rules", known, chosen),
        "wish_lines": _shown_and_folded("wishes", known, chosen),
        "known": known,
        "learner_count": len(conditions.learners),
        "weights": forms.WEIGHTS,
        "ways": forms.WAYS,
        "presets": forms.PRESETS,
        "preset_kinds": forms.PRESET_KINDS,
        "words": words,
        "attributes": {attribute.key: attribute for attribute in ATTRIBUTES},
        "said": None if problems or changed else request.args.get("said"),
        "couples_apart": sum(len(rule.couples) for rule in rules if isinstance(rule, KEPT_APART)),
    }
    if course is not None:
        context |= _costs(here, activity, course)
    return render_template("pairing/rules.html", **context), 409 if problems or changed else 200


def _shown_and_folded(what: str, known: Mapping[str, int], chosen: Set[str]) -> tuple[list[forms.Line], ...]:
    """The lines to show, and the lines to fold: those that are not chosen and need a value that no one has."""
    shown: list[forms.Line] = []
    folded: list[forms.Line] = []
    for line in forms.LINES[what]:
        at = f"{what}-{line.attribute}"
        is_wanted = any(name.startswith((f"{at}-kind", f"{at}-at_")) for name in chosen)
        (shown if is_wanted or all(known[name] for name in line.needs) else folded).append(line)
    return shown, folded


def _costs(here: Here, activity: Activity, course: Course) -> dict[str, Any]:
    costs = engine.costs(course)
    concerns = engine.warnings(course, len(rounds_of(here.session, activity.id)))
    shown = {left.person for left in costs.together.fewest[: words.MOST_NAMED]}
    shown |= {person for concern in concerns for person in concern.people[: words.MOST_NAMED]}
    names = service.names_of(here.session, shown)
    return {
        "costs": costs,
        "people_count": len(course.people),
        "names": names,
        "cautions": [words.caution_in_words(concern, names) for concern in concerns],
        "fewest": costs.together.fewest[: words.MOST_NAMED],
    }

"""The page on which designers say who may meet whom, and see what that costs."""

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.service import activity_at, is_read_only, rounds_of
from lti_tool.attributes.rules.catalogue import CATALOGUE as ATTRIBUTES
from lti_tool.errors import N_
from lti_tool.pairing import forms, plan_words, preferences, service, words
from lti_tool.pairing.engine import Kind
from lti_tool.pairing.engine.course import Course
from lti_tool.pairing.engine.explanations import cautions, costing
from lti_tool.pairing.engine.rules import Exclusions, ShouldNot
from lti_tool.pairing.engine.rules.rule import NEVER
from lti_tool.pairing.errors import PlanError, PreferencesChanged, PreferencesInvalid, Problem
from lti_tool.pairing.models import Plan
from lti_tool.pairing.preferences import Flaw, Preferences
from lti_tool.web.access import Here, on_visit
from lti_tool.web.pages import unsent_store

pages = Blueprint("who_meets", __name__)

SHAPES: Final = (
    (Kind.PAIRS, N_("Pairs"), N_("Two and two; one group of three when the number is odd. The usual choice.")),
    (Kind.TRIOS, N_("Groups of three"), N_("Everybody observes, and is observed by, two others.")),
    (
        Kind.CIRCLES,
        N_("Circles"),
        N_("Three to six people. Everybody gives feedback to everybody, so rounds take longer."),
    ),
)
"""Rings are not offered yet: pages and completion ask everybody of a group for feedback to everybody."""
FLAWS: Final[dict[str, str]] = {
    Flaw.WRONG_FORM: N_("Write a whole number."),
    Flaw.UNKNOWN_KIND: N_("Choose one of the possibilities."),
    Flaw.UNKNOWN_ATTRIBUTE: N_("Choose one of the possibilities."),
    Flaw.LISTED_TWICE: N_("This is asked for twice."),
    Flaw.TOO_MANY: N_("These are too many at once."),
    Flaw.SIZE: N_("Circles and rings have 3 to 6 people."),
    Flaw.OUT_OF_RANGE: N_("This number is too small or too large."),
    Flaw.CONTRADICTS: N_("This contradicts another line."),
    Flaw.GAP_EMPTY: N_("Say how many years at least or at most; at least cannot be more than at most."),
}


@pages.get("/plan/rules")
@on_visit(may="change a plan")
def show(here: Here) -> ResponseReturnValue:
    """What is wanted of the groups now, and what it costs."""
    activity = activity_at(here.session, here.placement_id)
    kept = service.preferences_of(here.session, activity)
    return _page(here, activity, forms.texts_of(kept.preferences), kept.version, kept.preferences)


@pages.post("/plan/rules")
@on_visit(may="change a plan")
def answer(here: Here) -> ResponseReturnValue:
    """Save what was chosen, or only look what it would cost, or fill the form from a preset."""
    activity = activity_at(here.session, here.placement_id)
    texts = {name: value.strip()[:200] for name, value in request.form.items()}
    version = request.form.get("version", 0, type=int)
    press = texts.get("do", "save")
    preset = forms.PRESETS.get(press.removeprefix("preset-"))
    if preset is not None:
        return _page(here, activity, forms.texts_of(preset[2]), version, preset[2], is_saved=False)
    try:
        wanted = preferences.read(forms.plain_values(texts))
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


@pages.post("/plan/give-way")
@on_visit(may="change a plan")
def give_way(here: Here) -> ResponseReturnValue:
    """Show what it would change if rules gave way; with `do=relax` they do."""
    activity = activity_at(here.session, here.placement_id)
    plan = service.find_plan(here.session, activity.id)
    rules = _that_may_give_way(here, activity, plan) if plan is not None else ()
    if plan is None or not rules:
        return redirect(url_for("plan.show_plan"), code=303)
    problem = None
    if request.form.get("do") == "relax":
        version = request.form.get("version", 0, type=int)
        try:
            service.relax(here.session, plan, rules, expected_version=version, by=here.person_id, now=here.now)
            return redirect(url_for("plan.show_plan", said="gave-way"), code=303)
        except PlanError as refusal:
            here.session.expire_all()
            problem = plan_words.what_to_do(refusal, here)
    try:
        effect = service.preview_relax(here.session, plan, rules, now=here.now)
    except PlanError as refusal:
        effect, problem = None, plan_words.what_to_do(refusal, here)
    people = set() if effect is None else {one for broken in effect.no_longer_broken for one in broken.people}
    if effect is not None:
        people |= effect.moved | {one for _, one in (*effect.newly_paired, *effect.newly_unpaired)}
    context = {
        "activity": activity,
        "plan": plan,
        "rules": rules,
        "say": words,
        "effect": effect,
        "names": service.names_of(here.session, people),
        "problem": problem,
    }
    return render_template("pairing/give_way.html", **context), 409 if problem else 200


def _that_may_give_way(here: Here, activity: Activity, plan: Plan) -> tuple[str, ...]:
    """Those of the rules in the request that hold today and may give way, each once."""
    hold = {one.name for one in service.course_of_plan(here.session, activity, plan).rules if one.priority < NEVER}
    return tuple(name for name in dict.fromkeys(request.form.getlist("rule")) if name in hold)


def _page(
    here: Here,
    activity: Activity,
    texts: dict[str, str],
    version: int,
    wanted: Preferences | None,
    *,
    is_saved: bool = True,
    problems: tuple[Problem, ...] = (),
    changed: bool = False,
) -> ResponseReturnValue:
    plan = service.find_plan(here.session, activity.id)
    flawed = {forms.field_of(texts, one.field): gettext(FLAWS[one.flaw]) for one in problems}
    gathered = service.gather(here.session, activity)
    course = replace(gathered, wanted=wanted).course() if wanted is not None else None
    known = gathered.known()
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
        "shapes": SHAPES,
        "rule_lines": _put_apart("rule", forms.RULE_LINES, known, chosen),
        "wish_lines": _put_apart("wish", forms.WISH_LINES, known, chosen),
        "known": known,
        "learner_count": len(gathered.learners),
        "both_ways": forms.BOTH_WAYS,
        "weights": forms.WEIGHTS,
        "ways": forms.WAYS,
        "presets": forms.PRESETS,
        "preset_kinds": forms.PRESET_KINDS,
        "attributes": {one.key: one for one in ATTRIBUTES},
        "said": None if problems or changed else request.args.get("said"),
        "said_apart": _said_apart(course),
    }
    if course is not None:
        context |= _costs(here, activity, course)
    return render_template("pairing/rules.html", **context), 409 if problems or changed else 200


def _put_apart(
    what: str, lines: tuple[forms.Line, ...], known: Mapping[str, int], chosen: Set[str]
) -> tuple[list[forms.Line], list[forms.Line]]:
    """The lines that are shown at once; and apart, those that are not chosen and need what is known of no one."""
    shown: list[forms.Line] = []
    apart: list[forms.Line] = []
    for line in lines:
        field = f"{what}-{line.attribute}"
        is_wanted = any(name == field or name.startswith(f"{field}-at_") for name in chosen)
        (shown if is_wanted or all(known[name] for name in line.needs) else apart).append(line)
    return shown, apart


def _said_apart(course: Course | None) -> int:
    """How many couples somebody wants kept apart."""
    listed = () if course is None else course.rules
    return sum(len(rule.couples) for rule in listed if isinstance(rule, Exclusions | ShouldNot))


def _costs(here: Here, activity: Activity, course: Course) -> dict[str, Any]:
    found = costing.costs(course)
    concerns = cautions.warnings(course, len(rounds_of(here.session, activity.id)))
    shown = {one.person for cost in (*found.rules, found.together) for one in cost.fewest[: words.MOST_NAMED]}
    shown |= {one for concern in concerns for one in concern.people[: words.MOST_NAMED]}
    names = service.names_of(here.session, shown)
    return {
        "costs": found,
        "lines": [_in_words(cost, found.couples) for cost in found.rules],
        "together": _in_words(found.together, found.couples),
        "names": names,
        "cautions": [words.caution_in_words(one, names) for one in concerns],
        "people_count": len(course.people),
    }


def _in_words(cost: costing.RuleCost, couples: int) -> dict[str, Any]:
    return {
        "rule": words.rule_in_words(cost.rule) if cost.rule else "",
        "share": 100 * cost.removed / couples if couples else 0,
        "alone": 100 * cost.alone / couples if couples else 0,
        "fewest": cost.fewest[: words.MOST_NAMED],
        "without": cost.without,
    }

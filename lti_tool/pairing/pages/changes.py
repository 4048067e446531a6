"""Change a plan: choose people and what to do, see what that would change, then do it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.service import activity_at, refuse_read_only, rounds_of
from lti_tool.errors import N_, NotAllowed
from lti_tool.pairing import service
from lti_tool.pairing import wording as words
from lti_tool.pairing.errors import OBSTACLES, PlanChanged, PlanError
from lti_tool.pairing.pages import plan_view
from lti_tool.pairing.pages.plan_view import chosen_people, place, plan_of
from lti_tool.pairing.rules.changes import Change, Do
from lti_tool.pairing.rules.comparing import Comparison
from lti_tool.web.access import Here, on_visit
from lti_tool.web.lists import number_of

pages = Blueprint("plan_changes", __name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """What staff can do with the people they choose."""

    may: str
    done: str
    fewest: int = 0
    most: int = 12
    hint: str = ""
    """What is said when too few or too many people are chosen."""


TWO: Final = N_("Choose two people for this.")
ONE: Final = N_("Choose one person for this.")
CHOICES: Final[dict[str, Choice]] = {
    Do.SWAP: Choice("move a member", "swapped", 2, 2, N_("Choose two people in different groups of this round.")),
    Do.TOGETHER: Choice("change a plan", "pinned", 2, 12, OBSTACLES["too few"]),
    Do.ALWAYS: Choice("change a plan", "pinned", 2, 12, OBSTACLES["too few"]),
    Do.NEVER: Choice("change a plan", "apart", 2, 2, TWO),
    Do.AVOID: Choice("change a plan", "apart", 2, 2, TWO),
    Do.ABSENT: Choice("move a member", "absent", 1, 1, ONE),
    Do.LEAVE_OUT: Choice("change a plan", "left-out", 1, 1, ONE),
    Do.MEND: Choice("change a plan", "mended"),
    Do.RELAX: Choice("change a plan", "relaxed"),
    Do.UNPIN: Choice("change a plan", "taken-back"),
    Do.MEET_AGAIN: Choice("change a plan", "taken-back"),
    Do.TURNS_UP: Choice("move a member", "turns-up", 1, 1, ONE),
}
"""Pages show the effect of a choice first, except of the last three, which take a decision back."""
DECISIONS: Final = frozenset({Do.TOGETHER, Do.ALWAYS, Do.NEVER, Do.AVOID})
"""What also holds for other groups. That the plan of today does not keep it is no news."""


@pages.get("/plan/effect")
@on_visit(may="move a member")
def effect(here: Here) -> ResponseReturnValue:
    """Show what a change would do. Nothing is saved."""
    return _answer(here, _show_effect)


@pages.post("/plan/change")
@on_visit(may="move a member")
def change(here: Here) -> ResponseReturnValue:
    """Make the change whose effect was shown. If the plan has changed since, show the effect again."""
    return _answer(here, _make)


def _answer(here: Here, act: Callable[[Here, Activity, Change], ResponseReturnValue]) -> ResponseReturnValue:
    """Do what the request asks for; if that cannot be done, show the plan with the reason."""
    activity = activity_at(here.session, here.placement_id)
    refuse_read_only(here.session, activity)
    who, do, number = chosen_people(), request.values.get("do", ""), number_of("round")
    if do not in CHOICES:
        return plan_view.page(here, activity, problem=gettext("Choose what to do."), field="do", chosen=who)
    choice = CHOICES[do]
    if not here.may(choice.may):
        raise NotAllowed(choice.may, here.role)
    problem = None
    if not choice.fewest <= len(who) <= choice.most:
        problem = gettext(choice.hint)
    elif "round" in request.values and not 1 <= number <= len(rounds_of(here.session, activity.id)):
        problem = gettext(OBSTACLES["no round"])
    if problem is not None:
        return plan_view.page(here, activity, problem=problem, field="groups", chosen=who)
    try:
        rules, decision = tuple(request.values.getlist("rule")), number_of("decision")
        return act(here, activity, Change(Do(do), tuple(who), max(number, 1), rules, decision))
    except PlanError as refusal:
        return plan_view.page(here, activity, refusal, field="groups", chosen=who)


def _make(here: Here, activity: Activity, asked: Change) -> ResponseReturnValue:
    plan_of(here, activity)
    try:
        # Nothing of a refused change is stored.
        with here.session.begin_nested():
            service.apply(
                here.session,
                activity.id,
                asked,
                expected_version=number_of("version"),
                by=here.person_id,
                now=here.now,
                anyway=request.form.get("anyway") == "1",
            )
    except PlanChanged as refusal:
        here.session.expire_all()
        try:
            return _show_effect(here, activity, asked, has_changed=True)
        except PlanError:
            # It cannot be done in the plan as it is now; the reason is that the plan has changed.
            raise refusal from None
    is_swap = asked.do is Do.SWAP
    is_undone = is_swap and request.form.get("undo")
    said = "swapped-back" if is_undone else CHOICES[asked.do].done
    where = {**place(), "round": asked.round, "two": asked.members if is_swap else ()}
    return redirect(url_for("plan.show_plan", said=said, **where), code=303)


def _show_effect(here: Here, activity: Activity, asked: Change, *, has_changed: bool = False) -> ResponseReturnValue:
    plan = plan_of(here, activity)
    effect = service.preview(here.session, activity, asked, now=here.now)
    newly, no_longer = (plan_view.named(here, some) for some in (effect.newly_broken, effect.no_longer_broken))
    effect = replace(effect, newly_broken=newly, no_longer_broken=no_longer)
    holds = service.preferences_of(here.session, activity).preferences.should_not_holds
    is_absent = asked.do is Do.ABSENT
    context: dict[str, Any] = {
        "activity": activity,
        "plan": plan,
        "asked": asked,
        "is_decision": asked.do in DECISIONS,
        "place": place(),
        "effect": effect,
        "is_ignored": asked.do is Do.AVOID and not holds,
        "newly_alone": [alone for alone in effect.newly_unpaired if not (is_absent and alone[1] in asked.members)],
        "mended": [
            breach
            for breach in effect.no_longer_broken
            if asked.do not in DECISIONS or set(breach.people) != set(asked.members)
        ],
        "figures": [figure for figure in plan_view.figures(here) if _is_telling(figure[0], effect, asked.do)],
        "names": service.names_of(here.session, {*asked.members, *effect.people}),
        "has_changed": has_changed,
        "words": words,
        "knows": plan_view.knows(here),
    }
    return render_template("pairing/effect.html", **context), 409 if has_changed else 200


def _is_telling(figure: str, effect: Comparison, do: Do) -> bool:
    """Whether a figure says something: what is asked for would count among broken rules, and an absent person among
    those without a partner; the number of groups rarely changes."""
    match figure:
        case "broken":
            return do not in DECISIONS
        case "unpaired":
            return do is not Do.ABSENT
        case "groups":
            return effect.before.groups != effect.after.groups
    return True

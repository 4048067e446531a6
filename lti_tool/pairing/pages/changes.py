"""Change a plan: choose people and what is to become of them, see what that would do, then do it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, TypeAlias

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.service import activity_at, refuse_read_only, rounds_of
from lti_tool.errors import N_, NotAllowed
from lti_tool.pairing import service
from lti_tool.pairing.engine import NEVER
from lti_tool.pairing.errors import NoPlan, PlanChanged, PlanError
from lti_tool.pairing.models import Plan
from lti_tool.pairing.pages import plan_view
from lti_tool.pairing.pages.plan_view import chosen_people, number_of, place
from lti_tool.pairing.rules import Apart
from lti_tool.pairing.rules.changes import (
    Absent,
    Change,
    KeepApart,
    LeaveOut,
    Mend,
    Pin,
    Relax,
    Swap,
    UndoAbsent,
    UndoKeepApart,
    Unpin,
)
from lti_tool.pairing.rules.comparing import LOCK, Broken, Comparison
from lti_tool.pairing.wording import refusals
from lti_tool.pairing.wording import sentences as words
from lti_tool.web.access import Here, on_visit

pages = Blueprint("plan_changes", __name__)


class Do(StrEnum):
    """What is to become of the people who are chosen."""

    SWAP = "swap"
    TOGETHER = "together"
    ALWAYS = "always"
    NEVER = "never"
    AVOID = "avoid"
    ABSENT = "absent"
    LEAVE_OUT = "leave-out"
    MEND = "mend"
    """Of nobody in particular: groups that break a rule."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Who may do something, to how many people, what is said when there are others, and when it is done."""

    may: str
    fewest: int
    most: int
    words: str
    done: str


TWO: Final = N_("Choose two people for this.")
ONE: Final = N_("Choose one person for this.")
NEEDS: Final[dict[Do, Needs]] = {
    Do.SWAP: Needs("move a member", 2, 2, N_("Choose two people in different groups of this round."), "swapped"),
    Do.TOGETHER: Needs("change a plan", 2, 12, refusals.PINS["too few"], "pinned"),
    Do.ALWAYS: Needs("change a plan", 2, 12, refusals.PINS["too few"], "pinned"),
    Do.NEVER: Needs("change a plan", 2, 2, TWO, "apart"),
    Do.AVOID: Needs("change a plan", 2, 2, TWO, "apart"),
    Do.ABSENT: Needs("move a member", 1, 1, ONE, "absent"),
    Do.LEAVE_OUT: Needs("change a plan", 1, 1, ONE, "left-out"),
    Do.MEND: Needs("change a plan", 0, 12, "", "mended"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the request asks for."""

    do: Do
    who: list[int]
    round: int

    @property
    def change(self) -> Change:  # noqa: PLR0911 - one return for each thing to do
        """The same as a change to the plan."""
        match self.do:
            case Do.SWAP:
                return Swap((self.who[0], self.who[1]), self.round)
            case Do.TOGETHER:
                return Pin(tuple(self.who), self.round)
            case Do.ALWAYS:
                return Pin(tuple(self.who), None)
            case Do.NEVER | Do.AVOID:
                return KeepApart((self.who[0], self.who[1]), Apart.NEVER if self.do is Do.NEVER else Apart.AVOID)
            case Do.ABSENT:
                return Absent(self.who[0], self.round)
            case Do.LEAVE_OUT:
                return LeaveOut(self.who[0])
            case Do.MEND:
                return Mend()


Answer: TypeAlias = Callable[[Activity, Asked], ResponseReturnValue]


@pages.get("/plan/effect")
@on_visit(may="move a member")
def effect(here: Here) -> ResponseReturnValue:
    """What a change would do. Nothing is saved."""
    return _answered(here, lambda activity, asked: _effect(here, activity, asked))


@pages.post("/plan/change")
@on_visit(may="move a member")
def change(here: Here) -> ResponseReturnValue:
    """Make the change whose effect was shown. When the plan is another one by now, its effect is shown anew."""

    def make(activity: Activity, asked: Asked) -> ResponseReturnValue:
        _plan(here, activity)
        try:
            _apply(here, activity, asked.change, anyway=request.form.get("anyway") == "1")
        except PlanChanged as refusal:
            here.session.expire_all()
            try:
                return _effect(here, activity, asked, has_changed=True)
            except PlanError:
                # In the plan as it is now it cannot be done, and that it has changed is the reason.
                raise refusal from None
        is_undone = asked.do is Do.SWAP and request.form.get("undo")
        said = "swapped-back" if is_undone else NEEDS[asked.do].done
        where = {**place(), "round": asked.round, "two": asked.who if asked.do is Do.SWAP else []}
        return redirect(url_for("plan.show_plan", said=said, **where), code=303)

    return _answered(here, make)


@pages.post("/plan/unpin")
@on_visit(may="change a plan")
def unpin(here: Here) -> ResponseReturnValue:
    """Take back that people stay together."""
    return _taken_back(here, Unpin(number_of("pin")))


@pages.post("/plan/undo-apart")
@on_visit(may="change a plan")
def undo_apart(here: Here) -> ResponseReturnValue:
    """Take back that two people are kept apart."""
    return _taken_back(here, UndoKeepApart(number_of("couple")))


@pages.post("/plan/undo-absent")
@on_visit(may="move a member")
def undo_absent(here: Here) -> ResponseReturnValue:
    """Take back that somebody does not turn up in a round."""
    return _taken_back(here, UndoAbsent(number_of("member"), number_of("round")), said="turns-up")


@pages.post("/plan/relax")
@on_visit(may="change a plan")
def relax(here: Here) -> ResponseReturnValue:
    """Show what it would change if rules were relaxed; with `do=relax` they are."""
    activity = activity_at(here.session, here.placement_id)
    plan = service.find_plan(here.session, activity.id)
    rules = _that_can_be_relaxed(here, activity, plan) if plan is not None else ()
    if plan is None or not rules:
        return redirect(url_for("plan.show_plan"), code=303)
    problem, found = None, None
    try:
        if request.form.get("do") == "relax":
            _apply(here, activity, Relax(rules))
            return redirect(url_for("plan.show_plan", said="relaxed"), code=303)
    except PlanError as refusal:
        here.session.expire_all()
        problem = refusals.what_to_do(refusal, here)
    try:
        found = service.preview(here.session, activity, Relax(rules), now=here.now)
    except PlanError as refusal:
        problem = refusals.what_to_do(refusal, here)
    context = {
        "activity": activity,
        "plan": plan,
        "rules": rules,
        "words": words,
        "effect": found,
        "names": service.names_of(here.session, _people_in(found) if found is not None else ()),
        "problem": problem,
    }
    return render_template("pairing/relax.html", **context), 409 if problem else 200


def _that_can_be_relaxed(here: Here, activity: Activity, plan: Plan) -> tuple[str, ...]:
    """Those of the rules in the request that hold today and may be relaxed, each once."""
    course = service.conditions_of(here.session, activity).course(plan.shape)
    can_be = {rule.name for rule in course.rules if rule.priority < NEVER}
    return tuple(name for name in dict.fromkeys(request.form.getlist("rule")) if name in can_be)


def _taken_back(here: Here, undo: Change, said: str = "taken-back") -> ResponseReturnValue:
    activity = activity_at(here.session, here.placement_id)
    refuse_read_only(here.session, activity)
    try:
        _apply(here, activity, undo)
    except PlanError as refusal:
        return plan_view.page(here, activity, refusal, field="said")
    return redirect(url_for("plan.show_plan", said=said, **place()), code=303)


def _apply(here: Here, activity: Activity, asked: Change, *, anyway: bool = False) -> None:
    """Make a change to the plan that the page showed. What a refused change had noted already is not kept."""
    version = number_of("version")
    with here.session.begin_nested():
        service.apply(
            here.session, activity.id, asked, expected_version=version, by=here.person_id, now=here.now, anyway=anyway
        )


def _answered(here: Here, answer: Answer) -> ResponseReturnValue:
    """The answer to what the request asks for; where it cannot be done, the plan with the reason."""
    activity = activity_at(here.session, here.placement_id)
    refuse_read_only(here.session, activity)
    who = chosen_people()
    word = request.values.get("do", "")
    if word not in set(Do):
        return plan_view.page(here, activity, problem=gettext("Choose what to do."), field="do", chosen=who)
    do = Do(word)
    needs = NEEDS[do]
    if not here.may(needs.may):
        raise NotAllowed(needs.may, here.role)
    if not needs.fewest <= len(who) <= needs.most:
        return plan_view.page(here, activity, problem=gettext(needs.words), field="groups", chosen=who)
    count = len(rounds_of(here.session, activity.id))
    if "round" in request.values and not 1 <= number_of("round") <= count:
        return plan_view.page(here, activity, problem=gettext("There is no such round."), field="groups", chosen=who)
    try:
        return answer(activity, Asked(do, who, max(number_of("round"), 1)))
    except PlanError as refusal:
        return plan_view.page(here, activity, refusal, field="groups", chosen=who)


def _plan(here: Here, activity: Activity) -> Plan:
    plan = service.find_plan(here.session, activity.id)
    if plan is None:
        raise NoPlan(activity.id)
    return plan


def _effect(here: Here, activity: Activity, asked: Asked, *, has_changed: bool = False) -> ResponseReturnValue:
    plan = _plan(here, activity)
    found = service.preview(here.session, activity, asked.change, now=here.now)
    newly, no_longer = (plan_view.named(here, some) for some in (found.newly_broken, found.no_longer_broken))
    found = replace(found, newly_broken=newly, no_longer_broken=no_longer)
    holds = service.preferences_of(here.session, activity).preferences.should_not_holds
    context: dict[str, Any] = {
        "activity": activity,
        "rounds": rounds_of(here.session, activity.id),
        "plan": plan,
        "do": asked.do.value,
        "who": asked.who,
        "number": asked.round,
        "place": place(),
        "effect": found,
        "is_ignored": asked.do is Do.AVOID and not holds,
        "newly_alone": [one for one in found.newly_unpaired if asked.do is not Do.ABSENT or one[1] not in asked.who],
        "mended": [breach for breach in found.no_longer_broken if not _is_what_was_asked(breach, asked)],
        "figures": [figure for figure in plan_view.figures(here) if _tells(figure[0], found, asked)],
        "lock": LOCK,
        "names": service.names_of(here.session, {*asked.who, *_people_in(found)}),
        "has_changed": has_changed,
        "words": words,
        "knows": plan_view.knows(here),
    }
    return render_template("pairing/effect.html", **context), 409 if has_changed else 200


def _people_in(found: Comparison) -> set[int]:
    """Everybody who is named in what a change would do."""
    broken = (*found.newly_broken, *found.no_longer_broken)
    unpaired = (*found.newly_unpaired, *found.newly_paired)
    return {
        *found.moved,
        *(person for breach in broken for person in breach.people),
        *(person for _, person in unpaired),
    }


def _is_what_was_asked(breach: Broken, asked: Asked) -> bool:
    """What somebody asks for just now is not kept by the plan of today: that is no news to them."""
    return isinstance(asked.change, Pin | KeepApart) and set(breach.people) == set(asked.who)


def _tells(figure: str, found: Comparison, asked: Asked) -> bool:
    """Whether a number says something. What is asked for just now would count among broken rules, and who is absent
    among those without a partner; the number of groups hardly ever changes."""
    match figure:
        case "broken":
            return not isinstance(asked.change, Pin | KeepApart)
        case "unpaired":
            return asked.do is not Do.ABSENT
        case "groups":
            return found.before.groups != found.after.groups
    return True

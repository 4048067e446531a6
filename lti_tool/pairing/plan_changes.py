"""Change a plan by choosing people and what is to become of them: first what it would do, then the change itself."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.service import activity_at, refuse_read_only, rounds_of
from lti_tool.errors import NotAllowed
from lti_tool.pairing import comparing, plan_page, plan_words, service
from lti_tool.pairing.asking import NEEDS, SAYINGS, Do, Wanted, foresee, make
from lti_tool.pairing.comparing import Broken, Comparison
from lti_tool.pairing.errors import NoPlan, PlanChanged, PlanError
from lti_tool.pairing.models import Plan
from lti_tool.pairing.plan_page import chosen_people, number_of, place
from lti_tool.web.access import Here, on_visit

pages = Blueprint("plan_changes", __name__)


@pages.get("/plan/effect")
@on_visit(may="move a member")
def effect(here: Here) -> ResponseReturnValue:
    """What a change would do. Nothing is saved."""
    return _tried(
        here, activity_at(here.session, here.placement_id), lambda activity, wanted: _effect(here, activity, wanted)
    )


@pages.post("/plan/change")
@on_visit(may="move a member")
def change(here: Here) -> ResponseReturnValue:
    """Make the change whose effect was shown. When the plan is another one by now, its effect is shown anew."""

    def change_it(activity: Activity, wanted: Wanted) -> ResponseReturnValue:
        try:
            # What a refused change had noted already is not kept, and not shown on the page that says so.
            with here.session.begin_nested():
                said = make(
                    here.session,
                    activity,
                    wanted,
                    version=number_of("version"),
                    anyway=request.form.get("anyway") == "1",
                    by=here.person_id,
                    now=here.now,
                )
        except PlanChanged as refusal:
            here.session.expire_all()
            try:
                return _effect(here, activity, _wanted(here, activity, wanted.do, wanted.who), has_changed=True)
            except PlanError:
                # In the plan as it is now it cannot be done, and that it has changed is the reason.
                raise refusal from None
        if said == "swapped" and request.form.get("undo"):
            said = "swapped-back"
        where = {**place(), "round": wanted.number, "two": wanted.who if wanted.do is Do.SWAP else []}
        return redirect(url_for("plan.show_plan", said=said, **where), code=303)

    return _tried(here, activity_at(here.session, here.placement_id), change_it)


@pages.post("/plan/unpin")
@on_visit(may="change a plan")
def unpin(here: Here) -> ResponseReturnValue:
    """Take back that people stay together."""
    return _taken_back(here, lambda activity: service.unpin(here.session, activity.id, number_of("pin")))


@pages.post("/plan/unforbid")
@on_visit(may="change a plan")
def unforbid(here: Here) -> ResponseReturnValue:
    """Take back that two people are kept apart."""
    return _taken_back(here, lambda activity: service.unforbid(here.session, activity.id, number_of("couple")))


@pages.post("/plan/turns-up")
@on_visit(may="move a member")
def turns_up(here: Here) -> ResponseReturnValue:
    """Take back that somebody does not turn up in a round."""

    def take_back(activity: Activity) -> None:
        plan = _plan(here, activity)
        service.take_back_absence(
            here.session,
            plan,
            number_of("round"),
            number_of("member"),
            expected_version=number_of("version"),
            now=here.now,
        )

    return _taken_back(here, take_back, said="turns-up")


def _taken_back(here: Here, act: Callable[[Activity], None], said: str = "taken-back") -> ResponseReturnValue:
    activity = activity_at(here.session, here.placement_id)
    refuse_read_only(here.session, activity)
    try:
        with here.session.begin_nested():
            act(activity)
    except PlanError as refusal:
        return plan_page.page(here, activity, refusal, field="said")
    return redirect(url_for("plan.show_plan", said=said, **place()), code=303)


def _tried(
    here: Here, activity: Activity, act: Callable[[Activity, Wanted], ResponseReturnValue]
) -> ResponseReturnValue:
    """The answer to what the request asks for; where it cannot be done, the plan with the reason."""
    refuse_read_only(here.session, activity)
    who = chosen_people()
    asked = request.values.get("do", "")
    if asked not in set(Do):
        return plan_page.page(here, activity, problem=gettext("Choose what to do."), field="do", chosen=who)
    do = Do(asked)
    needs = NEEDS[do]
    if not here.may(needs.may):
        raise NotAllowed(needs.may, here.role)
    if not needs.fewest <= len(who) <= needs.most:
        return plan_page.page(here, activity, problem=gettext(needs.words), field="groups", chosen=who)
    count = len(rounds_of(here.session, activity.id))
    if "round" in request.values and not 1 <= number_of("round") <= count:
        return plan_page.page(here, activity, problem=gettext("There is no such round."), field="groups", chosen=who)
    try:
        return act(activity, _wanted(here, activity, do, who))
    except PlanError as refusal:
        return plan_page.page(here, activity, refusal, field="groups", chosen=who)


def _wanted(here: Here, activity: Activity, do: Do, who: list[int]) -> Wanted:
    plan = _plan(here, activity)
    number = max(number_of("round"), 1)
    return Wanted(do, who, number, plan, service.groups_in_round(here.session, plan, number))


def _plan(here: Here, activity: Activity) -> Plan:
    plan = service.find_plan(here.session, activity.id)
    if plan is None:
        raise NoPlan(activity.id)
    return plan


def _effect(here: Here, activity: Activity, wanted: Wanted, *, has_changed: bool = False) -> ResponseReturnValue:
    found = _named(here, foresee(here.session, activity, wanted, now=here.now))
    heeds = service.preferences_of(here.session, activity).preferences.should_not_holds
    absent = set(wanted.who) if wanted.do is Do.ABSENT else set()
    context: dict[str, Any] = {
        "activity": activity,
        "rounds": rounds_of(here.session, activity.id),
        "plan": wanted.plan,
        "do": wanted.do.value,
        "who": wanted.who,
        "number": wanted.number,
        "place": place(),
        "effect": found,
        "is_ignored": wanted.do is Do.RATHER_NOT and not heeds,
        "left_alone": [one for one in found.newly_unpaired if one[1] not in absent],
        "mended": [one for one in found.no_longer_broken if not _is_what_was_asked(one, wanted)],
        "figures": [line for line in plan_page.figures(here) if _tells(line[0], found, wanted)],
        "lock": comparing.LOCK,
        "names": service.names_of(here.session, {*wanted.who, *_people_of(found)}),
        "has_changed": has_changed,
        "tell": plan_words,
        "knows": plan_page.knows(here),
    }
    return render_template("pairing/effect.html", **context), 409 if has_changed else 200


def _named(here: Here, found: Comparison) -> Comparison:
    """What a change would do, with the rules that may be named to whoever looks."""
    newly, no_longer = plan_page.named(here, found.newly_broken), plan_page.named(here, found.no_longer_broken)
    return replace(found, newly_broken=newly, no_longer_broken=no_longer)


def _people_of(found: Comparison) -> set[int]:
    """Everybody who is named in what a change would do."""
    groups = [group for one in found.touched for group in (*one.gone, *one.new)]
    people = {person for group in groups for person in group}
    people |= {person for one in (*found.newly_broken, *found.no_longer_broken) for person in one.people}
    return people | {person for _, person in (*found.newly_unpaired, *found.newly_paired)}


def _is_what_was_asked(one: Broken, wanted: Wanted) -> bool:
    """What is said just now is not kept by the plan of today: that is no news to whoever says it."""
    return wanted.do in SAYINGS and set(one.people) == set(wanted.who)


def _tells(figure: str, found: Comparison, wanted: Wanted) -> bool:
    """Whether a number says something. What is said just now would count among broken rules, and who does not turn up
    among those without a partner; the number of groups hardly ever changes."""
    match figure:
        case "broken":
            return wanted.do not in SAYINGS
        case "unpaired":
            return wanted.do is not Do.ABSENT
        case "groups":
            return found.before.groups != found.after.groups
    return True

"""Change a plan by choosing people and what is to become of them: first what it would do, then the change itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.service import refuse_read_only, rounds_of
from lti_tool.errors import N_, NotAllowed
from lti_tool.pairing import comparing, plan_page, plan_words, service
from lti_tool.pairing.comparing import Comparison
from lti_tool.pairing.errors import NoPlan, PlanChanged, PlanError
from lti_tool.pairing.models import Plan
from lti_tool.pairing.plan_page import activity_here, chosen_people, number_of, place
from lti_tool.pairing.rules import ForbidKind, GroupView, SeatView
from lti_tool.web.access import Here, on_visit

pages = Blueprint("plan_changes", __name__)


class Do(StrEnum):
    """What is to become of those who are chosen."""

    SWAP = "swap"
    TOGETHER = "together"
    ALWAYS = "always"
    NEVER = "never"
    RATHER_NOT = "rather-not"
    ABSENT = "absent"
    LEAVE_OUT = "leave-out"
    MEND = "mend"
    """Of nobody in particular: groups that break a rule."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Who may do something, to how many people, and what is said when there are others."""

    may: str
    fewest: int
    most: int
    words: str


TWO: Final = N_("Choose two people for this.")
ONE: Final = N_("Choose one person for this.")
NEEDS: Final[dict[Do, Needs]] = {
    Do.SWAP: Needs("move a member", 2, 2, N_("Choose two people in different groups of this round.")),
    Do.TOGETHER: Needs("change a plan", 2, 12, plan_words.PINS["too few"]),
    Do.ALWAYS: Needs("change a plan", 2, 12, plan_words.PINS["too few"]),
    Do.NEVER: Needs("change a plan", 2, 2, TWO),
    Do.RATHER_NOT: Needs("change a plan", 2, 2, TWO),
    Do.ABSENT: Needs("move a member", 1, 1, ONE),
    Do.LEAVE_OUT: Needs("change a plan", 1, 1, ONE),
    Do.MEND: Needs("change a plan", 0, 12, ""),
}
NOTHING: Final = Comparison((), frozenset(), (), (), (), ())
KINDS: Final = {Do.NEVER: ForbidKind.NEVER, Do.RATHER_NOT: ForbidKind.RATHER_NOT}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the request asks for."""

    do: Do
    who: list[int]
    number: int
    plan: Plan
    groups: list[GroupView]
    """Of the round."""

    @property
    def seats(self) -> list[SeatView]:
        """The places of the chosen people in the round, in the order in which they were chosen."""
        by_member = {seat.member_id: seat for group in self.groups for seat in group.seats}
        return [by_member[one] for one in self.who if one in by_member]

    @property
    def round_number(self) -> int | None:
        """The round that a pin is for; None is every round."""
        return None if self.do is Do.ALWAYS else self.number


@pages.get("/plan/effect")
@on_visit(may="move a member")
def effect(here: Here) -> ResponseReturnValue:
    """What a change would do. Nothing is saved."""
    return _tried(here, activity_here(here), lambda activity, wanted: _effect(here, activity, wanted))


@pages.post("/plan/change")
@on_visit(may="move a member")
def change(here: Here) -> ResponseReturnValue:
    """Make the change whose effect was shown. When the plan is another one by now, its effect is shown anew."""

    def make(activity: Activity, wanted: Wanted) -> ResponseReturnValue:
        try:
            # What a refused change had noted already is not kept, and not shown on the page that says so.
            with here.session.begin_nested():
                said = _make(here, activity, wanted)
        except PlanChanged:
            here.session.expire_all()
            return _effect(here, activity, _wanted(here, activity, wanted.do, wanted.who), has_changed=True)
        where = {**place(), "round": wanted.number, "two": wanted.who if wanted.do is Do.SWAP else []}
        return redirect(url_for("plan.show_plan", said=said, **where), code=303)

    return _tried(here, activity_here(here), make)


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
    activity = activity_here(here)
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
    found = _foreseen(here, activity, wanted)
    context: dict[str, Any] = {
        "activity": activity,
        "rounds": rounds_of(here.session, activity.id),
        "plan": wanted.plan,
        "do": wanted.do.value,
        "who": wanted.who,
        "number": wanted.number,
        "place": place(),
        "effect": found,
        "figures": plan_words.FIGURES,
        "lock": comparing.LOCK,
        "names": service.names_of(here.session, {*wanted.who, *_people_of(found), *_beside(wanted)}),
        "beside": _beside(wanted),
        "has_changed": has_changed,
        "tell": plan_words,
    }
    return render_template("pairing/effect.html", **context), 409 if has_changed else 200


def _foreseen(here: Here, activity: Activity, wanted: Wanted) -> Comparison | None:
    """What the change would do to the groups; None where that shows only afterwards."""
    session, who, plan = here.session, wanted.who, wanted.plan
    match wanted.do:
        case Do.SWAP:
            return service.preview_swap(session, plan, *_two_seats(wanted), now=here.now)
        case Do.TOGETHER | Do.ALWAYS:
            return service.preview_pin(session, activity, who, wanted.round_number, now=here.now)
        case Do.NEVER | Do.RATHER_NOT:
            holds = service.preferences_of(session, activity).preferences.should_not_holds
            if wanted.do is Do.RATHER_NOT and not holds:
                return NOTHING
            return service.preview_forbid(session, activity, who[0], who[1], KINDS[wanted.do], now=here.now)
        case Do.MEND:
            return service.preview_mend(session, plan, now=here.now)
    return None


def _make(here: Here, activity: Activity, wanted: Wanted) -> str:
    """Do it. Answers with the word for what was done."""
    session, who, plan, version = here.session, wanted.who, wanted.plan, number_of("version")
    match wanted.do:
        case Do.SWAP:
            anyway = request.form.get("anyway") == "1"
            seats = _two_seats(wanted)
            service.swap(session, plan, *seats, expected_version=version, now=here.now, anyway=anyway)
            return "swapped-back" if request.form.get("undo") else "swapped"
        case Do.TOGETHER | Do.ALWAYS:
            number = wanted.round_number
            service.pin(session, activity.id, who, number, expected_version=version, by=here.person_id, now=here.now)
            return "pinned"
        case Do.NEVER | Do.RATHER_NOT:
            one, other = who
            service.forbid(
                session,
                activity.id,
                one,
                other,
                KINDS[wanted.do],
                expected_version=version,
                by=here.person_id,
                now=here.now,
            )
            return "apart"
        case Do.ABSENT:
            group_id = wanted.seats[0].group_id if wanted.seats else 0
            service.report_absent(
                session, plan, group_id, who[0], expected_version=version, by=here.person_id, now=here.now
            )
            return "absent"
        case Do.MEND:
            service.mend(session, plan, expected_version=version, now=here.now)
            return "mended"
    return "unchanged"


def _two_seats(wanted: Wanted) -> tuple[int, int]:
    """The places of the two; 0, which is nobody's, for somebody who has none in the round."""
    seats = [seat.id for seat in wanted.seats] + [0, 0]
    return seats[0], seats[1]


def _people_of(found: Comparison | None) -> set[int]:
    """Everybody who is named in what a change would do."""
    if found is None:
        return set()
    groups = [group for one in found.touched for group in (*one.gone, *one.new)]
    people = {person for group in groups for person in group}
    people |= {person for one in (*found.newly_broken, *found.no_longer_broken) for person in one.people}
    return people | {person for _, person in (*found.newly_unpaired, *found.newly_paired)}


def _beside(wanted: Wanted) -> Sequence[int]:
    """Who sits with those who are chosen."""
    chosen = set(wanted.who)
    return [
        seat.member_id
        for group in wanted.groups
        if chosen & {seat.member_id for seat in group.seats}
        for seat in group.seats
        if seat.member_id not in chosen
    ]

"""The plan's page: how the plan is today, the groups of a round with their reasons, and who meets whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from flask import render_template, request
from flask.typing import ResponseReturnValue

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.service import is_read_only, rounds_of
from lti_tool.errors import N_
from lti_tool.launch.models import Course
from lti_tool.pairing import engine, service
from lti_tool.pairing import wording as words
from lti_tool.pairing.engine import Explanations, Lock, Reason, Schedule, Violation, Why
from lti_tool.pairing.errors import NoPlan, PlanError
from lti_tool.pairing.models import Plan
from lti_tool.pairing.rules import picture, views
from lti_tool.pairing.rules.current import CurrentPlan
from lti_tool.pairing.rules.views import RULE_REASONS, GroupLine, Show
from lti_tool.pairing.rules.why import relaxations, shortfall
from lti_tool.roster import service as roster
from lti_tool.roster.service import links
from lti_tool.roster.service.members import not_paired, unlisted
from lti_tool.support.alphabet import sort_key
from lti_tool.web.access import Here
from lti_tool.web.i18n import page_language
from lti_tool.web.lists import number_of, page_of, whole

GROUPS_A_PAGE: Final = 30
"""Each of them is explained, person by person."""
PEOPLE_A_PAGE: Final = 60
MOST_CHOSEN: Final = 12

SHOWN: Final[dict[Show, str]] = {
    Show.ALL: N_("All groups"),
    Show.WARNING: N_("With a warning"),
    Show.PINNED: N_("Kept together by you"),
    Show.THREE: N_("Groups of three"),
    Show.UNPAIRED: N_("Without a partner"),
}


def chosen_people() -> list[int]:
    """The people in the request, each once, in order."""
    numbers = dict.fromkeys(map(whole, request.values.getlist("who")))
    return [number for number in numbers if number][:MOST_CHOSEN]


def place() -> dict[str, Any]:
    """Where on the page someone is, to come back to it: the round, the search, the page."""
    asked = {name: request.values.get(name, "")[:100] for name in ("round", "q", "show", "page")}
    return {name: value for name, value in asked.items() if value}


def plan_of(here: Here, activity: Activity) -> Plan:
    """The plan of the activity. Raises NoPlan if it has none."""
    plan = service.find_plan(here.session, activity.id)
    if plan is None:
        raise NoPlan(activity.id)
    return plan


def knows(here: Here) -> bool:
    """Whether someone may see what is known about learners, and so rules by name and who is kept apart."""
    return here.may("see attributes")


def figures(here: Here) -> list[tuple[str, str]]:
    """The figures of a plan that someone may see: points reveal what is known about two people."""
    return [(field, label) for field, label in words.FIGURES if field != "points" or knows(here)]


def named(here: Here, broken: Iterable[Violation]) -> tuple[Violation, ...]:
    """What is broken, without names of rules for those who may not see attributes."""
    if knows(here):
        return tuple(broken)
    return tuple(dict.fromkeys(replace(breach, rule="") for breach in broken))


def page(
    here: Here,
    activity: Activity,
    refusal: PlanError | None = None,
    *,
    problem: str | None = None,
    field: str = "plan",
    chosen: Sequence[int] | None = None,
) -> ResponseReturnValue:
    """Show the plan, or what is missing for one; after a refusal as it is now, with the same people chosen."""
    if refusal is not None:
        # What was loaded before may be older than the reason of the refusal.
        here.session.expire_all()
        problem = words.what_to_do(refusal, here)
    rounds = rounds_of(here.session, activity.id)
    plan = service.find_plan(here.session, activity.id)
    proposal = service.proposal_request(here.session, activity.id)
    course = here.session.get_one(Course, here.course_id)
    context: dict[str, Any] = {
        "activity": activity,
        "rounds": rounds,
        "plan": plan,
        "course": course,
        "is_read_only": is_read_only(here.session, activity),
        "sync": roster.latest(here.session, here.course_id),
        "is_being_read": course.memberships_url is not None
        and roster.is_being_read(here.session, here.course_id, now=here.now),
        "doubt": roster.doubt(here.session, here.course_id),
        "unlisted": unlisted(here.session, here.course_id),
        "not_paired": not_paired(here.session, here.course_id),
        "access": links.access_to(here.session, activity.placement_id),
        "proposal": proposal,
        "why_no_proposal": words.why_no_proposal(proposal.refusal if proposal is not None else None),
        "place": place(),
        "problems": [(field, problem)] if problem is not None else [],
        "said": None if problem is not None else request.args.get("said"),
        "words": words,
        "knows": knows(here),
    }
    if plan is None:
        context["learner_count"] = roster.count_learners(here.session, here.course_id, activity.placement_id)
    else:
        context |= _plan(here, activity, plan, rounds, chosen_people() if chosen is None else chosen)
    return render_template("pairing/plan.html", **context), 409 if problem is not None else 200


def _plan(here: Here, activity: Activity, plan: Plan, rounds: Sequence[Round], wanted: Sequence[int]) -> dict[str, Any]:
    current = service.current_plan(here.session, activity, plan, now=here.now)
    course, is_told, is_draft = current.course, knows(here), plan.state == "draft"
    # A pin of people who left has no effect, and is not listed either.
    pins = service.pins_of(here.session, activity.id) if course.locks else {}
    apart = service.apart_of(here.session, activity.course_id) if is_told else []
    named_in = (course.people, *(pin.members for pin in pins.values()), *(couple.members for couple in apart))
    names = service.names_of(here.session, current.seated.union(*named_in))
    by_name = sorted(current.seated, key=lambda person: (sort_key(names.get(person), page_language()), person))
    lacking = shortfall(current, explains=is_told)
    ahead = current.unplaced_ahead
    cautions = engine.warnings(course, len(rounds)) if is_told and is_draft else ()
    told = {*RULE_REASONS, Reason.ABSENT, None}
    return {
        "current": current,
        "learner_count": len(course.people),
        "names": names,
        "wanted": [member_id for member_id in wanted if member_id in names],
        "cost": engine.costs(course) if course.rules and is_told else None,
        "lacking": lacking,
        "relaxations": relaxations(current) if lacking and is_told else (),
        "pins": pins,
        "apart": apart,
        "absent": [missing for missing in ahead if missing.reason is Reason.ABSENT],
        "without_some": len({missing.member_id for missing in ahead}),
        "cautions": [words.caution_in_words(caution, names) for caution in cautions],
        "waiting": [missing for missing in ahead if missing.reason is None],
        "stay_without": [missing for missing in ahead if missing.reason not in told],
        "has_former": is_draft and service.find_plan(here.session, activity.id, "previous") is not None,
        **_groups(here, plan, current, pins.values(), names),
        **_meetings(by_name, current.schedule),
    }


def _groups(
    here: Here, plan: Plan, current: CurrentPlan, pins: Iterable[Lock], names: Mapping[int, str | None]
) -> dict[str, Any]:
    """The groups of the round that the request asks for, and why their members are together."""
    number = min(max(number_of("round"), 1), max(len(current.schedule.rounds), 1))
    broken = named(here, current.broken)
    show, query = request.values.get("show", ""), request.values.get("q", "").strip()[:100]
    show = Show(show) if show in set(Show) else Show.ALL
    groups = service.groups_in_plan(here.session, plan, number)
    listed = views.chosen(views.lines(groups, number, current.judged, broken, pins), show, query, names)
    at = page_of(len(listed), GROUPS_A_PAGE)
    shown = listed[at.part]
    is_first = show in {Show.ALL, Show.UNPAIRED} and not query and at.number == 1
    return {
        "number": number,
        "broken": broken,
        "group_count": len(groups),
        "listed_count": len(listed),
        "lines": shown,
        "why": _explained(current, shown, number) if knows(here) else {},
        "alone": [missing for missing in current.unplaced if missing.round_number == number] if is_first else [],
        "page": at.number,
        "pages_of_groups": at.count,
        "q": query,
        "show": show,
        "shows": SHOWN,
    }


def _explained(current: CurrentPlan, shown: Iterable[GroupLine], number: int) -> dict[int, list[Why]]:
    """For each group on the page, the reasons from the side of each member who is in the course."""
    explanations, learners = Explanations(current.judged), set(current.course.people)
    return {
        line.group.id: [explanations.why(member, number) for member in line.group.members if member in learners]
        for line in shown
    }


def _meetings(people: Sequence[int], schedule: Schedule) -> dict[str, Any]:
    """Who meets whom: a picture if it can be read, bars, and a page of the table."""
    rows = picture.rows(people, schedule)
    at = page_of(len(rows), PEOPLE_A_PAGE, "people")
    return {
        "picture": picture.draw(people, schedule) if 2 <= len(people) <= picture.MOST_DRAWN else None,
        "table": rows[at.part],
        "people_page": at.number,
        "pages_of_people": at.count,
        "numbers": {person: number for number, person in enumerate(people, start=1)},
        "turns": picture.turns(rows),
        "variety": picture.variety(rows),
    }

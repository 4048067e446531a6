"""The plan as its page shows it: how it is, the groups of a round with their reasons, and who meets whom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from flask import render_template, request
from flask.typing import ResponseReturnValue

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.service import is_read_only, rounds_of
from lti_tool.errors import N_
from lti_tool.launch.models import Course
from lti_tool.pairing import engine, service
from lti_tool.pairing.engine import Explanations, Needed, Reason, Removal, Why
from lti_tool.pairing.errors import NoPlan, PlanError
from lti_tool.pairing.models import Plan
from lti_tool.pairing.rules import RULE_REASONS, group_list, picture
from lti_tool.pairing.rules.comparing import LOCK, Broken
from lti_tool.pairing.rules.group_list import GroupLine, Show
from lti_tool.pairing.rules.overview import Overview, RoundShortfall, overview, shortfall
from lti_tool.pairing.wording import refusals
from lti_tool.pairing.wording import sentences as words
from lti_tool.roster import service as roster
from lti_tool.roster.service import links
from lti_tool.roster.service.members import unlisted
from lti_tool.web.access import Here

GROUPS_A_PAGE: Final = 30
"""So many are also explained, person by person."""
PEOPLE_A_PAGE: Final = 60
MOST_CHOSEN: Final = 12

SHOWN: Final[dict[Show, str]] = {
    Show.ALL: N_("All groups"),
    Show.WARNING: N_("With a warning"),
    Show.PINNED: N_("Kept together by you"),
    Show.THREE: N_("Groups of three"),
    Show.UNPAIRED: N_("Without a partner"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list."""

    number: int
    count: int
    part: slice


@dataclass(frozen=True, slots=True)
class Reasons:
    """What takes a person's possible partners away, and how many are left."""

    person: int
    removals: tuple[Removal, ...]
    left: int


@dataclass(frozen=True, slots=True)
class Lacking:
    """The same people without a partner in all of these rounds, for the same reasons."""

    numbers: tuple[int, ...]
    people: tuple[int, ...]
    explained: tuple[Reasons, ...]
    """Of the first of them; of nobody for those who may not see attributes."""
    needed: tuple[Needed, ...]
    is_proven: bool

    @property
    def alone(self) -> tuple[int, ...]:
        """Whom nobody at all may meet."""
        return tuple(person for needed in self.needed if _is_alone(needed) for person in needed.needing)

    @property
    def competing(self) -> tuple[Needed, ...]:
        """The others, of whom too many need the same partners, or who need somebody outside of their own part."""
        return tuple(needed for needed in self.needed if not _is_alone(needed))


def number_of(field: str) -> int:
    """A whole number of the request; 0, which names nothing, for anything else."""
    return _whole(request.values.get(field, ""))


def page_of(count: int, size: int, field: str = "page") -> Page:
    """The page of a list of `count` that the request asks for."""
    pages = max(-(-count // size), 1)
    number = min(max(number_of(field), 1), pages)
    return Page(number, pages, slice((number - 1) * size, number * size))


def chosen_people() -> list[int]:
    """Whom the request names, each once, in its order."""
    numbers = dict.fromkeys(map(_whole, request.values.getlist("who")))
    return [number for number in numbers if number][:MOST_CHOSEN]


def place() -> dict[str, Any]:
    """Where on the page somebody is, to come back there: the round, what is looked for, the page."""
    asked = {name: request.values.get(name, "")[:100] for name in ("round", "q", "show", "page")}
    return {name: value for name, value in asked.items() if value}


def plan_of(here: Here, activity: Activity) -> Plan:
    """The plan of the activity. Raises NoPlan if it has none."""
    plan = service.find_plan(here.session, activity.id)
    if plan is None:
        raise NoPlan(activity.id)
    return plan


def knows(here: Here) -> bool:
    """Whether somebody may see what is known of learners, and so which rule stands where and who is kept apart."""
    return here.may("see attributes")


def figures(here: Here) -> list[tuple[str, str]]:
    """The numbers of a plan for whoever looks: points tell what is known of two people."""
    return [(field, label) for field, label in refusals.FIGURES if field != "points" or knows(here)]


def named(here: Here, broken: Iterable[Broken]) -> tuple[Broken, ...]:
    """What is broken, without the names of rules for those who may not see attributes."""
    if knows(here):
        return tuple(broken)
    return tuple(dict.fromkeys(breach if breach.rule == LOCK else replace(breach, rule="") for breach in broken))


def page(
    here: Here,
    activity: Activity,
    refusal: PlanError | None = None,
    *,
    problem: str | None = None,
    field: str = "plan",
    chosen: Sequence[int] | None = None,
) -> ResponseReturnValue:
    """The plan as it stands, or what is missing for one; after a refusal as it is now, with the same people chosen."""
    if refusal is not None:
        # It changed nothing, but what was loaded before may be older than what it was refused for.
        here.session.expire_all()
        problem = refusals.what_to_do(refusal, here)
    rounds = rounds_of(here.session, activity.id)
    plan = service.find_plan(here.session, activity.id)
    proposal = service.proposal_request(here.session, activity.id)
    course = here.session.get_one(Course, here.course_id)
    is_better = plan is not None and service.found_better(here.session, plan)
    effect = service.compare_proposals(here.session, activity) if is_better else None
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
        "not_paired": service.not_paired(here.session, here.course_id),
        "access": links.access_to(here.session, activity.placement_id),
        "proposal": proposal,
        "why_no_proposal": refusals.why_no_proposal(proposal.refusal if proposal is not None else None),
        "place": place(),
        "what_is_better": refusals.what_is_better(effect, figures(here)),
        "problems": [(field, problem)] if problem is not None else [],
        "said": None if problem is not None else request.args.get("said"),
        "words": words,
        "knows": knows(here),
    }
    if plan is None:
        context["learner_count"] = roster.count_learners(here.session, here.course_id, activity.placement_id)
    else:
        wanted = chosen_people() if chosen is None else chosen
        context |= _plan(here, activity, plan, rounds, wanted)
    return render_template("pairing/plan.html", **context), 409 if problem is not None else 200


def _plan(here: Here, activity: Activity, plan: Plan, rounds: Sequence[Round], wanted: Sequence[int]) -> dict[str, Any]:
    number = min(max(number_of("round"), 1), max(len(rounds), 1))
    current = service.current_plan(here.session, activity, plan, now=here.now)
    state, course, is_told = overview(current), current.course, knows(here)
    broken = named(here, current.broken)
    # A pin of people who left has no effect, and is not listed either.
    pins = service.pins_of(here.session, activity.id) if course.locks else []
    apart = service.apart_of(here.session, activity.course_id) if is_told else []
    lacking = shortfall(current, explains=is_told)

    groups = service.groups_in_plan(here.session, plan, number)
    show, query = _shown(), request.values.get("q", "").strip()[:100]
    listed = group_list.chosen(group_list.lines(groups, number, state.schedule, broken, pins), show, query)
    at = page_of(len(listed), GROUPS_A_PAGE)
    shown = listed[at.part]
    people = set(current.seated)
    cautions = engine.warnings(course, len(rounds)) if is_told and plan.state == "draft" else ()
    named_people = people | set(state.learners) | lacking.members
    named_people |= {person for pin in pins for person in pin.members}
    named_people |= {person for couple in apart for person in couple.members}
    named_people |= {person for caution in cautions for person in caution.people[: words.MOST_NAMED]}
    names = service.names_of(here.session, named_people)
    ahead = [missing for missing in state.unplaced if not missing.is_over]
    unpaired = [missing for missing in state.unplaced if missing.round_number == number]
    is_first = show in {Show.ALL, Show.UNPAIRED} and not query and at.number == 1
    told = {*RULE_REASONS, Reason.ABSENT, None}
    return {
        "number": number,
        "overview": state,
        "learner_count": len(state.learners),
        "names": names,
        "group_count": len(groups),
        "listed_count": len(listed),
        "lines": shown,
        "why": _explained(state, shown, number) if is_told else {},
        "alone": unpaired if is_first else [],
        "page": at.number,
        "pages_of_groups": at.count,
        "q": query,
        "show": show,
        "shows": SHOWN,
        "wanted": [member_id for member_id in wanted if member_id in names],
        "broken": broken,
        "lock": LOCK,
        "cost": engine.costs(course) if course.rules and is_told else None,
        "lacking": _put_together(lacking.rounds),
        "relaxations": lacking.relaxations,
        "pins": pins,
        "apart": apart,
        "absent": [missing for missing in ahead if missing.reason is Reason.ABSENT],
        "without_some": len({missing.member_id for missing in ahead}),
        "cautions": [words.caution_in_words(caution, names) for caution in cautions],
        "waiting": [missing for missing in ahead if missing.reason is None],
        "stay_without": [missing for missing in ahead if missing.reason not in told],
        "can_look_longer": plan.state == "draft"
        and service.can_look_longer(here.session, activity, len(state.learners), len(rounds)),
        "has_former": plan.state == "draft" and service.find_plan(here.session, activity.id, "previous") is not None,
        **_meetings(sorted(people, key=lambda person: ((names.get(person) or "").casefold(), person)), state),
    }


def _put_together(rounds: Iterable[RoundShortfall]) -> list[Lacking]:
    """The rounds in their order, each with the first that is like it."""
    numbers: dict[tuple[tuple[int, ...], tuple[Reasons, ...], tuple[Needed, ...], bool], list[int]] = {}
    for short in rounds:
        reasons = tuple(Reasons(why.person, why.removals, len(why.candidates)) for why in short.explained)
        numbers.setdefault((short.people, reasons, short.needed, short.is_proven), []).append(short.number)
    return [Lacking(tuple(of), *said) for said, of in numbers.items()]


def _is_alone(needed: Needed) -> bool:
    return not needed.partners and all(len(part) == 1 for part in needed.parts)


def _meetings(people: Sequence[int], state: Overview) -> dict[str, Any]:
    """Who meets whom: the picture while it can be read, the bars, and a page of the table."""
    rows = picture.rows(people, state.schedule)
    at = page_of(len(rows), PEOPLE_A_PAGE, "people")
    return {
        "picture": picture.draw(people, state.schedule) if 2 <= len(people) <= picture.MOST_DRAWN else None,
        "table": rows[at.part],
        "people_page": at.number,
        "pages_of_people": at.count,
        "numbers": {person: number for number, person in enumerate(people, start=1)},
        "turns": picture.turns(rows),
        "variety": picture.variety(rows),
    }


def _explained(state: Overview, shown: Iterable[GroupLine], number: int) -> dict[int, list[Why]]:
    """For each group on the page, what speaks for it from the side of everybody in it who is in the course."""
    explanations, learners = Explanations(state.schedule), set(state.learners)
    return {
        line.group.id: [
            explanations.why(seat.member_id, number) for seat in line.group.seats if seat.member_id in learners
        ]
        for line in shown
    }


def _shown() -> Show:
    asked = request.values.get("show", "")
    return Show(asked) if asked in set(Show) else Show.ALL


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

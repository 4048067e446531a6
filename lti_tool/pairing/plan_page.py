"""The plan as its page shows it: how it stands, the groups of a round with their reasons, and who meets whom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from flask import render_template, request
from flask.typing import ResponseReturnValue

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.service import is_read_only, rounds_of
from lti_tool.errors import N_
from lti_tool.launch.models import Course
from lti_tool.pairing import comparing, group_lines, plan_words, rules, service, words
from lti_tool.pairing.comparing import Broken
from lti_tool.pairing.engine import Proof, Reason, warnings
from lti_tool.pairing.engine.explanations import costing
from lti_tool.pairing.engine.explanations.explaining import Explanations
from lti_tool.pairing.engine.explanations.reasons import Needed, Removal, Why, WhyNot
from lti_tool.pairing.errors import PlanError
from lti_tool.pairing.group_lines import GroupLine, Show
from lti_tool.pairing.models import Plan
from lti_tool.pairing.shortfall import OUR_REASONS, RoundShortfall, shortfall
from lti_tool.roster import service as roster
from lti_tool.roster.service import links
from lti_tool.roster.service.members import unlisted
from lti_tool.web.access import Here

MOST_DRAWN: Final = 40
"""With more people around the circle, lines and numbers run into each other; bars and the table tell the same."""
GROUPS_A_PAGE: Final = 30
"""So many are also explained, person by person."""
PEOPLE_A_PAGE: Final = 60
MOST_CHOSEN: Final = 12

SHOWN: Final[dict[Show, str]] = {
    Show.ALL: N_("All groups"),
    Show.WARNING: N_("With a warning"),
    Show.PINNED: N_("Kept together by you"),
    Show.THREE: N_("Groups of three"),
    Show.NOBODY: N_("Without a partner"),
}


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
        return tuple(person for one in self.needed if _is_alone(one) for person in one.needing)

    @property
    def wanting(self) -> tuple[Needed, ...]:
        """The others who are needed by too many, or need somebody outside of their own part."""
        return tuple(one for one in self.needed if not _is_alone(one))


def number_of(field: str) -> int:
    """A whole number of the request; 0, which names nothing, for anything else."""
    return _whole(request.values.get(field, ""))


def chosen_people() -> list[int]:
    """Whom the request names, each once, in its order."""
    found = dict.fromkeys(_whole(one) for one in request.values.getlist("who"))
    return [one for one in found if one][:MOST_CHOSEN]


def place() -> dict[str, Any]:
    """Where on the page somebody is, to come back there: the round, what is looked for, the page."""
    asked = {name: request.values.get(name, "")[:100] for name in ("round", "q", "show", "page")}
    return {name: value for name, value in asked.items() if value}


def knows(here: Here) -> bool:
    """Whether somebody may see what is known of learners, and so which rule stands where and who is kept apart."""
    return here.may("see attributes")


def figures(here: Here) -> list[tuple[str, str]]:
    """The numbers of a plan for whoever looks: points tell what is known of two people."""
    return [(field, words) for field, words in plan_words.FIGURES if field != "points" or knows(here)]


def named(here: Here, broken: Iterable[Broken]) -> tuple[Broken, ...]:
    """What is broken, without the names of rules for those who may not see attributes."""
    if knows(here):
        return tuple(broken)
    return tuple(dict.fromkeys(one if one.rule == comparing.LOCK else replace(one, rule="") for one in broken))


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
        problem = plan_words.what_to_do(refusal, here)
    rounds = rounds_of(here.session, activity.id)
    plan = service.find_plan(here.session, activity.id)
    drafting = service.drafting_of(here.session, activity.id)
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
        "not_paired": service.not_paired(here.session, here.course_id),
        "access": links.access_to(here.session, activity.placement_id),
        "drafting": drafting,
        "why_no_draft": plan_words.why_no_draft(drafting.refusal if drafting is not None else None),
        "place": place(),
        "found": plan_words.what_a_longer_look_found(service.compare(here.session, activity), figures(here))
        if plan is not None and service.found_better(here.session, plan)
        else "",
        "problems": [(field, problem)] if problem is not None else [],
        "said": None if problem is not None else request.args.get("said"),
        "say": words,
        "tell": plan_words,
        "knows": knows(here),
    }
    if plan is None:
        context["learner_count"] = roster.count_learners(here.session, here.course_id, activity.placement_id)
    else:
        wanted = chosen_people() if chosen is None else chosen
        context |= _groups(here, activity, plan, rounds, wanted)
    return render_template("pairing/plan.html", **context), 409 if problem is not None else 200


def _groups(
    here: Here, activity: Activity, plan: Plan, rounds: Sequence[Round], wanted: Sequence[int]
) -> dict[str, Any]:
    number = min(max(number_of("round"), 1), max(len(rounds), 1))
    gathered = service.gather(here.session, activity)
    standing = service.standing(here.session, activity, plan, now=here.now, gathered=gathered)
    schedule = replace(standing.schedule, course=gathered.course(plan.shape))
    over = [at for at, one in enumerate(rounds, start=1) if one.due_at and one.due_at <= here.now]
    broken = named(here, comparing.broken(schedule.course, schedule.rounds, from_round=1 + max(over, default=0)))
    # A pin of people who left says nothing, and is not listed either.
    pins = service.pins_of(here.session, activity.id) if schedule.course.locks else []
    is_told = knows(here)
    apart = service.exclusions_of(here.session, activity.course_id) if is_told else []
    short = _without_reasons(standing.unplaced, schedule.proofs)
    full = shortfall(here.session, activity, plan, now=here.now) if short and is_told else None

    groups = service.groups_in_round(here.session, plan, number)
    lines = group_lines.lines(groups, number, schedule, broken, pins)
    show, query = _shown(), request.values.get("q", "").strip()[:100]
    listed = group_lines.chosen(lines, show, query)
    at, pages = _page_number(len(listed), GROUPS_A_PAGE)
    shown = listed[(at - 1) * GROUPS_A_PAGE : at * GROUPS_A_PAGE]
    people = sorted({one for of in standing.schedule.rounds for group in of for one in group})
    known = {*people, *standing.learners, *(one for pin in pins for one in pin.members)}
    known |= {one for each in apart for one in (each.one_id, each.other_id)}
    known |= full.members if full is not None else set()
    cautions = warnings(schedule.course, len(rounds)) if is_told and plan.state == "draft" else ()
    known |= {one for caution in cautions for one in caution.people[: words.MOST_NAMED]}
    names = service.names_of(here.session, known)
    told = {*OUR_REASONS, Reason.ABSENT}
    alone = [one for one in standing.unplaced if one.round_number == number]
    people.sort(key=lambda one: ((names.get(one) or "").casefold(), one))
    rows = rules.rows(people, standing.schedule)
    return {
        "number": number,
        "standing": standing,
        "learner_count": len(standing.learners),
        "names": names,
        "group_count": len(groups),
        "listed_count": len(listed),
        "lines": shown,
        "why": _explained(Explanations(schedule), shown, number, set(schedule.course.people)) if is_told else {},
        "alone": alone if show in {Show.ALL, Show.NOBODY} and not query and at == 1 else [],
        "page": at,
        "pages_of_groups": pages,
        "q": query,
        "show": show,
        "shows": SHOWN,
        "wanted": [one for one in wanted if one in names],
        "broken": broken,
        "lock": comparing.LOCK,
        "cost": costing.costs(schedule.course) if schedule.course.rules and is_told else None,
        "lacking": _put_together(full.rounds if full is not None else short),
        "relaxations": full.relaxations if full is not None else (),
        "pins": pins,
        "apart": apart,
        "absent": [one for one in standing.unplaced if one.reason is Reason.ABSENT and not one.is_over],
        "without_some": len({one.member_id for one in standing.unplaced if not one.is_over}),
        "cautions": [words.caution_in_words(one, names) for one in cautions],
        "waiting": [one for one in standing.unplaced if not one.is_over and one.reason is None],
        "stay_without": [
            one for one in standing.unplaced if not one.is_over and one.reason is not None and one.reason not in told
        ],
        "has_begun": standing.has_begun,
        "can_look_longer": plan.state == "draft"
        and service.can_look_longer(here.session, activity, len(standing.learners), len(rounds)),
        "has_former": plan.state == "draft" and service.find_plan(here.session, activity.id, "previous") is not None,
        **_meetings(people, rows, standing),
    }


def _put_together(rounds: Iterable[RoundShortfall]) -> list[Lacking]:
    """The rounds in their order, each with the first that is like it."""
    numbers: dict[tuple[tuple[int, ...], tuple[Reasons, ...], tuple[Needed, ...], bool], list[int]] = {}
    for one in rounds:
        said = (one.people, tuple(_reasons(why) for why in one.explained), one.needed, one.is_proven)
        numbers.setdefault(said, []).append(one.number)
    return [Lacking(tuple(of), *said) for said, of in numbers.items()]


def _without_reasons(unplaced: Iterable[rules.Unplaced], proofs: Sequence[Proof]) -> list[RoundShortfall]:
    """Who has no partner because of rules, for those who may not know which."""
    waiting: dict[int, list[int]] = {}
    for one in unplaced:
        if not one.is_over and one.reason in OUR_REASONS:
            waiting.setdefault(one.round_number, []).append(one.member_id)
    proven = {proof.round for proof in proofs}
    return [RoundShortfall(number, tuple(people), (), (), number in proven) for number, people in waiting.items()]


def _is_alone(needed: Needed) -> bool:
    return not needed.partners and all(len(part) == 1 for part in needed.parts)


def _reasons(why: WhyNot) -> Reasons:
    return Reasons(why.person, why.removals, len(why.candidates))


def _meetings(people: Sequence[int], rows: Sequence[rules.Row], standing: rules.Standing) -> dict[str, Any]:
    """Who meets whom: the picture while it can be read, the bars, and a page of the table."""
    pages = max(-(-len(rows) // PEOPLE_A_PAGE), 1)
    at = min(max(request.args.get("people", 1, type=int), 1), pages)
    return {
        "picture": rules.draw(people, standing.schedule) if 2 <= len(people) <= MOST_DRAWN else None,
        "table": rows[(at - 1) * PEOPLE_A_PAGE : at * PEOPLE_A_PAGE],
        "people_page": at,
        "pages_of_people": pages,
        "numbers": {one: number for number, one in enumerate(people, start=1)},
        "turns": rules.spread(rows),
        "variety": rules.variety(rows),
    }


def _explained(
    explanations: Explanations, shown: Iterable[GroupLine], number: int, here: set[int]
) -> dict[int, list[Why]]:
    """For each group on the page, what speaks for it from the side of everybody in it who is in the course."""
    return {
        line.group.id: [explanations.why(seat.member_id, number) for seat in line.group.seats if seat.member_id in here]
        for line in shown
    }


def _page_number(count: int, size: int) -> tuple[int, int]:
    pages = max(-(-count // size), 1)
    return min(max(number_of("page"), 1), pages), pages


def _shown() -> Show:
    asked = request.values.get("show", "")
    return Show(asked) if asked in set(Show) else Show.ALL


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

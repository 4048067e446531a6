"""The command `lti-tool plan`: an instance of the format `pairing/1` in, a result out. No settings, no database.

The instance is planned or repaired, and checked; the answer is written as JSON, with notes on what is unusual.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, Final, TypeAlias

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Caution, Concern, Group, Needed, PersonId, Reason, Reviews, Schedule
from lti_tool.pairing.engine.turns import take_turns
from lti_tool.pairing.rules.plan_file import (
    Instance,
    InstanceFlawed,
    Name,
    counted,
    first_of,
    joined,
    people,
    read_text,
    roles_of,
)

REASONS: Final[Mapping[Reason, str]] = {
    Reason.NOBODY_ELSE: "There is no one else.",
    Reason.OTHERS_HAVE_BEGUN: "Every group that could have taken them has begun.",
    Reason.NOBODY_ALLOWED: "The constraints leave them no partner at all.",
    Reason.TOO_FEW_PARTNERS: "Others need the same partners, and there are not enough of them.",
    Reason.NONE_BETTER_FOUND: "No arrangement was found that has a place for them.",
    Reason.ABSENT: "They are absent.",
}
SHORT: Final = {
    Reason.NOBODY_ELSE: "there is no one else",
    Reason.NOBODY_ALLOWED: "the constraints leave them no partner at all",
    Reason.TOO_FEW_PARTNERS: "they have too few partners, or others need the same ones",
}
MOST_NAMED: Final = 6
MOST_SHORT: Final = 10
MOST_NOTES: Final = 20
"""The notes after these are only counted."""
MOST_MISTAKES: Final = 20

Answer: TypeAlias = tuple[dict[str, Any], list[str], list[str]]
"""A result, two lines of summary, and notes."""


class AnswerFlawed(RuntimeError):
    """The checker did not pass what the engine made. This is a mistake of the engine."""


class Refused(Exception):
    """The instance cannot be answered, and nothing was written. The text says why."""


def plan_file(source: Path, out: Path, *, seed: int | None) -> tuple[list[str], list[str]]:
    """Answer the instance in a file. Returns two lines of summary, and notes. Raises Refused."""
    instance = _read(source)
    answer = _reviewed if instance.form.kind == "review" else _planned
    try:
        result, lines, notes = answer(instance, instance.form.seed if seed is None else seed)
    except engine.ImpossibleRequest as refusal:
        raise Refused(f"This cannot be planned: {type(refusal).__name__} {refusal}") from None
    except AnswerFlawed as flawed:
        raise Refused(f"The result did not pass our own check, so nothing was written: {flawed}") from None
    _write(out, json.dumps(result, ensure_ascii=False) + "\n")
    return lines, notes


def _read(source: Path) -> Instance:
    try:
        return read_text(source.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise Refused(f"{source} is not UTF-8.") from None
    except OSError as failure:
        raise Refused(f"{source} cannot be read: {failure.strerror}") from None
    except InstanceFlawed as flawed:
        shown = list(flawed.mistakes[:MOST_MISTAKES])
        if len(flawed.mistakes) > MOST_MISTAKES:
            shown.append(f"and {len(flawed.mistakes) - MOST_MISTAKES} more")
        raise Refused(
            "\n".join([f"{source} is not an instance of pairing/1:", *(f"  {mistake}" for mistake in shown)])
        ) from None


def _planned(instance: Instance, seed: int) -> Answer:
    schedule = schedule_of(instance, seed)
    total = engine.score(instance.course, schedule)
    lines = [
        f"{people(len(instance.course.people))}, {counted(len(schedule.rounds), 'round')}, "
        f"{total.unpaired} without a partner",
        f"{counted(total.repeats, 'repeat')}, {counted(total.objective, 'point')}, "
        f"turns as coach and as coachee differ by at most {total.coach_balance}",
    ]
    return write_schedule(schedule, instance.names), lines, notes_of(instance, schedule)


def _reviewed(instance: Instance, seed: int) -> Answer:
    reviews = reviews_of(instance, seed)
    pairs = set(reviews.pairs)
    mutual = sum((author, reviewer) in pairs for reviewer, author in pairs) // 2
    lines = [
        f"{people(len(instance.course.people))}, {counted(instance.form.reviews_per_person, 'review')} each, "
        f"{len(reviews.pairs)} in all",
        f"{people(len(reviews.short))} with fewer, {counted(mutual, 'couple')} with reviews of each other",
    ]
    return write_reviews(reviews.pairs, instance.names), lines, notes_of(instance, reviews)


def _write(out: Path, text: str) -> None:
    """Write all of it or nothing: the old result stays if something fails."""
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(out)
    except OSError as failure:
        unfinished.unlink(missing_ok=True)
        raise Refused(f"{out} cannot be written: {failure.strerror}") from None


# ---- plans and reviews -----------------------------------------------------------------------------------------------


def schedule_of(instance: Instance, seed: int) -> Schedule:
    """All rounds that an instance of kind `pairs` asks for.

    If there is a running round, it is repaired, and the other rounds are planned after it. Raises AnswerFlawed, and
    ImpossibleRequest for locks that contradict a rule.
    """
    course, rounds = instance.course, instance.form.rounds
    if instance.form.current is None:
        schedule = engine.plan(course, rounds, seed)
    else:
        schedule = _repaired(instance, seed)
        if rounds > 1:
            more = engine.plan(_afterwards(schedule), rounds - 1, seed)
            schedule = replace(
                schedule,
                rounds=schedule.rounds + more.rounds,
                unpaired=schedule.unpaired + tuple(replace(out, round=out.round + 1) for out in more.unpaired),
                proofs=schedule.proofs + tuple(replace(proof, round=proof.round + 1) for proof in more.proofs),
            )
    if violations := engine.verify(course, schedule):
        raise AnswerFlawed(violations)
    return schedule


def _repaired(instance: Instance, seed: int) -> Schedule:
    course = instance.course
    first = replace(course, locks=tuple(lock for lock in course.locks if lock.round == 1))
    after = engine.repair(
        Schedule((instance.current,), course=first, seed=seed), instance.left, instance.joined, 1, may_turn=False
    )
    rounds = after.rounds
    if not instance.has_roles:
        # No one has a role yet, so people who stay together can take fair turns, too.
        rounds = take_turns(rounds, [(1, group) for group in rounds[0]], course.shape.kind, course.ahead, seed)
    return replace(after, rounds=rounds, course=course)


def _afterwards(first: Schedule) -> engine.Course:
    """The course as it is after the first round."""
    course, groups = first.course, first.rounds[0]
    ahead, trios = Counter(course.ahead), Counter(course.in_trios)
    ahead.update(engine.balance(first.rounds))
    trios.update(person for group in groups if len(group) == 3 for person in group)
    return replace(
        course,
        met=course.met + tuple((min(two), max(two)) for group in groups for two in combinations(group, 2)),
        ahead=dict(ahead),
        in_trios=dict(trios),
        left_out=frozenset(out.person for out in first.unpaired),
        locks=tuple(replace(lock, round=lock.round - 1) for lock in course.locks if lock.round and lock.round > 1),
    )


def reviews_of(instance: Instance, seed: int) -> Reviews:
    """The reviews that an instance of kind `review` asks for. Raises AnswerFlawed."""
    reviews = engine.reviews(instance.course, instance.form.reviews_per_person, seed)
    if violations := engine.verify_reviews(instance.course, instance.form.reviews_per_person, reviews):
        raise AnswerFlawed(violations)
    return reviews


# ---- as JSON writes them ---------------------------------------------------------------------------------------------


def write_schedule(schedule: Schedule, names: Mapping[PersonId, Name]) -> dict[str, Any]:
    """The rounds with roles, who is unpaired and why, and the barrier of the first round that has one."""
    explanations = engine.Explanations(schedule)
    rounds = []
    for number, groups in enumerate(schedule.rounds, start=1):
        shortages = explanations.shortages(number) if any(proof.round == number for proof in schedule.proofs) else ()
        alone = [
            {"id": names[out.person], "reason": _reason(out.person, out.reason, shortages, names)}
            for out in schedule.unpaired
            if out.round == number
        ]
        rounds.append({"round": number, "groups": [_group(group, names) for group in groups], "unpaired": alone})
    result: dict[str, Any] = {"rounds": rounds}
    if schedule.proofs:
        first = min(schedule.proofs, key=lambda proof: proof.round)
        result["infeasible"] = {"barrier": [names[person] for person in first.barrier]}
    return result


def write_reviews(pairs: Iterable[tuple[PersonId, PersonId]], names: Mapping[PersonId, Name]) -> dict[str, Any]:
    """Who reviews whom: reviewer, author."""
    return {"reviews": [[names[reviewer], names[author]] for reviewer, author in pairs]}


def _group(group: Group, names: Mapping[PersonId, Name]) -> dict[str, Any]:
    return {
        "members": [names[person] for person in group],
        "roles": {str(names[person]): role for person, role in zip(group, roles_of(group), strict=True)},
    }


def _reason(person: PersonId, reason: Reason, shortages: Sequence[Needed], names: Mapping[PersonId, Name]) -> str:
    def named(members: Sequence[PersonId]) -> str:
        more = f" and {len(members) - MOST_NAMED} more" if len(members) > MOST_NAMED else ""
        return ", ".join(str(names[member]) for member in members[:MOST_NAMED]) + more

    shortage = next((shortage for shortage in shortages if person in shortage.needing), None)
    if reason is not Reason.TOO_FEW_PARTNERS or shortage is None or not shortage.partners:
        return REASONS[reason]
    if len(shortage.needing) == len(shortage.parts):
        return f"{REASONS[reason]} No one but {named(shortage.partners)} may work with {named(shortage.needing)}."
    return f"{REASONS[reason]} Too many depend on {named(shortage.partners)}."


# ---- notes -----------------------------------------------------------------------------------------------------------


def notes_of(instance: Instance, answer: Schedule | Reviews) -> list[str]:
    """What the author of the instance should know and is no mistake: about how it is written, its people and
    constraints, and what the answer lacks.
    """
    is_empty = not (answer.pairs if isinstance(answer, Reviews) else any(answer.rounds))
    no_partners = _no_partners(instance) if is_empty else []
    rounds = instance.form.rounds if instance.form.kind == "pairs" else 0
    cautions = [
        _caution(instance, caution)
        for caution in engine.warnings(instance.course, rounds)
        if not (no_partners and caution.concern is Concern.MORE_ROUNDS_THAN_PARTNERS)
    ]
    short = _short(instance, answer) if isinstance(answer, Reviews) else []
    return [*_cut(instance.warnings), *_cut(cautions), *no_partners, *short]


def _cut(notes: Sequence[str]) -> list[str]:
    more = len(notes) - MOST_NOTES
    return [*notes[:MOST_NOTES], *([f"and {counted(more, 'note')} more like these"] if more > 0 else [])]


def _caution(instance: Instance, caution: Caution) -> str:
    number, about = len(caution.people), caution.about
    who = first_of(caution.people, instance.names)
    match caution.concern:
        case Concern.NOBODY_HAS:
            return f"people: no one has a value for {about}"
        case Concern.HALF_UNKNOWN:
            return f"people: {number} of {people(len(instance.course.people))} have no value for {about}: {who}"
        case Concern.UNKNOWN_REFUSED:
            constraint = next(part for part in instance.constraints if part.rule.name == about)
            have = f"{people(number)} {'has' if number == 1 else 'have'} no value for {joined(constraint.rule.reads)}"
            return f"{constraint.said}: {have}, so it leaves them no partner: {who}"
        case Concern.MANAGER_LOOP:
            return f"people: a loop of managers: {who}"
        case Concern.MORE_ROUNDS_THAN_PARTNERS:
            rounds = counted(instance.form.rounds, "round")
            return f"rounds: {rounds}, but {people(number)} can meet fewer new people than that: {who}"


def _no_partners(instance: Instance) -> list[str]:
    """Which constraints leave no one a partner: each that does so alone, else all of them together."""
    if len(instance.course.people) < 2 or not instance.constraints:
        return []
    costs = engine.costs(instance.course)
    alone = {cost.rule for cost in costs.rules if cost.without == len(instance.course.people)}
    single = [f"{part.said} leaves no one a partner" for part in instance.constraints if part.rule.name in alone]
    together = joined([part.said for part in instance.constraints])
    return single or [f"{together} together leave no one a partner"]


def _short(instance: Instance, reviews: Reviews) -> list[str]:
    wanted, others = instance.form.reviews_per_person, len(instance.course.people) - 1
    notes = []
    for short in reviews.short[:MOST_SHORT]:
        why = SHORT[short.reason]
        if short.reason is Reason.TOO_FEW_PARTNERS and others < wanted:
            why = f"there are only {others} others" if others > 1 else "there is only one other"
        done = f"{instance.names[short.person]!r} does {short.done} and gets {short.received} of {wanted}"
        notes.append(f"reviews: {done}: {why}")
    more = len(reviews.short) - MOST_SHORT
    return [*notes, *([f"reviews: {people(more)} more with fewer than {wanted}"] if more > 0 else [])]

"""The command `lti-tool plan`: an instance of the format `pairing/1` in, a result out. No settings, no database.

The instance is planned or repaired, and checked; the answer is written as JSON, with notes on what is unusual.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Caution, Concern, Group, Lock, Needed, Reason, Reviews, Schedule, Unpaired
from lti_tool.pairing.engine.turns import take_turns
from lti_tool.pairing.rules.plan_file import Instance, InstanceFlawed, counted, joined, people, read_text, roles_of

REASONS: Final[Mapping[Reason, str]] = {
    Reason.NOBODY_ELSE: "There is no one else.",
    Reason.OTHERS_HAVE_BEGUN: "Every group that could have taken them has begun.",
    Reason.NOBODY_ALLOWED: "The constraints leave them no partner at all.",
    Reason.TOO_FEW_PARTNERS: "They have too few partners, or others need the same ones.",
    Reason.NONE_BETTER_FOUND: "No arrangement was found that has a place for them.",
    Reason.ABSENT: "They are absent.",
}
MOST_SHORT: Final = 10
MOST_NOTES: Final = 20
"""The notes after these are only counted."""
MOST_MISTAKES: Final = 20

Answer: TypeAlias = tuple[dict[str, Any], list[str], list[str]]
"""A result, two lines of summary, and notes."""


class Refused(Exception):
    """The instance cannot be answered, and nothing was written. The text says why."""


def plan_file(source: Path, out: Path, *, seed: int | None) -> tuple[list[str], list[str]]:
    """Answer the instance in a file. Returns two lines of summary, and notes. Raises Refused."""
    instance = _read(source)
    answer = _reviewed if instance.form.kind == "review" else _planned
    result, lines, notes = answer(instance, instance.form.seed if seed is None else seed)
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
    return write_schedule(schedule, instance), lines, notes_of(instance, schedule)


def _reviewed(instance: Instance, seed: int) -> Answer:
    reviews = reviews_of(instance, seed)
    pairs = set(reviews.pairs)
    mutual = sum((author, reviewer) in pairs for reviewer, author in pairs) // 2
    lines = [
        f"{people(len(instance.course.people))}, {counted(instance.form.reviews_per_person, 'review')} each, "
        f"{len(reviews.pairs)} in all",
        f"{people(len(reviews.short))} with fewer, {counted(mutual, 'couple')} with reviews of each other",
    ]
    written = [[instance.names[reviewer], instance.names[author]] for reviewer, author in reviews.pairs]
    return {"reviews": written}, lines, notes_of(instance, reviews)


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
    """All rounds that an instance of kind `pairs` asks for. Raises Refused if the checker does not pass them.

    If there is a running round, it is repaired, and the other rounds are planned around it.
    """
    course = instance.course
    if instance.form.current is None:
        schedule = engine.plan(course, instance.form.rounds, seed)
    else:
        first = _repaired(instance, seed)
        locks = (*(Lock(group, 1) for group in first), *(lock for lock in course.locks if lock.round != 1))
        schedule = engine.plan(replace(course, locks=locks), instance.form.rounds, seed)
        rounds = (first, *schedule.rounds[1:])
        # Groups that stay keep their roles. If no one has a role yet, the running round takes fair turns, too.
        placed = [(number, group) for number, groups in enumerate(rounds, start=1) for group in groups]
        open_to_turn = [(number, group) for number, group in placed if number > 1 or not instance.has_roles]
        rounds = take_turns(rounds, open_to_turn, course.shape.kind, course.ahead, seed)
        schedule = replace(schedule, rounds=rounds, course=course)
    _check(engine.verify(course, schedule))
    return schedule


def _repaired(instance: Instance, seed: int) -> tuple[Group, ...]:
    """The running round with the fewest changes that give everyone a partner."""
    locks = tuple(lock for lock in instance.course.locks if lock.round == 1)
    running = Schedule((instance.current,), course=replace(instance.course, locks=locks), seed=seed)
    return engine.repair(running, instance.left, instance.joined, 1, may_turn=False).rounds[0]


def reviews_of(instance: Instance, seed: int) -> Reviews:
    """The reviews that an instance of kind `review` asks for. Raises Refused as well."""
    reviews = engine.reviews(instance.course, instance.form.reviews_per_person, seed)
    _check(engine.verify_reviews(instance.course, instance.form.reviews_per_person, reviews))
    return reviews


def _check(violations: Sequence[engine.Violation]) -> None:
    if violations:
        raise Refused(f"The result did not pass our own check, so nothing was written: {violations}")


# ---- as JSON writes them ---------------------------------------------------------------------------------------------


def write_schedule(schedule: Schedule, instance: Instance) -> dict[str, Any]:
    """The rounds with roles, who is unpaired and why, and the barrier of the first round that has one."""
    explanations, proven = engine.Explanations(schedule), {proof.round for proof in schedule.proofs}
    rounds = []
    for number, groups in enumerate(schedule.rounds, start=1):
        shortages = explanations.shortages(number) if number in proven else ()
        alone = [
            {"id": instance.names[out.person], "reason": _reason(out, shortages, instance)}
            for out in schedule.unpaired
            if out.round == number
        ]
        named = [[instance.names[person] for person in group] for group in groups]
        written = [{"members": who, "roles": dict(zip(map(str, who), roles_of(who), strict=True))} for who in named]
        rounds.append({"round": number, "groups": written, "unpaired": alone})
    result: dict[str, Any] = {"rounds": rounds}
    if schedule.proofs:
        first = min(schedule.proofs, key=lambda proof: proof.round)
        result["infeasible"] = {"barrier": [instance.names[person] for person in first.barrier]}
    return result


def _reason(out: Unpaired, shortages: Sequence[Needed], instance: Instance) -> str:
    shortage = next((shortage for shortage in shortages if out.person in shortage.needing), None)
    if out.reason is not Reason.TOO_FEW_PARTNERS or shortage is None or not shortage.partners:
        return REASONS[out.reason]
    partners, needing = instance.first_of(shortage.partners), instance.first_of(shortage.needing)
    if len(shortage.needing) == len(shortage.parts):
        return f"{REASONS[out.reason]} No one but {partners} may work with {needing}."
    return f"{REASONS[out.reason]} Too many depend on {partners}."


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
    who = instance.first_of(caution.people)
    match caution.concern:
        case Concern.NOBODY_HAS:
            return f"people: no one has a value for {about}"
        case Concern.HALF_UNKNOWN:
            return f"people: {number} of {people(len(instance.course.people))} have no value for {about}: {who}"
        case Concern.UNKNOWN_REFUSED:
            said, rule = next((said, rule) for said, rule in instance.constraints.items() if rule.name == about)
            have = f"{people(number)} {'has' if number == 1 else 'have'} no value for {joined(rule.reads)}"
            return f"{said}: {have}, so it leaves them no partner: {who}"
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
    single = [f"{said} leaves no one a partner" for said, rule in instance.constraints.items() if rule.name in alone]
    together = joined([*instance.constraints])
    return single or [f"{together} together leave no one a partner"]


def _short(instance: Instance, reviews: Reviews) -> list[str]:
    wanted, others = instance.form.reviews_per_person, len(instance.course.people) - 1
    notes = []
    for short in reviews.short[:MOST_SHORT]:
        why = REASONS[short.reason]
        if short.reason is Reason.TOO_FEW_PARTNERS and others < wanted:
            why = f"There are only {others} others." if others > 1 else "There is only one other."
        done = f"{instance.names[short.person]!r} does {short.done} and gets {short.received} of {wanted}"
        notes.append(f"reviews: {done}. {why}")
    more = len(reviews.short) - MOST_SHORT
    return [*notes, *([f"reviews: {people(more)} more with fewer than {wanted}"] if more > 0 else [])]

"""What whoever wrote an instance should know about it and its answer, in plain sentences. None of it is a mistake."""

from collections.abc import Sequence
from typing import Final

from lti_tool.pairing.engine.costs import costs
from lti_tool.pairing.engine.interchange.instances import Instance, InstanceKind
from lti_tool.pairing.engine.interchange.reader import MOST_NAMED
from lti_tool.pairing.engine.interchange.wording import counted, first_of, joined, people
from lti_tool.pairing.engine.schedule import Reason, Reviews, Schedule, Short
from lti_tool.pairing.engine.why import Caution, Concern, warnings

MOST_SHORT: Final = 10
SHORT: Final = {
    Reason.NOBODY_ELSE: "there is nobody else",
    Reason.NOBODY_ALLOWED: "the constraints leave them no partner at all",
    Reason.TOO_FEW_PARTNERS: "they have too few partners, or others need the same ones",
}


def notes_of(instance: Instance, answer: Schedule | Reviews) -> list[str]:
    """Notes on the instance as it was read, on its people and constraints, and on what the answer lacks."""
    is_empty = not (answer.pairs if isinstance(answer, Reviews) else any(answer.rounds))
    nobody = _nobody(instance) if is_empty else []
    rounds = instance.rounds if instance.kind is InstanceKind.PAIRS else 0
    cautions = [
        _caution(instance, one)
        for one in warnings(instance.course, rounds)
        if not (nobody and one.concern is Concern.MORE_ROUNDS_THAN_PARTNERS)
    ]
    short = _short(instance, answer.short) if isinstance(answer, Reviews) else []
    return [*_cut(instance.warnings), *_cut(cautions), *nobody, *short]


def _cut(notes: Sequence[str]) -> list[str]:
    more = len(notes) - MOST_NAMED
    return [*notes[:MOST_NAMED], *([f"and {counted(more, 'note')} more like these"] if more > 0 else [])]


def _caution(instance: Instance, caution: Caution) -> str:
    number, everybody = len(caution.people), len(instance.course.people)
    who = first_of(caution.people, instance.names)
    match caution.concern:
        case Concern.NOBODY_HAS:
            return f"people: {caution.about} is known of nobody"
        case Concern.HALF_UNKNOWN:
            return f"people: {caution.about} is unknown of {number} of {people(everybody)}: {who}"
        case Concern.UNKNOWN_REFUSED:
            constraint = next(one for one in instance.constraints if one.rule.name == caution.about)
            unknown = joined(constraint.rule.reads)
            return f"{constraint.said}: {unknown} is unknown of {people(number)}, so it leaves them no partner: {who}"
        case Concern.MANAGER_LOOP:
            return f"people: a loop of managers: {who}"
        case Concern.MORE_ROUNDS_THAN_PARTNERS:
            rounds = counted(instance.rounds, "round")
            return f"rounds: {rounds}, but {people(number)} can meet fewer new people than that: {who}"


def _nobody(instance: Instance) -> list[str]:
    """Why nobody works with anybody: constraints that do that alone, else all of them together."""
    if len(instance.course.people) < 2 or not instance.constraints:
        return []
    found = costs(instance.course)
    alone = {one.rule for one in found.rules if one.without == len(instance.course.people)}
    guilty = [one.said for one in instance.constraints if one.rule.name in alone]
    if guilty:
        return [f"{one} leaves nobody a partner" for one in guilty]
    return [f"{joined([one.said for one in instance.constraints])} together leave nobody a partner"]


def _short(instance: Instance, short: Sequence[Short]) -> list[str]:
    wanted, others = instance.reviews_per_person, len(instance.course.people) - 1
    notes = []
    for one in short[:MOST_SHORT]:
        why = SHORT[one.reason]
        if one.reason is Reason.TOO_FEW_PARTNERS and others < wanted:
            why = f"there are only {others} others" if others > 1 else "there is only one other"
        notes.append(
            f"reviews: {instance.names[one.person]!r} does {one.done} and gets {one.received} of {wanted}: {why}"
        )
    more = len(short) - MOST_SHORT
    return [*notes, *([f"reviews: and {people(more)} more with fewer than {wanted}"] if more > 0 else [])]

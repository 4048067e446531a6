"""Who owes what to whom in a group: the one answer for tasks, completion, release, pages and scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from lti_tool.activities.kinds import Kind
from lti_tool.activities.kinds.kind import Step, To


@dataclass(frozen=True, slots=True)
class Seating:
    """How a group sits in a round, as far as it decides who owes what to whom. Turns are counted from 1."""

    size: int
    round_number: int = 1
    away: frozenset[int] = frozenset()
    """Turns of those who do not take part in the course any more."""
    is_ring: bool = False
    """Whether the plan was made in rings: then the order of turns is another one in each round."""
    is_facilitated: bool = False
    """Whether a member of staff has, or had, the facilitator's seat."""


def seat_at(kind: Kind, turn: int, seating: Seating) -> str:
    """The key of the seat of whoever has this turn. Where staff facilitate, whose turn that would be is a member."""
    seat = kind.seat_at(turn)
    return kind.seats[-1].key if seating.is_facilitated and seat == kind.facilitator else seat


@lru_cache(maxsize=4096)
def owed(kind: Kind, seating: Seating) -> Mapping[tuple[int, int], frozenset[str]]:
    """By the turns of giver and receiver the keys of the steps that one owes the other; couples that owe nothing are
    left out.

    A ring passes over people who are away: whoever would give to them gives to the one after them. An answer is owed
    to whoever owes what it answers.
    """
    found: dict[tuple[int, int], set[str]] = {}
    to_partners = [step for step in kind.steps if step.is_to_partners]
    for step in to_partners:
        if not step.is_owed_back:
            for couple in _couples(kind, step, seating):
                found.setdefault(couple, set()).add(step.key)
    for step in to_partners:
        if step.is_owed_back:
            for giver, receiver in [couple for couple, keys in found.items() if step.after in keys]:
                found.setdefault((receiver, giver), set()).add(step.key)
    return {couple: frozenset(keys) for couple, keys in found.items()}


def _couples(kind: Kind, step: Step, seating: Seating) -> list[tuple[int, int]]:
    """Who owes this step to whom."""
    turns = range(1, seating.size + 1)
    if step.to is To.NEXT:
        present = [turn for turn in turns if turn not in seating.away]
        ahead = 1 if seating.is_ring else _places_ahead(seating.round_number, len(present))
        return [
            (turn, present[(place + ahead) % len(present)]) for place, turn in enumerate(present) if len(present) > 1
        ]
    return [
        (giver, receiver)
        for giver in turns
        for receiver in turns
        if giver != receiver and (step.to is To.PARTNERS or step.seat == seat_at(kind, receiver, seating))
    ]


def _places_ahead(round_number: int, size: int) -> int:
    """How many places ahead everybody's receiver sits, where groups may stay together over rounds: 1, 2, … so that
    everyone comes to give to each of the others.
    """
    return 1 + (round_number - 1) % max(size - 1, 1)

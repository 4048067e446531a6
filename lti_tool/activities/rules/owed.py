"""Who owes what to whom in a group: the one answer for tasks, completion, release, pages and scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lti_tool.activities.kinds import Kind
from lti_tool.activities.kinds.kind import Step, To

FEWEST_WITHOUT_NAMES: Final = 3
"""With fewer people who give to the same person in a round, that person could tell who wrote what."""


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
    steps_owed: dict[tuple[int, int], set[str]] = {}
    to_partners = [step for step in kind.steps if step.is_to_partners]
    for step in to_partners:
        if not step.is_owed_back:
            for couple in _couples(kind, step, seating):
                steps_owed.setdefault(couple, set()).add(step.key)
    for step in to_partners:
        if step.is_owed_back:
            for giver, receiver in [couple for couple, keys in steps_owed.items() if step.after in keys]:
                steps_owed.setdefault((receiver, giver), set()).add(step.key)
    return {couple: frozenset(keys) for couple, keys in steps_owed.items()}


def givers(kind: Kind, step_key: str, seating: Seating, receiver: int) -> frozenset[int]:
    """The turns of those who take part and owe this step to whoever has the turn `receiver`."""
    couples = (couple for couple, keys in owed(kind, seating).items() if step_key in keys)
    return frozenset(giver for giver, to in couples if to == receiver and giver not in seating.away)


def may_be_anonymous(kind: Kind) -> bool:
    """Whether groups of this kind can be large enough for feedback without names. Round a ring each hears from one."""
    steps = (step for step in kind.steps if step.is_to_partners and not step.is_owed_back)
    return kind.largest_group > FEWEST_WITHOUT_NAMES and any(step.to in {To.PARTNERS, To.SEAT} for step in steps)


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

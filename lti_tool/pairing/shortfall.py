"""Why people of a plan are without a partner, that it could not be otherwise, and which rule could give way."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.pairing import service
from lti_tool.pairing.engine import Explanations, Proof, Reason, Relaxation, WhyNot
from lti_tool.pairing.engine.why import Needed
from lti_tool.pairing.models import Plan

MOST_EXPLAINED: Final = 12
"""So many people of a round are explained one by one."""
OUR_REASONS: Final = {Reason.NOBODY_ALLOWED, Reason.TOO_FEW_PARTNERS, Reason.NONE_BETTER_FOUND}
"""Those that rules are the cause of."""


@dataclass(frozen=True, slots=True)
class RoundShortfall:
    """One round with people whom the rules leave without a partner."""

    number: int
    people: tuple[int, ...]
    explained: tuple[WhyNot, ...]
    """Of the first of them."""
    needed: tuple[Needed, ...]
    """Who is needed by too many, from the round's proof."""
    is_proven: bool
    """Whether it is proven that no arrangement leaves fewer people without a partner."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Everything that is said of people without a partner."""

    rounds: tuple[RoundShortfall, ...]
    relaxations: tuple[Relaxation, ...]
    """Rules that would help somebody if they gave way, in their order; one is advised."""

    @property
    def members(self) -> frozenset[int]:
        """Everybody who is named in it."""
        return frozenset(self._named())

    def _named(self) -> Iterator[int]:
        for one in self.rounds:
            yield from one.people
            for why in one.explained:
                yield from why.candidates[:3]
            for needed in one.needed:
                yield from (*needed.needing, *needed.partners)
        for relaxation in self.relaxations:
            yield from (person for _, person in relaxation.seated)
            for against in relaxation.against:
                yield from against.couple


def shortfall(session: Session, activity: Activity, plan: Plan, *, now: datetime) -> Shortfall | None:
    """What stands in the way of those whom the rules leave without a partner; None when there is nobody."""
    waiting: dict[int, list[int]] = {}
    for one in service.standing(session, activity, plan, now=now).unplaced:
        if not one.is_over and one.reason in OUR_REASONS:
            waiting.setdefault(one.round_number, []).append(one.member_id)
    if not waiting:
        return None
    schedule = service.schedule_of(session, activity, plan)
    explanations = Explanations(schedule)
    helpful = tuple(one for one in service.relaxations(session, plan, now=now) if one.more)
    return Shortfall(
        tuple(_round(explanations, number, people, schedule.proofs) for number, people in sorted(waiting.items())),
        helpful,
    )


def _round(explanations: Explanations, number: int, people: list[int], proofs: tuple[Proof, ...]) -> RoundShortfall:
    is_proven = any(proof.round == number for proof in proofs)
    return RoundShortfall(
        number,
        tuple(people),
        tuple(explanations.why_not(person, number) for person in people[:MOST_EXPLAINED]),
        explanations.shortages(number) if is_proven else (),
        is_proven,
    )

"""Rounds in which the rules leave people without a partner; those of which the same is to be said stand together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lti_tool.pairing.engine import Proof
from lti_tool.pairing.engine.explanations.reasons import Needed, Removal, WhyNot
from lti_tool.pairing.rules import Unplaced
from lti_tool.pairing.shortfall import OUR_REASONS, RoundShortfall


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


def put_together(rounds: Iterable[RoundShortfall]) -> list[Lacking]:
    """The rounds in their order, each with the first that is like it."""
    numbers: dict[tuple[tuple[int, ...], tuple[Reasons, ...], tuple[Needed, ...], bool], list[int]] = {}
    for one in rounds:
        said = (one.people, tuple(_reasons(why) for why in one.explained), one.needed, one.is_proven)
        numbers.setdefault(said, []).append(one.number)
    return [Lacking(tuple(of), *said) for said, of in numbers.items()]


def without_reasons(unplaced: Iterable[Unplaced], proofs: Sequence[Proof]) -> list[RoundShortfall]:
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

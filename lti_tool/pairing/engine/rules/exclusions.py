"""Couples that somebody named: never together, or rather not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.rules.rule import NEVER, RuleByCouple

SHOULD_NOT_PRIORITY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions(RuleByCouple):
    """These couples never work together. Couples with people who are not in the course are passed over."""

    couples: tuple[tuple[int, int], ...]
    """Two ids each, in any order."""
    priority: int = NEVER

    @property
    def name(self) -> str:
        return "exclusions"

    @property
    def reads(self) -> tuple[str, ...]:
        return ()

    def list_forbidden(self, people: People) -> NDArray[np.int64]:
        couples = people.places(np.array(self.couples, dtype=np.int64).reshape(-1, 2))
        here: NDArray[np.int64] = couples[(couples >= 0).all(axis=1)]
        return here


@dataclass(frozen=True, slots=True, kw_only=True)
class ShouldNot(Exclusions):
    """These couples should not work together: the first rule to give way, and kept as long as it need not."""

    priority: int = SHOULD_NOT_PRIORITY

    @property
    def name(self) -> str:
        return "should_not"

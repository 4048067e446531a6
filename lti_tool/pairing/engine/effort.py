"""How much work goes into a plan: counts of steps, never time, so that the same input gives the same plan."""

from enum import Enum
from typing import Final, NamedTuple

FEW: Final = 1_024
"""So few people that a thorough effort takes less than a tenth of a second a round, and a proof less than half."""
SOON_PROVEN: Final = 4_096
"""People times rounds for whom all proofs together take about a second."""


class Steps(NamedTuple):
    """What is done in rounds of more people than are solved exactly; the last is for all rounds of fewer people."""

    sweeps: int
    """How often every couple is tried for exchange with another."""
    passes: int
    """How often, at most, couples are cut into blocks in which rings are looked for. Where people are fewer
    than 4,096 it is up to four times as often.
    """
    block: int
    """How many couples are in such a block."""
    chain: int
    """How many people long the chains are at most of which rings are made."""
    proves: bool
    """Whether the couples of a round are made the best there are, if all can be paired without a repeat."""
    looks: int
    """How often two rounds of a small course are planned anew, while somebody is unpaired or there are repeats."""


class Effort(Enum):
    """How long the planner looks for better couples. Rules and the number of unpaired people do not depend on it.

    Measured by `make bench-pairing` for 10,000 people and 12 rounds: the points are 0.9 % below a bound that no plan
    exceeds (QUICK), 0.3 % (NORMAL) and 0.1 % (THOROUGH), and each takes about three times as long as the one before.
    """

    QUICK = Steps(sweeps=200, passes=1, block=64, chain=40, proves=False, looks=0)
    NORMAL = Steps(sweeps=600, passes=3, block=256, chain=30, proves=False, looks=20)
    THOROUGH = Steps(sweeps=600, passes=12, block=512, chain=100, proves=False, looks=200)

    def steps(self, people: int, rounds: int) -> Steps:
        """What is done for so many people and rounds: for few of them more, because that is quick."""
        steps = self.value
        if self is not Effort.QUICK and people <= FEW:
            proves = self is Effort.THOROUGH or people * rounds <= SOON_PROVEN
            steps = Effort.THOROUGH.value._replace(looks=steps.looks, proves=proves)
        return steps

"""How much work goes into a plan: counts of steps, never time, so that the same input gives the same plan."""

from enum import Enum
from typing import NamedTuple


class Steps(NamedTuple):
    """What is done in a round of more people than are solved exactly."""

    sweeps: int
    """In the first round: how often every couple is tried for exchange with another."""
    later_sweeps: int
    """In the rounds after it, which start from the round before."""
    passes: int
    """How often all people are cut into blocks, and each block is solved exactly."""


class Effort(Enum):
    """How long the planner looks for better couples. Rules and the number of unpaired people do not depend on it."""

    QUICK = Steps(sweeps=200, later_sweeps=100, passes=0)
    NORMAL = Steps(sweeps=1200, later_sweeps=800, passes=0)
    THOROUGH = Steps(sweeps=3000, later_sweeps=2000, passes=1)

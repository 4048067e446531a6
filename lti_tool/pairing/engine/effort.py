"""How much work goes into a plan: counts of steps, never time, so that the same input gives the same plan."""

from enum import Enum
from typing import NamedTuple


class Steps(NamedTuple):
    """What is done in rounds of more people than are solved exactly; the last is for all rounds of fewer people."""

    sweeps: int
    """How often every couple is tried for exchange with another."""
    passes: int
    """How often, at most, couples are cut into blocks in which rings of exchanges are looked for."""
    block: int
    """How many couples are in such a block."""
    chain: int
    """How many people long the chains are at most of which rings are made."""
    looks: int
    """How often two rounds of a small course are planned anew, while somebody is unpaired or there are repeats."""


class Effort(Enum):
    """How long the planner looks for better couples. Rules and the number of unpaired people do not depend on it."""

    QUICK = Steps(sweeps=200, passes=0, block=0, chain=0, looks=0)
    NORMAL = Steps(sweeps=200, passes=3, block=256, chain=60, looks=20)
    THOROUGH = Steps(sweeps=300, passes=12, block=512, chain=120, looks=200)

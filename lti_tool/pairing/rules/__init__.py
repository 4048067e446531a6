"""Pairing as plain data: what pages show of plans, what designers want, and what a change makes of a plan.

`views` is what other features read; the engine decides who works with whom.
"""

from lti_tool.pairing.rules.views import (
    RULE_REASONS,
    Alone,
    Apart,
    Cause,
    GroupView,
    MoveView,
    NotPaired,
    PinView,
    PublishedGroup,
    SeatView,
    Unplaced,
    WhyNot,
    couple_of,
)

__all__ = [
    "RULE_REASONS",
    "Alone",
    "Apart",
    "Cause",
    "GroupView",
    "MoveView",
    "NotPaired",
    "PinView",
    "PublishedGroup",
    "SeatView",
    "Unplaced",
    "WhyNot",
    "couple_of",
]

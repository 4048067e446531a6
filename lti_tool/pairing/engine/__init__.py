"""The pairing engine: plain data in, plain data out. It knows no database, no web and no clock.

`plan` proposes all rounds at once, `repair` changes as little as possible after people left or joined, and `verify`
checks either without trusting them. A better engine may replace the first two behind the same three functions.
"""

from lti_tool.pairing.engine.course import Couple, Course, Kind, Lock, PersonId, Shape, Value
from lti_tool.pairing.engine.errors import ImpossibleRequest
from lti_tool.pairing.engine.planning import plan
from lti_tool.pairing.engine.repairing import repair
from lti_tool.pairing.engine.schedule import (
    Breach,
    Group,
    Placed,
    Proof,
    Reason,
    Schedule,
    Unpaired,
    Violation,
    balance,
    meetings,
    moved,
    repeats,
)
from lti_tool.pairing.engine.verifying import verify

NAME = "circle/1"
"""Name and version of this engine, stored with every plan that it made."""

__all__ = [
    "NAME",
    "Breach",
    "Couple",
    "Course",
    "Group",
    "ImpossibleRequest",
    "Kind",
    "Lock",
    "PersonId",
    "Placed",
    "Proof",
    "Reason",
    "Schedule",
    "Shape",
    "Unpaired",
    "Value",
    "Violation",
    "balance",
    "meetings",
    "moved",
    "plan",
    "repair",
    "repeats",
    "verify",
]

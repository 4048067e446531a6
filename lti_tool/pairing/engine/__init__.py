"""The pairing engine: plain data in, plain data out. It knows no database, no web and no clock.

`plan` proposes all rounds at once, `repair` changes as little as possible after people left or joined, and `verify`
checks either without trusting them.
"""

from lti_tool.pairing.engine.course import Couple, Course, Kind, Lock, PersonId, Shape, Value
from lti_tool.pairing.engine.effort import Effort
from lti_tool.pairing.engine.errors import (
    ImpossibleRequest,
    ListedTwice,
    LockConflict,
    LockForbidden,
    LockSize,
    UnknownPerson,
)
from lti_tool.pairing.engine.planning import NAME, plan
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

__all__ = [
    "NAME",
    "Breach",
    "Couple",
    "Course",
    "Effort",
    "Group",
    "ImpossibleRequest",
    "Kind",
    "ListedTwice",
    "Lock",
    "LockConflict",
    "LockForbidden",
    "LockSize",
    "PersonId",
    "Placed",
    "Proof",
    "Reason",
    "Schedule",
    "Shape",
    "UnknownPerson",
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

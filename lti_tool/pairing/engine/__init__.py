"""The pairing engine: plain data in, plain data out. It knows no database, no web and no clock.

`plan` proposes all rounds at once, `repair` and `step_in` change as little as possible when people leave, join or do
not turn up, and `changes` says of everybody who moved why. `reviews` lets people review each other. `verify` and
`verify_reviews` check what came out without trusting it; nothing is kept that has not passed. `why`, `why_not`,
`costs`, `warnings` and `proposals` explain.

A plan begins in `planning`; `course` is what it is told, `schedule` what it answers. The folders:

- `rules`: who may not work together, one rule a file;
- `wishes`: who would rather work together, one wish a file;
- `coverage`: as few people without a partner as possible, and the proof of it;
- `pairs`: rounds of pairs;
- `circles`: rounds of trios, circles and rings;
- `turns`: who goes first, who observes whom, who brings the case;
- `repairs`: the fewest changes after people came or went, and why somebody moved;
- `reviewing`: who reviews whose work;
- `checks`: the independent check of all that;
- `explanations`: why, why not, what rules cost and which could give way;
- `improver`: the optional second look by OR-tools;
- `interchange`: the format `pairing/1` of the command `lti-tool plan`.
"""

from lti_tool.pairing.engine.checks.reviews import verify_reviews
from lti_tool.pairing.engine.checks.scoring import Score, score
from lti_tool.pairing.engine.checks.verifying import verify
from lti_tool.pairing.engine.course import Couple, Course, Kind, Lock, PersonId, Shape, Value
from lti_tool.pairing.engine.effort import Effort
from lti_tool.pairing.engine.errors import (
    ImpossibleRequest,
    ListedTwice,
    LockConflict,
    LockForbidden,
    LockSize,
    ShapeImpossible,
    UnknownPerson,
)
from lti_tool.pairing.engine.explanations.cautions import Caution, Concern, warnings
from lti_tool.pairing.engine.explanations.costing import Costs, RuleCost, costs
from lti_tool.pairing.engine.explanations.explaining import Explanations, shortages, why, why_not
from lti_tool.pairing.engine.explanations.reasons import Needed, Removal, Why, WhyNot
from lti_tool.pairing.engine.explanations.relaxing import Relaxation, proposals
from lti_tool.pairing.engine.improver.improving import ImproverMissing, can_improve, improve
from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.planning import NAME, check_locks, plan
from lti_tool.pairing.engine.repairs.changes import Cause, Change, changes
from lti_tool.pairing.engine.repairs.repairing import repair, step_in
from lti_tool.pairing.engine.reviewing.planning import Reviews, reviews
from lti_tool.pairing.engine.rules import (
    NEVER,
    Exclusions,
    ExperienceGap,
    Known,
    NotAgain,
    OffersMeetNeeds,
    Other,
    ReportingLine,
    Rule,
    RuleByValue,
    Same,
    Share,
    ShouldNot,
)
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
from lti_tool.pairing.engine.wishes import (
    ExtraShared,
    NearInTime,
    OffersFit,
    RatherGap,
    RatherOther,
    RatherSame,
    Wish,
    minutes_ahead,
)

__all__ = [
    "NAME",
    "NEVER",
    "Breach",
    "Cause",
    "Caution",
    "Change",
    "Concern",
    "Costs",
    "Couple",
    "Course",
    "Effort",
    "Exclusions",
    "ExperienceGap",
    "Explanations",
    "ExtraShared",
    "Group",
    "ImpossibleRequest",
    "ImproverMissing",
    "Kind",
    "Known",
    "ListedTwice",
    "Lock",
    "LockConflict",
    "LockForbidden",
    "LockSize",
    "NearInTime",
    "Needed",
    "NotAgain",
    "OffersFit",
    "OffersMeetNeeds",
    "Other",
    "People",
    "PersonId",
    "Placed",
    "Proof",
    "RatherGap",
    "RatherOther",
    "RatherSame",
    "Reason",
    "Relaxation",
    "Removal",
    "ReportingLine",
    "Reviews",
    "Rule",
    "RuleByValue",
    "RuleCost",
    "Same",
    "Schedule",
    "Score",
    "Shape",
    "ShapeImpossible",
    "Share",
    "ShouldNot",
    "UnknownPerson",
    "Unpaired",
    "Value",
    "Violation",
    "Why",
    "WhyNot",
    "Wish",
    "balance",
    "can_improve",
    "changes",
    "check_locks",
    "costs",
    "improve",
    "meetings",
    "minutes_ahead",
    "moved",
    "plan",
    "proposals",
    "repair",
    "repeats",
    "reviews",
    "score",
    "shortages",
    "step_in",
    "verify",
    "verify_reviews",
    "warnings",
    "why",
    "why_not",
]

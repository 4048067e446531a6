"""The pairing engine: plain data in, plain data out. It knows no database, no web and no clock.

`plan` proposes all rounds at once, `repair` changes as little as possible when people leave, join or do not turn up,
and `changes` says of everybody who moved why. `reviews` lets people review each other. `verify` and `verify_reviews`
check what came out without trusting it; nothing is kept that has not passed. `Explanations`, `costs`, `warnings` and
`proposals` explain. The files:

- `problem`: what the engine is told and what it answers; `people`, `couples`: the same in arrays, and who is together;
- `rules`: who may not work together; `wishes`: who would rather work together; `locks`: who must;
- `matching`: the most and best couples of some people; `proof`: why there are no more; `rings`: better couples for
  rounds too large for one matching; `pairs`: one round of pairs, planned or repaired; `rounds`: all of them;
- `circles`: rounds of trios, circles and rings; `plan`: all rounds of any kind;
- `turns`: who goes first, who observes whom, who brings the case;
- `repair`, `repair_groups`: the fewest changes after people came or went;
- `reviews`: who reviews whose work;
- `check`: the independent check of all that;
- `why`: why someone works with whom, or with no one, or with someone else now; `costs`: what rules take away;
  `relax`: which could give way.
"""

from lti_tool.pairing.engine.check import Score, score, verify, verify_reviews
from lti_tool.pairing.engine.costs import Costs, RuleCost, costs
from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.plan import check_locks, plan
from lti_tool.pairing.engine.problem import (
    NAME,
    Breach,
    Couple,
    Course,
    Group,
    ImpossibleRequest,
    Kind,
    ListedTwice,
    Lock,
    LockConflict,
    LockForbidden,
    LockSize,
    PersonId,
    Placed,
    Proof,
    Reason,
    Reviews,
    Schedule,
    Shape,
    ShapeImpossible,
    UnknownPerson,
    Unpaired,
    Value,
    Violation,
    balance,
    meetings,
    repeats,
)
from lti_tool.pairing.engine.proof import Needed
from lti_tool.pairing.engine.relax import Relaxation, proposals
from lti_tool.pairing.engine.repair import repair
from lti_tool.pairing.engine.reviews import reviews
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
from lti_tool.pairing.engine.why import (
    Cause,
    Caution,
    Change,
    Concern,
    Explanations,
    Removal,
    Why,
    WhyNot,
    changes,
    warnings,
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

"""What pages, jobs and other features may call.

`store.plans` and `groups` say who is paired with whom and why; `proposing` makes plans, `changes` changes
them; `conditions` reads what the engine needs, `preferences` and `decisions` what staff want.
"""

from lti_tool.pairing.service.changes import apply, begin, follow_course, place_at_launch, preview
from lti_tool.pairing.service.conditions import conditions_of, current_plan
from lti_tool.pairing.service.decisions import apart_of, forget, pins_of, said_of
from lti_tool.pairing.service.groups import compare_proposals, not_paired, unplaced, why_alone, why_matched
from lti_tool.pairing.service.preferences import (
    after_launch,
    preferences_of,
    save_preferences,
)
from lti_tool.pairing.service.proposing import (
    can_look_longer,
    drop_proposal,
    found_better,
    proposal_request,
    propose,
    publish,
    request_proposal,
    take_back,
)
from lti_tool.pairing.store.plans import (
    find_plan,
    groups_in_plan,
    groups_of,
    hold_group,
    moves_of,
    names_of,
    planned_activities,
    published_groups,
    share_group,
    with_published_plan,
)

__all__ = [
    "after_launch",
    "apart_of",
    "apply",
    "begin",
    "can_look_longer",
    "compare_proposals",
    "conditions_of",
    "current_plan",
    "drop_proposal",
    "find_plan",
    "follow_course",
    "forget",
    "found_better",
    "groups_in_plan",
    "groups_of",
    "hold_group",
    "moves_of",
    "names_of",
    "not_paired",
    "pins_of",
    "place_at_launch",
    "planned_activities",
    "preferences_of",
    "preview",
    "proposal_request",
    "propose",
    "publish",
    "published_groups",
    "request_proposal",
    "said_of",
    "save_preferences",
    "share_group",
    "take_back",
    "unplaced",
    "why_alone",
    "why_matched",
    "with_published_plan",
]

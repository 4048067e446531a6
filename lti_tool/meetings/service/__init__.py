"""What pages, jobs and later features may call: times of groups, reminders to partners, and private calendars."""

from lti_tool.meetings.rules.waiting import Wait
from lti_tool.meetings.service.arranging import (
    accept,
    cancel,
    propose,
    skip_date,
    take_up,
    withdraw,
)
from lti_tool.meetings.service.calendars import (
    Feed,
    address_made_at,
    events_of,
    give_up_address,
    make_address,
    open_feed,
)
from lti_tool.meetings.service.following import follow_groups
from lti_tool.meetings.service.going_on import (
    Asked,
    ask_for_partner,
    come_back,
    go_on_alone,
    not_reached_in,
    work_together,
)
from lti_tool.meetings.service.nudges import (
    answer_nudge,
    nudge,
    nudges_of,
    requests_in,
    wait_of,
    waiting_since,
    waits_in,
)
from lti_tool.meetings.service.offers import offered
from lti_tool.meetings.service.persons import everything_of, forget
from lti_tool.meetings.service.reading import Planned, find_planned, of_groups, of_member

__all__ = [
    "Asked",
    "Feed",
    "Planned",
    "Wait",
    "accept",
    "address_made_at",
    "answer_nudge",
    "ask_for_partner",
    "cancel",
    "come_back",
    "events_of",
    "everything_of",
    "find_planned",
    "follow_groups",
    "forget",
    "give_up_address",
    "go_on_alone",
    "make_address",
    "not_reached_in",
    "nudge",
    "nudges_of",
    "of_groups",
    "of_member",
    "offered",
    "open_feed",
    "propose",
    "requests_in",
    "skip_date",
    "take_up",
    "wait_of",
    "waiting_since",
    "waits_in",
    "withdraw",
    "work_together",
]

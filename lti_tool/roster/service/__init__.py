"""Read a course's roster, select who takes part, and record who may open which link."""

from lti_tool.roster.gateway import course_groups, has_link, has_roster, who_may_open
from lti_tool.roster.service.members import (
    count_learners,
    learners_to_pair,
    member_of,
    name_as_staff,
    say_of_unlisted,
    take_back_as_learner,
    who_takes_part,
)
from lti_tool.roster.service.readings import (
    CHECK_COURSE,
    FAILED_FOR_NOW,
    answer_doubt,
    ask_for_sync,
    ask_whether_course_is_over,
    doubt,
    is_being_read,
    is_first_reading,
    latest,
)

__all__ = [
    "CHECK_COURSE",
    "FAILED_FOR_NOW",
    "answer_doubt",
    "ask_for_sync",
    "ask_whether_course_is_over",
    "count_learners",
    "course_groups",
    "doubt",
    "has_link",
    "has_roster",
    "is_being_read",
    "is_first_reading",
    "latest",
    "learners_to_pair",
    "member_of",
    "name_as_staff",
    "say_of_unlisted",
    "take_back_as_learner",
    "who_may_open",
    "who_takes_part",
]

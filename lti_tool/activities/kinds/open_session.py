"""Open session: a loose frame of goal, reflection and next steps for whatever is on people's minds."""

from typing import Final

from lti_tool.activities.kinds import blocks
from lti_tool.activities.kinds.kind import AgendaPart, Kind, PathAlone, SeatName
from lti_tool.errors import N_

OPEN_SESSION: Final = Kind(
    key="open",
    title=N_("Open session"),
    seats=(SeatName("coachee", N_("Coachee")), SeatName("coach", N_("Coach"))),
    swaps_inside=True,
    largest_group=3,
    agenda=(
        blocks.AGREEMENT,
        blocks.OPENING,
        blocks.AIM,
        AgendaPart(
            N_("Talk about what is on your mind, one at a time. Then swap."),
            ("questions", "topic"),
            key="talk",
            heading=N_("The conversation"),
            help=N_("Half the time is for each of you. Ask before you advise."),
            questions=blocks.OPEN_QUESTIONS,
        ),
        *blocks.END_OF_A_TALK,
    ),
    steps=(
        *blocks.FIRST_STEPS,
        blocks.GOAL_SET,
        blocks.QUESTIONS,
        blocks.TALK_GOALS,
        blocks.TOPIC,
        *blocks.LAST_STEPS,
    ),
    you_begin=N_("You are coached first."),
    partner_begins=N_("%(name)s is coached first."),
    alone=PathAlone(N_("Write down for yourself what is on your mind, and one action."), blocks.DONE_ALONE),
    between=blocks.BETWEEN,
    figure=N_("feedback given"),
)

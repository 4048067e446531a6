"""Open session: a loose frame of goal, reflection and next steps for whatever is on people's minds."""

from typing import Final

from lti_tool.activities.kinds import blocks
from lti_tool.activities.kinds.kind import AgendaPart, Kind, SeatName
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
            heading=N_("The talk"),
            help=N_("Half the time is for each of you. Ask before you advise."),
            questions=blocks.OPEN_QUESTIONS,
        ),
        blocks.LISTENING,
        blocks.NEXT_STEPS,
        blocks.PARKING_LOT,
        blocks.TALK_FEEDBACK,
        blocks.CLOSING,
    ),
    steps=(
        blocks.AGREE,
        blocks.OWN_RULES,
        blocks.CHECK_IN,
        blocks.LOOK_BACK,
        blocks.GOAL_CHECK_IN,
        blocks.GOAL_SET,
        blocks.QUESTIONS,
        blocks.TALK_GOALS,
        blocks.TOPIC,
        blocks.HEARD,
        blocks.CONFIRM_HEARD,
        blocks.ACTION_PLAN,
        blocks.ACTION_WRITTEN,
        blocks.PARKING,
        blocks.OWN_NOTES,
        blocks.MEET,
        blocks.GIVE_TALK_FEEDBACK,
        blocks.ACKNOWLEDGE,
    ),
    you_begin=N_("You are coached first."),
    partner_begins=N_("%(name)s is coached first."),
    figure=N_("feedback given"),
)

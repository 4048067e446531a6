"""Goal setting: a vague wish becomes a goal that can be seen to be reached, by the partner's questions."""

from dataclasses import replace
from typing import Final

from lti_tool.activities.kinds import blocks
from lti_tool.activities.kinds.blocks import live, text
from lti_tool.activities.kinds.kind import AgendaPart, Block, Kind, PathAlone, SeatName
from lti_tool.errors import N_

WISH: Final = live(
    "wish",
    N_("My goal"),
    text(
        "wish_words",
        N_("What would you like to get better at?"),
        help=N_("A vague start is fine. Your partner's questions make it concrete."),
    ),
    text("goal_words", N_("My goal, in one sentence"), help=N_("What you will do, how much, and by when."), rows=2),
    text("goal_measure", N_("How will you know that you have reached it?"), rows=2),
    todo=N_("Turn a wish into a goal"),
    asked=N_("Write in the meeting what the goal is"),
)

GOAL_SETTING: Final = Kind(
    key="goals",
    title=N_("Goal setting"),
    seats=(SeatName("coachee", N_("Coachee")), SeatName("coach", N_("Coach"))),
    swaps_inside=True,
    largest_group=3,
    agenda=(
        blocks.AGREEMENT,
        blocks.OPENING,
        AgendaPart(
            N_("One says what they want; the other asks until it is a goal. Then swap."),
            ("questions", "wish"),
            key="goal",
            heading=N_("From wish to goal"),
            help=N_("The coach asks and does not advise. After half the time, change seats."),
            questions=(
                N_("If you had it already, what would be different?"),
                N_("On a scale from 0 to 10, where are you now, and where do you want to be?"),
                N_("Which part of it is in your own hands?"),
                N_("What would be a good result in a month?"),
                N_("How would somebody else notice?"),
            ),
            tips=(
                N_("A goal is easier to follow when it names something you can count or see."),
                N_("A month is a good horizon: long enough to change something, short enough to remember."),
            ),
            blocks=(Block.GOALS,),
        ),
        *blocks.END_OF_A_TALK,
    ),
    steps=(
        *blocks.FIRST_STEPS,
        blocks.QUESTIONS,
        WISH,
        replace(blocks.GOAL_SET, asked_usually=1),
        *blocks.LAST_STEPS,
    ),
    you_begin=N_("You are coached first."),
    partner_begins=N_("%(name)s is coached first."),
    alone=PathAlone(
        N_("Turn a wish into a goal by yourself, and write down a first action."), ("wish", *blocks.DONE_ALONE)
    ),
    between=blocks.BETWEEN,
    figure=N_("feedback given"),
)

"""Reflection on a meeting or a project: what went well, what to do differently. Own thoughts come before tips."""

from dataclasses import replace
from typing import Final

from lti_tool.activities.kinds import blocks
from lti_tool.activities.kinds.blocks import live, text
from lti_tool.activities.kinds.kind import AgendaPart, Kind, PathAlone, SeatName
from lti_tool.errors import N_

REFLECT: Final = live(
    "reflect",
    N_("My reflection"),
    text("happened", N_("What happened?"), help=N_("A meeting, a project, a conversation. A few lines."), rows=3),
    text("went_well", N_("What went well, and what was your part in it?")),
    text("differently", N_("What would you do differently?")),
    text("learned", N_("What do you take from it?"), rows=2),
    todo=N_("Reflect on something that happened"),
    asked=N_("Write a reflection"),
    asked_usually=1,
    may_be_offered=True,
)

INTO_REFLECTION: Final = (
    ("happened", "happened"),
    ("went_well", "went_well"),
    ("differently", "differently"),
    ("will_use", "learned"),
)

REFLECTION: Final = Kind(
    key="reflection",
    title=N_("Reflection"),
    seats=(SeatName("coachee", N_("Coachee")), SeatName("coach", N_("Coach"))),
    swaps_inside=True,
    largest_group=3,
    agenda=(
        blocks.AGREEMENT,
        blocks.OPENING,
        blocks.AIM,
        AgendaPart(
            N_("One reflects aloud on something that happened; the other asks. Then swap."),
            ("questions", "reflect"),
            key="reflection",
            heading=N_("Looking back"),
            help=N_(
                "Write your own thoughts first. Then talk: the coach asks open questions before giving any advice."
            ),
            questions=(
                N_("What did you notice first?"),
                N_("What were you hoping for at that moment?"),
                N_("What would somebody in the room say about it?"),
                N_("What surprised you?"),
                *blocks.OPEN_QUESTIONS,
            ),
            tips=(
                N_("Look at what you did, not at who was at fault."),
                N_("Small things that worked are worth more than big things that should have."),
            ),
        ),
        *blocks.END_OF_A_TALK,
    ),
    steps=(
        *blocks.FIRST_STEPS,
        blocks.GOAL_SET,
        blocks.QUESTIONS,
        blocks.TALK_GOALS,
        REFLECT,
        *blocks.LAST_STEPS,
    ),
    you_begin=N_("You are coached first."),
    partner_begins=N_("%(name)s is coached first."),
    alone=PathAlone(
        N_("Look back by yourself on something that happened, and write down one action."),
        ("reflect", *blocks.DONE_ALONE),
    ),
    between=replace(blocks.BETWEEN, into="reflect", fields=INTO_REFLECTION),
    figure=N_("feedback given"),
)

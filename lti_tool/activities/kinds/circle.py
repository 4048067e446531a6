"""Circle: three to six people help one of them with a case, step by step and by the clock."""

from dataclasses import replace
from typing import Final

from lti_tool.activities.kinds import blocks
from lti_tool.activities.kinds.blocks import live, text
from lti_tool.activities.kinds.form import AUTHOR_ALONE, Field, FieldKind, Form, Section
from lti_tool.activities.kinds.kind import AgendaPart, Block, By, Kind, MethodStep, Opens, SeatName, Step, StepWords, To
from lti_tool.errors import N_

CASE: Final = live(
    "case",
    N_("Case"),
    text("case_words", N_("The case, in a few lines"), help=N_("Whoever brings the case writes it.")),
    text("case_question", N_("The question to the circle"), rows=2),
    todo=N_("Write down the case and its question"),
    by=By.GROUP,
)
REFLECTIONS: Final = live(
    "reflections",
    N_("My reflection"),
    text(
        "reflection", N_("What this case sets off in me"), help=N_("A thought, an image or a feeling. No advice yet.")
    ),
    text("advice", N_("One thing I would try"), rows=2),
    todo=N_("Give a reflection and one thing to try"),
    asked_usually=1,
)
TAKE_ALONG: Final = live(
    "take_along",
    N_("What I take along"),
    text("taken_along", N_("What I take along from this meeting"), rows=2),
    todo=N_("Write down what you take along"),
    asked_usually=1,
)
CLOCK: Final = Step(
    "clock",
    StepWords(name=N_("Timer"), todo=N_("Keep the time"), title=N_("Timer")),
    Form((Section("clock", (Field("clock", FieldKind.LINE, "", N_("Timer"), seen_by=AUTHOR_ALONE),)),)),
    by=By.GROUP,
    opens=Opens.AT_ONCE,
    may_count=False,
    is_live=True,
)
"""No text: which timed step of the method runs, and since when."""
METHOD: Final = (
    MethodStep(N_("The case"), N_("The case giver tells what happened and asks a question. The others listen."), 10),
    MethodStep(N_("Questions only"), N_("The others ask to understand. No advice hidden in a question."), 15),
    MethodStep(N_("Reflections"), N_("Each says what the case sets off. The case giver only listens."), 10),
    MethodStep(N_("Advice"), N_("Each gives one thing that they would try."), 10),
    MethodStep(N_("What I take along"), N_("The case giver first, then everyone: what do I take along?"), 10),
)

FACILITATION_FEEDBACK: Final = replace(
    blocks.GIVE_TALK_FEEDBACK,
    words=replace(
        blocks.GIVE_TALK_FEEDBACK.words,
        todo=N_("Tell %(name)s how the facilitation was for you"),
        asked=N_("Give the facilitator feedback in every round"),
        now=N_("Tell %(name)s how the facilitation was for you."),
        now_by=N_("Tell %(name)s how the facilitation was for you by %(when)s."),
    ),
    to=To.SEAT,
    seat="facilitator",
    asked_usually=0,
)

CIRCLE: Final = Kind(
    key="circle",
    title=N_("Circle"),
    seats=(
        SeatName("case_giver", N_("Case giver")),
        SeatName("facilitator", N_("Facilitator")),
        SeatName("member", N_("Member")),
    ),
    smallest_group=3,
    largest_group=6,
    agenda=(
        blocks.AGREEMENT,
        blocks.OPENING,
        AgendaPart(
            N_("One brings a case. The circle works on it in timed steps: questions, reflections, advice."),
            ("case", "questions", "reflections", "clock"),
            key="case",
            heading=N_("The case"),
            help=N_("The facilitator keeps the time and the order. All screens show the same clock."),
            questions=(
                N_("What have you tried already, and what came of it?"),
                N_("Who else is part of this?"),
                N_("What is the worst that could happen, and the best?"),
                N_("When was it different?"),
            ),
            blocks=(Block.METHOD,),
            method=METHOD,
        ),
        AgendaPart(
            N_("Each says what they take along."),
            ("take_along",),
            key="along",
            heading=N_("What I take along"),
        ),
        blocks.NEXT_STEPS,
        blocks.PARKING_LOT,
        replace(
            blocks.TALK_FEEDBACK,
            title=N_("The circle tells its facilitator what helped."),
            help=N_("Everyone may write to the facilitator how the facilitation was."),
        ),
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
        CASE,
        REFLECTIONS,
        CLOCK,
        TAKE_ALONG,
        *blocks.uncounted(blocks.ACTION_PLAN),
        blocks.ACTION_WRITTEN,
        blocks.PARKING,
        blocks.OWN_NOTES,
        blocks.MEET,
        FACILITATION_FEEDBACK,
        replace(blocks.ACKNOWLEDGE, asked_usually=0),
    ),
    between=blocks.BETWEEN,
    figure=N_("meetings held"),
)

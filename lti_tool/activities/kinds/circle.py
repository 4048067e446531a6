"""Circle: three to six people help one of them with a case, step by step and by the clock."""

from dataclasses import replace
from typing import Final

from lti_tool.activities.kinds import blocks
from lti_tool.activities.kinds.blocks import live, text
from lti_tool.activities.kinds.form import AUTHOR_ALONE, Field, FieldKind, Form, Section
from lti_tool.activities.kinds.kind import (
    AgendaPart,
    Block,
    By,
    Direction,
    Kind,
    MethodStep,
    Opens,
    SeatName,
    Step,
    StepWords,
    To,
)
from lti_tool.errors import N_

CASE: Final = live(
    "case",
    N_("Case"),
    text("case_words", N_("The case, in a few lines"), help=N_("The case giver writes this.")),
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
    N_("What I take away"),
    text("taken_along", N_("What I take away from this meeting"), rows=2),
    todo=N_("Write down what you take away"),
    asked_usually=1,
    may_be_offered=True,
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
    MethodStep(
        N_("The case"),
        N_("The case giver tells what happened and asks a question. The others listen."),
        10,
        (
            N_("Ask for the facts first, and then for one question to the circle."),
            N_("Two minutes before the end, have the question written down."),
            N_("If someone asks a question now, say that questions come next."),
        ),
    ),
    MethodStep(
        N_("Questions only"),
        N_("The others ask to understand. No advice hidden in a question."),
        15,
        (
            N_("If a question holds advice, ask for it in other words."),
            N_("One question at a time, and everyone gets a turn."),
            N_("When questions repeat, ask what nobody has asked yet."),
        ),
    ),
    MethodStep(
        N_("Reflections"),
        N_("Each says what the case sets off. The case giver only listens."),
        10,
        (
            N_("Stop advice kindly: it comes in the next step."),
            N_("Begin with somebody who has said little so far."),
            N_("Thank the case giver for listening without answering."),
        ),
    ),
    MethodStep(
        N_("Advice"),
        N_("Each gives one thing that they would try."),
        10,
        (
            N_("One piece of advice from each, in one sentence."),
            N_("The case giver writes it down and does not defend anything."),
            N_("If somebody goes on, ask which one thing they would choose."),
        ),
    ),
    MethodStep(
        N_("What I take away"),
        N_("The case giver first, then everyone: what do I take away?"),
        10,
        (
            N_("Ask the case giver for one next step and its date."),
            N_("Then go round: one sentence from each."),
            N_("End by saying what the circle did well today."),
        ),
    ),
)

CIRCLE_FEEDBACK: Final = replace(
    blocks.GIVE_TALK_FEEDBACK,
    words=replace(
        blocks.GIVE_TALK_FEEDBACK.words,
        todo=N_("Tell %(name)s what helped you in the circle"),
        asked=N_("Give feedback in every round"),
        asked_help=N_("You choose under “Who sees what” who gets it."),
        now=N_("Tell %(name)s what helped you in the circle."),
        now_by=N_("Tell %(name)s what helped you in the circle by %(when)s."),
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
            N_("Each says what they take away."),
            ("take_along",),
            key="along",
            heading=N_("What I take away"),
        ),
        blocks.NEXT_STEPS,
        blocks.PARKING_LOT,
        replace(
            blocks.TALK_FEEDBACK,
            title=N_("Members tell each other, or their facilitator, what helped."),
            help=N_("Write it while it is fresh. Here you see to whom."),
        ),
        blocks.CLOSING,
    ),
    steps=(
        blocks.WARM_UP,
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
        CIRCLE_FEEDBACK,
        blocks.SELF_ASSESSMENT,
        replace(blocks.ACKNOWLEDGE, asked_usually=0),
    ),
    between=blocks.BETWEEN,
    directions=(
        Direction(
            To.SEAT,
            N_("Everyone to the facilitator"),
            N_("How the facilitation was. Nothing is asked where staff had that seat."),
            seat="facilitator",
        ),
        Direction(
            To.PARTNERS,
            N_("Everyone to everyone"),
            N_("Each hears from all the others. The ready rubric is about facilitating: change it."),
        ),
        Direction(
            To.NEXT,
            N_("Each to the next"),
            N_(
                "Each writes to one and hears from one, and from somebody else in the next round. The ready rubric is "
                "about facilitating: change it."
            ),
        ),
    ),
    facilitator="facilitator",
    figure=N_("meetings held"),
)

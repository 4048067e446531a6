"""Role-play: a scenario in which one plays themselves and the other a client or colleague; several takes, then swap."""

from dataclasses import replace
from typing import Final

from lti_tool.activities.kinds import blocks
from lti_tool.activities.kinds.blocks import CONFIRMATION, live, text
from lti_tool.activities.kinds.form import GROUP, LONGEST_LINE, Field, FieldKind
from lti_tool.activities.kinds.kind import AgendaPart, Block, By, Kind, Opens, SeatName, Step, StepWords
from lti_tool.errors import N_


def _take(number: int, question: str) -> Field:
    return Field(f"take_{number}", FieldKind.LINE, question, question, longest=LONGEST_LINE, seen_by=GROUP)


TAKES: Final = live(
    "takes",
    N_("Takes"),
    _take(1, N_("First take: what you tried")),
    _take(2, N_("Second take: what you did differently")),
    _take(3, N_("Third take")),
    text("compared", N_("What made the difference between the takes?")),
    todo=N_("Play the scenario, in two takes or more"),
    asked=N_("Play at least one take and say what you tried"),
    asked_usually=1,
)
SWAP: Final = Step(
    "swap",
    StepWords(
        name=N_("Seats swapped"),
        todo=N_("Swap seats and play it again"),
        title=N_("We have swapped seats"),
        asked=N_("Swap seats within each round"),
        give=N_("Swap seats now"),
        begin=N_("Open the meeting"),
        done=N_("swapped"),
        not_done=N_("not swapped"),
    ),
    CONFIRMATION,
    by=By.GROUP,
    opens=Opens.AT_ONCE,
    is_live=True,
)
PLAY: Final = AgendaPart(
    N_("Play the scenario. One plays themselves, the other has a private brief. Try several takes, then swap."),
    ("questions", "takes", "swap"),
    key="play",
    heading=N_("The role-play"),
    help=N_("This is a rehearsal: nothing of it is graded. Stop and begin again as often as you like."),
    questions=(
        N_("What did you want to reach with that sentence?"),
        N_("What was it like to hear this?"),
        N_("What would you like to try differently in the next take?"),
    ),
    blocks=(Block.SCENARIO,),
)

PLAYING_FEEDBACK: Final = replace(
    blocks.GIVE_TALK_FEEDBACK,
    words=replace(
        blocks.GIVE_TALK_FEEDBACK.words,
        todo=N_("Tell %(name)s how playing together was for you"),
        asked=N_("Give feedback to every partner in every round"),
        now=N_("Tell %(name)s how playing together was for you."),
        now_by=N_("Tell %(name)s how playing together was for you by %(when)s."),
    ),
)

ROLE_PLAY: Final = Kind(
    key="role_play",
    title=N_("Role-play"),
    seats=(SeatName("self", N_("Plays themselves")), SeatName("other", N_("Plays the other person"))),
    swaps_inside=True,
    largest_group=3,
    agenda=(
        blocks.AGREEMENT,
        blocks.OPENING,
        PLAY,
        blocks.NEXT_STEPS,
        blocks.PARKING_LOT,
        blocks.TALK_FEEDBACK,
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
        TAKES,
        SWAP,
        blocks.ACTION_PLAN,
        blocks.ACTION_WRITTEN,
        blocks.PARKING,
        blocks.OWN_NOTES,
        blocks.MEET,
        PLAYING_FEEDBACK,
        blocks.SELF_ASSESSMENT,
        blocks.ACKNOWLEDGE,
    ),
    you_begin=N_("You play yourself first."),
    partner_begins=N_("%(name)s plays themselves first."),
    has_scenario=True,
    between=blocks.BETWEEN,
    figure=N_("feedback given"),
)

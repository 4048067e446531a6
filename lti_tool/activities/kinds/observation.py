"""Observation and feedback: one watches, the other is watched, then they change seats."""

from dataclasses import replace
from typing import Final

from lti_tool.activities.kinds import blocks
from lti_tool.activities.kinds.blocks import ACKNOWLEDGE, live, text
from lti_tool.activities.kinds.form import (
    AUTHOR_ALONE,
    LONGEST_LINE,
    Craft,
    Field,
    FieldKind,
    Form,
    Layout,
    Section,
)
from lti_tool.activities.kinds.kind import AgendaPart, Block, Direction, Kind, SeatName, Step, StepWords, To
from lti_tool.activities.kinds.role_play import PLAY, SWAP, TAKES
from lti_tool.errors import N_, NN_

FEEDBACK_FORM: Final = Form(
    (
        Section(
            "notes",
            (
                Field(
                    "note",
                    FieldKind.NOTES,
                    N_("New note"),
                    N_("Notes"),
                    help=N_("What you see and hear, not what you think of it."),
                    rows=2,
                    seen_by=AUTHOR_ALONE,
                ),
            ),
            title=N_("Your observation notes"),
            help=N_("Only you see these. Each note shows the time you began it."),
            read_help=N_("Only you see these."),
        ),
        Section(
            "observed",
            (
                Field(
                    "observed_what",
                    FieldKind.TEXT,
                    N_("What you observed"),
                    N_("What you observed"),
                    help=N_("For example: the first ten minutes of a lesson, or a project update."),
                    rows=2,
                ),
                Field(
                    "observed_at",
                    FieldKind.LINE,
                    N_("When and where"),
                    N_("When and where"),
                    longest=LONGEST_LINE,
                ),
            ),
            title=N_("The moment"),
            layout=Layout.SUBTITLE,
        ),
        Section(
            "strengths-first",
            (
                Field(
                    "strengths",
                    FieldKind.TEXT,
                    N_("What worked well?"),
                    N_("Strengths"),
                    help=N_("Name specific things that %(name)s can do again, not just “good”."),
                    missing=N_("Write at least one strength"),
                    is_required=True,
                    craft=Craft.STRENGTH,
                ),
            ),
            title=N_("Strengths first"),
            read_title=N_("Strengths"),
            layout=Layout.TEXTS,
            is_in_short=True,
        ),
        Section(
            "next",
            (
                Field(
                    "next_time_1",
                    FieldKind.TEXT,
                    N_("Next time, try …"),
                    N_("Next time, try"),
                    help=N_("The one thing that would help most, worded as something to try."),
                    missing=N_("Write one thing to try next time"),
                    is_required=True,
                    rows=3,
                    craft=Craft.GROWTH,
                ),
                Field(
                    "next_time_2",
                    FieldKind.TEXT,
                    N_("Next time, also try …"),
                    N_("Next time, also try"),
                    help=N_("Leave this empty unless it matters. Two points are as many as anyone can use."),
                    stands_in_for="next_time_1",
                    rows=3,
                    craft=Craft.GROWTH,
                ),
            ),
            title=N_("Next time"),
            read_title=N_("Next time, try"),
            layout=Layout.TEXTS,
            is_in_short=True,
        ),
        Section(
            "moment",
            (
                Field(
                    "behavior",
                    FieldKind.TEXT,
                    N_("What did you notice?"),
                    N_("What you noticed"),
                    name_by_author=N_("What %(name)s noticed"),
                    help=N_("What you saw or heard, as a camera would record it."),
                    missing=N_("Write what you noticed"),
                    is_required=True,
                    rows=3,
                    craft=Craft.NOTICED,
                ),
                Field(
                    "effect",
                    FieldKind.TEXT,
                    N_("What effect did it have?"),
                    N_("The effect it had"),
                    help=N_("On you, or on others in the room."),
                    missing=N_("Write what effect it had"),
                    is_required=True,
                    rows=3,
                    craft=Craft.EFFECT,
                ),
                Field(
                    "suggestion",
                    FieldKind.TEXT,
                    N_("One adjustment you suggest"),
                    N_("One adjustment"),
                    help=N_("Small enough to try the next day."),
                    missing=N_("Suggest one adjustment"),
                    is_required=True,
                    rows=3,
                    craft=Craft.ADJUSTMENT,
                ),
            ),
            title=N_("One moment up close"),
        ),
        Section(
            "rubric",
            (Field("marks", FieldKind.MARKS, "", N_("Rubric"), is_required=True),),
            help=N_("Choose the description that best fits what you saw."),
        ),
    )
)

GIVE_FEEDBACK: Final = replace(
    blocks.GIVE_TALK_FEEDBACK,
    words=replace(
        blocks.GIVE_TALK_FEEDBACK.words,
        todo=N_("Observe %(name)s and give feedback"),
        asked=N_("Observe and give feedback to every partner in every round"),
        now=N_("Observe %(name)s and give feedback."),
        now_by=N_("Observe %(name)s and give feedback by %(when)s."),
        before=N_("This is a good time to agree with %(name)s on what to observe, when and where."),
        begin=N_("Write down what you observe"),
    ),
    form=FEEDBACK_FORM,
)
WRITE_NOTES: Final = Step(
    "write_notes",
    StepWords(
        name=N_("Notes"),
        todo=NN_("Write at least %(num)d note about %(name)s", "Write at least %(num)d notes about %(name)s"),
        title="",
        asked=N_("Minimum number of notes per observation"),
        asked_help=N_("With 0, notes are optional."),
        still_wanted=NN_(
            "You gave your feedback for %(name)s. It still needs %(num)d note about what you saw.",
            "You gave your feedback for %(name)s. It still needs %(num)d notes about what you saw.",
        ),
        counted=NN_(
            "Round %(number)d: at least %(num)d note about %(name)s",
            "Round %(number)d: at least %(num)d notes about %(name)s",
        ),
        begin=N_("Add notes"),
        done=N_("written"),
        not_done=N_("not written"),
    ),
    to=To.PARTNERS,
    part_of="give_feedback",
    asked_usually=0,
    most=20,
)
_BEFORE: Final = AgendaPart(
    N_("Pairs agree on a moment to observe."),
    ("questions",),
    key="before",
    heading=N_("Before the observation"),
    help=N_("Agree on what to observe, when and where, and on one thing to look at."),
    questions=(
        N_("What would you like me to look at?"),
        N_("What would make this observation useful for you?"),
    ),
    blocks=(Block.ACTIONS,),
)
_GIVING: Final = AgendaPart(
    N_("The observer gives feedback: strengths first, then what to try next time."),
    ("give_feedback",),
    key="feedback",
    heading=N_("Notes and feedback"),
    help=N_("The observer takes notes while observing and writes the feedback from them."),
)
_ANSWERING: Final = AgendaPart(
    N_("The receiver answers: what I heard, what I will use. Then they swap seats."),
    ("acknowledge",),
    key="answer",
    heading=N_("Answer"),
)
_AGENDA: Final = (
    blocks.AGREEMENT,
    _BEFORE,
    AgendaPart(N_("The observer takes notes. Each note keeps its time."), ("write_notes",)),
    _GIVING,
    _ANSWERING,
    blocks.NEXT_STEPS,
    blocks.PARKING_LOT,
    blocks.CLOSING,
)
_ONE_WAY: Final = replace(_ANSWERING, title=N_("The receiver answers: what I heard, what I will use."))

OBSERVATION: Final = Kind(
    key="observation",
    title=N_("Observation and feedback"),
    seats=(SeatName("observed", N_("Observed")), SeatName("observer", N_("Observer"))),
    swaps_inside=True,
    smallest_group=2,
    agenda=_AGENDA,
    steps=(
        blocks.WARM_UP,
        *blocks.uncounted(blocks.AGREE, blocks.OWN_RULES, blocks.QUESTIONS),
        WRITE_NOTES,
        GIVE_FEEDBACK,
        blocks.SELF_ASSESSMENT,
        ACKNOWLEDGE,
        *blocks.uncounted(blocks.ACTION_PLAN, blocks.PARKING, blocks.OWN_NOTES, blocks.MEET),
        blocks.ACTION_WRITTEN,
        blocks.LOOK_BACK,
    ),
    directions=(
        Direction(To.PARTNERS, N_("Everyone observes and is observed"), N_("They change seats within each round.")),
        Direction(
            To.SEAT,
            N_("One way"),
            N_("One is observed in a round, the others observe. In another round it is somebody else’s turn."),
            seat="observed",
            agenda=tuple(_ONE_WAY if part is _ANSWERING else part for part in _AGENDA),
        ),
        Direction(
            To.NEXT,
            N_("Each observes the next"),
            N_("In groups of three: each observes one and is observed by one. In pairs, both observe each other."),
        ),
    ),
    you_begin=N_("You are observed first."),
    partner_begins=N_("%(name)s is observed first."),
    figure=N_("feedback given"),
)
"""What counted in the activities of earlier versions counts; the steps of the meeting do so by choice."""

REHEARSAL: Final = replace(
    OBSERVATION,
    key="rehearsal",
    directions=(),
    title=N_("Presentation rehearsal"),
    seats=(SeatName("observed", N_("Presents")), SeatName("observer", N_("Observes"))),
    agenda=(
        blocks.AGREEMENT,
        replace(
            _BEFORE,
            title=N_("The presenter says what to look at."),
            heading=N_("Before the rehearsal"),
            help=N_("The presenter says what the real occasion is, who listens there, and what to look at."),
        ),
        replace(_GIVING, title=N_("The presenter rehearses. The observer takes notes and gives feedback.")),
        replace(
            PLAY,
            steps=("takes", "swap"),
            title=N_("Questions and answers: the observer asks what a real audience would ask. Then swap."),
            heading=N_("Questions and answers"),
        ),
        _ANSWERING,
        blocks.NEXT_STEPS,
        blocks.PARKING_LOT,
        blocks.CLOSING,
    ),
    steps=(
        blocks.WARM_UP,
        blocks.AGREE,
        blocks.OWN_RULES,
        blocks.QUESTIONS,
        WRITE_NOTES,
        GIVE_FEEDBACK,
        TAKES,
        SWAP,
        blocks.SELF_ASSESSMENT,
        ACKNOWLEDGE,
        *blocks.uncounted(blocks.ACTION_PLAN),
        blocks.ACTION_WRITTEN,
        blocks.LOOK_BACK,
        blocks.PARKING,
        blocks.OWN_NOTES,
        blocks.MEET,
    ),
    you_begin=N_("You present first."),
    partner_begins=N_("%(name)s presents first."),
    has_scenario=True,
)

SHADOWED: Final = live(
    "shadowed",
    N_("What I saw"),
    text("taught", N_("What I showed or taught"), rows=2),
    text("surprised", N_("What surprised me")),
    text("reuse", N_("What I will use in my own work")),
    todo=N_("Write down what surprised you and what you will use"),
    asked=N_("Write what surprised you and what you will use"),
    asked_usually=1,
)
CROSS_TRAINING: Final = replace(
    OBSERVATION,
    key="cross_training",
    directions=(),
    title=N_("Cross-training"),
    seats=(SeatName("observed", N_("Shows their work")), SeatName("observer", N_("Learns"))),
    agenda=(
        blocks.AGREEMENT,
        replace(
            _BEFORE,
            title=N_("Say what you want to learn and what you can show."),
            heading=N_("What to learn and what to show"),
            help=N_(
                "Choose a piece of work that one of you does and the other wants to learn. Agree on a moment for it."
            ),
        ),
        AgendaPart(
            N_("One shows their work, the other shadows. Then swap."),
            ("shadowed",),
            key="shadowed",
            heading=N_("Shadowing"),
            help=N_("The learner watches and asks. Afterwards each writes what surprised them."),
            questions=(
                N_("Why do you do it this way?"),
                N_("What do beginners get wrong here?"),
                N_("Where in my own work could I use this?"),
            ),
        ),
        replace(_GIVING, title=N_("Give each other feedback on showing and on asking.")),
        _ANSWERING,
        blocks.NEXT_STEPS,
        blocks.PARKING_LOT,
        blocks.CLOSING,
    ),
    steps=(
        blocks.WARM_UP,
        blocks.AGREE,
        blocks.OWN_RULES,
        blocks.QUESTIONS,
        SHADOWED,
        WRITE_NOTES,
        GIVE_FEEDBACK,
        blocks.SELF_ASSESSMENT,
        ACKNOWLEDGE,
        blocks.ACTION_PLAN,
        blocks.ACTION_WRITTEN,
        blocks.LOOK_BACK,
        blocks.PARKING,
        blocks.OWN_NOTES,
        blocks.MEET,
    ),
    you_begin=N_("You show your work first."),
    partner_begins=N_("%(name)s shows their work first."),
)

"""What kinds are put together from: steps, forms and parts of a meeting that several of them share."""

from dataclasses import replace
from typing import Final

from lti_tool.activities.kinds.form import (
    AUTHOR_ALONE,
    GROUP,
    Audience,
    Choice,
    Craft,
    Field,
    FieldKind,
    Form,
    Layout,
    Section,
)
from lti_tool.activities.kinds.kind import AgendaPart, Between, Block, By, CountedBy, Opens, Step, StepWords, To
from lti_tool.errors import N_

CONFIRMATION: Final = Form(())
"""Of a step in which there is nothing to write."""


def text(
    key: str, question: str, name: str = "", *, help: str = "", rows: int = 3, seen_by: frozenset[Audience] = GROUP
) -> Field:
    """A field of a meeting. Nothing in a meeting is required: it leaves room for what comes up."""
    return Field(key, FieldKind.TEXT, question, name or question, help=help, rows=rows, seen_by=seen_by)


def live(
    key: str,
    name: str,
    *fields: Field,
    todo: str,
    by: By = By.EACH,
    asked_usually: int = 0,
    asked: str = "",
    done: str = N_("done"),
    not_done: str = N_("not done"),
    may_count: bool = True,
    may_be_offered: bool = False,
) -> Step:
    """A step that is written while people meet."""
    return Step(
        key,
        StepWords(name=name, todo=todo, title=name, asked=asked or todo, done=done, not_done=not_done),
        Form((Section(key, fields),)),
        by=by,
        opens=Opens.AT_ONCE,
        asked_usually=asked_usually,
        may_count=may_count,
        may_be_offered=may_be_offered,
        is_live=True,
    )


def with_goals(
    key: str, counted_by: CountedBy, *, name: str, todo: str, asked_help: str, done: str, not_done: str, begin: str
) -> Step:
    """A step that is done with goals and actions. It counts by choice."""
    words = StepWords(
        name=name,
        todo=todo,
        title=name,
        asked=todo,
        asked_help=asked_help,
        begin=begin,
        done=done,
        not_done=not_done,
    )
    return Step(key, words, counted_by=counted_by, asked_usually=0)


# ---- before the first meeting ----------------------------------------------------------------------------------------

WARM_UP: Final = Step(
    "warm_up",
    StepWords(
        name=N_("Warm-up"),
        todo=N_("Warm up: six short cards about listening, asking and feedback"),
        title=N_("Warm-up"),
        asked=N_("Do the warm-up before the first meeting"),
        asked_help=N_("Six short cards about listening, asking and feedback: about fifteen minutes, once in a course."),
        begin=N_("Begin the warm-up"),
    ),
    counted_by=CountedBy.WARM_UP,
    opens=Opens.AT_ONCE,
    asked_usually=0,
    is_asked_once=True,
    begins_group=False,
)

AGREE: Final = Step(
    "agree",
    StepWords(
        name=N_("Agreement"),
        todo=N_("Agree on what stays between you"),
        title=N_("Agreement"),
        asked=N_("Agree on confidentiality before the first meeting"),
        give=N_("I agree"),
        begin=N_("Open the agreement"),
        done=N_("agreed"),
        not_done=N_("not agreed"),
    ),
    CONFIRMATION,
    opens=Opens.AT_ONCE,
    is_live=True,
    is_asked_once=True,
    # One tap is quickly given again to other people, and must not keep somebody who came late from joining them.
    begins_group=False,
)
OWN_RULES: Final = live(
    "own_rules",
    N_("What else you agree on"),
    text("agreed_too", N_("Anything else you agree on"), help=N_("For example: phones away, or what you tell others.")),
    todo=N_("Write down what else you agree on"),
    by=By.GROUP,
    may_count=False,
)
AGREEMENT: Final = AgendaPart(
    N_("Members agree on what stays between them."),
    ("agree", "own_rules"),
    key="agreement",
    heading=N_("Our agreement"),
    blocks=(Block.AGREEMENT,),
)

# ---- opening ---------------------------------------------------------------------------------------------------------

CHECK_IN: Final = live(
    "check_in",
    N_("Check-in"),
    text(
        "win_or_challenge",
        N_("A win or a challenge since last time"),
        help=N_("A line is enough. The others read it as you write."),
        rows=2,
    ),
    todo=N_("Check in: a win or a challenge"),
)
LOOK_BACK: Final = with_goals(
    "look_back",
    CountedBy.LOOK_BACKS,
    name=N_("Looked back at actions"),
    todo=N_("Look back at your open actions"),
    asked_help=N_("From the second round on, and only for those who have open actions of earlier rounds."),
    done=N_("looked back"),
    not_done=N_("not looked back"),
    begin=N_("Open your actions"),
)
GOAL_CHECK_IN: Final = with_goals(
    "goal_check_in",
    CountedBy.CHECK_INS,
    name=N_("Checked in on a goal"),
    todo=N_("Say how one of your goals is going"),
    asked_help=N_("A check-in on any goal, in every round."),
    done=N_("checked in"),
    not_done=N_("not checked in"),
    begin=N_("Open your goals"),
)
OPENING: Final = AgendaPart(
    N_("Check in: a win or a challenge, and what became of last time's actions."),
    ("check_in",),
    key="opening",
    heading=N_("Check-in"),
    help=N_("Each takes two minutes. The others listen without interrupting."),
    questions=(
        N_("What has gone well since we last met?"),
        N_("What has been harder than you thought?"),
        N_("What became of what you set out to do?"),
    ),
    blocks=(Block.ACTIONS, Block.WINS),
)
GOAL_SET: Final = replace(
    with_goals(
        "goal_set",
        CountedBy.GOALS_SET,
        name=N_("Goal set"),
        todo=N_("Set a goal of your own"),
        asked_help=N_("Once in the activity, in any round."),
        done=N_("set"),
        not_done=N_("not set"),
        begin=N_("Open your goals"),
    ),
    opens=Opens.AT_ONCE,
    is_asked_once=True,
)
TALK_GOALS: Final = live(
    "talk_goals",
    N_("Goals for this conversation"),
    text("talk_goal_1", N_("What we want to get out of this conversation"), rows=2),
    text("talk_goal_2", N_("And, if there is time"), rows=2),
    todo=N_("Choose one or two goals for this conversation"),
    by=By.GROUP,
)
AIM: Final = AgendaPart(
    N_("Choose one or two goals for this conversation."),
    ("talk_goals",),
    key="aim",
    heading=N_("What this conversation is for"),
    questions=(
        N_("What would make this hour worth it for you?"),
        N_("What do you want to be able to do afterwards?"),
    ),
    blocks=(Block.GOALS,),
)

# ---- the talk --------------------------------------------------------------------------------------------------------

TOPIC: Final = live(
    "topic",
    N_("Topic"),
    text("topic_words", N_("What we talk about"), rows=2),
    text("topic_notes", N_("What we want to keep from it"), rows=5),
    todo=N_("Write down what you talk about"),
    by=By.GROUP,
)
QUESTIONS: Final = live(
    "questions",
    N_("Our questions"),
    text("our_questions", N_("Questions we want to talk about"), rows=3),
    todo=N_("Choose questions to talk about"),
    by=By.GROUP,
    may_count=False,
)
OWN_NOTES: Final = live(
    "own_notes",
    N_("My notes"),
    text("my_notes", N_("Notes for yourself"), help=N_("Only you see these."), rows=4, seen_by=AUTHOR_ALONE),
    todo=N_("Take notes for yourself"),
    may_count=False,
)
HEARD: Final = live(
    "heard",
    N_("What I heard"),
    text(
        "heard_words",
        N_("What I heard you say"),
        help=N_("Say it back in your own words. Your partner tells you whether you got it right."),
    ),
    todo=N_("Say back what you heard"),
)
CONFIRM_HEARD: Final = Step(
    "confirm_heard",
    StepWords(
        name=N_("Heard correctly"),
        todo=N_("Say whether you were heard correctly"),
        title=N_("Were you heard correctly?"),
        asked=N_("Say whether you were heard correctly"),
    ),
    Form(
        (
            Section(
                "confirm_heard",
                (
                    Field(
                        "heard_rightly",
                        FieldKind.CHOICE,
                        N_("Is what your partner heard what you meant?"),
                        N_("Heard correctly"),
                        choices=(
                            Choice("yes", N_("Yes, that is it")),
                            Choice("almost", N_("Almost")),
                            Choice("no", N_("I meant something else")),
                        ),
                        seen_by=GROUP,
                    ),
                    text("meant", N_("What I meant"), rows=2),
                ),
            ),
        )
    ),
    opens=Opens.AT_ONCE,
    may_count=False,
    is_live=True,
)
LISTENING: Final = AgendaPart(
    N_("Say back what you heard, and ask whether it is right."),
    ("heard", "confirm_heard"),
    key="heard",
    heading=N_("What I heard"),
    help=N_("Understanding comes before advice. Say back what you heard; your partner confirms or corrects it."),
)
OPEN_QUESTIONS: Final = (
    N_("What have you tried already, and what came of it?"),
    N_("What would you do if you could not fail?"),
    N_("What is the real difficulty here for you?"),
    N_("Who could see this differently, and what would they say?"),
    N_("What do you need from me now: ideas, questions, or just an ear?"),
    N_("What else?"),
)

# ---- ending ----------------------------------------------------------------------------------------------------------

ACTION_PLAN: Final = live(
    "action_plan",
    N_("Action plan"),
    text("plan_words", N_("What each of us does until next time"), help=N_("Who, what, and by when."), rows=3),
    todo=N_("Write an action plan"),
    by=By.GROUP,
    asked_usually=1,
)
NEXT_STEPS: Final = AgendaPart(
    N_("End with an action plan: who does what by when."),
    ("action_plan",),
    key="next",
    heading=N_("Action plan"),
    questions=(
        N_("What is the smallest step you could take this week?"),
        N_("How will you notice that it worked?"),
        N_("What could get in the way, and what will you do then?"),
    ),
    blocks=(Block.NEW_ACTION, Block.SHELF),
)
ACTION_WRITTEN: Final = with_goals(
    "action_written",
    CountedBy.ACTIONS_WRITTEN,
    name=N_("Action written"),
    todo=N_("Write down an action of your own"),
    asked_help=N_("An action with its date, in every round."),
    done=N_("written"),
    not_done=N_("not written"),
    begin=N_("Open your actions"),
)
PARKING: Final = live(
    "parking",
    N_("Parking lot"),
    text("parked", N_("What came up and can wait"), rows=2),
    todo=N_("Park what came up"),
    by=By.GROUP,
    may_count=False,
)
PARKING_LOT: Final = AgendaPart(
    N_("Park what comes up and does not fit now."),
    ("parking", "own_notes"),
    key="parking",
    heading=N_("Parking lot and own notes"),
)
MEET: Final = Step(
    "meet",
    StepWords(
        name=N_("Meeting held"),
        todo=N_("Meet, and say that you did"),
        title=N_("We have met"),
        asked=N_("Meet in every round"),
        asked_help=N_("Each member says so with one tap."),
        give=N_("We have met"),
        begin=N_("Open the meeting"),
        now=N_("Meet %(name)s, and say that you did."),
        now_by=N_("Meet %(name)s by %(when)s, and say that you did."),
        done=N_("held"),
        not_done=N_("not held"),
    ),
    CONFIRMATION,
    is_live=True,
)
CLOSING: Final = AgendaPart(
    N_("Say that you have met."),
    ("meet",),
    key="close",
    heading=N_("Close"),
    help=N_("One tap by each of you says that the meeting was held."),
)

# ---- feedback on the talk --------------------------------------------------------------------------------------------

TALK_FEEDBACK_FORM: Final = Form(
    (
        Section(
            "strengths-first",
            (
                Field(
                    "strengths",
                    FieldKind.TEXT,
                    N_("What did %(name)s do that helped you?"),
                    N_("What helped"),
                    help=N_("Name one thing that %(name)s said, asked or left unsaid, and what it did for you."),
                    missing=N_("Write at least one thing that helped"),
                    is_required=True,
                    craft=Craft.STRENGTH,
                ),
            ),
            title=N_("Strengths first"),
            read_title=N_("What helped"),
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
                    help=N_("One thing that would help you even more."),
                    missing=N_("Write one thing to try next time"),
                    is_required=True,
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
            "rubric",
            (Field("marks", FieldKind.MARKS, "", N_("Rubric"), is_required=True),),
            help=N_("Choose the description that best fits how it was for you."),
        ),
    )
)
GIVE_TALK_FEEDBACK: Final = Step(
    "give_feedback",
    StepWords(
        name=N_("Feedback given"),
        todo=N_("Tell %(name)s how the coaching was for you"),
        title=N_("Feedback for %(name)s"),
        asked=N_("Give feedback on the coaching to every partner in every round"),
        now=N_("Tell %(name)s how the coaching was for you."),
        now_by=N_("Tell %(name)s how the coaching was for you by %(when)s."),
        overdue=N_("Your feedback for %(name)s was due on %(when)s. It is still welcome."),
        before=N_("This is a good time to agree with %(name)s on when and where you meet."),
        begin=N_("Write feedback"),
        counted=N_("Round %(number)d: give feedback to %(name)s"),
        mine=N_("Your feedback for %(name)s"),
        theirs=N_("Feedback from %(name)s"),
        between=N_("Feedback from %(author)s for %(recipient)s"),
        lead=N_("Almost there. Before you give it:"),
        advice=N_("Feedback is there to help, not to judge. Before you give it, read it as if you were %(name)s."),
        give=N_("Give feedback"),
        give_again=N_("Give the updated feedback"),
        done=N_("given"),
        done_late=N_("given after the due date"),
        not_done=N_("not given"),
    ),
    TALK_FEEDBACK_FORM,
    to=To.PARTNERS,
)
ANSWER_FORM: Final = Form(
    (
        Section(
            "answer-fields",
            (
                Field(
                    "heard",
                    FieldKind.TEXT,
                    N_("What I heard"),
                    N_("What I heard"),
                    help=N_("Say it back in your own words."),
                    missing=N_("Write what you heard, in your own words"),
                    is_required=True,
                    rows=3,
                ),
                Field(
                    "will_use",
                    FieldKind.TEXT,
                    N_("What I will use"),
                    N_("What I will use"),
                    help=N_("One thing you will do or try, and when."),
                    missing=N_("Write what you will use"),
                    is_required=True,
                    rows=3,
                ),
                Field(
                    "usefulness",
                    FieldKind.CHOICE,
                    N_("How useful was it?"),
                    N_("How useful it was"),
                    choices=(
                        Choice("4", N_("Very useful")),
                        Choice("3", N_("Useful")),
                        Choice("2", N_("A little useful")),
                        Choice("1", N_("Not useful this time")),
                    ),
                ),
                Field(
                    "useful_why",
                    FieldKind.TEXT,
                    N_("Why was it useful, or why not?"),
                    N_("Why"),
                    rows=2,
                ),
                Field(
                    "see_differently",
                    FieldKind.TEXT,
                    N_("I see it differently"),
                    N_("What I see differently"),
                    help=N_("It is fine to disagree. Say what you saw instead, as one more view."),
                    rows=2,
                ),
            ),
        ),
    )
)

ACKNOWLEDGE: Final = Step(
    "acknowledge",
    StepWords(
        name=N_("Feedback answered"),
        todo=N_("Read what %(name)s tells you, and answer"),
        title=N_("Your answer to %(name)s"),
        asked=N_("Answer the feedback received"),
        asked_help=N_(
            "What I heard, what I will use, how useful it was. No one loses points because a partner gives nothing."
        ),
        now=N_("%(name)s has given you feedback. Read it, and say what you will use."),
        begin=N_("Read the feedback"),
        counted=N_("Round %(number)d: answer the feedback from %(name)s"),
        mine=N_("Your answer"),
        theirs=N_("What %(name)s says"),
        lead=N_("Almost there. Before you send it:"),
        help=N_("Two short lines are enough."),
        give=N_("Send answer"),
        given=N_("Sent. %(name)s will see what you heard and what you will use."),
        done=N_("answered"),
        not_done=N_("not answered"),
        partner_waits=N_("Your part is done. %(name)s has not given feedback yet."),
    ),
    ANSWER_FORM,
    to=To.PARTNERS,
    opens=Opens.RELEASE,
    after="give_feedback",
)

SELF_ASSESSMENT: Final = Step(
    "self_assessment",
    StepWords(
        name=N_("Self-assessment"),
        todo=N_("Say how you see yourself"),
        title=N_("How I see myself"),
        asked=N_("Self-assessment with the same rubric"),
        asked_help=N_("Before reading what partners say. Afterwards both stand side by side. No one else reads it."),
        now=N_("Say how you see yourself, before you read what others say."),
        begin=N_("Look at yourself"),
        mine=N_("How I see myself"),
        help=N_(
            "The same questions that your partners answer about you. Be as kind and as exact as you would be to them."
        ),
        given=N_("Done. You can see it beside what partners tell you."),
        done=N_("done"),
        not_done=N_("not done"),
    ),
    Form(
        (
            Section(
                "rubric",
                (Field("marks", FieldKind.MARKS, "", N_("Rubric"), is_required=True, seen_by=AUTHOR_ALONE),),
                help=N_("Choose what best fits how you see yourself in this round."),
            ),
        )
    ),
    asked_usually=0,
    is_by_choice=True,
)


def uncounted(*steps: Step) -> tuple[Step, ...]:
    """These steps, none of which counts unless a designer says so."""
    return tuple(replace(step, asked_usually=0) for step in steps)


TALK_FEEDBACK: Final = AgendaPart(
    N_("Tell each other what helped, and what to try next time."),
    ("give_feedback", "acknowledge"),
    key="feedback",
    heading=N_("Feedback"),
    help=N_("Write to each other how the coaching was. Do it while it is fresh."),
)

# ---- without a partner -----------------------------------------------------------------------------------------------

DONE_ALONE: Final = ("check_in", "look_back", "goal_check_in", "goal_set", "action_written", "own_notes")
"""Steps of a talk that need no partner."""

# ---- between meetings -----------------------------------------------------------------------------------------------

OCCASION_FORM: Final = Form(
    (
        Section(
            "occasion",
            (
                text(
                    "happened",
                    N_("What happened?"),
                    help=N_("A meeting, a project, a conversation. A few lines."),
                    seen_by=AUTHOR_ALONE,
                ),
                text("went_well", N_("What went well, and what was your part in it?"), seen_by=AUTHOR_ALONE),
                text("differently", N_("What would you do differently?"), seen_by=AUTHOR_ALONE),
                text("will_use", N_("What will you use from it?"), rows=2, seen_by=AUTHOR_ALONE),
            ),
        ),
    )
)
BETWEEN: Final = Between(
    OCCASION_FORM, "check_in", tuple((field.key, "win_or_challenge") for field in OCCASION_FORM.fields)
)

# ---- what goal setting, reflection and open session have in common ---------------------------------------------------

END_OF_A_TALK: Final = (LISTENING, NEXT_STEPS, PARKING_LOT, TALK_FEEDBACK, CLOSING)
FIRST_STEPS: Final = (WARM_UP, AGREE, OWN_RULES, CHECK_IN, LOOK_BACK, GOAL_CHECK_IN)
LAST_STEPS: Final = (
    HEARD,
    CONFIRM_HEARD,
    ACTION_PLAN,
    ACTION_WRITTEN,
    PARKING,
    OWN_NOTES,
    MEET,
    GIVE_TALK_FEEDBACK,
    SELF_ASSESSMENT,
    ACKNOWLEDGE,
)

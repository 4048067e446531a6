"""Two examples of good feedback for each kind, to be unfolded while somebody writes. By key of the field."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from lti_tool.errors import N_

Example: TypeAlias = Mapping[str, str]

EXAMPLES: Final[Mapping[str, tuple[Example, Example]]] = {
    "goals": (
        {
            "strengths": N_("You asked what would be different in a month, and only then did I know what I wanted."),
            "next_time_1": N_("Let me answer first, and offer your own idea after that."),
        },
        {
            "strengths": N_("When I said “communicate”, you asked how Anna would notice. That made it concrete."),
            "next_time_1": N_("Write my words down as I say them, so that we can sharpen them together."),
        },
    ),
    "reflection": (
        {
            "strengths": N_("You waited when I had no answer. After half a minute I saw my own part in it."),
            "next_time_1": N_("Ask what went well before you ask what went wrong."),
        },
        {
            "strengths": N_("You repeated my sentence about the deadline, and I heard how it sounds."),
            "next_time_1": N_("Ask one question at a time; I answered only the last one."),
        },
    ),
    "observation": (
        {
            "strengths": N_("You read each question aloud twice, and the people at the back joined in."),
            "next_time_1": N_("Name one person to begin when nobody answers after ten seconds."),
            "behavior": N_("After the second question you answered it yourself, after three seconds."),
            "effect": N_("Two people who had begun to raise their hands put them down."),
            "suggestion": N_("Count to ten in silence before you help."),
        },
        {
            "strengths": N_("You drew the two steps on the board before you explained them."),
            "next_time_1": N_("Leave the drawing visible while people do the exercise."),
            "behavior": N_("You wiped the board at the start of the exercise."),
            "effect": N_("Four people asked for the second step, and it took five minutes."),
            "suggestion": N_("Wipe only the corner that you need."),
        },
    ),
    "role_play": (
        {
            "strengths": N_("In the second take you named my worry before you said no. I could listen after that."),
            "next_time_1": N_("Stop after the no, and let me react."),
        },
        {
            "strengths": N_("You stayed with your question when I changed the subject twice."),
            "next_time_1": N_("Say in one sentence what you want before you explain why."),
        },
    ),
    "open": (
        {
            "strengths": N_("You asked whether I wanted ideas or an ear. I wanted an ear, and got one."),
            "next_time_1": N_("Tell me at the start how much time you have."),
        },
        {
            "strengths": N_("You told me how you failed with the same customer. I dared to try again after that."),
            "next_time_1": N_("End with the one thing that each of us will do."),
        },
    ),
    "circle": (
        {
            "strengths": N_("You stopped the advice during the questions, in a friendly way, and we stayed curious."),
            "next_time_1": N_("Ask those who have not spoken yet before you go on to the next step."),
        },
        {
            "strengths": N_("You told us when there were two minutes left, so the case giver could finish."),
            "next_time_1": N_("Read the question of the case aloud again before the advice."),
        },
    ),
    "rehearsal": (
        {
            "strengths": N_("You began with the customer who waited nine days. I wanted to know how it ends."),
            "next_time_1": N_("Show the number on the slide before you interpret it."),
            "behavior": N_("You turned to the screen while you read slide four aloud."),
            "effect": N_("I read along and did not hear what you added."),
            "suggestion": N_("Put three words on that slide and say the rest."),
        },
        {
            "strengths": N_("You answered the hard question with “I do not know yet” and a date."),
            "next_time_1": N_("Repeat each question before you answer it, so that everyone has heard it."),
            "behavior": N_("You thanked me for each question and wrote two of them down."),
            "effect": N_("I asked a third one that I had not dared to ask."),
            "suggestion": N_("Say at the end what you will do with them."),
        },
    ),
    "cross_training": (
        {
            "strengths": N_("You let me do the second order myself and only watched."),
            "next_time_1": N_("Say why you skip a step before you skip it."),
            "behavior": N_("You opened three lists before you answered the phone."),
            "effect": N_("I understood only later that you were checking the stock first."),
            "suggestion": N_("Name the list aloud when you open it."),
        },
        {
            "strengths": N_("You asked what beginners trip over, and I noticed what I never explain."),
            "next_time_1": N_("Try it yourself after the first half, and ask while you do."),
            "behavior": N_("You wrote down two questions and asked them at the end."),
            "effect": N_("We had time for one of them."),
            "suggestion": N_("Ask when the question comes up; I can stop."),
        },
    ),
}
"""A kind that is not in here has none."""

"""The cards of the warm-up. Each says one thing about coaching and has one exercise. Texts are marked for
translation.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lti_tool.errors import N_


class Check(StrEnum):
    """How the answer to an exercise is looked at that people write in their own words."""

    OPEN_QUESTION = "open_question"
    GOAL = "goal"


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to choose, and what is said to whoever chooses it."""

    text: str
    answer: str
    is_right: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """One card. Its exercise is a choice among `options`, or a text that `check` looks at."""

    key: str
    """Its place in addresses and in the table of cards that are done."""
    title: str
    words: tuple[str, ...]
    """What it says, before the exercise."""
    task: str
    quote: str = ""
    """What the exercise is about, where somebody says it."""
    options: tuple[Option, ...] = ()
    check: Check | None = None
    label: str = ""
    """Of the text that is written."""
    examples: tuple[str, ...] = ()
    """Texts that would do, shown afterwards."""


CARDS: Final = (
    Card(
        "listening",
        N_("Listening"),
        (
            N_("Listening is most of coaching. People who are listened to think further than they would alone."),
            N_("Let your partner finish. Wait three breaths before you speak: often the best comes then."),
        ),
        N_("Your partner tells you about a difficult meeting and stops in the middle. What do you do?"),
        options=(
            Option(
                N_("I tell them what I did in a meeting like that."),
                N_("Now the conversation is about you. Your story can wait until your partner has finished theirs."),
            ),
            Option(
                N_("I wait, and look at them kindly."),
                N_("Yes. Silence is when people think. The next sentence is often the important one."),
                is_right=True,
            ),
            Option(
                N_("I say how it probably went on."),
                N_("If you finish somebody’s sentence, you hear your own thought. Wait for theirs."),
            ),
        ),
    ),
    Card(
        "giving-back",
        N_("Saying back what you heard"),
        (
            N_("Say in your own words what you heard, and ask whether it is right. It shows that you listened."),
            N_("It also helps your partner: people hear themselves better when somebody says it back."),
        ),
        N_("Which of these says back what you heard?"),
        quote=N_("I know my subject. But as soon as the room goes quiet I talk faster and faster."),
        options=(
            Option(
                N_("You are nervous when you present."),
                N_("That is what you think of it. Perhaps it is true, but your partner did not say so."),
            ),
            Option(
                N_("Just take a deep breath before you begin."),
                N_("That is advice. First make sure that you understood."),
            ),
            Option(
                N_("You feel safe with the content, and you speed up when it gets quiet. Is that it?"),
                N_("Yes: what was said, in other words, nothing added, and a question at the end."),
                is_right=True,
            ),
        ),
    ),
    Card(
        "open-questions",
        N_("Open questions"),
        (
            N_("An open question leaves the answer to your partner. It usually begins with what, how, when or who."),
            N_("Advice ends the conversation: it answers a question that your partner may not have."),
        ),
        N_("You would like to say this to your partner. Turn it into an open question."),
        quote=N_("You should just talk to your manager about it."),
        check=Check.OPEN_QUESTION,
        label=N_("Your question"),
        examples=(
            N_("Who could help you with this, and what would you ask them for?"),
            N_("What would you like your manager to know?"),
        ),
    ),
    Card(
        "goals",
        N_("Goals that can be seen"),
        (
            N_("A goal helps when you can see whether you have reached it: what will be different, how much, by when."),
            N_("About a month ahead is a good distance: near enough to begin, far enough to matter."),
        ),
        N_("This goal is vague. Word it so that your partner could see whether it was reached."),
        quote=N_("I want to get better at presenting."),
        check=Check.GOAL,
        label=N_("The goal in your words"),
        examples=(
            N_("By the end of next month I present twice without reading from my notes."),
            N_("In my next three team meetings I leave ten minutes for questions."),
        ),
    ),
    Card(
        "strengths-first",
        N_("Strengths first"),
        (
            N_("Begin with what worked. People hear the rest better, and they keep what they know is good."),
            N_("Name what somebody did. “Well done” is kind, but nobody can do it again."),
        ),
        N_("Which of these names something that can be done again?"),
        options=(
            Option(
                N_("You are a born speaker."),
                N_("That is kind, and it is about the person. What did they do? That can be done again."),
            ),
            Option(
                N_("When the question about costs came, you said “I will find out” and wrote it down."),
                N_("Yes. It says when and what. Your partner knows what to keep."),
                is_right=True,
            ),
            Option(
                N_("It was a really good presentation."),
                N_("That is nice to hear. But what was good about it? One moment is enough."),
            ),
        ),
    ),
    Card(
        "confidentiality",
        N_("What stays between you"),
        (
            N_("People are honest where it is safe. What you hear from your partner is theirs to tell, not yours."),
            N_("What you learned about yourself is yours, and you may tell it to anybody."),
        ),
        N_("A colleague asks you: “How was it with Robin?” What do you say?"),
        options=(
            Option(
                N_("Good. I want to ask more questions in my own meetings."),
                N_("Yes. That is about you, and it is yours to tell."),
                is_right=True,
            ),
            Option(
                N_("Good, but Robin is not having an easy time right now."),
                N_("This is Robin’s to tell, even if you mean well."),
            ),
            Option(
                N_("I must not say anything at all."),
                N_("You need not be that strict: what you learned about yourself is yours to tell."),
            ),
        ),
    ),
)
BY_KEY: Final = {card.key: card for card in CARDS}


def next_card(done: frozenset[str], after: str = "") -> Card | None:
    """The first card that is not done, looked for from the one after this; None when all are done."""
    start = next((place + 1 for place, card in enumerate(CARDS) if card.key == after), 0)
    return next((card for card in (*CARDS[start:], *CARDS[:start]) if card.key not in done), None)

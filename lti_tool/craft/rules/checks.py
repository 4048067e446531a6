"""What an answer in somebody's own words could still gain, by plain rules on its words. Never a refusal."""

import re
from datetime import date
from enum import StrEnum
from typing import Final

from lti_tool.craft.rules.cards import Check
from lti_tool.errors import N_
from lti_tool.goals import rules as goals
from lti_tool.hints.rules import language_of, lists_of, words_of

LONGEST: Final = 1_000


class Advice(StrEnum):
    """What could be better about an answer."""

    EMPTY = "empty"
    NO_QUESTION = "no_question"
    ADVICE_INSIDE = "advice_inside"
    WHY = "why"
    CLOSED = "closed"
    VAGUE = "vague"
    NO_DATE_OR_NUMBER = "no_date_or_number"


SENTENCES: Final = {
    Advice.EMPTY: N_("Write your answer first."),
    Advice.NO_QUESTION: N_("Make it a question, with a question mark at its end."),
    Advice.ADVICE_INSIDE: N_("There is still advice in it. What could your partner find out without it?"),
    Advice.WHY: N_("“Why” easily sounds like blame. Ask “What made you …?” instead."),
    Advice.CLOSED: N_("This can be answered with yes or no. Begin with what, how, when or who."),
    Advice.VAGUE: N_("It is still a direction. What will be different, so that somebody else can see it?"),
    Advice.NO_DATE_OR_NUMBER: N_("By when, or how often? A day or a number makes it visible."),
}


def advice_on(check: Check, text: str, of_page: str, today: date) -> Advice | None:
    """The first thing that an answer could gain; None for one that does what was asked. `of_page` is a language."""
    if not words_of(text):
        return Advice.EMPTY
    return _on_question(text, of_page) if check is Check.OPEN_QUESTION else _on_goal(text, of_page, today)


def _on_question(text: str, of_page: str) -> Advice | None:
    if not text.strip().rstrip("”\"'»“ ").endswith("?"):
        return Advice.NO_QUESTION
    lists = lists_of(language_of(text, of_page))
    # What counts is the last sentence: what stands before it may lead to the question.
    asked = [" ".join(words) for sentence in re.split(r"[.!?…:]+", text) if (words := words_of(sentence))][-1]
    if any(f"{asked} ".startswith(f"{phrase} ") for phrase in lists["advice"]):
        return Advice.ADVICE_INSIDE
    first = asked.split(" ", 1)[0]
    if first in lists["why"]:
        return Advice.WHY
    return Advice.CLOSED if first in lists["closed"] else None


def _on_goal(text: str, of_page: str, today: date) -> Advice | None:
    goal = {"words": text, "measure": "", "start": None, "target": None, "target_on": today}
    if "words" in goals.hints_of(goal, today):
        return Advice.VAGUE
    words = f" {' '.join(words_of(text))} "
    lists = lists_of(language_of(text, of_page))
    has_moment = any(letter.isdigit() for letter in text) or any(f" {phrase} " in words for phrase in lists["when"])
    return None if has_moment else Advice.NO_DATE_OR_NUMBER

"""Who may decide about a report, what a decision does to a text, and how long dates wait for it."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

LONGEST_WORDS: Final = 4000
"""Characters of what a reporter or staff write about a report."""
HIDDEN_PASSAGE: Final = "[…]"
"""Stands where staff hid a passage."""


class Concern(StrEnum):
    """Why somebody reports a text."""

    HURTS = "hurts"
    DISCRIMINATES = "discriminates"
    THREATENS = "threatens"
    CONFIDENTIAL = "confidential"
    OTHER = "other"


class Outcome(StrEnum):
    """What became of a report. OPEN: staff have not decided."""

    OPEN = "open"
    TAKEN_BACK = "taken_back"
    RESTORED = "restored"
    PASSAGES_HIDDEN = "passages_hidden"
    HIDDEN = "hidden"
    TALKED = "talked"
    """Of a report about what happened and not about a text: staff dealt with it."""


DECISIONS: Final = (Outcome.HIDDEN, Outcome.PASSAGES_HIDDEN, Outcome.RESTORED)
"""What staff can decide about a text."""


class Flaw(StrEnum):
    """What keeps a report or a decision from being taken."""

    NO_CONCERN = "no concern"
    NO_WORDS = "no words"
    TOO_LONG = "too long"
    NO_OUTCOME = "no outcome"
    NO_REASON = "no reason"
    NO_PASSAGE = "no passage"


def may_moderate(role: str, *, assistants_moderate: bool) -> bool:
    """Whether somebody in this course role sees reports and decides about them."""
    return role == "instructor" or (role == "assistant" and assistants_moderate)


def flaws_of_report(concern: str, words: str, *, is_about_text: bool) -> list[Flaw]:
    """What is missing in a report. Words are asked for where the concern alone says too little."""
    flaws = [] if concern in set(Concern) else [Flaw.NO_CONCERN]
    if not words.strip() and (concern == Concern.OTHER or not is_about_text):
        flaws.append(Flaw.NO_WORDS)
    return [*flaws, Flaw.TOO_LONG] if len(words) > LONGEST_WORDS else flaws


def flaws_of_decision(outcome: str, reason: str, passages: Collection[str], *, is_about_text: bool) -> list[Flaw]:
    """What is missing in a decision. `passages` are keys as `passages_of` names them."""
    allowed = DECISIONS if is_about_text else (Outcome.TALKED,)
    flaws = [] if outcome in allowed else [Flaw.NO_OUTCOME]
    if not reason.strip():
        flaws.append(Flaw.NO_REASON)
    if len(reason) > LONGEST_WORDS:
        flaws.append(Flaw.TOO_LONG)
    return [*flaws, Flaw.NO_PASSAGE] if outcome == Outcome.PASSAGES_HIDDEN and not passages else flaws


_SENTENCE = re.compile(r"[^.!?…\n]*[.!?…\n]*[\"'”’)\]]*\s*")


def passages_of(fields: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Each text cut into its sentences and lines: by field, from the key of a passage to its words.

    Put together again, the passages of a field are the field.
    """
    cut = {name: [part for part in _SENTENCE.findall(text) if part] for name, text in fields.items()}
    return {name: {f"{name}:{place}": part for place, part in enumerate(parts)} for name, parts in cut.items() if parts}


def without(fields: Mapping[str, str], hidden: Collection[str]) -> dict[str, str]:
    """The fields with these passages replaced by a mark; unknown keys hide nothing."""
    cut = passages_of(fields)
    kept = dict(fields)
    for name, parts in cut.items():
        if not parts.keys() & set(hidden):
            continue
        shown = [HIDDEN_PASSAGE + _space_after(part) if key in hidden else part for key, part in parts.items()]
        kept[name] = "".join(shown)
    return kept


def _space_after(part: str) -> str:
    return part[len(part.rstrip()) :]


def paused(due_at: datetime | None, opened_at: datetime, until: datetime) -> datetime | None:
    """A due date, later by the days, begun ones included, that a report was open; one that had passed before stays."""
    if due_at is None or due_at <= opened_at:
        return due_at
    # Whole days, so that a date that ends at midnight still does.
    return due_at - (opened_at - until) // timedelta(days=1) * timedelta(days=1)

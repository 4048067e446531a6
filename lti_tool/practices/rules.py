"""What an offer needs, whose names it mentions, and who may read it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

LONGEST_TITLE: Final = 300
LONGEST_TEXT: Final = 10_000
LONGEST_REASON: Final = 1_000
NEWS_FOR: Final = timedelta(days=14)
"""So long a member's first page says that consent was taken back, or that staff hid a text."""


class Kind(StrEnum):
    """What is offered."""

    PRACTICE = "practice"
    EXAMPLE = "example"
    RESOURCE = "resource"


class Flaw(StrEnum):
    """What keeps an offer or a reason from being taken."""

    NO_KIND = "no_kind"
    NO_TITLE = "no_title"
    LONG_TITLE = "long_title"
    NO_TEXT = "no_text"
    LONG_TEXT = "long_text"
    NO_REASON = "no_reason"
    LONG_REASON = "long_reason"


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed into an offer."""

    kind: str
    title: str
    text: str


def flaws_of(draft: Draft) -> list[Flaw]:
    """What is missing in an offer, or too long."""
    flaws = [] if draft.kind in set(Kind) else [Flaw.NO_KIND]
    if not draft.title:
        flaws.append(Flaw.NO_TITLE)
    if len(draft.title) > LONGEST_TITLE:
        flaws.append(Flaw.LONG_TITLE)
    if not draft.text:
        flaws.append(Flaw.NO_TEXT)
    if len(draft.text) > LONGEST_TEXT:
        flaws.append(Flaw.LONG_TEXT)
    return flaws


def flaws_of_reason(reason: str) -> list[Flaw]:
    """What is wrong with the reason for which staff hide a text."""
    if not reason:
        return [Flaw.NO_REASON]
    return [Flaw.LONG_REASON] if len(reason) > LONGEST_REASON else []


def names_in(text: str, names: Iterable[str]) -> list[str]:
    """The parts of these names that a text mentions, each once, as they are in the name. Capitals do not matter."""
    mentioned: dict[str, str] = {}
    for name in names:
        for part in name.split():
            if len(part) > 1 and _pattern(part).search(text):
                mentioned.setdefault(part.casefold(), part)
    return list(mentioned.values())


def _pattern(part: str) -> re.Pattern[str]:
    # Scripts without capitals often write words without spaces between them.
    is_spaced = part.casefold() != part.upper()
    word = re.escape(part)
    # The s of a genitive, with or without apostrophe, belongs to the name.
    return re.compile(rf"(?<!\w){word}(?:['’]?s)?(?!\w)" if is_spaced else word, re.IGNORECASE)


class Stage(StrEnum):
    """How far a text is from being read by others."""

    ASKED = "asked"
    DECLINED = "declined"
    """Somebody concerned does not want it shared, or took consent back."""
    HIDDEN = "hidden"
    SHOWN = "shown"


def stage_of(*, asked: int, agreed: int, declined: int, is_hidden: bool) -> Stage:
    """Where a text stands. `asked` counts everybody concerned; others read it only where all of them agreed."""
    if declined:
        return Stage.DECLINED
    if agreed < asked:
        return Stage.ASKED
    return Stage.HIDDEN if is_hidden else Stage.SHOWN


def may_read(stage: Stage, *, is_concerned: bool, is_in_course: bool, is_staff: bool, is_in_library: bool) -> bool:
    """Whether somebody of the institution may read a text; `is_in_library` where staff brought it to all courses."""
    if is_concerned:
        return True
    if stage is Stage.SHOWN:
        return is_in_course or is_in_library
    return stage is Stage.HIDDEN and is_in_course and is_staff

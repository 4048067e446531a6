"""The items of a survey, when it is asked, and what changed between two answers."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import mean, stdev
from typing import Final

from lti_tool.errors import N_
from lti_tool.feedback.rules import FEWEST_FOR_A_MEAN

SCALE: Final = {5: N_("fully"), 4: N_("mostly"), 3: N_("partly"), 2: N_("a little"), 1: N_("not at all")}
"""How far a sentence is true of somebody."""
ITEMS: Final = {
    "confidence": N_("I trust myself to handle what is difficult in my work."),
    "trust": N_("I can talk openly with others here about what does not go well."),
    "listening": N_("I listen to the end, and ask before I advise."),
    "feedback": N_("I give feedback that others can use."),
    "connection": N_("I know people here whom I can ask for help."),
}
"""The usual items, by key."""


class Moment(StrEnum):
    """When a survey is asked."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Item:
    """A sentence that people judge; `key` keeps its answers together. An own item of the activity is its own key."""

    key: str
    text: str


def items_of(own: Iterable[str]) -> tuple[Item, ...]:
    """The usual items, and those that a designer added."""
    return (*(Item(key, text) for key, text in ITEMS.items()), *(Item(text, text) for text in own))


def asked_now(
    answered: Collection[Moment],
    *,
    first_due: datetime | None,
    last_due: datetime | None,
    has_begun: bool,
    is_complete: bool,
    now: datetime,
) -> Moment | None:
    """Which answers are asked for now, if any.

    Before: until the first round is due or somebody has written something. After: once somebody has done everything, or
    the last round is due. Who missed the first is asked afterwards all the same; what cannot be paired is left out of
    the comparison.
    """
    is_after = is_complete or (last_due is not None and now > last_due)
    if is_after:
        return Moment.AFTER if Moment.AFTER not in answered else None
    is_before = not has_begun and (first_due is None or now <= first_due)
    return Moment.BEFORE if is_before and Moment.BEFORE not in answered else None


@dataclass(frozen=True, slots=True)
class Change:
    """What changed in one item, over the people who answered both times."""

    item: Item
    people: int
    before: float
    after: float
    change: float
    spread: float
    """The standard deviation of the changes."""


def changes_of(
    items: Sequence[Item], before: Mapping[int, Mapping[str, int]], after: Mapping[int, Mapping[str, int]]
) -> list[Change | Item]:
    """For each item the paired change, or the item alone where fewer than three people answered it both times.

    `before` and `after`: values by member and item.
    """
    rows: list[Change | Item] = []
    for item in items:
        pairs = [
            (before[member][item.key], after[member][item.key])
            for member in before.keys() & after.keys()
            if item.key in before[member] and item.key in after[member]
        ]
        if len(pairs) < FEWEST_FOR_A_MEAN:
            rows.append(item)
            continue
        changes = [later - earlier for earlier, later in pairs]
        firsts, lasts = zip(*pairs, strict=True)
        rows.append(Change(item, len(pairs), mean(firsts), mean(lasts), mean(changes), stdev(changes)))
    return rows

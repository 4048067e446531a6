"""Who facilitates a group: staff in the first rounds, if they come, then its members, with fewer prompts each time."""

from collections.abc import Sequence
from enum import StrEnum


def guided_usually(rounds: int) -> int:
    """How many of so many rounds are guided unless a designer says otherwise: a third, and at least the first."""
    return min(max(round(rounds / 3), 1), rounds)


def is_guided(round_number: int, guided_rounds: int) -> bool:
    """Whether staff may take the facilitator's seat in this round."""
    return round_number <= guided_rounds


def prompts_shown(prompts: Sequence[str], round_number: int, guided_rounds: int) -> Sequence[str]:
    """What whoever facilitates is prompted with: everything in guided rounds and in the first, then one prompt fewer in
    each round, down to the first one.
    """
    rounds_alone = max(round_number - max(guided_rounds, 1), 0)
    return prompts[: max(len(prompts) - rounds_alone, 1)]


class SeatRefusal(StrEnum):
    """Why somebody cannot have the facilitator's seat of a group."""

    NOT_STAFF = "not staff"
    SELF_RUN = "self-run"
    """The group runs this round itself, or its kind has no facilitator."""
    CLOSED = "closed"
    """The activity is read-only or not ready."""
    TAKEN = "taken"
    """Somebody else of the staff has it."""
    NOT_AGREED = "not agreed"
    """Somebody wrote in this group who has not accepted the agreement that announces a facilitator."""


def why_no_seat(
    *, is_staff: bool, is_guided: bool, is_open: bool, is_taken: bool, has_unannounced_words: bool
) -> SeatRefusal | None:
    """Why this person cannot have, or keep, the facilitator's seat; None where they can.

    A group's words are never opened to somebody who was not announced to those who wrote them: the agreement announces
    a facilitator, and is asked for again when rounds become guided later. Who has written nothing yet keeps nobody out.
    """
    if not is_staff:
        return SeatRefusal.NOT_STAFF
    if not is_guided:
        return SeatRefusal.SELF_RUN
    if not is_open:
        return SeatRefusal.CLOSED
    if is_taken:
        return SeatRefusal.TAKEN
    return SeatRefusal.NOT_AGREED if has_unannounced_words else None

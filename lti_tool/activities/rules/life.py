"""The life of an activity: its states, and what moves it from one to another."""

from enum import StrEnum
from typing import Final

from lti_tool.activities.errors import StepNotPossible


class ActivityState(StrEnum):
    """Where an activity stands in its life."""

    DRAFT = "draft"
    READY = "ready"
    UNCONFIRMED = "unconfirmed"
    CLOSED = "closed"


class Transition(StrEnum):
    """What moves an activity from one state to another."""

    CONFIRM = "confirm"
    CLOSE = "close"
    REOPEN = "reopen"


class NotReady(StrEnum):
    """Why learners cannot come in yet."""

    NOT_SET_UP = "not set up"
    DRAFT = "draft"
    UNCONFIRMED = "unconfirmed"


def why_not_ready(state: str | None) -> NotReady | None:
    """Why learners cannot come in; None when they can. `state` is None where nothing was set up at all."""
    match state:
        case None:
            return NotReady.NOT_SET_UP
        case ActivityState.DRAFT:
            return NotReady.DRAFT
        case ActivityState.UNCONFIRMED:
            return NotReady.UNCONFIRMED
    return None


_LEADS: Final = {
    (ActivityState.DRAFT, Transition.CONFIRM): ActivityState.READY,
    (ActivityState.UNCONFIRMED, Transition.CONFIRM): ActivityState.READY,
    # Pressing twice, or two people pressing, is no failure.
    (ActivityState.READY, Transition.CONFIRM): ActivityState.READY,
    (ActivityState.READY, Transition.CLOSE): ActivityState.CLOSED,
    (ActivityState.CLOSED, Transition.CLOSE): ActivityState.CLOSED,
    (ActivityState.CLOSED, Transition.REOPEN): ActivityState.READY,
    (ActivityState.READY, Transition.REOPEN): ActivityState.READY,
}


def state_after(state: str, transition: Transition) -> ActivityState:
    """Where a step leads. Raises StepNotPossible where it leads nowhere from this state."""
    try:
        return _LEADS[ActivityState(state), transition]
    except KeyError:
        raise StepNotPossible(state, transition) from None

"""The kinds of activity, one file each, as plain values. A new kind is a file and a line in `KINDS`."""

from functools import cache
from typing import Any, Final, Protocol

from lti_tool.activities.kinds.circle import CIRCLE
from lti_tool.activities.kinds.goal_setting import GOAL_SETTING
from lti_tool.activities.kinds.kind import Kind
from lti_tool.activities.kinds.observation import CROSS_TRAINING, OBSERVATION, REHEARSAL
from lti_tool.activities.kinds.open_session import OPEN_SESSION
from lti_tool.activities.kinds.reflection import REFLECTION
from lti_tool.activities.kinds.role_play import ROLE_PLAY
from lti_tool.errors import N_

KINDS: Final[dict[str, Kind]] = {
    kind.key: kind
    for kind in (
        GOAL_SETTING,
        REFLECTION,
        OBSERVATION,
        ROLE_PLAY,
        OPEN_SESSION,
        CIRCLE,
        REHEARSAL,
        CROSS_TRAINING,
    )
}


class Configured(Protocol):
    """An activity or its settings, as far as they choose a kind."""

    @property
    def kind(self) -> Any: ...

    @property
    def feedback_to(self) -> Any: ...

    @property
    def anonymous_feedback(self) -> bool: ...


def kind_of(key: str) -> Kind:
    """The kind with this key. One that this version does not have asks for nothing and takes nothing."""
    return KINDS.get(key) or _gone(key)


@cache
def _gone(key: str) -> Kind:
    return Kind(key, N_("A kind of activity that is not offered any more"), is_gone=True)


def kind_for(activity: Configured) -> Kind:
    """The kind of this activity, with what partners write going where its designer chose.

    Where givers are not named, nobody owes them a text that would have to name them.
    """
    kind = kind_of(activity.kind).going(activity.feedback_to)
    return kind.without_names if activity.anonymous_feedback else kind


__all__ = ["KINDS", "Kind", "kind_for", "kind_of"]

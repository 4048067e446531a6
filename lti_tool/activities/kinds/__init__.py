"""The kinds of activity, one file each, as plain values. A new kind is a file and a line in `KINDS`."""

from typing import Final

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


def kind_of(key: str) -> Kind:
    """The kind with this key. One that this version does not have asks for nothing and takes nothing."""
    return KINDS.get(key) or Kind(key, N_("A kind of activity that is not offered any more"), is_gone=True)


__all__ = ["KINDS", "Kind", "kind_of"]

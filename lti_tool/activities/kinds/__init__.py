"""The kinds of activity, one file each, as plain values. A new kind is a file and a line in `KINDS`."""

from typing import Final

from lti_tool.activities.kinds.kind import Kind
from lti_tool.activities.kinds.observation import OBSERVATION
from lti_tool.errors import N_

KINDS: Final[dict[str, Kind]] = {kind.key: kind for kind in (OBSERVATION,)}


def kind_of(key: str) -> Kind:
    """The kind with this key. One that this version does not have asks for nothing and takes nothing."""
    return KINDS.get(key) or Kind(key, N_("A kind of activity that is not offered any more"))


__all__ = ["KINDS", "Kind", "kind_of"]

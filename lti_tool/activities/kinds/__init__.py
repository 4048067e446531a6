"""The kinds of activity, one file each, as plain values."""

from typing import Final

from lti_tool.activities.kinds.kind import Kind
from lti_tool.activities.kinds.observation import OBSERVATION

KINDS: Final[dict[str, Kind]] = {kind.key: kind for kind in (OBSERVATION,)}

__all__ = ["KINDS", "Kind"]

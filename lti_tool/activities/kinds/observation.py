"""Observation and feedback: one watches, the other is watched, then they change seats."""

from typing import Final

from lti_tool.activities.kinds.kind import Kind
from lti_tool.errors import N_

OBSERVATION: Final = Kind(
    key="observation",
    title=N_("Observation and feedback"),
    seats=("observed", "observer"),
    swaps_inside=True,
    smallest_group=2,
    largest_group=3,
)

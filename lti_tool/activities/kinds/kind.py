"""The shape that all kinds share."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """What people do together in an activity, and in which seats. Texts are marked for translation."""

    key: str
    title: str
    seats: tuple[str, ...]
    """Names of the seats of a group, in the order in which they begin."""
    swaps_inside: bool
    """Whether everybody takes every seat within one round."""
    smallest_group: int
    largest_group: int

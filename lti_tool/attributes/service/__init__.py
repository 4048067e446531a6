"""Attributes of learners: stored, read, asked for, uploaded and deleted."""

from lti_tool.attributes.service.reading import attributes_of
from lti_tool.attributes.service.records import (
    after_launch,
    answer,
    ask_for,
    asks,
    delete_all,
    find_manager,
    forget_outsiders,
    forget_person,
    put,
    skip,
    take_back,
)

__all__ = [
    "after_launch",
    "answer",
    "ask_for",
    "asks",
    "attributes_of",
    "delete_all",
    "find_manager",
    "forget_outsiders",
    "forget_person",
    "put",
    "skip",
    "take_back",
]

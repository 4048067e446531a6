"""What the gradebook should hold, where it goes, and what was sent."""

from lti_tool.grades.service.scores import (
    POINTS_CHANGED,
    answer_question,
    look_again,
    members_to_check,
    note_progress,
    recreate_column,
    send_again,
    send_all_again,
    wake,
)

__all__ = [
    "POINTS_CHANGED",
    "answer_question",
    "look_again",
    "members_to_check",
    "note_progress",
    "recreate_column",
    "send_again",
    "send_all_again",
    "wake",
]

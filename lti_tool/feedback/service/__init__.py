"""What people write to each other: kept as it is typed, given, released, read, answered, handed over, erased."""

from lti_tool.feedback.service.drafts import (
    Saved,
    add_note,
    asides_of,
    remove_note,
    save_draft,
    settle_aside,
    stamps_of,
)
from lti_tool.feedback.service.exchanges import Exchange, SideBySide, exchanges_of, side_by_side, typical_levels
from lti_tool.feedback.service.exports import (
    erase_texts_of,
    named,
    notes_to_partners_of,
    points_given,
    rubric_in_words,
    texts_of,
)
from lti_tool.feedback.service.favorites import drop_question, favorites_of, keep_question
from lti_tool.feedback.service.meetings import Meeting, Participant, done_by_group, find_meeting, group_at, version_of
from lti_tool.feedback.service.partner_notes import addresses_of, notes_between, tell_partner
from lti_tool.feedback.service.reading import Shown, answer_task, has_own_view, read_entry
from lti_tool.feedback.service.release import BATCH, is_released, release_due
from lti_tool.feedback.service.submission import confirm, give, take_back
from lti_tool.feedback.service.tasks import (
    Task,
    begun_with_rubric,
    draft_fields,
    find_entry,
    find_task,
    notes_of,
    problems_of,
    questions_of,
    rubric_id_of,
    rubric_of,
)

__all__ = [
    "BATCH",
    "Exchange",
    "Meeting",
    "Participant",
    "Saved",
    "Shown",
    "SideBySide",
    "Task",
    "add_note",
    "addresses_of",
    "answer_task",
    "asides_of",
    "begun_with_rubric",
    "confirm",
    "done_by_group",
    "draft_fields",
    "drop_question",
    "erase_texts_of",
    "exchanges_of",
    "favorites_of",
    "find_entry",
    "find_meeting",
    "find_task",
    "give",
    "group_at",
    "has_own_view",
    "is_released",
    "keep_question",
    "named",
    "notes_between",
    "notes_of",
    "notes_to_partners_of",
    "points_given",
    "problems_of",
    "questions_of",
    "read_entry",
    "release_due",
    "remove_note",
    "rubric_id_of",
    "rubric_in_words",
    "rubric_of",
    "save_draft",
    "settle_aside",
    "side_by_side",
    "stamps_of",
    "take_back",
    "tell_partner",
    "texts_of",
    "typical_levels",
    "version_of",
]

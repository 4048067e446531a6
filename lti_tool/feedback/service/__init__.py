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
from lti_tool.feedback.service.exchanges import Exchange, exchanges_of, typical_levels
from lti_tool.feedback.service.exports import erase_texts_of, named, notes_to_partners_of, texts_of
from lti_tool.feedback.service.facilitating import (
    SeatView,
    ask_to_agree_again,
    facilitated_meeting,
    leave_seat,
    seats_for,
    take_seat,
)
from lti_tool.feedback.service.favorites import drop_question, favorites_of, keep_question
from lti_tool.feedback.service.meetings import (
    Facilitator,
    Meeting,
    Participant,
    done_by_group,
    find_meeting,
    group_at,
    version_of,
)
from lti_tool.feedback.service.moderation import ADDITION, lock_entry, mark_read, show_again, withhold
from lti_tool.feedback.service.partner_notes import addresses_of, notes_between, tell_partner
from lti_tool.feedback.service.reading import Shown, answer_task, read_entry
from lti_tool.feedback.service.release import BATCH, release_due
from lti_tool.feedback.service.submission import add_later, confirm, give, take_back
from lti_tool.feedback.service.tasks import (
    Task,
    draft_fields,
    find_entry,
    find_task,
    levels_by_criterion,
    notes_of,
    problems_of,
    rubric_id_of,
    rubric_of,
)

__all__ = [
    "ADDITION",
    "BATCH",
    "Exchange",
    "Facilitator",
    "Meeting",
    "Participant",
    "Saved",
    "SeatView",
    "Shown",
    "Task",
    "add_later",
    "add_note",
    "addresses_of",
    "answer_task",
    "asides_of",
    "ask_to_agree_again",
    "confirm",
    "done_by_group",
    "draft_fields",
    "drop_question",
    "erase_texts_of",
    "exchanges_of",
    "facilitated_meeting",
    "favorites_of",
    "find_entry",
    "find_meeting",
    "find_task",
    "give",
    "group_at",
    "keep_question",
    "leave_seat",
    "levels_by_criterion",
    "lock_entry",
    "mark_read",
    "named",
    "notes_between",
    "notes_of",
    "notes_to_partners_of",
    "problems_of",
    "read_entry",
    "release_due",
    "remove_note",
    "rubric_id_of",
    "rubric_of",
    "save_draft",
    "seats_for",
    "settle_aside",
    "show_again",
    "stamps_of",
    "take_back",
    "take_seat",
    "tell_partner",
    "texts_of",
    "typical_levels",
    "version_of",
    "withhold",
]

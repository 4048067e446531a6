"""What a draft of feedback and a draft of an answer to it have in common: how a save is laid over what is stored."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from lti_tool.feedback import rules
from lti_tool.feedback.errors import TextTooLong
from lti_tool.feedback.models import AnswerDraft, Feedback


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save made of a draft."""

    version: int
    saved_at: datetime
    newer: Mapping[str, tuple[str, int]]
    """Fields that another device changed meanwhile, with their versions."""
    aside: tuple[rules.Aside, ...]
    has_conflict: bool
    is_released: bool = False
    """The receiver can read what was given, so what was saved now goes nowhere."""


def stamps_of(row: Feedback | AnswerDraft | None) -> dict[str, rules.Stamp]:
    """When and where each field last changed."""
    return {} if row is None else {name: rules.Stamp(int(at), str(device)) for name, (at, device) in row.stamps.items()}


def asides_of(row: Feedback | AnswerDraft | None) -> tuple[rules.Aside, ...]:
    """Texts kept aside, oldest first."""
    if row is None:
        return ()
    return tuple(rules.Aside(one["field"], one["text"], datetime.fromisoformat(one["at"])) for one in row.kept_aside)


def checked(typed: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """The known ones of the typed fields, cleaned; a choice that is no number counts as none. Raises TextTooLong."""
    cleaned = {name: rules.clean(text) for name, text in typed.items() if name in known}
    for name, text in cleaned.items():
        if len(text) > rules.LONGEST_DRAFT:
            raise TextTooLong(name, len(text))
        if rules.is_choice(name) and not (text == "" or (text.isdecimal() and len(text) < 19)):
            cleaned[name] = ""
    return cleaned


def as_draft(row: Feedback | AnswerDraft, fields: Mapping[str, str]) -> rules.Draft:
    """A stored draft as the rules take it."""
    return rules.Draft(fields, stamps_of(row), asides_of(row), row.version)


def note_save(row: Feedback | AnswerDraft, merged: rules.Merged, *, now: datetime) -> None:
    """Write down what a merge says about a save; the fields themselves are the caller's to write."""
    row.version += 1
    row.saved_at = now
    row.stamps = {name: [stamp.version, stamp.device] for name, stamp in merged.stamps.items()}
    row.kept_aside = aside_rows(merged.aside)


def aside_rows(aside: Iterable[rules.Aside]) -> list[dict[str, str]]:
    """Texts kept aside as they are stored."""
    return [{"field": one.field, "text": one.text, "at": one.at.isoformat()} for one in aside]

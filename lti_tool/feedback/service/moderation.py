"""A given text after it was given: read by its receiver, set aside because of a report, shown again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.feedback import rules
from lti_tool.feedback.models import Entry

ADDITION: Final = "addition-"
"""Prefix under which what was added later stands beside the fields."""
DRAFTS: Final = frozenset({rules.NOTE_DRAFT, rules.ADDITION_DRAFT})
"""Fields that are typed and belong to nothing that was given yet."""


def lock_entry(session: Session, entry_id: int) -> Entry:
    """The entry as it is now, locked until the transaction ends."""
    statement = select(Entry).where(Entry.id == entry_id).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def withhold(entry: Entry, *, now: datetime) -> dict[str, str]:
    """Let nobody but its author read a locked entry. Returns its texts, additions included."""
    entry.withheld_at = entry.withheld_at or now
    entry.version += 1
    added = {f"{ADDITION}{place}": str(one["text"]) for place, one in enumerate(entry.additions)}
    return {**{name: str(text) for name, text in entry.fields.items() if name not in DRAFTS}, **added}


def show_again(entry: Entry, texts: Mapping[str, str]) -> None:
    """Let a locked entry be read again, with these texts as `withhold` returned them or with passages hidden."""
    entry.withheld_at = None
    entry.version += 1
    drafts = {name: text for name, text in entry.fields.items() if name in DRAFTS}
    entry.fields = {**{name: text for name, text in texts.items() if not name.startswith(ADDITION)}, **drafts}
    entry.additions = [
        {**one, "text": texts.get(f"{ADDITION}{place}", one["text"])} for place, one in enumerate(entry.additions)
    ]


def mark_read(session: Session, entry: Entry, *, now: datetime) -> None:
    """Note that its receiver opened it: from now on it stays as it is. Past the version, which counts what its author
    saves.
    """
    if entry.read_at is None:
        session.execute(
            update(Entry)
            .where(Entry.id == entry.id, Entry.read_at.is_(None))
            .values(read_at=now)
            .execution_options(synchronize_session=False)
        )

"""What a designer wants of the groups of an activity: read, saved, and copied."""

from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity
from lti_tool.launch.rules.context import LaunchContext
from lti_tool.pairing.errors import PreferencesChanged
from lti_tool.pairing.models import PairingPreferences
from lti_tool.pairing.rules.preferences import Preferences, read
from lti_tool.pairing.store.plans import hold
from lti_tool.web.visits import Visit


@dataclass(frozen=True, slots=True)
class SavedPreferences:
    """An activity's preferences, and how often they were saved."""

    preferences: Preferences
    version: int = 0
    """0 if nothing was saved: these are the defaults, or the preferences of the activity that this is a copy of."""


def preferences_of(session: Session, activity: Activity) -> SavedPreferences:
    """What the designer wants. A copy without saved preferences has those of the activity it was copied from."""
    seen: set[int] = set()
    source: Activity | None = activity
    while source is not None and source.id not in seen:
        seen.add(source.id)
        row = _row(session, source.id)
        if row is not None:
            return SavedPreferences(_read(row), row.version if source.id == activity.id else 0)
        source = session.get(Activity, source.copied_from_id) if source.copied_from_id is not None else None
    return SavedPreferences(Preferences())


def save_preferences(
    session: Session, activity_id: int, wanted: Preferences, *, expected_version: int, by: int | None, now: datetime
) -> None:
    """Save what a designer wants. Groups stay as they are until someone proposes or mends. `by` is a person.

    Raises PreferencesInvalid, PreferencesChanged if someone saved since `expected_version`, and ActivityReadOnly.
    """
    activities.refuse_read_only(session, hold(session, activity_id))
    read(wanted.to_json())
    row = _row(session, activity_id)
    if (row.version if row is not None else 0) != expected_version:
        raise PreferencesChanged(activity_id)
    _write(session, row or PairingPreferences(activity_id=activity_id), wanted, by=by, now=now)


def after_launch(session: Session, visit: Visit, context: LaunchContext, now: datetime) -> None:
    """If the launch of a copied link made a copy of an activity, give it the preferences that the original has today.

    Repeating it changes nothing. Rules are copied; pins and people who are kept apart are not.
    """
    if not context.custom.get("activity"):
        return  # Only links with a key are ever copies.
    copy = activities.activity_of(session, visit.placement_id)
    if copy is None or copy.copied_from_id is None:
        return
    saved = preferences_of(session, copy)
    if saved.version == 0 and saved.preferences != Preferences():
        # Someone else may have launched the same new link first.
        with suppress(IntegrityError), session.begin_nested():
            _write(session, PairingPreferences(activity_id=copy.id), saved.preferences, by=None, now=now)


def _row(session: Session, activity_id: int) -> PairingPreferences | None:
    """The saved row as it is now, also if this session has read it before."""
    saved = select(PairingPreferences).where(PairingPreferences.activity_id == activity_id)
    return session.scalar(saved.execution_options(populate_existing=True))


def _read(row: PairingPreferences) -> Preferences:
    return read({field.name: getattr(row, field.name) for field in fields(Preferences)})


def _write(session: Session, row: PairingPreferences, wanted: Preferences, *, by: int | None, now: datetime) -> None:
    for field, value in wanted.to_json().items():
        setattr(row, field, value)
    row.changed_by_id, row.changed_at = by, now
    session.add(row)
    session.flush()

"""Something that happened between meetings: a member reflects on it at any time, for themselves."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import Between, Form, kind_of
from lti_tool.activities.service import refuse_read_only
from lti_tool.feedback import rules
from lti_tool.feedback.errors import OccasionUnknown
from lti_tool.feedback.models import Occasion
from lti_tool.feedback.service.drafts import Saved, aside_rows, asides_of, checked, save_draft, stamps_of
from lti_tool.feedback.service.meetings import find_meeting
from lti_tool.pairing import service as pairing


def occasions_of(session: Session, activity_id: int, member_id: int) -> list[Occasion]:
    """Those about which the member wrote something, the newest first."""
    statement = select(Occasion).where(Occasion.activity_id == activity_id, Occasion.author_id == member_id)
    return [row for row in session.scalars(statement.order_by(Occasion.id.desc())) if _has_text(row)]


def begin_occasion(session: Session, activity: Activity, member_id: int, *, now: datetime) -> Occasion:
    """A new one, or one that the member began and left empty. Raises OccasionUnknown where the kind asks for none, and
    ActivityReadOnly.
    """
    refuse_read_only(session, activity)
    form_of_occasions(activity)
    statement = select(Occasion).where(Occasion.activity_id == activity.id, Occasion.author_id == member_id)
    last = session.scalars(statement.order_by(Occasion.id.desc()).limit(1)).first()
    if last is not None and not _has_text(last):
        last.created_at = now
        return last
    occasion = Occasion(activity_id=activity.id, author_id=member_id, created_at=now, saved_at=now, version=1)
    session.add(occasion)
    session.flush()
    return occasion


def find_occasion(session: Session, activity: Activity, occasion_id: int, member_id: int) -> Occasion:
    """The member's own. Raises OccasionUnknown."""
    row = session.scalar(
        select(Occasion)
        .where(Occasion.id == occasion_id, Occasion.activity_id == activity.id, Occasion.author_id == member_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise OccasionUnknown(occasion_id)
    return row


def form_of_occasions(activity: Activity) -> Form:
    """What the kind asks. Raises OccasionUnknown where it asks for none."""
    return _between(activity).form


def save_occasion(
    session: Session,
    activity: Activity,
    occasion: Occasion,
    typed: Mapping[str, str],
    bases: Mapping[str, int],
    *,
    device: str,
    now: datetime,
) -> Saved:
    """Keep what was typed; a text that this device never saw is kept aside. Raises ActivityReadOnly, TextTooLong."""
    refuse_read_only(session, activity)
    form = form_of_occasions(activity)
    known = checked(form, (), typed)
    draft = rules.Draft(occasion.fields, stamps_of(occasion), asides_of(occasion), occasion.version)
    merged = rules.merge(draft, known, bases, device=device, now=now)
    if merged.changed or merged.has_conflict:
        occasion.fields = {**occasion.fields, **merged.changed}
        occasion.stamps = {name: [stamp.version, stamp.device] for name, stamp in merged.stamps.items()}
        occasion.kept_aside = aside_rows(merged.aside)
        occasion.version += 1
        occasion.saved_at = now
        session.flush()
    newer = rules.newer_than_seen(occasion.fields, merged.stamps, bases, device=device)
    return Saved(occasion.version, occasion.saved_at, newer, merged.aside, merged.has_conflict)


def settle_aside_of(
    session: Session, activity: Activity, occasion: Occasion, key: str, *, use: bool, device: str, now: datetime
) -> None:
    """Take a text that was kept aside in place of the present one, which is then kept aside; or let it go."""
    refuse_read_only(session, activity)
    asides = asides_of(occasion)
    chosen = next((aside for aside in asides if aside.key == key), None)
    if chosen is None:
        return
    left = [aside for aside in asides if aside is not chosen]
    occasion.version += 1
    if use:
        present = occasion.fields.get(chosen.field, "")
        left += [rules.Aside(chosen.field, present, now)] if present.strip() else []
        occasion.fields = {**occasion.fields, chosen.field: chosen.text}
        occasion.stamps = {**occasion.stamps, chosen.field: [occasion.version, device]}
    occasion.kept_aside = aside_rows(left)
    session.flush()


def next_meeting(session: Session, activity: Activity, member_id: int, *, now: datetime) -> int | None:
    """The number of the round in which the member meets next; that of the last one where all are over."""
    views = pairing.published_groups(session, activity.id, member_id=member_id)
    ahead = [view.round_number for view in views if view.due_at is None or view.due_at > now]
    return ahead[0] if ahead else views[-1].round_number if views else None


def bring_to_meeting(
    session: Session, activity: Activity, occasion: Occasion, round_number: int, *, device: str, now: datetime
) -> str:
    """Put the text of an occasion into the member's own part of a meeting, below what is there. Returns the step.

    What the author keeps for themselves stays as it is. Bringing it again adds nothing that is there already.
    Raises NotInGroup, ActivityClosed, TextTooLong.
    """
    between = _between(activity)
    meeting = find_meeting(session, activity, round_number, occasion.author_id)
    step = meeting.kind.step(between.into)
    if step is None:
        raise OccasionUnknown(occasion.id)
    entry = meeting.entry(step)
    texts = {key: entry.fields.get(key, "") if entry is not None else "" for _, key in between.fields}
    for own, key in between.fields:
        text = occasion.fields.get(own, "").strip()
        if text and text not in texts[key]:
            texts[key] = f"{texts[key].rstrip()}\n{text}".strip()
    seen = dict.fromkeys(texts, entry.version if entry is not None else 0)
    save_draft(session, meeting.task(step), texts, seen, device=device, now=now)
    occasion.brought_to = round_number
    return step.key


def _between(activity: Activity) -> Between:
    between = kind_of(activity.kind).between
    if between is None:
        raise OccasionUnknown(activity.id)
    return between


def _has_text(occasion: Occasion) -> bool:
    return any(text.strip() for text in occasion.fields.values())

"""What one person wrote and may read, for their export, and what is removed when they are erased."""

from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from typing import Any

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import Audience, Field, Form, kind_of
from lti_tool.feedback import rules
from lti_tool.feedback.models import Entry, FavoriteQuestion, Note, Occasion, PartnerNote
from lti_tool.feedback.service.moderation import DRAFTS
from lti_tool.feedback.service.release import anonymous_order
from lti_tool.feedback.service.tasks import notes_of, rubric_of
from lti_tool.launch.models import Member
from lti_tool.pairing.models import Seat
from lti_tool.rubrics import service as rubrics
from lti_tool.rubrics.rules import MARK, Asked, share_of
from lti_tool.support.db import in_batches


def texts_of(session: Session, person_id: int) -> list[dict[str, Any]]:
    """Everything written that is a person's own: by them, drafts included, by their groups, or released to them.

    Plain values only, oldest first, names of partners left out. What a form calls a field names its text. Of what came
    without a name, times and rubric levels are left out; it stands where all of it was shown, in an order by chance.
    """
    own = _members(session, person_id)
    own_groups = select(Seat.group_id).where(Seat.member_id.in_(own))
    rows = session.execute(
        select(Entry, Activity.kind, Activity.title, Round.number)
        .select_from(Entry)
        .join(Activity, Activity.id == Entry.activity_id)
        .join(Round, Round.id == Entry.round_id)
        .where(
            or_(
                Entry.author_id.in_(own),
                and_(Entry.recipient_id.in_(own), Entry.released_at.is_not(None), Entry.withheld_at.is_(None)),
                and_(Entry.author_id.is_(None), Entry.group_id.in_(own_groups)),
            )
        )
    ).all()
    listed = []
    for entry, kind_key, title, number in sorted(rows, key=lambda row: _in_order(row.Entry, own)):
        step = kind_of(kind_key).step(entry.step)
        direction = "together" if entry.author_id is None else "given" if entry.author_id in own else "received"
        given_at = entry.submitted_at if not _is_unnamed(entry, own) else None
        listed.append(
            {
                "activity": title,
                "round": number,
                "step": step.words.name if step is not None else entry.step,
                "direction": direction,
                **({"anonymous": True} if entry.alias is not None else {}),
                "given_at": given_at.isoformat() if given_at else None,
                "released_at": entry.released_at.isoformat() if entry.released_at else None,
                **_texts(session, entry, step.form if step is not None else None, own),
            }
        )
    return listed


def _is_unnamed(entry: Entry, own: Collection[int]) -> bool:
    """Whether these members received it without a name."""
    return entry.alias is not None and entry.author_id not in own


def _in_order(entry: Entry, own: Collection[int]) -> tuple[Any, Any]:
    return anonymous_order(entry) if _is_unnamed(entry, own) else (entry.created_at, entry.id)


def _texts(session: Session, entry: Entry, form: Form | None, own: Collection[int]) -> dict[str, Any]:
    is_own, is_unnamed = entry.author_id in own or entry.author_id is None, _is_unnamed(entry, own)
    view: dict[str, Any] = {
        "texts": named(form, entry.fields, None if is_own else Audience.RECIPIENT),
        "levels": rubric_in_words(session, entry.rubric_id, entry.fields, words_only=is_unnamed),
        "added_later": [
            {"at": added["at"] if not is_unnamed else None, "text": added["text"]} for added in entry.additions
        ],
    }
    if is_own:
        correction = entry.correction or {}
        view["counted"] = entry.counted
        view["notes"] = [{"at": note.at.isoformat(), "text": note.text} for note in notes_of(session, entry)]
        view["not_given"] = {
            **named(form, correction),
            **rubric_in_words(session, entry.rubric_id, correction),
            **{key: entry.fields.get(key, "") for key in DRAFTS},
            "kept_aside": [{"field": _name(form, one["field"]), "text": one["text"]} for one in entry.kept_aside],
        }
    return view


def named(form: Form | None, fields: Mapping[str, str], audience: Audience | None = None) -> dict[str, str]:
    """Texts that are not empty, by what the form calls their fields, in its order; a choice in its words.

    `audience` is who reads; None is the author, who sees also what the form does not ask for any more.
    """
    known = form.texts if form is not None else ()
    texts = {
        field.name: _in_words(field, fields[field.key])
        for field in known
        if fields.get(field.key, "").strip() and (audience is None or audience in field.seen_by)
    }
    if audience is None:
        unknown = fields.keys() - {field.key for field in known} - DRAFTS
        texts |= {key: fields[key] for key in sorted(unknown) if fields[key].strip() and not key.startswith(MARK)}
    return texts


def _in_words(field: Field, text: str) -> str:
    return next((choice.label for choice in field.choices if choice.value == text), text)


def _name(form: Form | None, key: str) -> str:
    if form is not None and form.notes is not None and key.startswith((rules.NOTE_DRAFT, rules.NOTE)):
        return form.notes.question
    return next((field.name for field in form.texts if field.key == key), key) if form is not None else key


def rubric_in_words(
    session: Session, rubric_id: int | None, fields: Mapping[str, str], *, words_only: bool = False
) -> dict[str, str]:
    """What was answered to the questions of a rubric, by the names of its criteria; or only texts and comments."""
    if rubric_id is None or not any(name.startswith(MARK) for name in fields):
        return {}
    replies: dict[str, str] = {}
    for asked in rubrics.questions_of(rubric_of(session, rubric_id)):
        reply = asked.in_own_words(fields) if words_only else asked.reply(fields)
        name, text = asked.draft.name, reply.text
        if text:
            # Criteria about two seats may share a name.
            replies[name] = f"{replies[name]}\n{text}" if name in replies else text
    return replies


def points_given(session: Session, entry_ids: Iterable[int]) -> dict[int, Fraction]:
    """The share of the rubric points that these entries give to their receivers, by member: the mean of all that give
    any.
    """
    shares_by_member: dict[int, list[Fraction]] = {}
    asked: dict[int, list[Asked]] = {}
    wanted = select(Entry.recipient_id, Entry.rubric_id, Entry.fields)
    for batch in in_batches(entry_ids):
        for recipient_id, rubric_id, fields in session.execute(wanted.where(Entry.id.in_(batch))):
            if recipient_id is None or rubric_id is None:
                continue
            if rubric_id not in asked:
                asked[rubric_id] = rubrics.questions_of(rubric_of(session, rubric_id))
            share = share_of(asked[rubric_id], fields)
            if share is not None:
                shares_by_member.setdefault(recipient_id, []).append(share)
    return {member_id: sum(shares, Fraction(0)) / len(shares) for member_id, shares in shares_by_member.items()}


def notes_to_partners_of(session: Session, person_id: int) -> list[dict[str, Any]]:
    """What a person told partners before they met, and what partners told them; names of partners left out."""
    own = _members(session, person_id)
    rows = session.execute(
        select(PartnerNote, Activity.title, Round.number)
        .join(Round, Round.id == PartnerNote.round_id)
        .join(Activity, Activity.id == Round.activity_id)
        .where(or_(PartnerNote.author_id.in_(own), PartnerNote.recipient_id.in_(own)))
        .order_by(PartnerNote.at, PartnerNote.id)
    )
    return [
        {
            "activity": title,
            "round": number,
            "direction": "given" if note.author_id in own else "received",
            "at": note.at.isoformat(),
            "text": note.text,
        }
        for note, title, number in rows
    ]


def occasion_texts_of(session: Session, members: Collection[int]) -> list[dict[str, Any]]:
    """What members wrote about what happened between meetings, oldest first."""
    rows = session.execute(
        select(Occasion, Activity.kind, Activity.title)
        .join(Activity, Activity.id == Occasion.activity_id)
        .where(Occasion.author_id.in_(members))
        .order_by(Occasion.id)
    )
    listed = []
    for occasion, kind_key, title in rows:
        between = kind_of(kind_key).between
        form = between.form if between is not None else None
        aside = [{"field": _name(form, one["field"]), "text": one["text"]} for one in occasion.kept_aside]
        texts = {"texts": named(form, occasion.fields), "kept_aside": aside}
        listed.append({"activity": title, "at": occasion.created_at.isoformat(timespec="seconds"), **texts})
    return listed


def erase_texts_of(session: Session, person_id: int) -> None:
    """Remove what only this person could see: drafts, notes, texts kept aside, and what was written to nobody.

    What was given to somebody stays, since it is the partner's record too; the page shows it without a name from then
    on. What a group wrote together is the group's.
    """
    own = _members(session, person_id)
    written = select(Entry.id).where(Entry.author_id.in_(own))
    private = [entry_id for entry_id, kind, step in _given(session, own) if _is_private(kind, step)]
    for statement in (
        delete(Note).where(Note.entry_id.in_(written)),
        delete(PartnerNote).where(PartnerNote.author_id.in_(own)),
        delete(Occasion).where(Occasion.author_id.in_(own)),
        delete(FavoriteQuestion).where(FavoriteQuestion.member_id.in_(own)),
        delete(Entry).where(or_(and_(Entry.author_id.in_(own), Entry.submitted_at.is_(None)), Entry.id.in_(private))),
        update(Entry).where(Entry.author_id.in_(own)).values(correction=None, kept_aside=[], stamps={}),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()
    for entry in session.scalars(select(Entry).where(Entry.author_id.in_(own))):
        if DRAFTS & entry.fields.keys():
            entry.fields = {name: text for name, text in entry.fields.items() if name not in DRAFTS}
    session.flush()


def _given(session: Session, own: set[int]) -> list[tuple[int, str, str]]:
    rows = session.execute(
        select(Entry.id, Activity.kind, Entry.step)
        .join(Activity, Activity.id == Entry.activity_id)
        .where(Entry.author_id.in_(own), Entry.submitted_at.is_not(None))
    )
    return [(entry_id, kind, step) for entry_id, kind, step in rows]


def _is_private(kind_key: str, step_key: str) -> bool:
    """Whether nobody but its author reads what is written in this step."""
    step = kind_of(kind_key).step(step_key)
    return step is not None and step.form is not None and not step.form.audience


def _members(session: Session, person_id: int) -> set[int]:
    return set(session.scalars(select(Member.id).where(Member.person_id == person_id)))

"""Practices are offered, agreed to, taken back, hidden, and shared with the institution."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import Audience, FieldKind, Step, kind_for
from lti_tool.feedback import service as feedback
from lti_tool.feedback.errors import FeedbackHidden
from lti_tool.feedback.models import Entry
from lti_tool.feedback.rules import Reader as ReaderOfFeedback
from lti_tool.feedback.rules import clean
from lti_tool.goals.models import Resource, Win
from lti_tool.launch.models import Course, Member, Person
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Seat, published_seats
from lti_tool.practices import rules
from lti_tool.practices.errors import NobodyToAsk, PracticeChanged, PracticeGone, PracticeRefused
from lti_tool.practices.models import Consent, Practice
from lti_tool.practices.rules import Draft, Kind, Stage

MOST: Final = 100
"""How many of each part of the library a page lists, the newest first."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the library of a course."""

    member_id: int
    course_id: int
    is_staff: bool


@dataclass(frozen=True, slots=True)
class PracticeView:
    """A practice as its reader may see it. It names nobody."""

    practice: Practice
    stage: Stage
    asked: int
    """Everybody concerned."""
    agreed: int
    own_answer: Consent | None
    """None for somebody whom it does not concern."""
    is_mine: bool
    is_from_here: bool
    """Whether it comes from the reader's course."""


@dataclass(frozen=True, slots=True)
class Library:
    """What a reader finds on the page of the course library."""

    own: tuple[PracticeView, ...]
    """Those that concern the reader, whoever reads them by now."""
    course: tuple[PracticeView, ...]
    elsewhere: tuple[PracticeView, ...]
    """Those of other courses, which instructors brought to the whole institution."""


@dataclass(frozen=True, slots=True)
class News:
    """Something about a practice that a member's first page says."""

    practice: Practice
    what: str
    """`asked`, `declined` by somebody else, or `hidden` by staff."""


@dataclass(frozen=True, slots=True)
class Source:
    """Something of a member's own from which an offer begins."""

    kind: Kind
    title: str
    text: str
    group_id: int | None
    """The group that it comes from, which must agree."""
    between: frozenset[int] = frozenset()
    """Of feedback its giver and its receiver, who alone know it: they must agree, and no one else is asked."""


# ---- reading ---------------------------------------------------------------------------------------------------------


def library_of(session: Session, reader: Reader) -> Library:
    """What the reader finds in the library of their course."""
    concerns = exists().where(Consent.practice_id == Practice.id, Consent.member_id == reader.member_id)
    in_course = Practice.course_id == reader.course_id
    shown = Practice.is_agreed() if reader.is_staff else Practice.is_shown()
    return Library(
        tuple(_views(session, reader, in_course, concerns)),
        tuple(_views(session, reader, in_course, shown, ~concerns)),
        tuple(
            _views(
                session,
                reader,
                Practice.course_id != reader.course_id,
                Practice.is_shown(),
                Practice.in_institution_at.is_not(None),
            )
        ),
    )


def read_practice(session: Session, reader: Reader, practice_id: int) -> PracticeView:
    """One practice that the reader may see. Raises PracticeGone."""
    view = next(iter(_views(session, reader, Practice.id == practice_id)), None)
    if view is None or not _may_read(view, reader):
        raise PracticeGone(practice_id)
    return view


def _may_read(view: PracticeView, reader: Reader) -> bool:
    return rules.may_read(
        view.stage,
        is_concerned=view.is_from_here and view.own_answer is not None,
        is_in_course=view.is_from_here,
        is_staff=reader.is_staff,
        is_in_library=view.practice.in_institution_at is not None,
    )


def _views(session: Session, reader: Reader, *conditions: ColumnElement[bool]) -> list[PracticeView]:
    own = aliased(Consent)

    def answers(*more: ColumnElement[bool]) -> Any:
        of_it = select(func.count(Consent.id)).where(Consent.practice_id == Practice.id, *more)
        return of_it.correlate(Practice).scalar_subquery()

    rows = session.execute(
        select(
            Practice,
            own,
            answers(),
            answers(Consent.agreed_at.is_not(None)),
            answers(Consent.declined_at.is_not(None)),
        )
        .outerjoin(own, (own.practice_id == Practice.id) & (own.member_id == reader.member_id))
        .where(*conditions)
        .order_by(Practice.worded_at.desc(), Practice.id.desc())
        .limit(MOST)
        .execution_options(populate_existing=True)
    )
    return [
        PracticeView(
            practice,
            rules.stage_of(asked=asked, agreed=agreed, declined=declined, is_hidden=practice.hidden_at is not None),
            asked,
            agreed,
            answer,
            practice.owner_id == reader.member_id,
            practice.course_id == reader.course_id,
        )
        for practice, answer, asked, agreed, declined in rows
    ]


# ---- offering --------------------------------------------------------------------------------------------------------


def source_of(
    session: Session, reader: Reader, *, win_id: int = 0, resource_id: int = 0, entry_id: int = 0, now: datetime
) -> Source | None:
    """A win that the member logged, a resource that they put on a shelf, or a text that they wrote or received, as the
    beginning of an offer.
    """
    if entry_id:
        return _written(session, reader, entry_id, now=now)
    if win_id:
        mine = Win.author_id == reader.member_id, Win.course_id == reader.course_id, Win.removed_at.is_(None)
        win = session.scalar(select(Win).where(Win.id == win_id, *mine))
        return Source(Kind.EXAMPLE, "", win.text, win.group_id) if win is not None else None
    own = Resource.author_id == reader.member_id, Resource.course_id == reader.course_id
    resource = session.scalar(select(Resource).where(Resource.id == resource_id, *own)) if resource_id else None
    if resource is None:
        return None
    text = "\n\n".join(part for part in (resource.address, resource.use, resource.outcome) if part)
    return Source(Kind.RESOURCE, resource.title, text, None if resource.is_for_course else resource.group_id)


def _written(session: Session, reader: Reader, entry_id: int, *, now: datetime) -> Source | None:
    """What the member wrote down themselves, or feedback that they gave or have read."""
    own = session.execute(
        select(Entry, Activity)
        .join(Activity, Activity.id == Entry.activity_id)
        .where(Entry.id == entry_id, Entry.author_id == reader.member_id, Entry.recipient_id.is_(None))
        .where(Activity.course_id == reader.course_id)
    ).first()
    if own is not None:
        entry, activity = own
        return Source(Kind.EXAMPLE, "", _words(entry, kind_for(activity).step(entry.step)), entry.group_id)
    try:
        # Staff offer nothing, so what they may read as staff does not matter here.
        as_member = ReaderOfFeedback(reader.member_id, is_staff=False)
        shown = feedback.read_entry(session, entry_id, as_member, reader.course_id, now=now)
    except FeedbackHidden:
        return None
    entry = shown.entry
    is_own = entry.author_id == reader.member_id
    # Who is not named would be asked for consent, and that could tell who it was.
    if (not is_own and entry.read_at is None) or entry.alias is not None:
        return None
    between = frozenset({entry.author_id or 0, entry.recipient_id or 0})
    words = _words(entry, shown.step, None if is_own else Audience.RECIPIENT)
    return Source(Kind.PRACTICE, "", words, entry.group_id, between)


def _words(entry: Entry, step: Step | None, audience: Audience | None = None) -> str:
    """The texts of an entry that this audience reads, one after the other; None is its author."""
    sections = step.form.seen_by(audience) if step is not None and step.form is not None else ()
    texts = [field.key for section in sections for field in section.fields if field.kind is FieldKind.TEXT]
    return "\n\n".join(text for key in texts if (text := str(entry.fields.get(key, "")).strip()))


def members_of_group(
    session: Session, group_id: int, member_id: int, between: frozenset[int] = frozenset()
) -> list[int]:
    """The present members of a group of a published plan in which this member has a seat, or only these of them.

    Raises NobodyToAsk, also where one of these is not there.
    """
    seats = published_seats(Seat.member_id).join(Member, Member.id == Seat.member_id)
    present = set(session.scalars(seats.where(Seat.group_id == group_id, Member.status == "active")))
    if member_id not in present or not between <= present:
        raise NobodyToAsk(group_id)
    return sorted(between or present)


def members_asked(session: Session, practice: Practice) -> list[int]:
    """Everybody whom a practice concerns."""
    return list(session.scalars(select(Consent.member_id).where(Consent.practice_id == practice.id)))


def names_mentioned(session: Session, draft: Draft, members: Collection[int]) -> list[str]:
    """The names of these members that an offer mentions."""
    names = session.scalars(
        select(Person.name)
        .join(Member, Member.person_id == Person.id)
        .where(Member.id.in_(members), Person.name.is_not(None))
        .order_by(Member.id)
    )
    return rules.names_in(f"{draft.title}\n{draft.text}", [name for name in names if name])


def draft_of(kind: str, title: str, text: str) -> Draft:
    """An offer as it would be stored. Raises PracticeRefused."""
    draft = Draft(kind, " ".join(clean(title).split()), clean(text).strip())
    if flaws := rules.flaws_of(draft):
        raise PracticeRefused(tuple(flaws))
    return draft


def offer(
    session: Session,
    reader: Reader,
    draft: Draft,
    group_id: int | None,
    *,
    between: frozenset[int] = frozenset(),
    now: datetime,
) -> Practice:
    """Offer a text to the course's library, and ask everybody of the group that it comes from, or only these of them.

    Raises NobodyToAsk.
    """
    asked = [reader.member_id]
    if group_id is not None:
        asked = members_of_group(session, group_id, reader.member_id, between)
    practice = Practice(
        course_id=reader.course_id,
        owner_id=reader.member_id,
        is_from_group=group_id is not None,
        kind=draft.kind,
        title=draft.title,
        text=draft.text,
        offered_at=now,
        worded_at=now,
    )
    session.add(practice)
    session.flush()
    if group_id is not None:
        pairing.begin(session, group_id, now=now)
    _ask(session, practice, asked, now=now)
    return practice


def reword(
    session: Session, reader: Reader, practice_id: int, draft: Draft, *, seen_version: int, now: datetime
) -> None:
    """Give one's own practice other words; everybody concerned who is still in the course is asked again.

    An instructor takes it over into the institution's library again, who has read it by then. The same words change
    nothing. Raises PracticeGone, PracticeChanged.
    """
    practice = _own(session, reader, practice_id, seen_version)
    if (practice.kind, practice.title, practice.text) == (draft.kind, draft.title, draft.text):
        return
    practice.kind, practice.title, practice.text = draft.kind, draft.title, draft.text
    practice.worded_at, practice.in_institution_at = now, None
    still_here = select(Consent.member_id).join(Member, Member.id == Consent.member_id)
    asked = session.scalars(still_here.where(Consent.practice_id == practice.id, Member.status == "active")).all()
    session.execute(delete(Consent).where(Consent.practice_id == practice.id))
    _ask(session, practice, asked, now=now)


def _ask(session: Session, practice: Practice, members: Iterable[int], *, now: datetime) -> None:
    """Whoever offers a text agrees by that."""
    session.add_all(
        Consent(practice_id=practice.id, member_id=member_id, agreed_at=now if member_id == practice.owner_id else None)
        for member_id in members
    )
    session.flush()


def _own(session: Session, reader: Reader, practice_id: int, seen_version: int) -> Practice:
    practice, _ = _concerned(session, reader, practice_id)
    if practice.owner_id != reader.member_id:
        raise PracticeGone(practice_id)
    if practice.version != seen_version:
        raise PracticeChanged(practice_id)
    return practice


# ---- consent ---------------------------------------------------------------------------------------------------------


def agree(session: Session, reader: Reader, practice_id: int, *, seen_version: int, now: datetime) -> None:
    """Agree that others read a practice as this version has it. Raises PracticeGone, PracticeChanged."""
    practice, answer = _concerned(session, reader, practice_id)
    if practice.version != seen_version:
        raise PracticeChanged(practice_id)
    answer.agreed_at, answer.declined_at = answer.agreed_at or now, None
    session.flush()


def take_back(session: Session, reader: Reader, practice_id: int, *, now: datetime) -> None:
    """Say no, or take consent back: from now on only those concerned read it. At any time. Raises PracticeGone."""
    _, answer = _concerned(session, reader, practice_id)
    answer.agreed_at, answer.declined_at = None, answer.declined_at or now
    session.flush()


def remove(session: Session, reader: Reader, practice_id: int, *, seen_version: int) -> None:
    """Delete a practice of one's own. Raises PracticeGone, PracticeChanged."""
    session.delete(_own(session, reader, practice_id, seen_version))
    session.flush()


def _concerned(session: Session, reader: Reader, practice_id: int) -> tuple[Practice, Consent]:
    """A practice that concerns the reader, locked so that answers and other words come one after the other."""
    practice = _locked(session, reader, practice_id)
    answer = session.scalar(
        select(Consent)
        .where(Consent.practice_id == practice_id, Consent.member_id == reader.member_id)
        .execution_options(populate_existing=True)
    )
    if answer is None:
        raise PracticeGone(practice_id)
    return practice, answer


def _locked(session: Session, reader: Reader, practice_id: int) -> Practice:
    practice = session.scalar(
        select(Practice)
        .where(Practice.id == practice_id, Practice.course_id == reader.course_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if practice is None:
        raise PracticeGone(practice_id)
    return practice


# ---- what staff do ---------------------------------------------------------------------------------------------------


def hide(session: Session, reader: Reader, practice_id: int, reason: str, *, now: datetime) -> None:
    """Show a practice to its people and to staff only; its owner reads why. Raises PracticeGone, PracticeRefused."""
    practice = _agreed(session, reader, practice_id)
    reason = clean(reason).strip()
    if flaws := rules.flaws_of_reason(reason):
        raise PracticeRefused(tuple(flaws))
    practice.hidden_at, practice.hidden_why = practice.hidden_at or now, reason
    session.flush()


def show_again(session: Session, reader: Reader, practice_id: int) -> None:
    """Show a practice that was hidden. Raises PracticeGone."""
    practice = _agreed(session, reader, practice_id)
    practice.hidden_at, practice.hidden_why = None, ""
    session.flush()


def bring_to_institution(
    session: Session, reader: Reader, practice_id: int, *, seen_version: int, now: datetime
) -> None:
    """Let every course of the institution read a practice that the course reads. Raises PracticeGone, PracticeChanged.

    It stays the same text: once consent is taken back, no course reads it.
    """
    practice = _agreed(session, reader, practice_id)
    if practice.version != seen_version or practice.hidden_at is not None:
        raise PracticeChanged(practice_id)
    practice.in_institution_at = practice.in_institution_at or now
    session.flush()


def keep_in_course(session: Session, reader: Reader, practice_id: int) -> None:
    """Take a practice out of the institution's library. Raises PracticeGone."""
    _agreed(session, reader, practice_id).in_institution_at = None
    session.flush()


def _agreed(session: Session, reader: Reader, practice_id: int) -> Practice:
    """A practice to which everybody concerned agrees, locked: the only ones that staff know of."""
    practice = _locked(session, reader, practice_id)
    if session.scalar(select(Practice.id).where(Practice.id == practice_id, Practice.is_agreed())) is None:
        raise PracticeGone(practice_id)
    return practice


# ---- what others ask -------------------------------------------------------------------------------------------------


def news_of(session: Session, course_id: int, member_id: int, *, now: datetime) -> list[News]:
    """What a member's first page says about practices: that they are asked, and what others decided lately."""
    recent = now - rules.NEWS_FOR
    another = aliased(Consent)
    declined = exists().where(
        another.practice_id == Practice.id, another.member_id != member_id, another.declined_at > recent
    )
    rows = session.execute(
        select(Practice, Consent.agreed_at.is_(None) & Consent.declined_at.is_(None), declined)
        .join(Consent, (Consent.practice_id == Practice.id) & (Consent.member_id == member_id))
        .where(
            Practice.course_id == course_id,
            or_(
                Consent.agreed_at.is_(None) & Consent.declined_at.is_(None),
                declined,
                (Practice.owner_id == member_id) & (Practice.hidden_at > recent),
            ),
        )
        .order_by(Practice.id)
    )
    return [
        News(practice, "declined" if is_declined else "asked" if is_asked else "hidden")
        for practice, is_asked, is_declined in rows
    ]


def count_in_library(session: Session) -> int:
    """How many practices the courses of the institution share with each other."""
    shared = select(func.count(Practice.id)).where(Practice.in_institution_at.is_not(None), Practice.is_shown())
    return int(session.scalar(shared) or 0)


@dataclass(frozen=True, slots=True)
class PracticeCounts:
    """How many practices of a course were offered, are read by all of it, and by the whole institution."""

    offered: int
    shown: int
    in_institution: int


def counts_of(session: Session, course_id: int) -> PracticeCounts:
    """The practices of a course as counts."""
    is_shown = Practice.is_shown()
    row = session.execute(
        select(
            func.count(Practice.id),
            func.count(Practice.id).filter(is_shown),
            func.count(Practice.id).filter(is_shown, Practice.in_institution_at.is_not(None)),
        ).where(Practice.course_id == course_id)
    ).one()
    return PracticeCounts(*row)


def texts_of(session: Session, own: Collection[int]) -> list[dict[str, Any]]:
    """The practices of a person's memberships, and which ones of others they answered, as plain values."""
    rows = session.execute(
        select(Practice, Consent, Course.title)
        .join(Consent, Consent.practice_id == Practice.id)
        .join(Course, Course.id == Practice.course_id)
        .where(Consent.member_id.in_(own))
        .order_by(Practice.id)
    )
    return [
        {
            "course": course,
            "at": practice.offered_at.isoformat(timespec="seconds"),
            "title": practice.title,
            "agreed": answer.agreed_at.isoformat(timespec="seconds") if answer.agreed_at else None,
            "taken_back": answer.declined_at.isoformat(timespec="seconds") if answer.declined_at else None,
            **({"text": practice.text, "reason": practice.hidden_why} if practice.owner_id in own else {}),
        }
        for practice, answer, course in rows
    ]


def erase_texts_of(session: Session, own: Collection[int]) -> None:
    """Remove every practice that concerns a person: theirs, and those of their groups."""
    of_theirs = select(Consent.practice_id).where(Consent.member_id.in_(own))
    session.execute(
        delete(Practice)
        .where(or_(Practice.owner_id.in_(own), Practice.id.in_(of_theirs)))
        .execution_options(synchronize_session=False)
    )
    session.expire_all()

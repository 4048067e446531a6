"""What a person typed into a form that was refused: shown with the refusal, and kept for them for a week."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask import current_app, g, request
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column
from werkzeug.exceptions import HTTPException

from lti_tool.support.db import Base, Tenant, serve, within
from lti_tool.web.database import RaceLost, transaction
from lti_tool.web.visits import Visit

KEPT_FOR: Final = timedelta(days=7)
MOST_KEPT: Final = 20
"""The most refused forms that are kept of one person; the oldest goes when another comes."""

NOT_TYPED: Final = frozenset(
    {
        "form_token",
        "do",
        "back",
        "base",
        "device",
        "note_at",
        "version",
        "rubric",
        "rubric-before",
        "rubric-from",
        "code",
        "c",
        "state",
        "secret",
        "id_token",
        "JWT",
    }
    | {"invite", "openid_configuration", "registration_token"}
)
"""Fields that pages fill in themselves, secrets among them."""
_CHOICE: Final = re.compile(r"[a-z0-9_.:-]*")
"""The values of buttons, boxes and lists. A text that looks like one is recognized by the name of its field."""


class KeptText(Tenant, Base):
    """The texts of one form that could not be taken."""

    __tablename__ = "kept_text"
    __table_args__ = (within("person_id", "person"), within("course_id", "course"))

    person_id: Mapped[int] = mapped_column(index=True)
    course_id: Mapped[int | None] = mapped_column(index=True)
    texts: Mapped[list[Any]]
    """Name of the field and its text, in the order of the form."""
    at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class Typed:
    """A text and the field that it was typed into."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Author:
    """The person who typed the texts of this request."""

    institution_id: int
    person_id: int
    course_id: int | None


def note_author(visit: Visit) -> None:
    """Remember whose form this request carries. Only once it is proved to come from a page of theirs."""
    if not visit.is_preview:
        g.author = Author(visit.institution_id, visit.person_id, visit.course_id)


def typed() -> list[Typed]:
    """The texts of the form that this request carries; empty for requests that come from no page of ours."""
    if request.method != "POST" or not (g.get("visit_key") or request.path == "/lti/register"):
        return []
    try:
        fields = list(request.form.items(multi=True))
    except HTTPException:
        return []  # Too large to be read at all.
    return [Typed(name, text) for name, text in fields if _is_text(name, text)]


def keep(texts: Iterable[Typed], *, now: datetime) -> bool:
    """Keep them for their author. False where the author is not known for certain, or nothing can be stored."""
    author: Author | None = g.get("author")
    rows = [asdict(one) for one in texts]
    if author is None or not rows:
        return False
    try:
        with transaction() as session:
            serve(session, author.institution_id)
            _keep(session, author, rows, now=now)
    except (SQLAlchemyError, RaceLost):
        return False
    return True


def _keep(session: Session, author: Author, rows: list[dict[str, Any]], *, now: datetime) -> None:
    own = (
        select(KeptText).where(KeptText.person_id == author.person_id).order_by(KeptText.at.desc(), KeptText.id.desc())
    )
    before = session.scalars(own).all()
    new = _places(rows)
    of_course = [one for one in before if one.course_id == author.course_id]
    if any(new <= _places(one.texts) for one in of_course):
        return
    # A page that saves as one types is refused with one field; its button then sends all of them.
    for outdated in {*(one for one in of_course if _places(one.texts) <= new), *before[MOST_KEPT - 1 :]}:
        session.delete(outdated)
    session.add(KeptText(person_id=author.person_id, course_id=author.course_id, texts=rows, at=now))


def _places(rows: Iterable[Mapping[str, str]]) -> set[tuple[str, str]]:
    return {(one["field"], one["text"]) for one in rows}


def kept_texts_of(session: Session, person_id: int, course_id: int | None) -> list[KeptText]:
    """What is kept for a person in a course, newest first."""
    query = select(KeptText).where(KeptText.person_id == person_id, KeptText.course_id == course_id)
    return list(session.scalars(query.order_by(KeptText.at.desc(), KeptText.id.desc())))


def let_go(session: Session, person_id: int, kept_id: int) -> None:
    """Delete what one form held, at its author's wish."""
    session.execute(
        delete(KeptText)
        .where(KeptText.id == kept_id, KeptText.person_id == person_id)
        .execution_options(synchronize_session=False)
    )


def field_names() -> Mapping[str, str]:
    """The labels of fields on the pages, by name of the field."""
    names: Mapping[str, str] = current_app.extensions.get("tandem.field_names", {})
    return names


def name_of(field: str) -> str:
    """The label of a field, to be translated; empty if the page gives none. Numbered fields share a label."""
    names = field_names()
    return names.get(field) or names.get(re.sub(r"\d+", "", field), "")


def _is_text(name: str, text: str) -> bool:
    if not text.strip() or name in NOT_TYPED or name.startswith("base."):
        return False
    return bool(name_of(name)) or _CHOICE.fullmatch(text) is None

"""The language that a person reads in."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from lti_tool.launch.models import Person
from lti_tool.web.visits import Visit


def choose_language(session: Session, person_id: int, language: str) -> None:
    """Keep the language that this person chose, for this visit, for others that are open, and for later ones."""
    session.execute(update(Person).where(Person.id == person_id).values(language=language))
    session.execute(update(Visit).where(Visit.person_id == person_id).values(locale=language))

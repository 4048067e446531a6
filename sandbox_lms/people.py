"""The invented people of the sandbox: names from five languages, none of a living person."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is in a course; ADMIN is what somebody is in the whole LMS."""

    LEARNER = "learner"
    INSTRUCTOR = "instructor"
    ASSISTANT = "assistant"
    OBSERVER = "observer"
    ADMIN = "admin"
    TEST = "test"


@dataclass(slots=True)
class Person:
    """Somebody with an account. `sub` is what tools get to know them by."""

    number: int
    sub: str
    username: str
    given_name: str
    family_name: str
    email: str
    locale: str = "en"
    is_admin: bool = False
    is_test: bool = False
    account_suspended: bool = False

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


@dataclass(frozen=True, slots=True)
class Invented:
    """A name to fill the course with."""

    given_name: str
    family_name: str
    locale: str


ADMIN = Invented("Ada", "Admin", "en")
DESIGNER = Invented("Dina", "Dalgaard", "en")
ASSISTANT = Invented("Arvid", "Assistent", "sv")
OBSERVER = Invented("Olga", "Observer", "en")

LEARNERS = (
    Invented("Åsa", "Öberg", "sv"),
    Invented("Björn", "Åkerlund", "sv"),
    Invented("Elin", "Häggström", "sv"),
    Invented("Göran", "Sjöqvist", "sv"),
    Invented("Linnéa", "Ek", "sv"),
    Invented("Mette", "Sørensen", "da"),
    Invented("Søren", "Kjær", "da"),
    Invented("Anne-Grethe", "Bøgelund", "da"),
    Invented("Rasmus", "Højgaard", "da"),
    Invented("Freja", "Aagaard", "da"),
    Invented("Ingrid", "Bråten", "nb"),
    Invented("Øystein", "Hegdal", "nb"),
    Invented("Solveig", "Nygård", "nb"),
    Invented("Håkon", "Fjellstad", "nb"),
    Invented("Runa", "", "nb"),
    Invented("IJsbrand", "van Rijn", "nl"),
    Invented("Renée", "de Bruijn", "nl"),
    Invented("Wilhelmina Josephine Antoinette", "van den Heuvel-Opperdoes tot Zevenaar en Oostzaan", "nl"),
    Invented("Daniël", "Coöperman", "nl"),
    Invented("Fleur", "'t Hart", "nl"),
    Invented("Tom & Jerry", "Ampersand", "en"),
    Invented("Zoë", "O’Malley-Wright", "en"),
    Invented("Sam", "Lee", "en"),
    Invented("Priya", "Fernsby", "en"),
)

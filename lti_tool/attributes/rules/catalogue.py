"""The catalogue of attributes: what may be known of a learner, how a value is read, and which source wins."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from lti_tool.attributes.rules import values
from lti_tool.errors import N_

Kept: TypeAlias = dict[str, Any]
"""A value as it is stored: one entry that says its form, `{"name": "Sales"}`, `{"number": 3}`, `{"names": ["en"]}`,
`{"member": 17}` or `{"outsider": 4}` (a person), `{"nobody": True}` (known that there is no such person)."""
Value: TypeAlias = str | int | frozenset[str] | None
"""A value as the pairing engine takes it."""

NOBODY: Final[Kept] = {"nobody": True}


class Form(StrEnum):
    """What a value looks like."""

    NAME = "name"
    NUMBER = "number"
    NAMES = "names"
    PERSON = "person"


class Source(StrEnum):
    """Who a value comes from."""

    LAUNCH = "launch"
    QUESTIONNAIRE = "questionnaire"
    CSV = "csv"
    STAFF = "staff"


RANK: Final[Mapping[str, int]] = {Source.LAUNCH: 0, Source.QUESTIONNAIRE: 1, Source.CSV: 2, Source.STAFF: 2}
"""Rank of each source: staff and their tables win over the learner, and the learner over the platform."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing that may be known of a learner."""

    key: str
    form: Form
    label: str
    explanation: str
    may_be_asked: bool = False
    """Whether learners can be asked for it. They are not asked for what somebody else should confirm."""


class Flaw(StrEnum):
    """Why a text is not a value of an attribute."""

    NOT_A_NUMBER = "not_a_number"
    TOO_LARGE = "too_large"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    NO_ZONE = "no_zone"


CATALOGUE: Final = (
    Attribute("department", Form.NAME, N_("Department"), N_("The unit a person belongs to.")),
    Attribute("group", Form.NAME, N_("Group"), N_("A section, class or team of the course.")),
    Attribute("cohort", Form.NAME, N_("Cohort"), N_("People who started together.")),
    Attribute(
        "manager",
        Form.PERSON,
        N_("Manager"),
        N_("Who leads them, so that no one is paired within their own reporting line. “none” means that no one does."),
    ),
    Attribute("languages", Form.NAMES, N_("Languages"), N_("Languages they can use for the conversation."), True),
    Attribute("slots", Form.NAMES, N_("Times of the week"), N_("When they can meet."), True),
    Attribute("experience", Form.NUMBER, N_("Experience"), N_("Years, as a whole number."), True),
    Attribute(
        "time_zone", Form.NAME, N_("Time zone"), N_("Where they work, such as Europe/Stockholm or a large city."), True
    ),
    Attribute("offers", Form.NAMES, N_("Can offer"), N_("What others can learn from them."), True),
    Attribute("needs", Form.NAMES, N_("Wants to learn"), N_("What they would like to learn from others."), True),
)
BY_KEY: Final[Mapping[str, Attribute]] = {attribute.key: attribute for attribute in CATALOGUE}
ASKABLE: Final = tuple(attribute.key for attribute in CATALOGUE if attribute.may_be_asked)
SHARED_SPELLING: Final = (("department",), ("group",), ("cohort",), ("slots",), ("languages",), ("offers", "needs"))
"""Attributes whose names are compared with each other, so that they need one spelling."""
LAUNCH_PREFIX: Final = "tandem_"
FROM_LAUNCHES: Final = ("department", "group", "cohort", "languages", "experience", "time_zone", "manager")
TAKES_AWAY: Final = frozenset({"-", "–", "none"})
"""Cells that mean "no person" for a person, and delete any other value."""


def read(attribute: Attribute, text: str) -> Kept | Flaw | None:
    """The value of a text; None if it is empty. Persons are looked up elsewhere."""
    plain = values.tidy(text, 4000)
    if not plain:
        return None
    if attribute.form is Form.NUMBER:
        return _read_number(plain)
    if attribute.form is Form.NAMES:
        return _read_names(attribute, text)
    if attribute.key == "time_zone":
        zone = values.zone(plain)
        return Flaw.NO_ZONE if zone is None else {"name": zone}
    return Flaw.TOO_LONG if len(plain) > values.LONGEST else {"name": plain}


def _read_number(text: str) -> Kept | Flaw:
    number = values.whole_number(text)
    if number is None:
        return Flaw.NOT_A_NUMBER
    return Flaw.TOO_LARGE if number > values.MOST_YEARS else {"number": number}


def _read_names(attribute: Attribute, text: str) -> Kept | Flaw | None:
    names = values.several(text)
    if len(names) > values.MOST_NAMES:
        return Flaw.TOO_MANY
    if attribute.key == "languages":
        names = [one for name in names for one in values.languages(name)]
    read_name = {"slots": values.slot}.get(attribute.key, values.tidy)
    return {"names": sorted({read_name(name) for name in names})} if names else None


def read_from_launch(attribute: Attribute, text: str) -> Kept | None:
    """The value that a platform sent, or None. Of several groups the first counts, in the platform's own order."""
    if attribute.form is Form.NAME and attribute.key == "group":
        text = next(iter(values.several(text)), "")
    value = read(attribute, text)
    return None if isinstance(value, Flaw) else value


def may_replace(old: str | None, new: str) -> bool:
    """Whether a value from the new source may replace one from the old source."""
    return old is None or RANK[new] >= RANK[old]


def engine_values(kept: Mapping[str, Mapping[int, Kept]]) -> dict[str, dict[int, Value]]:
    """The values of members, by attribute and member, as the pairing engine compares them. Managers are left out.

    Where spellings count as the same, one stands for all, also between two attributes that are compared.
    """
    spelled: dict[str, dict[str, str]] = {}
    for compared_keys in SHARED_SPELLING:
        values = [value for key in compared_keys for value in kept.get(key, {}).values()]
        common_spelling = _spelled_alike(
            {name for value in values for name in value.get("names", ()) or [value.get("name", "")]}
        )
        spelled |= dict.fromkeys(compared_keys, common_spelling)
    return {
        key: {member: _plain(value, spelled.get(key, {})) for member, value in values_of.items()}
        for key, values_of in kept.items()
        if BY_KEY[key].form is not Form.PERSON
    }


def _plain(value: Kept, spelled: Mapping[str, str]) -> Value:
    match value:
        case {"name": str(name)}:
            return spelled.get(name, name)
        case {"number": number}:
            return int(number)
        case {"names": names}:
            return frozenset(spelled.get(name, name) for name in names)
    return None


def _spelled_alike(names: set[str]) -> dict[str, str]:
    """From every spelling to the one that stands for all that count as the same."""
    chosen: dict[str, str] = {}
    for name in sorted(names):
        chosen.setdefault(values.folded(name), name)
    return {name: chosen[values.folded(name)] for name in names}

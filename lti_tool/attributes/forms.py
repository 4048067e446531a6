"""What people type about a learner: the learner in the questionnaire, an instructor on the learner's page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lti_tool.attributes.rules import values
from lti_tool.attributes.rules.catalogue import BY_KEY, RANK, Flaw, Kept, Source, read
from lti_tool.attributes.rules.tables import Layout, Sheet
from lti_tool.attributes.service.reading import Known, written
from lti_tool.support.spreadsheet import DELIMITERS, ENCODINGS

OFFERED_LANGUAGES: Final = ("sv", "da", "no", "nl", "en", "fi", "de", "fr", "es", "it", "pl", "uk", "ar", "so", "zh")
"""Languages with a box in the questionnaire; others are typed. The same for everybody, so that the list says nothing
about the people of a course.
"""


@dataclass(frozen=True, slots=True)
class AnswerText:
    """The questionnaire as it was typed, or as it is shown first."""

    languages: tuple[str, ...] = ()
    """Codes that are ticked."""
    other_languages: str = ""
    slots: tuple[str, ...] = ()
    experience: str = ""
    time_zone: str = ""
    offers: str = ""
    needs: str = ""


def typed(fields: Mapping[str, Sequence[str]]) -> AnswerText:
    """What a form holds. Options that our pages do not offer are ignored."""

    def text(name: str) -> str:
        return next(iter(fields.get(name, ())), "").strip()[:1000]

    return AnswerText(
        languages=tuple(code for code in OFFERED_LANGUAGES if code in fields.get("languages", ())),
        other_languages=text("other_languages"),
        slots=tuple(slot for slot in values.WEEK if slot in fields.get("slots", ())),
        experience=text("experience"),
        time_zone=text("time_zone"),
        offers=text("offers"),
        needs=text("needs"),
    )


def shown(known: Mapping[str, Known], locale: str) -> AnswerText:
    """What is known of a learner, as the questionnaire shows it."""

    def cell(key: str) -> str:
        return written(known[key].value, {}) if key in known else ""

    languages: list[str] = known["languages"].value.get("names", []) if "languages" in known else []
    more_languages = [values.language_name(code, locale) for code in languages if code not in OFFERED_LANGUAGES]
    return AnswerText(
        languages=tuple(code for code in OFFERED_LANGUAGES if code in languages),
        other_languages=", ".join(more_languages),
        slots=tuple(known["slots"].value.get("names", ())) if "slots" in known else (),
        experience=cell("experience"),
        time_zone=cell("time_zone"),
        offers=cell("offers").replace("; ", ", "),
        needs=cell("needs").replace("; ", ", "),
    )


def answerable(asked: Sequence[str], known: Mapping[str, Known]) -> tuple[str, ...]:
    """The questions whose answer counts: values that staff have set are not asked."""
    own = RANK[Source.QUESTIONNAIRE]
    return tuple(key for key in asked if key not in known or RANK[known[key].source] <= own)


def read_answer(text: AnswerText, asked: Sequence[str]) -> tuple[dict[str, Kept | None], dict[str, Flaw]]:
    """The answers by attribute (None if left empty), and what is wrong, by attribute."""
    cells = {
        "languages": ";".join((*text.languages, text.other_languages)),
        "slots": ";".join(text.slots),
        "experience": text.experience,
        "time_zone": text.time_zone,
        "offers": text.offers,
        "needs": text.needs,
    }
    return read_cells({key: cells[key] for key in asked if key in cells})


def read_cells(cells: Mapping[str, str]) -> tuple[dict[str, Kept | None], dict[str, Flaw]]:
    """The values of these texts by attribute (None if empty), without persons; and what is wrong, by attribute."""
    values_read: dict[str, Kept | None] = {}
    flaws: dict[str, Flaw] = {}
    for key, cell in cells.items():
        value = read(BY_KEY[key], cell)
        if isinstance(value, Flaw):
            flaws[key] = value
        else:
            values_read[key] = value
    return values_read, flaws


# ---- tables ----------------------------------------------------------------------------------------------------------


def way(sheet: Sheet) -> str:
    """How a file was read, as one text, so that a form confirms exactly what it showed."""
    return f"{sheet.encoding}|{DELIMITERS.index(sheet.delimiter)}|{sheet.header_line}"


def layout(form: Mapping[str, str]) -> Layout:
    """How the form wants a file to be read."""
    encoding, place, line = (form.get(name, "") for name in ("encoding", "delimiter", "header_line"))
    return Layout(
        encoding=encoding if encoding in ENCODINGS else None,
        delimiter=DELIMITERS[int(place)] if place in {"0", "1", "2"} else None,
        header_line=int(line) if re.fullmatch(r"[0-9]{1,5}", line, re.ASCII) else None,
    )


def chosen(form: Mapping[str, str]) -> tuple[dict[int, int], dict[int, str]]:
    """The choices in a form about a table: the person of each line, and the attribute of each column."""
    choices, meanings = {}, {}
    for name, value in form.items():
        match = re.fullmatch(r"(row|column)-([0-9]{1,6})", name)
        if match is None or not value:
            continue
        if match[1] == "column":
            meanings[int(match[2])] = value
        elif re.fullmatch(r"[0-9]{1,9}", value):
            choices[int(match[2])] = int(value)
    return choices, meanings

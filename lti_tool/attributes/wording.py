"""Words of this feature's pages: a value, where it came from, what is wrong with a cell, a row or a file."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from babel import Locale
from flask_babel import gettext

from lti_tool.attributes.rules.catalogue import BY_KEY, CATALOGUE, Flaw, Kept, Source
from lti_tool.attributes.rules.checking import Complaint, Fault
from lti_tool.attributes.rules.matching import Identifier
from lti_tool.attributes.rules.tables import FAMILY_NAME, GIVEN_NAME, Question, Unusable
from lti_tool.attributes.rules.values import DAYS, WEEK, language_name
from lti_tool.errors import N_
from lti_tool.support.languages import isolated
from lti_tool.support.zones import zone_label

Shown: TypeAlias = Callable[[str, Kept], str]
"""A value in words, by the key of its attribute."""

HEADERS: Final[dict[str, str]] = {
    Identifier.KEY: N_("Tandem key"),
    Identifier.LMS_ID: N_("LMS id"),
    Identifier.SOURCED_ID: N_("SourcedId"),
    Identifier.EMAIL: N_("E-mail"),
    Identifier.NAME: N_("Name"),
    GIVEN_NAME: N_("First name"),
    FAMILY_NAME: N_("Last name"),
}
SOURCES: Final[dict[Source, str]] = {
    Source.LAUNCH: N_("from the LMS"),
    Source.QUESTIONNAIRE: N_("from the learner"),
    Source.CSV: N_("from a table"),
    Source.STAFF: N_("from an instructor"),
}
FLAWS: Final[dict[Flaw, str]] = {
    Flaw.NOT_A_NUMBER: N_("is not a whole number"),
    Flaw.TOO_LARGE: N_("is larger than 1,000"),
    Flaw.TOO_LONG: N_("is longer than 100 characters"),
    Flaw.TOO_MANY: N_("has more than 40 entries"),
    Flaw.NO_ZONE: N_("is not a time zone: write a large city, Europe/Stockholm or GMT+1"),
}
FAULTS: Final[dict[Fault, str]] = {
    Fault.TOO_LONG: N_("The row has more cells than columns, or a cell that is much too long."),
    Fault.CONTRADICTION: N_("Its columns name different people in the course."),
    Fault.TWICE: N_("The same person is also in line %(lines)s, with other values."),
    Fault.VALUE: N_("%(attribute)s %(flaw)s."),
    Fault.OWN_MANAGER: N_("It names the person as their own manager."),
    Fault.LOOP: N_("Together with line %(lines)s, the managers form a loop."),
}
LOOP_WITH_OTHERS: Final = N_("Together with what is already known, the managers form a loop.")
UNUSABLE: Final[dict[Unusable, str]] = {
    Unusable.EMPTY: N_("The file has no rows. The first line names the columns, and every other line is a person."),
    Unusable.TOO_LARGE: N_("The file is larger than 1.5 MB. Split it, and upload the parts one by one."),
    Unusable.PACKED: N_("This is a spreadsheet file. Save it as CSV in your spreadsheet program, and upload that."),
    Unusable.NOT_TEXT: N_("This is not a text file. Save the table as CSV in your spreadsheet program."),
    Unusable.NOT_IN_THIS_ENCODING: N_("The file does not use that encoding. Choose another one."),
    Unusable.TOO_MANY_ROWS: N_("The file has more than 20,000 rows. Split it, and upload the parts one by one."),
    Unusable.TOO_MANY_COLUMNS: N_("The file has more than 60 columns. Remove the ones you do not need."),
}
QUESTIONS: Final[dict[str, str]] = {
    Question.NO_PEOPLE: N_("Tandem does not know which column says who a row is about. Choose that column."),
    Question.ENCODING: N_("Tandem is not sure how this file stores letters such as å, ö or ø. Do they look right?"),
    Question.QUOTES: N_("Some lines have an opening quotation mark without a closing one. Tandem ignored that mark."),
}
DELIMITER_NAMES: Final = {",": N_("commas"), ";": N_("semicolons"), "\t": N_("tabs")}
PARTS_OF_DAY: Final = {"am": N_("morning"), "pm": N_("afternoon"), "eve": N_("evening")}


def complaint_in_words(complaint: Complaint) -> str:
    """What is wrong with a row, in words."""
    if complaint.fault is Fault.LOOP and not complaint.lines:
        return str(gettext(LOOP_WITH_OTHERS))
    attribute = gettext(BY_KEY[complaint.attribute].label) if complaint.attribute else ""
    flaw = gettext(FLAWS[complaint.flaw]) if complaint.flaw else ""
    lines = ", ".join(map(str, complaint.lines))
    return str(gettext(FAULTS[complaint.fault], attribute=attribute, flaw=flaw, lines=lines))


def column_names() -> dict[str, str]:
    """The names of columns in the page's language."""
    headers = {gettext(label): key for key, label in HEADERS.items()}
    return {**headers, **{gettext(attribute.label): attribute.key for attribute in CATALOGUE}}


def in_words(names: Mapping[tuple[str, int], str | None], locale: str) -> Shown:
    """How to show values in this language; `names` has the people they point at, as `reading.names_of_people`."""

    def shown(key: str, value: Kept) -> str:
        form, what = next(iter(value.items()))
        if form == "nobody":
            return str(gettext("no one"))
        if form == "member":
            return isolated(names.get((form, what))) or str(gettext("Learner %(number)s", number=what))
        if form in {"outsider", "outside"}:
            name = names.get((form, what)) if form == "outsider" else what
            return str(gettext("%(name)s (not in this course)", name=isolated(name)))
        return ", ".join(_names_of(key, what, locale)) if isinstance(what, list) else zone_label(str(what))

    return shown


def _names_of(key: str, names: list[str], locale: str) -> list[str]:
    if key == "languages":
        return [language_name(code, locale) for code in names]
    if key == "slots":
        return [slot_name(slot, locale) for slot in sorted(names, key=_place_in_week)]
    return names


def slot_name(slot: str, locale: str) -> str:
    """A time of the week in words; another name stays as it is."""
    if slot not in WEEK:
        return slot
    day, part = slot.split("-")
    return str(gettext("%(day)s %(part)s", day=day_names(locale)[day], part=gettext(PARTS_OF_DAY[part])))


def day_names(locale: str) -> dict[str, str]:
    """The days of the week in this language."""
    days = Locale.parse(locale).days["format"]["wide"]
    return {day: str(days[place]) for place, day in enumerate(DAYS)}


def _place_in_week(slot: str) -> tuple[int, str]:
    return WEEK.index(slot) if slot in WEEK else len(WEEK), slot

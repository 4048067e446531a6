"""What somebody typed becomes a value that compares with others, or says why not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.attributes.rules import values
from lti_tool.attributes.rules.catalogue import (
    BY_KEY,
    CATALOGUE,
    Flaw,
    Form,
    Source,
    engine_values,
    may_replace,
    read,
    read_from_launch,
)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Swedish", "sv"),
        ("svenska", "sv"),
        ("SV", "sv"),
        ("sv-SE", "sv"),
        ("Zweeds", "sv"),
        ("Norwegian Bokmål", "no"),
        ("nynorsk", "no"),
        ("中文", "zh"),
        ("Elvish", "Elvish"),
    ],
)
def test_a_language_is_known_by_its_name_in_many_languages(written: str, code: str) -> None:
    assert values.language(written) == code


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("sv/en", ["sv", "en"]),
        ("en/sv", ["en", "sv"]),
        ("sv & en", ["sv", "en"]),
        ("da og en", ["da", "en"]),
        ("en+de", ["en", "de"]),
        ("nl en de", ["nl", "de"]),
    ],
)
def test_several_languages_in_one_entry_are_told_apart(written: str, codes: list[str]) -> None:
    assert values.languages(written) == codes


@pytest.mark.parametrize(
    ("written", "short"),
    [
        ("Mon AM", "mon-am"),
        ("monday-evening", "mon-eve"),
        ("Tue pm", "tue-pm"),
        ("mon-am", "mon-am"),
        ("måndag förmiddag", "mon-am"),
        ("mandag eftermiddag", "mon-pm"),
        ("dinsdag avond", "tue-eve"),
        ("Week 3", "Week 3"),
    ],
)
def test_the_times_of_the_week_are_known_however_they_are_written(written: str, short: str) -> None:
    assert values.slot(written) == short
    assert all(values.slot(one) == one for one in values.WEEK)


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("Europe/Oslo", "Europe/Oslo"),
        ("oslo", "Europe/Oslo"),
        ("New York", "America/New_York"),
        ("99", None),
        ("UTC", "UTC"),
    ],
)
def test_a_time_zone_is_known_by_its_name_or_a_city(written: str, zone: str | None) -> None:
    assert values.zone(written) == zone


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("a; b ;a", ["a", "b"]),
        ("a,b|c", ["a", "b", "c"]),
        (" ; ,", []),
        ("Excel;EXCEL", ["Excel"]),
        ('["Section 1, M-T", "Section 2"]', ["Section 1, M-T", "Section 2"]),
        (r"[\"A, B\"]", ["A, B"]),
        ("[1, 2", ["[1", "2"]),
    ],
)
def test_several_names_stand_in_one_cell(cell: str, names: list[str]) -> None:
    assert values.several(cell) == names


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("experience", "3", {"number": 3}),
        ("experience", "3.0", {"number": 3}),
        ("experience", "3,00", {"number": 3}),
        ("experience", "3.5", Flaw.NOT_A_NUMBER),
        ("experience", "-3", Flaw.NOT_A_NUMBER),
        ("experience", "٣", Flaw.NOT_A_NUMBER),
        ("experience", "2000", Flaw.TOO_LARGE),
        ("experience", " ", None),
        ("department", "  Sales \t and  more ", {"name": "Sales and more"}),
        ("department", "x" * 101, Flaw.TOO_LONG),
        ("time_zone", "Mars/Base", Flaw.NO_ZONE),
        ("languages", "English, sv", {"names": ["en", "sv"]}),
        ("needs", ";;", None),
        ("offers", ";".join(map(str, range(41))), Flaw.TOO_MANY),
    ],
)
def test_a_cell_is_a_value_or_says_what_is_wrong(key: str, text: str, value: object) -> None:
    assert read(BY_KEY[key], text) == value


@settings(deadline=None)
@given(st.sampled_from([one for one in CATALOGUE if one.form is not Form.PERSON]), st.text(max_size=300))
def test_whatever_is_typed_is_read_or_refused_and_is_read_alike_again(attribute: object, text: str) -> None:
    value = read(attribute, text)

    if isinstance(value, dict):
        form, what = next(iter(value.items()))
        again = "; ".join(what) if isinstance(what, list) else str(what)
        assert read(attribute, again) == {form: what}


def test_of_several_groups_of_a_launch_the_first_counts() -> None:
    assert read_from_launch(BY_KEY["group"], "12,15") == {"name": "12"}
    assert read_from_launch(BY_KEY["experience"], "lots") is None


def test_nobody_s_word_is_replaced_by_one_that_counts_less() -> None:
    order = [Source.LAUNCH, Source.QUESTIONNAIRE, Source.CSV]
    for place, old in enumerate(order):
        for other, new in enumerate(order):
            assert may_replace(old, new) == (other >= place)
    assert may_replace(Source.CSV, Source.STAFF)
    assert may_replace(Source.STAFF, Source.CSV)
    assert may_replace(None, Source.LAUNCH)


def test_one_spelling_stands_for_all() -> None:
    names = ("sales", "SALES", "Sales", "Straße", "strasse", "x-ray's", "X\u2011RAY\u2019S")
    offers = {number: {"names": [name]} for number, name in enumerate(names)}

    plain = engine_values({"offers": offers, "needs": {8: {"names": ["sAlEs"]}}, "manager": {1: {"member": 2}}})

    assert plain == {
        "offers": {
            **dict.fromkeys((0, 1, 2), frozenset({"SALES"})),
            **dict.fromkeys((3, 4), frozenset({"Straße"})),
            **dict.fromkeys((5, 6), frozenset({"X\u2011RAY\u2019S"})),
        },
        "needs": {8: frozenset({"SALES"})},
    }

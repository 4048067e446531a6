"""What leaves for a spreadsheet is text there."""

import csv
import io
import re
import zipfile
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.support.spreadsheet import (
    ENCODINGS,
    FORMULAS,
    Decoded,
    Sheet,
    as_csv,
    as_meant,
    as_xlsx,
    decode,
    delimiter_for,
    harmless,
    records,
)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", " =1", "\u00a0@x", '"=1'])
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Åsa", "نور", "O'Brien", "1 - 2", "", 3])
def test_other_cells_stay_as_they_are(cell: object) -> None:
    assert harmless(cell) == str(cell)


def test_numbers_stay_numbers() -> None:
    assert as_csv(["a"], [[-0.25], [3.0], [-2], ["-2"]]).decode("utf-8-sig").split() == ["a", "-0.25", "3", "-2", "'-2"]
    assert as_csv(["a"], [[1.5]], ";").decode("utf-8-sig").split() == ["a", '"1,5"']


@pytest.mark.parametrize("text", ["=1+1", "{=1}", "https://x.example", "mailto:a@b.example", "12", "å" * 40_000])
def test_a_workbook_holds_texts_as_texts(text: str) -> None:
    with zipfile.ZipFile(io.BytesIO(as_xlsx([Sheet("A/B", [text], [[text, 1.5, date(2026, 3, 2)]])]))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "1 A B" in book.read("xl/workbook.xml").decode()
        texts = book.read("xl/sharedStrings.xml").decode()
    assert not re.search(r"<f>|<hyperlink", sheet)
    assert texts.count(f">{text[:32_767]}<") == 1
    assert "<v>1.5</v>" in sheet


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_whatever_people_are_called_the_table_keeps_its_shape(lines: list[list[str]]) -> None:
    lines = [[cell.replace("\x00", "").encode("utf-8", "replace").decode() for cell in line] for line in lines]

    read = list(csv.reader(io.StringIO(as_csv(["a", "b"], lines).decode("utf-8-sig"), newline="")))

    assert len(read) == len(lines) + 1
    assert all(len(line) == 2 for line in read)
    assert not any(cell.startswith(FORMULAS) for line in read for cell in line)


@given(st.text())
def test_what_was_made_harmless_is_read_back_as_it_was(cell: str) -> None:
    if not cell.startswith("'"):
        assert as_meant(harmless(cell)) == cell


@given(st.text(alphabet=";,|\t\r\n '=+-@ax\u00a0", max_size=12))
def test_cells_full_of_marks_and_separators_come_back(cell: str) -> None:
    assert as_meant(harmless(cell)) == cell or cell.startswith('="')


@given(st.lists(st.text(alphabet=";,|\t '\"=+-@ax", max_size=10), min_size=1, max_size=4))
def test_no_cell_begins_a_formula_whatever_separates_cells(cells: list[str]) -> None:
    text = as_csv(["a"], [cells]).decode("utf-8-sig").splitlines()[1]
    for separator in (",", ";", "\t", "|"):
        [line] = csv.reader([text], delimiter=separator)
        assert not any(cell.lstrip(" ").startswith(("=", "+", "-", "@")) for cell in line)
        # A program that knows no quotes.
        assert not any(part.lstrip(' "').startswith(("=", "+", "-", "@")) for part in text.split(separator))


def test_a_name_that_holds_the_list_separator_stays_one_cell_and_text() -> None:
    written = as_csv(["Name"], [["Ann;=1+1;x"]]).decode("utf-8-sig")
    assert written == 'Name\r\n"Ann;\'=1+1;x"\r\n'
    assert as_meant("Ann;'=1+1;x") == "Ann;=1+1;x"


@pytest.mark.parametrize(("locale", "separator"), [("en", ","), ("sv", ";"), ("nl", ";"), ("da", ";"), ("nb", ";")])
def test_cells_are_separated_as_the_readers_language_has_it(locale: str, separator: str) -> None:
    assert delimiter_for(locale) == separator


@pytest.mark.parametrize(("cell", "meant"), [('="000423"', "000423"), ('="a ""b"""', 'a "b"'), ('="a', '="a')])
def test_a_formula_that_only_keeps_a_text_is_that_text(cell: str, meant: str) -> None:
    assert as_meant(cell) == meant


WORDS = "Försäljning;Økonomi;Åsa Öberg;Søren Kjær;É"


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "Windows-1252", "Mac Roman", "DOS 850"])
def test_the_encoding_of_a_text_is_found_out(encoding: str) -> None:
    found = decode(WORDS.encode(ENCODINGS[encoding]))
    assert found == Decoded(WORDS, encoding)


def test_a_line_of_another_encoding_in_utf_8_is_read_and_not_certain() -> None:
    content = "Försäljning\n".encode() + "Økonomi\n".encode("latin-1")
    assert decode(content) == Decoded("Försäljning\nØkonomi\n", "UTF-8", is_certain=False)


def test_an_encoding_that_may_be_another_is_not_certain() -> None:
    found = decode(b"Sales \x92 \x93")
    assert found is not None
    assert not found.is_certain
    assert decode("Försäljning".encode("cp850"), "DOS 850") == Decoded("Försäljning", "DOS 850")
    assert decode("Försäljning".encode("cp850"), "UTF-8") is None


@pytest.mark.parametrize(
    ("text", "cells", "mended"),
    [
        ('Åsa,"Sales\nBo,Sales\nZoë,Finance\n', [("Åsa", "Sales"), ("Bo", "Sales"), ("Zoë", "Finance")], [1]),
        ('Åsa,"Sales\nBo,"Sales"\n', [("Åsa", "Sales"), ("Bo", "Sales")], [1]),
        ('Åsa,"Sales\nBo,Sales\nZoë,Finance"\n', [("Åsa", "Sales"), ("Bo", "Sales"), ("Zoë", "Finance")], [1, 3]),
        ('Åsa,"Sales\nand more"\nBo,5" pipes\n', [("Åsa", "Sales\nand more"), ("Bo", '5" pipes')], []),
        ('Åsa,"Sales, ""B"""\nBo,"x"y\n', [("Åsa", 'Sales, "B"'), ("Bo", "xy")], []),
    ],
)
def test_a_quote_without_an_end_swallows_nobody(text: str, cells: list[tuple[str, ...]], mended: list[int]) -> None:
    found = list(records(text, ","))
    assert [one.cells for one in found] == cells
    assert [one.line for one in found if one.is_mended] == mended

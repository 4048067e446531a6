"""Tables as people's programs write them are read; what is no table says why."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.attributes.errors import TableUnusable
from lti_tool.attributes.rules.tables import (
    MOST_BYTES,
    MOST_COLUMNS,
    MOST_ROWS,
    Layout,
    Question,
    Sheet,
    Unusable,
    read,
)
from lti_tool.support.spreadsheet import as_csv

TEXT = "key;name;department\nT1;Åsa Öberg;Försäljning\nT2;Søren Ærø;Ekonomi\n"
ROWS = [("T1", "Åsa Öberg", "Försäljning"), ("T2", "Søren Ærø", "Ekonomi")]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode("utf-8"), "UTF-8"),
        (TEXT.encode("utf-8-sig"), "UTF-8"),
        (TEXT.encode("utf-16"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("cp1252"), "Windows-1252"),
        (TEXT.encode("latin-1") + b"T3;\x81;x\n", "Latin-1"),
    ],
)
def test_the_encoding_is_found_out(content: bytes, encoding: str) -> None:
    sheet = read(content)

    assert sheet.encoding == encoding
    assert [row.cells for row in sheet.rows[:2]] == ROWS


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_delimiter_is_found_out(delimiter: str, end: str) -> None:
    content = TEXT.replace(";", delimiter).replace("\n", end).encode()

    sheet = read(content)

    assert sheet.delimiter == delimiter
    assert [row.cells for row in sheet.rows] == ROWS
    assert [row.line for row in sheet.rows] == [2, 3]


def test_lists_in_cells_do_not_pass_for_delimiters() -> None:
    sheet = read(b'e-mail,languages\nann@example.org,"sv;en;de;fr"\n')

    assert sheet.delimiter == ","
    assert sheet.columns == ("email", "languages")


def test_the_line_that_excel_puts_first_is_believed() -> None:
    sheet = read(b"sep=;\r\nname;cohort\r\nAnn, B;2026\r\n")

    assert sheet.columns == ("name", "cohort")
    assert [(row.line, row.cells) for row in sheet.rows] == [(3, ("Ann, B", "2026"))]


def test_a_header_whose_first_cell_is_empty_is_the_header() -> None:
    sheet = read(b",E-post,Roll\n0,anna@x.se,Student\n1,bo@x.se,Student\n")

    assert sheet.header_line == 1
    assert "email" in sheet.columns
    assert [row.line for row in sheet.rows] == [2, 3]


def test_columns_are_known_by_the_names_that_other_programs_and_languages_give_them() -> None:
    header = "First name,Last name,Email address,ID number,Groups,Avdelning,TIME_ZONE,Phone,Groups"
    sheet = read(f"{header}\nAnn,Berg,ann@example.org,17,A,Sales,UTC,112,B\n".encode(), {"avdelning": "department"})

    assert sheet.columns == (
        *("given_name", "family_name", "email", "sourced_id", "group", "department", "time_zone"),
        None,
        None,
    )
    cells = sheet.cells(sheet.rows[0], sheet.columns)
    assert cells["name"] == "Ann Berg"
    assert "112" not in cells.values()


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    sheet = read(b'name,department\n\nAnn,"Sales\nand more"\n,\nBo,Sales\n')

    assert [row.line for row in sheet.rows] == [3, 6]


def test_a_row_with_too_many_cells_or_too_long_a_cell_is_marked() -> None:
    sheet = read(b"name,department\nAnn,Sales,and,more\nBo," + b"x" * 3000 + b"\nCo,Sales,,\n")

    assert [row.is_too_long for row in sheet.rows] == [True, True, False]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Unusable.EMPTY),
        (b" \r\n\r\n", Unusable.EMPTY),
        (b"\xef\xbb\xbf", Unusable.EMPTY),
        (b"name,department\n", Unusable.EMPTY),
        (b"PK\x03\x04and so on", Unusable.PACKED),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Unusable.PACKED),
        (bytes(range(1, 32)) * 9, Unusable.NOT_TEXT),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0\x08\6\0\0", Unusable.NOT_TEXT),
        (b"<html><body>Please log in</body></html>", Unusable.EMPTY),
        (b"name" + b",x" * MOST_COLUMNS + b"\nAnn\n", Unusable.TOO_MANY_COLUMNS),
        (b"name\n" + b"A\n" * (MOST_ROWS + 1), Unusable.TOO_MANY_ROWS),
        (b"name\n" + b"A" * MOST_BYTES, Unusable.TOO_LARGE),
        (b'name\n"' + b"A" * 200_000 + b'"', Unusable.NOT_TEXT),
    ],
)
def test_what_is_no_table_of_people_says_why(content: bytes, reason: Unusable) -> None:
    with pytest.raises(TableUnusable) as refusal:
        read(content)

    assert refusal.value.reason == reason


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        sheet = read(b"name\n" + content)
    except TableUnusable:
        return
    assert all(len(row.cells) <= len(sheet.headers) for row in sheet.rows)


CELLS = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12)


@settings(deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), st.sampled_from([",", ";"]))
def test_our_own_tables_come_back_as_they_went(lines: list[tuple[str, str]], delimiter: str) -> None:
    lines = [(f"T{place}", cell.lstrip("'")) for place, (_, cell) in enumerate(lines)]

    sheet = read(as_csv(["key", "department"], lines, delimiter))

    assert [row.cells for row in sheet.rows] == lines


def test_a_sheet_is_kept_as_plain_values() -> None:
    sheet = read(TEXT.encode())

    assert Sheet.from_json(sheet.as_json()) == sheet


def test_files_of_the_csv_module_are_read_whatever_its_quoting() -> None:
    for quoting in (csv.QUOTE_ALL, csv.QUOTE_MINIMAL):
        text = io.StringIO()
        csv.writer(text, quoting=quoting).writerows([["name", "needs"], ['Ann "A" Berg', "a, b"]])
        assert read(text.getvalue().encode()).rows[0].cells == ('Ann "A" Berg', "a, b")


CASES = Path(__file__).parent / "tables"


def case(name: str) -> Sheet:
    """A table that somebody's program wrote."""
    return read((CASES / name).read_bytes())


def test_headers_are_known_in_the_languages_of_our_pages() -> None:
    sheet = case("swedish.csv")
    assert sheet.columns == ("given_name", "family_name", "email", "department")
    assert sheet.questions == ()
    for header in ("Fornavn;Etternavn;E-postadresse;Avdeling", "Fornavn;Efternavn;E-mailadresse;Afdeling"):
        assert read(f"{header}\nBo;Ek;b@x.example;IT\n".encode()).columns == sheet.columns
    assert read(b"Voornaam;Achternaam;E-mailadres;Afdeling\nBo;Ek;b@x.example;IT\n").columns == sheet.columns


def test_title_lines_above_the_header_are_passed_over() -> None:
    sheet = case("title.csv")
    assert (sheet.header_line, sheet.columns) == (3, ("name", "email", "department"))
    assert [(row.line, row.cells[0]) for row in sheet.rows] == [(4, "Åsa Öberg")]


def test_a_quoted_line_about_the_separator_is_believed() -> None:
    assert case("sep.csv").columns == ("email", "department")


def test_formulas_that_keep_zeros_are_read_as_texts() -> None:
    sheet = case("formula.csv")
    assert sheet.columns == ("sourced_id", "department")
    assert sheet.rows[0].cells == ("000423", "Sales")


def test_letters_of_a_mac_are_read_right() -> None:
    sheet = case("macroman.csv")
    assert (sheet.encoding, sheet.questions) == ("Mac Roman", ())
    assert [row.cells[1] for row in sheet.rows] == ["Försäljning", "Økonomi"]


def test_one_bad_byte_is_read_as_it_was_meant_and_somebody_looks() -> None:
    sheet = case("one-bad-byte.csv")
    assert [row.cells[1] for row in sheet.rows] == ["Försäljning", "Økonomi"]
    assert sheet.questions == (Question.ENCODING,)


def test_an_opening_quote_without_an_end_is_named_and_swallows_nobody() -> None:
    sheet = case("unclosed-quote.csv")
    assert [row.cells for row in sheet.rows] == [
        ("Åsa Öberg", "Sales"),
        ("Søren Kjær", "Sales"),
        ("Zoë Müller", "Finance"),
    ]
    assert (sheet.mended, sheet.questions) == ((2,), (Question.QUOTES,))


def test_characters_that_nobody_sees_make_no_other_header() -> None:
    assert case("invisible-header.csv").columns == ("email", "department")


def test_a_file_of_which_no_column_names_people_is_read_and_somebody_is_asked() -> None:
    sheet = read(b"Sukunimi;Osasto\nOberg;Sales\n")
    assert sheet.questions == (Question.NO_PEOPLE,)
    assert [row.cells for row in sheet.rows] == [("Oberg", "Sales")]


def test_a_file_is_read_as_a_person_says() -> None:
    content = "Åsa Öberg;Sales\nBo Ek;IT\n".encode("cp850")
    sheet = read(content, layout=Layout("DOS 850", ";", 0))
    assert (sheet.header_line, sheet.headers) == (0, ("", ""))
    assert [row.cells[0] for row in sheet.rows] == ["Åsa Öberg", "Bo Ek"]
    assert read(content, layout=Layout(delimiter=",")).headers == ("Åsa Öberg;Sales",)
    with pytest.raises(TableUnusable) as refusal:
        read(content, layout=Layout("UTF-8"))
    assert refusal.value.reason == Unusable.NOT_IN_THIS_ENCODING

"""What leaves for a spreadsheet is text there."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.support.spreadsheet import FORMULAS, as_csv, as_meant, harmless


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u00a0@x"])
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Åsa", "نور", "O'Brien", "1 - 2", "", 3])
def test_other_cells_stay_as_they_are(cell: object) -> None:
    assert harmless(cell) == str(cell)


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

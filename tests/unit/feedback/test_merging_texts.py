"""Two changes of one text put together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.feedback.rules import LONGEST_DRAFT, merge_texts

TEXTS = st.lists(st.sampled_from(["one", "two", "drei", " ", "\n", ".", "ñ", "👩‍🏫", "שלום"]), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("start", "mine", "theirs", "merged"),
    [
        ("", "Mine.", "", "Mine."),
        ("", "Mine.", "Theirs.", "Theirs.Mine."),
        ("We meet.", "We meet. Soon.", "Then we meet.", "Then we meet. Soon."),
        ("we meet", "we meet soon", "then we meet", "then we meet soon"),
        ("Call Bo on Monday.", "Call Bo on Friday.", "Mail Bo on Monday.", "Mail Bo on Friday."),
        ("Call Bo on Monday.", "Call Bo on Friday.", "Call Bo on Sunday.", None),
        ("one two three", "one three", "one two three four", "one three four"),
        ("one two three", "one three", "one 2 three", None),
        ("same", "changed", "changed", "changed"),
        ("a\nb", "a\nx\nb", "a\nb\nc", "a\nx\nb\nc"),
    ],
)
def test_examples(start: str, mine: str, theirs: str, merged: str | None) -> None:
    assert merge_texts(start, mine, theirs) == merged


@given(TEXTS, TEXTS)
def test_a_change_of_one_alone_is_taken_as_it_is(start: str, changed: str) -> None:
    assert merge_texts(start, changed, start) == changed
    assert merge_texts(start, start, changed) == changed
    assert merge_texts(start, changed, changed) == changed


@given(TEXTS, TEXTS, TEXTS)
def test_whoever_is_first_two_changes_fit_together_or_do_not(start: str, mine: str, theirs: str) -> None:
    assert (merge_texts(start, mine, theirs) is None) == (merge_texts(start, theirs, mine) is None)


@given(TEXTS, TEXTS, TEXTS)
def test_what_two_add_to_the_ends_is_all_there(start: str, before: str, after: str) -> None:
    merged = merge_texts(f"x {start} y", f"x {start} y{after}", f"{before}x {start} y")
    if merged is not None:
        assert merged == f"{before}x {start} y{after}"


def test_the_longest_texts_of_one_repeated_word_are_put_together() -> None:
    start = "a " * (LONGEST_DRAFT // 2)
    assert merge_texts(start, f"{start}mine", f"theirs {start}") == f"theirs {start}mine"
    assert merge_texts(start, "b " * (LONGEST_DRAFT // 2), "c " * (LONGEST_DRAFT // 2)) is None

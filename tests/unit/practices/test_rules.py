"""Who reads a practice, what an offer needs, and whose names it mentions."""

from itertools import product

import pytest

from lti_tool.practices import rules
from lti_tool.practices.rules import Draft, Flaw, Stage


@pytest.mark.parametrize(
    ("draft", "flaws"),
    [
        (Draft("practice", "Silence", "Count to five."), []),
        (Draft("", "", ""), [Flaw.NO_KIND, Flaw.NO_TITLE, Flaw.NO_TEXT]),
        (Draft("secret", "x" * 301, "x" * 10_001), [Flaw.NO_KIND, Flaw.LONG_TITLE, Flaw.LONG_TEXT]),
        (Draft("example", "x" * 300, "x" * 10_000), []),
    ],
)
def test_what_keeps_an_offer_from_being_taken(draft: Draft, flaws: list[Flaw]) -> None:
    assert rules.flaws_of(draft) == flaws


def test_a_reason_is_needed_and_short() -> None:
    assert rules.flaws_of_reason("") == [Flaw.NO_REASON]
    assert rules.flaws_of_reason("x" * 1_001) == [Flaw.LONG_REASON]
    assert rules.flaws_of_reason("It names a place.") == []


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("We waited. JONAS spoke first.", ["Jonas"]),
        ("Jonas’s idea, and Jonas again", ["Jonas"]),
        ("Mette Holm and I", ["Mette", "Holm"]),
        ("The Holmes of this world", []),
        ("王芳说得很好", ["王芳"]),
        ("I was alone. A colleague spoke.", []),
    ],
)
def test_names_are_noticed_as_whole_words(text: str, mentioned: list[str]) -> None:
    assert rules.names_in(text, ["Jonas Berg", "Mette Holm", "王芳", "I"]) == mentioned


def test_others_read_it_only_where_everybody_agreed_and_staff_did_not_hide_it() -> None:
    for agreed, declined, is_hidden in product((1, 2, 3), (0, 1), (False, True)):
        stage = rules.stage_of(asked=3, agreed=agreed, declined=declined, is_hidden=is_hidden)
        assert (stage is Stage.SHOWN) == (agreed == 3 and not declined and not is_hidden)


def test_who_reads_it_at_which_stage() -> None:
    for stage, concerned, in_course, staff, library in product(Stage, *[(False, True)] * 4):
        may = rules.may_read(
            stage, is_concerned=concerned, is_in_course=in_course, is_staff=staff, is_in_library=library
        )
        if concerned:
            assert may
        elif stage in (Stage.ASKED, Stage.DECLINED):
            assert not may
        elif stage is Stage.HIDDEN:
            assert may == (in_course and staff), "staff of another course do not"
        else:
            assert may == (in_course or library)

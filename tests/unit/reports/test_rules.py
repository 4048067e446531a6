"""Who decides about a report, which passages a text has, and how dates wait."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.reports import rules
from lti_tool.reports.rules import Flaw, Outcome

OPENED = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("role", "setting", "may"),
    [
        ("instructor", False, True),
        ("assistant", False, False),
        ("assistant", True, True),
        ("learner", True, False),
        ("observer", True, False),
    ],
)
def test_assistants_decide_where_the_activity_says_so(role: str, setting: bool, may: bool) -> None:
    assert rules.may_moderate(role, assistants_moderate=setting) is may


@pytest.mark.parametrize(
    ("concern", "words", "is_about_text", "flaws"),
    [
        ("hurts", "", True, []),
        ("hurts", "", False, [Flaw.NO_WORDS]),
        ("other", " ", True, [Flaw.NO_WORDS]),
        ("", "", True, [Flaw.NO_CONCERN]),
        ("rude", "It is.", True, [Flaw.NO_CONCERN]),
        ("hurts", "x" * 4001, True, [Flaw.TOO_LONG]),
    ],
)
def test_a_report_needs_a_concern_and_words_where_it_says_too_little(
    concern: str, words: str, is_about_text: bool, flaws: list[Flaw]
) -> None:
    assert rules.flaws_of_report(concern, words, is_about_text=is_about_text) == flaws


@pytest.mark.parametrize(
    ("outcome", "reason", "passages", "is_about_text", "flaws"),
    [
        (Outcome.HIDDEN, "It judges you.", [], True, []),
        (Outcome.PASSAGES_HIDDEN, "One line.", [], True, [Flaw.NO_PASSAGE]),
        (Outcome.RESTORED, "", [], True, [Flaw.NO_REASON]),
        (Outcome.OPEN, "x", [], True, [Flaw.NO_OUTCOME]),
        (Outcome.TAKEN_BACK, "x", [], True, [Flaw.NO_OUTCOME]),
        (Outcome.TALKED, "We talked.", [], False, []),
        (Outcome.HIDDEN, "x", [], False, [Flaw.NO_OUTCOME]),
    ],
)
def test_a_decision_needs_an_explanation(
    outcome: str, reason: str, passages: list[str], is_about_text: bool, flaws: list[Flaw]
) -> None:
    assert rules.flaws_of_decision(outcome, reason, passages, is_about_text=is_about_text) == flaws


def test_a_text_is_cut_into_sentences_and_lines() -> None:
    (parts,) = rules.passages_of({"effect": "You asked twice. Why?! Nobody knew…\nThen “stop.” Quiet"}).values()
    assert list(parts.values()) == ["You asked twice. ", "Why?! ", "Nobody knew…\n", "Then “stop.” ", "Quiet"]
    assert list(parts) == [f"effect:{place}" for place in range(5)]


def test_hiding_a_passage_leaves_the_others_and_their_spaces() -> None:
    fields = {"effect": "You asked twice. You are a fool. Thanks.", "suggestion": "Wait."}
    assert rules.without(fields, {"effect:1", "effect:9", "nothing"}) == {
        "effect": "You asked twice. […] Thanks.",
        "suggestion": "Wait.",
    }


@given(st.dictionaries(st.sampled_from("abc"), st.text(st.sampled_from('ab .!?\n"”…'), max_size=60), max_size=3))
def test_passages_together_are_the_text(fields: dict[str, str]) -> None:
    cut = rules.passages_of(fields)
    assert {name: "".join(parts.values()) for name, parts in cut.items()} == {
        name: text for name, text in fields.items() if text
    }
    assert rules.without(fields, set()) == fields


@pytest.mark.parametrize(
    ("due_in", "open_for", "later_by"),
    [
        (timedelta(days=3), timedelta(hours=1), timedelta(days=1)),
        (timedelta(days=3), timedelta(days=2, hours=1), timedelta(days=3)),
        (timedelta(days=3), timedelta(0), timedelta(0)),
        (timedelta(hours=-1), timedelta(days=2), timedelta(0)),
    ],
)
def test_a_date_waits_by_whole_days_unless_it_had_passed(
    due_in: timedelta, open_for: timedelta, later_by: timedelta
) -> None:
    due_at = OPENED + due_in
    assert rules.paused(due_at, OPENED, OPENED + open_for) == due_at + later_by
    assert rules.paused(None, OPENED, OPENED + open_for) is None

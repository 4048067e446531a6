"""The set-up page: what was typed survives, and what it amounts to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lti_tool.activities import forms
from lti_tool.activities.forms import RoundText, SetupText
from lti_tool.activities.rules import RoundDates
from lti_tool.activities.rules.templates import OBSERVATION_AND_FEEDBACK, TEMPLATES
from lti_tool.rubrics.rules import check as check_rubric

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def as_written(text: str) -> str:
    return text


def template_text() -> SetupText:
    template = OBSERVATION_AND_FEEDBACK
    settings = template.settings(as_written, now=NOW, time_zone="Europe/Stockholm")
    return forms.shown(settings, template.rubric(as_written), version=1)


def fields_of(text: SetupText) -> dict[str, str]:
    """What a browser sends of this page."""
    fields = {
        "title": text.title,
        "instructions": text.instructions.replace("\n", "\r\n"),
        "time_zone": text.time_zone,
        "release": text.release,
        "feedback_to": text.feedback_to,
        "score_mode": text.score_mode,
        "score_maximum": text.score_maximum,
        "version": text.version,
        "rubric-title": text.rubric.data["title"],
    }
    for name in ("staff_read_feedback", "shows_hints", "zero_at_close"):
        if getattr(text, name):
            fields[name] = "1"
    fields |= {name: times for name, times in text.asked.items() if times}
    if text.rubric.data["use_points"]:
        fields["use_points"] = "1"
    for number, dates in enumerate(text.rounds, start=1):
        for part in ("opens_date", "opens_time", "due_date", "due_time"):
            fields[f"r{number}-{part}"] = getattr(dates, part)
    for c, criterion in enumerate(text.rubric.data["criteria"]):
        at = f"criteria-{c}"
        fields |= {f"{at}-{part}": criterion[part] for part in ("name", "description")}
        for n, level in enumerate(criterion["levels"]):
            fields |= {f"{at}-levels-{n}-{part}": words for part, words in level.items()}
    return fields


def read(**changed: str) -> forms.Reading:
    return forms.read(forms.typed(fields_of(template_text()) | changed, kind="observation"), now=NOW)


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES.keys())
def test_every_template_can_be_placed_as_it_is(template: object) -> None:
    reading = read()
    assert reading.problems == {}
    assert check_rubric(reading.rubric) == []
    assert reading.settings == OBSERVATION_AND_FEEDBACK.settings(as_written, now=NOW, time_zone="Europe/Stockholm")
    assert reading.rubric == OBSERVATION_AND_FEEDBACK.rubric(as_written)


def test_the_template_is_due_at_the_end_of_days_two_weeks_apart() -> None:
    first, second = template_text().rounds
    assert first == RoundText("", "", "2026-11-16", "")
    assert second == RoundText("", "", "2026-11-30", "")
    assert read().settings.rounds[0] == RoundDates(None, datetime(2026, 11, 16, 22, 59, tzinfo=UTC))


def test_what_was_typed_is_what_is_shown_again() -> None:
    text = template_text()
    typed = forms.typed(fields_of(text), kind="observation")
    assert replace(typed, rubric=text.rubric) == text
    assert typed.rubric.data == text.rubric.data


def test_a_page_full_of_mistakes_names_each_and_keeps_all() -> None:
    wrong = {
        "title": " ",
        "time_zone": "Atlantis",
        "r1-due_date": "30.11.2026",
        "r2-due_time": "25:00",
        "write_notes": "some",
        "score_maximum": "",
        "criteria-0-name": "",
    }
    reading = read(**wrong)
    assert list(reading.problems) == [
        "title",
        "criteria-0-name",
        "r1-due_date",
        "r2-due_time",
        "time_zone",
        "write_notes",
        "score_maximum",
    ]
    kept = forms.typed(fields_of(template_text()) | wrong, kind="observation")
    assert kept.rounds[0].due_date == "30.11.2026"
    assert kept.asked["write_notes"] == "some"


@pytest.mark.parametrize("day", ["2026-02-30", "0001-01-01", "9999-12-31", "２０２６-11-16", "tomorrow"])
def test_a_day_that_does_not_exist_is_no_date(day: str) -> None:
    assert read(**{"r1-due_date": day}).problems == {"r1-due_date": forms.DATE_UNREADABLE}


def test_a_time_without_its_date_is_not_dropped_in_silence() -> None:
    assert read(**{"r1-opens_time": "10:00"}).problems == {"r1-opens_date": forms.DATE_MISSING}


def test_a_due_time_is_meant_in_the_zone_of_the_activity() -> None:
    reading = read(**{"time_zone": "America/New_York", "r1-due_date": "2026-11-16", "r1-due_time": "17:30"})
    assert reading.settings.rounds[0].due_at == datetime(2026, 11, 16, 22, 30, tzinfo=UTC)


def test_the_maximum_does_not_matter_where_nothing_is_graded() -> None:
    reading = read(score_mode="none", score_maximum="", zero_at_close="1")
    assert reading.problems == {}
    assert not reading.settings.zero_at_close


@pytest.mark.parametrize("field", ["release", "score_mode"])
def test_a_choice_that_was_never_offered_falls_back_to_the_usual(field: str) -> None:
    settings = read(**{field: "everybody"}).settings
    usual = OBSERVATION_AND_FEEDBACK.settings(as_written, now=NOW, time_zone="Europe/Stockholm")
    assert getattr(settings, field) == getattr(usual, field)


def test_nul_is_dropped_and_lines_end_in_one_way() -> None:
    settings = read(title="Ob\x00serve", instructions="one\r\n\r\ntwo").settings
    assert (settings.title, settings.instructions) == ("Observe", "one\n\ntwo")


def test_rounds_are_added_and_removed_at_the_end() -> None:
    text = template_text()
    more = forms.press(text, "add-round")
    assert more is not None
    assert (len(more[0].rounds), more[1]) == (3, "r3-due_date")
    less = forms.press(more[0], "remove-round")
    assert less == (text, "r2-due_date")


def test_the_last_round_stays_and_the_thirteenth_does_not_come() -> None:
    one = forms.press(SetupText("observation", rounds=(RoundText(),)), "remove-round")
    assert one is not None
    assert len(one[0].rounds) == 1
    twelve = forms.press(SetupText("observation", rounds=(RoundText(),) * 12), "add-round")
    assert twelve is not None
    assert len(twelve[0].rounds) == 12


def test_a_button_of_the_rubric_changes_the_rubric_only() -> None:
    text, before = template_text(), template_text()
    answer = forms.press(text, "remove-criterion-0")
    assert answer == (replace(before, rubric=text.rubric), "criteria-0-name")
    assert text.rubric.data == before.rubric.data | {"criteria": before.rubric.data["criteria"][1:]}


def test_a_known_due_date_in_the_past_does_not_hold_up_other_changes() -> None:
    before = OBSERVATION_AND_FEEDBACK.settings(as_written, now=NOW, time_zone="Europe/Stockholm")
    text = forms.shown(before, OBSERVATION_AND_FEEDBACK.rubric(as_written), version=4)
    later = NOW + timedelta(days=20)
    assert forms.read(text, now=later, before=before).problems == {}
    assert list(forms.read(text, now=later).problems) == ["r1-due_date"]


def test_all_due_dates_are_filled_in_from_a_rhythm_around_free_weeks() -> None:
    text = SetupText(
        "observation",
        rounds=(RoundText(due_time="12:00"), RoundText(opens_date="2026-10-01"), RoundText()),
        series=forms.SeriesText("2026-10-20", "weekly", "44, v. 46"),
    )
    pressed = forms.press(text, "fill-dates")
    assert pressed is not None
    filled, focus = pressed
    assert [one.due_date for one in filled.rounds] == ["2026-10-20", "2026-11-03", "2026-11-17"]
    assert (filled.rounds[0].due_time, filled.rounds[1].opens_date) == ("12:00", "2026-10-01")
    assert filled.series.is_filled_in
    assert focus == "r1-due_date"
    assert [str(day) for day in forms.due_days(filled)] == ["2026-10-20", "2026-11-03", "2026-11-17"]


@pytest.mark.parametrize(
    ("series", "field", "sentence"),
    [
        (forms.SeriesText(), "series-first", forms.FIRST_MISSING),
        (forms.SeriesText("soon"), "series-first", forms.DATE_UNREADABLE),
        (forms.SeriesText("2026-10-20", "weekly", "autumn"), "series-free", forms.FREE_UNREADABLE),
    ],
)
def test_a_rhythm_that_cannot_be_read_changes_no_date(series: forms.SeriesText, field: str, sentence: str) -> None:
    text = SetupText("observation", rounds=(RoundText(due_date="2026-10-01"),), series=series)
    pressed = forms.press(text, "fill-dates")
    assert pressed is not None
    same, focus = pressed
    assert same.rounds == text.rounds
    assert (focus, same.series.field, same.series.problem) == (field, field, sentence)

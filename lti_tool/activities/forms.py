"""The set-up page: what was typed, as typed, and the settings it amounts to.

Everything stays text until `read`, so that a page with mistakes shows exactly what the person wrote.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import Final, TypeVar

from lti_tool.activities import rules
from lti_tool.activities.kinds import kind_of
from lti_tool.activities.rules import (
    ActivitySettings,
    CertificateTerms,
    Completion,
    Flaw,
    ReflectionDays,
    Release,
    RoundDates,
    Scenario,
    ScoreMode,
    SettingsProblem,
    check,
    deadline,
    local_parts,
    opening,
    seats_with_hours,
)
from lti_tool.activities.rules.reflecting import LONGEST_OCCASION
from lti_tool.activities.rules.rhythm import Rhythm, WeeksUnreadable, days_in_rhythm, read_weeks
from lti_tool.activities.rules.templates.scenarios import READY_SCENARIOS, scenarios_for
from lti_tool.errors import N_
from lti_tool.rubrics import forms as rubric_forms
from lti_tool.rubrics.forms import RubricForm
from lti_tool.rubrics.rules import RubricDraft
from lti_tool.support.zones import read_zone

Choice = TypeVar("Choice", Release, ScoreMode)

MOST_READ: Final = 20
LONGEST_SERIES: Final = 500
"""Characters of a list of free weeks."""
EARLIEST_YEAR: Final = 2000
LATEST_YEAR: Final = 2200


@dataclass(frozen=True, slots=True)
class RoundText:
    """A round's dates as typed."""

    opens_date: str = ""
    opens_time: str = ""
    due_date: str = ""
    due_time: str = ""


@dataclass(frozen=True, slots=True)
class SeriesText:
    """A rhythm from which the due dates of all rounds are filled in, as typed. Nothing of it is kept."""

    first: str = ""
    rhythm: str = ""
    free: str = ""
    """Weeks to skip."""
    problem: str = ""
    """What is wrong with it, as a sentence (marked for translation)."""
    field: str = ""
    """The id of the field that the problem is in."""
    part: str = ""
    """What could not be read."""
    is_filled_in: bool = False
    """Whether the dates of the rounds were just filled in from it."""


@dataclass(frozen=True, slots=True)
class ScenarioText:
    """A scenario as typed."""

    public: str = ""
    briefs: Mapping[str, str] = field(default_factory=dict)
    """By key of a seat."""
    set_aside: "ScenarioText | None" = None
    """What somebody had typed before a ready scenario took its place; offered until the page is saved."""


@dataclass(frozen=True, slots=True)
class CertificateText:
    """What a certificate says, as typed."""

    is_given: bool = False
    title: str = ""
    issuer: str = ""
    hours: Mapping[str, str] = field(default_factory=dict)
    """By key of a seat."""


@dataclass(frozen=True, slots=True)
class SetupText:
    """The whole page as typed."""

    kind: str
    title: str = ""
    instructions: str = ""
    scenario: ScenarioText = field(default_factory=ScenarioText)
    time_zone: str = ""
    rounds: tuple[RoundText, ...] = ()
    series: SeriesText = field(default_factory=SeriesText)
    release: str = Release.WHEN_BOTH_GAVE
    staff_read_feedback: bool = False
    anonymous_feedback: bool = False
    shows_hints: bool = False
    letters_a_week: str = ""
    feedback_to: str = ""
    guided_rounds: str = ""
    assistants_moderate: bool = False
    asked: Mapping[str, str] = field(default_factory=dict)
    """By key of a step what stands in its box or number."""
    score_mode: str = ScoreMode.COMPLETE
    score_maximum: str = ""
    points_share: str = ""
    zero_at_close: bool = False
    rubric: RubricForm = field(default_factory=RubricForm)
    finds_partners: bool = False
    reflect_first: str = ""
    reflect_rhythm: str = ""
    reflect_after: str = ""
    certificate: CertificateText = field(default_factory=CertificateText)
    asks_survey: bool = False
    survey_own: str = ""
    """A sentence on each line."""
    language: str = ""
    version: str = ""
    """Of the activity when the page was opened."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What typed text amounts to. With problems it must not be kept."""

    settings: ActivitySettings
    rubric: RubricDraft
    problems: dict[str, str]
    """Field id to a sentence (marked for translation), in the order of the page."""


WORDS_FOR_FLAWS: Final[dict[Flaw, str]] = {
    Flaw.TITLE_MISSING: N_("Give the activity a title."),
    Flaw.TITLE_TOO_LONG: N_("Shorten the title to 255 characters."),
    Flaw.INSTRUCTIONS_TOO_LONG: N_("Shorten the instructions to 10,000 characters."),
    Flaw.SCENARIO_TOO_LONG: N_("Shorten this text to 10,000 characters."),
    Flaw.SCENARIO_PUBLIC_MISSING: N_("Describe the scenario for everyone, or clear the private briefs."),
    Flaw.ZONE_UNKNOWN: N_("Choose a time zone from the list, such as Europe/Stockholm."),
    Flaw.NO_ROUND: N_("Add at least one round."),
    Flaw.TOO_MANY_ROUNDS: N_("An activity has at most 12 rounds."),
    Flaw.DUE_BEFORE_OPEN: N_("This round is due before it opens. Change one of the two dates."),
    Flaw.DUE_BEFORE_EARLIER_ROUND: N_("This round is due before an earlier one. Put the dates in order."),
    Flaw.DUE_PASSED: N_("This date has passed. Choose a later date, or clear it."),
    Flaw.NO_DUE_FOR_RELEASE: N_("Feedback is released at this round's due date. Add a due date."),
    Flaw.NOTHING_COUNTS: N_("Choose at least one thing that counts toward completion."),
    Flaw.NUMBER_OUT_OF_RANGE: N_("Enter a whole number of notes from 0 to 20."),
    Flaw.SCORE_OUT_OF_RANGE: N_("Enter a whole number from 1 to 1000."),
    Flaw.POINTS_SHARE_OUT_OF_RANGE: N_("Enter a whole number from 0 to 100."),
    Flaw.POINTS_OF_ROLE_PLAY: N_("People try things out in a role-play, so its points never count."),
    Flaw.ANONYMOUS_IN_SMALL_GROUPS: N_(
        "Feedback cannot be anonymous where fewer than three people give it to the same person. Clear this box, or let "
        "feedback go to everyone or to one seat."
    ),
    Flaw.ANONYMOUS_BY_INSTRUCTOR: N_(
        "Anonymous feedback is shown together and not piece by piece. Choose another time at which it can be read."
    ),
    Flaw.CERTIFICATE_TITLE_TOO_LONG: N_("Shorten what the certificate is called to 255 characters."),
    Flaw.CERTIFICATE_ISSUER_TOO_LONG: N_("Shorten the name of who issues it to 255 characters."),
    Flaw.HOURS_OUT_OF_RANGE: N_("Enter hours from 0 to 100, such as 1 or 1.5."),
}
DATE_UNREADABLE: Final = N_("Write the date as year-month-day, such as 2026-12-24.")
TIME_UNREADABLE: Final = N_("Write the time as hours:minutes, such as 16:30.")
NO_POINTS: Final = N_("No criterion has points or a number scale. Add points to levels, or set this to 0.")
FREE_UNREADABLE: Final = N_(
    "“%(part)s” is not a week. Write week numbers or dates with commas between, such as 44, 52–1, 2027-02-15."
)
MOST_OWN_ITEMS: Final = 5
LONGEST_ITEM: Final = 200
OWN_ITEMS: Final = N_("Write at most 5 sentences, each on a line of its own and of at most 200 characters.")
FIRST_MISSING: Final = N_("Choose the due date of the first round.")
DATE_MISSING: Final = N_("Add a date for this time, or clear the time.")

_FIELD: Final = {
    Flaw.TITLE_MISSING: "title",
    Flaw.TITLE_TOO_LONG: "title",
    Flaw.INSTRUCTIONS_TOO_LONG: "instructions",
    Flaw.SCENARIO_PUBLIC_MISSING: "scenario-public",
    Flaw.ZONE_UNKNOWN: "time_zone",
    Flaw.NO_ROUND: "rounds",
    Flaw.TOO_MANY_ROUNDS: "rounds",
    Flaw.NOTHING_COUNTS: "asked",
    Flaw.SCORE_OUT_OF_RANGE: "score_maximum",
    Flaw.POINTS_SHARE_OUT_OF_RANGE: "points_share",
    Flaw.POINTS_OF_ROLE_PLAY: "points_share",
    Flaw.ANONYMOUS_IN_SMALL_GROUPS: "anonymous_feedback",
    Flaw.ANONYMOUS_BY_INSTRUCTOR: "anonymous_feedback",
    Flaw.CERTIFICATE_TITLE_TOO_LONG: "certificate_title",
    Flaw.CERTIFICATE_ISSUER_TOO_LONG: "certificate_issuer",
}

_ROUND_PARTS: Final = ("opens_date", "opens_time", "due_date", "due_time")


def typed(fields: Mapping[str, str], *, kind: str) -> SetupText:
    """What the form holds. Line ends are one character, and NUL, which no database column takes, is dropped."""
    clean = {name: value.replace("\r\n", "\n").replace("\x00", "") for name, value in fields.items()}
    return SetupText(
        kind=kind,
        title=clean.get("title", "").strip(),
        instructions=clean.get("instructions", "").strip(),
        scenario=_scenario_typed(clean, kind),
        time_zone=clean.get("time_zone", "").strip(),
        rounds=tuple(
            RoundText(*(clean.get(f"r{number}-{part}", "").strip() for part in _ROUND_PARTS))
            for number in range(1, MOST_READ + 1)
            if f"r{number}-due_date" in clean
        ),
        series=SeriesText(
            first=clean.get("series-first", "").strip(),
            rhythm=clean.get("series-rhythm", ""),
            free=clean.get("series-free", "").strip()[:LONGEST_SERIES],
        ),
        release=clean.get("release", ""),
        staff_read_feedback="staff_read_feedback" in clean,
        anonymous_feedback="anonymous_feedback" in clean,
        shows_hints="shows_hints" in clean,
        letters_a_week=clean.get("letters_a_week", "2").strip(),
        feedback_to=clean.get("feedback_to", ""),
        guided_rounds=clean.get("guided_rounds", "").strip(),
        assistants_moderate="assistants_moderate" in clean,
        asked={step.key: clean.get(step.key, "").strip() for step in kind_of(kind).steps if step.may_count},
        score_mode=clean.get("score_mode", ""),
        score_maximum=clean.get("score_maximum", "").strip(),
        points_share=clean.get("points_share", "").strip(),
        zero_at_close="zero_at_close" in clean,
        rubric=rubric_forms.typed(clean),
        finds_partners="finds_partners" in clean,
        reflect_first=clean.get("reflect_first", "").strip(),
        reflect_rhythm=clean.get("reflect_rhythm", ""),
        reflect_after=clean.get("reflect_after", "").strip()[:LONGEST_OCCASION],
        certificate=CertificateText(
            "certificate" in clean,
            clean.get("certificate_title", "").strip(),
            clean.get("certificate_issuer", "").strip(),
            {seat.key: clean.get(f"hours-{seat.key}", "").strip() for seat in seats_with_hours(kind_of(kind))},
        ),
        asks_survey="asks_survey" in clean,
        survey_own=clean.get("survey_own", "").strip(),
        language=clean.get("language", ""),
        version=clean.get("version", ""),
    )


def shown(
    settings: ActivitySettings, rubric: RubricDraft, *, version: int, rubric_origin: tuple[int, int] | None = None
) -> SetupText:
    """Kept settings as the form shows them. `rubric_origin`: the saved rubric that it began with, and its version."""
    days = settings.reflection_days
    return SetupText(
        kind=settings.kind,
        title=settings.title,
        instructions=settings.instructions,
        scenario=_scenario_shown(settings),
        time_zone=settings.time_zone,
        rounds=tuple(_round_shown(dates, settings.time_zone) for dates in settings.rounds),
        release=settings.release,
        staff_read_feedback=settings.staff_read_feedback,
        anonymous_feedback=settings.anonymous_feedback,
        shows_hints=settings.shows_hints,
        letters_a_week=str(settings.letters_a_week),
        feedback_to=settings.feedback_to or next((one.to for one in kind_of(settings.kind).directions), ""),
        guided_rounds=str(settings.guided_rounds) if kind_of(settings.kind).facilitator else "",
        assistants_moderate=settings.assistants_moderate,
        asked={
            step.key: str(times) if step.most > 1 or times else ""
            for step in kind_of(settings.kind).steps
            if step.may_count
            for times in (settings.completion.of(step),)
        },
        score_mode=settings.score_mode,
        score_maximum=str(settings.score_maximum),
        points_share=str(settings.points_share),
        zero_at_close=settings.zero_at_close,
        rubric=rubric_forms.shown(rubric, rubric_origin),
        finds_partners=settings.finds_partners,
        reflect_first=days.first_on.isoformat() if days else "",
        reflect_rhythm=days.rhythm or "" if days else "",
        reflect_after=days.after if days else "",
        certificate=_certificate_shown(settings),
        asks_survey=settings.survey is not None,
        survey_own="\n".join(settings.survey or ()),
        language=settings.language or "",
        version=str(version),
    )


def read(
    text: SetupText, *, now: datetime, before: ActivitySettings | None = None, languages: Collection[str] = ()
) -> Reading:
    """The settings and rubric that were typed, with a sentence for each field that keeps them from use.

    `languages` are those that its texts can be said to be written in.
    """
    problems: dict[str, str] = {}
    meant = read_zone(text.time_zone)
    # What nobody understands stays as it was typed and is refused below.
    zone = meant.key if meant is not None else "UTC"
    settings = ActivitySettings(
        kind=text.kind,
        title=text.title,
        instructions=text.instructions,
        time_zone=zone if meant is not None else text.time_zone,
        rounds=tuple(
            _round_read(typed_round, number, zone, problems) for number, typed_round in enumerate(text.rounds, start=1)
        ),
        completion=asked_of(text),
        score_mode=_one_of(ScoreMode, text.score_mode, ScoreMode.COMPLETE),
        # The field is of no use, and may hold anything, where nothing goes to the gradebook.
        score_maximum=_whole(text.score_maximum, empty=100 if text.score_mode == ScoreMode.NONE else -1),
        points_share=_whole(text.points_share, empty=0) if text.score_mode != ScoreMode.NONE else 0,
        zero_at_close=text.zero_at_close and text.score_mode != ScoreMode.NONE,
        release=_one_of(Release, text.release, Release.WHEN_BOTH_GAVE),
        staff_read_feedback=text.staff_read_feedback,
        anonymous_feedback=text.anonymous_feedback,
        shows_hints=text.shows_hints,
        # A choice from a list: whoever sends something else gets the usual number.
        letters_a_week=int(text.letters_a_week) if text.letters_a_week in set("012345") else 2,
        feedback_to=next((one.to for one in kind_of(text.kind).directions[1:] if one.to == text.feedback_to), None),
        guided_rounds=guided_of(text),
        assistants_moderate=text.assistants_moderate,
        scenario=Scenario.written(text.scenario.public, text.scenario.briefs),
        finds_partners=text.finds_partners,
        reflection_days=_reflection_read(text, problems),
        certificate=_certificate_read(text.certificate),
        survey=_survey_read(text, problems),
        language=text.language if text.language in languages else None,
    )
    for problem in check(settings, now=now, before=before):
        problems.setdefault(_field(problem), WORDS_FOR_FLAWS[problem.flaw])
    rubric, rubric_problems = rubric_forms.read(text.rubric, rounds=len(text.rounds))
    problems |= rubric_problems
    if settings.points_share and not rubric.has_points:
        problems.setdefault("points_share", NO_POINTS)
    return Reading(settings, rubric, {field: problems[field] for field in sorted(problems, key=_place_on_page)})


def _reflection_read(text: SetupText, problems: dict[str, str]) -> ReflectionDays | None:
    if not text.reflect_first:
        return None
    first_on = _date(text.reflect_first)
    if first_on is None:
        problems["reflect_first"] = DATE_UNREADABLE
        return None
    rhythm = Rhythm(text.reflect_rhythm) if text.reflect_rhythm in set(Rhythm) else None
    return ReflectionDays(first_on, rhythm, text.reflect_after)


def _certificate_shown(settings: ActivitySettings) -> CertificateText:
    terms = settings.certificate or CertificateTerms()
    hours = {seat.key: str(terms.hours.get(seat.key, "")) for seat in seats_with_hours(kind_of(settings.kind))}
    return CertificateText(settings.certificate is not None, terms.title, terms.issuer, hours)


def _certificate_read(text: CertificateText) -> CertificateTerms | None:
    if not text.is_given:
        return None
    hours = {seat: _hours(typed_hours) for seat, typed_hours in text.hours.items() if typed_hours}
    return CertificateTerms(text.title, text.issuer, hours)


def _survey_read(text: SetupText, problems: dict[str, str]) -> tuple[str, ...] | None:
    if not text.asks_survey:
        return None
    own = tuple(dict.fromkeys(filter(None, (line.strip() for line in text.survey_own.split("\n")))))
    if len(own) > MOST_OWN_ITEMS or any(len(item) > LONGEST_ITEM for item in own):
        problems["survey_own"] = OWN_ITEMS
    return own


def asked_of(text: SetupText) -> Completion:
    """What counts as the form stands; -1, which the rules refuse, where a number cannot be read."""
    return Completion({key: _whole(times, empty=0) for key, times in text.asked.items()})


def guided_of(text: SetupText) -> int:
    """How many of the rounds are guided as the form stands: as many as there are, at most."""
    asked = _whole(text.guided_rounds, empty=0) if kind_of(text.kind).facilitator else 0
    return min(max(asked, 0), len(text.rounds))


def press(text: SetupText, button: str, say: Callable[[str], str] = str) -> tuple[SetupText, str] | None:
    """The form after a button that changes a part of the page or only looks at it, and where typing goes on.

    `say` puts a ready scenario into the person's language. None when `button` saves, places or leaves.
    """
    focus = rubric_forms.press(text.rubric, button)
    if focus is not None:
        return text, focus
    if button.startswith("scenario-"):
        return replace(text, scenario=_press_scenario(text, button.removeprefix("scenario-"), say)), "scenario-public"
    if button in {"checklist", "schedule"}:
        return text, "asked" if button == "checklist" else "guided_rounds"
    return _filled_in(text) if button == "fill-dates" else _press_rounds(text, button)


def _press_rounds(text: SetupText, button: str) -> tuple[SetupText, str] | None:
    if button == "add-round":
        if len(text.rounds) >= rules.MOST_ROUNDS:
            return text, "rounds"
        return replace(text, rounds=(*text.rounds, RoundText())), f"r{len(text.rounds) + 1}-due_date"
    if button == "remove-round":
        if len(text.rounds) <= 1:
            return text, "rounds"
        return replace(text, rounds=text.rounds[:-1]), f"r{len(text.rounds) - 1}-due_date"
    return None


def due_days(text: SetupText) -> list[date | None]:
    """The due date of each round as typed; None where there is none, or none that can be read."""
    return [_date(one.due_date) for one in text.rounds]


def _filled_in(text: SetupText) -> tuple[SetupText, str]:
    """The form with due dates in a rhythm, and otherwise with what keeps them from being filled in."""
    series = text.series
    first = _date(series.first)
    if first is None:
        problem = DATE_UNREADABLE if series.first else FIRST_MISSING
        return replace(text, series=replace(series, problem=problem, field="series-first")), "series-first"
    try:
        free = read_weeks(series.free, near=first)
    except WeeksUnreadable as unreadable:
        wrong = replace(series, problem=FREE_UNREADABLE, field="series-free", part=unreadable.part)
        return replace(text, series=wrong), "series-free"
    rhythm = Rhythm(series.rhythm) if series.rhythm in set(Rhythm) else Rhythm.WEEKLY
    days = list(islice(days_in_rhythm(first, rhythm, free), len(text.rounds)))
    dated = (replace(one, due_date=day.isoformat()) for one, day in zip(text.rounds, days, strict=False))
    # The calendar of this page ends with its last year.
    rounds = (*dated, *text.rounds[len(days) :])
    return replace(text, rounds=rounds, series=replace(series, is_filled_in=True)), "r1-due_date"


def _press_scenario(text: SetupText, button: str, say: Callable[[str], str]) -> ScenarioText:
    now, aside = text.scenario, text.scenario.set_aside
    if button == "back" and aside is not None:
        return replace(aside, set_aside=replace(now, set_aside=None))
    kind, ready = kind_of(text.kind), READY_SCENARIOS.get(button)
    if ready is None or not ready.suits(kind):
        return now
    typed = Scenario.written(now.public, now.briefs)
    is_own = typed is not None and typed not in [one.worded(say) for one in scenarios_for(kind)]
    chosen = ready.worded(say)
    return ScenarioText(chosen.public, chosen.briefs, replace(now, set_aside=None) if is_own else aside)


def _scenario_typed(fields: Mapping[str, str], kind: str, at: str = "scenario") -> ScenarioText:
    if not kind_of(kind).has_scenario:
        return ScenarioText()
    is_aside_there = at == "scenario" and "scenario-aside-public" in fields
    return ScenarioText(
        public=fields.get(f"{at}-public", "").strip(),
        briefs={seat.key: fields.get(f"{at}-brief-{seat.key}", "").strip() for seat in kind_of(kind).seats},
        set_aside=_scenario_typed(fields, kind, "scenario-aside") if is_aside_there else None,
    )


def _scenario_shown(settings: ActivitySettings) -> ScenarioText:
    kind, kept = kind_of(settings.kind), settings.scenario or Scenario("")
    if not kind.has_scenario:
        return ScenarioText()
    return ScenarioText(kept.public, {seat.key: kept.brief_for(seat.key) for seat in kind.seats})


def _round_shown(dates: RoundDates, zone: str) -> RoundText:
    def parts(moment: datetime | None, usual: time) -> tuple[str, str]:
        if moment is None:
            return "", ""
        day, at = local_parts(moment, zone)
        return day.isoformat(), "" if at == usual else at.strftime("%H:%M")

    return RoundText(*parts(dates.opens_at, time(0, 0)), *parts(dates.due_at, rules.END_OF_DAY))


def _round_read(text: RoundText, number: int, zone: str, problems: dict[str, str]) -> RoundDates:
    opens = _date_and_time(text.opens_date, text.opens_time, f"r{number}-opens", problems)
    due = _date_and_time(text.due_date, text.due_time, f"r{number}-due", problems)
    return RoundDates(
        opens_at=opening(*opens, zone) if opens is not None else None,
        due_at=deadline(*due, zone) if due is not None else None,
    )


def _date_and_time(
    day_text: str, time_text: str, field: str, problems: dict[str, str]
) -> tuple[date, time | None] | None:
    day, at = _date(day_text), _time(time_text)
    if day_text and day is None:
        problems[f"{field}_date"] = DATE_UNREADABLE
    if time_text and at is None:
        problems[f"{field}_time"] = TIME_UNREADABLE
    if time_text and not day_text:
        problems[f"{field}_date"] = DATE_MISSING
    return None if day is None else (day, at)


def _date(text: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", text, re.ASCII):
        return None
    year, month, day = (int(part) for part in text.split("-"))
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _time(text: str) -> time | None:
    match = re.fullmatch(r"(\d{1,2})[:.](\d{2})(?::\d{2})?", text, re.ASCII)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        return None
    return time(int(match[1]), int(match[2]))


def _whole(text: str, *, empty: int) -> int:
    """A whole number; -1, which the rules refuse, for anything else."""
    if not text:
        return empty
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else -1


def _hours(text: str) -> Decimal:
    """Hours with two digits after the point or comma at most; -1, which the rules refuse, for anything else."""
    return Decimal(text.replace(",", ".")) if re.fullmatch(r"[0-9]{1,3}(?:[.,][0-9]{1,2})?", text) else Decimal(-1)


def _one_of(choices: type[Choice], text: str, usual: Choice) -> Choice:
    try:
        return choices(text)
    except ValueError:
        return usual


def _field(problem: SettingsProblem) -> str:
    if problem.flaw is Flaw.HOURS_OUT_OF_RANGE:
        return f"hours-{problem.seat}"
    if problem.flaw is Flaw.SCENARIO_TOO_LONG:
        return f"scenario-brief-{problem.seat}" if problem.seat else "scenario-public"
    return _FIELD.get(problem.flaw) or problem.step or f"r{problem.round}-due_date"


def _place_on_page(field: str) -> tuple[int, list[int]]:
    """Where a field stands: its part of the page, then its numbers."""
    parts = (
        "title",
        "instructions",
        "scenario-public",
        "scenario-brief",
        "rubric",
        "criteria",
        r"r\d",
        "rounds",
        "time_zone",
        "anonymous_feedback",
        "reflect_first",
        "survey_own",
        "asked",
    )
    part = next((place for place, name in enumerate(parts) if re.match(name, field)), len(parts))
    return part, [int(number) for number in re.findall(r"\d+", field)]

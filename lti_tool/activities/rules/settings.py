"""What a designer decides about an activity, and what is wrong with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from lti_tool.activities.kinds import Kind, kind_for
from lti_tool.activities.kinds.kind import Step, To
from lti_tool.activities.rules.certificate import LONGEST_NAME, MOST_HOURS, CertificateTerms
from lti_tool.activities.rules.owed import may_be_anonymous
from lti_tool.activities.rules.reflecting import ReflectionDays
from lti_tool.activities.rules.scenario import Scenario
from lti_tool.support.zones import is_zone

LONGEST_TITLE: Final = 255
LONGEST_INSTRUCTIONS: Final = 10_000
MOST_ROUNDS: Final = 12
HIGHEST_SCORE: Final = 1000
DRAFTS_KEPT: Final = timedelta(days=30)
OFFERED_KEPT: Final = timedelta(days=400)
"""A link may stand in a course for months before anybody opens it; what it refers to outlives an academic year."""


class Release(StrEnum):
    """When a receiver may read feedback."""

    AT_ONCE = "at_once"
    WHEN_BOTH_GAVE = "when_both_gave"
    AT_DUE = "at_due"
    BY_INSTRUCTOR = "by_instructor"
    """Not before an instructor lets it go, however late that is."""


class ScoreMode(StrEnum):
    """What reaches the gradebook."""

    NONE = "none"
    COMPLETE = "complete"
    PROPORTIONAL = "proportional"


@dataclass(frozen=True, slots=True)
class Completion:
    """What counts: the same for the learner's checklist, the instructor's page and the score."""

    asked: Mapping[str, int]
    """By key of a step how often it is asked for; what is not in here, or is 0, does not count."""

    @classmethod
    def usual(cls, kind: Kind) -> Self:
        """What counts unless a designer says otherwise."""
        return cls.from_json({}, kind)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], kind: Kind) -> Self:
        """What was kept. A step that was not offered then has its default; one that is there by choice, or done with
        goals or actions, does not count.
        """
        usual = {
            step.key: 0 if kept and (step.counted_by or step.is_by_choice) else step.asked_usually
            for step in kind.steps
        }
        return cls({step.key: int(kept.get(step.key, usual[step.key])) for step in kind.steps if step.may_count})

    def to_json(self) -> dict[str, int]:
        """Plain values for the database."""
        return dict(self.asked)

    def of(self, step: Step) -> int:
        """How often this step is asked for."""
        return self.asked.get(step.key, 0)

    def offers(self, step: Step) -> bool:
        """Whether people do this step at all: those that are there by choice only where a designer asks for them."""
        return not step.is_by_choice or self.of(step) > 0

    def with_every_task(self, kind: Kind) -> Self:
        """The same with every step asked for that has a form, whether it counts or not.

        Steps of a meeting that do not count are left to its page, and those that are offered by choice left out.
        """
        return type(self)(
            {
                step.key: self.of(step) or int(step.form is not None and not step.is_live and self.offers(step))
                for step in kind.steps
            }
        )

    @property
    def counted(self) -> frozenset[str]:
        """The keys of the steps that count."""
        return frozenset(key for key, times in self.asked.items() if times)

    @property
    def counts_anything(self) -> bool:
        return any(self.asked.values())


@dataclass(frozen=True, slots=True)
class RoundDates:
    """When a round opens and when it is due. Without a date it opens with the plan and is never late."""

    opens_at: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ActivitySettings:
    """Everything that a designer decides, except the rubric."""

    kind: str
    title: str
    instructions: str
    time_zone: str
    rounds: tuple[RoundDates, ...]
    completion: Completion
    score_mode: ScoreMode = ScoreMode.COMPLETE
    score_maximum: int = 100
    points_share: int = 0
    """How many percent of the score follow the rubric points that somebody is given."""
    zero_at_close: bool = False
    release: Release = Release.WHEN_BOTH_GAVE
    staff_read_feedback: bool = False
    anonymous_feedback: bool = False
    """Whether feedback is given without names where at least three people give it to the same person in a round."""
    shows_hints: bool = True
    letters_a_week: int = 2
    """So many letters within seven days remind a learner by themselves, at most; where letters are sent at all."""
    feedback_to: To | None = None
    """Of a kind that has several directions; None is its first."""
    guided_rounds: int = 0
    """Of a kind with a facilitator: in so many rounds, from the first on, staff may take that seat."""
    assistants_moderate: bool = False
    """Whether assistants decide about reports of harm too."""
    scenario: Scenario | None = None
    """Of a kind that has one."""
    finds_partners: bool = False
    """Whether a learner whose partner does not answer gets another one at once, without asking staff."""
    reflection_days: ReflectionDays | None = None
    """When learners are asked to reflect between meetings."""
    certificate: CertificateTerms | None = None
    """What the certificate says that learners get for completion; None where there is none."""
    survey: tuple[str, ...] | None = None
    """Sentences of its own beside the usual ones, if learners are asked before and after; None where they are not."""
    language: str | None = None
    """In which language its texts are written; None where nobody said, or in none that Tandem has."""


class Flaw(StrEnum):
    """What the rules have against settings."""

    TITLE_MISSING = "title missing"
    TITLE_TOO_LONG = "title too long"
    INSTRUCTIONS_TOO_LONG = "instructions too long"
    SCENARIO_TOO_LONG = "scenario too long"
    SCENARIO_PUBLIC_MISSING = "scenario without its public part"
    ZONE_UNKNOWN = "time zone unknown"
    NO_ROUND = "no round"
    TOO_MANY_ROUNDS = "too many rounds"
    DUE_BEFORE_OPEN = "due before open"
    DUE_BEFORE_EARLIER_ROUND = "due before an earlier round"
    DUE_PASSED = "due date passed"
    NO_DUE_FOR_RELEASE = "released at a due date that is missing"
    NOTHING_COUNTS = "nothing counts"
    NUMBER_OUT_OF_RANGE = "number out of range"
    SCORE_OUT_OF_RANGE = "score out of range"
    POINTS_SHARE_OUT_OF_RANGE = "share of points out of range"
    POINTS_OF_ROLE_PLAY = "points of a role-play"
    ANONYMOUS_IN_SMALL_GROUPS = "anonymous where people know who wrote"
    ANONYMOUS_BY_INSTRUCTOR = "anonymous and released one by one"
    CERTIFICATE_TITLE_TOO_LONG = "title of the certificate too long"
    CERTIFICATE_ISSUER_TOO_LONG = "issuer of the certificate too long"
    HOURS_OUT_OF_RANGE = "hours out of range"


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """A flaw, and where it is: the round, counted from 1, the key of the step, or of the seat whose brief it is in."""

    flaw: Flaw
    round: int | None = None
    step: str | None = None
    seat: str | None = None


def check(
    settings: ActivitySettings, *, now: datetime, before: ActivitySettings | None = None
) -> list[SettingsProblem]:
    """Everything that keeps these settings from use.

    A due date in the past is a flaw only where it is not one of `before`: people go on changing other things while the
    first round is over.
    """
    problems = []
    if not settings.title:
        problems.append(SettingsProblem(Flaw.TITLE_MISSING))
    if len(settings.title) > LONGEST_TITLE:
        problems.append(SettingsProblem(Flaw.TITLE_TOO_LONG))
    if len(settings.instructions) > LONGEST_INSTRUCTIONS:
        problems.append(SettingsProblem(Flaw.INSTRUCTIONS_TOO_LONG))
    problems += _scenario_problems(settings.scenario)
    problems += _round_problems(settings, now, {dates.due_at for dates in before.rounds} if before else set())
    if not is_zone(settings.time_zone):
        problems.append(SettingsProblem(Flaw.ZONE_UNKNOWN))
    if not settings.completion.counts_anything:
        problems.append(SettingsProblem(Flaw.NOTHING_COUNTS))
    for step in kind_for(settings).steps:
        if not 0 <= settings.completion.of(step) <= step.most:
            problems.append(SettingsProblem(Flaw.NUMBER_OUT_OF_RANGE, step=step.key))
    if not 1 <= settings.score_maximum <= HIGHEST_SCORE:
        problems.append(SettingsProblem(Flaw.SCORE_OUT_OF_RANGE))
    if settings.points_share and not kind_for(settings).takes_points:
        problems.append(SettingsProblem(Flaw.POINTS_OF_ROLE_PLAY))
    elif not 0 <= settings.points_share <= 100:
        problems.append(SettingsProblem(Flaw.POINTS_SHARE_OUT_OF_RANGE))
    if settings.anonymous_feedback and not may_be_anonymous(kind_for(settings)):
        problems.append(SettingsProblem(Flaw.ANONYMOUS_IN_SMALL_GROUPS))
    elif settings.anonymous_feedback and settings.release is Release.BY_INSTRUCTOR:
        problems.append(SettingsProblem(Flaw.ANONYMOUS_BY_INSTRUCTOR))
    return [*problems, *_certificate_problems(settings.certificate)]


def _certificate_problems(certificate: CertificateTerms | None) -> Iterator[SettingsProblem]:
    if certificate is None:
        return
    if len(certificate.title) > LONGEST_NAME:
        yield SettingsProblem(Flaw.CERTIFICATE_TITLE_TOO_LONG)
    if len(certificate.issuer) > LONGEST_NAME:
        yield SettingsProblem(Flaw.CERTIFICATE_ISSUER_TOO_LONG)
    for seat, hours in certificate.hours.items():
        if not 0 <= hours <= MOST_HOURS:
            yield SettingsProblem(Flaw.HOURS_OUT_OF_RANGE, seat=seat)


def _scenario_problems(scenario: Scenario | None) -> Iterator[SettingsProblem]:
    if scenario is None:
        return
    if not scenario.public:
        yield SettingsProblem(Flaw.SCENARIO_PUBLIC_MISSING)
    for seat, text in ((None, scenario.public), *scenario.briefs.items()):
        if len(text) > LONGEST_INSTRUCTIONS:
            yield SettingsProblem(Flaw.SCENARIO_TOO_LONG, seat=seat)


def _round_problems(settings: ActivitySettings, now: datetime, known: set[datetime | None]) -> list[SettingsProblem]:
    problems = []
    if not settings.rounds:
        problems.append(SettingsProblem(Flaw.NO_ROUND))
    if len(settings.rounds) > MOST_ROUNDS:
        problems.append(SettingsProblem(Flaw.TOO_MANY_ROUNDS))
    latest: datetime | None = None
    for number, dates in enumerate(settings.rounds, start=1):
        if dates.due_at is None:
            if settings.release is Release.AT_DUE:
                problems.append(SettingsProblem(Flaw.NO_DUE_FOR_RELEASE, number))
            continue
        if dates.opens_at is not None and dates.due_at <= dates.opens_at:
            problems.append(SettingsProblem(Flaw.DUE_BEFORE_OPEN, number))
        elif latest is not None and dates.due_at < latest:
            problems.append(SettingsProblem(Flaw.DUE_BEFORE_EARLIER_ROUND, number))
        elif dates.due_at <= now and dates.due_at not in known:
            problems.append(SettingsProblem(Flaw.DUE_PASSED, number))
        latest = max(latest or dates.due_at, dates.due_at)
    return problems


def copy_of(settings: ActivitySettings, *, now: datetime) -> ActivitySettings:
    """The settings for a copy: the same, with dates that have passed cleared."""
    return replace(
        settings,
        rounds=tuple(
            RoundDates(
                opens_at=dates.opens_at if dates.opens_at is not None and dates.opens_at > now else None,
                due_at=dates.due_at if dates.due_at is not None and dates.due_at > now else None,
            )
            for dates in settings.rounds
        ),
        reflection_days=days if (days := settings.reflection_days) and days.first_on >= now.date() else None,
    )


def begun_with(settings: ActivitySettings, *, title: str | None, instructions: str | None) -> ActivitySettings:
    """A template's settings with what somebody typed for the activity before they came here."""
    return replace(
        settings,
        title=(title or settings.title)[:LONGEST_TITLE].strip(),
        instructions=(instructions or settings.instructions)[:LONGEST_INSTRUCTIONS].strip(),
    )

"""What an activity may be: its settings, its dates, its life. Pure functions on plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from lti_tool.activities.errors import StepNotPossible
from lti_tool.support.zones import is_zone, read_zone

LONGEST_TITLE: Final = 255
LONGEST_INSTRUCTIONS: Final = 10_000
MOST_ROUNDS: Final = 12
HIGHEST_SCORE: Final = 1000
MOST_NOTES: Final = 20
END_OF_DAY: Final = time(23, 59)
DRAFTS_KEPT: Final = timedelta(days=30)
OFFERED_KEPT: Final = timedelta(days=400)
"""A link may stand in a course for months before anybody opens it; what it refers to outlives an academic year."""


class ActivityState(StrEnum):
    """Where an activity stands in its life."""

    DRAFT = "draft"
    READY = "ready"
    UNCONFIRMED = "unconfirmed"
    CLOSED = "closed"


class Step(StrEnum):
    """What moves an activity from one state to another."""

    CONFIRM = "confirm"
    CLOSE = "close"
    REOPEN = "reopen"


class Release(StrEnum):
    """When a receiver may read feedback."""

    AT_ONCE = "at_once"
    WHEN_BOTH_GAVE = "when_both_gave"
    AT_DUE = "at_due"


class ScoreMode(StrEnum):
    """What reaches the gradebook."""

    NONE = "none"
    COMPLETE = "complete"
    PROPORTIONAL = "proportional"


class NotReady(StrEnum):
    """Why learners cannot come in yet."""

    NOT_SET_UP = "not set up"
    DRAFT = "draft"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Completion:
    """What counts: the same for the learner's checklist, the instructor's page and the score."""

    give_feedback: bool = True
    """Observe and give feedback to every partner in every round."""
    acknowledge: bool = True
    """Answer the feedback that was received."""
    minimum_notes: int = 0
    """So many notes in every observation; 0 asks for none."""

    def to_json(self) -> dict[str, Any]:
        """Plain values for the database."""
        return {
            "give_feedback": self.give_feedback,
            "acknowledge": self.acknowledge,
            "minimum_notes": self.minimum_notes,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """What was kept; a part that an older version did not know has its default."""
        usual = cls()
        return cls(
            give_feedback=bool(kept.get("give_feedback", usual.give_feedback)),
            acknowledge=bool(kept.get("acknowledge", usual.acknowledge)),
            minimum_notes=int(kept.get("minimum_notes", usual.minimum_notes)),
        )

    @property
    def counts_anything(self) -> bool:
        return self.give_feedback or self.acknowledge or self.minimum_notes > 0


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
    completion: Completion = field(default_factory=Completion)
    score_mode: ScoreMode = ScoreMode.COMPLETE
    score_maximum: int = 100
    zero_at_close: bool = False
    release: Release = Release.WHEN_BOTH_GAVE
    staff_read_feedback: bool = False


class Flaw(StrEnum):
    """What the rules have against settings."""

    TITLE_MISSING = "title missing"
    TITLE_TOO_LONG = "title too long"
    INSTRUCTIONS_TOO_LONG = "instructions too long"
    ZONE_UNKNOWN = "time zone unknown"
    NO_ROUND = "no round"
    TOO_MANY_ROUNDS = "too many rounds"
    DUE_BEFORE_OPEN = "due before open"
    DUE_BEFORE_EARLIER_ROUND = "due before an earlier round"
    DUE_PASSED = "due date passed"
    NO_DUE_FOR_RELEASE = "released at a due date that is missing"
    NOTHING_COUNTS = "nothing counts"
    NOTES_OUT_OF_RANGE = "notes out of range"
    SCORE_OUT_OF_RANGE = "score out of range"


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """A flaw, and the number of the round it is in, counted from 1; None where it is in none."""

    flaw: Flaw
    round: int | None = None


def check(
    settings: ActivitySettings, *, now: datetime, before: ActivitySettings | None = None
) -> list[SettingsProblem]:
    """Everything that keeps these settings from use.

    A due date in the past is a flaw only where it is not one of `before`: people go on changing other things while the
    first round is over.
    """
    found = []
    if not settings.title:
        found.append(SettingsProblem(Flaw.TITLE_MISSING))
    if len(settings.title) > LONGEST_TITLE:
        found.append(SettingsProblem(Flaw.TITLE_TOO_LONG))
    if len(settings.instructions) > LONGEST_INSTRUCTIONS:
        found.append(SettingsProblem(Flaw.INSTRUCTIONS_TOO_LONG))
    found += _round_problems(settings, now, {dates.due_at for dates in before.rounds} if before else set())
    if not is_zone(settings.time_zone):
        found.append(SettingsProblem(Flaw.ZONE_UNKNOWN))
    if not settings.completion.counts_anything:
        found.append(SettingsProblem(Flaw.NOTHING_COUNTS))
    if not 0 <= settings.completion.minimum_notes <= MOST_NOTES:
        found.append(SettingsProblem(Flaw.NOTES_OUT_OF_RANGE))
    if not 1 <= settings.score_maximum <= HIGHEST_SCORE:
        found.append(SettingsProblem(Flaw.SCORE_OUT_OF_RANGE))
    return found


def _round_problems(settings: ActivitySettings, now: datetime, known: set[datetime | None]) -> list[SettingsProblem]:
    found = []
    if not settings.rounds:
        found.append(SettingsProblem(Flaw.NO_ROUND))
    if len(settings.rounds) > MOST_ROUNDS:
        found.append(SettingsProblem(Flaw.TOO_MANY_ROUNDS))
    latest: datetime | None = None
    for number, dates in enumerate(settings.rounds, start=1):
        if dates.due_at is None:
            if settings.release is Release.AT_DUE:
                found.append(SettingsProblem(Flaw.NO_DUE_FOR_RELEASE, number))
            continue
        if dates.opens_at is not None and dates.due_at <= dates.opens_at:
            found.append(SettingsProblem(Flaw.DUE_BEFORE_OPEN, number))
        elif latest is not None and dates.due_at < latest:
            found.append(SettingsProblem(Flaw.DUE_BEFORE_EARLIER_ROUND, number))
        elif dates.due_at <= now and dates.due_at not in known:
            found.append(SettingsProblem(Flaw.DUE_PASSED, number))
        latest = max(latest or dates.due_at, dates.due_at)
    return found


def why_not_ready(state: str | None) -> NotReady | None:
    """Why learners cannot come in; None when they can. `state` is None where nothing was set up at all."""
    match state:
        case None:
            return NotReady.NOT_SET_UP
        case ActivityState.DRAFT:
            return NotReady.DRAFT
        case ActivityState.UNCONFIRMED:
            return NotReady.UNCONFIRMED
    return None


_LEADS: Final = {
    (ActivityState.DRAFT, Step.CONFIRM): ActivityState.READY,
    (ActivityState.UNCONFIRMED, Step.CONFIRM): ActivityState.READY,
    # Pressing twice, or two people pressing, is no failure.
    (ActivityState.READY, Step.CONFIRM): ActivityState.READY,
    (ActivityState.READY, Step.CLOSE): ActivityState.CLOSED,
    (ActivityState.CLOSED, Step.CLOSE): ActivityState.CLOSED,
    (ActivityState.CLOSED, Step.REOPEN): ActivityState.READY,
    (ActivityState.READY, Step.REOPEN): ActivityState.READY,
}


def state_after(state: str, step: Step) -> ActivityState:
    """Where a step leads. Raises StepNotPossible where it leads nowhere from this state."""
    try:
        return _LEADS[ActivityState(state), step]
    except KeyError:
        raise StepNotPossible(state, step) from None


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
    )


def begun_with(settings: ActivitySettings, *, title: str | None, instructions: str | None) -> ActivitySettings:
    """A template's settings with what somebody typed for the activity before they came here."""
    return replace(
        settings,
        title=(title or settings.title)[:LONGEST_TITLE].strip(),
        instructions=(instructions or settings.instructions)[:LONGEST_INSTRUCTIONS].strip(),
    )


@dataclass(frozen=True, slots=True)
class Relative:
    """An activity that came from the same first one, and where it stands."""

    id: int
    course_id: int
    link_id: str
    context_id: str
    link_title: str = ""
    """What the platform called its link last."""
    title: str = ""


def history(value: str | None) -> list[str]:
    """The ids of a history parameter, newest first; none where the platform left the variable unreplaced."""
    if not value or value.startswith("$"):
        return []
    return [part for part in (part.strip() for part in value.split(",")) if part]


def likely_sources(
    family: Sequence[Relative],
    *,
    course_id: int,
    home_id: int | None,
    links: Sequence[str],
    contexts: Sequence[str],
    title: str | None,
) -> list[int]:
    """Which of these a new link was copied from: one where something tells, several where only a person can say, the
    likeliest first, and none where the family has nobody to offer.

    The link it was copied from tells most. Most platforms know only the courses that a course was copied from, so the
    title decides among their activities; the newest course counts first, then the new link's own course, where it may
    be a duplicate, then `home_id`, the course of the first of the family.
    """
    for link_id in links:
        found = [relative for relative in family if relative.link_id == link_id]
        if len(found) == 1:
            return [found[0].id]
    courses = [
        *([relative for relative in family if relative.context_id == context_id] for context_id in contexts),
        *([relative for relative in family if relative.course_id == id_] for id_ in (course_id, home_id)),
    ]
    for group in courses:
        same = _titled(group, title)
        if len(same) == 1:
            return [same[0].id]
    for group in filter(None, courses):
        chosen = _titled(group, title) or _title_within(group, title) or group
        return [relative.id for relative in chosen]
    return []


def _titled(group: Sequence[Relative], title: str | None) -> list[Relative]:
    """Those with this title: as the platform calls their link, else as they are called here."""
    wanted = _plain(title)
    by_link = [relative for relative in group if wanted and _plain(relative.link_title) == wanted]
    return by_link or [relative for relative in group if wanted and _plain(relative.title) == wanted]


def _title_within(group: Sequence[Relative], title: str | None) -> list[Relative]:
    """Those whose title this one contains, the longest such title: platforms add "(copy)" in some language."""
    wanted = _plain(title)
    lengths = {
        relative.id: max(
            (len(name) for name in (_plain(relative.link_title), _plain(relative.title)) if name and name in wanted),
            default=0,
        )
        for relative in group
    }
    longest = max(lengths.values(), default=0)
    return [relative for relative in group if longest and lengths[relative.id] == longest]


def _plain(title: str | None) -> str:
    return " ".join((title or "").casefold().split())


def opening(day: date, at: time | None, zone: str) -> datetime:
    """The moment at which something opens there: midnight where no time is given."""
    return _moment(day, at or time(0, 0), zone, fold=0)


def deadline(day: date, at: time | None, zone: str) -> datetime:
    """The moment at which something is due there: 23:59 where no time is given.

    An hour that comes twice when clocks go back counts in people's favor, so its second pass is meant.
    """
    return _moment(day, at or END_OF_DAY, zone, fold=1)


def _moment(day: date, at: time, zone: str, *, fold: int) -> datetime:
    there = ZoneInfo(zone)
    local = datetime.combine(day, at, tzinfo=there)
    moment = local.replace(fold=fold).astimezone(UTC)
    if moment.astimezone(there).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # Clocks jump over this time. As before the jump (fold 0), it lands as long after the gap as it lay inside.
    return local.replace(fold=0).astimezone(UTC)


def local_parts(moment: datetime, zone: str) -> tuple[date, time]:
    """Day and time of a moment as clocks there show it, to the minute."""
    local = moment.astimezone(ZoneInfo(zone))
    return local.date(), local.time().replace(second=0, microsecond=0)


def usable_zone(*wanted: str | None) -> str:
    """The first of these that means a time zone, by the zone's own name; UTC where none does."""
    return next((zone.key for zone in (read_zone(name or "") for name in wanted) if zone is not None), "UTC")

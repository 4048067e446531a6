"""Templates that designers save from an activity: what is kept of its settings, and what a newer version changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from pydantic import TypeAdapter

from lti_tool.activities.kinds import kind_of
from lti_tool.activities.rules.dates import deadline, local_parts, opening
from lti_tool.activities.rules.settings import ActivitySettings, Completion, RoundDates
from lti_tool.rubrics.rules import RubricDraft

FIRST_ROUND: Final = timedelta(days=14)
"""How long the only round lasts where no opening date says it."""

_SETTINGS: Final = TypeAdapter(ActivitySettings)
_RUBRIC: Final = TypeAdapter(RubricDraft)


@dataclass(frozen=True, slots=True)
class TemplateContent:
    """What a saved template holds, as plain values for the database."""

    settings: Mapping[str, Any]
    rubric: Mapping[str, Any]
    preferences: Mapping[str, Any]
    """What is wanted of groups, as `pairing.rules.preferences` reads it."""


def content_of(settings: ActivitySettings, rubric: RubricDraft, preferences: Mapping[str, Any]) -> TemplateContent:
    """What a template keeps of an activity. Dates become days and times from the start of the first round on."""
    kept = _SETTINGS.dump_python(settings, mode="json", exclude={"rounds", "time_zone", "reflection_days"})
    kept["rounds"] = _rounds_kept(settings)
    return TemplateContent(kept, _RUBRIC.dump_python(rubric, mode="json"), preferences)


def rubric_content(rubric: RubricDraft) -> TemplateContent:
    """What a template keeps that holds a rubric alone."""
    return TemplateContent({}, _RUBRIC.dump_python(rubric, mode="json"), {})


def settings_from(kept: Mapping[str, Any], *, now: datetime, time_zone: str) -> ActivitySettings:
    """The settings of an activity that begins today, in this time zone, with what a template keeps."""
    settings = _SETTINGS.validate_python({**kept, "rounds": (), "time_zone": time_zone})
    today, _ = local_parts(now, time_zone)
    return replace(
        settings,
        rounds=tuple(
            RoundDates(
                opens_at=opening(*_moment(today, round_["opens"]), time_zone) if round_["opens"] else None,
                due_at=deadline(*_moment(today, round_["due"]), time_zone) if round_["due"] else None,
            )
            for round_ in kept["rounds"]
        ),
        completion=Completion.from_json(settings.completion.to_json(), kind_of(settings.kind)),
    )


def rubric_from(kept: Mapping[str, Any]) -> RubricDraft:
    """The rubric that a template keeps."""
    return _RUBRIC.validate_python(kept)


def taken_over(current: ActivitySettings, kept: Mapping[str, Any], *, now: datetime) -> ActivitySettings:
    """The settings of an activity that takes over a template: everything except its rounds, days and time zone."""
    settings = settings_from(kept, now=now, time_zone=current.time_zone)
    return replace(settings, rounds=current.rounds, reflection_days=current.reflection_days)


def may_change(saved_by: int | None, course_id: int | None, *, person_id: int, is_administrator: bool) -> bool:
    """Whether a designer who sees a template may change it.

    A template of a course belongs to all its designers, one of the institution to whoever saved it and to the
    institution's administrators.
    """
    return course_id is not None or is_administrator or saved_by == person_id


def _rounds_kept(settings: ActivitySettings) -> list[dict[str, list[Any] | None]]:
    start = start_of(settings.rounds, settings.time_zone)
    return [
        {
            "opens": _kept(dates.opens_at, start, settings.time_zone),
            "due": _kept(dates.due_at, start, settings.time_zone),
        }
        for dates in settings.rounds
    ]


def start_of(rounds: Sequence[RoundDates], zone: str) -> date | None:
    """The day on which the first round begins, as far as dates tell: as long before it is due as later rounds last."""
    days = [
        [local_parts(moment, zone)[0] for moment in moments if moment is not None]
        for moments in zip(*((dates.opens_at, dates.due_at) for dates in rounds), strict=True)
    ]
    opens, due = days if days else ([], [])
    lasts = due[1] - due[0] if len(due) > 1 and due[1] > due[0] else FIRST_ROUND
    return min([*opens, *(day - lasts for day in due[:1])], default=None)


def _kept(moment: datetime | None, start: date | None, zone: str) -> list[Any] | None:
    if moment is None or start is None:
        return None
    day, at = local_parts(moment, zone)
    return [(day - start).days, at.isoformat("minutes")]


def _moment(today: date, kept: list[Any]) -> tuple[date, time]:
    days, at = kept
    return today + timedelta(days=days), time.fromisoformat(at)

"""What a template is: a kind with texts, rounds, a rubric and rules for pairing. Plain values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from lti_tool.activities.kinds import kind_of
from lti_tool.activities.rules.dates import deadline, local_parts
from lti_tool.activities.rules.facilitating import guided_usually
from lti_tool.activities.rules.settings import ActivitySettings, Completion, RoundDates
from lti_tool.activities.rules.templates.picture import DrawnRound, draw
from lti_tool.activities.rules.templates.rubrics import worded
from lti_tool.activities.rules.templates.scenarios import ReadyScenario
from lti_tool.rubrics.rules import RubricDraft

Say = Callable[[str], str]
"""Puts a marked text into a person's language."""


@dataclass(frozen=True, slots=True)
class Template:
    """Something to start from. Texts are marked for translation; `settings` and `rubric` translate them."""

    key: str
    kind: str
    title: str
    good_for: str
    how_long: str
    instructions: str
    days_to_due: tuple[int, ...]
    """For each round, how many days after today it is due."""
    rubric_draft: RubricDraft
    preferences: Mapping[str, Any] = field(default_factory=dict)
    """What is wanted of groups, as `pairing.rules.preferences` reads it; empty for pairs without rules."""
    scenario: ReadyScenario | None = None

    @property
    def what_happens(self) -> tuple[str, ...]:
        """The agenda of its kind, sentence by sentence."""
        return tuple(part.title for part in kind_of(self.kind).agenda)

    @property
    def is_in_circles(self) -> bool:
        """Whether people meet in circles rather than in pairs."""
        return self.preferences.get("kind") == "circles"

    @property
    def picture(self) -> tuple[DrawnRound, ...]:
        """Who meets whom in its rounds, with eight people as an example."""
        return draw(len(self.days_to_due), in_circles=self.is_in_circles)

    def settings(self, say: Say, *, now: datetime, time_zone: str, language: str | None = None) -> ActivitySettings:
        """The settings to begin with, in somebody's language, due at the end of days counted from today there."""
        today, _ = local_parts(now, time_zone)
        return ActivitySettings(
            kind=self.kind,
            title=say(self.title),
            instructions=say(self.instructions),
            time_zone=time_zone,
            rounds=tuple(
                RoundDates(due_at=deadline(today + timedelta(days=days), None, time_zone)) for days in self.days_to_due
            ),
            completion=Completion.usual(kind_of(self.kind)),
            guided_rounds=guided_usually(len(self.days_to_due)) if kind_of(self.kind).facilitator else 0,
            scenario=self.scenario.worded(say) if self.scenario is not None else None,
            language=language,
        )

    def rubric(self, say: Say) -> RubricDraft:
        """The rubric to begin with, in somebody's language."""
        return worded(self.rubric_draft, say)


def worded_again(settings: ActivitySettings, rubric: RubricDraft, say: Say) -> tuple[ActivitySettings, RubricDraft]:
    """The settings and the rubric with their texts in another language. `say` returns what is nobody's but a
    designer's as it is.
    """
    scenario = settings.scenario
    return (
        replace(
            settings,
            title=say(settings.title),
            instructions=say(settings.instructions),
            scenario=replace(
                scenario, public=say(scenario.public), briefs={seat: say(one) for seat, one in scenario.briefs.items()}
            )
            if scenario is not None
            else None,
        ),
        worded(rubric, say),
    )

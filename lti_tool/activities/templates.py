"""Ready templates: a kind with texts, rounds and a rubric that can be used as they are. Plain values."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lti_tool.activities.kinds import KINDS
from lti_tool.activities.rules import ActivitySettings, RoundDates, deadline, local_parts
from lti_tool.errors import N_
from lti_tool.rubrics.rules import CriterionDraft, LevelDraft, RubricDraft

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
    what_happens: tuple[str, ...]
    instructions: str
    days_to_due: tuple[int, ...]
    """For each round, how many days after today it is due."""
    rubric_draft: RubricDraft

    def settings(self, say: Say, *, now: datetime, time_zone: str) -> ActivitySettings:
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
        )

    def rubric(self, say: Say) -> RubricDraft:
        """The rubric to begin with, in somebody's language."""
        draft = self.rubric_draft
        return RubricDraft(
            say(draft.title),
            tuple(
                CriterionDraft(
                    say(criterion.name),
                    say(criterion.description),
                    tuple(LevelDraft(say(level.label), say(level.description)) for level in criterion.levels),
                )
                for criterion in draft.criteria
            ),
        )


_NOT_YET: Final = N_("Not yet seen")
_STARTING: Final = N_("Starting")
_SOLID: Final = N_("Solid")
_STRONG: Final = N_("Strong")


def _ladder(not_yet: str, starting: str, solid: str, strong: str) -> tuple[LevelDraft, ...]:
    labels = (_NOT_YET, _STARTING, _SOLID, _STRONG)
    return tuple(
        LevelDraft(label, description)
        for label, description in zip(labels, (not_yet, starting, solid, strong), strict=True)
    )


OBSERVATION_AND_FEEDBACK: Final = Template(
    key="observation",
    kind=KINDS["observation"].key,
    title=N_("Observation and feedback"),
    good_for=N_(
        "Presentations, lessons, meetings and other moments that a partner can watch. Partners swap "
        "seats, so everyone learns to observe and to be observed."
    ),
    how_long=N_("Two rounds of about one hour, with two weeks for each."),
    what_happens=(
        N_("Pairs agree on a moment to observe."),
        N_("The observer takes notes. Each note keeps its time."),
        N_("The observer gives feedback: strengths first, then what to try next time."),
        N_("The receiver answers: what I heard, what I will use. Then they swap seats."),
    ),
    instructions=N_(
        "In each round you and your partner observe each other once: a presentation, a lesson, a meeting, or another "
        "moment that you choose together.\n\n"
        "Before: agree on what to observe, when and where, and on one thing your partner should look at.\n"
        "While observing: write down what you see and hear, not what you think of it.\n"
        "After: give your feedback within two days. Strengths first, then one or two things to try next time. "
        "Say what you noticed, what effect it had, and one adjustment.\n\n"
        "What you tell each other stays between you. Feedback is there to help, not to judge."
    ),
    days_to_due=(14, 28),
    rubric_draft=RubricDraft(
        N_("Observation of a presentation, lesson or meeting"),
        (
            CriterionDraft(
                N_("Purpose and structure"),
                N_("Can people tell what this is about, where it is going, and what is asked of them?"),
                _ladder(
                    N_("The purpose was not stated, and I could not follow the order."),
                    N_("The purpose was stated, but the parts did not connect."),
                    N_("Purpose and order were clear; I always knew where we were."),
                    N_(
                        "Purpose and order were clear, each part led to the next, and the end returned to what was "
                        "promised."
                    ),
                ),
            ),
            CriterionDraft(
                N_("Contact with the people in the room"),
                N_("Eye contact, questions, room for others, reactions to what happens."),
                _ladder(
                    N_("Attention was on slides, notes or the screen rather than on people."),
                    N_("There was contact now and then. Questions were asked, but with little time for answers."),
                    N_("People were seen, asked and heard, and their answers were used."),
                    N_("People were drawn in throughout, quiet people too, and what they said shaped what came next."),
                ),
            ),
            CriterionDraft(
                N_("Clear language and examples"),
                N_("Words, pace and examples that these listeners can use."),
                _ladder(
                    N_("Many terms stayed unexplained, or the pace left people behind."),
                    N_("Mostly understandable; some key points needed an example or a slower pace."),
                    N_("Words and pace suited the listeners; key points had examples."),
                    N_("Difficult points became simple through examples from the listeners' own work."),
                ),
            ),
            CriterionDraft(
                N_("Voice, presence and time"),
                N_("How it was to listen and watch, and whether the time was used well."),
                _ladder(
                    N_("Hard to hear or to follow, or the time ran out before the main point."),
                    N_("Audible, with stretches that were rushed or flat; the end came in a hurry."),
                    N_("Calm and audible, pauses at the right moments, finished in time."),
                    N_("Voice, pauses and movement supported the message, and time was left for questions."),
                ),
            ),
        ),
    ),
)

TEMPLATES: Final[dict[str, Template]] = {template.key: template for template in (OBSERVATION_AND_FEEDBACK,)}

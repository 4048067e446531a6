"""What a newer version of a saved template would change in an activity, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flask_babel import format_decimal, gettext
from sqlalchemy.orm import Session

from lti_tool.activities import service
from lti_tool.activities.models import Activity, SavedTemplate
from lti_tool.activities.rules import ActivitySettings, Release, ScoreMode, kind_for, seats_with_hours
from lti_tool.activities.rules.saved import rubric_from, taken_over
from lti_tool.errors import N_
from lti_tool.pairing import service as pairing
from lti_tool.pairing.rules import preferences
from lti_tool.pairing.rules.preferences import Preferences
from lti_tool.pairing.wording import met_in_words, rule_in_words
from lti_tool.rubrics.rules import RubricDraft

RELEASES: Final = {
    Release.WHEN_BOTH_GAVE: N_("When both partners have given theirs"),
    Release.AT_ONCE: N_("As soon as it is given"),
    Release.AT_DUE: N_("At the round's due date"),
    Release.BY_INSTRUCTOR: N_("When an instructor releases it"),
}
SCORES: Final = {
    ScoreMode.COMPLETE: N_("All points when everything is done, nothing before"),
    ScoreMode.PROPORTIONAL: N_("A share of the points for each part that is done"),
    ScoreMode.NONE: N_("Nothing: this activity is not graded"),
}
SHAPES: Final = {
    "pairs": N_("Pairs"),
    "trios": N_("Groups of three"),
    "circles": N_("Circles"),
    "rings": N_("Rings"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would be different, as it is and as it would be."""

    name: str
    before: str
    after: str


def changes_of(session: Session, activity: Activity, template: SavedTemplate) -> list[Change]:
    """What would be different if the activity took over the template; in the order of the settings page."""
    before = service.settings_of(session, activity)
    after = taken_over(before, template.settings, now=template.saved_at)
    rubric, new_rubric = service.rubric_draft_of(session, activity), rubric_from(template.rubric)
    wanted, new_wanted = pairing.preferences_of(session, activity).preferences, preferences.read(template.preferences)
    changes = [*_settings(before, after)]
    if rubric != new_rubric:
        changes.append(Change(gettext("Rubric"), _rubric(rubric), _rubric(new_rubric)))
    if wanted != new_wanted:
        changes.append(Change(gettext("Pairing rules"), _groups(wanted), _groups(new_wanted)))
    return changes


def _settings(before: ActivitySettings, after: ActivitySettings) -> Iterator[Change]:
    for name, was, becomes in (
        (gettext("Title"), before.title, after.title),
        (gettext("Instructions"), before.instructions, after.instructions),
        (gettext("Scenario"), _public(before), _public(after)),
        (gettext("Private briefs"), _briefs(before), _briefs(after)),
        (gettext("Who sees what"), _seen(before), _seen(after)),
        (gettext("When a partner does not answer"), _partners(before), _partners(after)),
        (
            gettext("Letters in seven days, at most"),
            str(before.letters_a_week),
            str(after.letters_a_week),
        ),
        (gettext("Survey before and after"), _survey(before), _survey(after)),
        (gettext("To whom does feedback go?"), _direction(before), _direction(after)),
        (gettext("Guided rounds, from the first on"), str(before.guided_rounds), str(after.guided_rounds)),
        (gettext("What counts as completion?"), _counts(before), _counts(after)),
        (gettext("What goes to the gradebook?"), _score(before), _score(after)),
        (gettext("Certificate"), _certificate(before), _certificate(after)),
    ):
        if was != becomes:
            yield Change(name, was, becomes)


def _public(settings: ActivitySettings) -> str:
    return settings.scenario.public if settings.scenario is not None else ""


def _briefs(settings: ActivitySettings) -> str:
    if settings.scenario is None:
        return ""
    seats = kind_for(settings).seats
    return "\n\n".join(f"{gettext(seat.title)}: {settings.scenario.brief_for(seat.key)}" for seat in seats)


def _seen(settings: ActivitySettings) -> str:
    readers = gettext("Instructors and assistants can read feedback") if settings.staff_read_feedback else ""
    names = gettext("Feedback is given without names") if settings.anonymous_feedback else ""
    hints = gettext("Hints while people write feedback") if settings.shows_hints else ""
    return "\n".join(filter(None, (gettext(RELEASES[settings.release]), names, readers, hints)))


def _partners(settings: ActivitySettings) -> str:
    return str(gettext("Give learners another partner at once")) if settings.finds_partners else ""


def _survey(settings: ActivitySettings) -> str:
    return (
        "\n".join((gettext("Ask learners before and after"), *settings.survey)) if settings.survey is not None else ""
    )


def _direction(settings: ActivitySettings) -> str:
    directions = kind_for(settings).directions
    chosen = next((one for one in directions if one.to == settings.feedback_to), next(iter(directions), None))
    return str(gettext(chosen.title)) if chosen is not None else ""


def _counts(settings: ActivitySettings) -> str:
    return "\n".join(
        f"{gettext(step.words.asked or step.words.name)}{f': {times}' if step.most > 1 else ''}"
        for step in kind_for(settings).steps
        if (times := settings.completion.of(step))
    )


def _score(settings: ActivitySettings) -> str:
    if settings.score_mode is ScoreMode.NONE:
        return str(gettext(SCORES[ScoreMode.NONE]))
    zero = gettext("When I close the activity, send a zero for everyone without a score")
    points = f"{gettext('Maximum points')}: {settings.score_maximum}"
    share = gettext("Rubric points received: %(percent)d %% of the score", percent=settings.points_share)
    return "\n".join(
        [
            gettext(SCORES[settings.score_mode]),
            points,
            *([share] if settings.points_share else []),
            *([zero] if settings.zero_at_close else []),
        ]
    )


def _certificate(settings: ActivitySettings) -> str:
    terms, kind = settings.certificate, kind_for(settings)
    if terms is None:
        return ""
    hours = [
        gettext("%(seat)s: %(hours)s hours", seat=gettext(seat.title), hours=format_decimal(terms.hours[seat.key]))
        for seat in seats_with_hours(kind)
        if terms.hours.get(seat.key)
    ]
    return "\n".join([terms.title or settings.title, *([terms.issuer] if terms.issuer else []), *hours])


def _rubric(rubric: RubricDraft) -> str:
    lines = [rubric.title]
    for criterion in rubric.criteria:
        lines += [f"{criterion.name}: {criterion.description}" if criterion.description else criterion.name]
        lines += [f"– {level.label}: {level.description}" for level in criterion.levels]
    return "\n".join(filter(None, lines))


def _groups(wanted: Preferences) -> str:
    rules, wishes = wanted.to_engine()
    shape = gettext(SHAPES[wanted.kind])
    return "\n".join(
        [
            f"{shape}: {wanted.size}" if wanted.kind == "circles" else shape,
            *(rule_in_words(rule.name) for rule in rules),
            *(gettext("Preferably: %(wish)s", wish=met_in_words(wish.name)) for wish in wishes),
        ]
    )

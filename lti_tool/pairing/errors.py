"""What can go wrong with a plan."""

from dataclasses import dataclass
from typing import Any, Final

from lti_tool.errors import N_, Conflict, NotFound, ToolError, Words


class PlanError(ToolError):
    """The root of this feature's failures."""


class NoPlan(PlanError, NotFound):
    """The activity has no plan in the state that was asked for."""


class TooFewLearners(PlanError):
    """The roster has fewer than two learners to pair."""

    def __init__(self, activity_id: int, count: int) -> None:
        super().__init__(activity_id, count)
        self.count = count


class PlanChanged(PlanError, Conflict):
    """The plan is not the version that the page showed."""


class PlanPublished(PlanError, Conflict):
    """Learners already see a plan, so no other groups can be proposed."""


class PlanBegun(PlanError, Conflict):
    """Someone has begun to write in a group of the plan, so it cannot be taken back."""


class PlanFlawed(PlanError):
    """The checker did not pass the groups. `breaches` are its words for what is wrong, without people."""

    def __init__(self, plan_id: int | None, breaches: tuple[str, ...]) -> None:
        super().__init__(plan_id, breaches)
        self.breaches = breaches


class ProposalFlawed(PlanFlawed):
    """The checker did not pass a proposal, so none was made."""


class PlanImpossible(PlanError, Conflict):
    """Pins contradict each other or a rule. `reason` is the engine's own error."""

    def __init__(self, activity_id: int, reason: Exception) -> None:
        super().__init__(activity_id, type(reason).__name__)
        self.activity_id, self.reason = activity_id, reason


class RuleBroken(PlanError, Conflict):
    """The change would break a rule or a pin that the plan keeps today. `broken` are of `rules.comparing.Broken`."""

    def __init__(self, activity_id: int, broken: tuple[Any, ...]) -> None:
        super().__init__(activity_id, len(broken))
        self.broken = broken


class ChangeImpossible(PlanError, Conflict):
    """The change cannot be made with these people. `why` is a key of `OBSTACLES`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class PreferencesChanged(PlanError, Conflict):
    """Someone saved the pairing rules since the page was read."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A field of the preferences that is wrong, such as `rules.0.at_least`, and the name of the error in pydantic or in
    `rules.preferences`.
    """

    field: str
    flaw: str


class PreferencesInvalid(PlanError):
    """Some fields of the pairing rules are wrong."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(*(f"{problem.field}: {problem.flaw}" for problem in problems))
        self.problems = problems


_PIN: Final = N_("Choose learners of this course who are in no other pin and whose group has not begun.")
_APART: Final = N_("Choose two different people of this course.")
_ABSENT: Final = N_(
    "The group has begun to work, or the round is over. You can give more time or excuse someone instead."
)
OBSTACLES: Final[dict[str, str]] = {
    "same group": N_("Choose two people in different groups of this round, neither of which has begun."),
    "too few": N_("Choose two or more people who should stay together."),
    "too many": N_("A group of this activity cannot have so many people."),
    "pinned already": N_("You already keep these people together."),
    "pinned to others": N_(
        "You keep one of these people together with someone else. Take that back first, under “What you decided”."
    ),
    "begun": N_("One of these people is in a group that has begun to work, so it stays as it is."),
    "round over": N_("This round is over, so its groups stay as they are."),
    "no round": _PIN,
    "strangers": _PIN,
    "one person": _APART,
    "not in the course": _APART,
    "no group": _ABSENT,
    "group begun": _ABSENT,
}
"""Why a change cannot be made, and what to do."""
WORDS: dict[type[ToolError], Words] = {
    NoPlan: Words(
        404,
        N_("There is no such plan"),
        N_("This plan no longer exists. It may have been published or taken back. Look at the plan as it is now."),
    ),
    TooFewLearners: Words(
        409,
        N_("There is no one to pair yet"),
        N_("Pairing needs at least two learners. Read the roster again when they have joined the course."),
    ),
    PlanChanged: Words(
        409,
        N_("The plan has changed in the meantime"),
        N_("The plan has changed since you opened this page. Look at it as it is now, then repeat your change."),
    ),
    PlanPublished: Words(
        409,
        N_("The plan is published already"),
        N_("The plan is published already. Take it back first if you want to propose other groups."),
    ),
    PlanBegun: Words(
        409,
        N_("People have begun to work in their groups"),
        N_("People have begun to work in their groups, so the plan can no longer be taken back."),
    ),
    ChangeImpossible: Words(
        409,
        N_("This cannot be done"),
        N_("Nothing was changed. Look at the plan as it is now, then choose other people."),
    ),
    PlanFlawed: Words(
        500,
        N_("The groups did not pass our check"),
        N_("Nothing was changed. Bring the plan up to date, or propose new groups."),
    ),
    ProposalFlawed: Words(
        500,
        N_("The proposed groups did not pass our check"),
        N_(
            "The proposed groups did not pass our check, so nothing was changed. Try again; if it happens again, take "
            "back a pin or a rule."
        ),
    ),
    PlanImpossible: Words(
        409,
        N_("This cannot be done"),
        N_("Pins contradict each other or a rule. Remove one of them, then try again."),
    ),
    RuleBroken: Words(
        409,
        N_("This would break a rule"),
        N_("Nothing was changed. You can do it anyway; the group will then be shown with a warning."),
    ),
    PreferencesChanged: Words(
        409,
        N_("Someone else changed this in the meantime"),
        N_("Look at the pairing rules as they are now, then repeat your change."),
    ),
    PreferencesInvalid: Words(422, N_("Something here does not fit"), N_("Correct the marked fields.")),
}

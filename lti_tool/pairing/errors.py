"""What can go wrong with a plan."""

from collections.abc import Mapping
from typing import Any, Final

from lti_tool.errors import N_, Conflict, NotFound, ToolError, Words


class PlanError(ToolError):
    """The root of this feature's failures."""

    @property
    def cause(self) -> str:
        """What failed, as it is kept with a request: a key of `OBSTACLES`, or the name of the error."""
        return type(self).__name__


class NoPlan(PlanError, NotFound):
    """The activity has no plan in the state that was asked for."""


class PlanChanged(PlanError, Conflict):
    """The plan is not the version that the page showed."""


class PlanFlawed(PlanError):
    """The checker did not pass the groups. `breaches` are its words for what is wrong, without people."""

    def __init__(self, plan_id: int | None, breaches: tuple[str, ...]) -> None:
        super().__init__(plan_id, breaches)
        self.breaches = breaches


class PlanImpossible(PlanError, Conflict):
    """Pins contradict each other or a rule. `reason` is the engine's own error."""

    def __init__(self, activity_id: int, reason: Exception) -> None:
        super().__init__(activity_id, type(reason).__name__)
        self.activity_id, self.reason = activity_id, reason


class RuleBroken(PlanError, Conflict):
    """The change would break a rule or a pin that the plan keeps today. `broken` are the engine's violations."""

    def __init__(self, activity_id: int, broken: tuple[Any, ...]) -> None:
        super().__init__(activity_id, len(broken))
        self.broken = broken


class ChangeImpossible(PlanError, Conflict):
    """What was asked for cannot be done with this plan and these people. `why` is a key of `OBSTACLES`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    @property
    def cause(self) -> str:
        return self.why


class PreferencesChanged(PlanError, Conflict):
    """Someone saved the pairing rules since the page was read."""


class PreferencesInvalid(PlanError):
    """Some fields of the pairing rules are wrong.

    `problems` are the names of the errors, in pydantic or in `rules.preferences`, by field, such as `rules.0.at_least`.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(*(f"{field}: {flaw}" for field, flaw in problems.items()))
        self.problems = problems


_ABSENT: Final = N_(
    "The group has begun to work, or the round is over. You can give more time or excuse someone instead."
)
OBSTACLES: Final[dict[str, str]] = {
    "too few learners": N_(
        "Pairing needs at least two learners. Read the roster again when they have joined the course."
    ),
    "published": N_("The plan is published already. Take it back first if you want to propose other groups."),
    "out of date": N_(
        "People joined or left since these groups were proposed. Bring the plan up to date, then publish it."
    ),
    "plan begun": N_("People have begun to work in their groups, so the plan can no longer be taken back."),
    "same group": N_("Choose two people in different groups of this round, neither of which has begun."),
    "too few": N_("Choose two or more people who should stay together."),
    "too many": N_("A group of this activity cannot have so many people."),
    "pinned already": N_("You already keep these people together."),
    "pinned to others": N_(
        "You keep one of these people together with someone else. Take that back first, under “What you decided”."
    ),
    "begun": N_("One of these people is in a group that has begun to work, so it stays as it is."),
    "round over": N_("This round is over, so its groups stay as they are."),
    "no round": N_("There is no such round."),
    "one person": N_("Choose two different people of this course."),
    "not in the course": N_("Choose people of this course who take part."),
    "no group": _ABSENT,
    "group begun": _ABSENT,
}
"""Why something cannot be done, and what to do."""
WORDS: dict[type[ToolError], Words] = {
    NoPlan: Words(
        404,
        N_("There is no such plan"),
        N_("This plan no longer exists. It may have been published or taken back. Look at the plan as it is now."),
    ),
    PlanChanged: Words(
        409,
        N_("The plan has changed in the meantime"),
        N_("The plan has changed since you opened this page. Look at it as it is now, then repeat your change."),
    ),
    ChangeImpossible: Words(
        409,
        N_("This cannot be done"),
        N_("Nothing was changed. Look at the plan as it is now, then choose other people."),
    ),
    PlanFlawed: Words(
        500,
        N_("The groups did not pass our check"),
        N_(
            "The groups did not pass our check, so nothing was changed. Try again; if it happens again, take back a "
            "pin or a rule."
        ),
    ),
    PlanImpossible: Words(
        409,
        N_("This cannot be done"),
        N_(
            "The rules and what you decided about people contradict each other. Take something back under “What you "
            "decided”, on the page of the plan, or change a rule under “Pairing rules”."
        ),
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

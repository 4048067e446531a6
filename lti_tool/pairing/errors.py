"""What can go wrong with a plan."""

from lti_tool.errors import N_, Conflict, NotFound, ToolError, Words


class PlanError(ToolError):
    """The root of this feature's failures."""


class NoPlan(PlanError, NotFound):
    """The activity has no plan in the state that was asked for."""


class TooFewLearners(PlanError):
    """Nobody can be paired: fewer than two learners are known from the roster."""

    def __init__(self, activity_id: int, count: int) -> None:
        super().__init__(activity_id, count)
        self.activity_id, self.count = activity_id, count


class PlanChanged(PlanError, Conflict):
    """The plan is another one than the page showed."""


class PlanPublished(PlanError, Conflict):
    """Learners see a plan already; proposing another would throw their groups away."""


class PlanBegun(PlanError, Conflict):
    """Somebody has begun to write in a group of the plan, so it cannot be taken back."""


class SwapImpossible(PlanError, Conflict):
    """The two people cannot change places: not in one round, in one group already, or a group has begun."""


class PlanFlawed(PlanError):
    """The checker did not pass what was about to be stored. `breaches` are its words, without people."""

    def __init__(self, plan_id: int | None, breaches: tuple[str, ...]) -> None:
        super().__init__(plan_id, breaches)
        self.plan_id, self.breaches = plan_id, breaches


WORDS: dict[type[ToolError], Words] = {
    NoPlan: Words(
        404, N_("There is no such plan"), N_("It may have been published or taken back. Open the plan again.")
    ),
    TooFewLearners: Words(
        409,
        N_("There is nobody to pair yet"),
        N_("Two learners are needed. Read the roster again when they have joined the course."),
    ),
    PlanChanged: Words(
        409, N_("The plan has changed meanwhile"), N_("Look at the groups as they are now, then repeat your change.")
    ),
    PlanPublished: Words(
        409, N_("The plan is published already"), N_("Take it back first if you want to propose other groups.")
    ),
    PlanBegun: Words(
        409,
        N_("People have begun to work in their groups"),
        N_(
            "The plan stays, so that nothing they wrote is lost. You can still swap people whose groups have not begun."
        ),
    ),
    SwapImpossible: Words(
        409,
        N_("These two cannot change places"),
        N_("Choose two people of the same round, in different groups that have not begun."),
    ),
    PlanFlawed: Words(
        500,
        N_("The groups did not pass our own check"),
        N_("Nothing was changed. Bring the plan up to date, or propose new groups."),
    ),
}

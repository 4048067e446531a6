"""The interchange format `pairing/1`: a result, as JSON writes it. See docs/pairing-format.md."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.course import Couple, Course, PersonId
from lti_tool.pairing.engine.interchange.instances import ROLES
from lti_tool.pairing.engine.interchange.reader import Name
from lti_tool.pairing.engine.proof import Shortage, odd_parts
from lti_tool.pairing.engine.schedule import Group, Reason, Schedule, Unpaired

REASONS: Final[Mapping[Reason, str]] = {
    Reason.NOBODY_ELSE: "There is nobody else.",
    Reason.OTHERS_HAVE_BEGUN: "Every group that could have taken them has begun.",
    Reason.NOBODY_ALLOWED: "The constraints leave them no partner at all.",
    Reason.TOO_FEW_PARTNERS: "Others need the same partners, and there are not enough of them.",
    Reason.NONE_BETTER_FOUND: "No arrangement was found that has a place for them.",
    Reason.ABSENT: "They do not turn up.",
}
MOST_NAMED: Final = 6


def write_schedule(course: Course, schedule: Schedule, names: Mapping[PersonId, Name]) -> dict[str, Any]:
    """The rounds with roles, who is unpaired and why, and the barrier of the first round that has one."""
    rounds = []
    for number, groups in enumerate(schedule.rounds, start=1):
        why = _Reasons(course, schedule, number, names)
        alone = [one for one in schedule.unpaired if one.round == number]
        rounds.append(
            {
                "round": number,
                "groups": [_group(group, names) for group in groups],
                "unpaired": [{"id": names[one.person], "reason": why.of(one)} for one in alone],
            }
        )
    result: dict[str, Any] = {"rounds": rounds}
    if schedule.proofs:
        first = min(schedule.proofs, key=lambda proof: proof.round)
        result["infeasible"] = {"barrier": [names[one] for one in first.barrier]}
    return result


def write_reviews(pairs: Iterable[Couple], names: Mapping[PersonId, Name]) -> dict[str, Any]:
    """Who reviews whom: reviewer, author."""
    return {"reviews": [[names[reviewer], names[author]] for reviewer, author in pairs]}


def _group(group: Group, names: Mapping[PersonId, Name]) -> dict[str, Any]:
    roles = ROLES if len(group) == 3 else (ROLES[0], ROLES[-1])
    return {
        "members": [names[one] for one in group],
        "roles": {str(names[one]): role for one, role in zip(group, roles, strict=True)},
    }


class _Reasons:
    """The reasons of a round, in words."""

    def __init__(self, course: Course, schedule: Schedule, number: int, names: Mapping[PersonId, Name]) -> None:
        self.names = names
        self.shortages: tuple[Shortage, ...] = ()
        proof = next((one for one in schedule.proofs if one.round == number), None)
        self.couples = Couples(course)
        if proof is not None:
            locked = {one for lock in course.locks if lock.round in {None, number} for one in lock.members}
            free = np.setdiff1d(np.arange(len(self.couples)), self.couples.people.places(sorted(locked)))
            self.shortages = odd_parts(self.couples, self.couples.people.places(proof.barrier), who=free)

    def of(self, unpaired: Unpaired) -> str:
        place = int(self.couples.people.places(unpaired.person))
        shortage = next((one for one in self.shortages if place in one.needing), None)
        if unpaired.reason is not Reason.TOO_FEW_PARTNERS or shortage is None or not shortage.partners:
            return REASONS[unpaired.reason]
        partners = self._named(shortage.partners)
        if len(shortage.needing) == len(shortage.parts):
            return f"{REASONS[unpaired.reason]} Nobody but {partners} may work with {self._named(shortage.needing)}."
        return f"{REASONS[unpaired.reason]} Too many depend on {partners}."

    def _named(self, places: tuple[int, ...]) -> str:
        names = [str(self.names[one]) for one in self.couples.people.ids[list(places[:MOST_NAMED])].tolist()]
        more = len(places) - MOST_NAMED
        return ", ".join(names) + (f" and {more} more" if more > 0 else "")

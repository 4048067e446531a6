"""What the engine answers to an instance of the interchange format, checked before anybody sees it."""

from collections import Counter
from dataclasses import replace
from itertools import combinations

from lti_tool.pairing.engine.checks.reviews import verify_reviews
from lti_tool.pairing.engine.checks.verifying import verify
from lti_tool.pairing.engine.course import Course
from lti_tool.pairing.engine.interchange.instances import Instance
from lti_tool.pairing.engine.plan import plan
from lti_tool.pairing.engine.repair import repair
from lti_tool.pairing.engine.reviews import reviews
from lti_tool.pairing.engine.schedule import Reviews, Schedule, Violation, balance
from lti_tool.pairing.engine.turns import take_turns


class AnswerFlawed(RuntimeError):
    """The checker did not pass what the engine made, so nobody gets it. This is a mistake of the engine."""

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__(violations)
        self.violations = violations


def schedule_of(instance: Instance, seed: int, *, improve: bool = False) -> Schedule:
    """All rounds that an instance of kind `pairs` asks for.

    With a running round the first round is that one, repaired, and more rounds are planned after it. Raises
    AnswerFlawed, and ImpossibleRequest for locks that contradict a rule.
    """
    if instance.current is None:
        found = plan(instance.course, instance.rounds, seed, improve=improve)
    else:
        found = _repaired(instance, instance.current, seed)
        if instance.rounds > 1:
            found = _with_more(found, instance.rounds, seed, improve)
    violations = verify(instance.course, found)
    if violations:
        raise AnswerFlawed(violations)
    return found


def _repaired(instance: Instance, current: tuple[tuple[int, ...], ...], seed: int) -> Schedule:
    course = instance.course
    first = tuple(lock for lock in course.locks if lock.round == 1)
    running = Schedule((current,), course=replace(course, locks=first), seed=seed)
    after = repair(running, instance.left, instance.joined, 1, may_turn=False)
    rounds = after.rounds
    if not instance.has_roles:
        # Nobody has a role yet, so that also those who stay together can take the turns that are fair.
        everybody = [(1, group) for group in rounds[0]]
        rounds = take_turns(rounds, everybody, course.shape.kind, course.ahead, seed)
    return replace(after, rounds=rounds, course=course)


def _with_more(first: Schedule, rounds: int, seed: int, improve: bool) -> Schedule:
    """The first round and others planned after it."""
    more = plan(_afterwards(first), rounds - 1, seed, improve=improve)
    return replace(
        first,
        rounds=first.rounds + more.rounds,
        unpaired=first.unpaired + tuple(replace(one, round=one.round + 1) for one in more.unpaired),
        proofs=first.proofs + tuple(replace(one, round=one.round + 1) for one in more.proofs),
    )


def _afterwards(first: Schedule) -> Course:
    """The course as it is after the first round."""
    course = first.course
    groups = first.rounds[0]
    ahead = Counter(course.ahead)
    ahead.update(balance(first.rounds))
    trios = Counter(course.in_trios)
    trios.update(person for group in groups if len(group) == 3 for person in group)
    later = (lock for lock in course.locks if lock.round is not None and lock.round > 1)
    met = tuple((min(two), max(two)) for group in groups for two in combinations(group, 2))
    return replace(
        course,
        met=course.met + met,
        ahead=dict(ahead),
        in_trios=dict(trios),
        left_out=frozenset(one.person for one in first.unpaired),
        locks=tuple(replace(lock, round=number - 1) for lock in later if (number := lock.round) is not None),
    )


def reviews_of(instance: Instance, seed: int, *, improve: bool = False) -> Reviews:
    """The reviews that an instance of kind `review` asks for. Raises AnswerFlawed."""
    found = reviews(instance.course, instance.reviews_per_person, seed, improve=improve)
    violations = verify_reviews(instance.course, instance.reviews_per_person, found)
    if violations:
        raise AnswerFlawed(violations)
    return found

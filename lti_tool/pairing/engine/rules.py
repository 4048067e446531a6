"""Who may work together: every rule, each with its definition, its name and what it needs to know.

A rule answers for many couples at once: `allows(people, first, second)` takes two arrays of places in `people` and says
for each couple whether the two may work together. Planning, checking and explaining all ask these definitions. There
are two forms, because they are made fast in different ways: a `RuleByValue` is worked out once for every two values
that occur, and a `RuleByCouple` lists the few couples that it forbids.

A new rule is a class here, its name in `ALL`, its tests, and its sentences in `pairing/wording.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import Bools, Masks, People, Places, Points

Answers = TypeVar("Answers", Bools, Points)

NEVER: Final = 100
"""The priority of a rule that is never proposed for relaxing: a reporting line, an exclusion."""
USUAL: Final = 0
"""Stands for the usual priority of the attribute; no rule keeps it."""
USUAL_PRIORITY: Final = {"slots": 20, "languages": 30, "group": 45, "cohort": 45, "experience": 50, "offers": 55}
USUAL_OF_OTHERS: Final = 40
"""Of a department, and of every attribute that is not listed."""

WORDS_AT_ONCE: Final = 1 << 22
"""How many words of 64 names are compared in one step: 32 MB, however many names there are."""


# ---- how two people compare; shared with the wishes ------------------------------------------------------------------


def same_name(people: People, attribute: str, first: Places, second: Places) -> Bools:
    """For each couple, whether both have the same name. Only meaningful where both names are known, like all these."""
    codes = people.codes(attribute)
    same: Bools = codes[first] == codes[second]
    return same


def difference(people: People, attribute: str, first: Places, second: Places) -> Points:
    """For each couple, how far their numbers are apart."""
    values = people.numbers(attribute)
    apart: Points = np.abs(values[first] - values[second])
    return apart


def shared_names(people: People, attribute: str, first: Places, second: Places) -> Points:
    """For each couple, how many names both have."""
    masks = people.masks(attribute)

    def shared(first: Places, second: Places) -> Points:
        times: Points = np.bitwise_count(masks[first] & masks[second]).sum(axis=-1, dtype=np.int64)
        return times

    return in_parts(masks.shape[1], first, second, shared)


def ways_to_help(people: People, owner: object, reads: tuple[str, ...], first: Places, second: Places) -> Points:
    """For each couple, in how many of the two directions one offers something that the other needs: 0, 1 or 2.

    `reads`: the attributes of offers and of needs. They are prepared once for `owner`, the rule or wish that asks.
    """
    offered, needed = people.kept(owner, lambda: _subjects(people, reads))

    def helps(giver: Places, taker: Places) -> Bools:
        some: Bools = np.bitwise_or.reduce(offered[giver] & needed[taker], axis=-1) != 0
        return some

    words = offered.shape[1]
    return in_parts(words, first, second, helps).astype(np.int64) + in_parts(words, second, first, helps)


def _subjects(people: People, reads: tuple[str, ...]) -> tuple[Masks, Masks]:
    """One row of bits a person for what they offer and one for what they need; a bit is the same subject in both."""
    ids = people.ids.tolist()
    sides = [[people.attributes.get(name, {}).get(person) or frozenset() for person in ids] for name in reads]
    useful = frozenset().union(*sides[0]) & frozenset().union(*sides[1])
    rows = dict(enumerate(subjects & useful for subjects in chain(*sides)))
    masks = People(tuple(rows), {"subjects": rows}).masks("subjects")
    return masks[: len(ids)], masks[len(ids) :]


def in_parts(words: int, first: Places, second: Places, ask: Callable[[Places, Places], Answers]) -> Answers:
    """What `ask` answers for all couples, asked for so few at a time that rows of so many words fit in memory."""
    step = max(1, WORDS_AT_ONCE // words)
    if np.broadcast(first, second).size <= step:
        return ask(first, second)
    first, second = np.broadcast_arrays(first, second)
    left, right = first.reshape(-1), second.reshape(-1)
    parts = [ask(left[start : start + step], right[start : start + step]) for start in range(0, left.size, step)]
    return np.concatenate(parts).reshape(first.shape)


def couple_keys(first: Places, second: Places, people: int) -> NDArray[np.int64]:
    """One number for each couple of places, whatever the order of the two."""
    lesser: NDArray[np.int64] = np.minimum(first, second) * people
    return lesser + np.maximum(first, second)


def listed_in(keys: NDArray[np.int64], wanted: NDArray[np.int64]) -> Bools:
    """For each wanted number, whether it is among the sorted `keys`."""
    if not len(keys):
        return np.zeros(wanted.shape, dtype=np.bool_)
    is_listed: Bools = keys[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)] == wanted
    return is_listed


# ---- the forms of a rule ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(ABC):
    """Says which two people may work together."""

    priority: int = 50
    """In what order rules are proposed for relaxing when someone has no partner: the smallest first."""

    @property
    @abstractmethod
    def name(self) -> str:
        """A short name that is unique in a course, like `share:languages`. Pages find the sentence by it."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The attributes that it looks at."""
        return ()

    @abstractmethod
    def allows(self, people: People, first: Places, second: Places) -> Bools:
        """For each couple (first[i], second[i]), whether this rule lets them work together. Symmetric."""


class ByValue(ABC):
    """Looks at the values of the two people in the attributes that it `reads`, and at nothing else.

    People with the same values in everything that it reads may stand for each other, so a planner can work out a table
    of the values that occur.
    """

    __slots__ = ()
    WORD: ClassVar[str]
    """The first part of its name."""
    READS: ClassVar[tuple[str, ...]] = ("attribute",)
    """The fields that hold the names of its attributes."""

    @property
    def name(self) -> str:
        """A short name that is unique in a course, like `share:languages`. Pages find the sentence by it."""
        return f"{self.WORD}:{self.reads[0]}"

    @property
    def reads(self) -> tuple[str, ...]:
        """The attributes that it looks at: mostly one, offers and needs are two."""
        return tuple(getattr(self, field) for field in self.READS)

    def known(self, people: People) -> Bools:
        """For each person, whether everything that it reads is known."""
        known: Bools = np.logical_and.reduce([people.known(attribute) for attribute in self.reads])
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleByValue(ByValue, Rule):
    """A rule that looks at values only."""

    attribute: str
    priority: int = USUAL
    """As in every rule; when it is not given, the usual one for the attribute."""
    unknown_is_allowed: bool = True
    """What happens to a couple when one of them has no value for something that the rule reads."""

    def __post_init__(self) -> None:
        if self.priority == USUAL:
            object.__setattr__(self, "priority", USUAL_PRIORITY.get(self.attribute, USUAL_OF_OTHERS))

    def allows(self, people: People, first: Places, second: Places) -> Bools:
        known = self.known(people)
        return np.where(known[first] & known[second], self.fits(people, first, second), self.unknown_is_allowed)

    @abstractmethod
    def fits(self, people: People, first: Places, second: Places) -> Bools:
        """As `allows`, for couples whose values are known; for others any answer will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleByCouple(Rule):
    """A rule that forbids couples which can be listed, few beside all couples there are.

    An unknown value forbids no couple here, or the list would be long: `Known` is the rule that refuses the unknown.
    """

    @abstractmethod
    def list_forbidden(self, people: People) -> NDArray[np.int64]:
        """The forbidden couples as places, of shape (couples, 2), in any order, either way round, also repeatedly."""

    def forbidden(self, people: People) -> NDArray[np.int64]:
        """The forbidden couples as places, of shape (couples, 2), smaller place first, without repeats, sorted."""
        return np.column_stack(np.divmod(self._keys(people), max(1, len(people))))

    def allows(self, people: People, first: Places, second: Places) -> Bools:
        return ~listed_in(self._keys(people), couple_keys(first, second, len(people)))

    def _keys(self, people: People) -> NDArray[np.int64]:
        def make() -> NDArray[np.int64]:
            first, second = self.list_forbidden(people).reshape(-1, 2).T
            return np.unique(couple_keys(first, second, len(people))[first != second])

        return people.kept(self, make)


# ---- rules by value --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Same(RuleByValue):
    """Both have the same name: one department, group or cohort."""

    WORD = "same"

    def fits(self, people: People, first: Places, second: Places) -> Bools:
        return same_name(people, self.attribute, first, second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Other(RuleByValue):
    """The two have different names: another department, group or cohort."""

    WORD = "other"

    def fits(self, people: People, first: Places, second: Places) -> Bools:
        return ~same_name(people, self.attribute, first, second)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperienceGap(RuleByValue):
    """The numbers of the two differ by at least and at most so much; None is no limit.

    With `at_least` it is called `gap:…`, because it makes couples differ; else `close:…`.
    """

    attribute: str = "experience"
    at_least: int | None = None
    at_most: int | None = None

    @property
    def name(self) -> str:
        return f"close:{self.attribute}" if self.at_least is None else f"gap:{self.attribute}"

    def fits(self, people: People, first: Places, second: Places) -> Bools:
        gap = difference(people, self.attribute, first, second)
        least = 0 if self.at_least is None else self.at_least
        fits: Bools = (gap >= least) & (True if self.at_most is None else gap <= self.at_most)
        return fits


@dataclass(frozen=True, slots=True, kw_only=True)
class OffersMeetNeeds(RuleByValue):
    """One offers something that the other needs; with `both_ways` each does so for the other.

    Someone whose offers and needs are known to be empty fits no one.
    """

    READS = ("attribute", "needs")
    name = "offers"

    attribute: str = "offers"
    needs: str = "needs"
    both_ways: bool = False

    def fits(self, people: People, first: Places, second: Places) -> Bools:
        fits: Bools = ways_to_help(people, self, self.reads, first, second) > self.both_ways
        return fits


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(RuleByValue):
    """Both have a value for the attribute, whatever it is; that someone has no manager is a known value, too.

    It stands beside rules that let the unknown pass, like the reporting line. Other rules can refuse it themselves.
    """

    WORD = "known"

    unknown_is_allowed: bool = False

    def known(self, people: People) -> Bools:
        values = people.attributes.get(self.attribute, {})
        return people.kept(self, lambda: np.array([person in values for person in people.ids.tolist()], dtype=np.bool_))

    def fits(self, people: People, first: Places, second: Places) -> Bools:
        return np.ones(np.broadcast(first, second).shape, dtype=np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(RuleByValue):
    """Both have at least so many names in common: a language, a time at which both can meet."""

    WORD = "share"

    at_least: int = 1

    def fits(self, people: People, first: Places, second: Places) -> Bools:
        fits: Bools = shared_names(people, self.attribute, first, second) >= self.at_least
        return fits

    def couples_sharing(self, people: People, most: int) -> NDArray[np.int64] | None:
        """Every couple of people who have enough in common, or None when listing them takes more than `most` steps.

        A step is a name and two people who have it. The couples are places, of shape (couples, 2), smaller place first,
        without repeats, sorted. It says nothing of people without a value: see `unknown_is_allowed`.
        """
        values, holders = people.attributes.get(self.attribute, {}), dict[str, list[int]]()
        for place, person in enumerate(people.ids.tolist()):
            for name in values.get(person) or ():
                holders.setdefault(name, []).append(place)
        if self.at_least < 1 or sum(len(places) * (len(places) - 1) // 2 for places in holders.values()) > most:
            return None
        by_size: dict[int, list[list[int]]] = {}
        for places in holders.values():
            by_size.setdefault(len(places), []).append(places)
        keys = [np.empty(0, dtype=np.int64)]
        for size, lists in by_size.items():
            smaller, larger = np.array(lists, dtype=np.int64)[:, np.triu_indices(size, 1)].transpose(1, 0, 2)
            keys.append((smaller * len(people) + larger).reshape(-1))
        unique, times = np.unique(np.concatenate(keys), return_counts=True)
        return np.column_stack(np.divmod(unique[times >= self.at_least], max(1, len(people))))


# ---- rules by couple -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingLine(RuleByCouple):
    """No one works with their manager, nor with anyone further up the line.

    The attribute is the id of each person's manager, None for a person without one. The line is followed through
    managers who are not in the course. In a loop of managers everyone is above everyone.
    The list holds as many couples as people have managers above them in the course: N times the depth.
    """

    name = "reporting_line"

    attribute: str = "manager"
    priority: int = NEVER

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.attribute,)

    def list_forbidden(self, people: People) -> NDArray[np.int64]:
        above = people.attributes.get(self.attribute, {})
        lines = [(person, manager) for person, manager in above.items() if manager is not None]
        everyone = np.unique(np.array([*people.listed, *chain.from_iterable(lines)], dtype=np.int64))
        led, leads = np.searchsorted(everyone, np.array(lines, dtype=np.int64).reshape(-1, 2)).T
        manager = np.full(len(everyone), -1, dtype=np.int64)
        manager[led] = leads
        in_loop = np.isin(everyone, list(chain.from_iterable(loops(people.attributes, self.attribute))))
        person = np.arange(len(everyone), dtype=np.int64)
        # Where a walk up the line goes in a loop, it ends when it comes back to the first person of the loop.
        end = np.where(in_loop, person, -1)
        climbed = manager.copy()
        couples = [np.empty((0, 2), dtype=np.int64)]
        while len(person):
            goes_on = (climbed >= 0) & (climbed != end[person])
            person, climbed = person[goes_on], climbed[goes_on]
            couples.append(np.column_stack((person, climbed)))
            enters = in_loop[climbed] & (end[person] < 0)
            end[person[enters]] = climbed[enters]
            climbed = manager[climbed]
        return _in_course(people.places(everyone)[np.concatenate(couples)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions(RuleByCouple):
    """These couples never work together. Couples with people who are not in the course are passed over."""

    name = "exclusions"

    couples: tuple[tuple[int, int], ...]
    """Two ids each, in any order."""
    priority: int = NEVER

    def list_forbidden(self, people: People) -> NDArray[np.int64]:
        return _in_course(people.places(np.array(self.couples, dtype=np.int64).reshape(-1, 2)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShouldNot(Exclusions):
    """These couples should rather not work together: the first rule to be proposed for relaxing."""

    name = "should_not"

    priority: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAgain(Rule):
    """Two people who have met do not meet again. Without this rule a repeat is a heavy penalty, and can happen.

    Which couples it forbids changes from round to round: those in `Course.met` and those of other rounds. A rule knows
    neither, so `allows` says yes to all. Planner, repair and checker look for this rule by its type.
    """

    name = "not_again"

    priority: int = 60

    def allows(self, people: People, first: Places, second: Places) -> Bools:
        return np.ones(np.broadcast(first, second).shape, dtype=np.bool_)


ALL: Final[tuple[type[Rule], ...]] = (
    ReportingLine,
    Exclusions,
    NotAgain,
    OffersMeetNeeds,
    ExperienceGap,
    Same,
    Other,
    Known,
    Share,
    ShouldNot,
)


def refused(rules: Sequence[Rule], people: People, first: Places, second: Places, again: Bools) -> Bools:
    """For each rule and each couple, whether the rule forbids it. `again`: which of the couples met, for "never again".

    Shape (rules, couples).
    """
    verdicts = [again if isinstance(rule, NotAgain) else ~rule.allows(people, first, second) for rule in rules]
    return np.array(verdicts, dtype=np.bool_).reshape(len(rules), len(first))


def loops(attributes: Mapping[str, Mapping[int, Any]], attribute: str = "manager") -> tuple[tuple[int, ...], ...]:
    """Every line of managers that comes back to where it began: the ids from the smallest one up the line."""
    above = attributes.get(attribute, {})
    seen: set[int] = set()
    rings = []
    for start in sorted(above):
        walked: list[int] = []
        person: int | None = start
        while person is not None and person not in seen:
            seen.add(person)
            walked.append(person)
            person = above.get(person)
        if person in walked:
            ring = walked[walked.index(person) :]
            first = ring.index(min(ring))
            rings.append((*ring[first:], *ring[:first]))
    return tuple(sorted(rings))


def _in_course(couples: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those couples of places of whom both are in the course."""
    both: NDArray[np.int64] = couples[(couples >= 0).all(axis=1)]
    return both

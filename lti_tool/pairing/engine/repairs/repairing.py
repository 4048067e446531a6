"""After people left or joined, or rules changed: the fewest changes that give everybody a partner again."""

from collections.abc import Collection, Iterable, Sequence
from copy import copy
from dataclasses import replace
from itertools import chain, pairwise, product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.acquaintance import NONE, Acquaintance, Grouped, Keys, together
from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.course import Course, Kind, PersonId
from lti_tool.pairing.engine.errors import ImpossibleRequest, ListedTwice, UnknownPerson
from lti_tool.pairing.engine.people import Bools, People, Places
from lti_tool.pairing.engine.repairs.accounting import account_for
from lti_tool.pairing.engine.repairs.mending import mend
from lti_tool.pairing.engine.repairs.regrouping import regroup
from lti_tool.pairing.engine.repairs.sitting import NOT_AGAIN, Mended, Sitting, check_locks, locks_of
from lti_tool.pairing.engine.schedule import Group, Placed, Reason, Schedule, Unpaired
from lti_tool.pairing.engine.turns.taking import take_turns, turn_round

LOOKS: Final = 24
"""How often rounds are mended once more, while people meet in them who meet elsewhere too."""
STATE: Final = ("rounds", "more", "less", "trios", "formed", "costs", "unpaired", "proofs")
"""What changes while rounds are mended."""


def repair(
    schedule: Schedule,
    left: Collection[PersonId],
    joined: Collection[PersonId],
    from_round: int,
    *,
    fixed: Collection[Placed] = (),
    may_turn: bool = True,
) -> Schedule:
    """The same schedule without those who left and with those who joined, from this round on.

    Rounds before it and groups in `fixed` (they have begun) stay as they are, to the byte. Whoever lost a partner,
    joined, had no partner, or sits in a group that a rule forbids now, gets one with the fewest changes for others;
    people who are locked together are brought together. Somebody who is in `schedule.course` and in no group counts as
    joined, and who is in a group and not in the course as having left; a course of nobody is taken to be of everybody
    in these rounds. Of solutions with equally few changes in each round one with the fewest repeats in all of them
    together is looked for, then the one with the most points. Where somebody would be two ahead or behind with turns,
    groups that stay and have not begun are turned round, if they may. Repeating a repair changes nothing, so who left
    may be gone already and who joined be seated already.
    Raises ImpossibleRequest for a round that does not exist, and its kinds: ListedTwice when somebody both left and
    joined or joined twice, UnknownPerson for somebody new whose id is below 0, LockConflict, LockSize and LockForbidden
    for locks that cannot be. Method: `mending`, `regrouping`.
    """
    gone, new = frozenset(left), frozenset(joined)
    if not 1 <= from_round <= len(schedule.rounds) + 1:
        raise ImpossibleRequest(from_round)
    _check(gone, sorted(joined))
    course = _after(schedule, gone, new, from_round)
    numbers = range(from_round, len(schedule.rounds) + 1)
    known = replace(schedule, course=course)
    return _Repair(known, gone, new, frozenset(), fixed, numbers=numbers, may_turn=may_turn).repaired()


def step_in(
    schedule: Schedule, absent: Collection[PersonId], number: int, *, fixed: Collection[Placed] = ()
) -> Schedule:
    """The same schedule where these people do not turn up in one round: who was to meet them meets somebody else.

    The absent are listed as unpaired with the reason ABSENT and stay in all other rounds. Who is in a group of `fixed`
    stays there. A repair in which they are `joined` lets them in again. Raises ImpossibleRequest for a round that does
    not exist.
    """
    if not 1 <= number <= len(schedule.rounds):
        raise ImpossibleRequest(number, len(absent))
    nobody: frozenset[PersonId] = frozenset()
    known = replace(schedule, course=_after(schedule, nobody, nobody, number))
    numbers = range(number, number + 1)
    after = _Repair(known, nobody, nobody, frozenset(absent), fixed, numbers=numbers).repaired()
    return replace(after, course=schedule.course)


def _check(gone: frozenset[PersonId], joined: Sequence[PersonId]) -> None:
    twice = {one for one, other in pairwise(joined) if one == other} | gone.intersection(joined)
    if twice:
        raise ListedTwice(tuple(sorted(twice)))
    if joined and joined[0] < 0:
        raise UnknownPerson(tuple(one for one in joined if one < 0))


def _after(schedule: Schedule, gone: frozenset[PersonId], new: frozenset[PersonId], from_round: int) -> Course:
    course = schedule.course
    people = tuple(one for one in course.people or _everybody(schedule, from_round) if one not in gone)
    people += tuple(sorted(new.difference(people)))
    locks = (replace(lock, members=tuple(one for one in lock.members if one not in gone)) for lock in course.locks)
    return replace(course, people=people, locks=tuple(lock for lock in locks if len(lock.members) > 1))


def _everybody(schedule: Schedule, from_round: int) -> list[PersonId]:
    seated = chain.from_iterable(chain.from_iterable(schedule.rounds[from_round - 1 :]))
    return sorted({*seated, *(one.person for one in schedule.unpaired if one.round >= from_round)})


class _Repair:
    """Goes through the rounds one after the other; what is known of all rounds is kept up to date."""

    def __init__(
        self,
        schedule: Schedule,
        gone: frozenset[PersonId],
        new: frozenset[PersonId],
        absent: frozenset[PersonId],
        fixed: Collection[Placed],
        *,
        numbers: range,
        may_turn: bool = True,
    ) -> None:
        self.fixed, self.may_turn = frozenset(fixed), may_turn
        self.schedule, self.gone, self.new, self.absent, self.numbers = schedule, gone, new, absent, numbers
        self.shape = schedule.course.shape
        self.rounds = list(schedule.rounds)
        self.proofs = {proof.round: proof for proof in schedule.proofs}
        self.begun: dict[int, set[Group]] = {}
        for number, group in fixed:
            self.begun.setdefault(number, set()).add(group)
        self.unpaired: dict[int, tuple[Unpaired, ...]] = {}
        for one in schedule.unpaired:
            self.unpaired[one.round] = (*self.unpaired.get(one.round, ()), one)
        self.formed: dict[int, list[Group]] = {}
        """Of every round that changed, the groups that have come."""
        self.costs: dict[int, tuple[int, ...]] = {}
        """Of every round that was mended, what its own people would rather have had otherwise; repeats not counted."""
        self.couples = Couples(schedule.course)
        self.people: People = self.couples.people
        grouped = [Grouped.of(self.people, groups) for groups in self.rounds]
        self.trios = [one.in_groups_of(3) for one in grouped]
        self.met = self._meetings(schedule.course.met)
        self.meetings = [one.meetings(len(self.people)) for one in grouped]
        """Of every round as it was."""
        self.known: Keys = together([self.met, *self.meetings])
        self.more: list[Keys] = [NONE for _ in self.rounds]
        """Of every round, meetings that have come."""
        self.less: list[Keys] = [NONE for _ in self.rounds]
        """Of every round, meetings that are no more."""
        self.never_again = any(rule.name == NOT_AGAIN for rule in schedule.course.rules)

    def repaired(self) -> Schedule:
        for _ in self.numbers if self.never_again else (1,):
            before = list(self.rounds)
            for number in self.numbers:
                self._mend(number)
            # A meeting that moved out of a later round may have made room in an earlier one.
            if before == self.rounds:
                break
        self._look_again()
        rounds = tuple(self.rounds)
        if any(self.formed.values()):
            course = self.schedule.course
            formed = {(number, group) for number, groups in self.formed.items() for group in groups}
            rounds = take_turns(rounds, formed, self.shape.kind, course.ahead, self.schedule.seed)
            if self.may_turn and self.shape.kind in {Kind.PAIRS, Kind.TRIOS}:
                people = frozenset(chain.from_iterable(group for _, group in formed))
                rounds = turn_round(rounds, people, course.ahead, self.fixed, self.numbers)
        unpaired = chain.from_iterable(self.unpaired[number] for number in sorted(self.unpaired))
        proofs = (self.proofs[number] for number in sorted(self.proofs))
        return replace(self.schedule, rounds=rounds, unpaired=tuple(unpaired), proofs=tuple(proofs))

    def _look_again(self) -> None:
        """Rounds are mended one after the other, so one may have taken a couple that another needed.

        While groups that have come are of people who meet elsewhere too, their round is mended once more, then also as
        if what came in another round were not decided, which is mended after it.
        """
        looks = LOOKS
        while (
            looks > 0
            and (cost := self._cost())[-1]
            and (faulty := [number for number in self.numbers if self._repeats(number)])
        ):
            for number, other in product(faulty, (0, *self.numbers)):
                if other == number or (other and not self.formed.get(other)):
                    continue
                looks -= 1
                kept = self._state()
                if other:
                    self.more[other - 1] = NONE
                self._mend(number)
                if other:
                    self._mend(other)
                if self._cost() < cost:
                    break
                self._restore(kept)
                if not looks:
                    return
            else:
                return

    def _repeats(self, number: int) -> bool:
        """Whether a group that has come in this round is of people who meet elsewhere, too."""
        one, other = np.divmod(self.more[number - 1], max(1, len(self.people)))
        return bool(self._met_outside(number).times(one, other).any())

    def _cost(self) -> tuple[int, ...]:
        """What is wrong with all these rounds, the gravest first."""
        met = Acquaintance(len(self.people), self.known, together(self.more), together(self.less))
        touched = np.unique(np.concatenate([NONE, *self.more, *self.less]))
        again = np.maximum(met.times(*np.divmod(touched, max(1, len(self.people)))) - 1, 0)
        return *map(sum, zip(*self.costs.values(), strict=True)), int(again.sum())

    def _state(self) -> tuple[list[Any] | dict[int, Any], ...]:
        return tuple(copy(getattr(self, name)) for name in STATE)

    def _restore(self, state: tuple[list[Any] | dict[int, Any], ...]) -> None:
        for name, kept in zip(STATE, state, strict=True):
            setattr(self, name, kept)

    def _mend(self, number: int) -> None:
        """Mend the round as it was before, beside all others as they are now."""
        groups = self.schedule.rounds[number - 1]
        begun = self.begun.get(number, set())
        movable = [group for group in groups if group not in begun] if begun else groups
        in_begun = {person for group in groups if group in begun for person in group} if begun else set()
        away = self._away(number, in_begun)
        sitting = self._sitting(number, movable, self._places(in_begun), self._places(away))
        check_locks(sitting, number)
        mended = self._mended(sitting)
        if mended.alone and self.never_again:
            # Who meets in a later round may meet now all the same; then the later meeting moves.
            again = self._mended(replace(sitting, met=sitting.met_earlier))
            mended = min(mended, again, key=lambda one: len(one.alone))
        formed = sorted(tuple(self.people.ids[list(seats)].tolist()) for seats in mended.formed)
        if formed or not mended.kept.all() or number in self.formed:
            self._change(number, movable, mended.kept.tolist(), formed)
        self.costs[number] = mended.cost
        alone, proof = account_for(number, sitting, mended, self._places(in_begun))
        absent = (Unpaired(person, number, Reason.ABSENT) for person in away)
        self.unpaired[number] = tuple(sorted((*alone, *absent), key=lambda one: one.person))
        self.proofs.pop(number, None)
        if proof is not None:
            self.proofs[number] = proof

    def _change(self, number: int, movable: Sequence[Group], kept: list[bool], formed: list[Group]) -> None:
        gone = [group for group, stays in zip(movable, kept, strict=True) if not stays]
        was = frozenset(gone)
        self.rounds[number - 1] = (*(group for group in self.schedule.rounds[number - 1] if group not in was), *formed)
        self.formed[number] = formed
        self.more[number - 1], self.less[number - 1] = np.sort(self._meetings(formed)), self._meetings(gone)
        self.trios[number - 1] = Grouped.of(self.people, self.rounds[number - 1]).in_groups_of(3)

    def _mended(self, sitting: Sitting) -> Mended:
        return mend(sitting) if self.shape.kind is Kind.PAIRS else regroup(sitting, self.shape)

    def _sitting(self, number: int, movable: Sequence[Group], begun: Places, away: Places) -> Sitting:
        grouped = Grouped.of(self.people, movable)
        elsewhere = np.union1d(begun, away)
        if len(elsewhere):
            grouped.members[np.isin(grouped.members, elsewhere)] = -1
        seat = np.ones(len(self.people), dtype=np.bool_)
        seat[elsewhere] = False
        met = met_earlier = self._met_outside(number)
        if self.never_again:
            locked = self._locked_after(number)
            met, met_earlier = met.and_also(locked), self._met_before(number).and_also(locked)
        return Sitting(
            couples=self.couples,
            members=grouped.members,
            sizes=grouped.sizes,
            seat=np.flatnonzero(seat),
            met=met,
            never_again=self.never_again,
            met_earlier=met_earlier,
            locks=locks_of(self.couples, number, begun, away),
            flagged=self._flagged(number),
            in_trios=self._in_trios(number),
            seed=self.schedule.seed + number,
        )

    def _meetings(self, groups: Sequence[Group]) -> Keys:
        return Grouped.of(self.people, groups).meetings(len(self.people))

    def _met_outside(self, number: int) -> Acquaintance:
        """All meetings but those of this round."""
        others = [at for at in range(len(self.rounds)) if at != number - 1]
        more = together([self.more[at] for at in others])
        less = together([self.meetings[number - 1], *(self.less[at] for at in others)])
        return Acquaintance(len(self.people), self.known, more, less)

    def _met_before(self, number: int) -> Acquaintance:
        earlier = range(number - 1)
        meetings = together([self.met, *(self.meetings[at] for at in earlier)])
        more, less = together([self.more[at] for at in earlier]), together([self.less[at] for at in earlier])
        return Acquaintance(len(self.people), meetings, more, less)

    def _away(self, number: int, in_begun: set[PersonId]) -> set[PersonId]:
        """Who does not turn up in the round."""
        known = {one.person for one in self.unpaired.get(number, ()) if one.reason is Reason.ABSENT} - self.new
        return (known | self.absent) - self.gone - in_begun

    def _places(self, people: Iterable[PersonId]) -> Places:
        places = self.people.places(np.array(sorted(people), dtype=np.int64))
        return places[places >= 0]

    def _locked_after(self, number: int) -> Keys:
        """Couples who are locked together in a later round."""
        rounds = range(number + 1, len(self.rounds) + 1)
        locks = (lock for lock in self.schedule.course.locks if lock.round in rounds)
        return self._meetings([lock.members for lock in locks])

    def _flagged(self, number: int) -> Bools:
        flagged = np.zeros(len(self.people), dtype=np.bool_)
        last = [one.person for one in self.unpaired.get(number - 1, ()) if one.reason is not Reason.ABSENT]
        flagged[self._places(self.schedule.course.left_out if number == 1 else last)] = True
        return flagged

    def _in_trios(self, number: int) -> NDArray[np.int64]:
        """How often each sits in a trio in other rounds or did before; of no account where others sit so as well."""
        counted = np.zeros(len(self.people), dtype=np.int64)
        if self.shape.kind is Kind.PAIRS:
            for person, times in self.schedule.course.in_trios.items():
                counted[self._places((person,))] += times
            for at, members in enumerate(self.trios, start=1):
                counted[members] += at != number
        return counted

"""After people left or joined, or rules changed: the fewest changes that give everyone a partner again."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise, product
from typing import Final

import numpy as np

from lti_tool.pairing.engine.couples import Couples, Keys, Meetings, meetings_of, merged
from lti_tool.pairing.engine.course import Course, Kind, PersonId
from lti_tool.pairing.engine.errors import ImpossibleRequest, ListedTwice, UnknownPerson
from lti_tool.pairing.engine.locks import Members
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.repair_groups import repair_groups
from lti_tool.pairing.engine.repair_round import Repaired, Round, reasons_of, repair_pairs
from lti_tool.pairing.engine.schedule import Group, Placed, Proof, Reason, Schedule, Unpaired
from lti_tool.pairing.engine.turns import take_turns, turn_round

LOOKS: Final = 24
"""How often rounds are repaired once more, while people meet in them who meet elsewhere too."""


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
    joined, had no partner, or is in a group that a rule forbids now, gets one with the fewest changes for others;
    people who are locked together are brought together. Someone who is in `schedule.course` and in no group counts as
    joined, and who is in a group and not in the course as having left; a course of nobody is taken to be of everyone
    in these rounds. Of solutions with equally few changes in each round one with the fewest repeats in all of them
    together is looked for, then the one with the most points. Where someone would be two ahead or behind with turns,
    groups that stay and have not begun are turned round, if they may. Repeating a repair changes nothing, so who left
    may be gone already and who joined be seated already.
    Raises ImpossibleRequest for a round that does not exist, and its kinds: ListedTwice when someone both left and
    joined or joined twice, UnknownPerson for someone new whose id is below 0, LockConflict, LockSize and LockForbidden
    for locks that cannot be. Method: `repair_pairs`, `repair_groups`.
    """
    gone, new = frozenset(left), frozenset(joined)
    if not 1 <= from_round <= len(schedule.rounds) + 1:
        raise ImpossibleRequest(from_round)
    twice = {one for one, other in pairwise(sorted(joined)) if one == other} | gone & new
    if twice:
        raise ListedTwice(tuple(sorted(twice)))
    if strangers := tuple(sorted(person for person in new if person < 0)):
        raise UnknownPerson(strangers)
    known = replace(schedule, course=_course_after(schedule, gone, new, from_round))
    numbers = range(from_round, len(schedule.rounds) + 1)
    return _Repair(known, frozenset(fixed), numbers, gone=gone, new=new, may_turn=may_turn).repaired()


def step_in(
    schedule: Schedule, absent: Collection[PersonId], number: int, *, fixed: Collection[Placed] = ()
) -> Schedule:
    """The same schedule where these people do not turn up in one round: who was to meet them meets someone else.

    The absent are listed as unpaired with the reason ABSENT and stay in all other rounds. Who is in a group of `fixed`
    stays there. A repair in which they are `joined` lets them in again. Raises ImpossibleRequest for a round that does
    not exist.
    """
    if not 1 <= number <= len(schedule.rounds):
        raise ImpossibleRequest(number, len(absent))
    known = replace(schedule, course=_course_after(schedule, frozenset(), frozenset(), number))
    after = _Repair(known, frozenset(fixed), range(number, number + 1), absent=frozenset(absent)).repaired()
    return replace(after, course=schedule.course)


def _course_after(schedule: Schedule, gone: frozenset[PersonId], new: frozenset[PersonId], from_round: int) -> Course:
    course = schedule.course
    seated = chain.from_iterable(chain.from_iterable(schedule.rounds[from_round - 1 :]))
    alone = (one.person for one in schedule.unpaired if one.round >= from_round)
    people = tuple(one for one in course.people or sorted({*seated, *alone}) if one not in gone)
    people += tuple(sorted(new.difference(people)))
    locks = (replace(lock, members=tuple(one for one in lock.members if one not in gone)) for lock in course.locks)
    return replace(course, people=people, locks=tuple(lock for lock in locks if len(lock.members) > 1))


@dataclass(frozen=True, slots=True)
class _Now:
    """A round as it is by now."""

    groups: tuple[Group, ...]
    meetings: Keys
    unpaired: tuple[Unpaired, ...]
    proof: Proof | None
    formed: tuple[Group, ...] = ()
    """Groups that have come."""
    trios: tuple[Group, ...] = ()
    cost: tuple[int, ...] = ()
    """What the people of this round would rather have had otherwise, once it was repaired; repeats not counted."""


def _trios(groups: Iterable[Group]) -> tuple[Group, ...]:
    return tuple(group for group in groups if len(group) == 3)


class _Repair:
    """Goes through the rounds one after the other; what is known of all rounds is kept up to date."""

    def __init__(
        self,
        schedule: Schedule,
        fixed: frozenset[Placed],
        numbers: range,
        *,
        gone: frozenset[PersonId] = frozenset(),
        new: frozenset[PersonId] = frozenset(),
        absent: frozenset[PersonId] = frozenset(),
        may_turn: bool = True,
    ) -> None:
        self.schedule, self.fixed, self.numbers, self.may_turn = schedule, fixed, numbers, may_turn
        self.gone, self.new, self.absent = gone, new, absent
        self.course = schedule.course
        self.couples = Couples(self.course)
        self.people = self.couples.people
        self.met = meetings_of(self.people, self.course.met)
        proofs = {proof.round: proof for proof in schedule.proofs}
        unpaired: dict[int, list[Unpaired]] = {}
        for one in schedule.unpaired:
            unpaired.setdefault(one.round, []).append(one)
        self.now = [
            _Now(
                groups,
                meetings_of(self.people, groups),
                tuple(unpaired.get(number, ())),
                proofs.get(number),
                trios=_trios(groups),
            )
            for number, groups in enumerate(schedule.rounds, start=1)
        ]

    def repaired(self) -> Schedule:
        for _ in self.numbers if self.couples.never_again else (1,):
            before = [now.groups for now in self.now]
            for number in self.numbers:
                self._repair(number)
            # A meeting that moved out of a later round may have made room in an earlier one.
            if before == [now.groups for now in self.now]:
                break
        self._look_again()
        rounds = tuple(now.groups for now in self.now)
        formed = {(number, group) for number, now in enumerate(self.now, start=1) for group in now.formed}
        kind, ahead = self.course.shape.kind, self.course.ahead
        if formed:
            rounds = take_turns(rounds, formed, kind, ahead, self.schedule.seed)
            if self.may_turn and kind in {Kind.PAIRS, Kind.TRIOS}:
                people = frozenset(chain.from_iterable(group for _, group in formed))
                rounds = turn_round(rounds, people, ahead, self.fixed, self.numbers)
        unpaired = tuple(chain.from_iterable(now.unpaired for now in self.now))
        proofs = tuple(now.proof for now in self.now if now.proof)
        return replace(self.schedule, rounds=rounds, unpaired=unpaired, proofs=proofs)

    def _look_again(self) -> None:
        """Rounds are repaired one after the other, so one may have taken a couple that another needed.

        While groups that have come are of people who meet elsewhere too, their round is repaired once more, then also
        as if what came in another round were not decided, which is repaired after it.
        """
        looks = LOOKS
        while (
            looks > 0 and (cost := self._cost())[-1] and (faulty := [one for one in self.numbers if self._repeats(one)])
        ):
            for number, other in product(faulty, (0, *self.numbers)):
                if other == number or (other and not self.now[other - 1].formed):
                    continue
                looks -= 1
                kept = list(self.now)
                if other:
                    now = self.now[other - 1]
                    came = meetings_of(self.people, now.formed)
                    self.now[other - 1] = replace(now, meetings=np.setdiff1d(now.meetings, came))
                self._repair(number)
                if other:
                    self._repair(other)
                if self._cost() < cost:
                    break
                self.now = kept
                if not looks:
                    return
            else:
                return

    def _repeats(self, number: int) -> bool:
        """Whether a group that has come in this round is of people who meet elsewhere, too."""
        came = meetings_of(self.people, self.now[number - 1].formed)
        return bool(self._met_outside(number).times(*np.divmod(came, max(1, len(self.people)))).any())

    def _cost(self) -> tuple[int, ...]:
        """What is wrong with all these rounds, the gravest first."""
        counts = np.unique(merged(self.met, *(now.meetings for now in self.now)), return_counts=True)[1]
        costs = [now.cost for now in self.now if now.cost]
        return *map(sum, zip(*costs, strict=True)), int((counts - 1).sum())

    def _repair(self, number: int) -> None:
        """Repair the round as it was before, beside all others as they are now."""
        groups = self.schedule.rounds[number - 1]
        begun = {group for at, group in self.fixed if at == number}
        movable = [group for group in groups if group not in begun]
        in_begun = {person for group in groups if group in begun for person in group}
        away = self._away(number, in_begun)
        before = self._round(number, movable, self._places(in_begun), self._places(away))
        before.check_locks()
        after = self._repaired(before)
        if after.alone and self.couples.never_again:
            # Who meets in a later round may meet now all the same; then the later meeting moves.
            again = self._repaired(replace(before, met=before.met_earlier))
            after = min(after, again, key=lambda one: len(one.alone))
        formed = tuple(sorted(tuple(self.people.ids[list(seats)].tolist()) for seats in after.formed))
        leaving = {group for group, stays in zip(movable, after.kept.tolist(), strict=True) if not stays}
        result = (*(group for group in groups if group not in leaving), *formed)
        alone, proof = reasons_of(before, after)
        absent = (Unpaired(person, number, Reason.ABSENT) for person in away)
        unpaired = tuple(sorted((*alone, *absent), key=lambda one: one.person))
        self.now[number - 1] = _Now(
            result, meetings_of(self.people, result), unpaired, proof, formed, _trios(result), after.cost
        )

    def _repaired(self, before: Round) -> Repaired:
        shape = self.course.shape
        return repair_pairs(before) if shape.kind is Kind.PAIRS else repair_groups(before, shape)

    def _round(self, number: int, movable: Sequence[Group], begun: Places, away: Places) -> Round:
        elsewhere = np.union1d(begun, away)
        sizes = np.fromiter(map(len, movable), dtype=np.int64, count=len(movable))
        ids = np.fromiter(chain.from_iterable(movable), dtype=np.int64, count=int(sizes.sum()))
        members = self.people.places(ids)
        members[np.isin(members, elsewhere)] = -1
        met = met_earlier = self._met_outside(number)
        if self.couples.never_again:
            earlier = [now.meetings for now in self.now[: number - 1]]
            later_locks = [
                lock.members for lock in self.course.locks if lock.round in range(number + 1, len(self.now) + 1)
            ]
            locked = meetings_of(self.people, later_locks)
            met, met_earlier = met.also(locked), Meetings(len(self.people), merged(self.met, *earlier, locked))
        return Round(
            number=number,
            couples=self.couples,
            members=members,
            sizes=sizes,
            seat=np.setdiff1d(np.arange(len(self.people)), elsewhere),
            begun=begun,
            met=met,
            met_earlier=met_earlier,
            locks=self._locks(number, begun, away),
            flagged=self._flagged(number),
            in_trios=self._in_trios(number),
            seed=self.schedule.seed + number,
        )

    def _met_outside(self, number: int) -> Meetings:
        """All meetings but those of this round."""
        others = (now.meetings for at, now in enumerate(self.now, start=1) if at != number)
        return Meetings(len(self.people), merged(self.met, *others))

    def _locks(self, number: int, begun: Places, away: Places) -> tuple[Members, ...]:
        """The locks of a round, but for those of people whose groups have begun. Of a lock, those count who turn up."""
        found: set[Members] = set()
        for lock in self.course.locks:
            here = np.setdiff1d(self._places(lock.members), away)
            if lock.round in {None, number} and len(here) > 1 and not np.isin(here, begun).any():
                found.add(tuple(here.tolist()))
        return tuple(sorted(found))

    def _away(self, number: int, in_begun: set[PersonId]) -> set[PersonId]:
        """Who does not turn up in the round."""
        known = {one.person for one in self.now[number - 1].unpaired if one.reason is Reason.ABSENT} - self.new
        return (known | self.absent) - self.gone - in_begun

    def _places(self, people: Iterable[PersonId]) -> Places:
        places = self.people.places(np.array(sorted(set(people)), dtype=np.int64))
        return places[places >= 0]

    def _flagged(self, number: int) -> Bools:
        """Who had no partner in the round before this one."""
        flagged = np.zeros(len(self.people), dtype=np.bool_)
        last = self.now[number - 2].unpaired if number > 1 else ()
        alone = [one.person for one in last if one.reason is not Reason.ABSENT]
        flagged[self._places(self.course.left_out if number == 1 else alone)] = True
        return flagged

    def _in_trios(self, number: int) -> Points:
        """How often each is in a trio in other rounds or was before; of no account where others are so as well."""
        counted = np.zeros(len(self.people), dtype=np.int64)
        if self.course.shape.kind is Kind.PAIRS:
            for person, times in self.course.in_trios.items():
                counted[self._places((person,))] += times
            for at, now in enumerate(self.now, start=1):
                for group in now.trios if at != number else ():
                    counted[self._places(group)] += 1
        return counted

"""After people left or joined, or rules changed: the fewest changes that give everyone a partner again.

A round of pairs is the question that planning asks too, in which couples that stand weigh more than all wishes and
repeats. So of an even number of people, and of a few, the answer is the best there is: people without a partner, those
of them who had none last time, people whose group could have stayed, people who were together and are not any more,
repeats, points.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress, pairwise, product
from typing import Final

import numpy as np

from lti_tool.pairing.engine.couples import (
    NO_KEYS,
    Couples,
    Groups,
    Keys,
    Meetings,
    Members,
    couples_of,
    merged,
)
from lti_tool.pairing.engine.pairs import History, Question
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.problem import (
    Course,
    Group,
    ImpossibleRequest,
    Kind,
    ListedTwice,
    PersonId,
    Placed,
    Proof,
    Reason,
    Schedule,
    UnknownPerson,
    Unpaired,
)
from lti_tool.pairing.engine.proof import NotLargest, barrier
from lti_tool.pairing.engine.repair_groups import Round, repair_groups
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
    people who are locked together are brought together. Who is listed as unpaired with the reason ABSENT, in a group or
    not, does not turn up in that round, unless their group has begun or they are `joined`: who was to meet them meets
    someone else. Someone who is in `schedule.course` and in no group counts as
    joined, and who is in a group and not in the course as having left; a course of nobody is taken to be of everyone
    in these rounds. Of solutions with equally few changes in each round one with the fewest repeats in all of them
    together is looked for, then the one with the most points. Where someone would be two ahead or behind with turns,
    groups that stay and have not begun are turned round, if they may. Repeating a repair changes nothing, so who left
    may be gone already and who joined be seated already.
    Raises ImpossibleRequest for a round that does not exist, and its kinds: ListedTwice when someone both left and
    joined or joined twice, UnknownPerson for someone new whose id is below 0, LockConflict, LockSize and LockForbidden
    for locks that cannot be.
    """
    gone, new = frozenset(left), frozenset(joined)
    if not 1 <= from_round <= len(schedule.rounds) + 1:
        raise ImpossibleRequest(from_round)
    if twice := {person for person, following in pairwise(sorted(joined)) if person == following} | gone & new:
        raise ListedTwice(tuple(sorted(twice)))
    if strangers := tuple(sorted(person for person in new if person < 0)):
        raise UnknownPerson(strangers)
    known = replace(schedule, course=_course_after(schedule, gone, new, from_round))
    numbers = range(from_round, len(schedule.rounds) + 1)
    return _Repair(known, frozenset(fixed), numbers, gone=gone, new=new, may_turn=may_turn).repaired()


def _course_after(schedule: Schedule, gone: frozenset[PersonId], new: frozenset[PersonId], from_round: int) -> Course:
    course = schedule.course
    seated = chain.from_iterable(chain.from_iterable(schedule.rounds[from_round - 1 :]))
    alone = (out.person for out in schedule.unpaired if out.round >= from_round)
    people = tuple(person for person in course.people or sorted({*seated, *alone}) if person not in gone)
    people += tuple(sorted(new.difference(people)))
    locks = (replace(lock, members=tuple(set(lock.members) - gone)) for lock in course.locks)
    return replace(course, people=people, locks=tuple(lock for lock in locks if len(lock.members) > 1))


@dataclass(frozen=True, slots=True)
class _Now:
    """A round as it is by now."""

    groups: tuple[Group, ...]
    in_trios: Bools
    meetings: Keys
    unpaired: tuple[Unpaired, ...]
    proof: Proof | None
    formed: tuple[Group, ...] = ()
    """Groups that have come."""
    cost: tuple[int, ...] = ()
    """What counts before repeats, once the round was repaired: people alone, of them flagged, in groups that changed,
    couples who stay together.
    """


class _Repair:
    """Goes through the rounds one after the other; what is known of all rounds is kept up to date."""

    def __init__(
        self,
        schedule: Schedule,
        fixed: frozenset[Placed],
        numbers: range,
        *,
        gone: frozenset[PersonId],
        new: frozenset[PersonId],
        may_turn: bool,
    ) -> None:
        self.schedule, self.fixed, self.numbers, self.may_turn = schedule, fixed, numbers, may_turn
        self.gone, self.new = gone, new
        self.course, self.couples = schedule.course, Couples(schedule.course)
        self.people, self.is_pairs = self.couples.people, schedule.course.shape.kind is Kind.PAIRS
        proofs = {proof.round: proof for proof in schedule.proofs}
        unpaired: dict[int, list[Unpaired]] = {}
        for out in schedule.unpaired:
            unpaired.setdefault(out.round, []).append(out)
        self.now = []
        for number, groups in enumerate(schedule.rounds, start=1):
            known = self.couples.groups(groups)
            alone = tuple(unpaired.get(number, ()))
            self.now.append(_Now(groups, known.sizes == 3, known.keys, alone, proofs.get(number)))

    def repaired(self) -> Schedule:
        self._repair_all()
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

    def _repair_all(self) -> None:
        """Repair each round once; where nobody may meet again, until that changes nothing.

        A meeting that moved out of a later round may have made room in an earlier one.
        """
        for _ in self.numbers if self.couples.never_again else (1,):
            before = [now.groups for now in self.now]
            for number in self.numbers:
                self._repair(number)
            if before == [now.groups for now in self.now]:
                break

    def _look_again(self) -> None:
        """Rounds are repaired one after the other, so one may have taken a couple that another needed.

        While groups that have come are of people who meet elsewhere too, or someone is unpaired who may not meet anyone
        again, their round is repaired once more, then also as if what came in another round were not decided, which is
        repaired after it.
        """
        looks = LOOKS
        while looks > 0 and (faulty := list(filter(self._is_faulty, self.numbers))):
            cost = self._cost()
            for number, later in product(faulty, (0, *self.numbers)):
                if later == number or (later and not self.now[later - 1].formed):
                    continue
                looks -= 1
                kept = list(self.now)
                if later:
                    now = self.now[later - 1]
                    came = self.couples.groups(now.formed).keys
                    self.now[later - 1] = replace(now, meetings=np.setdiff1d(now.meetings, came))
                self._repair(number)
                if self.couples.never_again:
                    self._repair_all()
                elif later:
                    self._repair(later)
                if self._cost() < cost:
                    break
                self.now = kept
                if not looks:
                    return
            else:
                return

    def _is_faulty(self, number: int) -> bool:
        """Whether another round may have taken a couple that this one needed."""
        if self.couples.never_again and self.now[number - 1].cost[0]:
            return True
        came = self.couples.groups(self.now[number - 1].formed).couples
        return bool(self._met_outside(number).times(*came).any())

    def _cost(self) -> tuple[int, ...]:
        """What is wrong with all these rounds, the gravest first."""
        counts = np.unique(merged(self.couples.met.keys, *(now.meetings for now in self.now)), return_counts=True)[1]
        costs = [now.cost for now in self.now if now.cost]
        return *map(sum, zip(*costs, strict=True)), int((counts - 1).sum())

    def _repair(self, number: int) -> None:
        """Repair the round as it was before, beside all others as they are now."""
        groups = self.schedule.rounds[number - 1]
        begun = {group for at, group in self.fixed if at == number}
        movable = [group for group in groups if group not in begun]
        in_begun = {person for group in begun.intersection(groups) for person in group}
        listed = {out.person for out in self.now[number - 1].unpaired if out.reason is Reason.ABSENT} - self.new
        away = listed - self.gone - in_begun
        before = self._round(number, movable, self._places(in_begun), self._places(away))
        before.check_locks()
        after, alone = self._repaired(before)
        if len(alone) and self.couples.never_again:
            # Who meets in a later round may meet now all the same; then the later meeting moves.
            again, still = self._repaired(replace(before, met=before.met_earlier))
            if len(still) < len(alone):
                after, alone = again, still
        kept = before.kept(after)
        places, sizes = self.couples.listed(movable)
        stays = kept[places[np.cumsum(sizes) - sizes]] & (places[np.cumsum(sizes) - sizes] >= 0)
        formed = tuple(self.couples.ids(group) for group in after.where(~kept).members)
        leaving = set(compress(movable, (~stays).tolist()))
        result = (*(group for group in groups if group not in leaving), *formed)
        reasons, proof = _reasons(before, after, alone)
        absent = (Unpaired(person, number, Reason.ABSENT) for person in away)
        unpaired = tuple(sorted((*reasons, *absent), key=lambda out: out.person))
        changed = int((before.whole & ~kept).sum())
        ties = len(np.intersect1d(before.stands.where(~kept).keys, after.where(~kept).keys))
        cost = len(alone), int(before.flagged[alone].sum()), changed, -ties
        known = self.couples.groups(result)
        self.now[number - 1] = _Now(result, known.sizes == 3, known.keys, unpaired, proof, formed, cost)

    def _repaired(self, before: Round) -> tuple[Groups, Places]:
        """The groups of the round with few changes, and who is left over. Groups that are locked stay."""
        after = _repaired_pairs(before) if self.is_pairs else repair_groups(before)
        return after, before.seat[after.sizes[before.seat] == 1]

    def _round(self, number: int, movable: Sequence[Group], begun: Places, away: Places) -> Round:
        elsewhere = np.union1d(begun, away)
        places, sizes = self.couples.listed(movable)
        places[np.isin(places, elsewhere)] = -1
        stands, known = Groups.listed(places, sizes, len(self.people)), places >= 0
        whole = np.zeros(len(self.people), dtype=np.bool_)
        whole[places[known]] = np.repeat(sizes, sizes)[known] == stands.sizes[places[known]]
        met = met_earlier = self._met_outside(number)
        if self.couples.never_again:
            earlier = [now.meetings for now in self.now[: number - 1]]
            later = [lock.members for lock in self.course.locks if number < (lock.round or 0) <= len(self.now)]
            locked = np.sort(self.couples.keys(*couples_of(self._places(members).tolist() for members in later)))
            met, met_earlier = met.also(locked), self.couples.met.also(*earlier, locked)
        last = self.now[number - 2].unpaired if number > 1 else ()
        alone = [out.person for out in last if out.reason is not Reason.ABSENT]
        flagged = np.zeros(len(self.people), dtype=np.bool_)
        flagged[self._places(self.course.left_out if number == 1 else alone)] = True
        return Round(
            number=number,
            couples=self.couples,
            stands=stands,
            whole=whole,
            seat=np.setdiff1d(np.arange(len(self.people)), elsewhere),
            begun=begun,
            met=met,
            met_earlier=met_earlier,
            locks=self._locks(number, begun, away),
            flagged=flagged,
            in_trios=self._in_trios(number),
            seed=self.schedule.seed + number,
        )

    def _met_outside(self, number: int) -> Meetings:
        """All meetings but those of this round."""
        elsewhere = (now.meetings for at, now in enumerate(self.now, start=1) if at != number)
        return self.couples.met.also(*elsewhere)

    def _locks(self, number: int, begun: Places, away: Places) -> tuple[Members, ...]:
        """The locks of a round, but for those of people whose groups have begun. Of a lock, those count who turn up."""
        locks = (self._places(lock.members) for lock in self.course.locks if lock.round in {None, number})
        present = (np.setdiff1d(lock, away) for lock in locks if not np.isin(lock, begun).any())
        return tuple(sorted({tuple(lock.tolist()) for lock in present if len(lock) > 1}))

    def _places(self, people: Iterable[PersonId]) -> Places:
        places = self.people.places(np.array(sorted(set(people)), dtype=np.int64))
        return places[places >= 0]

    def _in_trios(self, number: int) -> Points:
        """How often each is in a trio in other rounds or was before; of no account where others are so as well."""
        counted = History.of(self.couples).trios
        for at, now in enumerate(self.now, start=1):
            if at != number and self.is_pairs:
                counted += now.in_trios
        return counted


def _reasons(before: Round, after: Groups, alone: Places) -> tuple[list[Unpaired], Proof | None]:
    """Everyone without a group with a reason, and for pairs a proof where one is needed and no group has begun."""
    couples, number = before.couples, before.number
    is_pairs = couples.course.shape.kind is Kind.PAIRS
    reasons = [_reason(before, place) for place in alone.tolist()]
    proof = None
    if Reason.TOO_FEW_PARTNERS in reasons and is_pairs and not len(before.begun):
        locked = list(chain.from_iterable(before.locks))
        # Earlier rounds are settled now; what becomes of later ones cannot make the proof untrue.
        banned = np.unique(before.met_earlier.keys) if couples.never_again else NO_KEYS
        try:
            shown = barrier(couples, np.setdiff1d(before.seat, locked), after.partners, banned)
            proof = Proof(number, couples.ids(shown))
        except NotLargest:
            pass
    if proof is None and not (is_pairs and len(before.begun)):
        reasons = [Reason.NONE_BETTER_FOUND if reason is Reason.TOO_FEW_PARTNERS else reason for reason in reasons]
    listed = zip(couples.people.ids[alone].tolist(), reasons, strict=True)
    return [Unpaired(person, number, reason) for person, reason in listed], proof


def _reason(before: Round, place: int) -> Reason:
    everyone = np.arange(len(before.couples), dtype=np.int64)
    fits = before.may_stay(np.full(len(everyone), place, dtype=np.int64), everyone)
    if fits[before.begun].any():
        return Reason.OTHERS_HAVE_BEGUN
    if len(before.seat) + len(before.begun) == 1:
        return Reason.NOBODY_ELSE
    return Reason.TOO_FEW_PARTNERS if fits[before.seat].any() else Reason.NOBODY_ALLOWED


def _repaired_pairs(before: Round) -> Groups:
    """The groups of the round with the fewest changes."""
    stands = before.stands
    apart = stands.heads[stands.couples[0][~before.may_stay(*stands.couples)]]
    return (
        Question(
            before.couples,
            History(before.met, before.flagged.astype(np.int64), before.in_trios),
            np.random.default_rng([abs(before.seed), int(before.seed < 0)]),
            before.seat,
            before.locks,
            stands=stands.where(before.whole & ~np.isin(stands.heads, apart)),
            ties=stands.where(~before.whole | (stands.sizes != 2)).keys,
        )
        .arranged()
        .groups()
    )

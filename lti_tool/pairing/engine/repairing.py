"""After people left or joined: the fewest changes that give everybody a partner again."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from functools import partial

from lti_tool.pairing.engine.course import PersonId
from lti_tool.pairing.engine.errors import ImpossibleRequest
from lti_tool.pairing.engine.matching import match, met_at_most
from lti_tool.pairing.engine.schedule import (
    Group,
    Placed,
    Reason,
    Schedule,
    Unpaired,
    balance,
    meetings,
)


def repair(
    schedule: Schedule,
    left: Collection[PersonId],
    joined: Collection[PersonId],
    from_round: int,
    *,
    fixed: Collection[Placed] = (),
) -> Schedule:
    """The same schedule without those who left and with those who joined, from this round on.

    Rounds before it and groups in `fixed` (they have begun) stay as they are. Whoever lost a partner, whoever joined
    and whoever was unpaired are put together; one who is left over takes a member of the round's trio, or makes a pair
    a trio. No other group changes. People who met (before, or in any round) are put together only when there is no
    other way. Repeating a repair changes nothing.
    """
    gone, new = set(left), set(joined)
    if gone & new or not 1 <= from_round <= len(schedule.rounds) + 1:
        raise ImpossibleRequest(from_round, len(gone & new))
    rounds = list(schedule.rounds)
    unpaired = [one for one in schedule.unpaired if one.round < from_round]
    for number in range(from_round, len(rounds) + 1):
        begun = [group for group in rounds[number - 1] if (number, group) in fixed]
        waiting = {one.person for one in schedule.unpaired if one.round == number} | new
        movable = [group for group in rounds[number - 1] if (number, group) not in fixed]
        untouched = set(movable)
        seated = {person for group in rounds[number - 1] for person in group}
        known: Counter[frozenset[PersonId]] = Counter(frozenset(couple) for couple in schedule.course.met)
        known.update(meetings(rounds))
        mended = _mend(movable, gone, (waiting - seated) - gone, known)
        ahead = balance(rounds[: number - 1])
        groups = [group if group in untouched else _in_turn(group, ahead) for group in mended if len(group) > 1]
        rounds[number - 1] = (*begun, *groups)
        reason = Reason.OTHERS_HAVE_BEGUN if begun else Reason.NOBODY_ELSE
        unpaired += [Unpaired(group[0], number, reason) for group in mended if len(group) == 1]
    return replace(schedule, rounds=tuple(rounds), unpaired=tuple(unpaired))


def _mend(
    groups: list[Group], gone: set[PersonId], waiting: set[PersonId], known: Counter[frozenset[PersonId]]
) -> list[Group]:
    """Groups of two, at most one of three when the number is odd, or one person alone when there is nobody else."""
    kept = [tuple(one for one in group if one not in gone) for group in groups]
    loose = sorted(waiting | {group[0] for group in kept if len(group) == 1})
    whole = [group for group in kept if len(group) > 1]
    over, couples = _couple(loose, known)
    whole += couples
    if over is None:
        return whole
    if not whole:
        return [(over,)]
    trio = next((group for group in whole if len(group) == 3), None)
    if trio is not None:
        # Its middle member belongs to it least, so at equal cost that one moves.
        mover = min(trio, key=lambda one: (known[frozenset((over, one))], one != trio[1], one))
        whole[whole.index(trio)] = tuple(one for one in trio if one != mover)
        return [*whole, (mover, over)]
    host = min(whole, key=lambda pair: (sum(known[frozenset((over, one))] for one in pair), pair))
    whole[whole.index(host)] = (host[0], over, host[1])
    return whole


def _couple(loose: list[PersonId], known: Counter[frozenset[PersonId]]) -> tuple[PersonId | None, list[Group]]:
    """Put loose people together, those who never met first. Returns the one left over when their number is odd."""
    partner: dict[PersonId, PersonId] = {}
    most = 0
    while len(partner) < len(loose) - len(loose) % 2:
        partner = match(loose, partial(met_at_most, known, most), partner)
        most += 1
    over = next((one for one in loose if one not in partner), None)
    return over, [(one, partner[one]) for one in loose if one in partner and one < partner[one]]


def _in_turn(group: Group, ahead: Counter[PersonId]) -> Group:
    """Whoever was observed first least so far begins."""
    return tuple(sorted(group, key=lambda one: (ahead[one], one)))

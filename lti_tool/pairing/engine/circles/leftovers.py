"""When a round of circles breaks a rule: who has to leave a group, and which group still takes them."""

from collections.abc import Mapping

import numpy as np

from lti_tool.pairing.engine.circles.company import Company
from lti_tool.pairing.engine.people import Places

Members = tuple[int, ...]
Locked = Mapping[int, Members]
"""For everybody who is locked, with whom (themselves among them)."""


def keep_the_rules(groups: list[Members], company: Company, most: int, locked: Locked) -> list[Members]:
    """The same groups without a couple that may not meet. Groups of one are people for whom no place was found.

    From each group as few as possible go, those who were left out last time last; people who are locked together go
    together, as a group of their own. The others join a group that has room
    (`most` members are the most), else one another, else they take a member of a group of three or more along.
    """
    kept: list[Members] = []
    loose: list[int] = []
    for group in groups:
        stays, goes = _part(group, company, locked)
        kept.append(stays)
        loose += [one for one in goes if one not in locked]
        kept += sorted({locked[one] for one in goes if one in locked})
    loose += [group[0] for group in kept if len(group) == 1]
    kept = [group for group in kept if len(group) > 1]
    alone: list[int] = []
    for one in sorted(loose, key=lambda one: (-int(company.matters[one]), one)):
        if not (_join(one, kept, company, most) or _meet(one, alone, kept, company)):
            alone.append(one)
    # Somebody who goes along leaves room behind, so those before may have a place now.
    was_alone = -1
    while len(alone) != was_alone:
        was_alone = len(alone)
        alone = [
            one for one in alone if not (_join(one, kept, company, most) or _take_along(one, kept, company, locked))
        ]
    return kept + [(one,) for one in alone]


def _part(group: Members, company: Company, locked: Locked) -> tuple[Members, list[int]]:
    goes: list[int] = []
    while True:
        against = {one: 0 for one in group if one not in goes}
        members = np.array(list(against), dtype=np.int64)
        apart = ~company.may_meet(members[:, None], members[None, :])
        for one, times in zip(against, apart.sum(axis=1).tolist(), strict=True):
            against[one] = times - 1
        if not any(against.values()):
            return tuple(against), goes
        worst = max(
            against,
            key=lambda one: (against[one] > 0, one not in locked, -int(company.matters[one]), against[one], one),
        )
        goes += locked.get(worst, (worst,))


def _all_may_meet(one: int, others: Members, company: Company) -> bool:
    return bool(company.may_meet(np.array([one]), np.array(others, dtype=np.int64)).all())


def _join(one: int, kept: list[Members], company: Company, most: int) -> bool:
    """Seat them in the smallest group that takes them; of equal ones where they cost least."""
    found: list[tuple[int, int, int]] = []
    for size in sorted({len(group) for group in kept if len(group) < most}):
        at = [number for number, group in enumerate(kept) if len(group) == size]
        members: Places = np.array([kept[number] for number in at], dtype=np.int64)
        who = np.full((1, 1), one)
        fits = company.may_meet(who, members).all(axis=1)
        costs = company.between(who, members).sum(axis=1)
        found = [(size, int(costs[row]), at[row]) for row in np.flatnonzero(fits).tolist()]
        if found:
            break
    if found:
        number = min(found)[2]
        kept[number] = (*kept[number], one)
    return bool(found)


def _meet(one: int, alone: list[int], kept: list[Members], company: Company) -> bool:
    for other in alone:
        if _all_may_meet(one, (other,), company):
            alone.remove(other)
            kept.append((other, one))
            return True
    return False


def _take_along(one: int, kept: list[Members], company: Company, locked: Locked) -> bool:
    """A pair with somebody of a group that stays a group without them; the largest groups first."""
    for number in sorted(range(len(kept)), key=lambda number: (-len(kept[number]), number)):
        group = kept[number]
        for other in group if len(group) > 2 else ():
            if other not in locked and _all_may_meet(one, (other,), company):
                kept[number] = tuple(member for member in group if member != other)
                kept.append((other, one))
                return True
    return False

"""Why people are without a group after a repair, and the proof that it could not be otherwise."""

import numpy as np

from lti_tool.pairing.engine.course import Kind
from lti_tool.pairing.engine.proof import NotLargest, barrier
from lti_tool.pairing.engine.couples import NO_KEYS as NONE_BANNED
from lti_tool.pairing.engine.people import Places
from lti_tool.pairing.engine.repairs.sitting import Mended, Sitting
from lti_tool.pairing.engine.schedule import Proof, Reason, Unpaired


def account_for(
    number: int, sitting: Sitting, mended: Mended, begun: Places
) -> tuple[tuple[Unpaired, ...], Proof | None]:
    """Everybody in `mended.alone` with a reason, and for pairs a proof where one is needed and no group has begun.

    `begun`: the places of people in groups that have begun.
    """
    couples = sitting.couples
    kind = couples.course.shape.kind
    reasons = [_reason(sitting, place, begun) for place in mended.alone]
    proof = None
    if Reason.TOO_FEW_PARTNERS in reasons and kind is Kind.PAIRS and not len(begun):
        # Earlier rounds are settled now; what becomes of later ones cannot make the proof untrue.
        banned = sitting.met_earlier.couples() if sitting.never_again else NONE_BANNED
        try:
            found = barrier(couples, mended.free, mended.partner, banned)
            proof = Proof(number, tuple(couples.people.ids[found].tolist()))
        except NotLargest:
            pass
    if proof is None and not (kind is Kind.PAIRS and len(begun)):
        reasons = [Reason.NONE_BETTER_FOUND if one is Reason.TOO_FEW_PARTNERS else one for one in reasons]
    listed = zip(couples.people.ids[mended.alone].tolist(), reasons, strict=True)
    return tuple(Unpaired(person, number, reason) for person, reason in listed), proof


def _reason(sitting: Sitting, place: int, begun: Places) -> Reason:
    people = len(sitting.couples)
    one, others = np.full(people, place, dtype=np.int64), np.arange(people, dtype=np.int64)
    fits = sitting.couples.allowed(one, others)
    if sitting.never_again:
        fits &= sitting.met_earlier.times(one, others) == 0
    if fits[begun].any():
        return Reason.OTHERS_HAVE_BEGUN
    if len(sitting.seat) + len(begun) == 1:
        return Reason.NOBODY_ELSE
    return Reason.TOO_FEW_PARTNERS if fits[sitting.seat].any() else Reason.NOBODY_ALLOWED

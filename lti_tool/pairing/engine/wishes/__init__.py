"""All wishes. A new one is one small file here, its tests, its name in `ALL` and its sentences in `wording`.

That somebody was left out or sat in a trio before is no wish, because it is not a couple's: the engine looks after
these people by itself, from `Course.left_out` and `Course.in_trios`.
"""

from typing import Final

from lti_tool.pairing.engine.wishes.extra_shared import ExtraShared
from lti_tool.pairing.engine.wishes.gap import RatherGap
from lti_tool.pairing.engine.wishes.near_in_time import NearInTime, minutes_ahead
from lti_tool.pairing.engine.wishes.offers import OffersFit
from lti_tool.pairing.engine.wishes.other import RatherOther
from lti_tool.pairing.engine.wishes.same import RatherSame
from lti_tool.pairing.engine.wishes.wish import Wish

ALL: Final[tuple[type[Wish], ...]] = (RatherOther, RatherSame, RatherGap, OffersFit, ExtraShared, NearInTime)

__all__ = [
    "ALL",
    "ExtraShared",
    "NearInTime",
    "OffersFit",
    "RatherGap",
    "RatherOther",
    "RatherSame",
    "Wish",
    "minutes_ahead",
]

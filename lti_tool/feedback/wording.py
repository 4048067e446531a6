"""What pages call people who gave feedback without their names."""

from collections.abc import Iterable
from dataclasses import replace

from flask_babel import gettext

from lti_tool.feedback.service import Exchange


def label_of(place: int) -> str:
    """What somebody is called by their place among those who are not named in a round."""
    return str(gettext("Anonymous %(number)d", number=place))


def labeled(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """These exchanges, with a label where the partner is not named."""
    return [replace(one, partner_name=label_of(one.unnamed)) if one.unnamed else one for one in exchanges]

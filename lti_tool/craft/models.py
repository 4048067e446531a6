"""Which cards of the warm-up people have done."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, within


class CardDone(Tenant, Base):
    """A card of the warm-up that a member has done in a course. What they wrote in its exercise is kept nowhere."""

    __tablename__ = "warm_up_card"
    __table_args__ = (within("member_id", "member"), UniqueConstraint("member_id", "card"))

    member_id: Mapped[int]
    card: Mapped[str] = mapped_column(String(32))
    """The key of `rules.cards`."""
    at: Mapped[datetime]

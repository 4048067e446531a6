"""Times that suit everybody in a group, from what its members said about their week."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from lti_tool.attributes.service.reading import values_of_members
from lti_tool.meetings.rules.slots import offers
from lti_tool.meetings.service.reading import Planned, present_in
from lti_tool.support.zones import read_zone


def offered(session: Session, planned: Planned, *, minutes: int, now: datetime) -> tuple[datetime, ...]:
    """Moments that suit everybody, soonest first; none where somebody did not say when they can meet.

    Somebody means the times of the week in the zone in which they work, or else in that of the activity.
    """
    known = values_of_members(session, present_in(session, planned.group_id))
    here = ZoneInfo(planned.activity.time_zone)
    slots = []
    for values in known.values():
        names = values["slots"].value.get("names", ()) if "slots" in values else ()
        zone = read_zone(str(values["time_zone"].value.get("name", ""))) if "time_zone" in values else None
        slots.append((frozenset(names), zone or here))
    return offers(slots, now=now, until=planned.round.due_at, minutes=minutes)

"""How a meeting stands, in sentences and dates of whoever reads; and what calendars say of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask_babel import gettext, ngettext

from lti_tool.activities.rules.rhythm import Rhythm
from lti_tool.errors import N_
from lti_tool.meetings.rules.calendar import CalendarEvent, Status
from lti_tool.meetings.rules.standing import MeetingView, State, TimeView
from lti_tool.meetings.rules.times import is_link
from lti_tool.meetings.rules.waiting import PATIENCE, Wait
from lti_tool.meetings.service.calendars import Held
from lti_tool.meetings.service.nudges import EVERY
from lti_tool.support.languages import isolated
from lti_tool.support.zones import zone_label
from lti_tool.web.i18n import in_a_list, in_words

RHYTHMS: Final[dict[Rhythm, str]] = {
    Rhythm.WEEKLY: N_("every week"),
    Rhythm.FORTNIGHTLY: N_("every second week"),
    Rhythm.MONTHLY: N_("every month"),
}


@dataclass(frozen=True, slots=True)
class ShownDate:
    """One date of a rhythm."""

    number: int
    when: str
    is_skipped: bool
    is_over: bool


@dataclass(frozen=True, slots=True)
class ShownTime:
    """A time in the words of its reader."""

    id: int
    when: str
    """In the reader's zone, which it names."""
    there: str
    """On the clocks of whoever proposed it, where these show something else."""
    length: str
    place: str
    link: str
    host: str
    """Where the link leads."""
    rhythm: str
    by: str
    """Who proposed it; empty of the reader's own."""
    waits_for_me: bool
    waits_for: str
    """Names of the others who have not accepted it."""
    is_after_due: bool
    """Whether the round is due before that."""
    dates: tuple[ShownDate, ...]
    """Empty without a rhythm."""


@dataclass(frozen=True, slots=True)
class ShownPartner:
    """Another member of the group, and reminders between the two that nobody has answered."""

    member_id: int
    name: str
    first_word: str
    """The name as it begins a sentence."""
    waits_since: datetime | None
    """Since when they wait for the reader."""
    asked_since: datetime | None
    """Since when the reader waits for them."""
    can_be_asked: bool
    """Whether a reminder can be sent now."""
    may_go_on: bool = False
    """Whether the reader can go on without them."""
    may_go_on_at: datetime | None = None
    """From when on they can, where they wait."""
    alone_since: datetime | None = None
    """Since when the reader goes on alone."""
    has_answered: bool = False
    """Of a partner without whom the reader goes on."""
    change_asked_at: datetime | None = None
    """When the reader asked for somebody else."""
    went_on_at: datetime | None = None
    """When the partner went on without the reader."""


@dataclass(frozen=True, slots=True)
class ShownMeeting:
    """A group's meeting as one of its members reads it."""

    round_number: int
    state: State
    sentence: str
    agreed: ShownTime | None
    proposed: tuple[ShownTime, ...]
    has_own_proposal: bool
    canceled: ShownTime | None
    i_canceled: bool
    partners: tuple[ShownPartner, ...]
    is_read_only: bool

    @property
    def answers_wanted(self) -> tuple[ShownTime, ...]:
        """What the reader has yet to accept."""
        return tuple(one for one in self.proposed if one.waits_for_me)


def shown(
    view: MeetingView,
    member_id: int,
    zone: ZoneInfo,
    waits: Iterable[Wait] = (),
    *,
    now: datetime,
    is_read_only: bool = False,
) -> ShownMeeting:
    """A meeting for one of its members, with dates on the clocks of a zone."""
    own = [one for one in waits if one.round_number == view.round_number]
    asking = {one.author_id: one for one in own if one.recipient_id == member_id}
    asked = {one.recipient_id: one for one in own if one.author_id == member_id}
    met_at = view.met_at(now)
    canceled = view.canceled
    return ShownMeeting(
        round_number=view.round_number,
        state=view.state,
        sentence=_sentence(view, member_id, zone, now),
        agreed=_time(view, view.agreed, member_id, zone, now) if view.agreed is not None else None,
        proposed=tuple(_time(view, one, member_id, zone, now) for one in view.proposed),
        has_own_proposal=any(one.by_id == member_id and one.state == "proposed" for one in view.proposed),
        canceled=_time(view, canceled, member_id, zone, now) if canceled is not None else None,
        i_canceled=canceled is not None and canceled.settled_by_id == member_id,
        partners=tuple(
            _partner(view, one, asking.get(one), asked.get(one), met_at=met_at, now=now)
            for one in view.members
            if one != member_id
        ),
        is_read_only=is_read_only,
    )


def _partner(
    view: MeetingView,
    partner_id: int,
    asking: Wait | None,
    asked: Wait | None,
    *,
    met_at: datetime | None,
    now: datetime,
) -> ShownPartner:
    """A partner with what stands between the two: `asking` is theirs, `asked` the reader's."""
    name, first_word = _name(view, partner_id), _name(view, partner_id, begins=True)
    waits_since = asking.since if asking is not None and asking.is_open else None
    went_on_at = asking.alone_at if asking is not None else None
    if asked is None:
        return ShownPartner(partner_id, name, first_word, waits_since, None, can_be_asked=True, went_on_at=went_on_at)
    return ShownPartner(
        partner_id,
        name,
        first_word,
        waits_since,
        asked.since,
        can_be_asked=now - asked.reminded_at >= EVERY,
        may_go_on=asked.may_go_on(now=now, met_at=met_at),
        may_go_on_at=asked.since + PATIENCE,
        alone_since=asked.alone_at,
        has_answered=not asked.is_open,
        change_asked_at=asked.change_asked_at,
        went_on_at=went_on_at,
    )


def clock_words(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """A moment with the zone on whose clocks it is: "Tue 3 Mar, 14:00 (Europe/Stockholm)"."""
    pattern = "EEE d MMM, HH:mm" if moment.astimezone(zone).year == now.astimezone(zone).year else "EEE d MMM y, HH:mm"
    text = in_words(moment, zone, pattern)
    return text if text.endswith(" UTC") else f"{text} ({zone_label(zone.key)})"


def offset_words(moment: datetime, zone: ZoneInfo) -> str:
    """How far clocks of a zone are from UTC at a moment, "UTC+02:00": what tells apart an hour that comes twice."""
    sign = f"{moment.astimezone(zone):%z}"
    return f"UTC{sign[:3]}:{sign[3:5]}"


def length_words(minutes: int) -> str:
    """A length in minutes."""
    return str(ngettext("%(num)d minute", "%(num)d minutes", minutes))


def _sentence(view: MeetingView, member_id: int, zone: ZoneInfo, now: datetime) -> str:
    match view.state:
        case State.AGREED if view.agreed is not None:
            said = gettext("Agreed: %(when)s.", when=_next_words(view.agreed, zone, now))
            newer = next((one for one in view.proposed if member_id in one.missing), None)
            if newer is not None:
                said += " " + gettext("%(name)s proposes another time.", name=_name(view, newer.by_id, begins=True))
        case State.PROPOSED:
            said = _whose_turn(view, member_id)
        case State.CANCELED if view.canceled is not None:
            said = _canceled(view, view.canceled, member_id, _next_words(view.canceled, zone, now))
        case State.PAST if view.agreed is not None and view.agreed.dates[-1].ends_at > now:
            said = gettext("Agreed, but all remaining dates are skipped.")
        case State.PAST if view.agreed is not None:
            said = gettext(
                "The agreed time has passed: %(when)s.", when=clock_words(view.agreed.dates[-1].starts_at, zone, now)
            )
        case _:
            said = gettext("No time yet.")
    return str(said)


def _whose_turn(view: MeetingView, member_id: int) -> str:
    """Who proposed, and who has yet to answer."""
    waiting = next((one for one in view.proposed if member_id in one.missing), None)
    if waiting is not None and (waiting.by_id == member_id or waiting.by_id not in view.members):
        return str(gettext("Proposed. You have not answered."))
    if waiting is not None:
        return str(gettext("Proposed by %(name)s. You have not answered.", name=_name(view, waiting.by_id)))
    names = _names(view, dict.fromkeys(one for time in view.proposed for one in time.missing))
    if any(one.by_id == member_id for one in view.proposed):
        return str(gettext("Proposed by you. Waiting for %(names)s.", names=names))
    return str(gettext("You have accepted. Waiting for %(names)s.", names=names))


def _canceled(view: MeetingView, time: TimeView, member_id: int, when: str) -> str:
    if time.settled_by_id == member_id:
        return str(gettext("You canceled: %(when)s.", when=when))
    if time.settled_by_id in view.members:
        return str(
            gettext("%(name)s canceled: %(when)s.", name=_name(view, time.settled_by_id, begins=True), when=when)
        )
    return str(gettext("Canceled: %(when)s.", when=when))


def _next_words(time: TimeView, zone: ZoneInfo, now: datetime) -> str:
    """The next date of a time, or the first if all are over."""
    ahead = time.next_date(now)
    return clock_words(ahead.starts_at if ahead is not None else time.starts_at, zone, now)


def _time(view: MeetingView, time: TimeView, member_id: int, zone: ZoneInfo, now: datetime) -> ShownTime:
    ahead = time.next_date(now)
    moment = ahead.starts_at if ahead is not None else time.starts_at
    there = ZoneInfo(time.time_zone)
    differs = moment.astimezone(there).utcoffset() != moment.astimezone(zone).utcoffset()
    waiting = [one for one in time.missing if one != member_id]
    return ShownTime(
        id=time.id,
        when=clock_words(moment, zone, now),
        there=clock_words(moment, there, now) if differs else "",
        length=length_words(time.minutes),
        place="" if is_link(time.place) else time.place,
        link=time.place if is_link(time.place) else "",
        host=(urlsplit(time.place).hostname or "") if is_link(time.place) else "",
        rhythm=gettext(RHYTHMS[time.rhythm]) if time.rhythm is not None else "",
        by="" if time.by_id == member_id or time.by_id not in view.members else _name(view, time.by_id),
        waits_for_me=member_id in time.missing,
        waits_for=_names(view, waiting),
        is_after_due=view.due_at is not None and moment > view.due_at,
        dates=tuple(
            ShownDate(one.number, clock_words(one.starts_at, zone, now), one.is_skipped, one.ends_at <= now)
            for one in (time.dates if time.rhythm is not None else ())
        ),
    )


def _name(view: MeetingView, member_id: int | None, *, begins: bool = False) -> str:
    """What a partner is called in a sentence, or at its beginning."""
    unnamed = gettext("Your partner") if begins else gettext("your partner")
    known = view.names.get(member_id) if member_id is not None else None
    return str(isolated(known or unnamed))


def _names(view: MeetingView, members: Iterable[int]) -> str:
    return in_a_list(_name(view, one) for one in members)


def calendar_events(held: Sequence[Held], *, host: str) -> list[CalendarEvent]:
    """Every date of these times as a calendar shows it. `host` makes their ids unique in the world."""
    return [
        CalendarEvent(
            uid=f"{one.uid}-{date.number}@{host}",
            sequence=one.sequence,
            changed_at=one.changed_at,
            starts_at=date.starts_at,
            ends_at=date.ends_at,
            time_zone=one.time.time_zone,
            title=_title(one),
            text=gettext(
                "Round %(number)d. Open the activity in your course to see what to do.", number=one.round_number
            ),
            place=one.time.place,
            link=one.time.place if is_link(one.time.place) else "",
            status=Status.CANCELED if date.is_skipped else one.status,
        )
        for one in held
        for date in one.time.dates
    ]


def _title(held: Held) -> str:
    if held.status is Status.CANCELED:
        return str(gettext("%(activity)s: canceled", activity=held.activity_title))
    names = in_a_list(name or gettext("your partner") for name in held.partners)
    return str(gettext("%(activity)s with %(names)s", activity=held.activity_title, names=names))

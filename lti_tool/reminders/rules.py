"""What waits for a learner, what of it a letter is worth, and when a letter may be sent."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from lti_tool.progress.rules import Progress, State

SOON: Final = timedelta(hours=72)
"""What is due within this time is due soon: long enough for a letter before every weekend."""
WEEK: Final = timedelta(days=7)
APART: Final = timedelta(hours=20)
"""The least time between two letters to a person, wherever the days begin."""
OVERDUE_AGAIN: Final = timedelta(days=3)
MOST_OVERDUE: Final = 3
"""So often a letter says that the same is overdue."""
FIRST_HOUR, LAST_HOUR = 8, 18
"""Letters are sent from the first of these hours until before the last, on the clocks of whoever gets them."""
AHEAD: Final = frozenset({State.OPEN, State.STARTED, State.WAITING})
"""States of steps that are not over."""
SATURDAY: Final = 5
STAFF_FOR: Final = timedelta(days=14)
"""For so long a reminder of staff is shown and sent."""


class Rule(StrEnum):
    """Why somebody is reminded."""

    STAFF = "staff"
    """Staff sent it."""
    OVERDUE = "overdue"
    DUE_SOON = "due_soon"
    WAITS = "waits"
    """A partner waits for an answer."""
    TIME = "time"
    """A time for the meeting was proposed that they have not accepted."""
    FEEDBACK = "feedback"
    """Feedback is there that they have not read."""
    PARTNER = "partner"
    """The groups were published since they last looked."""
    CHANGE = "change"
    """Their group has changed since they last looked."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for a learner in an activity. Names nobody and quotes nobody but staff."""

    rule: Rule
    round: int | None = None
    steps: tuple[str, ...] = ()
    """Names of the steps that are due, marked for translation."""
    due_at: datetime | None = None
    mark: str = ""
    """Tells this occasion from another one under the same rule and in the same round."""
    words: str = ""
    """What staff wrote."""
    act_id: int | None = None

    @property
    def key(self) -> tuple[str, int | None, str]:
        """What is told once, or with what is overdue a few times."""
        return self.rule, self.round, self.mark


@dataclass(frozen=True, slots=True)
class Told:
    """A reminder that a letter brought."""

    key: tuple[str, int | None, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class News:
    """What came up for a learner besides the checklist, by round."""

    times: Mapping[int, Collection[int]]
    """Proposed times that they have not answered, by their numbers."""
    waits: Mapping[int, datetime]
    """Since when a partner has waited for an answer."""
    partners_at: datetime | None = None
    """When the groups were published in which they have a seat."""
    moved: Mapping[int, datetime] | None = None
    """When their own group last changed."""
    seen_at: datetime | None = None
    """When they last opened the activity's course."""


def waiting_for(progress: Progress, unread: Mapping[int, int], news: News, *, now: datetime) -> tuple[Waiting, ...]:
    """Everything that waits for a learner, the most urgent first. `unread`: texts to read, by round."""
    listed = [*_due(progress, State.MISSED, now=now), *_due(progress, State.OPEN, now=now)]
    listed += [
        Waiting(Rule.WAITS, number, mark=f"{since:%Y%m%d%H%M%S}") for number, since in sorted(news.waits.items())
    ]
    listed += [Waiting(Rule.TIME, number, mark=f"{max(ids)}") for number, ids in sorted(news.times.items()) if ids]
    listed += [Waiting(Rule.FEEDBACK, number, mark=str(count)) for number, count in sorted(unread.items()) if count]
    for number, at in sorted((news.moved or {}).items()):
        if _is_new(at, news.seen_at):
            listed.append(Waiting(Rule.CHANGE, number, mark=f"{at:%Y%m%d%H%M%S}"))
    ahead = min((item.round for item in progress.items if item.state in AHEAD), default=None)
    if ahead is not None and news.partners_at is not None and _is_new(news.partners_at, news.seen_at):
        listed.append(Waiting(Rule.PARTNER, ahead, mark=f"{news.partners_at:%Y%m%d%H%M%S}"))
    return tuple(listed)


def _due(progress: Progress, state: State, *, now: datetime) -> Iterable[Waiting]:
    """By round what counts and is overdue (state MISSED), or due soon (any other)."""
    is_overdue = state is State.MISSED
    states = {State.MISSED} if is_overdue else {State.OPEN, State.STARTED}
    by_round: dict[int, list[tuple[datetime, str]]] = {}
    for item in progress.items:
        is_wanted = item.counts and item.state in states and item.due_at is not None
        if is_wanted and item.due_at is not None and (is_overdue or now < item.due_at <= now + SOON):
            by_round.setdefault(item.round, []).append((item.due_at, item.step.words.name))
    for number, items in sorted(by_round.items()):
        due_at = min(when for when, _ in items)
        names = tuple(dict.fromkeys(name for _, name in items))
        rule = Rule.OVERDUE if is_overdue else Rule.DUE_SOON
        # With the date: more time is another occasion.
        yield Waiting(rule, number, names, due_at, mark=f"{due_at:%Y%m%d%H%M}")


def _is_new(at: datetime, seen_at: datetime | None) -> bool:
    return seen_at is None or at > seen_at


def worth_telling(
    waiting: Iterable[Waiting], told: Collection[Told], *, a_week: int, now: datetime
) -> tuple[Waiting, ...]:
    """What of all that waits in one activity a letter should say now.

    Each thing is told once; what is overdue up to MOST_OVERDUE times, OVERDUE_AGAIN apart. Beyond `a_week` letters in
    seven days only what staff sent is told.
    """
    is_capped = len({one.at for one in told if one.key[0] != Rule.STAFF and one.at > now - WEEK}) >= a_week
    return tuple(
        one
        for one in waiting
        if (one.rule is Rule.STAFF or not is_capped)
        and _may_be_told(one, [before.at for before in told if before.key == one.key], now)
    )


def _may_be_told(waiting: Waiting, before: Collection[datetime], now: datetime) -> bool:
    if waiting.rule is not Rule.OVERDUE or not before:
        return not before
    return len(before) < MOST_OVERDUE and max(before) <= now - OVERDUE_AGAIN


def is_decent(now: datetime, zone: ZoneInfo) -> bool:
    """Whether clocks in the zone show an hour of a working day at which a letter may be sent.

    It goes by what clocks show at this moment, so an hour that is left out or comes twice needs no care.
    """
    local = now.astimezone(zone)
    return FIRST_HOUR <= local.hour < LAST_HOUR and local.weekday() < SATURDAY


def day_of(now: datetime, zone: ZoneInfo) -> date:
    """The day in the zone, of which a person gets at most one letter."""
    return now.astimezone(zone).date()


def is_deliverable(address: str | None) -> bool:
    """Whether this is one plain e-mail address: nothing that could add a line or another receiver to a letter."""
    if not address or len(address) > 254 or not (address.isprintable() and address.isascii()):
        return False
    local, at, host = address.rpartition("@")
    return bool(local and at and host) and not any(sign in address for sign in ' ,;:<>()[]\\"') and "@" not in local


def course_address(
    family: str | None, issuer: str, origins: Collection[str], context_id: str, memberships_url: str | None
) -> str | None:
    """Where a person finds the course in the platform, without signing in here: the course where its address is known
    from what the platform sent, else the platform's first page. None: only the platform's name is known.

    Moodle and Brightspace name a course by its number; Canvas puts host and number into the address of the roster.
    """
    if family == "moodle" and context_id.isdigit():
        return f"{issuer.rstrip('/')}/course/view.php?id={context_id}"
    home = next(iter(origins), None)
    roster = urlsplit(memberships_url or "")
    parts = roster.path.split("/")
    school = f"{roster.scheme}://{roster.netloc}"
    is_roster = school in origins and len(parts) > 4 and parts[1:4] == ["api", "lti", "courses"]
    if family == "canvas" and is_roster and parts[4].isdigit():
        return f"{school}/courses/{parts[4]}"
    if family == "desire2learn" and context_id.isdigit() and home is not None:
        return f"{home}/d2l/home/{context_id}"
    return home


def stop_link(base_url: str, sealed: str) -> str:
    """The address that stops letters by one click, without signing in."""
    return f"{base_url}/letters/{sealed}"

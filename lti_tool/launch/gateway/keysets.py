"""Platforms' keys: fetched when needed and stored for all processes, with a limit on how often."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.launch.errors import PlatformUnreachable
from lti_tool.registration.models import KeySet
from lti_tool.support.http import BadAnswer, CallFailed, Purpose
from lti_tool.support.kit import Kit

FRESH: Final = timedelta(hours=1)
"""How long keys are used without asking again."""
STALE: Final = timedelta(hours=1)
"""How much longer keys are used while the platform cannot be reached."""
PAUSE: Final = timedelta(seconds=10)
"""At most one fetch per this time, however many unknown key ids arrive, in all processes together."""
WAITS: Final = (0.05, 0.1, 0.2, *[0.4] * 13)
"""Seconds between checks for the result of another process; together a little longer than a fetch may take."""
MOST_KEYS: Final = 100
KEPT_FIELDS: Final = ("kid", "kty", "alg", "use", "key_ops", "n", "e")


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """The stored keys of one registration."""

    registration_id: int
    url: str
    keys: tuple[Mapping[str, Any], ...] = ()
    fetched_at: datetime | None = None
    is_under_way: bool = False
    """Whether a process is fetching them now."""

    def knows(self, kid: str) -> bool:
        """Whether a key has this id."""
        return any(key.get("kid") == kid for key in self.keys)

    def is_fresh(self, now: datetime) -> bool:
        """Whether the keys may be used without asking again."""
        return self.fetched_at is not None and now - self.fetched_at < FRESH

    def is_usable_in_outage(self, now: datetime) -> bool:
        """Whether the keys may still be used while the platform cannot be reached."""
        return self.fetched_at is not None and now - self.fetched_at < FRESH + STALE


def kept_keys(session: Session, registration_id: int, url: str) -> KeptKeys:
    """The stored keys, without asking the platform. Keys from an address other than this are ignored."""
    row = session.get(KeySet, registration_id, populate_existing=True)
    if row is None or row.url != url:
        return KeptKeys(registration_id, url)
    is_under_way = row.tried_at is not None and (row.ended_at is None or row.ended_at < row.tried_at)
    return KeptKeys(registration_id, url, tuple(row.keys), row.fetched_at, is_under_way)


def keys_for(
    kit: Kit, kept: KeptKeys, kid: str, *, sleep: Callable[[float], None] = time.sleep
) -> Sequence[Mapping[str, Any]]:
    """Keys among which the one with this id should be, fetched anew if the kept ones do not know it.

    Call it with no transaction open: it commits that it asks before it asks, so that other processes wait for the
    answer. Raises PlatformUnreachable when there are no keys to check anything with.
    """
    now = kit.clock.now()
    if kept.is_fresh(now) and kept.knows(kid):
        return kept.keys
    with kit.open_session() as session:
        may_fetch = _claim_fetch(session, kept.registration_id, kept.url, now=now)
    kept = _fetched(kit, kept, now=now) if may_fetch else _fetched_by_another(kit, kept, kid, now=now, sleep=sleep)
    if kept.is_fresh(now) or (kept.is_usable_in_outage(now) and kept.knows(kid)):
        return kept.keys
    raise PlatformUnreachable("key set", registration_id=kept.registration_id)


def _claim_fetch(session: Session, registration_id: int, url: str, *, now: datetime) -> bool:
    """Whether this process may fetch now. True for one of several that ask at once."""
    claimed = session.execute(
        update(KeySet)
        .where(
            KeySet.registration_id == registration_id,
            or_(KeySet.tried_at.is_(None), KeySet.tried_at <= now - PAUSE, KeySet.url != url),
        )
        .values(tried_at=now, ended_at=None, url=url)
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", claimed).rowcount:
        return True
    if session.scalar(select(KeySet.registration_id).where(KeySet.registration_id == registration_id)) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(KeySet(registration_id=registration_id, url=url, keys=[], fetched_at=None, tried_at=now))
    except IntegrityError:
        return False
    return True


def _fetched(kit: Kit, kept: KeptKeys, *, now: datetime) -> KeptKeys:
    """The keys that the platform answers with, or the stored ones if it answers with none."""
    keys: list[Any] | None = None
    try:
        keys = _ask(kit, kept.url)
    finally:
        with kit.open_session() as session:
            session.execute(
                update(KeySet)
                .where(KeySet.registration_id == kept.registration_id, KeySet.url == kept.url)
                .values(ended_at=now, **({} if keys is None else {"keys": keys, "fetched_at": now}))
                .execution_options(synchronize_session=False)
            )
    return kept if keys is None else KeptKeys(kept.registration_id, kept.url, tuple(keys), now)


def _fetched_by_another(
    kit: Kit, kept: KeptKeys, kid: str, *, now: datetime, sleep: Callable[[float], None]
) -> KeptKeys:
    """The keys that another process fetches now or fetched within PAUSE. Waits, so that a class can start at once."""
    for seconds in WAITS:
        with kit.open_session() as session:
            kept = kept_keys(session, kept.registration_id, kept.url)
        if not kept.is_under_way or (kept.is_fresh(now) and kept.knows(kid)):
            break
        sleep(seconds)
    return kept


def _ask(kit: Kit, url: str) -> list[Any] | None:
    try:
        answer = kit.http.get(url, Purpose.KEY_SET, {"Accept": "application/json"})
        document = answer.json() if answer.status == 200 else None
    except (CallFailed, BadAnswer):
        return None
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        return None
    return [
        {name: key[name] for name in KEPT_FIELDS if name in key} for key in keys[:MOST_KEYS] if isinstance(key, dict)
    ]

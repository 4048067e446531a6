"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Fits `lti_tool.support.clock.Clock`."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self.set(now)

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("a clock needs a time zone")
        self._now = now.astimezone(UTC)

    def advance(self, by: timedelta) -> datetime:
        """Move on (never back) and return the new time."""
        if by < timedelta(0):
            raise ValueError("time does not run backwards; use set()")
        self._now += by
        return self._now

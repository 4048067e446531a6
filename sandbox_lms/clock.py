"""The LMS's own clock, which may run ahead of or behind everybody else's."""

from datetime import UTC, datetime, timedelta


def read(offset: timedelta) -> datetime:
    """The time now, as a clock that is `offset` off shows it."""
    return datetime.now(UTC) + offset

"""The only place of the sandbox that reads the machine's clock."""

from datetime import UTC, datetime


def read() -> datetime:
    """The time now."""
    return datetime.now(UTC)

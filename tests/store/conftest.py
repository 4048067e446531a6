"""What tests of stored things may ask for: a broker of each kind."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.engines import URLS, Broker


@pytest.fixture(scope="session")
def brokers() -> Iterator[Callable[[str], Broker]]:
    """Each broker with its worker, from the first test on that needs it."""
    serving: dict[str, Broker] = {}
    with ExitStack() as stack:

        def broker(kind: str) -> Broker:
            if kind not in serving:
                serving[kind] = Broker(URLS[kind])
                stack.enter_context(serving[kind].serving())
            return serving[kind]

        yield broker

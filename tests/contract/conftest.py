"""The stage on which hostile platforms and browsers play."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from lti_tool.support.db import OpenSession
from lti_tool.wiring import Services
from tests.contract.launch_stage import Stage, ordinary_platforms, set_stage
from tests.fakes.clock import FakeClock
from tests.fakes.platform import PlatformNetwork
from tests.shared import serving


@pytest.fixture
def network() -> PlatformNetwork:
    return PlatformNetwork(ordinary_platforms())


@pytest.fixture
def launch_services(services: Services, network: PlatformNetwork) -> Services:
    """The tool's collaborators, with the fake platforms where the network was."""
    kit = replace(services.kit, http=network)
    return replace(services, kit=kit)


@pytest.fixture
def launch_app(launch_services: Services) -> Iterator[Flask]:
    with serving(launch_services) as app:
        yield app


@pytest.fixture
def stage(launch_app: Flask, clock: FakeClock, open_session: OpenSession, network: PlatformNetwork) -> Stage:
    return set_stage(launch_app, clock, open_session, network)

"""The collaborators of gateways, handlers and pages."""

from dataclasses import dataclass

from lti_tool.settings import Settings
from lti_tool.support.clock import Clock
from lti_tool.support.crypto import KeyRing
from lti_tool.support.db import OpenSession
from lti_tool.support.http import Outbound


@dataclass(frozen=True, slots=True)
class Kit:
    """The collaborators that reach outside a function: settings, time, secrets, network and database."""

    settings: Settings
    clock: Clock
    secrets: KeyRing
    http: Outbound
    open_session: OpenSession
    """For jobs and commands, and for services that call a platform between two transactions."""

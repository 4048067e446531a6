"""How much memory and time a roster of 50,000 members takes. Run: python -m tests.load.roster_memory [members]

The LMS runs in a process of its own, so what is measured is the tool alone: once with the platform's pages, once with
everybody in one answer.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import func, select

from lti_tool.jobs.worker import Worker
from lti_tool.launch.models import Member
from lti_tool.launch.rules.platforms import PLATFORMS, Platform
from lti_tool.launch.service.arrivals import ROSTER_CHANGED
from lti_tool.registration.service import keys
from lti_tool.roster import handlers, service
from lti_tool.settings import Settings
from lti_tool.support.clock import SystemClock
from lti_tool.support.crypto import KeyRing
from lti_tool.support.db import Base, make_engine, session_opener
from lti_tool.support.http import Outbound
from lti_tool.support.kit import Kit
from sandbox_lms import SandboxLms
from sandbox_lms.messages import roster_url
from tests.factories.people import a_course, a_deployment, a_registration, an_institution
from tests.factories.registration import json_answer
from tests.fakes.web_server import WebServer

MEMBERS = 50_000


def serve(pipe: Connection, members: int, jwks_uri: str) -> None:
    """The LMS, until it is told to stop."""
    lms = SandboxLms("moodle")
    with lms.running():
        tool = lms.register_tool(
            title="Tandem",
            initiate_login_uri=jwks_uri,
            redirect_uris=[jwks_uri],
            jwks_uri=jwks_uri,
            target_link_uri=jwks_uri,
        )
        lms.fill_course(lms.course(), members)
        pipe.send((lms.port, tool.client_id, tool.auth_token_url, roster_url(lms, lms.course(), tool)))
        pipe.recv()


def peak() -> float:
    """The most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    members = int(sys.argv[1]) if len(sys.argv) > 1 else MEMBERS
    published: list[dict[str, object]] = []
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    with WebServer(lambda _: json_answer({"keys": published})) as key_server, tempfile.TemporaryDirectory() as folder:
        lms = spawn.Process(target=serve, args=(theirs, members, key_server.url("/jwks")))
        lms.start()
        port, client_id, token_url, memberships_url = ours.recv()
        for title, page in (("pages of 1,000", 1000), ("one answer", None)):
            engine = make_engine(f"sqlite:///{Path(folder)}/{page}.db")
            Base.metadata.create_all(engine)
            kit = Kit(
                Settings(),
                SystemClock(),
                KeyRing([KeyRing.generate_key()]),
                Outbound((("127.0.0.1", port),), development=True),
                session_opener(engine),
            )
            with kit.open_session() as session:
                institution = an_institution(session)
                keys.ensure_signing_key(session, kit.secrets, now=kit.clock.now())
                published[:] = keys.public_keys(session, now=kit.clock.now())
                registration = a_registration(
                    session,
                    institution,
                    client_id=client_id,
                    auth_token_url=token_url,
                    platform_origins=[f"http://127.0.0.1:{port}"],
                )
                course = a_course(session, a_deployment(session, registration), memberships_url=memberships_url)
                service.ask_for_sync(session, course.id, now=kit.clock.now())
            before, began = peak(), time.perf_counter()
            jobs = {**handlers.HANDLERS, ROSTER_CHANGED: lambda *_: None}
            with patch.dict(PLATFORMS, {"moodle": Platform("moodle", roster_page=page)}):
                Worker(kit, jobs).run_until_idle()
            took = time.perf_counter() - began
            with kit.open_session(institution.id) as session:
                count = session.scalar(select(func.count()).select_from(Member))
            print(
                f"roster of {count:,} members in {title}: {took:.1f} s, "
                f"peak {peak():.0f} MB, {peak() - before:.0f} MB more than before"
            )
            engine.dispose()
        ours.send("stop")
        lms.join()


if __name__ == "__main__":
    main()

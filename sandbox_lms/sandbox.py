"""The LMS on a real socket, and what tests and the demo drive it with."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from sandbox_lms import deep_linking, notices, oidc, registration
from sandbox_lms.app import create_app
from sandbox_lms.lms import Lms
from sandbox_lms.messages import claims_of
from sandbox_lms.people import Person
from sandbox_lms.records import Course, Form, ResourceLink, Selection, ToolRegistration


class _Handler(WSGIRequestHandler):
    """Serves without a log: request lines hold hints and tokens."""

    server: "_Server"

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header, by the LMS's clock."""
        return super().date_time_string(self.server.lms.now().timestamp() if timestamp is None else timestamp)

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  named so by the class it replaces
        if type == "error":
            super().log(type, message, *args)


class _Server(ThreadedWSGIServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, lms: "SandboxLms") -> None:
        self.lms = lms
        self.connections: set[socket.socket] = set()
        super().__init__(lms.host, lms.port, lms.app, handler=_Handler)

    def drop_connections(self) -> None:
        """End the connections that clients keep open, so that their threads end too."""
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class SandboxLms(Lms):
    """A small LMS that speaks LTI 1.3 Advantage over real sockets.

    Everything between it and a tool goes over the protocols. The verbs (enrol, add_link, override_grade ...) are
    what people do in an LMS; `faults`, `clock_offset` and `storage_behavior` are what goes wrong in one.
    """

    def __init__(
        self,
        profile: str = "moodle",
        host: str = "127.0.0.1",
        port: int = 0,
        title: str = "Sandbox LMS",
    ) -> None:
        self.host, self.port = host, port
        self._server: _Server | None = None
        self._thread: Thread | None = None
        self.stopping = Event()
        super().__init__(profile, title)
        self.deliver = notices.post
        self.app = create_app(self)

    @property
    def url(self) -> str:
        """The public address. Known once the LMS was started, or before when its port was given."""
        if not self.port:
            raise RuntimeError("start the LMS before you ask for its address")
        return f"http://{self.host}:{self.port}"

    @property
    def other_url(self) -> str:
        """The same server under a name that makes it another site."""
        return f"http://{'localhost' if self.host == '127.0.0.1' else '127.0.0.1'}:{self.port}"

    def start(self) -> None:
        """Begin to answer, on a thread. A port that the machine chose is kept for a later start."""
        self.stopping.clear()
        self._server = _Server(self)
        self.port = int(self._server.server_port)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and end every connection. What the LMS knows stays."""
        if self._server is None or self._thread is None:
            return
        self.stopping.set()
        self._server.shutdown()
        # Browsers open connections ahead of need; a thread waits on each, and the server waits for its threads.
        while self._thread.is_alive():
            self._server.drop_connections()
            self._thread.join(0.05)
        self._server = self._thread = None

    @contextmanager
    def running(self) -> Iterator["SandboxLms"]:
        """Answer for as long as the block lasts."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def copy_course(self, course: Course, key: str, title: str | None = None) -> Course:
        """Copy a course, and tell the tools that asked for it."""
        copy = super().copy_course(course, key, title)
        notices.tell_of_copy(self, copy, course)
        return copy

    # launches without a browser

    def login_form(
        self,
        person: Person,
        link: ResourceLink,
        *,
        as_learner: bool = False,
        for_person: Person | None = None,
        opens_window: bool = False,
    ) -> Form:
        """The login initiation that a click on the activity posts to the tool.

        `as_learner` is staff with their role switched; `for_person` makes it a submission review.
        """
        launch = oidc.launch_of_link(
            self, person, link, as_learner=as_learner, for_person=for_person, opens_window=opens_window
        )
        return oidc.initiate(self, launch)

    def deep_link_form(self, person: Person, course: Course, tool: ToolRegistration, **settings: Any) -> Form:
        """The login initiation of "Select content". The newest of `selections` is the one it begins."""
        selection = deep_linking.begin(self, person, course, tool, **settings)
        return oidc.initiate(self, oidc.launch_of_selection(self, selection))

    def authorize(self, request: Mapping[str, str] | str, asker: Person | None = None) -> Form:
        """Answer an authentication request, given as parameters or as the whole address the tool redirected to."""
        parameters = dict(parse_qsl(urlsplit(request).query)) if isinstance(request, str) else request
        return oidc.authenticate(self, parameters, asker)

    def launch_claims(
        self,
        person: Person,
        link: ResourceLink,
        nonce: str | None = None,
        *,
        as_learner: bool = False,
        for_person: Person | None = None,
    ) -> dict[str, Any]:
        """What a launch would say, unsigned: take it, spoil it, `sign` it."""
        launch = oidc.launch_of_link(self, person, link, as_learner=as_learner, for_person=for_person)
        return claims_of(self, launch, nonce)

    def deep_link_claims(
        self, person: Person, course: Course, tool: ToolRegistration, nonce: str | None = None, **settings: Any
    ) -> dict[str, Any]:
        """What a deep-linking launch would say, unsigned."""
        selection = deep_linking.begin(self, person, course, tool, **settings)
        return claims_of(self, oidc.launch_of_selection(self, selection), nonce)

    def sign(
        self,
        claims: dict[str, Any],
        kid: str | None = None,
        headers: dict[str, Any] | None = None,
        key: rsa.RSAPrivateKey | None = None,
    ) -> str:
        """Sign anything as the platform would, or with another kid, header or key."""
        return self.keyring.sign(claims, kid=kid, headers=headers, key=key)

    def save_selection(
        self, selection: Selection | None = None, *, accepts_grades: bool = True, onto: ResourceLink | None = None
    ) -> list[ResourceLink]:
        """Confirm what was picked in the tool (by default in the newest selection) and place it, perhaps without grades
        or onto an activity that is there.
        """
        newest = selection or list(self.selections.values())[-1]
        return deep_linking.save(self, newest, accepts_grades=accepts_grades, onto=onto)

    def registration_url(self, tool_url: str, updates: ToolRegistration | None = None) -> str:
        """Where an administrator's browser is sent to let a tool register itself."""
        return registration.initiation_url(self, registration.invite(self, updates), tool_url)

"""The LMS's state and the verbs on it. Nothing here knows HTTP."""

import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from threading import RLock
from typing import Any

from sandbox_lms import clock, people
from sandbox_lms.faults import Faults
from sandbox_lms.keys import Keyring
from sandbox_lms.people import Invented, Person, Role
from sandbox_lms.profiles import PROFILES
from sandbox_lms.records import (
    AccessToken,
    Course,
    CourseGroup,
    Enrolment,
    Grade,
    GroupSet,
    Invitation,
    Launch,
    LineItem,
    RequestSeen,
    ResourceLink,
    Selection,
    ToolRegistration,
)

FIRST_COURSE = "course-1"


class Lms:
    """Everything the LMS knows, in memory. Verbs take the lock themselves; readers of several things take `lock`."""

    def __init__(self, profile: str = "moodle", title: str = "Sandbox LMS") -> None:
        self.profile = PROFILES[profile]
        self.title = title
        self.lock = RLock()
        self.keyring = Keyring()
        self.faults = Faults()
        self.clock_offset = timedelta(0)
        """How far this LMS's clock runs ahead."""
        self.read_clock: Callable[[], datetime] = clock.read
        """The machine's clock, or a test's own."""
        self.storage_behavior = "answer"
        """How platform storage behaves: `answer`, `silent`, `wrong_origin` or `missing_frame`."""
        self.token_lifetime = 3600
        self.suggested_registration_url = ""
        """Stands ready in the field of the registration page."""
        self.deliver: Callable[[str, dict[str, Any]], object] = lambda _, __: None
        """Sends a message to an address of a tool."""
        self.people: dict[str, Person] = {}
        """By user name."""
        self.courses: dict[str, Course] = {}
        self.tools: list[ToolRegistration] = []
        self.links: list[ResourceLink] = []
        self.line_items: list[LineItem] = []
        self.launches: dict[str, Launch] = {}
        self.selections: dict[str, Selection] = {}
        self.invitations: dict[str, Invitation] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.used_ids: set[tuple[str, str]] = set()
        """(client, jti or nonce) of every signed message taken from a tool."""
        self.tool_keys: dict[str, dict[str, Any]] = {}
        self.opened: set[tuple[int, int]] = set()
        """(link, person) of every completed launch."""
        self.requests_seen: list[RequestSeen] = []
        self.guid = uuid.uuid4().hex
        self._numbers: dict[str, int] = {"person": 1, "course": 1}
        self._furnish()

    @property
    def url(self) -> str:
        raise NotImplementedError("an LMS has no address before it is served")

    @property
    def issuer(self) -> str:
        return self.profile.issuer or self.url

    def now(self) -> datetime:
        """The time by this LMS's clock."""
        return self.read_clock() + self.clock_offset

    def rotate_keys(self, *, withdraw_old: bool = False) -> None:
        """Sign with a new key from now on; the old one stays published unless it is withdrawn."""
        self.keyring.rotate(withdraw_old=withdraw_old)

    def _next(self, kind: str) -> int:
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return self._numbers[kind]

    def _outer_id(self, kind: str, number: int) -> str:
        """The id that tools see: a number where the product shows numbers, else opaque."""
        return str(number) if self.profile.numeric_ids else str(uuid.uuid5(uuid.UUID(self.guid), f"{kind}{number}"))

    # people and courses

    def _furnish(self) -> None:
        course = self.add_course(FIRST_COURSE, "Peer coaching pilot", label="PCP1")
        for number, learner in enumerate(people.LEARNERS, start=1):
            self.enrol(course, self._invite(f"learner{number:02}", learner), Role.LEARNER)
        self._invite("admin", people.ADMIN).is_admin = True
        self.enrol(course, self._invite("designer", people.DESIGNER), Role.INSTRUCTOR)
        self.enrol(course, self._invite("assistant", people.ASSISTANT), Role.ASSISTANT)
        self.enrol(course, self._invite("observer", people.OBSERVER), Role.OBSERVER)
        self._invite("test-student", Invented("Test", "Student", "en")).is_test = True

    def _invite(self, username: str, invented: Invented) -> Person:
        return self.add_person(username, invented.given_name, invented.family_name, locale=invented.locale)

    def add_person(
        self, username: str, given_name: str, family_name: str = "", *, locale: str = "en", email: str | None = None
    ) -> Person:
        """Open an account. The person is in no course yet."""
        with self.lock:
            number = self._next("person")
            person = Person(
                number=number,
                sub=self._outer_id("person", number),
                username=username,
                given_name=given_name,
                family_name=family_name,
                email=f"{username}@school.example" if email is None else email,
                locale=locale,
            )
            self.people[username] = person
            return person

    def person_numbered(self, number: int) -> Person | None:
        return next((one for one in self.people.values() if one.number == number), None)

    def person_with_sub(self, sub: str) -> Person | None:
        return next((one for one in self.people.values() if one.sub == sub), None)

    def add_course(self, key: str, title: str, *, label: str = "") -> Course:
        """Make an empty course."""
        with self.lock:
            number = self._next("course")
            course = Course(number, key, self._outer_id("course", number), label or key.upper(), title)
            # A tool that everybody may use from the start is switched on in a new course as well.
            course.switched_on = {tool.number for tool in self.tools if tool.active and not tool.is_dynamic}
            self.courses[key] = course
            return course

    def course(self, key: str = FIRST_COURSE) -> Course:
        return self.courses[key]

    def course_with_id(self, course_id: str) -> Course | None:
        return next((course for course in self.courses.values() if course.id == course_id), None)

    def enrol(self, course: Course, person: Person, role: Role | str = Role.LEARNER) -> Enrolment:
        """Put somebody in a course, or give them another role there, or bring them back."""
        with self.lock:
            enrolment = Enrolment(person, Role(role))
            course.enrolments[person.number] = enrolment
            return enrolment

    def suspend(self, course: Course, person: Person) -> None:
        """Keep the enrolment but close the course to this person."""
        course.enrolments[person.number].is_active = False

    def resume(self, course: Course, person: Person) -> None:
        """Undo a suspension."""
        course.enrolments[person.number].is_active = True

    def unenrol(self, course: Course, person: Person) -> None:
        """Take somebody out of a course."""
        with self.lock:
            del course.enrolments[person.number]

    def add_group_set(self, course: Course, name: str, *, is_hidden: bool = False) -> GroupSet:
        """Make a set of groups, such as the sections of a course."""
        with self.lock:
            made = GroupSet(self._outer_id("set", self._next("set")), name, is_hidden)
            course.group_sets.append(made)
            return made

    def add_group(
        self,
        course: Course,
        name: str,
        people: Iterable[Person] = (),
        *,
        within: GroupSet | None = None,
        is_hidden: bool = False,
    ) -> CourseGroup:
        """Make a group of these people."""
        with self.lock:
            group_id = self._outer_id("group", self._next("group"))
            group = CourseGroup(group_id, name, within, is_hidden, {one.number for one in people})
            course.groups.append(group)
            return group

    def fill_course(self, course: Course, count: int) -> list[Person]:
        """Add that many generated learners."""
        with self.lock:
            start = len(self.people)
            fresh = [
                self.add_person(f"member{start + index:06}", f"Member {start + index}", "Generated")
                for index in range(count)
            ]
            for person in fresh:
                self.enrol(course, person)
            return fresh

    def reset_course(self, course: Course) -> None:
        """Empty a course of its learners and their grades. Activities and staff stay."""
        with self.lock:
            course.enrolments = {
                number: one for number, one in course.enrolments.items() if one.role is not Role.LEARNER
            }
            for item in self.all_line_items(course):
                item.grades.clear()

    def conclude_course(self, course: Course, *, is_concluded: bool = True) -> None:
        """End a course, or open it again."""
        course.is_concluded = is_concluded

    def copy_course(self, course: Course, key: str, title: str | None = None) -> Course:
        """A course with the same activities and staff, new ids, no learners and no grades."""
        with self.lock:
            copy = self.add_course(key, title or f"{course.title} copy 1", label=f"{course.label}COPY")
            copy.history = [course.id, *course.history]
            copy.switched_on = set(course.switched_on)
            for enrolment in course.enrolments.values():
                if enrolment.role in {Role.INSTRUCTOR, Role.ASSISTANT}:
                    self.enrol(copy, enrolment.person, enrolment.role)
            for link in [one for one in self.links if one.course is course]:
                self._copy_link(link, copy)
            return copy

    # tools

    def register_tool(
        self,
        *,
        title: str,
        initiate_login_uri: str,
        redirect_uris: Iterable[str],
        jwks_uri: str,
        target_link_uri: str,
        deep_link_uri: str | None = None,
        custom: Mapping[str, str] | None = None,
        active: bool = True,
        scopes: Iterable[str] | None = None,
        client_id: str | None = None,
        is_dynamic: bool = False,
    ) -> ToolRegistration:
        """Register a tool with values typed by an administrator. An active one may be used in all courses at once."""
        with self.lock:
            number = self._next("tool")
            tool = ToolRegistration(
                number=number,
                title=title,
                client_id=client_id or secrets.token_urlsafe(11),
                deployment_ids=[self._deployment_id(number)],
                initiate_login_uri=initiate_login_uri,
                redirect_uris=list(redirect_uris),
                jwks_uri=jwks_uri,
                target_link_uri=target_link_uri,
                deep_link_uri=deep_link_uri,
                custom=dict(custom or {}),
                scopes=tuple(self.profile.scopes if scopes is None else scopes),
                active=active,
                issuer=self.issuer,
                auth_login_url=f"{self.url}/auth",
                auth_token_url=f"{self.url}/token",
                key_set_url=f"{self.url}/jwks",
                auth_audience=self.profile.token_audience,
                platform_origin=self.url,
                is_dynamic=is_dynamic,
            )
            self.tools.append(tool)
            if active:
                for course in self.courses.values():
                    course.switched_on.add(number)
            return tool

    def _deployment_id(self, number: int) -> str:
        return str(number) if self.profile.numeric_ids else str(uuid.uuid5(uuid.UUID(self.guid), f"deployment{number}"))

    def add_deployment(self, tool: ToolRegistration) -> str:
        """Deploy a tool once more under the same client, as shared-client products do for each institution."""
        with self.lock:
            tool.deployment_ids.append(self._deployment_id(1000 + self._next("deployment")))
            return tool.deployment_ids[-1]

    def activate(self, tool: ToolRegistration) -> None:
        tool.active = True

    def deactivate(self, tool: ToolRegistration) -> None:
        """Switch a tool off: no launch, no token."""
        with self.lock:
            tool.active = False
            self.access_tokens = {key: one for key, one in self.access_tokens.items() if one.tool is not tool}

    def switch_on(self, course: Course, tool: ToolRegistration, *, on: bool = True) -> None:
        """Let the teachers of a course place the tool, or not."""
        (course.switched_on.add if on else course.switched_on.discard)(tool.number)

    def may_place(self, course: Course, tool: ToolRegistration) -> bool:
        return tool.active and (not self.profile.needs_course_switch or tool.number in course.switched_on)

    def tool_of_client(self, client_id: str) -> ToolRegistration | None:
        return next((tool for tool in self.tools if tool.client_id == client_id), None)

    def tool_numbered(self, number: int) -> ToolRegistration | None:
        return next((tool for tool in self.tools if tool.number == number), None)

    def set_privacy(self, tool: ToolRegistration, *, name: bool, email: bool) -> None:
        """Decide whether the tool learns names and mail addresses."""
        tool.shares_names, tool.shares_mail = name, email

    def revoke_tokens(self) -> None:
        """Make every access token worthless at once."""
        with self.lock:
            self.access_tokens.clear()

    # links and columns

    def add_link(
        self,
        course: Course,
        tool: ToolRegistration,
        url: str | None = None,
        title: str = "Peer activity",
        *,
        custom: Mapping[str, str] | None = None,
        line_item: Mapping[str, Any] | None = None,
        text: str = "",
        deployment_id: str | None = None,
        is_plain: bool = True,
        opens_window: bool = False,
    ) -> ResourceLink:
        """Place an activity. `line_item` ({} will do) gives it a column; its fields are those of deep linking."""
        with self.lock:
            number = self._next("link")
            link = ResourceLink(
                number=number,
                id=self._outer_id("link", number),
                course=course,
                tool=tool,
                deployment_id=deployment_id or tool.deployment_id,
                title=title,
                text=text,
                url=url or tool.target_link_uri,
                custom=dict(custom or {}),
                is_plain=is_plain,
                opens_window=opens_window,
            )
            self.links.append(link)
            if line_item is not None:
                review = line_item.get("submissionReview")
                link.review = dict(review) if isinstance(review, Mapping) else None
                # The activity's title names its column: the label is not used.
                self.add_line_item(
                    course,
                    tool,
                    title,
                    float(line_item.get("scoreMaximum", 100)),
                    resource_id=str(line_item.get("resourceId") or ""),
                    tag=str(line_item.get("tag") or ""),
                    resource_link=link,
                    is_coupled=True,
                )
            return link

    def link_numbered(self, number: int) -> ResourceLink | None:
        return next((link for link in self.links if link.number == number), None)

    def link_with_id(self, link_id: str) -> ResourceLink | None:
        return next((link for link in self.links if link.id == link_id), None)

    def _copy_link(self, link: ResourceLink, course: Course, title: str | None = None) -> ResourceLink:
        column = next((one for one in self.line_items if one.resource_link is link and one.is_coupled), None)
        fields = None
        if column is not None:
            fields = {"scoreMaximum": column.score_maximum, "resourceId": column.resource_id, "tag": column.tag}
        copy = self.add_link(
            course,
            link.tool,
            link.url,
            title or link.title,
            custom=link.custom,
            line_item=fields,
            text=link.text,
            deployment_id=link.deployment_id,
            is_plain=link.is_plain,
            opens_window=link.opens_window,
        )
        copy.review = link.review
        return copy

    def duplicate_link(self, link: ResourceLink) -> ResourceLink:
        """A second activity in the same course: new id, same custom parameters, its own column."""
        with self.lock:
            return self._copy_link(link, link.course, f"{link.title} (copy)")

    def delete_link(self, link: ResourceLink) -> None:
        """Remove an activity and the columns that hang on it."""
        with self.lock:
            self.links.remove(link)
            self.line_items = [item for item in self.line_items if item.resource_link is not link]

    def restrict(self, link: ResourceLink, people: Iterable[Person] = ()) -> None:
        """Let only these learners open an activity, and all staff; nobody given hides it from every learner."""
        with self.lock:
            staff = {
                number
                for number, one in link.course.enrolments.items()
                if one.role in {Role.INSTRUCTOR, Role.ASSISTANT}
            }
            link.visible_to = staff | {one.number for one in people}

    def open_to_all(self, link: ResourceLink) -> None:
        """Undo a restriction."""
        link.visible_to = None

    def add_line_item(
        self,
        course: Course,
        tool: ToolRegistration,
        label: str,
        score_maximum: float,
        *,
        resource_id: str = "",
        tag: str = "",
        resource_link: ResourceLink | None = None,
        is_coupled: bool = False,
    ) -> LineItem:
        """Add a column to the gradebook."""
        with self.lock:
            item = LineItem(
                number=self._next("line item"),
                course=course,
                tool=tool,
                label=label,
                score_maximum=score_maximum,
                resource_id=resource_id,
                tag=tag,
                resource_link=resource_link,
                is_coupled=is_coupled,
            )
            self.line_items.append(item)
            return item

    def all_line_items(self, course: Course | None = None) -> list[LineItem]:
        """The columns of one course, or of all."""
        with self.lock:
            return [item for item in self.line_items if course is None or item.course is course]

    def line_items_of(self, link: ResourceLink) -> list[LineItem]:
        with self.lock:
            return [item for item in self.line_items if item.resource_link is link]

    def gradebook(self, course: Course) -> dict[int, dict[str, Grade]]:
        """The grades of a course: number of the column (labels may repeat), then sub of the person."""
        with self.lock:
            return {item.number: dict(item.grades) for item in self.all_line_items(course)}

    def score_of(self, link: ResourceLink, person: Person) -> float | None:
        """What the gradebook shows for this person in the activity's own column."""
        grade = self.grade_of(link, person)
        return grade.shown if grade else None

    def grade_of(self, link: ResourceLink, person: Person) -> Grade | None:
        """The whole cell: points, comment, override, lock."""
        for item in self.line_items_of(link):
            if person.sub in item.grades:
                return item.grades[person.sub]
        return None

    def override_grade(self, item: LineItem, person: Person, points: float | None, comment: str = "") -> None:
        """Let a teacher set a grade that tools do not change; None gives the tool's own score back."""
        with self.lock:
            grade = item.grades.setdefault(person.sub, Grade())
            grade.is_overridden = points is not None
            grade.shown = grade.raw if points is None else points
            grade.comment = comment
            grade.timestamp = self.now()

    def lock_grade(self, item: LineItem, person: Person, *, is_locked: bool = True) -> None:
        """Close one cell to everybody."""
        with self.lock:
            item.grades.setdefault(person.sub, Grade()).is_locked = is_locked

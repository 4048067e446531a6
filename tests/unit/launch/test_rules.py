"""From claims to what a launch means, and what a hostile claim runs into."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.launch.errors import (
    AdministratorOnly,
    BrowserUnproved,
    ClaimRefused,
    CourseMissing,
    ForeignTarget,
    InstitutionRoleOnly,
    LaunchError,
    LaunchExpired,
    LaunchSpent,
    LaunchUnknown,
    LoginIncomplete,
    MayNotPlace,
    NotYourFeedback,
    RoleMissing,
    TokenNotTimely,
)
from lti_tool.launch.rules.bindings import Login, check_login_is_open, check_proof, check_times, is_ours, read_login
from lti_tool.launch.rules.context import (
    LaunchContext,
    Opens,
    framing_origins,
    read_context,
    roster_due_at,
    service_origins,
    what_opens,
)
from lti_tool.launch.rules.values import clean
from lti_tool.support.crypto import fingerprint
from tests.fakes.platform import AGS, DEEP_LINKING, INSTRUCTOR, LEARNER, LTI, NRPS, Claims, Platform

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ADMINISTRATOR = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator"
ASSISTANT = "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant"
MENTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Mentor"
BASE = "https://tandem.example"

platform = Platform("https://lms.example", "client-1", "1")


def link(**changes: Any) -> Claims:
    return platform.claims("nonce", now=NOW.timestamp()) | changes


def lti(**changes: Any) -> Claims:
    return link(**{f"{LTI}{name}": value for name, value in changes.items()})


def read(claims: Claims) -> LaunchContext:
    return read_context(claims)


def test_an_ordinary_launch_is_read() -> None:
    context = read(link())
    assert context.person.name == "Åsa Öberg"
    assert context.course is not None
    assert (context.course.id, context.course.title) == ("course-1", "Teaching 1")
    assert context.link is not None
    assert context.link.title == "Observe a lesson"
    assert context.services.memberships_url == "https://lms.example/courses/1/members"
    assert context.roles.course == "learner"
    assert context.custom == {}


def places(claims: Claims, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where values stand in the claims, at any depth."""
    for name, value in claims.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from places(value, (*above, name))


WRONG_SHAPES: Any = st.sampled_from(
    ["text", "", 5, 1.5, True, None, [], ["x"], [1], [[]], {}, {"id": 5}, {"id": ["x"]}, {"x": 1}, "\ud800", "a\x00b"]
)


@given(
    st.sampled_from([link(), platform.deep_linking_claims("n", now=0), platform.review_claims("n", now=0)]), st.data()
)
def test_a_claim_of_any_wrong_shape_is_read_or_refused_and_nothing_else(claims: Claims, draw: st.DataObject) -> None:
    changed = deepcopy(claims)
    place = draw.draw(st.sampled_from(sorted(places(changed))))
    inside = changed
    for name in place[:-1]:
        inside = inside[name]
    inside[place[-1]] = draw.draw(WRONG_SHAPES)
    with suppress(LaunchError):
        read(changed)


def test_a_launch_without_name_or_mail_is_read() -> None:
    claims = link()
    for name in ("name", "given_name", "family_name", "email"):
        del claims[name]
    person = read(claims).person
    assert (person.sub, person.name, person.email) == ("person-1", None, None)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Åsa Öberg", "Åsa Öberg"),
        ("עברית שם", "עברית שם"),
        ("محمد\u200c علی", "محمد\u200c علی"),
        ("x" * 300, "x" * 255),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("zero\x00byte", "zerobyte"),
        ("half \ud800 pair", "half  pair"),
        ("turned \u202e round", "turned  round"),
        ("two\nlines", "two lines"),
        ("   ", None),
        ("\u202e", None),
        (None, None),
    ],
)
def test_a_name_is_kept_in_any_script_and_loses_what_breaks_pages(name: object, shown: str | None) -> None:
    assert read(link(name=name)).person.name == shown


@pytest.mark.parametrize(
    "claims",
    [
        link(name=7),
        link(email=["a@b"]),
        link(sub="\x00"),
        link(sub="\ud800"),
        link(sub="  "),
        lti(context=None),
        lti(context="course-1"),
        lti(context=7),
        lti(context=["course-1"]),
        lti(resource_link="link-1"),
        lti(resource_link=7),
        lti(resource_link=["link-1"]),
        lti(context={"id": 1}),
        lti(context={"id": "x" * 256}),
        lti(context={"title": "no id"}),
        lti(context={"id": "1", "title": {"en": "x"}}),
        lti(custom="activity=1"),
        lti(launch_presentation=["iframe"]),
        lti(tool_platform="moodle"),
        lti(tool_platform={"guid": 7}),
        lti(roles=[INSTRUCTOR] * 201),
        lti(roles=["x" * 1001]),
        lti(roles=[[INSTRUCTOR]]),
        lti(roles={"role": INSTRUCTOR}),
        lti(deployment_id="x" * 256),
        lti(target_link_uri=7),
        link(**{AGS: []}),
        link(**{AGS: {"scope": "score"}}),
        link(**{AGS: {"scope": [1]}}),
        link(**{AGS: {"lineitems": "javascript:alert(1)"}}),
        link(**{AGS: {"lineitem": "ftp://lms.example/1"}}),
        link(**{AGS: {"lineitem": "https://name:word@lms.example/1"}}),
        link(**{AGS: {"lineitem": "http://lms.example/1"}}),
        link(**{AGS: {"lineitem": 7}}),
        link(**{NRPS: None}),
        link(**{NRPS: {"context_memberships_url": ["https://lms.example"]}}),
        link(**{NRPS: {"context_memberships_url": "https://lms.example/a b"}}),
    ],
    ids=str,
)
def test_a_claim_of_the_wrong_shape_is_refused_by_name(claims: Claims) -> None:
    with pytest.raises(ClaimRefused) as refusal:
        read(claims)
    assert refusal.value.reason


@pytest.mark.parametrize(
    "claims",
    [lti(custom=None), lti(launch_presentation=None), lti(tool_platform=None), link(**{AGS: {"lineitem": ""}})],
    ids=["custom", "presentation", "platform", "line item"],
)
def test_what_real_platforms_leave_empty_is_absent(claims: Claims) -> None:
    context = read(claims)
    assert context.services.line_item_url is None or context.services.line_item_url.startswith("https://")


def test_only_our_own_custom_parameters_are_kept() -> None:
    custom = {
        "activity": "abc",
        "context_id_history": "1,2",
        "resource_link_id_history": "$ResourceLink.id.history",
        "time_zone": "Europe/Oslo",
        "user_username": "asa",
        "email": "asa@school.example",
    }
    context = read(lti(custom=custom))
    assert context.custom == {"activity": "abc", "context_id_history": "1,2", "time_zone": "Europe/Oslo"}
    assert context.time_zone == "Europe/Oslo"


@pytest.mark.parametrize("zone", ["99", "Mars/Base", "../../etc/passwd", 7, None])
def test_a_time_zone_that_is_none_is_left_out(zone: object) -> None:
    assert read(lti(custom={"time_zone": zone})).time_zone is None


@pytest.mark.parametrize(
    ("given_locale", "read_locale"),
    [("en", "en"), ("sv_SE", "sv-SE"), ("zh-Hant-TW", "zh-Hant-TW"), ("<b>", None), ("x" * 50, None), ("", None)],
)
def test_a_locale_is_one_or_nothing(given_locale: str, read_locale: str | None) -> None:
    assert read(lti(launch_presentation={"locale": given_locale})).locale == read_locale


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil", "", 7, "https://a b", None])
def test_a_return_address_that_cannot_be_a_link_is_left_out(address: object) -> None:
    assert read(lti(launch_presentation={"return_url": address})).return_url is None


def test_http_is_for_development() -> None:
    claims = link(**{NRPS: {"context_memberships_url": "http://127.0.0.1:8081/members"}})
    assert read_context(claims, allow_http=True).services.memberships_url == "http://127.0.0.1:8081/members"


def deep_linking(**changes: Any) -> Claims:
    claims = platform.deep_linking_claims("nonce", now=NOW.timestamp())
    return claims | {DEEP_LINKING: claims[DEEP_LINKING] | changes}


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize("data", ["", "ü\n\u202e", 0, 1.5, False, [], {"a": [None, {"b": "c"}]}, nested(32)], ids=repr)
def test_what_a_dialog_wants_back_may_be_any_json(data: Any) -> None:
    settings = read(deep_linking(data=data)).deep_linking
    assert settings is not None
    assert repr(settings.data) == repr(data)


def test_the_settings_of_the_dialog_are_read() -> None:
    settings = read(deep_linking()).deep_linking
    assert settings is not None
    assert (settings.return_url, settings.data) == ("https://lms.example/return", "opaque")
    assert settings.accepts_line_item is None
    assert not settings.accepts_multiple


@pytest.mark.parametrize(
    ("sent", "read_as"),
    [
        ("Bring your own lesson plan.", "Bring your own lesson plan."),
        ("One\r\n\r\nTwo < three & four", "One\n\nTwo < three & four"),
        (
            "<p>Bring&nbsp;your <b>own</b> plan.</p>\n<p>And:</p><ul><li>pen</li><li>paper</li></ul>",
            "Bring your own plan.\n\nAnd:\n\n• pen\n• paper",
        ),
        ("Line<br />break &amp; more<script>alert(1)</script>", "Line\nbreak & more"),
        ("<p></p>", None),
        ("", None),
        ('<p title="a > b">Bring <!-- a <b>pen</b> > -->a plan.</p>', "Bring a plan."),
        ("<p>Bring <b title=it's>a</b> plan.</p>", "Bring a plan."),
        ("<!DOCTYPE html><p>if x <y and y> z</p>", "if x  z"),
        ("<p>Two <three and <!-- four</p>", "Two <three and <!-- four"),
        # Reading these as HTML would take half a minute; none of them is a tag.
        (f"<p>{'<a' * 4_000}", "<a" * 4_000),
        (f"<p>{'<!--' * 2_000}", "<!--" * 2_000),
    ],
    ids=lambda text: repr(text)[:40],
)
def test_the_text_of_the_dialog_is_read_as_plain_text_with_its_lines(sent: str, read_as: str | None) -> None:
    settings = read(deep_linking(text=sent)).deep_linking
    assert settings is not None
    assert settings.text == read_as


def test_a_text_of_another_type_is_refused() -> None:
    with pytest.raises(ClaimRefused):
        read(deep_linking(text=["a"]))


@pytest.mark.parametrize(
    "changes",
    [
        {"deep_link_return_url": "data:text/html,x"},
        {"deep_link_return_url": None},
        {"data": "\x00"},
        {"data": ["\ud800"]},
        {"data": {"a\x00": 1}},
        {"data": [float("inf")]},
        {"data": nested(33)},
        {"accept_multiple": "true"},
        {"accept_types": "ltiResourceLink"},
        {"title": 7},
    ],
    ids=str,
)
def test_hostile_settings_of_the_dialog_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ClaimRefused):
        read(deep_linking(**changes))


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from(sorted(platform.deep_linking_claims("n", now=0))), value=json)
def test_no_value_of_any_claim_makes_anything_but_a_named_refusal(name: str, value: Any) -> None:
    for claims in (link(), platform.deep_linking_claims("n", now=0), platform.review_claims("n", now=0)):
        try:
            read(claims | {name: value})
        except LaunchError as refusal:
            assert refusal.reason  # noqa: PT017 - an error is as good as a context, but it has to say which claim


@given(st.text())
def test_a_cleaned_text_can_be_stored_and_cleaned_again(text: str) -> None:
    cleaned = clean(text)
    assert "\x00" not in cleaned
    cleaned.encode()
    assert clean(cleaned) == cleaned
    assert len(cleaned) <= 255


# What opens


def opens(claims: Claims, *, known: bool = False, awaited: bool = False) -> Opens:
    return what_opens(read(claims), is_known_administrator=known, is_first_awaited=awaited)


def test_each_message_opens_its_kind_of_visit() -> None:
    assert opens(link()) is Opens.ACTIVITY
    assert opens(deep_linking()) is Opens.PLACING
    assert opens(platform.review_claims("n", now=0)) is Opens.REVIEW


@pytest.mark.parametrize("role", [LEARNER, ASSISTANT, MENTOR])
def test_only_instructors_place(role: str) -> None:
    with pytest.raises(MayNotPlace):
        opens(deep_linking() | {f"{LTI}roles": [role]})


@pytest.mark.parametrize(
    ("role", "reviewed", "may"),
    [
        (LEARNER, "person-1", True),
        (LEARNER, "person-2", False),
        (MENTOR, "person-2", False),
        (ASSISTANT, "person-2", True),
        (INSTRUCTOR, "person-2", True),
    ],
)
def test_learners_review_themselves_and_staff_anybody(role: str, reviewed: str, may: bool) -> None:
    claims = platform.review_claims("n", now=0) | {f"{LTI}roles": [role], f"{LTI}for_user": {"user_id": reviewed}}
    if may:
        assert opens(claims) is Opens.REVIEW
    else:
        with pytest.raises(NotYourFeedback):
            opens(claims)


def no_context(roles: list[str]) -> Claims:
    claims = lti(roles=roles)
    del claims[f"{LTI}context"]
    return claims


@pytest.mark.parametrize(
    "variable",
    [
        "$Person.address.street1",
        "$Canvas.root_account.id",
        "$com.instructure.User.sectionNames",
        "$vnd.Canvas.Person.email-sis",
        "$User.username",
        " $Moodle.Person.userGroupIds\n",
    ],
)
def test_a_variable_that_the_platform_left_as_it_is_says_nothing(variable: str) -> None:
    names = ("tandem_department", "tandem_group", "time_zone", "activity")
    context = read(lti(custom=dict.fromkeys(names, variable), lis={"person_sourcedid": variable}))
    assert (context.about, context.custom, context.person.sourced_id) == ({}, {}, None)


def test_what_only_looks_a_little_like_a_variable_is_kept() -> None:
    context = read(lti(custom={"tandem_department": "$100 club", "tandem_group": "Care $ Law"}))
    assert context.about == {"department": "$100 club", "group": "Care $ Law"}


@pytest.mark.parametrize(
    ("claims", "page"),
    [
        (lti(roles=[]), RoleMissing),
        (lti(roles=["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student"]), InstitutionRoleOnly),
        (lti(roles=["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor"]), InstitutionRoleOnly),
        (lti(roles=["http://purl.imsglobal.org/vocab/lis/v2/institution/person#None"]), RoleMissing),
        (lti(roles=[ADMINISTRATOR]), AdministratorOnly),
        (no_context([ADMINISTRATOR]), AdministratorOnly),
        (no_context([LEARNER]), CourseMissing),
        (no_context([]), CourseMissing),
        (no_context([INSTRUCTOR, ADMINISTRATOR]), CourseMissing),
    ],
)
def test_a_launch_with_nothing_to_open_has_a_page_of_its_own(claims: Claims, page: type[LaunchError]) -> None:
    with pytest.raises(page):
        opens(claims)


@pytest.mark.parametrize("claims", [lti(roles=[ADMINISTRATOR]), no_context([ADMINISTRATOR])])
def test_a_known_administrator_opens_the_institution(claims: Claims) -> None:
    assert opens(claims, known=True) is Opens.INSTITUTION


def test_a_known_administrator_who_teaches_opens_the_activity() -> None:
    assert opens(lti(roles=[ADMINISTRATOR, INSTRUCTOR]), known=True) is Opens.ACTIVITY


def test_the_first_administrator_is_asked_to_confirm_even_where_they_teach() -> None:
    assert opens(lti(roles=[ADMINISTRATOR, INSTRUCTOR]), awaited=True) is Opens.INSTITUTION
    assert opens(lti(roles=[INSTRUCTOR]), awaited=True) is Opens.ACTIVITY
    assert opens(deep_linking() | {f"{LTI}roles": [ADMINISTRATOR, INSTRUCTOR]}, awaited=True) is Opens.PLACING


def test_being_known_as_administrator_is_not_enough_without_the_role() -> None:
    with pytest.raises(RoleMissing):
        opens(lti(roles=[]), known=True)


def test_a_launch_names_the_platforms_origins() -> None:
    claims = lti(launch_presentation={"return_url": "https://campus.example/course/1"})
    assert framing_origins(read(claims)) == ["https://campus.example", "https://lms.example"]
    # Tokens do not go where only the way back leads.
    assert service_origins(read(claims)) == ["https://lms.example"]
    assert service_origins(read(deep_linking())) == ["https://lms.example"]


# Time


@pytest.mark.parametrize(
    ("times", "is_timely"),
    [
        ({"iat": 0, "exp": 60}, True),
        ({"iat": -60, "exp": -29}, True),
        ({"iat": -60, "exp": -30}, False),
        ({"iat": 30, "exp": 90}, True),
        ({"iat": 31, "exp": 90}, False),
        ({"iat": -3630, "exp": 60}, True),
        ({"iat": -3631, "exp": 60}, False),
        ({"iat": 0, "exp": 86_430}, True),
        ({"iat": 0, "exp": 86_431}, False),
        ({"iat": 0, "exp": 60, "nbf": 30}, True),
        ({"iat": 0, "exp": 60, "nbf": 31}, False),
        ({"iat": 0.25, "exp": 60.5}, True),
    ],
)
def test_a_token_is_taken_within_its_time_and_thirty_seconds(times: dict[str, float], is_timely: bool) -> None:
    claims = {name: NOW.timestamp() + seconds for name, seconds in times.items()}
    if is_timely:
        check_times(claims, now=NOW)
    else:
        with pytest.raises(TokenNotTimely):
            check_times(claims, now=NOW)


@pytest.mark.parametrize("value", ["soon", True, float("nan"), float("inf"), 10**400, [1], {}])
@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
def test_a_time_that_is_none_is_refused(name: str, value: object) -> None:
    claims = {"iat": NOW.timestamp(), "exp": NOW.timestamp() + 60, name: value}
    with pytest.raises(TokenNotTimely):
        check_times(claims, now=NOW)


# Login, state, proof


def login(**changes: Any) -> dict[str, str]:
    return platform.login_fields(target_link_uri=f"{BASE}/lti/launch", **changes)


def test_a_login_is_read() -> None:
    request = read_login(login(lti_storage_target="_parent"), BASE)
    assert request.hints == {"login_hint": "person-1", "lti_message_hint": "hint-1"}
    assert request.storage_target == "_parent"
    assert "lti_message_hint" not in read_login(login(lti_message_hint=None), BASE).hints


def test_canvas_names_the_deployment_its_own_way() -> None:
    assert (
        read_login(
            login(
                lti_deployment_id=None,
            )
            | {"deployment_id": "7"},
            BASE,
        ).deployment_hint
        == "7"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"iss": "x" * 256},
        {"login_hint": ""},
        {"login_hint": "\x00"},
        {"client_id": "x" * 256},
        {"lti_message_hint": "x" * 16_001},
        {"lti_storage_target": "x" * 256},
        {"lti_deployment_id": "\ud800"},
    ],
    ids=str,
)
def test_a_login_that_no_platform_sends_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(LoginIncomplete):
        read_login(login(**changes), BASE)


@pytest.mark.parametrize(
    ("url", "is_inside"),
    [
        (BASE, True),
        (f"{BASE}/lti/launch", True),
        (f"{BASE}?activity=1", True),
        (f"{BASE}.evil.example/", False),
        (f"{BASE}@evil.example/", False),
        (f"{BASE}:8443/", False),
        ("http://tandem.example/", False),
        ("https://evil.example/?https://tandem.example/", False),
        (f"{BASE}/\\evil.example", False),
        (f"{BASE}/\n", False),
        ("", False),
    ],
)
def test_only_our_own_addresses_are_ours(url: str, is_inside: bool) -> None:
    assert is_ours(url, BASE) is is_inside


def test_a_foreign_target_is_named() -> None:
    with pytest.raises(ForeignTarget):
        read_login(platform.login_fields(target_link_uri="https://evil.example/"), BASE)


def remembered(**changes: Any) -> Login:
    values: dict[str, Any] = {
        "registration_id": 1,
        "issuer": "https://lms.example",
        "client_id": "client-1",
        "nonce_hash": fingerprint("nonce"),
        "target_link_uri": BASE,
        "deployment_hint": None,
        "expires_at": NOW + timedelta(minutes=10),
        "used_at": None,
    }
    return Login(**{**values, **changes})


@pytest.mark.parametrize(
    ("known", "refusal"),
    [
        (None, LaunchUnknown),
        (remembered(used_at=NOW), LaunchSpent),
        (remembered(expires_at=NOW), LaunchExpired),
    ],
)
def test_a_login_is_open_once_and_for_ten_minutes(known: Login | None, refusal: Callable[..., LaunchError]) -> None:
    with pytest.raises(LaunchError) as refused:
        check_login_is_open(known, now=NOW)
    assert type(refused.value) is refusal
    assert check_login_is_open(remembered(), now=NOW).issuer == "https://lms.example"


@pytest.mark.parametrize("shown", [None, "", "guess", "secret "])
def test_only_the_secret_itself_proves_a_browser(shown: str | None) -> None:
    check_proof("secret", fingerprint("secret"), registration_id=1)
    with pytest.raises(BrowserUnproved):
        check_proof(shown, fingerprint("secret"), registration_id=1)


def roster_due(minutes: int | None, *, is_listed: bool = True, is_newcomer: bool = False) -> datetime | None:
    """When a launch has it read that was last asked for so many minutes ago."""
    asked_at = None if minutes is None else NOW - timedelta(minutes=minutes)
    return roster_due_at(asked_at, is_listed=is_listed, is_newcomer=is_newcomer, now=NOW)


def test_a_launch_has_an_old_roster_read_again() -> None:
    assert roster_due(None) == NOW
    assert roster_due(59) is None
    assert roster_due(60) == NOW
    assert roster_due(5, is_listed=False) == NOW


def test_a_learner_never_seen_before_has_the_roster_read_at_once_and_one_it_lacked_after_a_pause() -> None:
    assert roster_due(1, is_listed=False, is_newcomer=True) == NOW
    assert roster_due(1, is_listed=False) == NOW + timedelta(minutes=4)
    assert roster_due(-4, is_listed=False) == NOW + timedelta(minutes=4)


@pytest.mark.parametrize(
    "left",
    [
        "$Person.address.street1",
        "$Canvas.root_account.id",
        "$Person.name.full",
        "$CourseSection.title, $Canvas.term.name",
        "$com.instructure.User.sectionNames",
    ],
)
def test_a_variable_that_the_platform_left_as_it_is_tells_nothing(left: str) -> None:
    assert read(lti(custom={"tandem_department": left, "time_zone": left})).about == {}
    assert read(lti(lis={"person_sourcedid": left})).person.sourced_id is None


def test_a_value_with_a_dollar_in_it_is_a_value() -> None:
    assert read(lti(custom={"tandem_department": "Sales $100", "tandem_group": "$ 5"})).about == {
        "department": "Sales $100",
        "group": "$ 5",
    }


def test_characters_without_width_are_no_part_of_what_is_shown() -> None:
    assert clean("\u200bÅsa\ufeff \u202eÖberg\u00ad") == "Åsa Öberg"
    assert clean("می\u200cخواهم 👩\u200d🏫") == "می\u200cخواهم 👩\u200d🏫"

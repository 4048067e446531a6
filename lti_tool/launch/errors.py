"""Why a login or a launch was refused, and how a page says it."""

from dataclasses import dataclass
from typing import ClassVar

from lti_tool.errors import N_, ToolError, Words


class LaunchError(ToolError):
    """The root of this feature's failures. `reason` is a word for the audit, never personal data."""

    what: ClassVar[str] = "launch refused"

    def __init__(self, reason: str = "", *, registration_id: int | None = None) -> None:
        super().__init__(reason, registration_id)
        self.reason = reason
        self.registration_id = registration_id
        self.return_url: str | None = None
        """The address to which the platform wants people to return, if a signed launch named one."""


class LoginError(LaunchError):
    """The login that a platform started cannot go on."""

    what = "login refused"


class LoginIncomplete(LoginError):
    """A login that lacks issuer, login hint or target, has a field twice, or a value no honest platform sends."""


class UnknownPlatform(LoginError):
    """No registration has this issuer and client id."""


class AmbiguousPlatform(LoginError):
    """Several registrations have this issuer, and the login does not say which of them it means."""


class ForeignTarget(LoginError):
    """The login wants to end at an address that is not ours."""


class StorageBlocked(LoginError):
    """The browser keeps nothing for us, not even in a tab of its own."""


class PlatformSaidNo(LaunchError):
    """The platform answered the login with an error instead of a token."""


class TokenUnreadable(LaunchError):
    """The token is missing, too large, or not a signed JSON message."""


class SignatureRefused(LaunchError):
    """The token is not signed by the platform's key with RS256."""


class TokenNotTimely(LaunchError):
    """The token has no time, is too old, not valid yet, or valid for too long."""


class ClaimRefused(LaunchError):
    """A claim is missing, has the wrong type, or a value that no honest platform sends."""


class LaunchByAddress(LaunchError):
    """Somebody opened the launch address itself, or a launch came by GET."""


class LaunchUnknown(LaunchError):
    """No login of ours has this state."""


class LaunchExpired(LaunchError):
    """The login is too old."""


class LaunchSpent(LaunchError):
    """The login was already used: a second post of the same launch."""


class LaunchMixedUp(LaunchError):
    """The token does not belong to the login it was sent with."""


class BrowserUnproved(LaunchError):
    """The browser that brought the launch could not show what the login gave it to keep."""


class PlatformUnreachable(LaunchError):
    """The platform's keys could not be fetched, so nothing it signs can be checked."""


class PlatformPaused(LaunchError):
    """An administrator, or a refusal of our credentials, paused the registration."""


class MessageNotSupported(LaunchError):
    """The platform sent a message that this tool does not handle."""


class PersonMissing(LaunchError):
    """The launch names no person: it has no `sub`."""


class DeploymentRefused(LaunchError):
    """The deployment is not one of those that the administrator named."""


@dataclass(frozen=True, slots=True)
class ParkedFacts:
    """What the approval list shows of a deployment."""

    registration_id: int
    lti_id: str
    platform_name: str | None
    platform_guid: str | None


class DeploymentParked(LaunchError):
    """The deployment is new and waits for an administrator's approval."""

    def __init__(self, facts: ParkedFacts) -> None:
        super().__init__("parked", registration_id=facts.registration_id)
        self.facts = facts


class MayNotPlace(LaunchError):
    """Somebody who may not set up activities opened the dialog that places them."""


class NotYourFeedback(LaunchError):
    """A learner asked to review somebody else."""


class CourseMissing(LaunchError):
    """A valid launch from outside any course."""

    what = "launch without course"


class RoleMissing(LaunchError):
    """A valid launch by somebody whom the platform gives no role in the course."""

    what = "launch without role"


class InstitutionRoleOnly(RoleMissing):
    """A valid launch by a person who has a role in the institution but none in the course."""


class AdministratorOnly(LaunchError):
    """A valid launch by an administrator of the platform who has no role in the course."""

    what = "launch without role"


AGAIN = N_("Close this page and open the activity again from your course.")
TELL = N_("If this happens again, tell your course staff, and give them the reference below.")
ADMINISTRATOR = N_("Tell the administrator of your learning platform, and give them the reference below.")

WORDS: dict[type[ToolError], Words] = {
    LaunchError: Words(400, N_("This launch could not be accepted"), TELL),
    LoginError: Words(400, N_("This launch could not be started"), ADMINISTRATOR),
    LoginIncomplete: Words(400, N_("Open this from your course"), AGAIN),
    UnknownPlatform: Words(403, N_("Tandem does not know this learning platform"), ADMINISTRATOR),
    AmbiguousPlatform: Words(
        400,
        N_("Tandem cannot tell which registration is meant"),
        N_("Your platform is registered more than once. Ask its administrator to send the client id with each login."),
    ),
    ForeignTarget: Words(400, N_("This link does not lead to Tandem"), ADMINISTRATOR),
    StorageBlocked: Words(
        403,
        N_("Your browser does not save anything for this site"),
        N_(
            "Tandem has to recognize your browser for a minute. In the browser's privacy settings, allow "
            "this site to save site data (cookies). Then open the activity again from your course."
        ),
    ),
    PlatformSaidNo: Words(
        403,
        N_("Your learning platform did not open the activity"),
        N_("Sign in to the platform again, then open the activity from your course."),
    ),
    TokenUnreadable: Words(400, N_("This launch could not be read"), AGAIN),
    SignatureRefused: Words(401, N_("This launch is not signed by your platform"), TELL),
    TokenNotTimely: Words(
        401,
        N_("This launch is too old, or a clock is wrong"),
        N_("Open the activity again from your course. If that does not help, the platform's clock may be off."),
    ),
    ClaimRefused: Words(400, N_("Your platform sent something that Tandem does not accept"), TELL),
    LaunchByAddress: Words(
        405, N_("This address cannot be opened directly"), N_("Open the activity from your course.")
    ),
    LaunchUnknown: Words(401, N_("This launch was not started here"), AGAIN),
    LaunchExpired: Words(401, N_("This launch took too long"), AGAIN),
    LaunchSpent: Words(409, N_("This launch was already used"), AGAIN),
    LaunchMixedUp: Words(401, N_("Two launches got mixed up"), AGAIN),
    BrowserUnproved: Words(
        401,
        N_("Tandem could not recognize your browser"),
        N_(
            "Reload the activity in your course. If that does not help, open it in a new tab, or allow this site "
            "to save site data (cookies) in your browser's settings."
        ),
    ),
    # Not a 502: the answer is ours and final, and proxies replace gateway errors with pages of their own.
    PlatformUnreachable: Words(
        424,
        N_("Your learning platform could not be reached"),
        N_("Tandem needs the platform's keys to check who you are. Try again in a minute."),
    ),
    PlatformPaused: Words(
        403,
        N_("The connection to your learning platform is paused"),
        N_("Your work is kept. An administrator of your institution can resume the connection."),
    ),
    MessageNotSupported: Words(
        400, N_("This is not supported here"), N_("Tandem opens as an activity in a course. Go back to your course.")
    ),
    PersonMissing: Words(
        400,
        N_("Your platform did not say who you are"),
        N_(
            "Peer coaching needs to know who works with whom. Ask your platform's administrator to share "
            "at least an anonymous id."
        ),
    ),
    DeploymentRefused: Words(403, N_("Tandem was not set up for this place on your platform"), ADMINISTRATOR),
    DeploymentParked: Words(
        403,
        N_("Waiting for approval"),
        N_("Tandem is new here. An administrator has to approve it once. After that, open the activity again."),
    ),
    MayNotPlace: Words(
        403, N_("Only instructors can place activities"), N_("Ask an instructor of the course to place it.")
    ),
    NotYourFeedback: Words(403, N_("This is someone else's feedback"), N_("Open your own from the activity.")),
    # Valid launches, so not an error status: there is just nothing to open.
    CourseMissing: Words(
        200,
        N_("Open Tandem from inside a course"),
        N_("This link is not in a course. Peer coaching happens between people of the same course."),
    ),
    RoleMissing: Words(
        200,
        N_("You have no role in this course yet"),
        N_("Your platform did not say whether you learn or teach here. Ask an instructor to enroll you."),
    ),
    InstitutionRoleOnly: Words(
        200,
        N_("Your platform did not say what you do in this course"),
        N_(
            "It sent only your role in the institution, as Open edX does up to version 11.0 of its LTI "
            "component. From lti-consumer-xblock 11.1.0 on, it also sends your role in the course. Ask "
            "the administrator of your platform to update it."
        ),
    ),
    AdministratorOnly: Words(
        200,
        N_("You are an administrator, but not a member of this course"),
        N_(
            "To take part or to look, enroll in the course. To look after the institution's pages, ask "
            "one of its administrators or the operator to make you an administrator."
        ),
    ),
}

"""Failures of registrations and tokens, and the words of pages for them."""

from datetime import datetime, timedelta
from enum import StrEnum

from lti_tool.errors import N_, ToolError, Words


class Denial(StrEnum):
    """Why a platform gives us no token, as far as its answer shows. Each cause may end by itself."""

    CREDENTIALS = "credentials"
    """It does not know our client id or key: the tool was switched off or removed there."""
    CLOCK = "clock"
    """Its clock and ours are apart, so that our request looks too old or too new."""
    KEY_SET = "key set"
    """It could not read our published keys, or holds an old copy of them."""
    SCOPE = "scope"
    """It does not grant the right that was asked for."""
    UNCLEAR = "unclear"
    """A firewall, maintenance, or anything else that it did not explain."""


class RegistrationError(ToolError):
    """The root of this feature's failures."""


class RegistrationPaused(RegistrationError):
    """A person stopped all calls to this platform and launches from it. Only a person resumes them."""

    def __init__(self, registration_id: int) -> None:
        super().__init__(registration_id)
        self.registration_id = registration_id


class TokenRefused(RegistrationError):
    """The platform answered a token request, and said no. It is asked again at `asks_again_at`, and not before."""

    def __init__(
        self,
        registration_id: int,
        error: str,
        denial: Denial = Denial.UNCLEAR,
        *,
        asks_again_at: datetime | None = None,
        clock_offset: timedelta | None = None,
    ) -> None:
        super().__init__(registration_id, error, denial)
        self.registration_id, self.error, self.denial = registration_id, error, denial
        self.asks_again_at, self.clock_offset = asks_again_at, clock_offset


class TokenUnavailable(RegistrationError):
    """The token endpoint cannot answer just now; another try later may succeed."""

    def __init__(self, registration_id: int, status: int | None, retry_after: timedelta | None) -> None:
        super().__init__(registration_id, status, retry_after)
        self.registration_id, self.status, self.retry_after = registration_id, status, retry_after


class NoSigningKey(RegistrationError):
    """No signing key is active; one is made when the tool starts."""


class KeyTooYoung(RegistrationError):
    """Platforms may still hold a copy of our key set without the next key, so it is too early to sign with it."""

    def __init__(self, kid: str, ready_at: datetime) -> None:
        super().__init__(kid, ready_at)
        self.kid, self.ready_at = kid, ready_at


class FileMistakes(RegistrationError):
    """A registration file cannot be used. Lists every mistake with the entry it stands in."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__(mistakes)
        self.mistakes = mistakes

    def __str__(self) -> str:
        return "\n".join(["This registration file needs attention:", *(f"  {mistake}" for mistake in self.mistakes)])


class InvitationUnusable(RegistrationError):
    """The invitation was used, ran out, was revoked, or never existed. The page does not say which."""


class InvitationBusy(RegistrationError):
    """A registration with this invitation is under way in another window."""


class ConfigurationMissing(RegistrationError):
    """The registration address was opened by itself and not by a platform."""


class ConfigurationRefused(RegistrationError):
    """What the platform says about itself cannot be trusted or used."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.fill = {"what": what}


class RegistrationRefused(RegistrationError):
    """The platform answered our registration with a refusal."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class RegistrationAnswerUnusable(RegistrationError):
    """The platform accepted the registration, but its answer lacks what we need to work with it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class ClientTaken(RegistrationError):
    """The platform answered with a client id or deployment that belongs to another institution here."""

    def __init__(self, registration_id: int) -> None:
        super().__init__(registration_id)
        self.registration_id = registration_id


class RegistrationInUse(RegistrationError):
    """Somebody has launched from this registration, so it cannot be taken back any more."""

    def __init__(self, registration_id: int) -> None:
        super().__init__(registration_id)
        self.registration_id = registration_id


class PlatformUnreachable(RegistrationError):
    """The platform did not answer, or not as it should, while we were registering with it."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.what = host
        self.fill = {"host": host}


class PlatformAddressRefused(RegistrationError):
    """The platform lies at an address that the operator has not allowed us to call."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.what = place
        self.fill = {"place": place}


WORDS: dict[type[ToolError], Words] = {
    RegistrationPaused: Words(
        503,
        N_("This platform's connection is paused"),
        N_("An administrator can resume it on the institution's pages."),
    ),
    TokenRefused: Words(
        502,
        N_("The platform refused Tandem's request for access"),
        N_("Ask an administrator to check the registration."),
    ),
    TokenUnavailable: Words(
        503, N_("The platform cannot give Tandem access right now"), N_("Please try again in a few minutes.")
    ),
    InvitationUnusable: Words(
        403,
        N_("This registration link no longer works"),
        N_("It has been used or has expired. Ask the person who gave it to you for a new one."),
    ),
    InvitationBusy: Words(
        409,
        N_("A registration with this link is in progress"),
        N_("Wait a minute. If it does not finish in the other window, reload this page."),
    ),
    ConfigurationMissing: Words(
        400,
        N_("Open this address from your LMS"),
        N_("Paste it where your LMS asks for a registration or tool URL. It does nothing when you open it directly."),
    ),
    ConfigurationRefused: Words(
        422,
        N_("This platform's configuration cannot be used"),
        N_(
            "Its addresses do not belong together, or something is missing (%(what)s). "
            "Ask your LMS's operator to check it."
        ),
    ),
    RegistrationRefused: Words(
        502,
        N_("The platform did not accept the registration"),
        N_("Start again from your LMS. Its permission to register works once and expires soon."),
    ),
    RegistrationAnswerUnusable: Words(
        502,
        N_("The platform's answer to the registration cannot be used"),
        N_("Remove the tool from your LMS and register it manually instead."),
    ),
    ClientTaken: Words(
        409,
        N_("This tool is already registered for someone else"),
        N_("Remove the tool from your LMS and ask the operator of Tandem for help."),
    ),
    PlatformUnreachable: Words(
        502,
        N_("The platform could not be reached"),
        N_("Check that %(host)s is online and that Tandem may call it, then start again from your LMS."),
    ),
    PlatformAddressRefused: Words(
        422,
        N_("Tandem may not call this platform"),
        N_(
            "Its address %(place)s is not on the public internet, or not https. If it is in the same "
            "network as Tandem, the operator can allow it with the setting "
            "LTI_TOOL_REACHABLE_PRIVATE_HOSTS=%(place)s and a restart."
        ),
    ),
    RegistrationInUse: Words(
        409,
        N_("This registration is in use"),
        N_("Someone has opened Tandem through it. If no one should use it anymore, pause it instead."),
    ),
    KeyTooYoung: Words(
        409,
        N_("The next key is too new"),
        N_("Platforms keep Tandem's keys for up to a day. Wait until then, and take the next step again."),
    ),
}

"""What can go wrong between us and a platform's registration, and how a page says it."""

from datetime import datetime, timedelta

from lti_tool.errors import N_, ToolError, Words


class RegistrationError(ToolError):
    """The root of this feature's failures."""


class RegistrationPaused(RegistrationError):
    """Nobody calls this platform, and nobody launches from it, until an administrator resumes the registration."""

    def __init__(self, registration_id: int) -> None:
        super().__init__(registration_id)
        self.registration_id = registration_id


class TokenRefused(RegistrationError):
    """The platform answered a token request, and said no. Asking the same again will not help."""

    def __init__(self, registration_id: int, error: str) -> None:
        super().__init__(registration_id, error)
        self.registration_id, self.error = registration_id, error


class CredentialsRefused(TokenRefused):
    """The platform no longer knows our client id or key: the tool was switched off there. The registration pauses."""


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


WORDS: dict[type[ToolError], Words] = {
    RegistrationPaused: Words(
        503,
        N_("This platform's connection is paused"),
        N_("An administrator can resume it on the institution page."),
    ),
    TokenRefused: Words(
        502,
        N_("The platform refused our request for access"),
        N_("Ask an administrator to check the registration."),
    ),
    TokenUnavailable: Words(
        503, N_("The platform cannot give us access right now"), N_("Please try again in a few minutes.")
    ),
    KeyTooYoung: Words(
        409,
        N_("The next key is too young"),
        N_("Platforms keep our keys for up to a day; please promote it after that."),
    ),
}

"""What can go wrong with certificates, and how a page says it."""

from lti_tool.errors import N_, Conflict, NotAllowed, NotFound, ToolError, Words


class CertificatesError(ToolError):
    """The root of this feature's failures."""


class NotComplete(CertificatesError, NotAllowed):
    """Something that counts is not done yet, or the activity gives no certificates."""

    def __init__(self, activity_id: int) -> None:
        super().__init__(activity_id)
        self.activity_id = activity_id


class NameRefused(CertificatesError):
    """The name is missing or too long. `flaw` says which."""

    def __init__(self, flaw: str) -> None:
        super().__init__(flaw)
        self.flaw = flaw


class ReasonRefused(CertificatesError):
    """The reason why a certificate is withdrawn is missing or too long. `flaw` says which."""

    def __init__(self, flaw: str) -> None:
        super().__init__(flaw)
        self.flaw = flaw


class CertificateUnknown(CertificatesError, NotFound):
    """There is no such certificate, or this person may not know that there is."""


class CertificateNotPublished(CertificatesError, NotFound):
    """Nothing is published at this address: unknown, never published, or its holder was erased."""


class CertificateWithdrawn(CertificatesError, Conflict):
    """The institution withdrew the certificate, so nothing of it can be changed or handed out."""

    def __init__(self, certificate_id: int) -> None:
        super().__init__(certificate_id)
        self.certificate_id = certificate_id


WORDS: dict[type[ToolError], Words] = {
    NotComplete: Words(
        409,
        N_("There is no certificate for you yet"),
        N_("You get one when everything that counts is done. The first page of the activity shows what is missing."),
    ),
    NameRefused: Words(422, N_("The name cannot be used"), N_("Go back and write your name as it should appear.")),
    ReasonRefused: Words(422, N_("Something is missing"), N_("Go back and say why it is withdrawn.")),
    CertificateUnknown: Words(404, N_("There is no such certificate"), N_("Go back to the list of certificates.")),
    CertificateNotPublished: Words(
        404,
        N_("No certificate is published here"),
        N_(
            "Either it never was, or it is no longer there. Its holder decides whether others can see it. "
            "Ask the person who gave you this address."
        ),
    ),
    CertificateWithdrawn: Words(
        409,
        N_("This certificate was withdrawn"),
        N_("Your instructors withdrew it, so nothing of it can be changed or downloaded. Ask them if it is a mistake."),
    ),
}

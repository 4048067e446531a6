"""Who gets a certificate, the hours on it, and the Open Badges credential that says the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from lti_tool.activities.rules import CertificateTerms, Kind, seats_with_hours
from lti_tool.progress.rules import Progress, State

LONGEST_NAME: Final = 255
LONGEST_REASON: Final = 1_000
CONTEXTS: Final = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
)
"""What the words of a credential mean: W3C Verifiable Credentials 2.0, Open Badges 3.0 and its status lists."""


class Flaw(StrEnum):
    """What keeps a name or a reason from being taken."""

    NO_NAME = "no_name"
    LONG_NAME = "long_name"
    NO_REASON = "no_reason"
    LONG_REASON = "long_reason"


class Standing(StrEnum):
    """How a certificate stands for whoever opens its public address."""

    PRIVATE = "private"
    PUBLISHED = "published"
    TAKEN_BACK = "taken_back"
    """Its holder published it once and does not any more."""
    WITHDRAWN = "withdrawn"
    """It is published, and the institution withdrew it."""


def flaw_of_name(name: str) -> Flaw | None:
    """What is wrong with the name that somebody wants on their certificate."""
    if not name:
        return Flaw.NO_NAME
    return Flaw.LONG_NAME if len(name) > LONGEST_NAME else None


def flaw_of_reason(reason: str) -> Flaw | None:
    """What is wrong with the reason for which a certificate is withdrawn."""
    if not reason:
        return Flaw.NO_REASON
    return Flaw.LONG_REASON if len(reason) > LONGEST_REASON else None


def standing_of(
    *, published_at: datetime | None, taken_back_at: datetime | None, withdrawn_at: datetime | None
) -> Standing:
    """How a certificate stands in public."""
    if published_at is None:
        return Standing.PRIVATE if taken_back_at is None else Standing.TAKEN_BACK
    return Standing.PUBLISHED if withdrawn_at is None else Standing.WITHDRAWN


@dataclass(frozen=True, slots=True)
class SeatHours:
    """Hours that count for one seat."""

    seat: str
    """Its title, marked for translation."""
    hours: Decimal


def hours_in_seats(
    terms: CertificateTerms, kind: Kind, seats: Mapping[int, str], progress: Progress
) -> tuple[SeatHours, ...]:
    """The hours of somebody by seat, in the order of the kind, without seats that count none.

    A round counts if the person has a group in it (`seats`: the key of their seat by round) and did something of what
    counts there; so a round that they are excused from counts no hours.
    """
    worked = {item.round for item in progress.items if item.state is State.DONE} & seats.keys()
    counted = []
    for seat in seats_with_hours(kind):
        takes_it = kind.swaps_inside or not kind.seats
        rounds = sum(takes_it or seats[number] == seat.key for number in worked)
        hours = terms.hours.get(seat.key, Decimal(0)) * rounds
        if hours:
            counted.append(SeatHours(seat.title, hours))
    return tuple(counted)


@dataclass(frozen=True, slots=True)
class Content:
    """What a certificate says beside a name."""

    title: str
    issuer: str
    hours: tuple[SeatHours, ...]


def total(hours: Iterable[SeatHours]) -> Decimal:
    """All hours together."""
    return sum((one.hours for one in hours), Decimal(0))


# ---- Open Badges 3.0 -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Issuer:
    """The institution as credentials name it; `address` is where its profile is read."""

    address: str
    name: str

    @property
    def key_address(self) -> str:
        """Where the public key is read."""
        return f"{self.address}/key"

    @property
    def list_address(self) -> str:
        """Where the withdrawn credentials are listed."""
        return f"{self.address}/revocations"


@dataclass(frozen=True, slots=True)
class BadgeWords:
    """The sentences of a credential, in the language of the certificate."""

    description: str
    criteria: str
    narrative: str


def credential_id(key: str) -> str:
    """The id of the credential of the certificate with this key. The key, which leads to a name, does not follow from
    it: the ids of withdrawn credentials are public.
    """
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'credential {key}')}"


def credential(
    *, key: str, holder: str, title: str, issued_at: datetime, achievement: str, issuer: Issuer, words: BadgeWords
) -> dict[str, Any]:
    """An `OpenBadgeCredential` about a holder with this name. `achievement` is the same for all of one activity.

    The claims of a JWT stand beside the properties of the credential, as Open Badges 3.0 section 8.2 asks.
    """
    own_id = credential_id(key)
    subject_id = f"urn:uuid:{uuid5(NAMESPACE_URL, f'holder {key}')}"
    return {
        "@context": list(CONTEXTS),
        "id": own_id,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": title,
        "issuer": {"id": issuer.address, "type": ["Profile"], "name": issuer.name},
        "validFrom": f"{issued_at:%Y-%m-%dT%H:%M:%SZ}",
        "credentialSubject": {
            "id": subject_id,
            "type": ["AchievementSubject"],
            "identifier": [{"type": "IdentityObject", "hashed": False, "identityHash": holder, "identityType": "name"}],
            "achievement": {
                "id": f"urn:uuid:{uuid5(NAMESPACE_URL, f'achievement {achievement}')}",
                "type": ["Achievement"],
                "achievementType": "Certificate",
                "name": title,
                "description": words.description,
                "criteria": {"narrative": words.criteria},
            },
            **({"narrative": words.narrative} if words.narrative else {}),
        },
        "credentialStatus": {"id": issuer.list_address, "type": "1EdTechRevocationList"},
        "iss": issuer.address,
        "jti": own_id,
        "sub": subject_id,
        "nbf": int(issued_at.timestamp()),
    }


def profile(issuer: Issuer) -> dict[str, Any]:
    """The public profile of an institution that issues credentials."""
    return {"@context": list(CONTEXTS[:2]), "id": issuer.address, "type": ["Profile"], "name": issuer.name}


def revocation_list(issuer: Issuer, withdrawn: Iterable[str]) -> dict[str, Any]:
    """The credentials that were withdrawn, as 1EdTech's revocation list status method has them. `withdrawn`: keys."""
    return {
        "id": issuer.list_address,
        "issuer": issuer.address,
        "revokedCredential": [{"id": credential_id(key), "revoked": True} for key in withdrawn],
    }

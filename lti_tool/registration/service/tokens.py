"""Access tokens for a platform's services: asked for once, shared by all processes, renewed in time."""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.jobs import queue
from lti_tool.registration.errors import Denial, RegistrationPaused, TokenRefused, TokenUnavailable
from lti_tool.registration.models import AccessToken, Registration
from lti_tool.registration.rules.registrations import are_apart, denial_of, pause_after
from lti_tool.registration.service.keys import signing_key
from lti_tool.support.crypto import Undecipherable
from lti_tool.support.http import Answer, BadAnswer, Purpose, retry_after
from lti_tool.support.kit import Kit
from lti_tool.support.log import get_logger
from lti_tool.web import audit

RENEWED_BEFORE_END = timedelta(seconds=60)
ASSERTION_LIFETIME = timedelta(seconds=60)
ASSERTION_BACKDATED = timedelta(seconds=10)
"""Platforms refuse an assertion from the future, and our clock may be a little ahead of theirs."""
LIFETIME_UNSAID = timedelta(minutes=5)
LONGEST_LIFETIME = timedelta(days=1)
ASKING_LEASE = timedelta(seconds=40)
"""Longer than a token request may take. After it, the process that asked is assumed dead."""
WAITS = (0.05, 0.1, 0.2, 0.4, 0.8, *[1.0] * 40)
"""Seconds between checks for the result of another process; together a little longer than ASKING_LEASE."""
WAKE_SCORES = "grades.wake"
"""The job that sends scores which waited for a paused registration."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token. It may go only to addresses that `registration.rules.owns` allows."""

    registration_id: int
    asked: str
    value: str = field(repr=False)
    granted: frozenset[str]
    """The scopes that the platform granted; may be fewer than were asked for."""
    expires_at: datetime
    clock_offset: timedelta | None = None
    """By how much the platform's clock was ahead of ours when it answered, where it said."""


@dataclass(frozen=True, slots=True)
class _Endpoint:
    url: str
    audience: str
    client_id: str


class TokenClient:
    """Gets tokens for registrations. Any number of threads and processes may ask; one at a time asks the platform."""

    def __init__(self, kit: Kit, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._kit, self._sleep = kit, sleep

    def token(self, registration_id: int, scopes: Iterable[str]) -> Token:
        """A token good for at least RENEWED_BEFORE_END, from the shared store or from the platform.

        Must not be called with a transaction open. Raises RegistrationPaused, TokenRefused, TokenUnavailable, or what
        `support.http` raises. After a refusal the platform is left alone for a while, which grows with each refusal in
        a row; until then the same refusal is raised without asking. Launches still work: they need no token.
        """
        asked = " ".join(sorted(set(scopes)))
        for wait in (*WAITS, None):
            with self._kit.open_session() as session:
                _refuse_paused(session, registration_id)
                row = _row(session, registration_id, asked)
                stored = self._usable(row)
                if stored is not None:
                    return stored
                self._refuse_early(row)
                is_ours = self._claim(session, registration_id, asked, row)
            if is_ours:
                return self._ask_and_keep(registration_id, asked)
            if wait is not None:
                self._sleep(wait)
        raise TokenUnavailable(registration_id, None, None)

    def forget(self, token: Token) -> None:
        """Drop a token that the platform answered with 401, so that the next call asks for a fresh one.

        A newer token that another process got since is kept.
        """
        with self._kit.open_session() as session:
            row = _row(session, token.registration_id, token.asked)
            if row is not None and row.token is not None and self._decrypted(row.token) == token.value:
                row.token = None

    def _usable(self, row: AccessToken | None) -> Token | None:
        if row is None or row.token is None or row.expires_at is None:
            return None
        if self._kit.clock.now() >= row.expires_at - RENEWED_BEFORE_END:
            return None
        value = self._decrypted(row.token)
        if value is None:
            return None
        return Token(row.registration_id, row.scopes, value, frozenset(row.granted.split()), row.expires_at)

    def _decrypted(self, sealed: str) -> str | None:
        try:
            return self._kit.secrets.decrypt(sealed).decode()
        except Undecipherable:
            return None  # Encrypted with a secret key that was removed: a new token costs one request.

    def _claim(self, session: Session, registration_id: int, asked: str, seen: AccessToken | None) -> bool:
        """Whether this process may ask the platform now, for a token that replaces the one that was seen."""
        now = self._kit.clock.now()
        if seen is None:
            first = AccessToken(registration_id=registration_id, scopes=asked, asking_until=now + ASKING_LEASE)
            try:
                with session.begin_nested():
                    session.add(first)
            except IntegrityError:
                return False
            return True
        claimed = session.execute(
            update(AccessToken)
            .where(
                AccessToken.id == seen.id,
                or_(AccessToken.asking_until.is_(None), AccessToken.asking_until <= now),
                # Another process may have got a new one since.
                AccessToken.token.is_not_distinct_from(seen.token),
            )
            .values(asking_until=now + ASKING_LEASE)
            .returning(AccessToken.id)
            .execution_options(synchronize_session=False)
        )
        return claimed.first() is not None

    def _refuse_early(self, row: AccessToken | None) -> None:
        if row is None or row.asks_again_at is None or self._kit.clock.now() >= row.asks_again_at:
            return
        denial = Denial(row.denied_because or Denial.UNCLEAR)
        raise TokenRefused(row.registration_id, "asked a short while ago", denial, asks_again_at=row.asks_again_at)

    def _ask_and_keep(self, registration_id: int, asked: str) -> Token:
        outcome: Token | TokenRefused
        try:
            outcome = self._ask_by_their_clock(registration_id, asked)
        except TokenRefused as refusal:
            outcome = refusal
        except BaseException:
            self._keep(registration_id, asked, None)
            raise
        self._keep(registration_id, asked, outcome)
        if isinstance(outcome, TokenRefused):
            raise outcome
        return outcome

    def _ask_by_their_clock(self, registration_id: int, asked: str) -> Token:
        """Ask; if the platform refuses and its clock differs from ours, ask once more by its clock."""
        try:
            return self.ask(registration_id, asked)
        except TokenRefused as refusal:
            if refusal.clock_offset is None or not are_apart(refusal.clock_offset):
                raise
            return self.ask(registration_id, asked, by_clock=refusal.clock_offset)

    def _keep(self, registration_id: int, asked: str, outcome: Token | TokenRefused | None) -> None:
        """Store what the platform answered, if it did, and let other processes ask again."""
        now = self._kit.clock.now()
        with self._kit.open_session() as session:
            row = _row(session, registration_id, asked)
            if row is None:
                return
            row.asking_until = None
            if outcome is not None:
                row.clock_offset_ms = _milliseconds(outcome.clock_offset)
            if isinstance(outcome, TokenRefused):
                _record_refusal(session, row, outcome, now=now)
            elif outcome is not None:
                row.token = self._kit.secrets.encrypt(outcome.value.encode())
                row.granted, row.expires_at = " ".join(sorted(outcome.granted)), outcome.expires_at
                if row.denied_since is not None:
                    _forget_refusals(session, row, now=now)

    def ask(self, registration_id: int, asked: str, *, by_clock: timedelta = timedelta(0)) -> Token:
        """Ask the platform for a token, without the store. `by_clock`: how far its clock is ahead of ours."""
        now = self._kit.clock.now() + by_clock
        with self._kit.open_session() as session:
            registration = session.get_one(Registration, registration_id)
            endpoint = _Endpoint(
                registration.auth_token_url,
                registration.auth_audience or registration.auth_token_url,
                registration.client_id,
            )
            signer = signing_key(session, self._kit.secrets)
        assertion = jwt.encode(
            {
                "iss": endpoint.client_id,
                "sub": endpoint.client_id,
                "aud": endpoint.audience,
                "iat": int((now - ASSERTION_BACKDATED).timestamp()),
                "exp": int((now + ASSERTION_LIFETIME).timestamp()),
                "jti": uuid4().hex,
            },
            signer.key,
            algorithm="RS256",
            headers={"kid": signer.kid},
        )
        answer = self._kit.http.post(
            endpoint.url,
            Purpose.TOKEN,
            headers={"Accept": "application/json"},
            form={
                "grant_type": "client_credentials",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": assertion,
                "scope": asked,
            },
        )
        return read_answer(answer, registration_id, asked, now=self._kit.clock.now(), by_clock=by_clock)


def read_answer(
    answer: Answer, registration_id: int, asked: str, *, now: datetime, by_clock: timedelta = timedelta(0)
) -> Token:
    """The token in a platform's answer to a request made by this clock. Raises TokenRefused, TokenUnavailable or
    BadAnswer.
    """
    if answer.status in {408, 425, 429} or answer.status >= 500:
        raise TokenUnavailable(registration_id, answer.status, retry_after(answer, now))
    offset = None if answer.date is None else answer.date - now
    if not answer.is_success:
        error = _error_code(answer)
        words = answer.body[:20_000].decode("utf-8", "replace").lower()
        denial = denial_of(error, words, None if offset is None else offset - by_clock)
        raise TokenRefused(registration_id, error, denial, clock_offset=offset)
    fields = answer.json()
    if not isinstance(fields, dict):
        raise BadAnswer(answer.host, "token answer is no object")
    value, scope = fields.get("access_token"), fields.get("scope", asked)
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise BadAnswer(answer.host, "token answer without a usable access_token")
    if not isinstance(scope, str) or str(fields.get("token_type", "bearer")).lower() != "bearer":
        raise BadAnswer(answer.host, "token answer with a strange scope or token_type")
    ends_at = now + _lifetime(fields.get("expires_in"))
    return Token(registration_id, asked, value, frozenset(scope.split()), ends_at, offset)


def look_again_now(session: Session, registration_id: int, *, now: datetime) -> None:
    """End the pause after a refusal: jobs that wait for this platform run now and ask for a token again."""
    session.execute(
        update(AccessToken)
        .where(AccessToken.registration_id == registration_id, AccessToken.asks_again_at > now)
        .values(asks_again_at=now)
    )
    queue.pull_forward(session, registration_id, now=now)


def _record_refusal(session: Session, row: AccessToken, refusal: TokenRefused, *, now: datetime) -> None:
    """Set a pause before the next request. The first refusal of a kind is put on record, once per registration."""
    is_news = row.denied_because != refusal.denial
    row.denied_because, row.denied_since = refusal.denial, row.denied_since or now
    row.denials += 1
    row.asks_again_at = refusal.asks_again_at = now + pause_after(row.denials)
    same_refusal = select(AccessToken.id).where(
        AccessToken.registration_id == row.registration_id,
        AccessToken.id != row.id,
        AccessToken.denied_because == refusal.denial,
    )
    log.warning(
        "token refused",
        registration_id=row.registration_id,
        because=refusal.denial.value,
        error=refusal.error,
        refusals=row.denials,
        clock_offset_s=None if refusal.clock_offset is None else round(refusal.clock_offset.total_seconds()),
    )
    if not is_news or session.scalar(same_refusal.limit(1)) is not None:
        return
    log.error("platform_refuses_us", registration_id=row.registration_id, because=refusal.denial.value)
    audit.record(
        session,
        "token refused",
        now=now,
        institution_id=session.get_one(Registration, row.registration_id).institution_id,
        registration_id=row.registration_id,
        because=refusal.denial.value,
    )


def _forget_refusals(session: Session, row: AccessToken, *, now: datetime) -> None:
    """Forget refusals for the same reason under other scopes too: the platform grants tokens again."""
    log.info("token granted again", registration_id=row.registration_id, because=row.denied_because)
    session.execute(
        update(AccessToken)
        .where(
            AccessToken.registration_id == row.registration_id,
            AccessToken.id != row.id,
            AccessToken.denied_because == row.denied_because,
        )
        .values(asks_again_at=now)
        .execution_options(synchronize_session=False)
    )
    row.denied_because = row.denied_since = row.asks_again_at = None
    row.denials = 0
    queue.pull_forward(session, row.registration_id, now=now)


def _milliseconds(offset: timedelta | None) -> int | None:
    return None if offset is None else round(offset.total_seconds() * 1000)


def pause(session: Session, registration_id: int, because: str, *, now: datetime) -> None:
    """Stop all calls and launches of a registration until it is resumed. Pausing twice changes nothing."""
    paused = session.execute(
        update(Registration)
        .where(Registration.id == registration_id, Registration.paused_at.is_(None))
        .values(paused_at=now, paused_because=because)
        .returning(Registration.institution_id)
    ).one_or_none()
    if paused is None:
        return
    audit.record(
        session,
        "registration paused",
        now=now,
        institution_id=paused.institution_id,
        registration_id=registration_id,
        because=because,
    )
    log.error("registration_paused", registration_id=registration_id, because=because)


def resume(session: Session, registration_id: int, *, now: datetime) -> None:
    """Let a paused registration work again, and forget its tokens. Resuming twice changes nothing."""
    resumed = session.execute(
        update(Registration)
        .where(Registration.id == registration_id, Registration.paused_at.is_not(None))
        .values(paused_at=None, paused_because=None)
        .returning(Registration.institution_id)
    ).one_or_none()
    if resumed is None:
        return
    session.execute(
        update(AccessToken).where(AccessToken.registration_id == registration_id).values(token=None, asks_again_at=None)
    )
    queue.enqueue(session, WAKE_SCORES, {}, institution_id=None, now=now, unique_key=f"turn:{WAKE_SCORES}")
    audit.record(
        session,
        "registration resumed",
        now=now,
        institution_id=resumed.institution_id,
        registration_id=registration_id,
    )


def _row(session: Session, registration_id: int, asked: str) -> AccessToken | None:
    return session.scalar(
        select(AccessToken).where(AccessToken.registration_id == registration_id, AccessToken.scopes == asked)
    )


def _refuse_paused(session: Session, registration_id: int) -> None:
    if session.get_one(Registration, registration_id).paused_at is not None:
        raise RegistrationPaused(registration_id)


def _error_code(answer: Answer) -> str:
    # Only a short code is kept: a platform may echo anything in its prose.
    try:
        fields: Any = answer.json()
    except BadAnswer:
        return f"status {answer.status}"
    error = fields.get("error") if isinstance(fields, dict) else None
    return error if isinstance(error, str) and re.fullmatch(r"[a-z_]{1,40}", error) else f"status {answer.status}"


def _lifetime(seconds: Any) -> timedelta:
    if isinstance(seconds, str) and re.fullmatch(r"[0-9]{1,9}", seconds):
        seconds = int(seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        return LIFETIME_UNSAID
    return timedelta(seconds=min(float(seconds), LONGEST_LIFETIME.total_seconds()))

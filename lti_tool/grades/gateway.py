"""The platform's gradebook: columns, scores, results."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from lti_tool.grades.errors import ForeignAddress, GradebookUnavailable
from lti_tool.grades.rules import points
from lti_tool.launch.rules.platforms import Platform
from lti_tool.registration.rules.registrations import next_address, owns
from lti_tool.registration.service.tokens import TokenClient
from lti_tool.support.http import Answer, BadAnswer, Purpose, next_page, retry_after
from lti_tool.support.kit import Kit

SCOPES = "https://purl.imsglobal.org/spec/lti-ags/scope/"
LINE_ITEM = f"{SCOPES}lineitem"
LINE_ITEM_READONLY = f"{SCOPES}lineitem.readonly"
RESULT_READONLY = f"{SCOPES}result.readonly"
SCORE = f"{SCOPES}score"
ALL_SCOPES = frozenset({LINE_ITEM, LINE_ITEM_READONLY, RESULT_READONLY, SCORE})

MEDIA = "application/vnd.ims.lis."
LINE_ITEM_TYPE = f"{MEDIA}v2.lineitem+json"
LINE_ITEMS_TYPE = f"{MEDIA}v2.lineitemcontainer+json"
RESULTS_TYPE = f"{MEDIA}v2.resultcontainer+json"
SCORE_TYPE = f"{MEDIA}v1.score+json"
COLUMN_FIELDS = (
    "label",
    "resourceId",
    "tag",
    "resourceLinkId",
    "startDateTime",
    "endDateTime",
    "gradesReleased",
    "submissionReview",
)
MOST_PAGES = 100
MOST_POINTS = 1e12
TAG = "tandem"


@dataclass(frozen=True, slots=True)
class Column:
    """A line item as the platform has it."""

    url: str
    label: str
    resource_link_id: str | None
    resource_id: str | None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One person's score to send. Always final: a score that is not deletes the grade."""

    sub: str = field(repr=False)
    share: int
    maximum: int
    at: datetime
    comment: str

    def as_json(self, platform: Platform) -> dict[str, Any]:
        """The score as the platform wants it."""
        return {
            "userId": self.sub,
            "timestamp": self.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "scoreGiven": points(self.share, self.maximum),
            "scoreMaximum": self.maximum,
            # In Moodle a score without a comment deletes the comment of the score before.
            "comment": self.comment,
            **(platform.score_extensions or {}),
        }


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform's answer to a score."""

    status: int
    words: str = field(repr=False)
    """Reason line and body in lower case. Not stored: both may repeat what was sent."""
    date: datetime | None
    after: timedelta | None


@dataclass(frozen=True, slots=True)
class Result:
    """What the gradebook holds for one person."""

    score: float
    maximum: float
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Gradebook:
    """The gradebook of one course, with the rights that the platform gave us.

    No transaction may be open while it is called. Besides its own errors every call raises what `support.http` raises
    and what asking for a token raises.
    """

    kit: Kit
    registration_id: int
    platform_origins: list[str]
    platform: Platform
    scopes: frozenset[str]

    @property
    def reads_columns(self) -> bool:
        return not self.scopes.isdisjoint({LINE_ITEM, LINE_ITEM_READONLY})

    @property
    def makes_columns(self) -> bool:
        return LINE_ITEM in self.scopes

    @property
    def takes_scores(self) -> bool:
        return SCORE in self.scopes

    @property
    def reads_results(self) -> bool:
        return RESULT_READONLY in self.scopes

    def post_score(self, url: str, score: Score) -> Receipt:
        """Post one score, once."""
        headers = {"Content-Type": SCORE_TYPE}
        body = score.as_json(self.platform)
        address = address_beside_column(url, "scores")
        answer = self._call(
            address, headers, lambda sent: self.kit.http.post(address, Purpose.SCORE, sent, body=_json(body))
        )
        now = self.kit.clock.now()
        words = f"{answer.reason} {answer.body[:2000].decode('utf-8', 'replace')}".lower()
        return Receipt(answer.status, words, answer.date, retry_after(answer, now))

    def result_of(self, url: str, sub: str) -> Result | None:
        """What the gradebook holds for this person; None if it holds nothing or does not answer."""
        query = {"user_id": sub} if self.platform.filters_results else {"limit": "1000"}
        for entry in self._pages(with_query(address_beside_column(url, "results"), query), RESULTS_TYPE):
            if str(entry.get("userId")) != sub:
                continue
            score, maximum = entry.get("resultScore"), entry.get("resultMaximum")
            if _is_number(score) and _is_number(maximum):
                return Result(float(score), float(maximum), _moment(entry.get("timestamp")))
        return None

    def column(self, url: str) -> tuple[Column | None, datetime | None]:
        """The column at this address (None if it is gone), and the platform's time."""
        answer = self._get(url, LINE_ITEM_TYPE)
        if _is_gone(answer):
            return None, answer.date
        self._expect_success(answer)
        return _column(answer.json(), url), answer.date

    def columns_of(self, container: str, resource_link_id: str) -> list[Column]:
        """The columns of this link. Each is checked, since some platforms ignore the filter."""
        url = with_query(container, {"resource_link_id": resource_link_id})
        columns = (_column(entry, None) for entry in self._pages(url, LINE_ITEMS_TYPE))
        return [column for column in columns if column is not None and column.resource_link_id == resource_link_id]

    def make_column(
        self, container: str, *, label: str, maximum: int, resource_link_id: str, resource_id: str
    ) -> Column | None:
        """Make a column; None if the platform refuses. Not idempotent: two calls make two columns."""
        body = {
            "label": label,
            "scoreMaximum": maximum,
            "resourceLinkId": resource_link_id,
            "resourceId": resource_id,
            "tag": TAG,
        }
        headers = {"Content-Type": LINE_ITEM_TYPE, "Accept": LINE_ITEM_TYPE}
        answer = self._call(
            container, headers, lambda sent: self.kit.http.post(container, Purpose.SCORE, sent, body=_json(body))
        )
        if answer.status in {401, 403, 404, 405, 412}:
            return None
        self._expect_success(answer)
        return _column(answer.json(), None)

    def change_maximum(self, column: Column, maximum: int) -> Column | None:
        """Set the maximum of the column and keep all its other fields; None if the platform refuses."""
        answer = self._get(column.url, LINE_ITEM_TYPE)
        self._expect_success(answer)
        fields = answer.json()
        if not isinstance(fields, Mapping):
            raise BadAnswer(answer.host, "no object")
        # A PUT clears all fields that it leaves out, even the column's link.
        body = {name: fields[name] for name in COLUMN_FIELDS if fields.get(name) is not None} | {
            "scoreMaximum": maximum
        }
        headers = {"Content-Type": LINE_ITEM_TYPE, "Accept": LINE_ITEM_TYPE}
        answer = self._call(
            column.url, headers, lambda sent: self.kit.http.put(column.url, Purpose.SCORE, sent, body=_json(body))
        )
        if 400 <= answer.status < 500 and answer.status not in {408, 425, 429}:
            return None
        self._expect_success(answer)
        return replace(column, maximum=float(maximum))

    def is_there(self, container: str) -> bool:
        """Whether the platform still has this course's gradebook."""
        return not _is_gone(self._get(with_query(container, {"limit": "1"}), LINE_ITEMS_TYPE))

    def _pages(self, url: str, media_type: str) -> list[Mapping[str, Any]]:
        entries: list[Mapping[str, Any]] = []
        following: str | None = url
        for _ in range(MOST_PAGES):
            if following is None:
                break
            answer = self._get(following, media_type)
            # Moodle answers some questions about results with 404 and a web page; there is none to be had then.
            if _is_gone(answer) or (answer.status == 404 and media_type == RESULTS_TYPE):
                break
            self._expect_success(answer)
            listed = answer.json()
            if not isinstance(listed, list):
                raise BadAnswer(answer.host, "no list")
            entries += [entry for entry in listed if isinstance(entry, Mapping)]
            next_link = next_page(answer, following)
            following = next_address(self, following, next_link) if next_link else None
        return entries

    def _get(self, url: str, media_type: str) -> Answer:
        return self._call(url, {"Accept": media_type}, lambda sent: self.kit.http.get(url, Purpose.SCORE, sent))

    def _call(self, url: str, headers: Mapping[str, str], send: Callable[[dict[str, str]], Answer]) -> Answer:
        """Send with a token, and again with a new one if the platform does not accept it any more."""
        if not owns(self, url):
            raise ForeignAddress(self.registration_id)
        tokens = TokenClient(self.kit)
        token = tokens.token(self.registration_id, self.scopes & ALL_SCOPES)
        answer = send({**headers, "Authorization": f"Bearer {token.value}"})
        if answer.status == 401:
            tokens.forget(token)
            token = tokens.token(self.registration_id, self.scopes & ALL_SCOPES)
            answer = send({**headers, "Authorization": f"Bearer {token.value}"})
        return answer

    def _expect_success(self, answer: Answer) -> None:
        if not answer.is_success:
            raise GradebookUnavailable(self.registration_id, answer.status)


def address_beside_column(line_item_url: str, name: str) -> str:
    """The address of a line item's scores or results: a longer path, and the same query."""
    parts = urlsplit(line_item_url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}", fragment=""))


def with_query(url: str, more: Mapping[str, str]) -> str:
    """The address with these parameters added to its own."""
    parts = urlsplit(url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *more.items()]
    return urlunsplit(parts._replace(query=urlencode(query), fragment=""))


def _is_gone(answer: Answer) -> bool:
    """Whether the gradebook says that something is gone. A web page, as during maintenance, does not say so."""
    return answer.status in {404, 410} and b"<html" not in answer.body[:2000].lower()


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()


def _column(fields: object, asked_at: str | None) -> Column | None:
    if not isinstance(fields, Mapping):
        return None
    url = asked_at or fields.get("id")
    if not isinstance(url, str) or not url:
        return None
    label, link, resource = fields.get("label"), fields.get("resourceLinkId"), fields.get("resourceId")
    maximum = fields.get("scoreMaximum")
    return Column(
        url,
        label[:255] if isinstance(label, str) else "",
        str(link) if isinstance(link, str | int) else None,
        resource if isinstance(resource, str) else None,
        float(maximum) if _is_number(maximum) and 0 < maximum < MOST_POINTS else None,
    )


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

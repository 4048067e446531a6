"""Jobs that work out what the gradebook should hold, and send it."""

from datetime import timedelta
from typing import NoReturn

from lti_tool.errors import N_
from lti_tool.grades import rules
from lti_tool.grades.errors import ForeignAddress, GradebookUnavailable, ScoreNotDelivered
from lti_tool.grades.gateway import Receipt, Result, Score
from lti_tool.grades.handlers.columns import find, retry_when_token_is_due
from lti_tool.grades.rules import Kind, Reason, Verdict
from lti_tool.grades.service import columns, pushing, scores
from lti_tool.grades.service.pushing import NeedsColumn, Push, Wait
from lti_tool.jobs.queue import MAX_ATTEMPTS, GiveUp, JobContext, RetryLater
from lti_tool.registration.errors import RegistrationPaused, TokenRefused, TokenUnavailable
from lti_tool.registration.rules.registrations import LOOKS_DAILY
from lti_tool.support.http import CallFailed, Unreachable
from lti_tool.support.kit import Kit
from lti_tool.support.log import get_logger

log = get_logger(__name__)
COMMENT = N_("Sent by Tandem: completed.")
COMMENT_IN_PART = N_("Sent by Tandem: partly completed.")


def push(kit: Kit, job: JobContext) -> None:
    """Send one score, or record why it waits."""
    score_id = job.number("score_id")
    step = _begin(kit, job, score_id)
    if isinstance(step, NeedsColumn):
        _find_column_for(kit, job, step, score_id)
        step = _begin(kit, job, score_id)
    match step:
        case Push():
            _post(kit, job, step)
        case Wait():
            raise RetryLater(step.after)
        case _:
            return


def wake(kit: Kit, _: JobContext) -> None:
    """Send scores whose obstacle is gone."""
    with kit.open_session() as session:
        scores.wake(session, now=kit.clock.now())


def _begin(kit: Kit, job: JobContext, score_id: int) -> Push | Wait | NeedsColumn | None:
    with kit.open_session(job.institution) as session:
        return pushing.begin_push(session, kit, score_id, now=kit.clock.now())


def _post(kit: Kit, job: JobContext, push: Push) -> None:
    gradebook = push.place.gradebook
    comment = COMMENT if push.share == rules.WHOLE else COMMENT_IN_PART
    score = Score(push.sub, push.share, push.place.maximum, push.at, comment)
    try:
        if _gradebook_answers_it(kit, job, push):
            return
        receipt = gradebook.post_score(push.url, score)
    except (RegistrationPaused, ForeignAddress) as refusal:
        is_paused = isinstance(refusal, RegistrationPaused)
        _hold(kit, job, push, Reason.PAUSED if is_paused else Reason.NOT_ALLOWED, is_final=not is_paused)
        return
    except TokenRefused as refusal:
        with kit.open_session(job.institution) as session:
            pushing.never_left(session, push)
        _wait_for_token(kit, job, push.score_id, refusal)
        return
    except TokenUnavailable as away:
        _record_no_answer(kit, job, push, never_left=True, after=away.retry_after)
    except CallFailed as failure:
        # After a call that broke off, the platform may have the score or not.
        _record_no_answer(
            kit, job, push, never_left=isinstance(failure, Unreachable) and failure.reason != "broken off"
        )
    verdict = rules.judge(
        receipt.status,
        receipt.words,
        after=receipt.after,
        attempts=job.attempts,
        locked_status=gradebook.platform.says_locked_with,
        clock_offset=None if receipt.date is None else receipt.date - kit.clock.now(),
    )
    result: Result | None = None
    if verdict.kind is Kind.CONFLICT:
        result = _result(push)
        if result is not None and rules.is_same_score(push.share, result.score, result.maximum):
            verdict = Verdict(Kind.DELIVERED)
    pause = _record(kit, job, push, _daily_after_last_attempt(job, verdict), receipt=receipt, result=result)
    _schedule_next(kit, job, push, _daily_after_last_attempt(job, verdict), pause)


def _gradebook_answers_it(kit: Kit, job: JobContext, push: Push) -> bool:
    """Whether the gradebook shows that a post is needless or questionable.

    It is read before the post if an earlier post may have arrived, or if a person asked for the post, which could lower
    a grade.
    """
    if not (push.may_be_there or push.reads_first):
        return False
    result = _result(push)
    if result is None:
        return False
    if push.may_be_there and rules.is_same_score(push.share, result.score, result.maximum):
        _record(kit, job, push, Verdict(Kind.FOUND))
        return True
    if push.reads_first and rules.is_lower(push.share, result.score, result.maximum):
        with kit.open_session(job.institution) as session:
            pushing.ask_about_higher(session, push, result, now=kit.clock.now())
        return True
    return False


def _daily_after_last_attempt(job: JobContext, verdict: Verdict) -> Verdict:
    """The verdict, unless a job's last attempt failed: then the score waits and is sent daily, for a month."""
    is_last = verdict.kind is Kind.RETRY and job.attempts >= MAX_ATTEMPTS
    return Verdict(Kind.WAITS, verdict.reason, verdict.after or LOOKS_DAILY) if is_last else verdict


def _schedule_next(kit: Kit, job: JobContext, push: Push, verdict: Verdict, pause: timedelta | None) -> None:
    """Raise what makes the job run again, or look for a column that is gone."""
    match verdict.kind:
        case Kind.RETRY if verdict.after is not None:
            raise RetryLater(verdict.after)
        case Kind.RETRY:
            raise ScoreNotDelivered(push.score_id)
        case Kind.THROTTLED:
            raise RetryLater(verdict.after or rules.PAUSE_UNSAID)
        case Kind.CONFLICT:
            raise RetryLater(push.place.gradebook.platform.timestamp_step)
        case Kind.WAITS if pause is not None:
            raise RetryLater(pause)
        case Kind.GONE:
            _check_deleted_column(kit, job, push, pause)


def _check_deleted_column(kit: Kit, job: JobContext, push: Push, pause: timedelta | None) -> None:
    # If the column is there and only refuses scores, they need not be sent before the pause is over.
    again_at = None if pause is None else kit.clock.now() + pause
    try:
        find(kit, job, push.place.line_item_id, makes=False, not_before=again_at)
    except (CallFailed, TokenRefused, TokenUnavailable, GradebookUnavailable):
        # Only an answer about the column itself says that it was deleted.
        with kit.open_session(job.institution) as session:
            columns.treat_as_linked(session, push.place.line_item_id)
        raise RetryLater(pause or LOOKS_DAILY) from None


def _result(push: Push) -> Result | None:
    """What the gradebook holds for the learner; None if it may not be read or does not answer."""
    gradebook = push.place.gradebook
    try:
        return gradebook.result_of(push.url, push.sub) if gradebook.reads_results else None
    except (CallFailed, TokenUnavailable, GradebookUnavailable):
        return None


def _record_no_answer(
    kit: Kit, job: JobContext, push: Push, *, never_left: bool, after: timedelta | None = None
) -> NoReturn:
    """Record that no answer came, and try again later."""
    verdict = _daily_after_last_attempt(
        job, Verdict(Kind.RETRY, Reason.UNREACHABLE if after is None else Reason.BUSY, after)
    )
    pause = _record(kit, job, push, verdict, never_left=never_left)
    _schedule_next(kit, job, push, verdict, pause)
    raise GiveUp(verdict.reason or "")


def _wait_for_token(kit: Kit, job: JobContext, score_id: int, refusal: TokenRefused) -> None:
    """Leave the score waiting until the next request for a token."""
    now = kit.clock.now()
    with kit.open_session(job.institution) as session:
        goes_on = pushing.hold_for_now(session, score_id, rules.OF_DENIAL[refusal.denial], now=now)
    if goes_on:
        raise retry_when_token_is_due(kit, refusal)


def _record(
    kit: Kit,
    job: JobContext,
    push: Push,
    verdict: Verdict,
    *,
    receipt: Receipt | None = None,
    result: Result | None = None,
    never_left: bool = False,
) -> timedelta | None:
    status = receipt.status if receipt is not None else None
    if verdict.kind in {Kind.WAITS, Kind.REFUSED, Kind.GONE}:
        log.warning(
            "score refused",
            registration_id=push.place.gradebook.registration_id,
            score_id=push.score_id,
            status_code=status,
            reason=verdict.reason,
            is_final=verdict.kind is Kind.REFUSED,
        )
    with kit.open_session(job.institution) as session:
        return pushing.record(
            session,
            push,
            verdict,
            now=kit.clock.now(),
            status=status,
            date=receipt.date if receipt is not None else None,
            never_left=never_left,
            result=result,
        )


def _hold(kit: Kit, job: JobContext, push: Push, reason: Reason, *, is_final: bool) -> None:
    with kit.open_session(job.institution) as session:
        pushing.hold(session, push.score_id, reason, now=kit.clock.now(), is_final=is_final)
        pushing.never_left(session, push)


def _find_column_for(kit: Kit, job: JobContext, step: NeedsColumn, score_id: int) -> None:
    """Look for the column that a score needs. If that fails, record why the score waits."""

    def held(reason: Reason, *, is_final: bool) -> None:
        with kit.open_session(job.institution) as session:
            pushing.hold(session, score_id, reason, now=kit.clock.now(), is_final=is_final)

    def try_later(reason: Reason, after: timedelta | None) -> NoReturn:
        with kit.open_session(job.institution) as session:
            goes_on = pushing.hold_for_now(session, score_id, reason, now=kit.clock.now())
        if after is None and job.attempts >= MAX_ATTEMPTS:
            after = LOOKS_DAILY
        if not goes_on:
            raise GiveUp(reason)
        raise ScoreNotDelivered(score_id) if after is None else RetryLater(after)

    try:
        find(kit, job, step.line_item_id, makes=step.makes, skipped_score=score_id)
    except RegistrationPaused:
        held(Reason.PAUSED, is_final=False)
    except ForeignAddress:
        held(Reason.NOT_ALLOWED, is_final=True)
    except TokenRefused as refusal:
        _wait_for_token(kit, job, score_id, refusal)
    except TokenUnavailable as away:
        try_later(Reason.UNREACHABLE if away.retry_after is None else Reason.BUSY, away.retry_after)
    except CallFailed:
        try_later(Reason.UNREACHABLE, None)
    except GradebookUnavailable:
        try_later(Reason.TROUBLE, None)

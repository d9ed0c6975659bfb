"""Say what a broadcast waits for when a call fails that is made before anybody is claimed.

Source: docs/specification.md §6.6.
"""

import logging
from datetime import datetime
from typing import Final, TypeAlias

from service.domain.broadcasts.sending.articles import copy_for_next_chunk, freeze_article
from service.domain.broadcasts.sending.judging import BACK_OFF, Stop, judge_delay, judge_refusal, judge_request
from service.domain.broadcasts.sending.session import Session
from service.domain.official_account.refusals import CallLaterError
from service.domain.runtime import Runtime
from service.entities.broadcasts import MessageKind, WaitReason
from service.entities.channels import Channel
from service.entities.errors import RequestError
from service.entities.jobs import Job, JobState
from service.storage.broadcasts import broadcasts
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import UnansweredError, WechatError

PreparingError: TypeAlias = WechatError | UnansweredError | CallLaterError | RequestError
PREPARING_ERRORS: Final = (WechatError, UnansweredError, CallLaterError, RequestError)
# Repeats do not cure these, whoever the message is for.
REFUSED: Final = frozenset(
    {Decision.OUR_FAULT, Decision.UNKNOWN, Decision.SKIP_PERSON, Decision.PERSON_UNREACHABLE, Decision.PARTIAL}
)

log = logging.getLogger(__name__)


async def freeze_content(runtime: Runtime, channel: Channel, job: Job) -> None:
    """Keep what the draft of an article holds, if the audience is frozen now.

    Where WeChat does not tell it, it is asked again, and the broadcast stopped if need be, before the first chunk.
    """
    async with runtime.pool.acquire() as conn:
        broadcast = await broadcasts.broadcast(conn, job.channel_id, job.job_id)
    if broadcast is None or broadcast.frozen_at is None or broadcast.kind is not MessageKind.MASS_ARTICLE:
        return
    try:
        await freeze_article(runtime, channel, broadcast)
    except PREPARING_ERRORS as error:
        log.info("the article of broadcast %d of channel %d is not read yet: %s", job.job_id, job.channel_id, error)


async def draft_for_next_chunk(session: Session) -> str | Stop | None:
    """Return the draft that the next chunk of an article is sent with, None for other kinds, or what stops it."""
    try:
        return await copy_for_next_chunk(session.runtime, session.channel, session.broadcast)
    except PREPARING_ERRORS as error:
        return stop_for(error, session.runtime.clock(), refused=WaitReason.REFUSED_MESSAGE)


def stop_for(error: PreparingError, now: datetime, *, refused: WaitReason) -> Stop:
    """Return how a broadcast goes on after a call failed, PAUSED with `refused` where WeChat refuses for good."""
    if isinstance(error, RequestError):
        return judge_request(error).stop or BACK_OFF
    if isinstance(error, CallLaterError):
        return judge_delay(error).stop or BACK_OFF
    if isinstance(error, UnansweredError):
        return BACK_OFF
    if error.decision in REFUSED:
        return Stop(JobState.PAUSED, refused, because=error.message_for_clients)
    return judge_refusal(error, now).stop or BACK_OFF

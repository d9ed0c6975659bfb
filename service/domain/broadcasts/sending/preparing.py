"""Say what a broadcast waits for when a call fails that is made before anybody is claimed.

Source: docs/specification.md §6.6.
"""

from datetime import datetime
from typing import Final, TypeAlias

from service.domain.broadcasts.sending.articles import copy_for_next_chunk
from service.domain.broadcasts.sending.judging import BACK_OFF, Stop, judge_delay, judge_refusal, judge_request
from service.domain.broadcasts.sending.session import Session
from service.domain.official_account.refusals import CallLaterError
from service.entities.broadcasts import WaitReason
from service.entities.errors import RequestError
from service.entities.jobs import JobState
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import UnansweredError, WechatError

PreparingError: TypeAlias = WechatError | UnansweredError | CallLaterError | RequestError
PREPARING_ERRORS: Final = (WechatError, UnansweredError, CallLaterError, RequestError)
# Repeats do not cure these, whoever the message is for.
REFUSED: Final = frozenset(
    {Decision.OUR_FAULT, Decision.UNKNOWN, Decision.SKIP_PERSON, Decision.PERSON_UNREACHABLE, Decision.PARTIAL}
)


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

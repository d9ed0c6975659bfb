"""Judge what a call that sends ended with: what is known of its message, and whether the broadcast goes on.

Source: docs/specification.md §6.6; the decisions on codes are those of §6.1.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from service.domain.official_account.refusals import CallLaterError
from service.entities.broadcast_ledger import Outcome
from service.entities.broadcasts import SendState, WaitReason
from service.entities.errors import ErrorCode, RequestError
from service.entities.jobs import JobState
from service.wechat.api.decisions import Decision, decide, decide_on_token
from service.wechat.api.errors import UnansweredError, WechatError
from service.wechat.api.message_calls import Sent

# An administrator has half an hour to confirm; until then it is asked now and then.
ASK_AGAIN_AFTER: Final = timedelta(minutes=5)
# WeChat asks to wait a minute where it works on the first call with an id still, or is called too fast.
TOO_FAST_FOR: Final = timedelta(minutes=1)
TOO_FAST: Final = 42010
STILL_WORKED_ON: Final = 45066


@dataclass(frozen=True, slots=True)
class Stop:
    """Say in which state a broadcast goes on waiting, for what, and until when.

    With `state` WAITING and no `until` it waits the longer, the more often that happened in a row.
    """

    state: JobState
    waiting_for: WaitReason
    until: datetime | None = None
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold what is known of a message, None if certainly nothing was sent, and what stops the broadcast.

    With `about_one` a list was refused as a whole for one person in it; unless `called` WeChat was not even asked.
    """

    outcome: Outcome | None
    stop: Stop | None = None
    about_one: bool = False
    called: bool = True


NOT_CALLED: Final = Verdict(None, called=False)
BACK_OFF: Final = Stop(JobState.WAITING, WaitReason.RATE)


def judge_answer(answer: Sent) -> Verdict:
    """Judge a call that WeChat took."""
    return Verdict(Outcome(SendState.SENT, msg_id=answer.msg_id))


def judge_silence(error: UnansweredError) -> Verdict:
    """Judge a call without a usable answer: it was sent for all one knows, unless not a byte went out."""
    outcome = Outcome(SendState.UNKNOWN, reason=error.reason) if error.sent else None
    return Verdict(outcome, BACK_OFF, called=error.sent)


def judge_refusal(error: WechatError, now: datetime) -> Verdict:
    """Judge a call that WeChat answered with a code, or one that was not made as it refuses a token with that code."""
    refused = Outcome(SendState.REFUSED, error.errcode, error.errmsg)
    unknown = Outcome(SendState.UNKNOWN, error.errcode, error.errmsg)
    match error.decision:
        case Decision.ALREADY_DONE:
            return Verdict(Outcome(SendState.SENT, error.errcode, msg_id=error.msg_id))
        case Decision.SKIP_PERSON | Decision.PERSON_UNREACHABLE:
            return Verdict(refused, about_one=True)
        case Decision.OUR_FAULT:
            return Verdict(None, _paused(WaitReason.REFUSED_MESSAGE, error))
        case Decision.UNKNOWN:
            return Verdict(refused, _paused(WaitReason.REFUSED_MESSAGE, error))
        case Decision.STOP_ACCOUNT:
            return Verdict(None, _paused(WaitReason.CONFIGURATION, error))
        case Decision.WAIT_FOR_ADMIN:
            stop = Stop(JobState.WAITING_FOR_APPROVAL, WaitReason.WECHAT_ADMIN, now + ASK_AGAIN_AFTER)
            return Verdict(unknown, stop)
        case Decision.REFRESH:
            return Verdict(None, BACK_OFF)
        case Decision.BACK_OFF if error.errcode == TOO_FAST:
            return Verdict(None, Stop(JobState.WAITING, WaitReason.RATE, now + TOO_FAST_FOR))
        case Decision.BACK_OFF if error.errcode == STILL_WORKED_ON:
            return Verdict(unknown, Stop(JobState.WAITING, WaitReason.RATE, now + TOO_FAST_FOR))
        case _:
            return Verdict(unknown, BACK_OFF)


def judge_delay(error: CallLaterError) -> Verdict:
    """Judge a call that was not made, or was refused, as none can be before an instant."""
    if error.errcode is not None and decide_on_token(error.errcode) is Decision.STOP_ACCOUNT:
        # Another call was refused: this broadcast is as it should be for all one knows.
        return Verdict(None, Stop(JobState.WAITING, WaitReason.CONFIGURATION, error.until, error.because))
    quota = error.errcode is not None and decide(error.errcode) is Decision.WAIT_FOR_QUOTA
    reason = WaitReason.QUOTA if quota else WaitReason.RATE
    return Verdict(None, Stop(JobState.WAITING, reason, error.until), called=error.errcode is not None)


def judge_request(error: RequestError) -> Verdict:
    """Judge a call that was not made since the account, or this installation, calls nobody."""
    acting = error.code is ErrorCode.UPSTREAM
    reason = WaitReason.OPERATOR if acting else WaitReason.CONFIGURATION
    return Verdict(None, Stop(JobState.PAUSED, reason, because=error.message), called=False)


def _paused(reason: WaitReason, error: WechatError) -> Stop:
    return Stop(JobState.PAUSED, reason, because=error.message_for_clients)

"""Say why no call is made to WeChat now, and turn what a call ends with into what clients see."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from service.domain.jobs.running import JobMustWaitError
from service.domain.official_account.acting import ActingState, acting_state
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import BadInputError, ChannelNotBoundError, FieldError, UpstreamError
from service.foundation.clock import format_time
from service.wechat.api.errors import UnansweredError, WechatError


class CallLaterError(JobMustWaitError):
    """Report that no call can be made before `until`, and why; `errcode` is WeChat's, where it said so."""

    def __init__(self, because: str, until: datetime, errcode: int | None = None) -> None:
        super().__init__(f"No call to WeChat before {until:%Y-%m-%d %H:%M:%S} UTC: {because}", until)
        self.because = because
        self.errcode = errcode

    @property
    def message_for_clients(self) -> str:
        """Return what clients are told: why, and when it can be tried again."""
        return f"{self.because} The next call can be made {format_time(self.until)}."


def require_official_account(runtime: Runtime, channel: Channel) -> None:
    """Raise the error by which a client sees that a channel's Official Account cannot be called.

    BadInputError for a Mini Program, else what `require_account` raises.
    """
    _require_acting(runtime)
    if channel.mini_program:
        raise _bad_channel("MINI_PROGRAM", "A Mini Program has no followers and no tags at WeChat.")
    require_account(runtime, channel)


def require_account(runtime: Runtime, channel: Channel) -> None:
    """Raise the error by which a client sees that WeChat cannot be called for a channel, of whatever kind.

    UpstreamError where this installation does not act, ChannelNotBoundError where the channel is unbound or an
    unverified subscription account, BadInputError without an app secret.
    """
    _require_acting(runtime)
    if not channel.usable:
        raise ChannelNotBoundError
    if channel.encrypted_app_secret is None:
        raise _bad_channel("NO_APP_SECRET", "WeChat cannot be called without the app secret of the channel.")


def _require_acting(runtime: Runtime) -> None:
    match acting_state(runtime):
        case ActingState.OFF:
            raise UpstreamError("This installation makes no calls to WeChat (USER_TAGS_ACTING is off).")
        case ActingState.UNCONFIRMED:
            raise UpstreamError(
                "This installation makes no calls to WeChat: its database is that of another one. Whoever runs it can "
                "allow them (`user-tags acting --confirm`)."
            )


@contextmanager
def shown_to_clients() -> Generator[None]:
    """Turn what calls in the block end with into UpstreamError."""
    try:
        yield
    except WechatError as error:
        raise UpstreamError(error.message_for_clients, error.errcode) from error
    except (UnansweredError, TimeoutError) as error:
        raise UpstreamError(UnansweredError.message_for_clients) from error
    except CallLaterError as error:
        raise UpstreamError(error.message_for_clients, error.errcode) from error


def _bad_channel(code: str, message: str) -> BadInputError:
    return BadInputError(FieldError(("channel_id",), code, message))

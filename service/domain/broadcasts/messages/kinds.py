"""Say which kinds of messages an account can send.

Source: developers.weixin.qq.com `/doc/service/guide/product/message`; docs/specification.md §6.6.
"""

from typing import Final, assert_never

from service.entities.broadcasts import MessageKind
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import FieldError, FieldPath
from service.entities.expressions import Expression, Operator

NEEDS_TAG: Final = (
    "A subscription account sends mass messages to one of its own tags at WeChat only. Sync the one tag that is the "
    "audience, or allow a temporary tag."
)


def kind_error(channel: Channel, kind: MessageKind, path: FieldPath) -> FieldError | None:
    """Return why a channel's account cannot send a kind of message, for the input at `path`; None if it can."""
    if (reason := _reason(channel, kind)) is None:
        return None
    return FieldError(path, "KIND_NOT_ALLOWED", reason)


def route_errors(
    channel: Channel, kind: MessageKind, audience: Expression, *, temporary_tag: bool, path: FieldPath
) -> list[FieldError]:
    """Return why an audience can be sent to through a temporary remote tag only, for the input at `path`.

    A subscription account sends mass messages to one of its tags at WeChat only.
    """
    by_tag = kind.mass and channel.kind is ChannelKind.SUBSCRIPTION_ACCOUNT
    if not by_tag or temporary_tag or audience.operator is Operator.TAG:
        return []
    return [FieldError(path, "NEEDED", NEEDS_TAG)]


def _reason(channel: Channel, kind: MessageKind) -> str | None:
    match kind:
        case MessageKind.MASS_TEXT | MessageKind.MASS_IMAGE | MessageKind.MASS_ARTICLE:
            allowed = not channel.mini_program
            needed = "a verified Official Account"
        case MessageKind.TEMPLATE | MessageKind.SERVICE_SUBSCRIPTION:
            allowed = channel.kind is ChannelKind.SERVICE_ACCOUNT
            needed = "a verified service account"
        case MessageKind.CUSTOMER_SERVICE_TEXT:
            allowed = True
            needed = "a verified Official Account or a Mini Program"
        case MessageKind.MINI_PROGRAM_SUBSCRIPTION:
            allowed = channel.mini_program
            needed = "a Mini Program"
        case _:
            assert_never(kind)
    if allowed and (channel.verified or channel.mini_program):
        return None
    return f"Only {needed} sends this kind of message."

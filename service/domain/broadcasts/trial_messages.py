"""Send a message to a few people to see how it looks, outside all broadcasts (docs/specification.md §6.6)."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from service.domain.audit.recording import record
from service.domain.audit.values import channel_ref
from service.domain.broadcasts.messages.calls import call_to_one, mass_content
from service.domain.broadcasts.messages.categories import category_errors
from service.domain.broadcasts.messages.checking import examine_message
from service.domain.broadcasts.messages.rendering import MessageRenderer, Values
from service.domain.broadcasts.messages.tag_values import TagValueReader
from service.domain.broadcasts.recorded import message_value
from service.domain.channels.lookup import find_channel
from service.domain.input_rules import check_openids
from service.domain.official_account.acting import refresh_acting
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.refusals import CallLaterError, require_account
from service.domain.runtime import Runtime
from service.entities.audit import Hidden
from service.entities.broadcast_messages import BroadcastMessage, SubscriptionMessage
from service.entities.channels import Channel
from service.entities.errors import (
    BadInputError,
    ChannelNotBoundError,
    FieldError,
    LimitExceededError,
)
from service.entities.principal import Permission, Principal
from service.storage import tags, users
from service.storage.broadcasts import broadcast_sends
from service.storage.database.pool import Connection
from service.wechat.api.call import ApiCall
from service.wechat.api.errors import UnansweredError, WechatError
from service.wechat.api.message_calls import preview_mass

MAX_TEST_OPENIDS: Final = 5
NO_VALUE: Final = "The person has no tag of a category that the message names, and there is no fallback."
UNCERTAIN: Final = "WeChat did not answer; the message may have been sent all the same."
NOT_SENT: Final = "WeChat could not be reached; nothing was sent."


log = logging.getLogger(__name__)


class TrialResult(NamedTuple):
    """Hold whether WeChat took a test message; if not, its code where it told one, and the reason for people."""

    openid: str
    sent: bool
    errcode: int | None = None
    reason: str | None = None


async def send_test_message(
    runtime: Runtime, principal: Principal, channel_id: int, message: BroadcastMessage, openids: Sequence[str]
) -> list[TrialResult]:
    """Send a message to at most 5 people, each once, and return what became of it, in the order of the openids.

    No cap holds it back, no broadcast counts it, and nobody has received one by it; a subscription message uses up what
    people allowed all the same. Mass messages go by WeChat's preview. It is recorded before it is sent.

    Raises ForbiddenError, NotFoundError, LimitExceededError, BadInputError naming all that is wrong,
    ChannelNotBoundError, and UpstreamError where this installation does not act.
    """
    await refresh_acting(runtime)
    async with runtime.pool.acquire() as conn:
        channel = await find_channel(conn, principal, channel_id, Permission.BROADCAST)
        if len(openids) > MAX_TEST_OPENIDS:
            raise LimitExceededError(f"At most {MAX_TEST_OPENIDS} openids a test.")
        checked = await _checked(conn, channel, message, openids)
        require_account(runtime, channel)
        people = list(dict.fromkeys(openids))
        renderer = MessageRenderer(checked)
        values = await _values(conn, channel, renderer, people)
        await record(
            conn,
            runtime,
            principal,
            "send_test_message",
            channel_id=channel_id,
            target=channel_ref(channel_id),
            after={
                "kind": message.kind,
                "message": message_value(checked),
                "openids": [Hidden("openid", openid) for openid in people],
            },
        )
    rendered = {openid: renderer.render(openid, values.get(openid, {})) for openid in people}
    results = await asyncio.gather(*(_send(runtime, channel, openid, each) for openid, each in rendered.items()))
    if isinstance(checked, SubscriptionMessage):
        reached = [each.openid for each in results if each.sent or each.reason == UNCERTAIN]
        await _use_consents(runtime, channel, checked.template_id, reached)
    said = {"act": "test", "subject": principal.subject, "role": principal.role.value, "robot": principal.robot_id}
    sent = sum(each.sent for each in results)
    log.info(
        "test message in channel %d",
        channel_id,
        extra={**said, "kind": message.kind, "people": len(people), "sent": sent},
    )
    return list(results)


async def _checked(
    conn: Connection, channel: Channel, message: BroadcastMessage, openids: Sequence[str]
) -> BroadcastMessage:
    """Return the message as it is sent. Raises BadInputError, and ChannelNotBoundError while the gate is closed."""
    examined = examine_message(channel, message)
    errors = [*examined.errors]
    catalogue = await tags.catalogue(conn, channel.channel_id)
    if not catalogue.open:
        raise ChannelNotBoundError
    if not errors:
        errors += category_errors(catalogue, examined.message)
    if not openids:
        errors.append(FieldError(("openids",), "TOO_FEW", "At least one person gets a test."))
    try:
        check_openids(openids)
    except BadInputError as error:
        errors += error.fields
    if errors:
        raise BadInputError(*errors)
    return examined.message


async def _values(
    conn: Connection, channel: Channel, renderer: MessageRenderer, openids: Sequence[str]
) -> Mapping[str, Values]:
    """Return what is known of people, `{openid: values}`; somebody who is not known has no values."""
    if not renderer.categories:
        return {}
    ordinals = await users.ordinals_of(conn, channel.channel_id, openids)
    values = await TagValueReader(channel.channel_id, renderer.categories).read(conn, list(ordinals.values()))
    return {openid: values.get(ordinal, {}) for openid, ordinal in ordinals.items()}


async def _send(runtime: Runtime, channel: Channel, openid: str, message: BroadcastMessage | None) -> TrialResult:
    if message is None:
        return TrialResult(openid, sent=False, reason=NO_VALUE)
    call: ApiCall[Any] = (
        preview_mass(openid, mass_content(message)) if message.kind.mass else call_to_one(message, openid)
    )
    try:
        await call_wechat(runtime, channel, call)
    except (WechatError, CallLaterError) as error:
        return TrialResult(openid, sent=False, errcode=error.errcode, reason=error.message_for_clients)
    except UnansweredError as error:
        return TrialResult(openid, sent=False, reason=UNCERTAIN if error.sent else NOT_SENT)
    return TrialResult(openid, sent=True)


async def _use_consents(runtime: Runtime, channel: Channel, template_id: str, openids: Sequence[str]) -> None:
    """Record that what these people allowed is used up at WeChat."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        ordinals = await users.ordinals_of(conn, channel.channel_id, openids)
        await broadcast_sends.use_consents(
            conn, channel.channel_id, template_id, sorted(ordinals.values()), runtime.clock()
        )

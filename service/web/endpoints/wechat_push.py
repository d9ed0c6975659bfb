"""`/wechat/{secret}`: WeChat's message push (developers.weixin.qq.com/doc/oplatform/developers/dev/push).

WeChat waits 5 seconds and tries three times, so `success` is said as soon as the event is durable and never before.
"""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Final

import asyncpg
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from service.domain.events.recorder import EventRecorder
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.users import UserEvent
from service.foundation.clock import Clock
from service.foundation.encryption import lookup_hash
from service.storage import channels
from service.storage.database.pool import CONNECTION_LOST
from service.wechat.pushes import MAX_BODY_BYTES, Push, PushRejectedError, PushRejection, decode_push, verify_url

LAST_CALL_UPDATE_INTERVAL: Final = timedelta(minutes=1)
STATUS_CODES: Final = {PushRejection.TOO_LARGE: 413, PushRejection.BAD_SIGNATURE: 403, PushRejection.STALE: 403}

log = logging.getLogger(__name__)


class WechatPushEndpoint:
    """The two requests WeChat makes: GET when the address is configured, POST for each message and event."""

    def __init__(self, runtime: Runtime, recorder: EventRecorder) -> None:
        self._runtime = runtime
        self._recorder = recorder
        self._clock: Clock = runtime.clock
        self._recorded_at: dict[int, datetime] = {}

    async def get(self, request: Request) -> Response:
        return await _retry_on_outage(self._verify(request))

    async def post(self, request: Request) -> Response:
        return await _retry_on_outage(self._receive(request))

    async def _verify(self, request: Request) -> Response:
        channel = await self._find_channel(request)
        if channel is None:
            return _error_response(404, "NOT_FOUND")
        try:
            echo = verify_url(
                request.query_params,
                self._callback_token(channel),
                self._clock(),
                self._runtime.settings.push_signature_max_age,
            )
        except PushRejectedError as error:
            return _rejection_response(error)
        return PlainTextResponse(echo)

    async def _receive(self, request: Request) -> Response:
        channel = await self._find_channel(request)
        if channel is None:
            return _error_response(404, "NOT_FOUND")
        try:
            push = decode_push(
                request.query_params,
                await _read_body(request),
                token=self._callback_token(channel),
                encoding_aes_key=self._encoding_aes_key(channel),
                app_id=channel.app_id,
                now=self._clock(),
                max_age=self._runtime.settings.push_signature_max_age,
            )
        except PushRejectedError as error:
            log.info("a push to channel %d was refused: %s", channel.channel_id, error)
            return _rejection_response(error)
        return await self._record(channel, push)

    async def _record(self, channel: Channel, push: Push) -> Response:
        events = [UserEvent(push.openid, kind, push.at) for kind in sorted(push.facts)]
        recorded = await self._recorder.record(channel, events)
        await self._record_last_push(channel)
        if recorded.rejected:
            return _error_response(400, recorded.rejected[0].code)
        return PlainTextResponse("success")

    async def _record_last_push(self, channel: Channel) -> None:
        now = self._clock()
        recorded_at = self._recorded_at.get(channel.channel_id)
        if recorded_at is not None and recorded_at <= now < recorded_at + LAST_CALL_UPDATE_INTERVAL:
            return
        self._recorded_at[channel.channel_id] = now
        async with self._runtime.pool.acquire() as conn:
            await channels.set_last_push_at(conn, channel.channel_id, now, now - LAST_CALL_UPDATE_INTERVAL)

    async def _find_channel(self, request: Request) -> Channel | None:
        async with self._runtime.pool.acquire() as conn:
            return await channels.channel_by_push_secret(conn, lookup_hash(request.path_params["secret"]))

    def _callback_token(self, channel: Channel) -> str:
        """Empty when none is set, and then no signature can hold."""
        sealed = channel.encrypted_callback_token
        return "" if sealed is None else self._runtime.secret_box.decrypt(sealed)

    def _encoding_aes_key(self, channel: Channel) -> str | None:
        sealed = channel.encrypted_encoding_aes_key
        return None if sealed is None else self._runtime.secret_box.decrypt(sealed)


async def _retry_on_outage(answer: Awaitable[Response]) -> Response:
    """503 while the database cannot say or keep anything: neither `success` nor an address that does not exist."""
    try:
        return await answer
    except (*CONNECTION_LOST, asyncpg.PostgresError):
        log.exception("a push could not be handled; WeChat will try again")
        return _error_response(503, "TRY_AGAIN")


async def _read_body(request: Request) -> bytes:
    """The body, but never much more than what may be in one."""
    body = bytearray()
    try:
        async with asyncio.timeout(5):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    break
    except (ClientDisconnect, TimeoutError):
        raise PushRejectedError(PushRejection.BAD_XML, "the body did not arrive") from None
    return bytes(body)


def _rejection_response(error: PushRejectedError) -> Response:
    return _error_response(STATUS_CODES.get(error.code, 400), error.code)


def _error_response(status: int, code: str) -> Response:
    return PlainTextResponse(code, status_code=status)

"""`/wechat/{secret}`: take WeChat's message push (docs/specification.md §9.2).

Source: developers.weixin.qq.com/doc/oplatform/developers/dev/push. WeChat waits 5 seconds and tries three times, so
`success` is answered as soon as the event is durable and never before.
"""

import logging
from collections.abc import Awaitable
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from service.domain.channels.push_credentials import PushCredentials, open_push_credentials
from service.domain.privacy.forgetting import forget_openid
from service.entities.channels import Channel
from service.entities.users import UserEvent
from service.resources import Resources, resources_of
from service.storage import channels
from service.storage.database.pool import DATABASE_ERRORS
from service.web.endpoints.body import BodyNotReceivedError, BodyTooLargeError, read_body
from service.web.endpoints.last_calls import MIN_INTERVAL, LastCalls
from service.wechat.pushes import MAX_BODY_BYTES, Push, PushRejectedError, PushRejection, decode_push, verify_url

BODY_TIMEOUT: Final = timedelta(seconds=5)
STATUS_CODES: Final = {PushRejection.TOO_LARGE: 413, PushRejection.BAD_SIGNATURE: 403, PushRejection.STALE: 403}

log = logging.getLogger(__name__)


class WechatPushEndpoint:
    """Answer the two requests that WeChat makes: GET when the address is configured, POST for a message or an event.

    Errors are plain text: 404 for an unknown address, 413, 403 or 400 for a push that is rejected, 503 where the
    database cannot record it.
    """

    def __init__(self) -> None:
        self._last_pushes: LastCalls[int] = LastCalls()

    async def get(self, request: Request) -> Response:
        """Return the `echostr` of a genuine request."""
        return await _retry_on_outage(request, self._verify(request))

    async def post(self, request: Request) -> Response:
        """Record what a genuine push says of the user, then answer `success`."""
        return await _retry_on_outage(request, self._receive(request))

    async def _verify(self, request: Request) -> Response:
        resources = resources_of(request.scope)
        credentials = await open_push_credentials(resources.runtime, request.path_params["secret"])
        if credentials is None:
            return _error_response(404, "NOT_FOUND")
        runtime = resources.runtime
        try:
            echo = verify_url(
                request.query_params,
                credentials.callback_token,
                runtime.clock(),
                runtime.settings.push_signature_max_age,
            )
        except PushRejectedError as error:
            return _rejection_response(error)
        return PlainTextResponse(echo)

    async def _receive(self, request: Request) -> Response:
        resources = resources_of(request.scope)
        credentials = await open_push_credentials(resources.runtime, request.path_params["secret"])
        if credentials is None:
            return _error_response(404, "NOT_FOUND")
        try:
            push = await _read_push(request, resources, credentials)
        except PushRejectedError as error:
            log.info("a push to channel %d was rejected: %s", credentials.channel.channel_id, error)
            return _rejection_response(error)
        return await self._record(resources, credentials.channel, push)

    async def _record(self, resources: Resources, channel: Channel, push: Push) -> Response:
        events = [UserEvent(push.openid, kind, push.at) for kind in sorted(push.facts)]
        recorded = await resources.event_recorder.record(channel, events)
        for rejection in recorded.rejected:
            # Sent again it would say the same, so WeChat must not be made to.
            log.info("a push to channel %d says nothing that is kept: %s", channel.channel_id, rejection.reason)
        await resources.result_recorder.record(channel.channel_id, push.results)
        if push.is_cancellation:
            await forget_openid(resources.runtime, channel.channel_id, push.openid)
        now = resources.runtime.clock()
        if self._last_pushes.is_due(channel.channel_id, now):
            async with resources.runtime.pool.acquire() as conn:
                await channels.set_last_push_at(conn, channel.channel_id, now, now - MIN_INTERVAL)
        return PlainTextResponse("success")


async def _read_push(request: Request, resources: Resources, credentials: PushCredentials) -> Push:
    """Return the push in the body; raises PushRejectedError."""
    try:
        body = await read_body(request, max_bytes=MAX_BODY_BYTES, within=BODY_TIMEOUT)
    except BodyTooLargeError as error:
        raise PushRejectedError(PushRejection.TOO_LARGE, str(error)) from None
    except BodyNotReceivedError:
        raise PushRejectedError(PushRejection.BAD_XML, "the body did not arrive") from None
    now = resources.runtime.clock()
    return decode_push(
        request.query_params,
        body,
        token=credentials.callback_token,
        encoding_aes_key=credentials.encoding_aes_key,
        app_ids=credentials.channel.app_ids(now),
        now=now,
        max_age=resources.runtime.settings.push_signature_max_age,
    )


async def _retry_on_outage(request: Request, answer: Awaitable[Response]) -> Response:
    """Answer 503 while the database fails, so that WeChat tries again: neither `success` nor an unknown address."""
    try:
        return await answer
    except DATABASE_ERRORS:
        log.exception("a push could not be handled; WeChat will try again; request %s", request.state.request_id)
        return _error_response(503, "TRY_AGAIN")


def _rejection_response(error: PushRejectedError) -> Response:
    return _error_response(STATUS_CODES.get(error.code, 400), error.code)


def _error_response(status: int, code: str) -> Response:
    return PlainTextResponse(code, status_code=status)

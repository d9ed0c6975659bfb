"""`/openapi/label/batchset/{token}`: take data handed back by clients of the WeChat dialogue platform.

Source: docs/specification.md §9.1. The call has no signature and no nonce, so nothing keeps it from being sent twice;
the second time changes nothing.
"""

import asyncio
import logging
from datetime import timedelta
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from service.domain.return_data.endpoint import channel_of_call, decrypt_key, endpoint_of_token
from service.domain.return_data.requests import Submission
from service.domain.runtime import Runtime
from service.entities.errors import ChannelNotBoundError, ErrorCode, NotFoundError, RequestError
from service.entities.return_data import Receipt, ReturnEndpoint, ReturnSource
from service.resources import Resources, resources_of
from service.storage.database.pool import DATABASE_ERRORS
from service.storage.return_data import endpoints
from service.web.endpoints.body import BodyNotReceivedError, BodyTooLargeError, read_body
from service.web.endpoints.last_calls import MIN_INTERVAL, LastCalls
from service.web.strangers import STRANGER_KEY
from service.wechat.batchset import (
    MAX_BODY_BYTES,
    BatchsetCall,
    BatchsetCode,
    BatchsetRejectedError,
    decrypt_call,
    parse_call,
    read_envelope,
)

BODY_TIMEOUT: Final = timedelta(seconds=30)
# The platform has a code for these errors of ours; any other is -1.
BATCHSET_CODES: Final = {ErrorCode.CHANNEL_NOT_BOUND: BatchsetCode.NOT_APPROVED}

log = logging.getLogger(__name__)


class BatchsetEndpoint:
    """Take calls. Every answer is HTTP 200 with JSON that old and new clients of the platform understand."""

    def __init__(self) -> None:
        self._last_calls: LastCalls[str] = LastCalls()

    async def post(self, request: Request) -> Response:
        """Hand back the list in the body, and answer with its counts or with one of the platform's error codes."""
        request_id = request.state.request_id
        try:
            receipt = await self._receive(request)
        except BatchsetRejectedError as error:
            if error.code is BatchsetCode.TOKEN_INVALID:
                request.scope["state"][STRANGER_KEY] = True
            return _response(error.code, error.message, request_id)
        except RequestError as error:
            return _response(BATCHSET_CODES.get(error.code, BatchsetCode.OTHER), error.message, request_id)
        except DATABASE_ERRORS:
            log.exception("returned data could not be written; request %s", request_id)
            return _response(BatchsetCode.OTHER, "try again", request_id)
        return _response(BatchsetCode.OK, "ok", request_id, receipt)

    async def _receive(self, request: Request) -> Receipt:
        resources = resources_of(request.scope)
        endpoint = await _find_endpoint(resources.runtime, request.path_params["token"])
        content_type, body = request.headers.get("content-type", ""), await _read_body(request)
        key = decrypt_key(resources.runtime, endpoint)
        # In a thread, since megabytes take longer than other requests may wait.
        call = await asyncio.to_thread(_open_call, content_type, body, key, endpoint.app_id)
        await self._record_last_call(resources.runtime, endpoint)
        return await _submit(resources, endpoint, call)

    async def _record_last_call(self, runtime: Runtime, endpoint: ReturnEndpoint) -> None:
        now = runtime.clock()
        if self._last_calls.is_due(endpoint.robot_id, now):
            async with runtime.pool.acquire() as conn:
                await endpoints.set_last_call_at(conn, endpoint.robot_id, now, now - MIN_INTERVAL)


def _open_call(content_type: str, body: bytes, key: str, app_id: str) -> BatchsetCall:
    encrypted = read_envelope(content_type, body)
    return parse_call(decrypt_call(encrypted, encoding_aes_key=key, app_id=app_id))


async def _find_endpoint(runtime: Runtime, token: str) -> ReturnEndpoint:
    endpoint = await endpoint_of_token(runtime, token)
    if endpoint is None:
        raise BatchsetRejectedError(BatchsetCode.TOKEN_INVALID, "TOKEN is not valid")
    return endpoint


async def _submit(resources: Resources, endpoint: ReturnEndpoint, call: BatchsetCall) -> Receipt:
    try:
        channel = await channel_of_call(resources.runtime, endpoint, call.app_id)
    except ChannelNotBoundError:
        raise BatchsetRejectedError(BatchsetCode.NOT_APPROVED, "no verified Official Account is bound") from None
    except NotFoundError:
        raise BatchsetRejectedError(BatchsetCode.APP_ID_ILLEGAL, "this appid is no channel of the robot") from None
    submission = Submission(call.category, call.label, call.description, call.openids, source=ReturnSource.HTTP)
    return (await resources.return_recorder.submit(channel, submission)).receipt


async def _read_body(request: Request) -> bytes:
    try:
        return await read_body(request, max_bytes=MAX_BODY_BYTES, within=BODY_TIMEOUT)
    except BodyTooLargeError:
        raise BatchsetRejectedError(BatchsetCode.OTHER, f"a body has at most {MAX_BODY_BYTES:,} bytes") from None
    except BodyNotReceivedError:
        raise BatchsetRejectedError(BatchsetCode.OTHER, "the body did not arrive") from None


def _response(code: BatchsetCode, message: str, request_id: str, receipt: Receipt | None = None) -> Response:
    """Return an answer that is both shapes of the platform's in one; `data` is ours."""
    content: dict[str, object] = {
        "code": int(code),
        "errcode": int(code),
        "msg": message,
        "errmsg": message,
        "rid": request_id,
    }
    if receipt is not None:
        content["data"] = {
            "added": receipt.added,
            "unchanged": receipt.unchanged,
            "duplicates": receipt.duplicates,
            "new_users": receipt.new_users,
            "rejected": [{"index": each.index, "reason": each.reason} for each in receipt.rejected],
        }
    return Response(orjson.dumps(content), media_type="application/json")

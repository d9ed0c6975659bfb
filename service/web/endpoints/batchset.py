"""`/openapi/label/batchset/{token}`: data handed back by clients that were written for the WeChat platform.

The call has no signature and no nonce, so nothing keeps it from being sent twice: the second time changes nothing.
"""

import asyncio
import hmac
import logging
import uuid
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from service.domain.return_data.endpoint import decrypt_key, decrypt_token
from service.domain.return_data.submission import ReturnRecorder, Submission
from service.domain.runtime import Runtime
from service.entities.errors import ErrorCode, RequestError
from service.entities.return_data import Receipt, ReturnEndpoint, ReturnSource
from service.foundation.encryption import lookup_hash
from service.storage import channels
from service.storage.database.pool import CONNECTION_LOST
from service.storage.return_data import endpoints
from service.wechat.batchset import (
    MAX_BODY_BYTES,
    BatchsetCall,
    BatchsetCode,
    BatchsetRejectedError,
    decrypt_call,
    parse_call,
    read_envelope,
)

LAST_CALL_UPDATE_INTERVAL: Final = timedelta(minutes=1)
BODY_TIMEOUT: Final = 30
# What a refusal of ours is at the platform; anything else is -1.
BATCHSET_CODES: Final = {ErrorCode.CHANNEL_NOT_BOUND: BatchsetCode.NOT_APPROVED}

log = logging.getLogger(__name__)


class BatchsetEndpoint:
    """Every answer is HTTP 200 with JSON that old and new clients of the platform understand."""

    def __init__(self, runtime: Runtime, recorder: ReturnRecorder) -> None:
        self._runtime = runtime
        self._recorder = recorder
        self._recorded_at: dict[str, datetime] = {}

    async def post(self, request: Request) -> Response:
        request_id = uuid.uuid4().hex
        try:
            receipt = await self._receive(request)
        except BatchsetRejectedError as error:
            return _response(error.code, error.message, request_id)
        except RequestError as error:
            return _response(BATCHSET_CODES.get(error.code, BatchsetCode.OTHER), error.message, request_id)
        except (*CONNECTION_LOST, asyncpg.PostgresError):
            log.exception("returned data could not be written; request %s", request_id)
            return _response(BatchsetCode.OTHER, "try again", request_id)
        return _response(BatchsetCode.OK, "ok", request_id, receipt)

    async def _receive(self, request: Request) -> Receipt:
        endpoint = await self._find_endpoint(request.path_params["token"])
        encrypted = read_envelope(request.headers.get("content-type", ""), await _read_body(request))
        key = decrypt_key(self._runtime, endpoint)
        call = parse_call(decrypt_call(encrypted, encoding_aes_key=key, app_id=endpoint.app_id))
        await self._record_last_call(endpoint)
        return await self._submit(endpoint, call)

    async def _submit(self, endpoint: ReturnEndpoint, call: BatchsetCall) -> Receipt:
        async with self._runtime.pool.acquire() as conn:
            every = await channels.channels_of_robot(conn, endpoint.robot_id)
        if not any(channel.opens_gate for channel in every):
            raise BatchsetRejectedError(BatchsetCode.NOT_APPROVED, "no verified Official Account is bound")
        channel = next((each for each in every if each.bound and each.app_id == call.app_id), None)
        if channel is None:
            raise BatchsetRejectedError(BatchsetCode.APP_ID_ILLEGAL, "this appid is no channel of the robot")
        submission = Submission(call.category, call.label, call.description, call.openids, source=ReturnSource.HTTP)
        receipt, _ = await self._recorder.submit(channel, submission)
        return receipt

    async def _find_endpoint(self, token: str) -> ReturnEndpoint:
        """Found by the hash of the token, so that how long it takes tells nothing of the token."""
        async with self._runtime.pool.acquire() as conn:
            endpoint = await endpoints.endpoint_by_token(conn, lookup_hash(token))
        if endpoint is None or not hmac.compare_digest(decrypt_token(self._runtime, endpoint).encode(), token.encode()):
            raise BatchsetRejectedError(BatchsetCode.TOKEN_INVALID, "TOKEN is not valid")
        return endpoint

    async def _record_last_call(self, endpoint: ReturnEndpoint) -> None:
        now = self._runtime.clock()
        recorded_at = self._recorded_at.get(endpoint.robot_id)
        if recorded_at is not None and recorded_at <= now < recorded_at + LAST_CALL_UPDATE_INTERVAL:
            return
        self._recorded_at[endpoint.robot_id] = now
        async with self._runtime.pool.acquire() as conn:
            await endpoints.set_last_call_at(conn, endpoint.robot_id, now, now - LAST_CALL_UPDATE_INTERVAL)


async def _read_body(request: Request) -> bytes:
    """The body, but never much more than what may be in one."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise BatchsetRejectedError(BatchsetCode.OTHER, f"a body has at most {MAX_BODY_BYTES:,} bytes")
    except (ClientDisconnect, TimeoutError):
        raise BatchsetRejectedError(BatchsetCode.OTHER, "the body did not arrive") from None
    return bytes(body)


def _response(code: BatchsetCode, message: str, request_id: str, receipt: Receipt | None = None) -> Response:
    """Both shapes of the platform's answers in one; `data` is ours."""
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

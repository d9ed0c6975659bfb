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
from service.entities.enums import ReturnSource
from service.entities.errors import ErrorCode, RequestError
from service.entities.return_data import Receipt, ReturnEndpoint
from service.foundation.encryption import lookup_hash
from service.storage import channels
from service.storage.database.pool import CONNECTION_LOST
from service.storage.return_data import endpoints
from service.wechat.batchset import (
    LARGEST_BODY,
    BatchsetCall,
    BatchsetCode,
    BatchsetRefusedError,
    open_call,
    read_call,
    sealed_in,
)

LAST_CALL_UPDATE_INTERVAL: Final = timedelta(minutes=1)
SECONDS_TO_ARRIVE: Final = 30
# What a refusal of ours is at the platform; anything else is -1.
CODES: Final = {ErrorCode.CHANNEL_NOT_BOUND: BatchsetCode.NOT_APPROVED}

log = logging.getLogger(__name__)


class Batchset:
    """Every answer is HTTP 200 with JSON that old and new clients of the platform understand."""

    def __init__(self, runtime: Runtime, recorder: ReturnRecorder) -> None:
        self._runtime = runtime
        self._recorder = recorder
        self._noted: dict[str, datetime] = {}

    async def post(self, request: Request) -> Response:
        request_id = uuid.uuid4().hex
        try:
            receipt = await self._receive(request)
        except BatchsetRefusedError as refusal:
            return _answer(refusal.code, refusal.message, request_id)
        except RequestError as refusal:
            return _answer(CODES.get(refusal.code, BatchsetCode.ELSE), refusal.message, request_id)
        except (*CONNECTION_LOST, asyncpg.PostgresError):
            log.exception("returned data could not be written; request %s", request_id)
            return _answer(BatchsetCode.ELSE, "try again", request_id)
        return _answer(BatchsetCode.OK, "ok", request_id, receipt)

    async def _receive(self, request: Request) -> Receipt:
        endpoint = await self._endpoint(request.path_params["token"])
        encrypted = sealed_in(request.headers.get("content-type", ""), await _body(request))
        key = decrypt_key(self._runtime, endpoint)
        call = read_call(open_call(encrypted, encoding_aes_key=key, app_id=endpoint.app_id))
        await self._note(endpoint)
        return await self._submit(endpoint, call)

    async def _submit(self, endpoint: ReturnEndpoint, call: BatchsetCall) -> Receipt:
        async with self._runtime.pool.acquire() as conn:
            every = await channels.channels_of_robot(conn, endpoint.robot_id)
        if not any(channel.opens_gate for channel in every):
            raise BatchsetRefusedError(BatchsetCode.NOT_APPROVED, "no verified Official Account is bound")
        channel = next((each for each in every if each.bound and each.app_id == call.app_id), None)
        if channel is None:
            raise BatchsetRefusedError(BatchsetCode.APP_ID_ILLEGAL, "this appid is no channel of the robot")
        submission = Submission(call.category, call.label, call.description, call.openids, source=ReturnSource.HTTP)
        receipt, _ = await self._recorder.submit(channel, submission)
        return receipt

    async def _endpoint(self, token: str) -> ReturnEndpoint:
        """Found by the hash of the token, so that how long it takes tells nothing of the token."""
        async with self._runtime.pool.acquire() as conn:
            endpoint = await endpoints.endpoint_by_token(conn, lookup_hash(token))
        if endpoint is None or not hmac.compare_digest(decrypt_token(self._runtime, endpoint).encode(), token.encode()):
            raise BatchsetRefusedError(BatchsetCode.TOKEN_INVALID, "TOKEN is not valid")
        return endpoint

    async def _note(self, endpoint: ReturnEndpoint) -> None:
        now = self._runtime.clock()
        noted = self._noted.get(endpoint.robot_id)
        if noted is not None and noted <= now < noted + LAST_CALL_UPDATE_INTERVAL:
            return
        self._noted[endpoint.robot_id] = now
        async with self._runtime.pool.acquire() as conn:
            await endpoints.set_last_call_at(conn, endpoint.robot_id, now, now - LAST_CALL_UPDATE_INTERVAL)


async def _body(request: Request) -> bytes:
    """The body, but never much more than what may be in one."""
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS_TO_ARRIVE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise BatchsetRefusedError(BatchsetCode.ELSE, f"a body has at most {LARGEST_BODY:,} bytes")
    except (ClientDisconnect, TimeoutError):
        raise BatchsetRefusedError(BatchsetCode.ELSE, "the body did not arrive") from None
    return bytes(body)


def _answer(code: BatchsetCode, message: str, request_id: str, receipt: Receipt | None = None) -> Response:
    """Both shapes of the platform's answers in one; `data` is ours."""
    answer: dict[str, object] = {
        "code": int(code),
        "errcode": int(code),
        "msg": message,
        "errmsg": message,
        "rid": request_id,
    }
    if receipt is not None:
        answer["data"] = {
            "added": receipt.added,
            "unchanged": receipt.unchanged,
            "duplicates": receipt.duplicates,
            "new_users": receipt.new_users,
            "rejected": [{"index": each.index, "reason": each.reason} for each in receipt.rejected],
        }
    return Response(orjson.dumps(answer), media_type="application/json")

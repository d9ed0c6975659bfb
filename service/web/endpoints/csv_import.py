"""`POST /import/return-data`: a list of openids as a CSV file of any size, read as it arrives."""

import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import IO, Final

import asyncpg
import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from service.api.errors import field_errors_json
from service.domain.channels.lookup import find_channel, require_permission
from service.domain.return_data.csv_import import ImportSummary, import_csv
from service.domain.return_data.csv_reader import RejectedRow, RejectedRowWriter
from service.domain.return_data.submission import ReturnRecorder, Submission
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.enums import Permission, ReturnMode
from service.entities.errors import BadInputError, ErrorCode, FieldError, RequestError
from service.entities.ids import parse_channel_gid, receipt_gid
from service.entities.principal import Principal
from service.storage.database.pool import CONNECTION_LOST

Authenticate = Callable[[str | None], Awaitable[Principal]]

SPOOL_MAX_SIZE: Final = 1024 * 1024
MAX_REJECTS_IN_JSON: Final = 1_000
STATUS_CODES: Final = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.CONFLICT: 409,
    ErrorCode.CHANNEL_NOT_BOUND: 409,
    ErrorCode.NAME_TAKEN: 409,
}

log = logging.getLogger(__name__)


class _RejectLog:
    """Every refused entry in a file, and the first of them at hand."""

    def __init__(self, file: IO[str]) -> None:
        self.first: list[RejectedRow] = []
        self._writer = RejectedRowWriter(file)

    def add(self, reject: RejectedRow) -> None:
        if len(self.first) < MAX_REJECTS_IN_JSON:
            self.first.append(reject)
        self._writer.write(reject)


class CsvImportEndpoint:
    """Answers with a summary in JSON or, to `Accept: text/csv`, with the refused entries and the summary in headers."""

    def __init__(self, runtime: Runtime, recorder: ReturnRecorder, authenticate: Authenticate) -> None:
        self._runtime = runtime
        self._recorder = recorder
        self._authenticate = authenticate

    async def post(self, request: Request) -> Response:
        file = tempfile.SpooledTemporaryFile(SPOOL_MAX_SIZE, "w+", encoding="utf-8", newline="")  # noqa: SIM115
        try:
            answer = await self._respond(request, file)
        except BaseException:
            file.close()
            raise
        if not isinstance(answer, StreamingResponse):
            file.close()
        return answer

    async def _respond(self, request: Request, file: IO[str]) -> Response:
        summary, rejects = ImportSummary(), _RejectLog(file)
        try:
            await self._run_import(request, summary, rejects)
        except RequestError as error:
            return _error_response(STATUS_CODES.get(error.code, 400), error.code, error.message, summary, error.fields)
        except ClientDisconnect:
            return _error_response(400, "BROKEN_OFF", "The file did not arrive whole.", summary)
        except (*CONNECTION_LOST, asyncpg.PostgresError):
            log.exception("an import broke off")
            return _error_response(503, "TRY_AGAIN", "Send the same file again, with the same idempotencyKey.", summary)
        if "text/csv" not in request.headers.get("accept", ""):
            return _json_response(200, {**summary_json(summary), "rejects": [asdict(each) for each in rejects.first]})
        headers = {
            f"x-import-{name}": str(count) for name, count in summary_json(summary).items() if isinstance(count, int)
        }
        headers["content-disposition"] = 'attachment; filename="rejects.csv"'
        return StreamingResponse(_stream_file(file), media_type="text/csv", headers=headers)

    async def _run_import(self, request: Request, summary: ImportSummary, rejects: _RejectLog) -> None:
        principal = await self._authenticate(request.headers.get("authorization"))
        require_permission(principal, Permission.SUBMIT_DATA)
        channel = await self._find_channel(principal, request.query_params.get("channelId", ""))
        other = request.query_params.get("openidsOf")
        openids_of = None if other is None else await self._find_channel(principal, other)
        details = _parse_submission(request.query_params, principal.subject, openids_of)
        await import_csv(
            self._recorder,
            channel,
            details,
            _read_chunks(request),
            summary=summary,
            reject=rejects.add,
            progress=lambda _: None,
        )

    async def _find_channel(self, principal: Principal, gid: str) -> Channel:
        async with self._runtime.pool.acquire() as conn:
            return await find_channel(conn, principal, parse_channel_gid(gid), Permission.SUBMIT_DATA)


def _stream_file(file: IO[str]) -> Iterator[str]:
    with file:
        file.seek(0)
        while text := file.read(SPOOL_MAX_SIZE):
            yield text


async def _read_chunks(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk


def _parse_submission(query: Mapping[str, str], subject: str, openids_of: Channel | None) -> Submission:
    """What the query says of the list; raises BadInputError with all that is wrong."""
    errors = []
    mode, expires_at = ReturnMode.ADD, None
    try:
        mode = ReturnMode(query.get("mode", "ADD"))
    except ValueError:
        errors.append(FieldError(("mode",), "BAD_VALUE", "ADD or REMOVE."))
    try:
        expires_at = datetime.fromisoformat(query["expiresAt"]) if "expiresAt" in query else None
    except ValueError:
        errors.append(FieldError(("expires_at",), "BAD_FORMAT", "RFC 3339 with an offset."))
    if expires_at is not None and expires_at.tzinfo is None:
        errors.append(FieldError(("expires_at",), "BAD_FORMAT", "RFC 3339 with an offset."))
    if errors:
        raise BadInputError(*errors)
    return Submission(
        category=query.get("category", ""),
        label=query.get("label", ""),
        description=query.get("description"),
        openids=(),
        mode=mode,
        subject=subject,
        openids_of=openids_of,
        expires_at=expires_at,
        idempotency_key=query.get("idempotencyKey"),
    )


def summary_json(summary: ImportSummary) -> dict[str, object]:
    """Return the summary under the names and ids of the API."""
    summary_fields = asdict(summary)
    summary_fields["newUsers"] = summary_fields.pop("new_users")
    summary_fields["receipts"] = [receipt_gid(*each) for each in summary.receipts]
    return summary_fields


def _error_response(
    status: int, code: str, message: str, summary: ImportSummary, fields: tuple[FieldError, ...] = ()
) -> Response:
    content = {"code": code, "message": message, "fields": field_errors_json(fields), "summary": summary_json(summary)}
    return _json_response(status, content)


def _json_response(status: int, content: object) -> Response:
    return Response(orjson.dumps(content), status_code=status, media_type="application/json")

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

from service.domain.channels.lookup import find_channel, require_permission
from service.domain.return_data.csv_import import ImportSummary, import_csv
from service.domain.return_data.csv_reader import RejectedRow, RejectedRowWriter
from service.domain.return_data.submission import ReturnRecorder, Submission
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.enums import Permission, ReturnMode
from service.entities.errors import BadInputError, ErrorCode, FieldError, RequestError
from service.entities.principal import Principal
from service.storage.database.pool import CONNECTION_LOST

Identify = Callable[[str | None], Awaitable[Principal]]

KEPT_IN_MEMORY: Final = 1024 * 1024
MOST_REJECTS_IN_JSON: Final = 1_000
STATUS: Final = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.CONFLICT: 409,
    ErrorCode.CHANNEL_NOT_BOUND: 409,
    ErrorCode.NAME_TAKEN: 409,
}

log = logging.getLogger(__name__)


class _Rejects:
    """Every refused entry in a file, and the first of them at hand."""

    def __init__(self, file: IO[str]) -> None:
        self.first: list[RejectedRow] = []
        self._writer = RejectedRowWriter(file)

    def add(self, reject: RejectedRow) -> None:
        if len(self.first) < MOST_REJECTS_IN_JSON:
            self.first.append(reject)
        self._writer.write(reject)


class CsvImport:
    """Answers with a summary in JSON or, to `Accept: text/csv`, with the refused entries and the summary in headers."""

    def __init__(self, runtime: Runtime, recorder: ReturnRecorder, identify: Identify) -> None:
        self._runtime = runtime
        self._recorder = recorder
        self._identify = identify

    async def post(self, request: Request) -> Response:
        file = tempfile.SpooledTemporaryFile(KEPT_IN_MEMORY, "w+", encoding="utf-8", newline="")  # noqa: SIM115
        try:
            answer = await self._answer(request, file)
        except BaseException:
            file.close()
            raise
        if not isinstance(answer, StreamingResponse):
            file.close()
        return answer

    async def _answer(self, request: Request, file: IO[str]) -> Response:
        summary, rejects = ImportSummary(), _Rejects(file)
        try:
            await self._import(request, summary, rejects)
        except RequestError as refusal:
            return _refused(STATUS.get(refusal.code, 400), refusal.code, refusal.message, summary, refusal.fields)
        except ClientDisconnect:
            return _refused(400, "BROKEN_OFF", "The file did not arrive whole.", summary)
        except (*CONNECTION_LOST, asyncpg.PostgresError):
            log.exception("an import broke off")
            return _refused(503, "TRY_AGAIN", "Send the same file again, with the same idempotencyKey.", summary)
        if "text/csv" not in request.headers.get("accept", ""):
            return _json(200, {**_told(summary), "rejects": [asdict(each) for each in rejects.first]})
        headers = {f"x-import-{name}": str(count) for name, count in _told(summary).items() if isinstance(count, int)}
        headers["content-disposition"] = 'attachment; filename="rejects.csv"'
        return StreamingResponse(_read_back(file), media_type="text/csv", headers=headers)

    async def _import(self, request: Request, summary: ImportSummary, rejects: _Rejects) -> None:
        principal = await self._identify(request.headers.get("authorization"))
        require_permission(principal, Permission.SUBMIT_DATA)
        channel = await find_channel(self._runtime, principal, request.query_params.get("channelId", ""))
        other = request.query_params.get("openidsOf")
        openids_of = None if other is None else await find_channel(self._runtime, principal, other)
        details = _details(request.query_params, principal.subject, openids_of)
        await import_csv(
            self._recorder,
            channel,
            details,
            _chunks(request),
            summary=summary,
            reject=rejects.add,
            progress=lambda _: None,
        )


def _read_back(file: IO[str]) -> Iterator[str]:
    with file:
        file.seek(0)
        while text := file.read(KEPT_IN_MEMORY):
            yield text


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk


def _details(query: Mapping[str, str], subject: str, openids_of: Channel | None) -> Submission:
    """What the query says of the list; raises BadInputError with all that is wrong."""
    failures = []
    mode, expires_at = ReturnMode.ADD, None
    try:
        mode = ReturnMode(query.get("mode", "ADD"))
    except ValueError:
        failures.append(FieldError("mode", "BAD_VALUE", "ADD or REMOVE."))
    try:
        expires_at = datetime.fromisoformat(query["expiresAt"]) if "expiresAt" in query else None
    except ValueError:
        failures.append(FieldError("expiresAt", "BAD_FORMAT", "RFC 3339 with an offset."))
    if expires_at is not None and expires_at.tzinfo is None:
        failures.append(FieldError("expiresAt", "BAD_FORMAT", "RFC 3339 with an offset."))
    if failures:
        raise BadInputError(*failures)
    return Submission(
        category=query.get("category", ""),
        label=query.get("label", ""),
        description=query.get("description"),
        openids=(),
        mode=mode,
        subject=subject,
        openids_of=openids_of,
        expires_at=expires_at,
        key=query.get("idempotencyKey"),
    )


def _told(summary: ImportSummary) -> dict[str, object]:
    """The summary under the names of the API."""
    told = asdict(summary)
    told["newUsers"] = told.pop("new_users")
    return told


def _refused(
    status: int, code: str, message: str, summary: ImportSummary, fields: tuple[FieldError, ...] = ()
) -> Response:
    shown = [asdict(each) for each in fields]
    return _json(status, {"code": code, "message": message, "fields": shown, "summary": _told(summary)})


def _json(status: int, content: object) -> Response:
    return Response(orjson.dumps(content), status_code=status, media_type="application/json")

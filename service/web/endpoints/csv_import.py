"""`POST /import/return-data`: hand back a list of openids as a CSV file of any size, read as it arrives."""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import IO, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from service.api.errors import field_errors_json
from service.auth.tokens import TokenVerifier, bearer_token
from service.domain.channels.lookup import require_permission
from service.domain.return_data.csv_import import ImportSummary, import_csv
from service.domain.return_data.csv_reader import RejectedRow, RejectedRowWriter
from service.domain.return_data.requests import Submission
from service.entities.channels import Channel
from service.entities.errors import BadInputError, ErrorCode, FieldError, RequestError, UnauthenticatedError
from service.entities.ids import parse_channel_gid, receipt_gid
from service.entities.principal import Permission, Principal
from service.entities.return_data import ReturnMode
from service.resources import resources_of
from service.storage.database.pool import DATABASE_ERRORS
from service.web.endpoints.body import BodyNotReceivedError, stream_body

# Bytes of rejected entries that are kept in memory; more go to a file on disk.
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


class CsvImportEndpoint:
    """Answer with a summary in JSON or, to `Accept: text/csv`, with the rejected entries and the summary in headers."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    async def post(self, request: Request) -> Response:
        """Hand back the list in the body, in batches as it arrives.

        Errors are JSON with `code`, `message`, `fields` and the summary so far: 400, 401, 403, 404 or 409 by their
        code, 400 BROKEN_OFF where the file did not arrive whole, 503 TRY_AGAIN in an outage.
        """
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
        except BodyNotReceivedError:
            return _error_response(400, "BROKEN_OFF", "The file did not arrive whole.", summary)
        except DATABASE_ERRORS:
            log.exception("an import broke off")
            return _error_response(503, "TRY_AGAIN", "Send the same file again, with the same idempotencyKey.", summary)
        if "text/csv" not in request.headers.get("accept", ""):
            return _json_response(200, {**summary_json(summary), "rejects": [asdict(each) for each in rejects.first]})
        headers = {
            f"x-import-{name}": str(count) for name, count in summary_json(summary).items() if isinstance(count, int)
        }
        headers["content-disposition"] = 'attachment; filename="rejects.csv"'
        return StreamingResponse(_stream_file(file), media_type="text/csv", headers=headers)

    async def _run_import(self, request: Request, summary: ImportSummary, rejects: "_RejectLog") -> None:
        resources = resources_of(request.scope)
        principal = await self._authenticate(request)
        require_permission(principal, Permission.SUBMIT_DATA)
        query, channels = request.query_params, resources.channels
        channel_id = parse_channel_gid(query.get("channelId", ""))
        channel = await channels.find(principal, channel_id, Permission.SUBMIT_DATA)
        openids_of = None
        if "openidsOf" in query:
            other_id = parse_channel_gid(query["openidsOf"])
            openids_of = await channels.find(principal, other_id, Permission.SUBMIT_DATA)
        details = _parse_submission(query, principal.subject, openids_of)
        await import_csv(
            resources.return_recorder,
            channel,
            details,
            stream_body(request),
            summary=summary,
            reject=rejects.add,
            progress=lambda _: None,
        )

    async def _authenticate(self, request: Request) -> Principal:
        token = bearer_token(request.headers.get("authorization"))
        if token is None:
            raise UnauthenticatedError
        return await self._verifier.verify(token)


class _RejectLog:
    """Write every rejected entry to a file, and keep the first of them at hand."""

    def __init__(self, file: IO[str]) -> None:
        self.first: list[RejectedRow] = []
        self._writer = RejectedRowWriter(file)

    def add(self, reject: RejectedRow) -> None:
        if len(self.first) < MAX_REJECTS_IN_JSON:
            self.first.append(reject)
        self._writer.write(reject)


def _stream_file(file: IO[str]) -> Iterator[str]:
    with file:
        file.seek(0)
        while text := file.read(SPOOL_MAX_SIZE):
            yield text


def _parse_submission(query: Mapping[str, str], subject: str, openids_of: Channel | None) -> Submission:
    """Return what the query says of the list; raises BadInputError with everything that is wrong."""
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

"""Say in JSON what an import did, and how it failed; what was written before a failure is never kept back."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.api.errors import field_errors_json
from service.api.transport.early_answer import answer_unread
from service.domain.return_data.csv_import import ImportSummary
from service.domain.return_data.csv_reader import NoOpenidColumnError
from service.domain.return_data.csv_text import NoCsvError
from service.entities.errors import INTERNAL_ERROR_MESSAGE, ErrorCode, RateLimitedError, RequestError
from service.entities.ids import receipt_gid
from service.storage.database.pool import OUTAGE_ERRORS
from service.web.endpoints.body import BodyNotReceivedError
from service.web.endpoints.upload import UploadLimitError

STATUS_CODES: Final = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.CONFLICT: 409,
    ErrorCode.CHANNEL_NOT_BOUND: 409,
    ErrorCode.NAME_TAKEN: 409,
    ErrorCode.RATE_LIMITED: 429,
}

log = logging.getLogger(__name__)


def summary_json(summary: ImportSummary) -> dict[str, object]:
    """Return the summary under the names and ids of the API."""
    summary_fields = asdict(summary)
    summary_fields["newUsers"] = summary_fields.pop("new_users")
    summary_fields["receipts"] = [receipt_gid(*each) for each in summary.receipts]
    return summary_fields


def summary_headers(summary: ImportSummary) -> dict[str, str]:
    """Return the counts of the summary as headers, for answers whose body is a file, and the last receipt, which may be
    empty.
    """
    counts = {f"x-import-{name}": str(count) for name, count in summary_json(summary).items() if isinstance(count, int)}
    return counts | {"x-import-lastReceipt": receipt_gid(*summary.receipts[-1]) if summary.receipts else ""}


def json_response(status: int, content: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer in JSON."""
    return Response(orjson.dumps(content), status_code=status, media_type="application/json", headers=headers)


def import_error_response(error: Exception, summary: ImportSummary, request_id: str) -> Response:
    """Return the answer for what ended an import, with the summary so far; the connection ends with it.

    What is not foreseen is logged under the request id, and shown as INTERNAL with that.
    """
    match error:
        case NoCsvError():
            return _answer(415, "NO_CSV", error, summary)
        case NoOpenidColumnError():
            return _answer(400, "NO_OPENID_COLUMN", error, summary, columns=error.columns)
        case RequestError():
            return _answer(STATUS_CODES.get(error.code, 400), error.code, error, summary)
        case UploadLimitError():
            return _answer(error.status, ErrorCode.LIMIT_EXCEEDED, error, summary)
        case BodyNotReceivedError():
            return _answer(400, "BROKEN_OFF", Exception("The file did not arrive whole."), summary)
    log.error("an import broke off; request %s", request_id, exc_info=error)
    if isinstance(error, OUTAGE_ERRORS):
        hint = Exception("Send the same file again, with the same idempotencyKey.")
        return _answer(503, "TRY_AGAIN", hint, summary, requestId=request_id)
    return _answer(500, ErrorCode.INTERNAL, Exception(INTERNAL_ERROR_MESSAGE), summary, requestId=request_id)


def _answer(status: int, code: str, error: Exception, summary: ImportSummary, **more: object) -> Response:
    fields = field_errors_json(error.fields) if isinstance(error, RequestError) else []
    content = {"code": code, "message": str(error), "fields": fields, "summary": summary_json(summary), **more}
    headers = {"retry-after": str(error.retry_after)} if isinstance(error, RateLimitedError) else {}
    return _AnswerToUnread(json_response(status, content, headers))


class _AnswerToUnread(Response):
    """Answer although most of the file may not have arrived, and then close the connection."""

    def __init__(self, answer: Response) -> None:
        super().__init__(status_code=answer.status_code)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer_unread(self._answer, scope, receive, send)

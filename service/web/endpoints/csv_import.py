"""`POST /import/return-data`: hand back a list of openids as a CSV file, read as it arrives."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import IO, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from service.api.transport.content_negotiation import names_media_type
from service.auth.tokens import TokenVerifier, bearer_token
from service.domain.channels.lookup import require_permission
from service.domain.return_data.csv_import import ImportSummary, import_csv
from service.domain.return_data.csv_reader import OpenidReader, RejectedRow, RejectedRowWriter
from service.entities.errors import UnauthenticatedError
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission, Principal
from service.resources import resources_of
from service.web.endpoints.csv_answers import import_error_response, json_response, summary_headers, summary_json
from service.web.endpoints.csv_query import import_query
from service.web.endpoints.upload import Upload

# Bytes of rejected entries that are kept in memory; more go to a file on disk.
SPOOL_MAX_SIZE: Final = 1024 * 1024
MAX_REJECTS_IN_JSON: Final = 1_000


class CsvImportEndpoint:
    """Answer with a summary in JSON or, to `Accept: text/csv`, with the rejected entries and the summary in headers."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    async def post(self, request: Request) -> Response:
        """Hand back the list in the body, in batches as it arrives.

        Errors are JSON with `code`, `message`, `fields` and the summary so far: 400, 401, 403, 404, 409 or 429 by their
        code, 400 NO_OPENID_COLUMN with the `columns` there are, 415 NO_CSV, 408 or 413 LIMIT_EXCEEDED for what takes
        too long or is too large, 400 BROKEN_OFF where the file did not arrive whole, 503 TRY_AGAIN in an outage.
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
        except Exception as error:  # noqa: BLE001 - whatever it is, the client must learn what was written before
            return import_error_response(error, summary, request.state.request_id)
        if not names_media_type(request.headers.get("accept", ""), "text/csv"):
            return json_response(200, {**summary_json(summary), "rejects": [each._asdict() for each in rejects.first]})
        headers = summary_headers(summary)
        headers["content-disposition"] = 'attachment; filename="rejects.csv"'
        return _RejectsResponse(file, headers)

    async def _run_import(self, request: Request, summary: ImportSummary, rejects: "_RejectLog") -> None:
        resources = resources_of(request.scope)
        principal = await self._authenticate(request)
        require_permission(principal, Permission.SUBMIT_DATA)
        upload = Upload(request, principal, resources.rate_limiter, resources.runtime.settings.client_limits)
        upload.begin()
        query, channels = import_query(request), resources.channels
        channel = await channels.find(principal, parse_channel_gid(query.channel_id), Permission.SUBMIT_DATA)
        details = replace(query.details, subject=principal.subject)
        if query.openids_of is not None:
            other_id = parse_channel_gid(query.openids_of)
            details = details.with_openids_of(await channels.find(principal, other_id, Permission.SUBMIT_DATA))
        await import_csv(
            resources.return_recorder,
            channel,
            details,
            upload.chunks(),
            reader=OpenidReader(query.encoding, query.column),
            summary=summary,
            reject=rejects.add,
            progress=lambda _: None,
            admit=upload.admit,
        )

    async def _authenticate(self, request: Request) -> Principal:
        token = bearer_token(request.headers.get("authorization"))
        if token is None:
            raise UnauthenticatedError
        return await self._verifier.verify(token)


class _RejectsResponse(StreamingResponse):
    """Send the rejected entries, and close their file however that ends: also for a client that is gone by then."""

    def __init__(self, file: IO[str], headers: Mapping[str, str]) -> None:
        super().__init__(_stream_file(file), media_type="text/csv", headers=headers)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer (ASGI)."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


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

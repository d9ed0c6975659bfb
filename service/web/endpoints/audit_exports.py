"""`/export/audit/{link}`: download the audit log. The link is the permission: signed, and good for an hour."""

from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from service.domain.audit.exporting import audit_lines, parse_audit_link, record_opening
from service.entities.principal import RequestOrigin
from service.foundation.client_addresses import ip_address_or_none, peer_of
from service.resources import resources_of
from service.storage.database.pool import DATABASE_ERRORS

MEDIA_TYPE: Final = "application/x-ndjson"


async def download_audit_log(request: Request) -> Response:
    """Answer the entries that the link is for, a line of JSON each, after recording that it was opened.

    It is 404 for a link without a valid signature, 410 for one that has expired, 503 in an outage. An answer that ends
    early is broken off, so that a part is never taken for the whole.
    """
    runtime = resources_of(request.scope).runtime
    export = parse_audit_link(runtime, request.path_params["link"])
    if export is None:
        return PlainTextResponse("There is no such file.", status_code=404)
    now = runtime.clock()
    if export.reader.expires_at <= now:
        return PlainTextResponse("This link has expired.", status_code=410)
    headers = {
        "content-disposition": f'attachment; filename="audit-log-{now:%Y-%m-%d-%H%M}.ndjson"',
        "cache-control": "private, no-store",
    }
    if request.method == "HEAD":
        return Response(headers=headers, media_type=MEDIA_TYPE)
    origin = RequestOrigin(request.state.request_id, ip_address_or_none(peer_of(request.scope)))
    try:
        await record_opening(runtime, export, origin)
    except DATABASE_ERRORS:
        return PlainTextResponse("Try again in a moment.", status_code=503)
    lines = audit_lines(runtime, export.reader.robot_id, export.wanted, export.format)
    return StreamingResponse(lines, headers=headers, media_type=MEDIA_TYPE)

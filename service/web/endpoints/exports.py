"""`/export/{link}`: download a finished export. The link is the permission: signed, and good for a while."""

from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from service.domain.audiences.export_links import parse_export_link, record_opening
from service.domain.audiences.exports import open_export, read_export
from service.entities.errors import ChannelNotBoundError
from service.entities.principal import RequestOrigin
from service.foundation.client_addresses import ip_address_or_none, peer_of
from service.resources import resources_of
from service.storage.database.pool import DATABASE_ERRORS

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
CLOSED: Final = "The file cannot be seen while no verified Official Account is bound."
TRY_AGAIN: Final = "Try again in a moment."


async def download_export(request: Request) -> Response:
    """Answer the file as CSV.

    It is 404 for a link without a valid signature, 410 when the file is gone, 403 while the gate is closed, 503 in an
    outage. Nothing is sent before it is on record that the link was opened.
    """
    runtime = resources_of(request.scope).runtime
    link = parse_export_link(runtime, request.path_params["link"])
    if link is None:
        return PlainTextResponse("There is no such file.", status_code=404)
    try:
        file = await open_export(runtime, link.channel_id, link.job_id)
    except ChannelNotBoundError:
        return PlainTextResponse(CLOSED, status_code=403)
    except DATABASE_ERRORS:
        return PlainTextResponse(TRY_AGAIN, status_code=503)
    if file is None or link.expires_at <= runtime.clock():
        return PlainTextResponse("This link has expired.", status_code=410)
    headers = {
        "content-disposition": f'attachment; filename="audience-{file.job.created_at:%Y-%m-%d-%H%M}.csv"',
        "content-length": str(file.size),
        "cache-control": "private, no-store",
    }
    if request.method == "HEAD":
        return Response(headers=headers, media_type=MEDIA_TYPE)
    origin = RequestOrigin(request.state.request_id, ip_address_or_none(peer_of(request.scope)))
    try:
        await record_opening(runtime, file.job, origin)
    except DATABASE_ERRORS:
        return PlainTextResponse(TRY_AGAIN, status_code=503)
    return StreamingResponse(read_export(runtime, file), headers=headers, media_type=MEDIA_TYPE)

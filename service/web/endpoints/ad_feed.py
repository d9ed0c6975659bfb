"""`/ads/{secret}`: take the call that Tencent Ads makes about a minute after a user follows through an ad.

Source: docs/specification.md §9.3. The advertiser configures an address like
`…/ads/SECRET?wechat_openid=__WECHAT_OPEN_ID__&adgroup_id=__ADGROUP_ID__&…`, and the platform replaces the macros. A
macro that is left in place is one it does not know: the value is missing. There is no signature; the secret in the
path is all that protects the address. The names of the parameters come from community clients and are settings
(`AD_FEED_…_NAMES`); their case does not matter, and other parameters are ignored.
"""

import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from service.domain.ad_tags.return_address import find_channel_by_ad_secret, record_ad_follow
from service.domain.input_rules import MAX_AD_IDS_PER_EVENT, OPENID_PATTERN, is_ad_id, tidy_ad_id, time_rejection
from service.domain.runtime import Runtime
from service.entities.errors import RejectionCode
from service.entities.users import AdFollow
from service.foundation.settings import Settings
from service.resources import resources_of
from service.storage.database.pool import DATABASE_ERRORS

UNREPLACED_MACRO: Final = re.compile(r"__[A-Z0-9_]+__")
UNIX_SECONDS: Final = re.compile(r"[0-9]{1,11}")

log = logging.getLogger(__name__)


class MalformedRequestError(Exception):
    """The call says nothing that could be recorded; `code` is for the caller, the message for the log."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


async def receive_ad_follow(request: Request) -> Response:
    """Record the follow that the query tells of, then answer 200; never before it is durable.

    Errors are plain text: 404 for an unknown address, 405 for HEAD, 400 for a malformed call, 503 in an outage.
    """
    if request.method != "GET":
        return PlainTextResponse("METHOD_NOT_ALLOWED", status_code=405, headers={"Allow": "GET"})
    try:
        return await _receive(resources_of(request.scope).runtime, request)
    except DATABASE_ERRORS:
        log.exception(
            "an ad-feed call could not be recorded; the ad platform may try again; request %s", request.state.request_id
        )
        return PlainTextResponse("TRY_AGAIN", status_code=503)


async def _receive(runtime: Runtime, request: Request) -> Response:
    secret = request.path_params["secret"]
    channel = await find_channel_by_ad_secret(runtime, secret)
    if channel is None:
        return PlainTextResponse("NOT_FOUND", status_code=404)
    try:
        follow = _parse_follow(request.query_params, runtime.settings, runtime.clock())
    except MalformedRequestError as error:
        log.info("an ad-feed call to channel %d was rejected: %s", channel.channel_id, error)
        return PlainTextResponse(error.code, status_code=400)
    await record_ad_follow(runtime, channel, secret, follow)
    return JSONResponse({"ret": 0, "msg": "ok"})


def _parse_follow(query: QueryParams, settings: Settings, now: datetime) -> AdFollow:
    """Return the follow; without a usable time in the call it is now. Raises MalformedRequestError."""
    openid = next(iter(_query_values(query, settings.ad_feed_openid_names)), "")
    if OPENID_PATTERN.fullmatch(openid) is None:
        raise MalformedRequestError(RejectionCode.MALFORMED_OPENID, "no openid, or a malformed one")
    given = list(dict.fromkeys(_query_values(query, settings.ad_feed_ad_names)))
    ad_ids = tuple(dict.fromkeys(filter(None, map(tidy_ad_id, given[: MAX_AD_IDS_PER_EVENT + 1]))))
    if len(given) > MAX_AD_IDS_PER_EVENT or not all(map(is_ad_id, ad_ids)):
        raise MalformedRequestError(RejectionCode.BAD_VALUE, "more than 100 ad ids, or one that is malformed")
    at = _parse_time(next(iter(_query_values(query, settings.ad_feed_time_names)), ""), now)
    return AdFollow(openid, at, ad_ids)


def _parse_time(text: str, now: datetime) -> datetime:
    """Return the time that a call gives in unix seconds; now where no fact can have it."""
    at = datetime.fromtimestamp(int(text), UTC) if UNIX_SECONDS.fullmatch(text) else None
    return now.replace(microsecond=0) if at is None or time_rejection(at, now) else at


def _query_values(query: QueryParams, names: Iterable[str]) -> list[str]:
    """Return the values given under these names, in the order of the names, without empty ones and bare macros."""
    given = [(name.lower(), value.strip()) for name, value in query.multi_items()]
    return [
        value
        for wanted in names
        for name, value in given
        if name == wanted.lower() and value and UNREPLACED_MACRO.fullmatch(value) is None
    ]

"""Serve the imitated server API with WeChat's limits and error codes, and the control API of the demo.

Source: developers.weixin.qq.com `/doc/service/api/base/api_getstableaccesstoken.html` and the pages on user
management under `/doc/service/api/usermanage`. Errors come as HTTP 200 with `errcode`, as there.
"""

import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from service.dev.demo.controls import ApiError, ControlApi
from service.dev.demo.platform import Account, PlatformUser, WechatPlatform
from service.entities.channels import ChannelKind

TOKEN_LIFETIME: Final = timedelta(seconds=7200)
FOLLOWERS_PER_PAGE: Final = 10_000
MAX_BATCH_SIZE: Final = 100

JsonHandler = Callable[[Request], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    expires_at: datetime


class ServerApi:
    """Answer the calls under `/cgi-bin`; raises ApiError as WeChat would. An account has one token at a time."""

    def __init__(self, platform: WechatPlatform, followers_per_page: int = FOLLOWERS_PER_PAGE) -> None:
        self._platform = platform
        self._followers_per_page = followers_per_page
        self._tokens: dict[str, _Token] = {}

    async def stable_token(self, request: Request) -> dict[str, Any]:
        """Return the access token of an account, valid for up to two hours."""
        payload = await _read_json(request)
        if payload.get("grant_type") != "client_credential":
            raise ApiError(40002, "invalid grant_type")
        account = self._platform.accounts.get(str(payload.get("appid")))
        if account is None:
            raise ApiError(40013, "invalid appid")
        if not secrets.compare_digest(str(payload.get("secret", "")).encode(), account.secret.encode()):
            raise ApiError(40125, "invalid appsecret")
        now = self._platform.clock()
        token = self._tokens.get(account.app_id)
        if token is None or token.expires_at <= now or payload.get("force_refresh") is True:
            token = _Token(secrets.token_urlsafe(48), now + TOKEN_LIFETIME)
            self._tokens[account.app_id] = token
        left = int((token.expires_at - now).total_seconds())
        return {"access_token": token.text, "expires_in": left}

    async def followers(self, request: Request) -> dict[str, Any]:
        """Return a page of the openids that follow, after `next_openid` and in the order they followed."""
        account = self._official_account(request)
        openids = [user.openid for user in self._followers(account)]
        after = request.query_params.get("next_openid", "")
        if after and after not in openids:
            raise ApiError(40003, "invalid openid")
        start = openids.index(after) + 1 if after else 0
        page = openids[start : start + self._followers_per_page]
        answer: dict[str, Any] = {"total": len(openids), "count": len(page), "next_openid": ""}
        if page:
            answer |= {"data": {"openid": page}, "next_openid": page[-1]}
        return answer

    async def user_info(self, request: Request) -> dict[str, Any]:
        """Return what WeChat tells about up to 100 openids."""
        account = self._official_account(request)
        payload = (await _read_json(request)).get("user_list")
        if not isinstance(payload, list) or not 1 <= len(payload) <= MAX_BATCH_SIZE:
            raise ApiError(40032, "invalid openid list size")
        known = self._platform.users[account.app_id]
        openids = [str(entry.get("openid")) if isinstance(entry, dict) else "" for entry in payload]
        if not all(openid in known for openid in openids):
            raise ApiError(40003, "invalid openid")
        return {"user_info_list": [_user_info(known[openid]) for openid in openids]}

    def _official_account(self, request: Request) -> Account:
        given = request.query_params.get("access_token", "")
        if not given:
            raise ApiError(41001, "access_token missing")
        for app_id, token in self._tokens.items():
            if not secrets.compare_digest(token.text.encode(), given.encode()):
                continue
            if token.expires_at <= self._platform.clock():
                raise ApiError(42001, "access_token expired")
            account = self._platform.accounts[app_id]
            if account.kind is ChannelKind.MINI_PROGRAM:
                raise ApiError(48001, "api unauthorized")
            return account
        raise ApiError(40001, "invalid credential, access_token is invalid or not latest")

    def _followers(self, account: Account) -> list[PlatformUser]:
        following = [user for user in self._platform.users[account.app_id].values() if user.following]
        return sorted(following, key=lambda user: (user.followed_seconds, user.openid))


def platform_app(platform: WechatPlatform, followers_per_page: int = FOLLOWERS_PER_PAGE) -> Starlette:
    """Return the web application of the platform; tests make its pages smaller."""
    api = ServerApi(platform, followers_per_page)
    controls = ControlApi(platform)
    return Starlette(
        routes=[
            Route("/cgi-bin/stable_token", _json_endpoint(api.stable_token), methods=["POST"]),
            Route("/cgi-bin/user/get", _json_endpoint(api.followers)),
            Route("/cgi-bin/user/info/batchget", _json_endpoint(api.user_info), methods=["POST"]),
            Route("/demo/people", _json_endpoint(controls.people)),
            Route("/demo/{openid}/{action}", _json_endpoint(controls.perform_action), methods=["POST"]),
        ]
    )


def _json_endpoint(answer: JsonHandler) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def endpoint(request: Request) -> JSONResponse:
        try:
            return JSONResponse(await answer(request))
        except ApiError as error:
            return JSONResponse({"errcode": error.code, "errmsg": f"{error.message} rid: {uuid.uuid4()}"})

    return endpoint


async def _read_json(request: Request) -> dict[str, Any]:
    try:
        found = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise ApiError(47001, "data format error") from error
    if not isinstance(found, dict):
        raise ApiError(47001, "data format error")
    return found


def _user_info(user: PlatformUser) -> dict[str, Any]:
    if not user.following:
        return {"subscribe": 0, "openid": user.openid, "tagid_list": []}
    return {
        "subscribe": 1,
        "openid": user.openid,
        "language": "zh_CN",
        "subscribe_time": int(user.followed_seconds),
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": user.subscribe_scene,
        "qr_scene": 0,
        "qr_scene_str": user.qr_scene,
        **({} if user.unionid is None else {"unionid": user.unionid}),
    }

"""Answer `token` and `stable_token`.

Source: developers.weixin.qq.com `/doc/service/api/base/api_getaccesstoken` and `api_getstableaccesstoken`.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from service.dev.demo.wechat_api.books.accounts import AccountBooks
from service.dev.demo.wechat_api.books.tokens import Token
from service.dev.demo.wechat_api.calls.request import Answer, ApiRequest, Invocation
from service.dev.demo.wechat_api.errors import IP_REFUSED, ApiError, ip_refused_message


def by_secret_in_query(request: ApiRequest) -> AccountBooks:
    """Return whose app id and secret are in the query; raises ApiError as WeChat does at the token call."""
    return _account(request, request.query)


def by_secret_in_body(request: ApiRequest) -> AccountBooks:
    """Return whose app id and secret are in the body; raises ApiError as WeChat does at the token call."""
    return _account(request, request.payload())


def token(call: Invocation) -> Answer:
    """Issue a new token at each call."""
    return _answer(call, call.books.tokens.plain(call.account.account.app_id, call.now))


def stable_token(call: Invocation) -> Answer:
    """Return the stable token, or a new one if the old one ends soon or `force_refresh` is true."""
    force = call.payload.get("force_refresh") is True
    return _answer(call, call.books.tokens.stable(call.account.account.app_id, force, call.now))


def _account(request: ApiRequest, given: Mapping[str, Any]) -> AccountBooks:
    if given.get("grant_type") != "client_credential":
        raise ApiError(40002)
    if not given.get("appid"):
        raise ApiError(41002)
    if not given.get("secret"):
        raise ApiError(41004)
    found = request.books.accounts.get(str(given["appid"]))
    if found is None:
        raise ApiError(40013)
    if not secrets.compare_digest(str(given["secret"]).encode(), found.account.secret.encode()):
        raise ApiError(request.books.behaviour.wrong_secret_code)
    allowed = found.account.ip_whitelist
    if allowed is not None and request.client_ip not in allowed:
        raise ApiError(IP_REFUSED, ip_refused_message(request.client_ip))
    return found


def _answer(call: Invocation, token: Token) -> Answer:
    return {"access_token": token.text, "expires_in": int((token.expires_at - call.now).total_seconds())}

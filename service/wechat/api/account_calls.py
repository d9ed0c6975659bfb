"""Describe the calls about an account itself: its token, and what is left of its quotas.

Source: developers.weixin.qq.com `/doc/service/api/base/api_getstableaccesstoken` and
`/doc/service/api/apimanage/openapi/api_getapiquota`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from service.wechat.api.call import ApiCall

STABLE_TOKEN: Final = "/cgi-bin/stable_token"  # noqa: S105 - a path
MAX_TOKEN_LENGTH: Final = 4_096


@dataclass(frozen=True, slots=True)
class AccessToken:
    """Hold a token and how long it is good for from the answer on."""

    token: str = field(repr=False)
    expires_in: timedelta


@dataclass(frozen=True, slots=True)
class ApiQuota:
    """Hold the quota of a call for the day, what is used of it, and its rate: `calls` within `period`.

    The limit and the rate are None where WeChat tells none, or 0.
    """

    daily_limit: int | None
    used: int
    calls: int | None
    period: timedelta | None


def get_stable_token(app_id: str, app_secret: str, *, force_refresh: bool = False) -> ApiCall[AccessToken]:
    """Ask for the token that is the same for everybody who asks; a forced one replaces it at once."""
    body = {
        "grant_type": "client_credential",
        "appid": app_id,
        "secret": app_secret,
        "force_refresh": force_refresh,
    }
    return ApiCall(path=STABLE_TOKEN, body=body, read=_read_token)


def quota_of(path: str) -> ApiCall[ApiQuota]:
    """Ask for the quota of another call, by its path."""
    return ApiCall(path="/cgi-bin/openapi/quota/get", body={"cgi_path": path}, read=_read_quota)


def _read_token(answer: Mapping[str, Any]) -> AccessToken:
    token, seconds = answer["access_token"], int(answer["expires_in"])
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN_LENGTH or seconds <= 0:
        raise ValueError("no token")
    return AccessToken(token, timedelta(seconds=min(seconds, 86_400)))


def _read_quota(answer: Mapping[str, Any]) -> ApiQuota:
    quota = answer["quota"]
    # One client was seen to read the rate inside the quota.
    rate = answer.get("rate_limit") or quota.get("rate_limit") or {}
    calls, seconds = int(rate.get("call_count", 0)), int(rate.get("refresh_second", 0))
    has_rate = calls > 0 and seconds > 0
    daily_limit = int(quota["daily_limit"])
    return ApiQuota(
        daily_limit=daily_limit if daily_limit > 0 else None,
        used=int(quota["used"]),
        calls=calls if has_rate else None,
        period=timedelta(seconds=seconds) if has_rate else None,
    )

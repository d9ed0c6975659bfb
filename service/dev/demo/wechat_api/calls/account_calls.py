"""Answer the calls about the account itself: what is left of its quotas, and whether its callback is reached.

Source: developers.weixin.qq.com `/doc/service/api/apimanage/openapi/api_getapiquota` and
`/doc/service/api/base/api_callbackcheck`.
"""

from typing import Final

from service.dev.demo.wechat_api.calls.request import Answer, Invocation
from service.dev.demo.wechat_api.errors import ApiError

ACTIONS: Final = ("all", "dns", "ping")
OPERATORS: Final = ("DEFAULT", "CHINANET", "UNICOM", "CAP")


def check_callback(call: Invocation) -> Answer:
    """Return how a callback address is reached, always well."""
    if call.account.account.callback_url is None:
        raise ApiError(40201)
    action = call.text("action")
    if action not in ACTIONS:
        raise ApiError(40202)
    if call.text("check_operator") not in OPERATORS:
        raise ApiError(40203)
    dns = [{"ip": "127.0.0.1", "real_operator": "DEFAULT"}]
    ping = [{"ip": "127.0.0.1", "from_operator": "DEFAULT", "package_loss": "0%", "time": "1.000ms"}]
    return ({"dns": dns} if action != "ping" else {}) | ({"ping": ping} if action != "dns" else {})


def quota_of(call: Invocation, path: str) -> Answer:
    """Return what is left of the quota of a call today."""
    quota, used = call.account.quotas.quota(path), call.account.quotas.used(path, call.now)
    day = {"daily_limit": quota.daily, "used": used, "remain": max(0, quota.daily - used)}
    rates = {
        "rate_limit": {"call_count": quota.calls, "refresh_second": quota.seconds},
        "component_rate_limit": {"call_count": 0, "refresh_second": 0},
    }
    if call.books.behaviour.rate_limit_inside_quota:
        return {"errcode": 0, "errmsg": "ok", "quota": day | rates}
    return {"errcode": 0, "errmsg": "ok", "quota": day, **rates}

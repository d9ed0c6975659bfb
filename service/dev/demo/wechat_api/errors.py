"""Name the errors of WeChat's server API, which come as HTTP 200 with `errcode`, `errmsg` and the id of the request."""

import secrets
from typing import Any, Final

IP_REFUSED: Final = 40164
MESSAGES: Final = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest, could get access_token by getStableAccessToken,"
    " more details at https://mmbizurl.cn/s/JtxxFh33r",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40013: "invalid appid",
    40014: "invalid access_token",
    40032: "invalid openid list size",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40066: "invalid url",
    40125: "invalid appsecret",
    40201: "invalid url",
    40202: "invalid action",
    40203: "invalid check_operator",
    40243: "appsecret has been frozen",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    44002: "empty post data",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45056: "too many tag now, no need to add new",
    45057: "can't delete the tag that has too many fans",
    45058: "can't modify sys tag",
    45059: "can not add one more tag to a user who has too many",
    45157: "invalid tag name",
    45158: "invalid tag name, it is too long",
    45159: "invalid tag id",
    45169: "same openid is being tagged by another request",
    45171: "part of the openids failed",
    47001: "data format error",
    47002: "data format error, do NOT use json unicode encode (\\uxxxx\\uxxxx), please use utf8 encoded text",
    48001: "api unauthorized",
    49003: "openid does not match the appid",
    50002: "user limited",
    50004: "the account is punished",
    50005: "user is not following the account",
    61007: "api is unauthorized to component",
    63178: "appid wrong",
    63179: "too many openids",
    63182: "empty openid list",
    76021: "cgi_path not found, please check",
    89503: "this request needs the confirmation of an administrator",
}
"""Say each code in words, where WeChat's own are known in these; never compare them."""


class ApiError(Exception):
    """Raised to answer an `errcode` of WeChat's, with further `fields` where the answer has some."""

    def __init__(self, code: int, message: str | None = None, **fields: Any) -> None:
        self.code = code
        self.message = MESSAGES.get(code, "error") if message is None else message
        self.fields = fields
        super().__init__(f"{code} {self.message}")

    def answer(self) -> dict[str, Any]:
        """Return the body of the answer, with a new request id in its message."""
        rid = "-".join(secrets.token_hex(4) for _ in range(3))
        return {"errcode": self.code, "errmsg": f"{self.message} rid: {rid}", **self.fields}


def ip_refused_message(ip: str) -> str:
    """Return the message of 40164, which names the caller's address for the operator to allow."""
    return f"invalid ip {ip} ipv6 ::ffff:{ip}, not in whitelist"

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
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40031: "invalid openid list",
    40032: "invalid openid list size",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40037: "invalid template_id",
    40059: "invalid msg id",
    40060: "invalid article idx",
    40066: "invalid url",
    40125: "invalid appsecret",
    40130: "invalid openid list size, at least two openid",
    40152: "invalid group id",
    40165: "invalid weapp pagepath",
    40166: "invalid weapp appid",
    40201: "invalid url",
    40202: "invalid action",
    40203: "invalid check_operator",
    40204: "invalid msg type, can not be deleted",
    40243: "appsecret has been frozen",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41030: "invalid page",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43019: "require remove blacklist",
    43101: "user refuse to accept the msg",
    44002: "empty post data",
    44003: "empty news data",
    44004: "empty content",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45028: "has no masssend quota",
    45047: "out of response count limit",
    45056: "too many tag now, no need to add new",
    45057: "can't delete the tag that has too many fans",
    45058: "can't modify sys tag",
    45059: "can not add one more tag to a user who has too many",
    45065: "clientmsgid exist",
    45066: "same clientmsgid retry too fast",
    45067: "clientmsgid size out of limit",
    45083: "the speed out of range",
    45084: "No speed message",
    45109: "this api is not for a mini program",
    45157: "invalid tag name",
    45158: "invalid tag name, it is too long",
    45159: "invalid tag id",
    45162: "invalid msgtype",
    45169: "same openid is being tagged by another request",
    45171: "part of the openids failed",
    47001: "data format error",
    47002: "data format error, do NOT use json unicode encode (\\uxxxx\\uxxxx), please use utf8 encoded text",
    47003: "argument invalid!",
    48001: "api unauthorized",
    48002: "user refuses to receive messages",
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

"""Serve the conversations of the demo: what people and an account said to each other last, and answers by hand."""

from typing import Any, Final

from starlette.requests import Request

from service.dev.demo.wechat_api.books.accounts import AccountBooks
from service.dev.demo.wechat_api.books.books import WechatBooks
from service.dev.demo.wechat_api.books.conversations import Utterance
from service.dev.demo.wechat_api.books.messages import SentBy
from service.dev.demo.wechat_api.calls.request import Invocation
from service.dev.demo.wechat_api.calls.single_calls import send_custom
from service.dev.demo.wechat_api.errors import ApiError

MAX_LISTED: Final = 1_000
MAX_DIGITS: Final = 16
CUSTOM_SEND: Final = "/cgi-bin/message/custom/send"


class ChatApi:
    """Answer `GET /demo/conversations`, `GET /demo/conversations/{openid}` and `POST /demo/{openid}/reply`.

    Each is about the account `appId` of the query, by default the first one.
    """

    def __init__(self, books: WechatBooks) -> None:
        self._books = books

    async def conversations(self, request: Request) -> dict[str, Any]:
        """Return at most `limit` people, 1,000 by default, with what was said last; the newest first."""
        account = self._account(request)
        listed = account.conversations.newest(_number(request, "limit", MAX_LISTED))
        return {
            "appId": account.account.app_id,
            "conversations": [{"openid": openid, "last": _shown(last)} for openid, last in listed],
        }

    async def conversation(self, request: Request) -> dict[str, Any]:
        """Return what was said after the number `after`, the oldest first; nothing of people that are not known."""
        account, openid = self._account(request), request.path_params["openid"]
        said = account.conversations.of(openid, _number(request, "after", 0))
        return {"appId": account.account.app_id, "openid": openid, "utterances": [_shown(each) for each in said]}

    async def reply(self, request: Request) -> dict[str, Any]:
        """Answer a person with `text`, as WeChat lets customer service; raises ApiError where WeChat refuses."""
        account, openid = self._account(request), request.path_params["openid"]
        content = {"touser": openid, "msgtype": "text", "text": {"content": request.query_params.get("text", "")}}
        invocation = Invocation(self._books, account, CUSTOM_SEND, {}, content, self._books.now())
        return send_custom(invocation, SentBy.AGENT)

    def _account(self, request: Request) -> AccountBooks:
        accounts = self._books.accounts
        app_id = request.query_params.get("appId", next(iter(accounts), ""))
        if app_id not in accounts:
            raise ApiError(40013)
        return accounts[app_id]


def _number(request: Request, name: str, default: int) -> int:
    given = request.query_params.get(name, str(default))
    if not (given.isascii() and given.isdecimal() and len(given) < MAX_DIGITS):
        raise ApiError(-1, f"{name} is a whole number")
    return int(given)


def _shown(utterance: Utterance) -> dict[str, Any]:
    return {
        "number": utterance.number,
        "at": utterance.at,
        "by": utterance.by,
        "kind": utterance.kind,
        "text": utterance.text,
    }

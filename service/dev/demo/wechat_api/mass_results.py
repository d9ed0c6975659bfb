"""Write the event by which WeChat tells what became of a mass send.

Source: developers.weixin.qq.com `/doc/service/guide/product/message/Batch_Sends`.
"""

from collections.abc import Callable
from typing import Final

from service.dev.demo.push_encoder import PushFields, PushValue
from service.dev.demo.wechat_api.books.mass_sends import MassSend
from service.dev.demo.wechat_api.outcomes import Outcome

ADMIN: Final = "oAdmin0000000000000000000000"
"""Stand in the FromUserName of the event: somebody who need not be among the people."""


def mass_result(send: MassSend, outcome: Outcome) -> PushFields:
    """Return the fields of MASSSENDJOBFINISH; its lists are empty elements for anything but articles."""
    articles = 0 if outcome.empty_lists else send.articles
    return {
        "MsgType": "event",
        "Event": "MASSSENDJOBFINISH",
        "MsgID": str(send.msg_id),
        "Status": send.status,
        "TotalCount": str(send.total),
        "FilterCount": str(send.filtered),
        "SentCount": str(send.sent),
        "ErrorCount": str(send.errors),
        "CopyrightCheckResult": {
            "Count": str(articles),
            "ResultList": _items(articles, _copyright),
            "CheckState": "1" if articles else "0",
        },
        "ArticleUrlResult": {
            "Count": str(articles),
            "ResultList": _items(articles, lambda number: _address(send, number)),
        },
    }


def _items(count: int, item: Callable[[int], PushFields]) -> PushFields:
    items: PushValue = [item(number) for number in range(1, count + 1)]
    return {"item": items} if count else {}


def _copyright(number: int) -> PushFields:
    return {
        "ArticleIdx": str(number),
        "UserDeclareState": "0",
        "AuditState": "1",
        "OriginalArticleUrl": "",
        "OriginalArticleType": "0",
        "CanReprint": "0",
        "NeedReplaceContent": "0",
        "NeedShowReprintSource": "0",
    }


def _address(send: MassSend, number: int) -> PushFields:
    return {"ArticleIdx": str(number), "ArticleUrl": f"http://mp.weixin.qq.com/s?mid={send.msg_id}&idx={number}"}

"""Answer the calls around a mass send: to try it on one person, to ask what became of it, to take it back.

Source: developers.weixin.qq.com `/doc/service/api/notify/message`.
"""

from typing import Final

from service.dev.demo.wechat_api.books.mass_sends import MassSend
from service.dev.demo.wechat_api.books.messages import Message, SentBy
from service.dev.demo.wechat_api.calls.mass_content import mass_content
from service.dev.demo.wechat_api.calls.recipients import recipient
from service.dev.demo.wechat_api.calls.request import OK, Answer, Invocation
from service.dev.demo.wechat_api.errors import ApiError

DELETABLE: Final = frozenset({"mpnews", "mpvideo", "video"})
TEN_THOUSAND: Final = 10_000


def preview(call: Invocation) -> Answer:
    """Show a message to one person, named by openid or by a WeChat id, which wins."""
    shown = mass_content(call).shown
    openid = call.text("towxname") or recipient(call).openid
    message = Message(sent_by=SentBy.PREVIEW, content=shown, at=call.now)
    call.account.messages.deliver(message, [openid], call.books.behaviour.records)
    return {"errcode": 0, "errmsg": "preview success"}


def state_of_send(call: Invocation) -> Answer:
    """Return what became of a mass send."""
    send = _known_send(call)
    return {"msg_id": send.msg_id, "msg_status": send.state(call.now)}


def delete_send(call: Invocation) -> Answer:
    """Take back articles or a video, once they were sent."""
    send, article = _known_send(call), call.payload.get("article_idx", 0)
    if not isinstance(article, int) or not 0 <= article <= max(1, send.articles):
        raise ApiError(40060)
    if send.kind not in DELETABLE or send.state(call.now) != "SEND_SUCCESS":
        raise ApiError(40204)
    # One article less is still a mass send.
    send.deleted = article == 0 or send.articles <= 1
    return dict(OK)


def speed(call: Invocation) -> Answer:
    """Return how fast mass sends go: the level, and tens of thousands of people a minute."""
    level = call.account.mass.speed
    return {"speed": level, "realspeed": call.books.limits.speeds[level] // TEN_THOUSAND}


def set_speed(call: Invocation) -> Answer:
    """Change how fast mass sends go."""
    level = call.payload.get("speed")
    if level is None:
        raise ApiError(45084)
    if not isinstance(level, int) or not 0 <= level < len(call.books.limits.speeds):
        raise ApiError(45083)
    call.account.mass.speed = level
    return dict(OK)


def _known_send(call: Invocation) -> MassSend:
    """Return the mass send whose id is given as a number or as a text; raises ApiError 40059."""
    asked = str(call.payload.get("msg_id", ""))
    found = call.account.mass.sends.get(int(asked)) if asked.isdecimal() else None
    if found is None:
        raise ApiError(40059)
    return found

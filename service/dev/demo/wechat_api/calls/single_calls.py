"""Answer the calls that write to one person: template messages, and those of customer service.

Source: developers.weixin.qq.com `/doc/service/api/notify/template/api_sendtemplatemessage` and
`/doc/service/api/customer/message/api_sendcustommessage`.
"""

from typing import Final

from service.dev.demo.wechat_api.books.messages import SentBy
from service.dev.demo.wechat_api.books.people import PlatformUser
from service.dev.demo.wechat_api.books.results import ResultPush
from service.dev.demo.wechat_api.books.templates import SentTemplate, Template
from service.dev.demo.wechat_api.calls.recipients import deliver, recipient
from service.dev.demo.wechat_api.calls.request import OK, Answer, Invocation
from service.dev.demo.wechat_api.calls.template_values import check_values
from service.dev.demo.wechat_api.errors import ApiError
from service.dev.demo.wechat_api.outcomes import USUAL, is_success
from service.entities.channels import ChannelKind

CUSTOM_KINDS: Final = {
    "text": "content",
    "image": "media_id",
    "voice": "media_id",
    "video": "media_id",
    "music": "musicurl",
    "news": "articles",
    "mpnews": "media_id",
    "mpnewsarticle": "article_id",
    "msgmenu": "list",
    "wxcard": "card_id",
    "miniprogrampage": "pagepath",
    "link": "url",
}
"""Name what each type of a customer-service message cannot be without."""
BLOCKED: Final = "failed:user block"


def send_template(call: Invocation) -> Answer:
    """Send a template message, of which the same client id sends only one to somebody."""
    if call.account.account.kind is ChannelKind.MINI_PROGRAM:
        raise ApiError(45109)
    if call.account.account.kind is not ChannelKind.SERVICE_ACCOUNT or not call.account.account.verified:
        raise ApiError(48001)
    template, user, client_id = template_of(call, subscription=False), recipient(call), call.text("client_msg_id")
    earlier = call.account.templates.earlier(user.openid, client_id, call.now) if client_id else None
    if earlier is not None and call.books.behaviour.repeated_template_code is not None:
        raise ApiError(call.books.behaviour.repeated_template_code)
    if earlier is not None:
        return _sent(earlier.msg_id)
    if not user.following:
        raise ApiError(43004)
    refuse_blacklisted(call, user)
    _check_mini_program(call)
    if template is not None:
        check_values(template, call.payload.get("data"))
    return _sent(_deliver_template(call, user, client_id))


def send_custom(call: Invocation, sent_by: SentBy = SentBy.CUSTOM) -> Answer:
    """Send a customer-service message to somebody who did something lately that allows it."""
    account = call.account.account
    if account.kind is not ChannelKind.MINI_PROGRAM and not account.verified:
        raise ApiError(48001)
    _check_custom_content(call)
    user = recipient(call)
    if user.refuses_messages:
        raise ApiError(48002)
    if user.openid in call.account.blacklist:
        raise ApiError(45087)
    if not call.books.behaviour.limitless:
        if account.kind is not ChannelKind.MINI_PROGRAM and not user.following:
            raise ApiError(45015)
        call.account.replies.take(user.openid, call.now)
    deliver(call, user.openid, sent_by)
    return dict(OK)


def template_of(call: Invocation, *, subscription: bool) -> Template | None:
    """Return the template of the body, None without limits; raises ApiError 40037 if there is none of this kind."""
    found = call.account.templates.find(call.text("template_id"), subscription=subscription)
    if found is None and not call.books.behaviour.limitless:
        raise ApiError(40037)
    return found


def refuse_blacklisted(call: Invocation, user: PlatformUser) -> None:
    """Raise ApiError 43019 if somebody is on the blacklist."""
    if user.openid in call.account.blacklist:
        raise ApiError(43019)


def _deliver_template(call: Invocation, user: PlatformUser, client_id: str) -> int:
    outcome = call.books.outcomes.take(call.path, (user.openid,)) or USUAL
    status = outcome.status or (BLOCKED if user.refuses_messages else "success")
    msg_id = call.account.next_message_id()
    if client_id:
        call.account.templates.remember(user.openid, client_id, SentTemplate(call.now, msg_id))
    if is_success(status):
        deliver(call, user.openid, SentBy.TEMPLATE, client_id, msg_id)
    fields = {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": str(msg_id), "Status": status}
    call.account.results.add(ResultPush(call.now, user.openid, fields), outcome)
    return msg_id


def _check_mini_program(call: Invocation) -> None:
    page = call.payload.get("miniprogram")
    if not page:
        return
    if not isinstance(page, dict) or not str(page.get("appid", "")).startswith("wx"):
        raise ApiError(40166)
    if not isinstance(page.get("pagepath", ""), str):
        raise ApiError(40165)


def _check_custom_content(call: Invocation) -> None:
    kind = call.text("msgtype")
    if kind not in CUSTOM_KINDS:
        raise ApiError(40008)
    branch = call.payload.get(kind)
    if not isinstance(branch, dict):
        raise ApiError(47001)
    needed = branch.get(CUSTOM_KINDS[kind])
    if not needed:
        raise ApiError(40007 if CUSTOM_KINDS[kind] == "media_id" else 44004)
    if kind == "news" and (not isinstance(needed, list) or len(needed) > 1):
        raise ApiError(45008)


def _sent(msg_id: int) -> Answer:
    return {"errcode": 0, "errmsg": "ok", "msgid": msg_id}

"""Answer the calls that send subscription messages, each of which somebody accepted before.

Source: developers.weixin.qq.com `/doc/service/api/notify/notify/api_sendsubscribemsg` and, for Mini Programs,
`/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage`.
"""

from typing import Final

from service.dev.demo.wechat_api.books.messages import SentBy
from service.dev.demo.wechat_api.books.results import ResultPush
from service.dev.demo.wechat_api.calls.recipients import deliver, recipient
from service.dev.demo.wechat_api.calls.request import OK, Answer, Invocation
from service.dev.demo.wechat_api.calls.single_calls import refuse_blacklisted, template_of
from service.dev.demo.wechat_api.calls.template_values import check_values
from service.dev.demo.wechat_api.errors import ApiError
from service.dev.demo.wechat_api.outcomes import USUAL, error_of_subscription, is_success
from service.dev.demo.wechat_api.subscription_events import SENT, subscription_event
from service.entities.channels import ChannelKind

STATES: Final = ("developer", "trial", "formal")
LANGUAGES: Final = ("zh_CN", "en_US", "zh_HK", "zh_TW")


def send_of_service_account(call: Invocation) -> Answer:
    """Send a subscription message of a service account, whose id is not answered."""
    if call.account.account.kind is not ChannelKind.SERVICE_ACCOUNT or not call.account.account.verified:
        raise ApiError(48001)
    _send(call)
    return dict(OK)


def send_of_mini_program(call: Invocation) -> Answer:
    """Send a subscription message of a Mini Program."""
    if call.account.account.kind is not ChannelKind.MINI_PROGRAM:
        raise ApiError(48001)
    if (
        call.payload.get("miniprogram_state", "formal") not in STATES
        or call.payload.get("lang", "zh_CN") not in LANGUAGES
    ):
        raise ApiError(47001)
    if call.text("page").startswith(("/", "http")):
        raise ApiError(41030)
    return {**OK, "msgid": _send(call)}


def _send(call: Invocation) -> int:
    template, user = template_of(call, subscription=True), recipient(call)
    refuse_blacklisted(call, user)
    consents, template_id = call.account.consents, call.text("template_id")
    limitless = call.books.behaviour.limitless
    if not limitless and not consents.has(user.openid, template_id):
        raise ApiError(43101)
    if template is not None:
        check_values(template, call.payload.get("data"))
    if not limitless:
        consents.use(user.openid, template_id)
    outcome = call.books.outcomes.take(call.path, (user.openid,)) or USUAL
    status = outcome.status or "success"
    msg_id = call.account.next_message_id()
    if is_success(status):
        deliver(call, user.openid, SentBy.SUBSCRIPTION, msg_id=msg_id)
    entry = {"TemplateId": template_id, "MsgID": str(msg_id), **error_of_subscription(status)}
    fields = subscription_event(call.account.account, SENT, [entry], call.books.behaviour)
    call.account.results.add(ResultPush(call.now, user.openid, fields), outcome)
    return msg_id

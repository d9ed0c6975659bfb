"""Write the events by which WeChat tells about subscription messages.

Source: developers.weixin.qq.com `/doc/service/guide/product/subscribe_notice` and, for Mini Programs in JSON,
`/miniprogram/dev/framework/open-ability/subscribe-message`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from service.dev.demo.push_encoder import PushFields
from service.dev.demo.wechat_api.behaviour import Behaviour
from service.dev.demo.wechat_api.books.accounts import Account

POPUP: Final = "subscribe_msg_popup_event"
CHANGE: Final = "subscribe_msg_change_event"
SENT: Final = "subscribe_msg_sent_event"
WRAPPERS: Final = {POPUP: "SubscribeMsgPopupEvent", CHANGE: "SubscribeMsgChangeEvent", SENT: "SubscribeMsgSentEvent"}


def subscription_event(
    account: Account, name: str, entries: Sequence[Mapping[str, str]], behaviour: Behaviour
) -> PushFields:
    """Return the fields of an event about templates: XML wraps the list, JSON has it among the others."""
    event = {"MsgType": "event", "Event": name}
    if account.body_format == "xml":
        return {**event, WRAPPERS[name]: {"List": entries}}
    if len(entries) == 1 and behaviour.lone_entry_as_object:
        return {**event, "List": entries[0]}
    return {**event, "List": entries}

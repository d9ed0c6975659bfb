"""Find the one person that a message is for, and let it reach that person."""

from typing import Final

from service.dev.demo.wechat_api.books.messages import Message, SentBy
from service.dev.demo.wechat_api.books.people import PlatformUser
from service.dev.demo.wechat_api.calls.request import Invocation
from service.dev.demo.wechat_api.errors import ApiError

ADDRESS_FIELDS: Final = frozenset({"touser", "towxname", "client_msg_id", "clientmsgid"})


def recipient(call: Invocation) -> PlatformUser:
    """Return whom the message is for; raises ApiError 40003 if the account never knew the openid."""
    openid = call.text("touser")
    found = call.account.people.find(openid)
    if found is None and call.books.behaviour.limitless:
        return PlatformUser(openid, following=True)
    if found is None:
        raise ApiError(40003)
    return found


def deliver(call: Invocation, openid: str, sent_by: SentBy, client_id: str = "", msg_id: int = 0) -> None:
    """Let the message of a call reach somebody."""
    content = {name: value for name, value in call.payload.items() if name not in ADDRESS_FIELDS}
    message = Message(sent_by=sent_by, content=content, at=call.now, client_id=client_id, msg_id=msg_id)
    call.account.messages.deliver(message, [openid], call.books.behaviour.records)

"""Write messages of every kind, each with a mark by which WeChat's books tell who got it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from service.entities.broadcasts import MessageKind
from service.wechat.api import message_calls
from tests.faults.harness.bound_channel import APP_ID, MINI_PROGRAM_APP_ID, SUBSCRIPTION_APP_ID

MessageInput: TypeAlias = dict[str, Any]
TEMPLATE_ID: Final = "template-of-the-tea-house"
SUBSCRIPTION_ID: Final = "subscription-of-the-tea-house"


@dataclass(frozen=True, slots=True)
class Variant:
    """Describe broadcasts of one kind from one account.

    `write` takes the mark and, of articles, the draft. Before, each person does what `wanted_of_people` names, by which
    it may be sent to. `options` are those of `createBroadcast`.
    """

    kind: MessageKind
    path: str
    write: Callable[[str, str], MessageInput]
    app_id: str = APP_ID
    wanted_of_people: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def to_all(self) -> bool:
        """Return whether it goes to all followers, and not to some people with a tag."""
        return self.path == message_calls.MASS_SEND


def _templated(mark: str, template_id: str) -> MessageInput:
    return {"templateId": template_id, "data": [{"key": "thing1", "value": f"Tea {mark}"}]}


VARIANTS: Final = (
    Variant(
        MessageKind.MASS_TEXT,
        message_calls.MASS_SEND,
        lambda mark, _: {"massText": {"text": f"Spring tea is here. {mark}"}},
    ),
    Variant(
        MessageKind.MASS_IMAGE,
        message_calls.MASS_SEND,
        lambda mark, _: {"massImage": {"mediaIds": ["uploaded-image"], "recommend": mark}},
    ),
    Variant(
        MessageKind.MASS_ARTICLE,
        message_calls.MASS_SEND,
        lambda _, draft: {"massArticle": {"mediaId": draft}},
    ),
    Variant(
        MessageKind.TEMPLATE,
        message_calls.TEMPLATE_SEND,
        lambda mark, _: {"template": _templated(mark, TEMPLATE_ID)},
    ),
    Variant(
        MessageKind.CUSTOMER_SERVICE_TEXT,
        message_calls.CUSTOMER_SERVICE_SEND,
        lambda mark, _: {"customerServiceText": {"text": f"Your order. {mark}"}},
        wanted_of_people="message",
    ),
    Variant(
        MessageKind.SERVICE_SUBSCRIPTION,
        message_calls.SERVICE_SUBSCRIPTION_SEND,
        lambda mark, _: {"serviceSubscription": _templated(mark, SUBSCRIPTION_ID)},
        wanted_of_people="accept",
    ),
    Variant(
        MessageKind.MINI_PROGRAM_SUBSCRIPTION,
        message_calls.MINI_PROGRAM_SUBSCRIPTION_SEND,
        lambda mark, _: {"miniProgramSubscription": _templated(mark, SUBSCRIPTION_ID)},
        app_id=MINI_PROGRAM_APP_ID,
        wanted_of_people="accept",
    ),
    Variant(
        MessageKind.MASS_TEXT,
        message_calls.MASS_SEND_TO_TAG,
        lambda mark, _: {"massText": {"text": f"Autumn tea is here. {mark}"}},
        app_id=SUBSCRIPTION_APP_ID,
        options={"temporaryTag": True},
    ),
)

"""Messages to try things with."""

from service.entities.broadcast_messages import (
    ArticleMessage,
    BroadcastMessage,
    ImagesMessage,
    MiniProgramPage,
    SubscriptionMessage,
    TemplateField,
    TemplateMessage,
    TextMessage,
)
from service.entities.broadcasts import MessageKind
from service.entities.channels import Channel, ChannelKind
from tests.support.clock import START

PAGE = MiniProgramPage("wx0123456789abcdef", "pages/index/index?from=tags")
FIELDS = (TemplateField("thing1", "Spring sale"), TemplateField("time2", "15:01"))
MASS_TEXT = TextMessage(MessageKind.MASS_TEXT, "Spring sale\nfrom today")
MASS_IMAGE = ImagesMessage(("media-1", "media_2"), "Spring")
MASS_ARTICLE = ArticleMessage("draft-1", ignore_reprint=True)
TEMPLATE = TemplateMessage("template-1", FIELDS, "https://shop.example/?from=tags", PAGE)
CUSTOMER_SERVICE = TextMessage(MessageKind.CUSTOMER_SERVICE_TEXT, "Hello")
SERVICE_SUBSCRIPTION = SubscriptionMessage(
    MessageKind.SERVICE_SUBSCRIPTION, "template-2", FIELDS, "https://shop.example/", PAGE
)
MINI_PROGRAM_SUBSCRIPTION = SubscriptionMessage(
    MessageKind.MINI_PROGRAM_SUBSCRIPTION, "template-3", FIELDS, "pages/index?from=tags", None
)
EVERY_KIND: tuple[BroadcastMessage, ...] = (
    MASS_TEXT,
    MASS_IMAGE,
    MASS_ARTICLE,
    TEMPLATE,
    CUSTOMER_SERVICE,
    SERVICE_SUBSCRIPTION,
    MINI_PROGRAM_SUBSCRIPTION,
)


def channel(kind: ChannelKind = ChannelKind.SERVICE_ACCOUNT, *, verified: bool = True) -> Channel:
    """A channel with an account of a kind."""
    return Channel(7, "robot", kind, "wx0000", "Shop", verified, START, None, b"", None, None, b"", None)


def template(*fields: tuple[str, str], url: str | None = None, page: MiniProgramPage | None = None) -> TemplateMessage:
    """A template message with these fields."""
    return TemplateMessage("template-1", tuple(TemplateField(*field) for field in fields), url, page)


def text(written: str) -> TextMessage:
    """A text of customer service."""
    return TextMessage(MessageKind.CUSTOMER_SERVICE_TEXT, written)

"""Read the messages that clients write, and show those that are stored."""

from typing import assert_never

import strawberry

from service.api.guards.list_sizes import at_most, long_text
from service.domain.broadcasts.messages.checking import MAX_FIELDS, MAX_IMAGES
from service.entities import broadcast_messages as entities
from service.entities.broadcasts import MessageKind

PLACEHOLDERS = "`{{openid}}`, `{{tag:Category}}`, each with `|fallback` if wanted"


@strawberry.input(
    description=(
        "A text. It must show something, and has at most 2,047 bytes of UTF-8, of which a Chinese character takes "
        "three. Control and direction characters other than line ends and tabs are BAD_USER_INPUT."
    )
)
class TextMessageInput:
    """Take a text, for many or for one."""

    text: str = strawberry.field(
        description=f"The text; for one person it may hold placeholders: {PLACEHOLDERS}. For many it has none."
    )


@strawberry.input(description="Images of the account that all get alike.")
class MassMediaInput:
    """Take images for many."""

    media_ids: list[str] = strawberry.field(description="WeChat's ids of 1 to 20 uploaded images.")
    recommend: str | None = strawberry.field(
        default=None, description="Line that stands above the images, at most 100 characters; null for WeChat's own."
    )


@strawberry.input(description="An article of the account that all get alike.")
class MassArticleInput:
    """Take an article for many."""

    media_id: str = strawberry.field(
        description="WeChat's id of the draft. WeChat uses up a draft that it sends, so copies of it are sent."
    )
    ignore_reprint: bool = strawberry.field(
        default=False, description="Whether it is also sent if WeChat finds that it was taken from another account."
    )


@strawberry.input(description="A page of a Mini Program that opens when the message is tapped.")
class MiniProgramPageInput:
    """Take a page of a Mini Program."""

    app_id: str = strawberry.field(description="App id of the Mini Program.")
    page: str = strawberry.field(
        description=(
            "Path of the page, like pages/index/index?key=value, at most 1,024 bytes; placeholders may stand behind "
            "the question mark, and values are percent-encoded."
        )
    )


@strawberry.input(description="What stands in one field of a template.")
class TemplateFieldInput:
    """Take a field of a template."""

    key: str = strawberry.field(description="Name of the field, like thing1; it tells what may stand there.")
    value: str = strawberry.field(
        description=(
            f"What stands there, with placeholders or without: {PLACEHOLDERS}. WeChat's rules hold by the type: thing "
            "and const 20 characters, character_string, number and letter 32, phone_number 17, car_number 8, phrase 5 "
            "Chinese ones, symbol 5, name 20 or 10 Chinese ones, time, date and amount in their forms, all others 200. "
            "Values of people are cut to them. An emoji counts as two characters."
        )
    )


@strawberry.input(description="A template message to each person, as service accounts send them.")
class TemplateMessageInput:
    """Take a template message."""

    template_id: str = strawberry.field(description="WeChat's id of the template.")
    data: list[TemplateFieldInput] = strawberry.field(description="The fields, 1 to 20, each once.")
    url: str | None = strawberry.field(
        default=None,
        description=(
            "Address that opens when the message is tapped: http or https, at most 1,024 bytes; placeholders may stand "
            "behind the name of the site, and values are percent-encoded."
        ),
    )
    mini_program: MiniProgramPageInput | None = strawberry.field(
        default=None, description="Page of a Mini Program that opens instead of `url`."
    )


@strawberry.input(description="A subscription message to each person who allowed one of this template.")
class SubscriptionMessageInput:
    """Take a subscription message of either kind."""

    template_id: str = strawberry.field(description="WeChat's id of the template.")
    data: list[TemplateFieldInput] = strawberry.field(description="The fields, 1 to 20, each once.")
    page: str | None = strawberry.field(
        default=None,
        description=(
            "What opens when the message is tapped: of a service account an http or https address, of a Mini Program "
            "one of its pages; at most 1,024 bytes, and placeholders as in `TemplateMessageInput.url`."
        ),
    )
    mini_program: MiniProgramPageInput | None = strawberry.field(
        default=None, description="Page of a Mini Program that opens instead; of service accounts only."
    )


@strawberry.input(
    one_of=True,
    description=(
        "What is sent, of exactly one kind. BAD_USER_INPUT names every field that WeChat would refuse, and the kind "
        "itself where the account cannot send it: mass messages need a verified Official Account, template and service "
        "subscription messages a verified service account, customer service a verified Official Account or a Mini "
        "Program."
    ),
)
class BroadcastMessageInput:
    """Take a message as a client writes it; GraphQL lets exactly one field through."""

    mass_text: TextMessageInput | None = strawberry.field(
        default=strawberry.UNSET, description="A text that all get alike; it has no placeholders."
    )
    mass_image: MassMediaInput | None = strawberry.field(
        default=strawberry.UNSET, description="Images that all get alike."
    )
    mass_article: MassArticleInput | None = strawberry.field(
        default=strawberry.UNSET, description="An article that all get alike."
    )
    customer_service_text: TextMessageInput | None = strawberry.field(
        default=strawberry.UNSET, description="A text to each, as customer service sends it."
    )
    template: TemplateMessageInput | None = strawberry.field(
        default=strawberry.UNSET, description="A template message to each."
    )
    service_subscription: SubscriptionMessageInput | None = strawberry.field(
        default=strawberry.UNSET, description="A subscription message of a service account to each who allowed one."
    )
    mini_program_subscription: SubscriptionMessageInput | None = strawberry.field(
        default=strawberry.UNSET, description="A subscription message of a Mini Program to each who allowed one."
    )


def message_from_input(given: BroadcastMessageInput) -> entities.BroadcastMessage:
    """Return what the domain checks; GraphQL made sure that exactly one field is given."""
    if given.mass_text:
        return entities.TextMessage(MessageKind.MASS_TEXT, given.mass_text.text)
    if given.mass_image:
        return entities.ImagesMessage(tuple(given.mass_image.media_ids), given.mass_image.recommend)
    if given.mass_article:
        return entities.ArticleMessage(given.mass_article.media_id, given.mass_article.ignore_reprint)
    if given.customer_service_text:
        return entities.TextMessage(MessageKind.CUSTOMER_SERVICE_TEXT, given.customer_service_text.text)
    if given.template:
        data, page = _fields(given.template.data), _page(given.template.mini_program)
        return entities.TemplateMessage(given.template.template_id, data, given.template.url, page)
    if given.service_subscription:
        return _subscription(MessageKind.SERVICE_SUBSCRIPTION, given.service_subscription)
    if given.mini_program_subscription:
        return _subscription(MessageKind.MINI_PROGRAM_SUBSCRIPTION, given.mini_program_subscription)
    raise AssertionError("GraphQL lets exactly one field through")


def _subscription(kind: MessageKind, given: SubscriptionMessageInput) -> entities.SubscriptionMessage:
    return entities.SubscriptionMessage(
        kind, given.template_id, _fields(given.data), given.page, _page(given.mini_program)
    )


def _fields(given: list[TemplateFieldInput]) -> tuple[entities.TemplateField, ...]:
    return tuple(entities.TemplateField(field.key, field.value) for field in given)


def _page(given: MiniProgramPageInput | None) -> entities.MiniProgramPage | None:
    return None if given is None else entities.MiniProgramPage(given.app_id, given.page)


@strawberry.type(description="What stands in one field of a template.")
class TemplateField:
    """Show a field of a template."""

    key: str = strawberry.field(description="Name of the field.")
    value: str = strawberry.field(description="What stands there, with its placeholders.")


@strawberry.type(description="What a broadcast sends, with the placeholders that are filled in for each person.")
class BroadcastMessage:
    """Show a message, of whichever kind."""

    kind: MessageKind = strawberry.field(description="Which kind of message it is.")
    text: str | None = strawberry.field(
        default=None,
        description="The text, or the line above images; null where there is none.",
        metadata=long_text(200),
    )
    media_ids: list[str] = strawberry.field(
        default_factory=list,
        description="WeChat's ids of the images, or of the draft of the article; empty for other kinds.",
        metadata=at_most(MAX_IMAGES, usual=1),
    )
    template_id: str | None = strawberry.field(
        default=None, description="WeChat's id of the template; null where there is none."
    )
    data: list[TemplateField] = strawberry.field(
        default_factory=list,
        description="The fields of the template, in the order in which they were given; empty without a template.",
        metadata=at_most(MAX_FIELDS, usual=5),
    )
    url: str | None = strawberry.field(
        default=None, description="Web address that opens when a template message is tapped; null if none does."
    )
    page: str | None = strawberry.field(
        default=None,
        description=(
            "Page of a Mini Program that opens when the message is tapped, or what a subscription message opens; null "
            "if nothing does."
        ),
    )
    mini_program_app_id: str | None = strawberry.field(
        default=None, description="App id of the Mini Program of `page`; null where that is the sender's own or none."
    )

    @classmethod
    def of(cls, message: entities.BroadcastMessage) -> "BroadcastMessage":
        """Return the object of a message."""
        match message:
            case entities.TextMessage():
                return cls(kind=message.kind, text=message.text)
            case entities.ImagesMessage():
                return cls(kind=message.kind, text=message.recommend, media_ids=list(message.media_ids))
            case entities.ArticleMessage():
                return cls(kind=message.kind, media_ids=[message.media_id])
            case entities.TemplateMessage():
                return _templated(message, link=message.url)
            case entities.SubscriptionMessage():
                return _templated(message, link=message.page)
            case _:
                assert_never(message)


def _templated(
    message: entities.TemplateMessage | entities.SubscriptionMessage, *, link: str | None
) -> BroadcastMessage:
    opened = message.mini_program
    subscription = message.kind.subscription and opened is None
    return BroadcastMessage(
        kind=message.kind,
        template_id=message.template_id,
        data=[TemplateField(key=field.key, value=field.value) for field in message.data],
        url=None if subscription else link,
        page=link if subscription else opened and opened.page,
        mini_program_app_id=None if opened is None else opened.app_id,
    )


def message_summary(message: entities.BroadcastMessage) -> str:
    """Return what a message says, in a line or a few, for lists of broadcasts."""
    match message:
        case entities.TextMessage():
            return message.text
        case entities.ImagesMessage():
            return message.recommend or f"Images: {len(message.media_ids)}"
        case entities.ArticleMessage():
            return f"Article: {message.media_id}"
        case entities.TemplateMessage() | entities.SubscriptionMessage():
            return "\n".join(f"{field.key}: {field.value}" for field in message.data)
        case _:
            assert_never(message)

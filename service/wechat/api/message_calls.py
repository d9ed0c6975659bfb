"""Describe the calls that send messages, to many at once or to one person, and those that ask what became of them.

None of them is repeated by itself when no answer came: the message may be on its way. A mass message and a template
message take an id of ours, under which WeChat sends once only for a while.

Source: developers.weixin.qq.com `/doc/service/api/notify/mass`, `/doc/service/api/notify/template`,
`/doc/service/api/customer/message`, `/doc/service/api/notify/notify` and
`/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, assert_never

from service.wechat.api.call import ApiCall, read_message_id

MASS_SEND: Final = "/cgi-bin/message/mass/send"
MASS_SEND_TO_TAG: Final = "/cgi-bin/message/mass/sendall"
MASS_PREVIEW: Final = "/cgi-bin/message/mass/preview"
TEMPLATE_SEND: Final = "/cgi-bin/message/template/send"
CUSTOMER_SERVICE_SEND: Final = "/cgi-bin/message/custom/send"
SERVICE_SUBSCRIPTION_SEND: Final = "/cgi-bin/message/subscribe/bizsend"
MINI_PROGRAM_SUBSCRIPTION_SEND: Final = "/cgi-bin/message/subscribe/send"
MIN_OPENIDS_PER_MASS: Final = 2
MAX_OPENIDS_PER_MASS: Final = 10_000
MAX_CLIENT_ID_BYTES: Final = 32
# By the level that `mass/speed/get` tells.
PEOPLE_PER_MINUTE: Final = (800_000, 600_000, 450_000, 300_000, 100_000)


@dataclass(frozen=True, slots=True)
class MassText:
    """Hold a text for many."""

    text: str


@dataclass(frozen=True, slots=True)
class MassImages:
    """Hold uploaded images for many, with a line that recommends them."""

    media_ids: tuple[str, ...]
    recommend: str | None = None


@dataclass(frozen=True, slots=True)
class MassArticle:
    """Hold a draft for many, which is used up by its first success.

    With `ignore_reprint` it is also sent if WeChat takes it for a reprint.
    """

    media_id: str
    ignore_reprint: bool = False


MassContent: TypeAlias = MassText | MassImages | MassArticle


@dataclass(frozen=True, slots=True)
class MiniProgramPage:
    """Hold the page of a Mini Program that a message opens."""

    app_id: str
    page: str


@dataclass(frozen=True, slots=True)
class Sent:
    """Hold WeChat's id of a message that it took, as text since it may exceed 2^53; None where it told none."""

    msg_id: str | None


@dataclass(frozen=True, slots=True)
class MassStatus:
    """Hold what WeChat says of a mass message, in its own word."""

    word: str

    @property
    def sent(self) -> bool:
        """Tell whether it was sent; "DELETE" was, and taken back afterwards."""
        return self.word in {"SEND_SUCCESS", "DELETE"}

    @property
    def failed(self) -> bool:
        """Tell whether it was not sent and will not be."""
        return self.word == "SEND_FAIL"


@dataclass(frozen=True, slots=True)
class MassSpeed:
    """Hold to how many people a minute an account sends mass messages."""

    people_per_minute: int


def send_to_many(openids: Sequence[str], content: MassContent, client_id: str) -> ApiCall[Sent]:
    """Send a message to 2 to 10,000 people, once for each `client_id`, which has at most 32 bytes."""
    if not MIN_OPENIDS_PER_MASS <= len(openids) <= MAX_OPENIDS_PER_MASS:
        raise ValueError(f"{MIN_OPENIDS_PER_MASS} to {MAX_OPENIDS_PER_MASS} openids a call, not {len(openids)}")
    return _mass(MASS_SEND, {"touser": list(openids)}, content, client_id)


def send_to_tag(remote_tag_id: int, content: MassContent, client_id: str) -> ApiCall[Sent]:
    """Send a message to the members of a tag of the account, once for each `client_id` of at most 32 bytes."""
    audience = {"filter": {"is_to_all": False, "tag_id": remote_tag_id}}
    return _mass(MASS_SEND_TO_TAG, audience, content, client_id)


def preview_mass(openid: str, content: MassContent) -> ApiCall[None]:
    """Send one person what many are to get; of several images the first."""
    if isinstance(content, MassImages):
        branch: dict[str, Any] = {"msgtype": "image", "image": {"media_id": content.media_ids[0]}}
    else:
        branch = _branch(content)
        branch.pop("send_ignore_reprint", None)
    return ApiCall(path=MASS_PREVIEW, body={"touser": openid, **branch}, read=_read_done, repeatable=False)


def mass_status(msg_id: str) -> ApiCall[MassStatus]:
    """Ask what became of a mass message."""
    return ApiCall(
        path="/cgi-bin/message/mass/get",
        body={"msg_id": msg_id},
        read=lambda answer: MassStatus("".join(str(answer["msg_status"]).split()).upper()),
    )


def mass_speed() -> ApiCall[MassSpeed]:
    """Ask how fast the account sends mass messages."""
    return ApiCall(path="/cgi-bin/message/mass/speed/get", body={}, read=_read_speed)


def send_template(
    openid: str,
    template_id: str,
    data: Mapping[str, str],
    *,
    url: str | None = None,
    mini_program: MiniProgramPage | None = None,
    client_id: str | None = None,
) -> ApiCall[Sent]:
    """Send a template message with these field values, once for each person and `client_id` within ten minutes.

    With both links the Mini Program wins.
    """
    body = _templated(openid, template_id, data)
    if url is not None:
        body["url"] = url
    if mini_program is not None:
        body["miniprogram"] = _page(mini_program)
    if client_id is not None:
        body["client_msg_id"] = client_id
    return ApiCall(path=TEMPLATE_SEND, body=body, read=_read_sent, repeatable=False)


def send_customer_service_text(openid: str, text: str) -> ApiCall[Sent]:
    """Send a text as customer service does. The answer tells no id."""
    body = {"touser": openid, "msgtype": "text", "text": {"content": text}}
    return ApiCall(path=CUSTOMER_SERVICE_SEND, body=body, read=_read_sent, repeatable=False, mini_programs=True)


def send_service_subscription(
    openid: str,
    template_id: str,
    data: Mapping[str, str],
    *,
    page: str | None = None,
    mini_program: MiniProgramPage | None = None,
) -> ApiCall[Sent]:
    """Send a service account's subscription message, for which the person's consent is used up. No id is told."""
    body = _templated(openid, template_id, data)
    if page is not None:
        body["page"] = page
    if mini_program is not None:
        body["miniprogram"] = _page(mini_program)
    return ApiCall(path=SERVICE_SUBSCRIPTION_SEND, body=body, read=_read_sent, repeatable=False)


def send_mini_program_subscription(
    openid: str, template_id: str, data: Mapping[str, str], *, page: str | None = None
) -> ApiCall[Sent]:
    """Send a Mini Program's subscription message, for which the person's consent is used up."""
    body = {**_templated(openid, template_id, data), "miniprogram_state": "formal", "lang": "zh_CN"}
    if page is not None:
        body["page"] = page
    return ApiCall(
        path=MINI_PROGRAM_SUBSCRIPTION_SEND, body=body, read=_read_sent, repeatable=False, mini_programs=True
    )


def _mass(path: str, audience: Mapping[str, Any], content: MassContent, client_id: str) -> ApiCall[Sent]:
    if not 0 < len(client_id.encode()) <= MAX_CLIENT_ID_BYTES:
        raise ValueError(f"an id of 1 to {MAX_CLIENT_ID_BYTES} bytes, not {client_id!r}")
    body = {**audience, **_branch(content), "clientmsgid": client_id}
    return ApiCall(path=path, body=body, read=_read_sent, repeatable=False)


def _branch(content: MassContent) -> dict[str, Any]:
    match content:
        case MassText(text):
            return {"msgtype": "text", "text": {"content": text}}
        case MassImages(media_ids, recommend):
            images: dict[str, Any] = {"media_ids": list(media_ids)}
            if recommend is not None:
                images["recommend"] = recommend
            # The type is in the singular.
            return {"msgtype": "image", "images": images}
        case MassArticle(media_id, ignore_reprint):
            article = {"msgtype": "mpnews", "mpnews": {"media_id": media_id}}
            return {**article, "send_ignore_reprint": int(ignore_reprint)}
        case _:
            assert_never(content)


def _templated(openid: str, template_id: str, data: Mapping[str, str]) -> dict[str, Any]:
    fields = {key: {"value": value} for key, value in data.items()}
    return {"touser": openid, "template_id": template_id, "data": fields}


def _page(mini_program: MiniProgramPage) -> dict[str, str]:
    return {"appid": mini_program.app_id, "pagepath": mini_program.page}


def _read_done(answer: Mapping[str, Any]) -> None:
    """Read an answer that says by its `errcode` only that the message was taken; raises ValueError without one."""
    # Elsewhere an answer without a code is a success; of a message it would be no evidence that it was sent.
    if "errcode" not in answer:
        raise ValueError("no errcode")


def _read_sent(answer: Mapping[str, Any]) -> Sent:
    """Read an answer that says that the message was taken, with its id or without; raises ValueError if it does not."""
    msg_id = read_message_id(answer)
    if msg_id is None:
        _read_done(answer)
    return Sent(msg_id)


def _read_speed(answer: Mapping[str, Any]) -> MassSpeed:
    by_level = PEOPLE_PER_MINUTE[int(answer["speed"])]
    # In ten thousands; the level is what was asked for, this is what is done.
    real = int(answer.get("realspeed") or 0) * 10_000
    return MassSpeed(min(by_level, real) if real > 0 else by_level)

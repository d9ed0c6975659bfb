"""Read what a mass send sends, and refuse what WeChat refuses.

Source: developers.weixin.qq.com `/doc/service/api/notify/message/api_masssend`.
"""

from dataclasses import dataclass
from typing import Any, Final

from service.dev.demo.wechat_api.calls.request import Invocation
from service.dev.demo.wechat_api.errors import ApiError

WITH_MEDIA: Final = frozenset({"voice", "mpvideo", "video"})


@dataclass(frozen=True, slots=True)
class MassContent:
    """Hold what people will see. `media_id` is that of the draft it is from, "" if it is from none."""

    kind: str
    shown: dict[str, Any]
    media_id: str = ""

    @property
    def articles(self) -> int:
        """Return how many articles people will see."""
        return len(self.shown.get("articles", ()))


def mass_content(call: Invocation) -> MassContent:
    """Return what is sent; raises ApiError 40007, 44004, 45113, 45162 or 47001."""
    kind = call.text("msgtype")
    match kind:
        case "text":
            text = _branch(call, "text").get("content")
            if not isinstance(text, str) or not text:
                raise ApiError(44004)
            return MassContent(kind, {"msgtype": kind, "text": {"content": text}})
        case "mpnews":
            media_id = _branch(call, "mpnews").get("media_id")
            draft = call.account.drafts.drafts.get(str(media_id))
            if draft is None:
                raise ApiError(40007)
            return MassContent(kind, {"msgtype": kind, "articles": draft.articles}, str(media_id))
        case "image":
            return MassContent(kind, {"msgtype": kind, "images": _images(call)})
        case "wxcard":
            raise ApiError(45113)
        case _ if kind in WITH_MEDIA:
            media = _branch(call, kind)
            _check_media_id(media.get("media_id"))
            return MassContent(kind, {"msgtype": kind, kind: media})
        case _:
            raise ApiError(45162)


def _images(call: Invocation) -> dict[str, Any]:
    """Return the pictures, which a preview names one by one as `image`."""
    if "images" not in call.payload and call.path.endswith("/preview"):
        media_id = _branch(call, "image").get("media_id")
        _check_media_id(media_id)
        return {"media_ids": [media_id]}
    images = _branch(call, "images")
    media_ids = images.get("media_ids")
    if not isinstance(media_ids, list) or not media_ids:
        raise ApiError(40007)
    for media_id in media_ids:
        _check_media_id(media_id)
    return images


def _branch(call: Invocation, name: str) -> dict[str, Any]:
    found = call.payload.get(name)
    if not isinstance(found, dict):
        raise ApiError(47001)
    return found


def _check_media_id(media_id: Any) -> None:
    if not isinstance(media_id, str) or not media_id:
        raise ApiError(40007)

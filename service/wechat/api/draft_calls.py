"""Describe the calls that read, make and delete drafts of articles.

Source: developers.weixin.qq.com `/doc/service/api/draftbox/draftmanage`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from service.wechat.api.call import ApiCall, read_nothing

Article: TypeAlias = Mapping[str, Any]
# What a draft shows of itself, and a new one cannot be given.
SHOWN_ONLY: Final = frozenset({"url", "thumb_url", "is_deleted"})


def read_draft(media_id: str) -> ApiCall[Sequence[Article]]:
    """Ask for the articles of a draft, in the form in which `add_draft` takes them."""
    return ApiCall(path="/cgi-bin/draft/get", body={"media_id": media_id}, read=_read_articles)


def add_draft(articles: Sequence[Article]) -> ApiCall[str]:
    """Make a draft, and get its `media_id`. When no answer came there may be one more than is known."""
    return ApiCall(
        path="/cgi-bin/draft/add",
        body={"articles": list(articles)},
        read=lambda answer: _text(answer["media_id"]),
        repeatable=False,
    )


def delete_draft(media_id: str) -> ApiCall[None]:
    """Delete a draft."""
    return ApiCall(path="/cgi-bin/draft/delete", body={"media_id": media_id}, read=read_nothing)


def _read_articles(answer: Mapping[str, Any]) -> Sequence[Article]:
    found = [{key: value for key, value in each.items() if key not in SHOWN_ONLY} for each in answer["news_item"]]
    if not found:
        raise ValueError("no articles")
    return found


def _text(found: object) -> str:
    if not isinstance(found, str) or not found:
        raise ValueError("no text")
    return found

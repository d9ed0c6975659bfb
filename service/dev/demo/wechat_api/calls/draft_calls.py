"""Answer the calls about drafts of articles.

Source: developers.weixin.qq.com `/doc/service/api/draftbox/draftmanage`.
"""

from typing import Any

from service.dev.demo.wechat_api.books.drafts import Draft
from service.dev.demo.wechat_api.calls.request import OK, Answer, Invocation
from service.dev.demo.wechat_api.errors import ApiError


def add_draft(call: Invocation) -> Answer:
    """Keep a draft."""
    articles = call.payload.get("articles")
    if not isinstance(articles, list) or not articles:
        raise ApiError(44003)
    if len(articles) > call.books.limits.articles_per_draft:
        raise ApiError(45008)
    for article in articles:
        _check_article(article)
    return {"media_id": call.account.drafts.add(articles, call.now)}


def draft(call: Invocation) -> Answer:
    """Return the articles of a draft, each with the addresses that WeChat gives it."""
    media_id = call.text("media_id")
    found = _known_draft(call, media_id)
    address = f"http://mp.weixin.qq.com/s?__biz={media_id}&tempkey="
    items = [
        {**article, "url": f"{address}{number}", "thumb_url": f"http://mmbiz.qpic.cn/{media_id}/{number}"}
        for number, article in enumerate(found.articles)
    ]
    return {"news_item": items, "create_time": int(found.at.timestamp()), "update_time": int(found.at.timestamp())}


def delete_draft(call: Invocation) -> Answer:
    """Delete a draft."""
    media_id = call.text("media_id")
    _known_draft(call, media_id)
    del call.account.drafts.drafts[media_id]
    return dict(OK)


def count_drafts(call: Invocation) -> Answer:
    """Return how many drafts there are."""
    return {"total_count": len(call.account.drafts.drafts)}


def _known_draft(call: Invocation, media_id: str) -> Draft:
    found = call.account.drafts.drafts.get(media_id)
    if found is None:
        raise ApiError(40007)
    return found


def _check_article(article: Any) -> None:
    if not isinstance(article, dict):
        raise ApiError(47001)
    if not all(isinstance(article.get(name), str) and article[name] for name in ("title", "content")):
        raise ApiError(44003)

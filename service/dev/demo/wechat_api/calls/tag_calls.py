"""Answer the calls that make, list, rename and delete tags.

Source: developers.weixin.qq.com `/doc/service/api/usermanage/tag`. Success has no `errcode` where none is documented.
"""

from typing import Any, Final

from service.dev.demo.wechat_api.books.tags import RemoteTag
from service.dev.demo.wechat_api.calls.request import OK, Answer, Invocation
from service.dev.demo.wechat_api.errors import ApiError

SYSTEM_TAG_IDS: Final = (0, 1, 2)
STARRED: Final = {"id": 2, "name": "星标组", "count": 0}
"""Show the one system tag that `tags/get` lists."""


def create_tag(call: Invocation) -> Answer:
    """Make a tag."""
    name = _name(call, tag_id=None)
    if len(call.account.tags.tags) >= call.books.limits.max_tags:
        raise ApiError(45056)
    tag = call.account.tags.create(name, call.now)
    return {"tag": {"id": tag.id, "name": tag.name}}


def list_tags(call: Invocation) -> Answer:
    """Return all tags and how many have each, the system's too."""
    unlisted_for = call.books.behaviour.new_tag_unlisted_for
    own = [tag for tag in call.account.tags.tags.values() if call.now - tag.created_at >= unlisted_for]
    return {"tags": [STARRED, *({"id": tag.id, "name": tag.name, "count": len(tag.members)} for tag in own)]}


def rename_tag(call: Invocation) -> Answer:
    """Rename a tag."""
    tag = _own_tag(call, _tag_object(call).get("id"))
    tag.name = _name(call, tag.id)
    return dict(OK)


def delete_tag(call: Invocation) -> Answer:
    """Delete a tag, unless it has too many members."""
    tag_id = _tag_object(call).get("id")
    if tag_id is None:
        raise ApiError(44002)
    tag = _own_tag(call, tag_id)
    if len(tag.members) > call.books.limits.max_members_of_deleted_tag:
        raise ApiError(45057)
    call.account.tags.delete(tag.id)
    return dict(OK)


def known_tag(call: Invocation) -> RemoteTag:
    """Return the tag with the `tagid` of the body; raises ApiError 45159, for a time also if the tag is new."""
    tag = _tag(call, call.payload.get("tagid"))
    if call.now - tag.created_at < call.books.behaviour.new_tag_unknown_for:
        raise ApiError(45159)
    return tag


def _own_tag(call: Invocation, tag_id: Any) -> RemoteTag:
    if tag_id in SYSTEM_TAG_IDS:
        raise ApiError(45058)
    return _tag(call, tag_id)


def _tag(call: Invocation, tag_id: Any) -> RemoteTag:
    is_id = isinstance(tag_id, int) and not isinstance(tag_id, bool)
    tag = call.account.tags.tags.get(tag_id) if is_id else None
    if tag is None:
        raise ApiError(45159)
    return tag


def _tag_object(call: Invocation) -> dict[str, Any]:
    found = call.payload.get("tag")
    if not isinstance(found, dict):
        raise ApiError(47001)
    return found


def _name(call: Invocation, tag_id: int | None) -> str:
    """Return the name in the body, which no tag but this one may have."""
    name = _tag_object(call).get("name")
    if not isinstance(name, str) or not name.strip():
        raise ApiError(45157)
    if len(name.encode()) > call.books.limits.max_tag_name_bytes:
        raise ApiError(45158)
    taken = {tag.name for tag in call.account.tags.tags.values() if tag.id != tag_id} | {STARRED["name"]}
    if name in taken:
        raise ApiError(45157)
    return name

"""Describe the calls that make, list, rename and delete an account's tags, and those that tag its followers.

Source: developers.weixin.qq.com `/doc/service/api/usermanage/tag` and `/doc/service/api/usermanage/blacklist`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.wechat.api.call import ApiCall, read_nothing

MAX_OPENIDS_PER_TAGGING: Final = 50
TAGGING: Final = "/cgi-bin/tags/members/batchtagging"
UNTAGGING: Final = "/cgi-bin/tags/members/batchuntagging"
SYSTEM_TAG_IDS: Final = frozenset({0, 1, 2})


@dataclass(frozen=True, slots=True)
class RemoteTag:
    """Hold a tag of the account."""

    remote_tag_id: int
    name: str
    member_count: int

    @property
    def of_system(self) -> bool:
        """Tell whether the tag is WeChat's own, which cannot be changed."""
        return self.remote_tag_id in SYSTEM_TAG_IDS


@dataclass(frozen=True, slots=True)
class OpenidPage:
    """Hold a page of openids, and the cursor that the next page begins after; "" if this is the last one.

    `total` is how many are on all pages, as far as the call tells.
    """

    openids: tuple[str, ...]
    cursor: str
    total: int = 0


def list_tags() -> ApiCall[list[RemoteTag]]:
    """Ask for all tags of the account, the system's too."""
    return ApiCall(path="/cgi-bin/tags/get", read=lambda answer: [_read_tag(each) for each in answer["tags"]])


def create_tag(name: str) -> ApiCall[int]:
    """Make a tag, and get its id. When no answer came, look for it before it is made again."""
    return ApiCall(
        path="/cgi-bin/tags/create",
        body={"tag": {"name": name}},
        read=lambda answer: int(answer["tag"]["id"]),
        repeatable=False,
    )


def rename_tag(remote_tag_id: int, name: str) -> ApiCall[None]:
    """Rename a tag."""
    return ApiCall(path="/cgi-bin/tags/update", body={"tag": {"id": remote_tag_id, "name": name}}, read=read_nothing)


def delete_tag(remote_tag_id: int) -> ApiCall[None]:
    """Delete a tag, unless it has over 100,000 members."""
    return ApiCall(path="/cgi-bin/tags/delete", body={"tag": {"id": remote_tag_id}}, read=read_nothing)


def tag_users(remote_tag_id: int, openids: Sequence[str]) -> ApiCall[None]:
    """Give a tag to at most 50 followers; who has it keeps it."""
    return _members(TAGGING, remote_tag_id, openids)


def untag_users(remote_tag_id: int, openids: Sequence[str]) -> ApiCall[None]:
    """Take a tag from at most 50 followers; nothing happens to who does not have it."""
    return _members(UNTAGGING, remote_tag_id, openids)


def tag_members(remote_tag_id: int, cursor: str = "") -> ApiCall[OpenidPage]:
    """Ask for a page of who has a tag, which begins after `cursor`."""
    body = {"tagid": remote_tag_id, "next_openid": cursor}
    return ApiCall(path="/cgi-bin/user/tag/get", body=body, read=read_openids)


def tags_of_user(openid: str) -> ApiCall[frozenset[int]]:
    """Ask for the ids of the tags that a follower has."""
    return ApiCall(
        path="/cgi-bin/tags/getidlist",
        body={"openid": openid},
        read=lambda answer: frozenset(int(each) for each in answer["tagid_list"]),
    )


def blacklist(cursor: str = "") -> ApiCall[OpenidPage]:
    """Ask for a page of who is on the blacklist, which begins after `cursor`."""
    return ApiCall(path="/cgi-bin/tags/members/getblacklist", body={"begin_openid": cursor}, read=read_openids)


def read_openids(answer: Mapping[str, Any]) -> OpenidPage:
    """Read a page of openids, which has no `data` where nobody is left; the cursor may stand on the last page too."""
    openids = tuple(str(each) for each in answer.get("data", {}).get("openid", ()))
    cursor = str(answer.get("next_openid") or "") if openids else ""
    return OpenidPage(openids, cursor, int(answer.get("total") or 0))


def _members(path: str, remote_tag_id: int, openids: Sequence[str]) -> ApiCall[None]:
    if not 1 <= len(openids) <= MAX_OPENIDS_PER_TAGGING:
        raise ValueError(f"1 to {MAX_OPENIDS_PER_TAGGING} openids a call, not {len(openids)}")
    return ApiCall(
        path=path,
        body={"openid_list": list(openids), "tagid": remote_tag_id},
        read=read_nothing,
        exclusive=True,
    )


def _read_tag(found: Mapping[str, Any]) -> RemoteTag:
    return RemoteTag(int(found["id"]), str(found["name"]), int(found.get("count", 0)))

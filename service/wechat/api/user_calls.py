"""Describe the calls that list an account's followers and tell about them.

Source: developers.weixin.qq.com `/doc/service/api/usermanage/userinfo`; `changeopenid` is in the guide of account
migration.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from service.wechat.api.call import ApiCall
from service.wechat.api.tag_calls import OpenidPage, read_openids

MAX_USERS_PER_CALL: Final = 100
USERS_INFO: Final = "/cgi-bin/user/info/batchget"
NO_TAGS: Final[frozenset[int]] = frozenset()


class UserDetails(NamedTuple):
    """Hold what WeChat tells about an openid; of one who does not follow, no more than that.

    `followed_at` is the last follow. `subscribe_scene` is of an open set, and `qr_scene` empty unless a QR code was
    scanned. Of some followers WeChat tells neither time nor scene.
    """

    openid: str
    following: bool
    followed_at: datetime | None
    unionid: str | None
    subscribe_scene: str | None
    qr_scene: str
    tag_ids: frozenset[int]


def followers(cursor: str = "") -> ApiCall[OpenidPage]:
    """Ask for a page of at most 10,000 followers, which begins after `cursor`; the order is not that of following."""
    return ApiCall(path="/cgi-bin/user/get", query={"next_openid": cursor} if cursor else {}, read=read_openids)


def users_info(openids: Sequence[str]) -> ApiCall[list[UserDetails]]:
    """Ask about at most 100 openids."""
    _check_size(openids)
    asked = [{"openid": openid, "lang": "zh_CN"} for openid in openids]
    return ApiCall(
        path=USERS_INFO,
        body={"user_list": asked},
        read=lambda answer: [_read_user(each) for each in answer["user_info_list"]],
    )


def change_openids(from_app_id: str, openids: Sequence[str]) -> ApiCall[dict[str, str]]:
    """Ask which openids at most 100 followers of an account got when it was migrated to this one: `{old: new}`.

    Those that the old account does not know are left out.
    """
    _check_size(openids)
    return ApiCall(
        path="/cgi-bin/changeopenid",
        body={"from_appid": from_app_id, "openid_list": list(openids)},
        read=lambda answer: {
            str(each["ori_openid"]): str(each["new_openid"]) for each in answer["result_list"] if each.get("new_openid")
        },
    )


def _check_size(openids: Sequence[str]) -> None:
    if not 1 <= len(openids) <= MAX_USERS_PER_CALL:
        raise ValueError(f"1 to {MAX_USERS_PER_CALL} openids a call, not {len(openids)}")


def _read_user(found: Mapping[str, Any]) -> UserDetails:
    seconds, number = int(found.get("subscribe_time") or 0), int(found.get("qr_scene") or 0)
    tag_ids = found.get("tagid_list")
    return UserDetails(
        openid=str(found["openid"]),
        following=bool(found["subscribe"]),
        followed_at=datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None,
        unionid=found.get("unionid") or None,
        subscribe_scene=found.get("subscribe_scene") or None,
        qr_scene=str(found.get("qr_scene_str") or "") or (str(number) if number else ""),
        tag_ids=frozenset(map(int, tag_ids)) if tag_ids else NO_TAGS,
    )

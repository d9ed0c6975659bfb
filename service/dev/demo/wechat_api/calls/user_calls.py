"""Answer the calls that list followers and tell about users.

Source: developers.weixin.qq.com `/doc/service/api/usermanage/userinfo`.
"""

from typing import Any

from service.dev.demo.wechat_api.books.people import PlatformUser
from service.dev.demo.wechat_api.calls.request import Answer, Invocation
from service.dev.demo.wechat_api.errors import ApiError


def followers(call: Invocation) -> Answer:
    """Return a page of who follows, after `next_openid`."""
    people, size = call.account.people, call.books.limits.followers_per_page
    try:
        page = people.followers_after(call.query.get("next_openid", ""), size)
    except LookupError as error:
        raise ApiError(40003) from error
    answer: Answer = {"total": people.follower_count(), "count": len(page), "next_openid": call.next_openid(page, size)}
    return answer | ({"data": {"openid": page}} if page else {})


def user_info(call: Invocation) -> Answer:
    """Return what WeChat tells about one openid."""
    return _info(call, call.query.get("openid", ""))


def users_info(call: Invocation) -> Answer:
    """Return what WeChat tells about each of up to a hundred openids; one that is unknown refuses the call."""
    asked = call.payload.get("user_list")
    if not isinstance(asked, list) or not 1 <= len(asked) <= call.books.limits.users_per_batch:
        raise ApiError(40032)
    openids = [str(entry.get("openid")) if isinstance(entry, dict) else "" for entry in asked]
    return {"user_info_list": [_info(call, openid) for openid in openids]}


def change_openids(call: Invocation) -> Answer:
    """Return the new openids of users of an account that was migrated to this one."""
    mapping = _mapping(call, call.text("from_appid"))
    openids = call.payload.get("openid_list")
    if not isinstance(openids, list) or not openids:
        raise ApiError(63182)
    if len(openids) > call.books.limits.openids_per_migration:
        raise ApiError(63179)
    return {"errcode": 0, "errmsg": "ok", "result_list": [_moved(mapping, str(openid)) for openid in openids]}


def _mapping(call: Invocation, named: str) -> dict[str, str]:
    by_gh_id = call.books.behaviour.migrated_from_gh_id
    for app_id, mapping in call.account.migrated.items():
        if named == (call.books.accounts[app_id].account.gh_id if by_gh_id else app_id):
            return mapping
    raise ApiError(63178)


def _moved(mapping: dict[str, str], openid: str) -> dict[str, str]:
    if openid not in mapping:
        return {"ori_openid": openid, "err_msg": "ori_openid error"}
    return {"ori_openid": openid, "new_openid": mapping[openid], "err_msg": "ok"}


def _info(call: Invocation, openid: str) -> dict[str, Any]:
    user = call.account.people.find(openid)
    if user is None:
        raise ApiError(40003)
    if not user.following:
        return {"subscribe": 0, "openid": openid, "tagid_list": []}
    if user.sparse:
        return {"subscribe": 1, "openid": openid, "tagid_list": []}
    return _follower(user, call.account.tags.tags_of(openid))


def _follower(user: PlatformUser, tag_ids: tuple[int, ...]) -> dict[str, Any]:
    return {
        "subscribe": 1,
        "openid": user.openid,
        "nickname": "",
        "sex": 0,
        "language": "zh_CN",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "subscribe_time": int(user.followed_seconds),
        "remark": "",
        "groupid": tag_ids[0] if tag_ids else 0,
        "tagid_list": list(tag_ids),
        "subscribe_scene": user.subscribe_scene,
        "qr_scene": int(user.qr_scene) if user.qr_scene.isdecimal() else 0,
        "qr_scene_str": "" if user.qr_scene.isdecimal() else user.qr_scene,
        **({} if user.unionid is None else {"unionid": user.unionid}),
    }

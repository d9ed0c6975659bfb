"""Answer the calls that tag users and tell who is tagged, and those of the blacklist.

Source: developers.weixin.qq.com `/doc/service/api/usermanage/tag` and `/doc/service/api/usermanage/blacklist`. How a
call behaves on openids that cannot be used is undocumented: `Behaviour` chooses.
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

from service.dev.demo.wechat_api.behaviour import BadOpenid
from service.dev.demo.wechat_api.calls.request import OK, Answer, Invocation
from service.dev.demo.wechat_api.calls.tag_calls import known_tag
from service.dev.demo.wechat_api.errors import ApiError


def tag_users(call: Invocation) -> Answer:
    """Give a tag to users, all of whom must have room for it."""
    tag, tags = known_tag(call), call.account.tags
    refused = _refused(call, tagging=True)
    openids = [each for each in call.openids(call.books.limits.openids_per_tagging) if each not in refused]
    if any(_is_full(call, openid, tag.id) for openid in openids):
        raise ApiError(45059)
    return _apply(call, refused, lambda: tags.tag(tag.id, openids))


def untag_users(call: Invocation) -> Answer:
    """Take a tag from users."""
    tag, tags = known_tag(call), call.account.tags
    refused = _refused(call, tagging=False)
    openids = [each for each in call.openids(call.books.limits.openids_per_tagging) if each not in refused]
    return _apply(call, refused, lambda: tags.untag(tag.id, openids))


@contextmanager
def one_call_for_each(call: Invocation) -> Generator[None]:
    """Mark whom a call tags while it runs; raises ApiError if another call is tagging one of them."""
    account, code = call.account, call.books.behaviour.overlap_code
    found = call.payload.get("openid_list")
    openids = {str(each) for each in found} if isinstance(found, list) else set()
    if code is not None and openids & account.tagging:
        raise ApiError(code)
    mine = openids - account.tagging
    account.tagging |= mine
    try:
        yield
    finally:
        account.tagging -= mine


def tag_members(call: Invocation) -> Answer:
    """Return a page of who has a tag; without `data` where nobody is left."""
    size = call.books.limits.tag_members_per_page
    page = known_tag(call).members_after(call.text("next_openid"), size)
    if not page:
        return {"count": 0}
    return {"count": len(page), "data": {"openid": page}, "next_openid": call.next_openid(page, size)}


def tags_of_user(call: Invocation) -> Answer:
    """Return the ids of a user's tags, the newest first."""
    openid = call.text("openid")
    if call.account.people.find(openid) is None:
        raise ApiError(40003)
    return {"tagid_list": list(reversed(call.account.tags.tags_of(openid)))}


def blacklist(call: Invocation) -> Answer:
    """Return a page of the blacklist, which begins after `begin_openid`."""
    openids = list(call.account.blacklist)
    begin = call.text("begin_openid")
    if begin and begin not in call.account.blacklist:
        raise ApiError(40003)
    start = openids.index(begin) + 1 if begin else 0
    page = openids[start : start + call.books.limits.blacklist_per_page]
    answer: Answer = {"total": len(openids), "count": len(page), "next_openid": page[-1] if page else ""}
    return answer | ({"data": {"openid": page}} if page else {})


def add_to_blacklist(call: Invocation) -> Answer:
    """Put users on the blacklist; nobody is, if one of them is unknown."""
    call.account.blacklist.update(dict.fromkeys(_known_users(call)))
    return dict(OK)


def remove_from_blacklist(call: Invocation) -> Answer:
    """Take users from the blacklist, who need not be on it."""
    for openid in _known_users(call):
        call.account.blacklist.pop(openid, None)
    return dict(OK)


def _known_users(call: Invocation) -> list[str]:
    openids = call.openids(call.books.limits.openids_per_blacklisting)
    if any(call.account.people.find(openid) is None for openid in openids):
        raise ApiError(40003)
    return openids


def _is_full(call: Invocation, openid: str, tag_id: int) -> bool:
    found = call.account.tags.tags_of(openid)
    return tag_id not in found and len(found) >= call.books.limits.tags_per_user


def _refused(call: Invocation, tagging: bool) -> dict[str, int]:
    """Return the errcode of each openid that cannot be used, in their order."""
    codes = {openid: _code(call, openid, tagging) for openid in call.openids(call.books.limits.openids_per_tagging)}
    return {openid: code for openid, code in codes.items() if code}


def _code(call: Invocation, openid: str, tagging: bool) -> int:
    """Return the errcode of one openid, 0 if it can be used; untagging does not name 50002 and 50005."""
    user = call.account.people.find(openid)
    if user is None:
        return 49003 if _is_foreign(call, openid) else 40003
    if not user.following:
        return 50005 if tagging else 40003
    if user.limited and tagging:
        return 50002
    if openid in call.account.blacklist and tagging:
        return call.books.behaviour.blacklisted_code or 0
    return 0


def _is_foreign(call: Invocation, openid: str) -> bool:
    others: Iterable[str] = call.books.accounts.keys() - {call.account.account.app_id}
    return any(call.books.accounts[app_id].people.find(openid) is not None for app_id in others)


def _apply(call: Invocation, refused: dict[str, int], change: Callable[[], None]) -> Answer:
    """Change what can be changed, and answer as the switch for bad openids says."""
    behaviour = call.books.behaviour
    alone = len(call.payload["openid_list"]) == 1
    refuse = behaviour.bad_openid is BadOpenid.REFUSE or (behaviour.bad_openid is BadOpenid.SILENT and alone)
    if refused and refuse and not behaviour.refusal_applies_rest:
        raise ApiError(next(iter(refused.values())))
    change()
    if refused and refuse:
        raise ApiError(next(iter(refused.values())))
    if refused and behaviour.bad_openid is BadOpenid.PARTIAL:
        raise ApiError(45171, fail_openid_list=list(refused))
    return dict(OK)

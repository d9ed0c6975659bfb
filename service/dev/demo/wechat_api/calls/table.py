"""List the calls of the imitated server API by path."""

from collections.abc import Callable
from typing import Final

from service.dev.demo.wechat_api.calls import account_calls, member_calls, tag_calls, token_calls, user_calls
from service.dev.demo.wechat_api.calls.request import (
    Answer,
    Call,
    Invocation,
    by_token,
    by_token_of_verified,
)
from service.dev.demo.wechat_api.errors import ApiError


def _read(answer: Callable[[Invocation], Answer]) -> Call:
    return Call(answer=answer, authenticate=by_token_of_verified, method="GET")


def _send(answer: Callable[[Invocation], Answer], *, tags_users: bool = False) -> Call:
    return Call(answer=answer, authenticate=by_token_of_verified, tags_users=tags_users)


def _quota(call: Invocation) -> Answer:
    path = call.text("cgi_path")
    if path not in CALLS:
        raise ApiError(76021)
    return account_calls.quota_of(call, path)


CALLS: Final[dict[str, Call]] = {
    "/cgi-bin/token": Call(answer=token_calls.token, authenticate=token_calls.by_secret_in_query, method="GET"),
    "/cgi-bin/stable_token": Call(answer=token_calls.stable_token, authenticate=token_calls.by_secret_in_body),
    "/cgi-bin/tags/create": _send(tag_calls.create_tag),
    "/cgi-bin/tags/get": _read(tag_calls.list_tags),
    "/cgi-bin/tags/update": _send(tag_calls.rename_tag),
    "/cgi-bin/tags/delete": _send(tag_calls.delete_tag),
    "/cgi-bin/tags/getidlist": _send(member_calls.tags_of_user),
    "/cgi-bin/tags/members/batchtagging": _send(member_calls.tag_users, tags_users=True),
    "/cgi-bin/tags/members/batchuntagging": _send(member_calls.untag_users, tags_users=True),
    "/cgi-bin/tags/members/getblacklist": _send(member_calls.blacklist),
    "/cgi-bin/tags/members/batchblacklist": _send(member_calls.add_to_blacklist),
    "/cgi-bin/tags/members/batchunblacklist": _send(member_calls.remove_from_blacklist),
    "/cgi-bin/user/tag/get": _send(member_calls.tag_members),
    "/cgi-bin/user/get": _read(user_calls.followers),
    "/cgi-bin/user/info": _read(user_calls.user_info),
    "/cgi-bin/user/info/batchget": _send(user_calls.users_info),
    "/cgi-bin/changeopenid": _send(user_calls.change_openids),
    "/cgi-bin/openapi/quota/get": Call(answer=_quota, authenticate=by_token),
    "/cgi-bin/callback/check": Call(answer=account_calls.check_callback, authenticate=by_token),
}
"""Add a call here, and its quota in `limits`."""

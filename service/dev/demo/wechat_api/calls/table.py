"""List the calls of the imitated server API by path."""

from collections.abc import Callable
from typing import Final

from service.dev.demo.wechat_api.calls import (
    account_calls,
    draft_calls,
    mass_calls,
    mass_followup_calls,
    member_calls,
    single_calls,
    subscription_calls,
    tag_calls,
    token_calls,
    user_calls,
)
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


def _send(answer: Callable[[Invocation], Answer], *, needs_body: bool = True) -> Call:
    return Call(answer=answer, authenticate=by_token_of_verified, needs_body=needs_body)


def _tag(answer: Callable[[Invocation], Answer]) -> Call:
    return Call(answer=answer, authenticate=by_token_of_verified, tags_users=True, guard=member_calls.one_call_for_each)


def _mass(answer: Callable[[Invocation], Answer]) -> Call:
    return Call(answer=answer, authenticate=by_token_of_verified, guard=mass_calls.one_at_a_time)


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
    "/cgi-bin/tags/members/batchtagging": _tag(member_calls.tag_users),
    "/cgi-bin/tags/members/batchuntagging": _tag(member_calls.untag_users),
    "/cgi-bin/tags/members/getblacklist": _send(member_calls.blacklist),
    "/cgi-bin/tags/members/batchblacklist": _send(member_calls.add_to_blacklist),
    "/cgi-bin/tags/members/batchunblacklist": _send(member_calls.remove_from_blacklist),
    "/cgi-bin/user/tag/get": _send(member_calls.tag_members),
    "/cgi-bin/user/get": _read(user_calls.followers),
    "/cgi-bin/user/info": _read(user_calls.user_info),
    "/cgi-bin/user/info/batchget": _send(user_calls.users_info),
    "/cgi-bin/changeopenid": _send(user_calls.change_openids),
    "/cgi-bin/message/mass/send": _mass(mass_calls.send_to_people),
    "/cgi-bin/message/mass/sendall": _mass(mass_calls.send_to_tag),
    "/cgi-bin/message/mass/preview": _send(mass_followup_calls.preview),
    "/cgi-bin/message/mass/get": _send(mass_followup_calls.state_of_send),
    "/cgi-bin/message/mass/delete": _send(mass_followup_calls.delete_send),
    "/cgi-bin/message/mass/speed/get": _send(mass_followup_calls.speed, needs_body=False),
    "/cgi-bin/message/mass/speed/set": _send(mass_followup_calls.set_speed),
    "/cgi-bin/draft/add": _send(draft_calls.add_draft),
    "/cgi-bin/draft/get": _send(draft_calls.draft),
    "/cgi-bin/draft/delete": _send(draft_calls.delete_draft),
    "/cgi-bin/draft/count": _read(draft_calls.count_drafts),
    "/cgi-bin/message/template/send": Call(answer=single_calls.send_template, authenticate=by_token),
    "/cgi-bin/message/custom/send": Call(answer=single_calls.send_custom, authenticate=by_token),
    "/cgi-bin/message/subscribe/bizsend": Call(
        answer=subscription_calls.send_of_service_account, authenticate=by_token
    ),
    "/cgi-bin/message/subscribe/send": Call(answer=subscription_calls.send_of_mini_program, authenticate=by_token),
    "/cgi-bin/openapi/quota/get": Call(answer=_quota, authenticate=by_token),
    "/cgi-bin/callback/check": Call(answer=account_calls.check_callback, authenticate=by_token),
}
"""Add a call here, and its quota in `limits`."""

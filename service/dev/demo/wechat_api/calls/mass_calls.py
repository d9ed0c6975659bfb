"""Answer the calls that send to many people at once.

Source: developers.weixin.qq.com `/doc/service/api/notify/message` and `/doc/service/guide/product/message/Batch_Sends`.
"""

import hashlib
import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from service.dev.demo.wechat_api.books.mass_sends import MassSend
from service.dev.demo.wechat_api.books.messages import Message, SentBy
from service.dev.demo.wechat_api.books.results import ResultPush
from service.dev.demo.wechat_api.calls.mass_content import MassContent, mass_content
from service.dev.demo.wechat_api.calls.request import Answer, Invocation
from service.dev.demo.wechat_api.errors import ApiError
from service.dev.demo.wechat_api.mass_results import ADMIN, mass_result
from service.dev.demo.wechat_api.outcomes import USUAL, Outcome, is_success
from service.entities.channels import ChannelKind


@dataclass(frozen=True, slots=True)
class Audience:
    """Hold who is addressed, of whom only the `usable` can be written to."""

    addressed: Sequence[str]
    usable: Sequence[str]
    to_all: bool = False


def send_to_people(call: Invocation) -> Answer:
    """Send to people one by one, which only a service account may."""
    if call.account.account.kind is not ChannelKind.SERVICE_ACCOUNT:
        raise ApiError(48001)
    _refuse_repeat(call)
    return _submit(call, _people(call))


def send_to_tag(call: Invocation) -> Answer:
    """Send to whoever has a tag, or to all who follow."""
    _refuse_repeat(call)
    return _submit(call, _tag_or_all(call))


@contextmanager
def one_at_a_time(call: Invocation) -> Generator[None]:
    """Remember a client id while its call runs; raises ApiError 45066 if one with the same runs, 45067 if too long."""
    client_id, running = _client_id(call), call.account.mass.running
    if client_id in running:
        raise ApiError(45066)
    running.add(client_id)
    try:
        yield
    finally:
        running.discard(client_id)


def _client_id(call: Invocation) -> str:
    """Return the id that tells a repeat: if none is given, WeChat takes a digest of audience and content."""
    given = call.text("clientmsgid")
    if len(given.encode()) > call.books.limits.client_id_bytes:
        raise ApiError(45067)
    if given:
        return given
    text = json.dumps([call.path, call.payload], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[: call.books.limits.client_id_bytes]


def _refuse_repeat(call: Invocation) -> None:
    """Raise ApiError 45065 with the id of the mass send if it was submitted before, at first 45066 if so switched."""
    earlier = call.account.mass.earlier(_client_id(call), call.now)
    if earlier is None:
        return
    if call.now - earlier.at < call.books.behaviour.repeats_too_fast_for:
        raise ApiError(45066)
    raise ApiError(45065, msg_id=earlier.msg_id)


def _people(call: Invocation) -> Audience:
    limits, behaviour = call.books.limits, call.books.behaviour
    openids = call.payload.get("touser")
    if not isinstance(openids, list) or len(openids) < limits.fewest_people_of_mass:
        raise ApiError(40130)
    if len(openids) > limits.people_per_mass:
        raise ApiError(40032)
    if behaviour.limitless:
        return Audience(openids, openids)
    if not all(isinstance(openid, str) for openid in openids):
        raise ApiError(40031)
    usable = [openid for openid in openids if _is_usable(call, openid)]
    if behaviour.few_usable_code is not None and len(set(usable)) < limits.fewest_people_of_mass:
        raise ApiError(behaviour.few_usable_code)
    return Audience(openids, usable)


def _is_usable(call: Invocation, openid: str) -> bool:
    """Say whether somebody can be written to; raises ApiError where the switches refuse who cannot."""
    user, behaviour = call.account.people.find(openid), call.books.behaviour
    refused = behaviour.mass_unknown_code if user is None else behaviour.mass_unfollowed_code
    if refused is not None and (user is None or not user.following):
        raise ApiError(refused)
    return user is not None and user.following


def _tag_or_all(call: Invocation) -> Audience:
    filters = call.payload.get("filter")
    if not isinstance(filters, dict):
        raise ApiError(47001)
    people, tags = call.account.people, call.account.tags.tags
    if filters.get("is_to_all") is True:
        openids = people.followers_after("", people.follower_count())
        return Audience(openids, openids, to_all=True)
    # Tags were called groups once, and older clients still say so.
    tag_id = str(filters.get("tag_id", filters.get("group_id")))
    tag = tags.get(int(tag_id)) if tag_id.isdecimal() else None
    if tag is None:
        raise ApiError(call.books.behaviour.wrong_tag_code)
    openids = sorted(tag.members)
    return Audience(openids, openids)


def _submit(call: Invocation, audience: Audience) -> Answer:
    content = mass_content(call)
    _check_quota_of_successes(call, to_all=audience.to_all)
    mass, behaviour = call.account.mass, call.books.behaviour
    outcome = call.books.outcomes.take(call.path, audience.addressed) or USUAL
    send = MassSend(
        msg_id=mass.next_id(),
        client_id=_client_id(call),
        kind=content.kind,
        at=call.now,
        ends_at=call.now + _duration(call, len(audience.addressed)),
        status=outcome.status or behaviour.mass_success,
        articles=content.articles,
        to_all=audience.to_all,
    )
    reached = _reach(call, send, audience, outcome) if is_success(send.status) else []
    mass.add(send)
    if not behaviour.limitless:
        mass.count(reached, call.now)
    if is_success(send.status):
        call.account.drafts.drafts.pop(content.media_id, None)
    message = Message(
        sent_by=SentBy.MASS, content=content.shown, at=call.now, client_id=call.text("clientmsgid"), msg_id=send.msg_id
    )
    call.account.messages.deliver(message, reached, behaviour.records)
    call.account.results.add(ResultPush(send.ends_at, ADMIN, mass_result(send, outcome)), outcome)
    return _answer(send, content)


def _check_quota_of_successes(call: Invocation, *, to_all: bool) -> None:
    limits = call.books.limits
    if call.books.behaviour.limitless:
        return
    if call.account.account.kind is ChannelKind.SUBSCRIPTION_ACCOUNT:
        most, used = limits.masses_of_subscription_account_per_day, call.account.mass.successes_today(call.now)
    elif to_all:
        most, used = limits.masses_to_all_per_day, call.account.mass.successes_today(call.now, to_all=True)
    else:
        return
    if used >= most:
        raise ApiError(45028)


def _duration(call: Invocation, people: int) -> timedelta:
    takes = call.books.behaviour.mass_takes
    if takes is not None:
        return takes
    return timedelta(minutes=people / call.books.limits.speeds[call.account.mass.speed])


def _reach(call: Invocation, send: MassSend, audience: Audience, outcome: Outcome) -> list[str]:
    """Count whom a mass send addresses and reaches, and return the latter."""
    send.total = len(audience.addressed)
    left = [each for each in audience.usable if call.books.behaviour.limitless or _may_receive(call, each)]
    reached = left[: outcome.sent_count]
    send.filtered, send.sent, send.errors = len(left), len(reached), len(left) - len(reached)
    return reached


def _may_receive(call: Invocation, openid: str) -> bool:
    account, limits = call.account, call.books.limits
    user = account.people.find(openid)
    if openid in account.blacklist or user is None or user.refuses_messages:
        return False
    # A subscription account sends once a day, and its followers have no limit of their own.
    if account.account.kind is not ChannelKind.SERVICE_ACCOUNT:
        return True
    return account.mass.received_this_month(openid, call.now) < limits.masses_per_user_and_month


def _answer(send: MassSend, content: MassContent) -> Answer:
    answer: dict[str, Any] = {"errcode": 0, "errmsg": "send job submission success", "msg_id": send.msg_id}
    return answer | ({"msg_data_id": send.msg_id - 1_000_000_000} if content.articles else {})

"""Say in plain Python what the service should answer: default tags from events, and who is in an expression."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from service.entities.channels import ChannelKind
from service.entities.expressions import Expression, Operator
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from service.foundation.settings import Windows

ONLY_FOLLOWERS_CAN = {EventKind.MESSAGE, EventKind.MENU_CLICK, EventKind.SCAN}


def second_of(at: datetime) -> datetime:
    """Return the second in which something happened: facts are compared with each other by nothing finer."""
    return at.replace(microsecond=0)


def oracle_tags(
    events: Iterable[UserEvent], bound_at: datetime, windows: Windows, now: datetime, kind: ChannelKind
) -> set[DefaultTagRule]:
    """Return the default tags of one person to whom `events` happened, in whatever order they were reported.

    The rules are those of docs/specification.md §4.1.
    """
    happened = set(events)
    if kind is ChannelKind.MINI_PROGRAM:
        if not happened:
            return set()
        return {_opening(happened, bound_at), _touchability(happened, windows, now)}
    if not _is_follower(happened):
        return set()
    return {
        _follow_time(happened, windows, now),
        _opening(happened, bound_at),
        _touchability(happened, windows, now),
        _source(happened, bound_at),
    }


def _is_follower(happened: set[UserEvent]) -> bool:
    unfollows = [second_of(event.at) for event in happened if event.kind is EventKind.UNFOLLOW]
    signs = [
        second_of(event.at) for event in happened if event.kind is EventKind.FOLLOW or event.kind in ONLY_FOLLOWERS_CAN
    ]
    return any(all(sign >= unfollow for unfollow in unfollows) for sign in signs)


def _follow_time(happened: set[UserEvent], windows: Windows, now: datetime) -> DefaultTagRule:
    follows = sorted(event.at for event in happened if event.kind is EventKind.FOLLOW)
    is_new = bool(follows) and now - follows[-1] < windows.new_user
    return DefaultTagRule.NEW_USER if is_new else DefaultTagRule.OLD_USER


def _opening(happened: set[UserEvent], bound_at: datetime) -> DefaultTagRule:
    opened = any(event.kind is EventKind.MESSAGE and second_of(event.at) >= second_of(bound_at) for event in happened)
    return DefaultTagRule.OPENED if opened else DefaultTagRule.NOT_OPENED


def _touchability(happened: set[UserEvent], windows: Windows, now: datetime) -> DefaultTagRule:
    keeps = {
        EventKind.FOLLOW: windows.follow,
        EventKind.MENU_CLICK: windows.menu_click,
        EventKind.SCAN: windows.scan,
        EventKind.MESSAGE: windows.message,
        EventKind.PAYMENT: windows.payment,
    }
    touchable = any(now < event.at + keeps[event.kind] for event in happened if event.kind in keeps)
    return DefaultTagRule.TOUCHABLE if touchable else DefaultTagRule.UNTOUCHABLE


def _source(happened: set[UserEvent], bound_at: datetime) -> DefaultTagRule:
    from_ad = any(
        event.kind is EventKind.FOLLOW
        and (event.from_ad or event.ad_ids)
        and second_of(event.at) >= second_of(bound_at)
        for event in happened
    )
    return DefaultTagRule.ADVERTISING if from_ad else DefaultTagRule.NON_ADVERTISING


def matching_ordinals(members: Mapping[int, Collection[int]], expression: Expression) -> set[int]:
    """Return the ordinals of those for whom an expression holds, from the members of each tag, `{tag_id: ordinals}`."""
    everybody = {ordinal for ordinals in members.values() for ordinal in ordinals}
    return {
        ordinal
        for ordinal in everybody
        if holds(expression, frozenset(tag_id for tag_id, ordinals in members.items() if ordinal in ordinals))
    }


def holds(expression: Expression, tag_ids: frozenset[int]) -> bool:
    """Return whether somebody who has exactly these tags is in the set."""
    match expression.operator:
        case Operator.TAG:
            return expression.tag_id in tag_ids
        case Operator.ALL:
            return all(holds(each, tag_ids) for each in expression.operands)
        case Operator.ANY:
            return any(holds(each, tag_ids) for each in expression.operands)
        case Operator.EXCEPT:
            keep, remove = expression.operands
            return holds(keep, tag_ids) and not holds(remove, tag_ids)
        case Operator.FOLLOWERS:
            return DefaultTagRule.OPENED in tag_ids or DefaultTagRule.NOT_OPENED in tag_ids
        case Operator.RECEIVED:
            raise ValueError("who received a broadcast is not said by tags")

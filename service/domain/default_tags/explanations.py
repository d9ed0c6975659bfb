"""Explain default tags by a sentence for people, the fact behind it, and when they end (docs/specification.md §4.1)."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

from service.entities.tags import DefaultTagRule
from service.entities.users import FACT_OF_EVENT, EventKind, Facts
from service.foundation.clock import format_time

TOUCH_EVENTS: Final = {
    EventKind.MESSAGE: ("message", "Sent a message"),
    EventKind.PAYMENT: ("payment", "Paid"),
    EventKind.MENU_CLICK: ("menu_click", "Clicked the menu"),
    EventKind.FOLLOW: ("follow", "Followed"),
    EventKind.SCAN: ("scan", "Scanned a QR code"),
}
_PAIRS: Final = (
    (DefaultTagRule.NEW_USER, DefaultTagRule.OLD_USER),
    (DefaultTagRule.OPENED, DefaultTagRule.NOT_OPENED),
    (DefaultTagRule.TOUCHABLE, DefaultTagRule.UNTOUCHABLE),
    (DefaultTagRule.ADVERTISING, DefaultTagRule.NON_ADVERTISING),
)
OTHER_OF_CATEGORY: Final = dict(_PAIRS) | {second: first for first, second in _PAIRS}


@dataclass(frozen=True, slots=True)
class DefaultTagExplanation:
    """Say why a user has a default tag; a `fact` without `at` never happened.

    `until` is when the tag ends if nothing happens; None for never.
    """

    why: str
    fact: EventKind | None
    at: datetime | None
    until: datetime | None = None


def explain_default_tag(
    rule: DefaultTagRule, facts: Facts, windows: Mapping[str, timedelta], bound_at: datetime
) -> DefaultTagExplanation:
    """Return why a user with these facts has the default tag. `windows` are by name, as stored."""
    match rule:
        case DefaultTagRule.NEW_USER | DefaultTagRule.OLD_USER:
            return _follow_time(rule, facts, windows["new_user"])
        case DefaultTagRule.OPENED:
            return DefaultTagExplanation(
                f"Sent a message {format_time(facts.messaged_at)}.", EventKind.MESSAGE, facts.messaged_at
            )
        case DefaultTagRule.NOT_OPENED:
            return DefaultTagExplanation(
                f"Has not sent a message since the channel was bound {format_time(bound_at)}.",
                EventKind.MESSAGE,
                None,
            )
        case DefaultTagRule.TOUCHABLE | DefaultTagRule.UNTOUCHABLE:
            return _touchability(rule, facts, windows)
        case DefaultTagRule.ADVERTISING:
            return DefaultTagExplanation(
                f"Followed through an ad {format_time(facts.ad_followed_at)}.", EventKind.FOLLOW, facts.ad_followed_at
            )
        case DefaultTagRule.NON_ADVERTISING:
            return DefaultTagExplanation(
                f"No follow through an ad is known since the channel was bound {format_time(bound_at)}.",
                EventKind.FOLLOW,
                None,
            )
        case _:
            assert_never(rule)


def explain_missing_default_tag(
    rule: DefaultTagRule,
    tag_ids: AbstractSet[int],
    facts: Facts,
    windows: Mapping[str, timedelta],
    bound_at: datetime,
) -> str:
    """Return why a user with these facts and tags lacks the default tag: what gives them the other tag of its category.

    Those who have neither do not follow, or never used the Mini Program.
    """
    other = OTHER_OF_CATEGORY[rule]
    if other in tag_ids:
        return explain_default_tag(other, facts, windows, bound_at).why
    if facts.unfollowed_at is not None:
        return f"Does not follow: unfollowed {format_time(facts.unfollowed_at)}."
    return "Has done nothing yet by which somebody is known to follow, or to use a Mini Program."


def _follow_time(rule: DefaultTagRule, facts: Facts, window: timedelta) -> DefaultTagExplanation:
    at = facts.followed_at
    if at is None:
        return DefaultTagExplanation("Followed longer ago than is known.", EventKind.FOLLOW, None)
    if rule is DefaultTagRule.NEW_USER:
        why = f"Followed {format_time(at)}, less than {_format_duration(window)} ago."
        return DefaultTagExplanation(why, EventKind.FOLLOW, at, at + window)
    return DefaultTagExplanation(
        f"Followed {format_time(at)}, {_format_duration(window)} ago or longer.", EventKind.FOLLOW, at
    )


def _touchability(rule: DefaultTagRule, facts: Facts, windows: Mapping[str, timedelta]) -> DefaultTagExplanation:
    candidates = [
        (at + windows[window], at, kind)
        for kind, (window, _) in TOUCH_EVENTS.items()
        if (at := getattr(facts, FACT_OF_EVENT[kind])) is not None
    ]
    if not candidates:
        return DefaultTagExplanation("Has done nothing that can be answered yet.", None, None)
    until, at, kind = max(candidates, key=lambda candidate: candidate[0])
    window, deed = TOUCH_EVENTS[kind]
    span = _format_duration(windows[window])
    if rule is DefaultTagRule.TOUCHABLE:
        return DefaultTagExplanation(f"{deed} {format_time(at)}: touchable for {span}.", kind, at, until)
    return DefaultTagExplanation(f"{deed} last {format_time(at)}: the {span} after that are over.", kind, None)


def _format_duration(window: timedelta) -> str:
    hours, rest = divmod(window.total_seconds(), 3600)
    if rest == 0:
        return f"{hours:.0f} h"
    minutes, seconds = divmod(window.total_seconds(), 60)
    return f"{minutes:.0f} min" if seconds == 0 else f"{window.total_seconds():.0f} s"

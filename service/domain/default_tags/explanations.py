"""Why somebody has a default tag: a sentence for people, the fact for programs, and when it ends by itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

from service.entities.return_data import Receipt, ReturnSource
from service.entities.tags import DefaultTagRule
from service.entities.users import FACT_OF_EVENT, EventKind, Facts

TOUCH_EVENTS: Final = {
    EventKind.MESSAGE: ("message", "Sent a message"),
    EventKind.PAYMENT: ("payment", "Paid"),
    EventKind.MENU_CLICK: ("menu_click", "Clicked the menu"),
    EventKind.FOLLOW: ("follow", "Followed"),
    EventKind.SCAN: ("scan", "Scanned a QR code"),
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """`fact` without `at` never happened. `until` is when the tag ends if nothing happens; None for never."""

    why: str
    fact: EventKind | None
    at: datetime | None
    until: datetime | None = None


def explain(rule: DefaultTagRule, facts: Facts, windows: Mapping[str, timedelta], bound_at: datetime) -> Explanation:
    """What behind `rule` holds for these facts. `windows` are by name, as stored."""
    match rule:
        case DefaultTagRule.NEW_USER | DefaultTagRule.OLD_USER:
            return _follow_time(rule, facts, windows["new_user"])
        case DefaultTagRule.OPENED:
            return Explanation(
                f"Sent a message {_format_time(facts.messaged_at)}.", EventKind.MESSAGE, facts.messaged_at
            )
        case DefaultTagRule.NOT_OPENED:
            return Explanation(
                f"Has not sent a message since the channel was bound {_format_time(bound_at)}.",
                EventKind.MESSAGE,
                None,
            )
        case DefaultTagRule.TOUCHABLE | DefaultTagRule.UNTOUCHABLE:
            return _touchability(rule, facts, windows)
        case DefaultTagRule.ADVERTISING:
            return Explanation(
                f"Followed through an ad {_format_time(facts.ad_followed_at)}.", EventKind.FOLLOW, facts.ad_followed_at
            )
        case DefaultTagRule.NON_ADVERTISING:
            return Explanation(
                f"No follow through an ad is known since the channel was bound {_format_time(bound_at)}.",
                EventKind.FOLLOW,
                None,
            )
        case _:
            assert_never(rule)


def explain_batches(receipts: Sequence[Receipt], *, settled: bool) -> tuple[str, datetime | None]:
    """Why somebody has a return tag: the batches in force that hold them, oldest first, and whether they were also in
    one that has settled; and when the last of all this ends, None for never.
    """
    if not receipts:
        return "An integrator handed them back, longer ago than can be undone.", None
    newest = receipts[-1]
    sender = "over HTTP" if newest.source is ReturnSource.HTTP else f"by {newest.subject}"
    others = len(receipts) - 1 + settled
    also = "" if not others else f", and in {others} earlier batch{'es' if others > 1 else ''}"
    ends = [each.expires_at for each in receipts]
    until = None if settled or None in ends else max(each for each in ends if each is not None)
    return f"Handed back {sender} {_format_time(newest.at)}{also}.", until


def explain_ad(ads: Iterable[tuple[str, datetime]]) -> tuple[str, list[str], datetime | None]:
    """The same for an ad tag, from the (ad id, last follow through it) that a person shares with it; and the ids."""
    latest = sorted(ads, key=lambda ad: ad[1])
    if not latest:
        return "Came from one of the tag's ads.", [], None
    ad_id, at = latest[-1]
    others = f", and through {len(latest) - 1} more of its ads" if len(latest) > 1 else ""
    return f"Followed through ad {ad_id} {_format_time(at)}{others}.", [each for each, _ in latest], at


def _follow_time(rule: DefaultTagRule, facts: Facts, window: timedelta) -> Explanation:
    at = facts.followed_at
    if at is None:
        return Explanation("Followed longer ago than is known.", EventKind.FOLLOW, None)
    if rule is DefaultTagRule.NEW_USER:
        why = f"Followed {_format_time(at)}, less than {_format_duration(window)} ago."
        return Explanation(why, EventKind.FOLLOW, at, at + window)
    return Explanation(f"Followed {_format_time(at)}, {_format_duration(window)} ago or longer.", EventKind.FOLLOW, at)


def _touchability(rule: DefaultTagRule, facts: Facts, windows: Mapping[str, timedelta]) -> Explanation:
    candidates = [
        (at + windows[window], at, kind)
        for kind, (window, _) in TOUCH_EVENTS.items()
        if (at := getattr(facts, FACT_OF_EVENT[kind])) is not None
    ]
    if not candidates:
        return Explanation("Has done nothing that can be answered yet.", None, None)
    until, at, kind = max(candidates, key=lambda candidate: candidate[0])
    window, deed = TOUCH_EVENTS[kind]
    span = _format_duration(windows[window])
    if rule is DefaultTagRule.TOUCHABLE:
        return Explanation(f"{deed} {_format_time(at)}: touchable for {span}.", kind, at, until)
    return Explanation(f"{deed} last {_format_time(at)}: the {span} after that are over.", kind, None)


def _format_time(at: datetime | None) -> str:
    return "at an unknown time" if at is None else f"on {at:%Y-%m-%d} at {at:%H:%M:%S} UTC"


def _format_duration(window: timedelta) -> str:
    hours, rest = divmod(window.total_seconds(), 3600)
    if rest == 0:
        return f"{hours:.0f} h"
    minutes, seconds = divmod(window.total_seconds(), 60)
    return f"{minutes:.0f} min" if seconds == 0 else f"{window.total_seconds():.0f} s"

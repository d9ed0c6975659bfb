"""Explain ad tags in a sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from service.foundation.clock import format_time
from service.storage.users import LastAdFollow


@dataclass(frozen=True, slots=True)
class AdTagExplanation:
    """Hold why a user has an ad tag: a sentence, the ads of its follows, oldest first, and the time of the last."""

    why: str
    ad_ids: tuple[str, ...]
    at: datetime | None


def explain_ad_tag(follows: Iterable[LastAdFollow]) -> AdTagExplanation:
    """Explain an ad tag by the last follow of the user through each of the tag's ads."""
    by_time = sorted(follows, key=attrgetter("at"))
    if not by_time:
        return AdTagExplanation("Came from one of the tag's ads.", (), None)
    latest = by_time[-1]
    others = f", and through {len(by_time) - 1} more of its ads" if len(by_time) > 1 else ""
    why = f"Followed through ad {latest.ad_id} {format_time(latest.at)}{others}."
    return AdTagExplanation(why, tuple(each.ad_id for each in by_time), latest.at)


def explain_missing_ad_tag(follows: Iterable[LastAdFollow]) -> str:
    """Return why a user with these follows, through ads that the tag does not list, lacks it."""
    by_time = sorted(follows, key=attrgetter("at"))
    if not by_time:
        return "Is not known to have followed through an ad."
    latest = by_time[-1]
    others = f", and through {len(by_time) - 1} others" if len(by_time) > 1 else ""
    return f"Followed through ad {latest.ad_id} {format_time(latest.at)}{others}: none of the tag's ads."

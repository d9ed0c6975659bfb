"""Tidy one event and check it before it is recorded."""

from dataclasses import replace
from datetime import datetime

from service.domain.input_rules import (
    MALFORMED_OPENID_REASON,
    MAX_AD_IDS_PER_EVENT,
    OPENID_PATTERN,
    RejectionReason,
    is_ad_id,
    tidy_ad_id,
    time_rejection,
)
from service.entities.errors import RejectionCode
from service.entities.users import EventKind, UserEvent


def tidy_event(event: UserEvent) -> UserEvent:
    """Return an event with the ids of its ads as they are stored, each once; as it is where they are too many."""
    if not 0 < len(event.ad_ids) <= MAX_AD_IDS_PER_EVENT:
        return event
    return replace(event, ad_ids=tuple(dict.fromkeys(map(tidy_ad_id, event.ad_ids))))


def event_rejection(event: UserEvent, now: datetime, *, mini_program: bool) -> RejectionReason | None:
    """Return why a tidied event cannot be recorded; None when it can."""
    if OPENID_PATTERN.fullmatch(event.openid) is None:
        return RejectionReason(RejectionCode.MALFORMED_OPENID, MALFORMED_OPENID_REASON)
    if rejection := time_rejection(event.at, now):
        return rejection
    if mini_program and event.kind in {EventKind.FOLLOW, EventKind.UNFOLLOW}:
        return RejectionReason(RejectionCode.BAD_VALUE, "A Mini Program cannot be followed or unfollowed.")
    if event.kind is not EventKind.FOLLOW and (event.from_ad or event.ad_ids):
        return RejectionReason(RejectionCode.BAD_VALUE, "Only FOLLOW can come from an ad.")
    if len(event.ad_ids) > MAX_AD_IDS_PER_EVENT or not all(map(is_ad_id, event.ad_ids)):
        return RejectionReason(RejectionCode.BAD_VALUE, "At most 100 ad ids of 1 to 64 printable characters each.")
    return None

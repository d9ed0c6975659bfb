"""Write events as they are told: the one place that knows their names on the wire, and their global ids.

Source: docs/specification.md §6.7.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from service.domain.change_feed.cursors import encode_cursor
from service.entities.change_feed import FeedEvent, FeedEventType, FeedPosition
from service.entities.ids import channel_gid, gid, tag_gid, user_gid
from service.entities.jobs import JobKind
from service.entities.tags import Tag
from service.storage.feed_lines import Notice, TagLine

RESET: Final = "feed.reset"
TRIAL: Final = "webhook.test"
TAG_EVENTS: Final = {
    "CREATED": FeedEventType.TAG_CREATED,
    "UPDATED": FeedEventType.TAG_UPDATED,
    "STATE_CHANGED": FeedEventType.TAG_STATE_CHANGED,
    "DELETED": FeedEventType.TAG_DELETED,
    "GATE": FeedEventType.CHANNEL_STATE_CHANGED,
}
JOB_EVENTS: Final = {
    JobKind.BROADCAST: FeedEventType.BROADCAST_FINISHED,
    JobKind.OFFICIAL_ACCOUNT_SYNC: FeedEventType.SYNC_FINISHED,
    JobKind.FOLLOWER_IMPORT: FeedEventType.IMPORT_FINISHED,
    JobKind.REMOTE_TAG_IMPORT: FeedEventType.IMPORT_FINISHED,
}


class CountedTag(NamedTuple):
    """Hold a tag, and how many people show it."""

    tag: Tag
    member_count: int


class EventWriter:
    """Write the events of one channel."""

    def __init__(self, channel_id: int) -> None:
        self._channel_id = channel_id
        self._channel_gid = channel_gid(channel_id)

    def user_tags_changed(
        self,
        position: FeedPosition,
        at: datetime,
        ordinal: int,
        added: Iterable[int],
        removed: Iterable[int],
        cause: str,
    ) -> FeedEvent:
        """Return that a person gained and lost tags."""
        channel_id = self._channel_id
        return self._event(
            FeedEventType.USER_TAGS_CHANGED,
            position,
            at,
            userId=user_gid(channel_id, ordinal),
            added=[tag_gid(channel_id, tag_id) for tag_id in added],
            removed=[tag_gid(channel_id, tag_id) for tag_id in removed],
            cause=cause,
        )

    def user_forgotten(self, position: FeedPosition, at: datetime, ordinal: int) -> FeedEvent:
        """Return that a person was forgotten."""
        return self._event(FeedEventType.USER_FORGOTTEN, position, at, userId=user_gid(self._channel_id, ordinal))

    def tag_event(self, position: FeedPosition, line: TagLine) -> FeedEvent:
        """Return what happened to a tag, and what it is after that; or that the channel opened or closed."""
        kind = TAG_EVENTS[line.kind]
        if kind is FeedEventType.CHANNEL_STATE_CHANGED:
            return self._event(kind, position, line.at, open=line.shown_after)
        fields: dict[str, object] = {
            "tagId": tag_gid(self._channel_id, line.tag_id),
            **_description(line.tag_kind, line.category, line.name, line.state),
        }
        if line.lapsed_by:
            fields["lapsedBy"] = [tag_gid(self._channel_id, tag_id) for tag_id in line.lapsed_by]
        return self._event(kind, position, line.at, **fields)

    def notice(self, position: FeedPosition, notice: Notice) -> FeedEvent | None:
        """Return that somebody was migrated or that a job is finished; None for jobs of which nobody is told."""
        if notice.job_kind is not None and notice.job_id is not None:
            kind = JOB_EVENTS.get(JobKind(notice.job_kind))
            if kind is None:
                return None
            job_id = gid(notice.job_kind, self._channel_id, notice.job_id)
            return self._event(kind, position, notice.at, jobId=job_id, state=notice.job_state)
        if notice.ordinal is None:
            return None
        fields = {"userId": user_gid(self._channel_id, notice.ordinal)}
        if notice.former_ordinal is not None:
            fields["formerUserId"] = user_gid(self._channel_id, notice.former_ordinal)
        return self._event(FeedEventType.USER_MIGRATED, position, notice.at, **fields)

    def reset(
        self, position: FeedPosition, at: datetime, tags: Iterable[CountedTag], part: tuple[int, int] | None
    ) -> FeedEvent:
        """Return the present state of tags, for whoever missed something; `part` is which of how many parts it is."""
        shown = [
            {
                "tagId": tag_gid(self._channel_id, each.tag.tag_id),
                **_description(each.tag.kind, each.tag.category, each.tag.name, each.tag.state),
                "memberCount": each.member_count,
            }
            for each in tags
        ]
        fields = {"tags": shown} if part is None else {"part": part[0], "parts": part[1], "tags": shown}
        return self._event(RESET, position, at, **fields)

    def _event(self, event_type: str, position: FeedPosition, at: datetime, /, **fields: object) -> FeedEvent:
        body = {
            "type": event_type,
            "at": _instant(at),
            "channelId": self._channel_gid,
            "cursor": encode_cursor(self._channel_id, position),
            **fields,
        }
        return FeedEvent(position, at, body)


def trial_event(channel_id: int, at: datetime) -> dict[str, object]:
    """Return an event that tells nothing: it has no place in a feed, and so no cursor."""
    return {"type": TRIAL, "at": _instant(at), "channelId": channel_gid(channel_id)}


@lru_cache(1_000)
def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _description(kind: str | None, category: str | None, name: str | None, state: str | None) -> dict[str, object]:
    return {"kind": kind, "category": category, "name": name, "state": state}

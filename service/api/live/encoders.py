"""Keep the encoders of a process, which all its open subscriptions share."""

from dataclasses import dataclass, field

from service.api.live.tag_events_encoder import TagEventsEncoderCache
from service.api.live.user_tags_encoder import UserTagsEncoderCache


@dataclass(frozen=True, slots=True)
class LiveEncoders:
    """Find the encoders of `userTags` and of `tagEvents` by the operations they encode."""

    user_tags: UserTagsEncoderCache = field(default_factory=UserTagsEncoderCache)
    tag_events: TagEventsEncoderCache = field(default_factory=TagEventsEncoderCache)

"""The encoders of one schema, shared by all its open pages."""

from dataclasses import dataclass

from service.api.live.tag_events_encoder import TagEventsEncoderCache
from service.api.live.user_tags_encoder import UserTagsEncoderCache
from service.api.schema import FastPathSchema, graphql_schema_of


@dataclass(frozen=True, slots=True)
class LiveEncoders:
    """Encoders of `userTags` and of `tagEvents`, found by the operation they encode."""

    user_tags: UserTagsEncoderCache
    tag_events: TagEventsEncoderCache


def make_encoders(schema: FastPathSchema) -> LiveEncoders:
    """Return encoders that know no operation yet; one set a process is enough."""
    inner, parse = graphql_schema_of(schema), schema.documents.parse
    return LiveEncoders(UserTagsEncoderCache(inner, parse), TagEventsEncoderCache(inner, parse))

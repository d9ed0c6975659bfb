"""The encoders of one schema, shared by all its open pages."""

from dataclasses import dataclass

from service.api.live.tag_events_encoder import PanelRenderings
from service.api.live.user_tags_encoder import Renderings
from service.api.schema import QuickSchema, graphql_schema_of


@dataclass(frozen=True, slots=True)
class LiveEncoders:
    """Encoders of `userTags` and of `tagEvents`, found by the operation they encode."""

    user_tags: Renderings
    tag_events: PanelRenderings


def make_encoders(schema: QuickSchema) -> LiveEncoders:
    """Return encoders that know no operation yet; one set a process is enough."""
    inner, parsed = graphql_schema_of(schema), schema.documents.parsed
    return LiveEncoders(Renderings(inner, parsed), PanelRenderings(inner, parsed))

"""Show ad tags and their ads."""

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most
from service.api.types.primitives import Node
from service.api.types.tag import Tag
from service.domain.ad_tags.given_ads import MAX_ADS_PER_TAG


@strawberry.type(
    description=(
        "A tag of the people who came from one of its ads. PENDING until the channel's ad return "
        "address is confirmed, by an admin or by its first genuine call."
    )
)
class AdTag(Tag, Node):
    """Show an ad tag; its ads are read when they are selected."""

    @strawberry.field(
        description="Ids of the ads, at most 1,000, in the order they were given.",
        metadata=at_most(MAX_ADS_PER_TAG, usual=20),
    )
    async def ad_ids(self, info: Info) -> list[str]:
        return await info.context.loaders.ads_of_tag.load((self.entity.channel_id, self.entity.tag_id))

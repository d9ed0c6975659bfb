"""Show combo tags: what they are made of, how far they are computed, and why they lapsed."""

from datetime import datetime

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import MAX_LISTED, at_most, long_text
from service.api.types.expression import TagExpression, expression_to_graphql
from service.api.types.primitives import Node
from service.api.types.tag import Tag
from service.domain.combos.explanations import explain_lapse
from service.domain.combos.expressions import MAX_LEAVES
from service.entities.combos import Combo
from service.entities.tags import TagState


@strawberry.type(description="A tag made of other tags of its channel by intersection, union and difference.")
class ComboTag(Tag, Node):
    """Show a combo tag; its combo is read with the others of the channel, once an operation."""

    @strawberry.field(description="Expression that says who has the combo; deleted tags stay in it.")
    async def expression(self, info: Info) -> TagExpression:
        return expression_to_graphql((await self._combo(info)).expression, self.catalogue)

    @strawberry.field(
        description="Tags at the leaves of the expression, each once, deleted ones too.",
        metadata=at_most(MAX_LEAVES, usual=10),
    )
    async def operands(self, info: Info) -> list[Tag]:
        return info.context.presenters.tags((await self._combo(info)).expression.tag_ids(), self.catalogue)

    @strawberry.field(
        description=(
            "A sentence that says why the combo lapsed, for people; null unless the combo is LAPSED. The "
            "tags are in `lapsedBy`."
        ),
        metadata=long_text(200),
    )
    async def lapsed_because(self, info: Info) -> str | None:
        return explain_lapse(tag.entity for tag in await self.lapsed_by(info))

    @strawberry.field(
        description=(
            "Deleted tags that the expression reaches, directly or through other combos, at most 200; empty "
            "unless the combo is LAPSED."
        ),
        metadata=at_most(MAX_LISTED, usual=5),
    )
    async def lapsed_by(self, info: Info) -> list[Tag]:
        if self.entity.state is not TagState.LAPSED:
            return []
        graph = await info.context.loaders.combo_graph(self.catalogue)
        deleted = graph.deleted_dependencies(self.entity.tag_id)[:MAX_LISTED]
        return info.context.presenters.tags(tuple(deleted), self.catalogue)

    @strawberry.field(
        description="Share of the people that has been computed, 0 to 1; null unless the combo is PENDING."
    )
    async def progress(self, info: Info) -> float | None:
        if self.entity.state is not TagState.PENDING or self.entity.deleted_at is not None:
            return None
        state = await info.context.loaders.state_of_channel.load(self.entity.channel_id)
        return (await self._combo(info)).progress(state.user_count)

    @strawberry.field(
        description=(
            "Every change committed before this instant is included in the members; null unless the combo is ACTIVE."
        )
    )
    async def as_of(self, info: Info) -> datetime | None:
        return (await self._combo(info)).as_of if self.entity.state is TagState.ACTIVE else None

    async def _combo(self, info: Info) -> Combo:
        combos = await info.context.loaders.combos_of_channel.load(self.entity.channel_id)
        return combos[self.entity.tag_id]

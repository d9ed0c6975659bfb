"""Count what an edit of a combo would do, without writing anything."""

from dataclasses import dataclass

from service.domain.channels.lookup import find_channel
from service.domain.combos.editing import require_combo_tag, try_parse_edited_expression
from service.domain.combos.expressions import not_usable_errors
from service.domain.runtime import Runtime
from service.entities.combos import ComboGraph
from service.entities.errors import ChannelNotBoundError, raise_field_errors
from service.entities.expressions import Draft, Expression, difference
from service.entities.expressions import tag as leaf
from service.entities.principal import Permission, Principal
from service.entities.tags import Tag
from service.storage import combos
from service.storage.combos import count_of_expression


@dataclass(frozen=True, slots=True)
class EditPreview:
    """Describe an edit: the new expression, how many users it has, gains and loses, and the affected combos."""

    graph: ComboGraph
    tag: Tag
    expression: Expression
    members: int
    gains: int
    loses: int
    affected: tuple[Tag, ...]


async def edit_preview(
    runtime: Runtime, principal: Principal, channel_id: int, tag_id: int, draft: Draft
) -> EditPreview:
    """Return what a new expression would do to a combo.

    Raises what `update_combo` raises, and TAG_NOT_USABLE for operands that are PENDING: they cannot be counted yet.
    """
    async with runtime.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        await find_channel(conn, principal, channel_id, Permission.MANAGE_TAGS, sought="tag")
        graph = await combos.combo_graph(conn, channel_id)
        if not graph.catalogue.open:
            raise ChannelNotBoundError
        tag = require_combo_tag(graph, tag_id)
        expression, errors = try_parse_edited_expression(graph, tag, draft)
        raise_field_errors([*errors, *not_usable_errors(graph.catalogue, expression)])
        members = await count_of_expression(conn, channel_id, expression)
        gains, loses = members, 0
        if tag.shown:
            gains = await count_of_expression(conn, channel_id, difference(expression, leaf(tag_id)))
            loses = await count_of_expression(conn, channel_id, difference(leaf(tag_id), expression))
    affected = tuple(graph.tags[each] for each in sorted(graph.dependents(tag_id)))
    return EditPreview(graph, tag, expression, members, gains, loses, affected)

"""What an edit of a combo would do, counted without writing anything."""

from dataclasses import dataclass

from service.domain.channels.lookup import require
from service.domain.combos.editing import combo_tag, read_edited_expression
from service.domain.combos.expressions import names_of, refuse, unusable_failures
from service.domain.runtime import Runtime
from service.domain.tags.naming import channel_of_tag
from service.entities.combos import ComboCatalogue
from service.entities.enums import Permission
from service.entities.errors import ChannelNotBoundError
from service.entities.expressions import Draft, difference
from service.entities.expressions import tag as leaf
from service.entities.principal import Principal
from service.entities.tags import Tag
from service.storage import combos
from service.storage.combos import count_of_expression


@dataclass(frozen=True, slots=True)
class EditPreview:
    book: ComboCatalogue
    tag: Tag
    text: str
    members: int
    gains: int
    loses: int
    follows: tuple[Tag, ...]


async def edit_preview(runtime: Runtime, principal: Principal, gid: str, draft: Draft) -> EditPreview:
    """Raises as editing would, and TAG_NOT_USABLE for operands that are PENDING: they cannot be counted yet."""
    require(principal, Permission.MANAGE_TAGS)
    async with runtime.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        channel, tag_id = await channel_of_tag(conn, principal, gid)
        book = await combos.combo_catalogue(conn, channel.channel_id)
        if not book.catalogue.open:
            raise ChannelNotBoundError
        tag = combo_tag(book, tag_id)
        expression, failures = read_edited_expression(book, tag, draft, "expression")
        refuse([*failures, *unusable_failures(book.catalogue, expression, "expression")])
        members = await count_of_expression(conn, channel.channel_id, expression)
        gains, loses = members, 0
        if tag.shown:
            gains = await count_of_expression(conn, channel.channel_id, difference(expression, leaf(tag_id)))
            loses = await count_of_expression(conn, channel.channel_id, difference(leaf(tag_id), expression))
    follows = tuple(book.tags[each] for each in sorted(book.above(tag_id)))
    return EditPreview(book, tag, names_of(book.catalogue, expression), members, gains, loses, follows)

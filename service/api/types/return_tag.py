"""Return tags and the receipts of the batches that made them."""

from datetime import datetime

import strawberry

from service.api.context import Info
from service.api.types.connection import Page, PageInfo, check_first, decode_page_cursor, encode_page_cursor
from service.api.types.primitives import After, First, Node, RejectedItem
from service.api.types.tag import Tag
from service.domain.return_data.batches import find_receipt, receipts_page
from service.entities.enums import Permission, ReturnMode, ReturnSource
from service.entities.ids import receipt_gid
from service.entities.return_data import Receipt, ReceiptKey


@strawberry.type(description="What one batch of returned data did.")
class ReturnReceipt(Node):
    entity: strawberry.Private[Receipt]
    at: datetime = strawberry.field(description="When it was written.")
    mode: ReturnMode = strawberry.field(description="What the list did to the tag.")
    source: ReturnSource = strawberry.field(description="How it came.")
    subject: str | None = strawberry.field(description="Who sent it; null by HTTP, where nobody says.")
    expires_at: datetime | None = strawberry.field(description="When the batch ends by itself.")
    undone_at: datetime | None = strawberry.field(description="When it was undone.")
    added: int = strawberry.field(description="People who got the tag.")
    removed: int = strawberry.field(description="People who lost it.")
    unchanged: int = strawberry.field(description="People on the list for whom nothing changed.")
    duplicates: int = strawberry.field(description="Entries that repeated another one.")
    new_users: int = strawberry.field(description="Openids nobody had heard of; they became users who do not follow.")
    rejected: list[RejectedItem] = strawberry.field(description="Entries that were refused.")
    unmatched: list[str] = strawberry.field(description="Openids of the other channel whose person is not known here.")

    @classmethod
    def of(cls, entity: Receipt) -> "ReturnReceipt":
        return cls(
            id=strawberry.ID(receipt_gid(entity.channel_id, entity.batch_id)),
            entity=entity,
            at=entity.at,
            mode=entity.mode,
            source=entity.source,
            subject=entity.subject,
            expires_at=entity.expires_at,
            undone_at=None if entity.undo_removed is None else entity.ended_at,
            added=entity.added,
            removed=entity.removed,
            unchanged=entity.unchanged,
            duplicates=entity.duplicates,
            new_users=entity.new_users,
            rejected=[RejectedItem(index=each.index, code=each.code, reason=each.reason) for each in entity.rejected],
            unmatched=list(entity.unmatched),
        )

    @strawberry.field(description="The tag, as it is now.")
    async def tag(self, info: Info) -> "ReturnTag":
        catalogue = await info.context.loaders.catalogue_of_channel.load(self.entity.channel_id)
        tag = info.context.presenters.tag(catalogue.tags[self.entity.tag_id], catalogue)
        if not isinstance(tag, ReturnTag):
            raise TypeError("receipts belong to return tags")
        return tag


@strawberry.type(description="One receipt of a list.")
class ReturnReceiptEdge:
    cursor: str = strawberry.field(description="Pass it as `after`.")
    node: ReturnReceipt = strawberry.field(description="The receipt.")


@strawberry.type(description="A page of receipts, newest first.")
class ReturnReceiptConnection:
    edges: list[ReturnReceiptEdge] = strawberry.field(description="Receipts with their cursors.")
    nodes: list[ReturnReceipt] = strawberry.field(description="The same receipts without cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")


@strawberry.type(description="Made of what integrators hand back; ACTIVE at once.")
class ReturnTag(Tag, Node):
    @strawberry.field(
        description="The category integrators submit under; a rename does not change it, so their next batch still "
        "finds this tag."
    )
    async def return_category(self, info: Info) -> str:
        keys = await info.context.loaders.return_tag_keys.load(self.entity.channel_id)
        return keys[self.entity.tag_id][0]

    @strawberry.field(description="The label integrators submit under; a rename does not change it.")
    async def return_label(self, info: Info) -> str:
        keys = await info.context.loaders.return_tag_keys.load(self.entity.channel_id)
        return keys[self.entity.tag_id][1]

    @strawberry.field(description="Newest first; those by HTTP too.")
    async def receipts(self, info: Info, first: First = 20, after: After = None) -> ReturnReceiptConnection:
        check_first(first)
        before = None if after is None else decode_page_cursor("receipt", after)
        tag = self.entity
        found, has_next = await receipts_page(
            info.context.runtime, tag.channel_id, tag.tag_id, first=first, before=before
        )
        page = Page(
            [(encode_page_cursor("receipt", each.batch_id), ReturnReceipt.of(each)) for each in found],
            has_next=has_next,
            has_previous=after is not None,
        )
        return ReturnReceiptConnection(
            edges=[ReturnReceiptEdge(cursor=cursor, node=receipt) for cursor, receipt in page.entries],
            nodes=[receipt for _, receipt in page.entries],
            page_info=page.info,
        )


async def receipt_node(info: Info, key: ReceiptKey) -> ReturnReceipt | None:
    """Return a receipt, None while the gate is closed. Raises NotFoundError."""
    receipt = await find_receipt(info.context.runtime, info.context.principal, *key, Permission.VIEW_TAGS)
    catalogue = await info.context.loaders.catalogue_of_channel.load(receipt.channel_id)
    return ReturnReceipt.of(receipt) if catalogue.open else None

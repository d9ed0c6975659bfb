"""Show return tags, and the receipts of the batches that made them."""

from datetime import datetime
from typing import TypeAlias, TypeVar

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import MAX_LISTED, at_most
from service.api.types.connection import (
    Connection,
    CountedConnection,
    Edge,
    counted_page,
    encode_page_cursor,
    page,
    start_of_page,
)
from service.api.types.primitives import After, First, Node, RejectedItem
from service.api.types.tag import Tag
from service.domain.return_data.batches import find_receipt, receipts_page
from service.entities.ids import receipt_gid
from service.entities.paging import Slice, SliceKey
from service.entities.principal import Permission, Principal
from service.entities.return_data import ReceiptHead, ReceiptKey, RejectedOpenid, ReturnMode, ReturnSource

T = TypeVar("T")


@strawberry.type(description="An openid of another channel that could not be converted.")
class UnmatchedOpenid:
    """Show an openid that could not be converted."""

    openid: str = strawberry.field(description="WeChat's id of the person on the other channel.")


RejectedItemConnection: TypeAlias = CountedConnection[RejectedItem]
UnmatchedOpenidConnection: TypeAlias = CountedConnection[UnmatchedOpenid]


@strawberry.type(description="What one batch of returned data did to its tag. Receipts are kept for ever.")
class ReturnReceipt(Node):
    """Show what one batch of returned data did."""

    entity: strawberry.Private[ReceiptHead]
    at: datetime = strawberry.field(description="When the batch was written.")
    mode: ReturnMode = strawberry.field(description="What the list did to the members of the tag.")
    source: ReturnSource = strawberry.field(description="By which way the list came.")
    subject: str | None = strawberry.field(
        description="`sub` of the token with which the list was sent; null for the HTTP call, which carries no token."
    )
    expires_at: datetime | None = strawberry.field(description="When the batch ends by itself; null if it does not.")
    undone_at: datetime | None = strawberry.field(description="When the batch was undone; null if it was not.")
    added: int = strawberry.field(description="How many people got the tag by the batch.")
    removed: int = strawberry.field(description="How many people lost the tag by the batch.")
    unchanged: int = strawberry.field(
        description=(
            "How many people on the list kept what they had: the tag already with ADD and REPLACE, no tag with REMOVE."
        )
    )
    duplicates: int = strawberry.field(description="How many entries repeated another entry of the list.")
    new_users: int = strawberry.field(
        description="How many openids the channel had not known; they became users who do not follow."
    )

    @classmethod
    def of(cls, entity: ReceiptHead) -> "ReturnReceipt":
        """Return the object of a receipt."""
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
        )

    @strawberry.field(
        description=(
            "Entries of the list that were rejected, each with its reason; the first 200, and all of them in "
            "`rejectedPage`. For who sent the list, and for creators, admins and agents (VIEW_USERS); empty for others."
        ),
        metadata=at_most(MAX_LISTED, usual=10),
    )
    async def rejected(self, info: Info) -> list[RejectedItem]:
        return [RejectedItem.of(each) for each in (await self._rejected(info, 0, MAX_LISTED)).items]

    @strawberry.field(
        description=(
            "Entries of the list that were rejected, each with its reason, page by page. For who sent the list, and "
            "for creators, admins and agents (VIEW_USERS); empty for others."
        )
    )
    async def rejected_page(self, info: Info, first: First = 50, after: After = None) -> RejectedItemConnection:
        start = start_of_page("rejected", first, after) or 0
        found = await self._rejected(info, start, first)
        return _slice_page("rejected", start, [RejectedItem.of(each) for each in found.items], found.total, after)

    @strawberry.field(
        description=(
            "Openids of the other channel (`openidsOf`) whose person is not known on this one; the first 200, and all "
            "of them in `unmatchedPage`. For who sent the list, and for creators, admins and agents (VIEW_USERS), if "
            "the token is for that channel; empty for others."
        ),
        metadata=at_most(MAX_LISTED, usual=10),
    )
    async def unmatched(self, info: Info) -> list[str]:
        return (await self._unmatched(info, 0, MAX_LISTED)).items

    @strawberry.field(
        description=(
            "Openids of the other channel (`openidsOf`) whose person is not known on this one, page by page. For who "
            "sent the list, and for creators, admins and agents (VIEW_USERS), if the token is for that channel; empty "
            "for others."
        )
    )
    async def unmatched_page(self, info: Info, first: First = 50, after: After = None) -> UnmatchedOpenidConnection:
        start = start_of_page("unmatched", first, after) or 0
        found = await self._unmatched(info, start, first)
        return _slice_page(
            "unmatched", start, [UnmatchedOpenid(openid=each) for each in found.items], found.total, after
        )

    @strawberry.field(description="The tag of the batch, as it is now.")
    async def tag(self, info: Info) -> "ReturnTag":
        catalogue = await info.context.loaders.catalogue_of_channel.load(self.entity.channel_id)
        tag = info.context.presenters.tag(catalogue.tags[self.entity.tag_id], catalogue)
        if not isinstance(tag, ReturnTag):
            raise TypeError("receipts belong to return tags")
        return tag

    async def _rejected(self, info: Info, start: int, length: int) -> Slice[RejectedOpenid]:
        if not _may_see_entries(info.context.principal, self.entity):
            return Slice([], 0)
        key = SliceKey(self.entity.batch_id, start, length)
        return await info.context.loaders.rejected.load((self.entity.channel_id, key))

    async def _unmatched(self, info: Info, start: int, length: int) -> Slice[str]:
        if not _may_see_unmatched(info.context.principal, self.entity):
            return Slice([], 0)
        key = SliceKey(self.entity.batch_id, start, length)
        return await info.context.loaders.unmatched.load((self.entity.channel_id, key))


def _slice_page(kind: str, start: int, items: list[T], total: int, after: str | None) -> CountedConnection[T]:
    """Return a page of a list of `total` entries, of which these stand from place `start` on."""
    edges = [Edge(cursor=encode_page_cursor(kind, start + place), node=each) for place, each in enumerate(items, 1)]
    return counted_page(edges, after=after, has_next=start + len(items) < total, total=total)


def _may_see_entries(principal: Principal, receipt: ReceiptHead) -> bool:
    """Tell whether a principal may see what a list held: who may see people, and who sent it."""
    return principal.may(Permission.VIEW_USERS) or principal.subject == receipt.subject


def _may_see_unmatched(principal: Principal, receipt: ReceiptHead) -> bool:
    """Tell whether a principal may see openids of the other channel: those entries, with a token for the channel.

    Old receipts do not say which channel it was: only a token for all channels is surely for that one.
    """
    is_for_channel = not principal.narrowed or (
        receipt.openids_of is not None and principal.is_for_channel(receipt.openids_of)
    )
    return is_for_channel and _may_see_entries(principal, receipt)


ReturnReceiptConnection: TypeAlias = Connection[ReturnReceipt]


@strawberry.type(description="A category and label under which integrators submit to a tag.")
class ReturnKey:
    """Show one key of a return tag."""

    category: str = strawberry.field(description="Category under which integrators submit.")
    label: str = strawberry.field(description="Label under which integrators submit.")


@strawberry.type(description="A tag made of the lists that integrators hand back; ACTIVE as soon as it is made.")
class ReturnTag(Tag, Node):
    """Show a return tag, with the key under which integrators submit and its receipts."""

    @strawberry.field(
        description=(
            "Category under which integrators submit; a rename does not change it, so that the next "
            "batch still finds the tag."
        )
    )
    async def return_category(self, info: Info) -> str:
        keys = await info.context.loaders.return_tag_keys.load(self.entity.channel_id)
        return keys[self.entity.tag_id][0]

    @strawberry.field(
        description=(
            "Label under which integrators submit; a rename does not change it, so that the next batch "
            "still finds the tag."
        )
    )
    async def return_label(self, info: Info) -> str:
        keys = await info.context.loaders.return_tag_keys.load(self.entity.channel_id)
        return keys[self.entity.tag_id][1]

    @strawberry.field(
        description=(
            "Every category and label under which what integrators submit goes to this tag: its own first, then those "
            "of the tags that were merged into it, at most 200. Empty for a tag that was merged itself."
        ),
        metadata=at_most(MAX_LISTED, usual=2),
    )
    async def return_keys(self, info: Info) -> list[ReturnKey]:
        own = self.entity.tag_id
        keys = await info.context.loaders.return_tag_keys.load(self.entity.channel_id)
        mine = sorted((key_id != own, key_id) for key_id, key in keys.items() if key.owner_tag_id == own)
        return [ReturnKey(category=keys[each].category, label=keys[each].label) for _, each in mine[:MAX_LISTED]]

    @strawberry.field(
        description=(
            "Receipts of the tag's batches, newest first, whichever way they came and by each of its keys; of a tag "
            "that was merged, those by its own. Empty while the gate is closed."
        )
    )
    async def receipts(self, info: Info, first: First = 20, after: After = None) -> ReturnReceiptConnection:
        before = start_of_page("receipt", first, after)
        if not self.catalogue.open:
            return page([], after=after, has_next=False)
        tag = self.entity
        found = await receipts_page(info.context.runtime, tag.channel_id, tag.tag_id, first=first, before=before)
        edges = [
            Edge(cursor=encode_page_cursor("receipt", each.batch_id), node=ReturnReceipt.of(each))
            for each in found.items
        ]
        return page(edges, after=after, has_next=found.has_more)


async def receipt_node(info: Info, key: ReceiptKey) -> ReturnReceipt | None:
    """Return a receipt, None while the gate is closed. Raises NotFoundError."""
    receipt = await find_receipt(info.context.runtime, info.context.principal, *key, Permission.VIEW_TAGS)
    catalogue = await info.context.loaders.catalogue_of_channel.load(receipt.channel_id)
    return ReturnReceipt.of(receipt) if catalogue.open else None

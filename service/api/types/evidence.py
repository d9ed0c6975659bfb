"""Show why a user has a tag, by its kind: a sentence, when it ends by itself, and the facts behind it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, TypeAlias, assert_never

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most
from service.api.types.channel import Channel
from service.api.types.return_tag import ReturnReceipt
from service.api.types.tag import Tag
from service.domain.ad_tags.explanations import explain_ad_tag
from service.domain.combos.explanations import explain_combo
from service.domain.combos.expressions import MAX_LEAVES
from service.domain.default_tags.explanations import explain_default_tag
from service.domain.return_data.explanations import explain_return_tag
from service.entities.tags import DefaultTagRule, TagKind
from service.entities.users import MAX_ADS_PER_USER, ChannelUser, EventKind

# Of the batches that hold one person; all of them are in the receipts of the tag.
MAX_RECEIPTS: Final = 50


@strawberry.type(
    description="The event behind a default tag. Without `at` it is an event that never happened, as for Not opened."
)
class FactEvidence:
    """Name the event behind a default tag."""

    fact: EventKind | None = strawberry.field(
        description="Which sort of event decides; null where nothing of any sort that counts ever happened."
    )
    at: datetime | None = strawberry.field(
        description=(
            "When the event last happened; null where it never did, and for Untouchable, whose window is over."
        )
    )


@strawberry.type(description="The batches of returned data by which a person has a return tag.")
class ReturnEvidence:
    """List the batches behind a return tag."""

    receipts: list[ReturnReceipt] | None = strawberry.field(
        description=(
            "Receipts of the latest 50 batches in effect that hold the person, oldest first; batches too old to "
            "be undone are left out. Null for a token that may not see receipts (VIEW_TAGS, which every "
            "role has)."
        ),
        metadata=at_most(MAX_RECEIPTS, usual=10),
    )


@strawberry.type(description="The ads through which a person followed.")
class AdEvidence:
    """List the ads behind an ad tag, or behind the default tag Advertising."""

    ad_ids: list[str] = strawberry.field(
        description="Ids of the ads, where the ad platform told them; at most 200, the latest.",
        metadata=at_most(MAX_ADS_PER_USER, usual=5),
    )
    at: datetime | None = strawberry.field(
        description="When the person last followed through one of the ads; null where that is not known."
    )


@strawberry.type(description="Which tags at the leaves of a combo a person has, and which not.")
class ComboEvidence:
    """List the leaves of a combo by whether a user has them."""

    has: list[Tag] = strawberry.field(
        description="Tags at the leaves that the person has now; the combo follows with its next refresh.",
        metadata=at_most(MAX_LEAVES, usual=10),
    )
    lacks: list[Tag] = strawberry.field(
        description="Tags at the leaves that the person does not have; deleted tags are among them.",
        metadata=at_most(MAX_LEAVES, usual=10),
    )


TagEvidence: TypeAlias = Annotated[
    FactEvidence | ReturnEvidence | AdEvidence | ComboEvidence,
    strawberry.union(
        "TagEvidence", description="The facts by which a person has a tag; each kind of tag has evidence of its own."
    ),
]


@dataclass(frozen=True, slots=True)
class Reason:
    """Say why a user has a tag. `until` is when it ends if nothing happens; None for never, or not known."""

    why: str
    until: datetime | None = None
    evidence: FactEvidence | ReturnEvidence | AdEvidence | ComboEvidence | None = None


async def reason_of(info: Info, user: ChannelUser, tag: Tag, tag_ids: frozenset[int]) -> Reason:
    """Return why a user has one of their tags; `tag_ids` are all that they have.

    All is read first, together with what other reasons need; it is put into words in turns.
    """
    match tag.entity.kind:
        case TagKind.DEFAULT:
            return await _default_tag_reason(info, user, tag)
        case TagKind.RETURN:
            return await _return_tag_reason(info, user, tag)
        case TagKind.AD:
            return await _ad_tag_reason(info, user, tag)
        case TagKind.COMBO:
            return await _combo_reason(info, tag, tag_ids)
        case _:
            assert_never(tag.entity.kind)


async def _default_tag_reason(info: Info, user: ChannelUser, tag: Tag) -> Reason:
    loaders = info.context.loaders
    channel = (await Channel.load(info, user.channel_id)).entity
    windows = (await loaders.windows.load(None)).windows
    advertising = tag.entity.rule is DefaultTagRule.ADVERTISING
    ads = await loaders.ads_of_user.load((user.channel_id, user.ordinal)) if advertising else []
    await info.context.resources.loop_share.turn()
    found = explain_default_tag(tag.entity.rule, user.facts, windows, channel.bound_at)
    if advertising:
        return Reason(found.why, found.until, AdEvidence(ad_ids=[ad_id for ad_id, _ in ads], at=found.at))
    return Reason(found.why, found.until, FactEvidence(fact=found.fact, at=found.at))


async def _combo_reason(info: Info, tag: Tag, tag_ids: frozenset[int]) -> Reason:
    catalogue, tags = tag.catalogue, info.context.presenters.tags
    combos = await info.context.loaders.combos_of_channel.load(tag.entity.channel_id)
    combo = combos[tag.entity.tag_id]
    await info.context.resources.loop_share.turn()
    found = explain_combo(catalogue, combo.expression, tag_ids, combo.as_of)
    return Reason(found.why, None, ComboEvidence(has=tags(found.has, catalogue), lacks=tags(found.lacks, catalogue)))


async def _return_tag_reason(info: Info, user: ChannelUser, tag: Tag) -> Reason:
    loaders = info.context.loaders
    holding = await loaders.batches_holding.load((user.channel_id, user.ordinal))
    batch_ids = sorted(holding.get(tag.entity.tag_id, ()))
    receipts = [
        receipt
        for batch_id in batch_ids
        if batch_id and (receipt := await loaders.receipt.load((user.channel_id, batch_id))) is not None
    ]
    await info.context.resources.loop_share.turn()
    found = explain_return_tag(receipts, settled=0 in batch_ids)
    return Reason(
        found.why, found.until, ReturnEvidence(receipts=[ReturnReceipt.of(each) for each in receipts[-MAX_RECEIPTS:]])
    )


async def _ad_tag_reason(info: Info, user: ChannelUser, tag: Tag) -> Reason:
    loaders = info.context.loaders
    of_tag = set(await loaders.ads_of_tag.load((user.channel_id, tag.entity.tag_id)))
    ads = await loaders.ads_of_user.load((user.channel_id, user.ordinal))
    await info.context.resources.loop_share.turn()
    found = explain_ad_tag([ad for ad in ads if ad.ad_id in of_tag])
    return Reason(found.why, None, AdEvidence(ad_ids=list(found.ad_ids), at=found.at))

"""Say why somebody does not have a tag, by its kind: the fact, batch or operand that is missing."""

from typing import assert_never

from service.api.context import Info
from service.api.types.channel import Channel
from service.api.types.enums import CAUSE_DESCRIPTIONS
from service.domain.ad_tags.explanations import explain_missing_ad_tag
from service.domain.combos.explanations import explain_lapse, explain_missing_combo
from service.domain.default_tags.explanations import explain_missing_default_tag
from service.domain.return_data.explanations import MISSING_RETURN_TAG
from service.entities.errors import NotFoundError
from service.entities.tags import Catalogue, Tag, TagKey, TagKind, TagState
from service.entities.users import ChannelUser
from service.foundation.clock import format_time


async def absence_of(info: Info, user: ChannelUser, key: TagKey) -> str | None:
    """Return why a user does not show a tag, in a sentence or two; None if they do.

    Raises NotFoundError for a tag that the user's channel never had.
    """
    loaders = info.context.loaders
    # The bits first: they bring the catalogue that they were read with.
    tag_ids = await loaders.tags_of_user.load((user.channel_id, user.ordinal))
    catalogue = await loaders.catalogue_of_channel.load(user.channel_id)
    tag = catalogue.tags.get(key.tag_id) if key.channel_id == user.channel_id else None
    if tag is None:
        raise NotFoundError("tag")
    if not catalogue.open:
        return "No verified Official Account is bound, or not this channel: nobody shows tags until one is."
    if not tag.shown:
        return await _hidden(info, catalogue, tag)
    if tag.tag_id in tag_ids:
        return None
    why = await _missing(info, catalogue, user, tag, tag_ids)
    loss = (await loaders.losses_of_user.load((user.channel_id, user.ordinal))).get(tag.tag_id)
    if loss is None or tag.kind is TagKind.DEFAULT:
        return why
    return f"{why} Lost it {format_time(loss.at)}: {CAUSE_DESCRIPTIONS[loss.cause]}"


async def _hidden(info: Info, catalogue: Catalogue, tag: Tag) -> str:
    """Return why nobody shows a tag."""
    if tag.deleted_at is not None:
        return f"The tag was deleted {format_time(tag.deleted_at)}."
    if tag.state is TagState.PENDING:
        return (
            "The tag takes effect when the ad return address is confirmed or called; until then nobody has it."
            if tag.kind is TagKind.AD
            else "The tag is still taking effect; until then nobody has it."
        )
    graph = await info.context.loaders.combo_graph(catalogue)
    deleted = (catalogue.tags[each] for each in graph.deleted_dependencies(tag.tag_id))
    return f"The tag has lapsed, so nobody has it. {explain_lapse(deleted)}"


async def _missing(info: Info, catalogue: Catalogue, user: ChannelUser, tag: Tag, tag_ids: frozenset[int]) -> str:
    """Return what is missing for a user to have a tag that is shown."""
    loaders = info.context.loaders
    match tag.kind:
        case TagKind.DEFAULT:
            channel = (await Channel.load(info, user.channel_id)).entity
            windows = (await loaders.windows.load(None)).windows
            return explain_missing_default_tag(tag.rule, tag_ids, user.facts, windows, channel.bound_at)
        case TagKind.RETURN:
            return MISSING_RETURN_TAG
        case TagKind.AD:
            return explain_missing_ad_tag(await loaders.ads_of_user.load((user.channel_id, user.ordinal)))
        case TagKind.COMBO:
            combo = (await loaders.combos_of_channel.load(tag.channel_id))[tag.tag_id]
            await info.context.resources.loop_share.turn()
            return explain_missing_combo(catalogue, combo.expression, tag_ids, combo.as_of)
        case _:
            assert_never(tag.kind)

"""Tell what merging a tag into another would do (docs/specification.md §4.7), and check that it can be done."""

import hashlib
from dataclasses import dataclass

import orjson

from service.domain.ad_tags.given_ads import MAX_ADS_PER_TAG
from service.domain.channels.lookup import find_channel
from service.domain.merging.rewriting import combos_that_change_meaning, rewritten_combos, with_tag_replaced
from service.domain.runtime import Runtime
from service.domain.tags.naming import require_living_tag
from service.entities.channels import Channel
from service.entities.combos import ComboGraph
from service.entities.errors import (
    BadInputError,
    ChannelNotBoundError,
    ConflictError,
    FieldError,
    LimitExceededError,
    TagNotUsableError,
    TagProtectedError,
)
from service.entities.expressions import Expression, all_of, difference, from_json, to_json
from service.entities.expressions import tag as leaf
from service.entities.principal import Permission, Principal
from service.entities.tags import Tag, TagKey, TagKind, TagState
from service.storage import ad_tags, combos, tag_merges
from service.storage.broadcasts import broadcast_control
from service.storage.combos import count_of_expression
from service.storage.database.pool import Connection

MERGED_KINDS = frozenset({TagKind.RETURN, TagKind.AD})


@dataclass(frozen=True, slots=True)
class MergePlan:
    """Describe what merging a tag into another does.

    `gains` is how many people get the latter, and `already_there` how many have both. `combos` and `audiences` (of
    broadcasts that are not frozen) are those that name the former, rewritten; `meaning_changes` are the ids of combos
    that would hold one operand twice or always be empty. `added_ads` are new to the latter.
    """

    graph: ComboGraph
    from_tag: Tag
    into_tag: Tag
    gains: int
    already_there: int
    combos: dict[int, Expression]
    meaning_changes: tuple[int, ...]
    audiences: dict[int, Expression]
    added_ads: tuple[str, ...]

    @property
    def hash(self) -> str:
        """Return a digest of all that the plan says, by which it is noticed that something has changed since."""
        said = [
            [[tag.channel_id, tag.tag_id, tag.version, tag.state] for tag in (self.from_tag, self.into_tag)],
            [self.gains, self.already_there, self.added_ads, self.meaning_changes],
            [[tag_id, to_json(each)] for tag_id, each in sorted(self.combos.items())],
            [[job_id, to_json(each)] for job_id, each in sorted(self.audiences.items())],
        ]
        return hashlib.sha256(orjson.dumps(said)).hexdigest()


async def merge_preview(runtime: Runtime, principal: Principal, from_tag: TagKey, into_tag: TagKey) -> MergePlan:
    """Return what merging a tag into another would do.

    Raises ForbiddenError, NotFoundError, ChannelNotBoundError, TagProtectedError for a default tag, BadInputError for
    two tags that cannot be one, TagNotUsableError where only the one to go is ACTIVE, LimitExceededError for over 1,000
    ads, and ConflictError while one of the two is being merged.
    """
    async with runtime.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        channel = await channel_of_pair(conn, principal, from_tag, into_tag)
        graph = await combos.combo_graph(conn, channel.channel_id)
        if not graph.catalogue.open:
            raise ChannelNotBoundError
        return await plan_merge(conn, graph, from_tag.tag_id, into_tag.tag_id)


async def channel_of_pair(conn: Connection, principal: Principal, from_tag: TagKey, into_tag: TagKey) -> Channel:
    """Return the channel of two tags.

    Raises ForbiddenError, NotFoundError, and BadInputError for tags of two channels or the same tag twice.
    """
    channel = await find_channel(conn, principal, from_tag.channel_id, Permission.MANAGE_TAGS, sought="tag")
    if into_tag.channel_id != channel.channel_id:
        await find_channel(conn, principal, into_tag.channel_id, Permission.MANAGE_TAGS, sought="tag")
        raise _bad_pair("OTHER_CHANNEL", "Only tags of one channel can be merged.")
    if into_tag == from_tag:
        raise _bad_pair("SAME_TAG", "A tag cannot be merged into itself.")
    return channel


async def plan_merge(conn: Connection, graph: ComboGraph, from_id: int, into_id: int) -> MergePlan:
    """Return what merging one tag of an open channel into another does. Raises what `merge_preview` raises."""
    from_tag, into_tag = (require_living_tag(graph.catalogue, each) for each in (from_id, into_id))
    _check_kinds(from_tag, into_tag)
    channel_id = graph.catalogue.channel_id
    if any(each.concerns(from_id) or each.concerns(into_id) for each in await tag_merges.merges_of(conn, channel_id)):
        raise ConflictError("One of the two tags is being merged.")
    added_ads: tuple[str, ...] = ()
    if from_tag.kind is TagKind.AD:
        added_ads = await _ads_to_add(conn, channel_id, from_id, into_id)
    audiences = {
        job_id: from_json(text)
        for job_id, text in (await broadcast_control.audiences_not_frozen(conn, channel_id)).items()
    }
    return MergePlan(
        graph,
        from_tag,
        into_tag,
        gains=await count_of_expression(conn, channel_id, difference(leaf(from_id), leaf(into_id))),
        already_there=await count_of_expression(conn, channel_id, all_of(leaf(from_id), leaf(into_id))),
        combos=rewritten_combos(graph, from_id, into_id),
        meaning_changes=tuple(combos_that_change_meaning(graph, from_id, into_id)),
        audiences={
            job_id: with_tag_replaced(audience, from_id, into_id)
            for job_id, audience in audiences.items()
            if from_id in audience.tag_ids()
        },
        added_ads=added_ads,
    )


def _check_kinds(from_tag: Tag, into_tag: Tag) -> None:
    if TagKind.DEFAULT in {from_tag.kind, into_tag.kind}:
        raise TagProtectedError
    if from_tag.kind is not into_tag.kind or from_tag.kind not in MERGED_KINDS:
        raise _bad_pair("OTHER_KIND", "Two return tags can be merged, or two ad tags.")
    if from_tag.state is TagState.ACTIVE and into_tag.state is not TagState.ACTIVE:
        raise TagNotUsableError(f"{into_tag.name} is {into_tag.state}: nobody would show what they show now.")


async def _ads_to_add(conn: Connection, channel_id: int, from_id: int, into_id: int) -> tuple[str, ...]:
    ads = await ad_tags.ads_of_tags(conn, channel_id, [from_id, into_id])
    known = set(ads.get(into_id, ()))
    added = tuple(each for each in ads.get(from_id, ()) if each not in known)
    if len(known) + len(added) > MAX_ADS_PER_TAG:
        raise LimitExceededError(f"An ad tag has at most {MAX_ADS_PER_TAG:,} ads.")
    return added


def _bad_pair(code: str, message: str) -> BadInputError:
    return BadInputError(FieldError(("into",), code, message))

"""Keep tags in sync with the Official Account's or not, end links, and say why a link does nothing now.

Source: docs/specification.md §6.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.domain.audit.recording import record
from service.domain.audit.values import channel_ref, tag_ref
from service.domain.channels.lookup import find_channel
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.refusals import require_official_account, shown_to_clients
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import lock_open_catalogue
from service.entities.audit import AuditValue
from service.entities.channels import Channel
from service.entities.errors import (
    BadInputError,
    ChannelNotBoundError,
    ConflictError,
    FieldError,
    LimitExceededError,
    NotFoundError,
    TagNotUsableError,
)
from service.entities.principal import Permission, Principal
from service.entities.remote_tags import LinkedTag
from service.entities.tags import Catalogue, Tag, TagKey, TagState
from service.storage import remote_tags, syncs, tags
from service.storage.database.pool import Connection
from service.wechat.api.errors import WechatError
from service.wechat.api.tag_calls import delete_tag, list_tags

# As many as an account can have.
MAX_LINKED_TAGS: Final = 100
BEFORE_DELETION: Final = "Recorded before WeChat was asked to delete the tag."


@dataclass(frozen=True, slots=True)
class ChangedLinks:
    """Hold the tags whose links were changed, and their catalogue."""

    catalogue: Catalogue
    tags: tuple[Tag, ...]


def halted_because(link: LinkedTag, tag: Tag, *, is_open: bool, acting: bool) -> str | None:
    """Return why nothing is synced of a linked tag now, in words; None where it could be, or is not linked."""
    if link.remote_tag_id is None:
        return None
    if tag.deleted_at is not None:
        return "The tag was deleted; the tag at the Official Account is left as it was."
    if tag.state is TagState.LAPSED:
        return "The tag has lapsed; the tag at the Official Account is left as it was."
    if not link.keep_in_sync:
        return None
    if not is_open:
        return "The channel is not bound, or no verified Official Account is; syncing waits."
    if not acting:
        return "This installation makes no calls to WeChat (USER_TAGS_ACTING, or `user-tags acting`); syncing waits."
    return "The tag is not in effect yet; syncing waits." if tag.state is TagState.PENDING else None


async def set_keep_in_sync(
    runtime: Runtime, principal: Principal, keys: Sequence[TagKey], *, keep_in_sync: bool
) -> ChangedLinks:
    """Keep tags of one channel in sync from now on, or no longer; all of them or none.

    Raises ForbiddenError, LimitExceededError over 100 tags, BadInputError for none and for tags that are not linked,
    NotFoundError, ChannelNotBoundError; and to keep them in sync TagNotUsableError for LAPSED ones, and what
    `require_official_account` raises.
    """
    channel_id, tag_ids = _one_channel(keys)
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await find_channel(conn, principal, channel_id, Permission.SYNC, sought="tag")
        catalogue = await _open_catalogue(conn, channel_id)
        found = _known_tags(catalogue, tag_ids, living=keep_in_sync)
        if keep_in_sync:
            require_official_account(runtime, channel)
            _require_unlapsed(found)
        links = await remote_tags.lock_linked_tags(conn, channel_id, tag_ids)
        _require_linked(links, tag_ids, "tag_ids")
        await remote_tags.set_keep_in_sync(conn, channel_id, tag_ids, keep_in_sync=keep_in_sync)
        changed = [each for each in tag_ids if links[each].keep_in_sync is not keep_in_sync]
        if changed:
            await record(
                conn,
                runtime,
                principal,
                "set_keep_in_sync",
                channel_id=channel_id,
                target=tag_ref(channel_id, changed[0]) if len(changed) == 1 else channel_ref(channel_id),
                after={"keep_in_sync": keep_in_sync, "tags": [tag_ref(channel_id, each) for each in changed]},
            )
    return ChangedLinks(catalogue, found)


async def unlink_tag(
    runtime: Runtime, principal: Principal, channel_id: int, tag_id: int, *, delete_remote: bool
) -> ChangedLinks:
    """End the link of a tag, deleted and lapsed ones too; with `delete_remote` delete the remote tag first.

    Raises ForbiddenError, NotFoundError, ChannelNotBoundError, BadInputError for a tag that is not linked,
    ConflictError while it is being synced; and to delete the remote tag what `require_official_account` raises, and
    UpstreamError, after which it is still linked.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await find_channel(conn, principal, channel_id, Permission.SYNC, sought="tag")
        catalogue = await lock_open_catalogue(conn, channel_id)
        found = _known_tags(catalogue, [tag_id], living=False)
        if await syncs.is_being_synced(conn, channel_id, tag_id):
            raise ConflictError("The tag is being synced; cancel that, or wait until it is done.")
        links = await remote_tags.lock_linked_tags(conn, channel_id, [tag_id])
        _require_linked(links, [tag_id], "tag_id")
        delete_remote = delete_remote and links[tag_id].remote_tag_id is not None
        if delete_remote:
            require_official_account(runtime, channel)
            # Nothing is to be synced to a tag that is being deleted.
            await remote_tags.set_keep_in_sync(conn, channel_id, [tag_id], keep_in_sync=False)
        else:
            await remote_tags.unlink_tag(conn, channel_id, tag_id)
        await _record_unlinking(conn, runtime, principal, links[tag_id], delete_remote=delete_remote)
    if delete_remote:
        await _delete_remote_tag(runtime, channel, links[tag_id])
    return ChangedLinks(catalogue, found)


async def _delete_remote_tag(runtime: Runtime, channel: Channel, link: LinkedTag) -> None:
    """Delete a remote tag, unless it is gone already, and the link to it."""
    remote_tag_id = link.remote_tag_id or 0
    with shown_to_clients():
        try:
            await call_wechat(runtime, channel, delete_tag(remote_tag_id))
        except WechatError:
            if any(tag.remote_tag_id == remote_tag_id for tag in await call_wechat(runtime, channel, list_tags())):
                raise
    async with runtime.pool.acquire() as conn, conn.transaction():
        now = await remote_tags.lock_linked_tags(conn, channel.channel_id, [link.tag_id])
        if now[link.tag_id].remote_tag_id == remote_tag_id:
            await remote_tags.unlink_tag(conn, channel.channel_id, link.tag_id)


async def _record_unlinking(
    conn: Connection, runtime: Runtime, principal: Principal, link: LinkedTag, *, delete_remote: bool
) -> None:
    """Record that a link ends; where WeChat is asked to delete the remote tag, before it is asked."""
    ended: dict[str, AuditValue] = {"keep_in_sync": False, "delete_remote": delete_remote}
    await record(
        conn,
        runtime,
        principal,
        "unlink_official_account_tag",
        channel_id=link.channel_id,
        target=tag_ref(link.channel_id, link.tag_id),
        before={"remote_tag_id": link.remote_tag_id, "keep_in_sync": link.keep_in_sync},
        after=ended if delete_remote else {"remote_tag_id": None, **ended},
        detail=BEFORE_DELETION if delete_remote else None,
    )


async def _open_catalogue(conn: Connection, channel_id: int) -> Catalogue:
    catalogue = await tags.catalogue(conn, channel_id)
    if not catalogue.open:
        raise ChannelNotBoundError
    return catalogue


def _one_channel(keys: Sequence[TagKey]) -> tuple[int, list[int]]:
    """Return the channel of tags and their ids, each once."""
    if len(keys) > MAX_LINKED_TAGS:
        raise LimitExceededError(f"At most {MAX_LINKED_TAGS} tags at once.")
    if not keys:
        raise BadInputError(FieldError(("tag_ids",), "TOO_FEW", "Name at least one tag."))
    if len({key.channel_id for key in keys}) > 1:
        # A tag of another channel is answered like one that does not exist.
        raise NotFoundError("tag")
    return keys[0].channel_id, list(dict.fromkeys(key.tag_id for key in keys))


def _known_tags(catalogue: Catalogue, tag_ids: Sequence[int], *, living: bool) -> tuple[Tag, ...]:
    found = [catalogue.tags.get(tag_id) for tag_id in tag_ids]
    if any(tag is None or (living and tag.deleted_at is not None) for tag in found):
        raise NotFoundError("tag")
    return tuple(tag for tag in found if tag is not None)


def _require_unlapsed(found: Sequence[Tag]) -> None:
    errors = [
        FieldError(("tag_ids", index), "TAG_NOT_USABLE", f"{tag.category} / {tag.name} has lapsed.")
        for index, tag in enumerate(found)
        if tag.state is TagState.LAPSED
    ]
    if errors:
        raise TagNotUsableError(errors[0].message, *errors)


def _require_linked(links: dict[int, LinkedTag], tag_ids: Sequence[int], argument: str) -> None:
    """Raise BadInputError naming the tags that are not linked; a place in a list where there are several."""
    errors = [
        FieldError((argument, index) if argument == "tag_ids" else (argument,), "NOT_LINKED", "Sync this tag first.")
        for index, tag_id in enumerate(tag_ids)
        if tag_id not in links or (links[tag_id].remote_tag_id is None and not links[tag_id].keep_in_sync)
    ]
    if errors:
        raise BadInputError(*errors)

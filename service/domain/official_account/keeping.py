"""Keep tags in sync: look at linked tags in whose channel something changed, and sync those whose people differ.

A look costs nothing of WeChat's quotas. It is made where the versions of a channel's blocks and tag states have moved
on since the last one, and now and then anyway, as syncs and readings change what is known without that.
Source: docs/specification.md §6.4.
"""

import logging
from collections.abc import Collection
from datetime import timedelta
from itertools import groupby
from typing import Final

from service.domain.jobs.starting import enqueue_job
from service.domain.official_account.refusals import require_official_account
from service.domain.official_account.sync.requests import start_automatic_sync
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import lock_catalogue
from service.entities.channels import Channel
from service.entities.errors import BadInputError, RequestError
from service.entities.jobs import Job
from service.entities.remote_tags import LinkedTag
from service.entities.tags import Catalogue
from service.storage import remote_tags, sync_plans, tags

LOOK_AGAIN_AFTER: Final = timedelta(hours=1)
# A sync that failed is not begun again by itself before that, nor one for what it could not do.
TRY_AGAIN_AFTER: Final = timedelta(hours=1)
ALARM_AFTER: Final = timedelta(minutes=10)

log = logging.getLogger(__name__)


async def channels_to_look_at(runtime: Runtime) -> list[int]:
    """Return the channels whose linked tags are due to be looked at."""
    async with runtime.pool.acquire() as conn:
        return await remote_tags.channels_to_look_at(conn, runtime.clock() - LOOK_AGAIN_AFTER)


async def look_at_links(runtime: Runtime, channel: Channel) -> Job | None:
    """Record which linked tags of a channel are in sync, and begin to sync those that are kept so and are not.

    Return the job; None where nothing is to be done, or cannot be now. While the gate is closed, calls to WeChat are
    off, or a tag is not ACTIVE, syncing is suspended.
    """
    channel_id = channel.channel_id
    tried_since = runtime.clock() - TRY_AGAIN_AFTER
    async with runtime.pool.acquire() as conn:
        await remote_tags.begin_look(conn, channel_id, runtime.clock())
        _report_halted(channel_id, await remote_tags.halt_links(conn, channel_id))
        catalogue = await tags.catalogue(conn, channel_id)
        links = await remote_tags.linked_tags(conn, channel_id)
        usable = _usable_tags(catalogue, links.values())
        differing = set(await sync_plans.tags_out_of_sync(conn, channel_id, usable, tried_since, failed_too=True))
        await remote_tags.save_look(conn, channel_id, same=set(usable) - differing, differing=differing)
        due = [tag_id for tag_id in usable if tag_id in differing and _is_due(runtime, links[tag_id])]
        if due:
            due = await sync_plans.tags_out_of_sync(conn, channel_id, due, tried_since, failed_too=False)
    return await _begin_sync(runtime, channel, due) if due and await _can_be_called(runtime, channel, due) else None


async def report_failing_links(runtime: Runtime) -> int:
    """Log which tags have failed to be kept in sync for a while, a line for each channel; return how many tags."""
    async with runtime.pool.acquire() as conn:
        failing = await remote_tags.failing_links(conn, runtime.clock() - ALARM_AFTER)
    for channel_id, group in groupby(failing, lambda link: link.channel_id):
        first, *others = group
        log.error(
            "channel %d: tag %d (%s) has not been kept in sync since %s, and %d more tags: %s",
            channel_id,
            first.tag_id,
            first.remote_name,
            first.failing_since,
            len(others),
            first.error,
        )
    return len(failing)


def _usable_tags(catalogue: Catalogue, links: Collection[LinkedTag]) -> list[int]:
    return [
        link.tag_id
        for link in links
        if (link.remote_tag_id is not None or link.keep_in_sync)
        and catalogue.shows_members(catalogue.tags[link.tag_id])
    ]


def _is_due(runtime: Runtime, link: LinkedTag) -> bool:
    failed_lately = (
        link.failing_since is not None
        and link.tried_at is not None
        and link.tried_at > runtime.clock() - TRY_AGAIN_AFTER
    )
    return link.keep_in_sync and not failed_lately


async def _can_be_called(runtime: Runtime, channel: Channel, tag_ids: Collection[int]) -> bool:
    """Tell whether WeChat can be called for a channel; what only its admins can mend is noted on the tags."""
    try:
        require_official_account(runtime, channel)
    except BadInputError as error:
        async with runtime.pool.acquire() as conn:
            await remote_tags.note_sync_failure(
                conn, channel.channel_id, tag_ids, None, runtime.clock(), error=error.message
            )
        return False
    except RequestError:
        return False
    return True


async def _begin_sync(runtime: Runtime, channel: Channel, tag_ids: Collection[int]) -> Job | None:
    channel_id = channel.channel_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        catalogue = await lock_catalogue(conn, channel_id)
        still = [tag_id for tag_id in tag_ids if catalogue.shows_members(catalogue.tags[tag_id])]
        tried_since = runtime.clock() - TRY_AGAIN_AFTER
        job = await start_automatic_sync(conn, runtime, channel, still, tried_since=tried_since)
        if job is None:
            # Another sync is at work, which may not be about these.
            await remote_tags.look_again(conn, channel_id, still)
            return None
        await remote_tags.note_trial(conn, channel_id, still, runtime.clock())
    enqueue_job(runtime, job)
    return job


def _report_halted(channel_id: int, tag_ids: Collection[int]) -> None:
    for tag_id in tag_ids:
        log.warning(
            "channel %d: tag %d was deleted or has lapsed; it is no longer synced, and the remote tag stays as it was",
            channel_id,
            tag_id,
        )

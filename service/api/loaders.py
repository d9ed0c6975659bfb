"""Batch the look-ups of one operation: each loader is named after what it returns."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeAlias, TypeVar

from strawberry.dataloader import DataLoader

from service.domain.audiences.tag_flow import TagFlow, flows_of_tags
from service.domain.broadcasts.audience.answering import OwnMessages, own_messages
from service.domain.broadcasts.policy.stored import shown_policy
from service.domain.channels.lookup import ChannelFinder, visible_channels
from service.domain.default_tags.languages import Language, in_language
from service.domain.runtime import Runtime
from service.domain.tags.reader import UserReader
from service.entities.broadcast_reports import BroadcastReport
from service.entities.channels import Channel, ChannelState
from service.entities.combos import ComboGraph
from service.entities.errors import RequestError
from service.entities.jobs import Job
from service.entities.paging import Slice
from service.entities.principal import Permission, Principal
from service.entities.remote_tags import LinkedTag
from service.entities.return_data import ReceiptHead
from service.entities.syncs import TagSync
from service.entities.tags import Catalogue, MemberCount
from service.entities.users import ChannelUser
from service.storage import ad_tags, channels, combos, default_tags, jobs, remote_tags, syncs, tags, users
from service.storage.blocks import members
from service.storage.broadcasts import broadcast_reports
from service.storage.database.pool import Connection
from service.storage.return_data import batches

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# Channel id and ordinal.
UserKey: TypeAlias = tuple[int, int]
# Channel id, tag id, and the instant from which on samples are read.
SizesKey: TypeAlias = tuple[int, int, datetime]


class MemoizedLoader(Generic[K, V]):
    """Remember for one operation what the process reads for all operations together."""

    def __init__(self, read: Callable[[K], Awaitable[V]]) -> None:
        self._read = read
        self._known: dict[K, V] = {}

    async def load(self, key: K) -> V:
        """Return the value of a key."""
        if key not in self._known:
            self.prime(key, await self._read(key))
        return self._known[key]

    async def load_many(self, keys: Iterable[K]) -> list[V]:
        """Return the values of keys, in their order."""
        return list(await asyncio.gather(*map(self.load, keys)))

    def prime(self, key: K, value: V) -> None:
        """Take a value that was read elsewhere; the value that is known already stays."""
        self._known.setdefault(key, value)


def _per_key(read: Callable[[Connection, K], Awaitable[V]]) -> "cached_property[DataLoader[K, V]]":
    """Return a loader that runs one statement for each key."""

    def make(loaders: "Loaders") -> DataLoader[K, V]:
        async def load(keys: list[K]) -> list[V]:
            async with loaders.pool.acquire() as conn:
                return [await read(conn, key) for key in keys]

        return DataLoader(load)

    return cached_property(make)


def _per_channel(
    read: Callable[[Connection, int, list[K]], Awaitable[dict[K, V]]], missing: Callable[[], V]
) -> "cached_property[DataLoader[tuple[int, K], V]]":
    """Return a loader that runs one statement for each channel; its keys begin with the channel's id.

    `missing` makes the value of a key that the statement does not find.
    """

    def make(loaders: "Loaders") -> DataLoader[tuple[int, K], V]:
        async def load(keys: list[tuple[int, K]]) -> list[V]:
            by_channel: dict[int, list[K]] = defaultdict(list)
            for channel_id, key in keys:
                by_channel[channel_id].append(key)
            async with loaders.pool.acquire() as conn:
                found = {channel_id: await read(conn, channel_id, each) for channel_id, each in by_channel.items()}
            return [found[channel_id][key] if key in found[channel_id] else missing() for channel_id, key in keys]

        return DataLoader(load)

    return cached_property(make)


async def _tag_ids_by_remote_id(conn: Connection, channel_id: int) -> dict[int, int]:
    links = await remote_tags.linked_tags(conn, channel_id)
    return {link.remote_tag_id: tag_id for tag_id, link in links.items() if link.remote_tag_id is not None}


def _none() -> None:
    """Stand for what is not found."""


async def _windows(conn: Connection, _: None) -> default_tags.StoredWindows:
    return await default_tags.current_windows(conn)


async def _users_by_unionid(conn: Connection, channel_id: int, unionids: list[str]) -> dict[str, ChannelUser | None]:
    found = await users.users_by_unionid(conn, channel_id, unionids)
    return {user.unionid: user for user in found if user.unionid is not None}


async def _users_by_ordinal(conn: Connection, channel_id: int, ordinals: list[int]) -> dict[int, ChannelUser | None]:
    return {user.ordinal: user for user in await users.users_by_ordinal(conn, channel_id, ordinals)}


async def _receipts(conn: Connection, channel_id: int, batch_ids: list[int]) -> dict[int, ReceiptHead | None]:
    return {**await batches.batches_by_id(conn, channel_id, batch_ids)}


async def _linked_tags(conn: Connection, channel_id: int, tag_ids: list[int]) -> dict[int, LinkedTag | None]:
    return {**await remote_tags.linked_tags(conn, channel_id, tag_ids)}


async def _jobs(conn: Connection, channel_id: int, job_ids: list[int]) -> dict[int, Job | None]:
    return {job.job_id: job for job in await jobs.jobs_by_id(conn, channel_id, job_ids)}


async def _broadcast_reports(
    conn: Connection, channel_id: int, job_ids: list[int]
) -> dict[int, BroadcastReport | None]:
    return {**await broadcast_reports.broadcast_reports(conn, channel_id, job_ids)}


async def _tags_of_sync(conn: Connection, channel_id: int, job_ids: list[int]) -> dict[int, list[TagSync]]:
    return await syncs.sync_tags(conn, channel_id, job_ids)


def _nothing() -> Slice[Any]:
    return Slice([], 0)


class Loaders:
    """Hold the loaders of one operation or one event; each is made when it is first used.

    Catalogues are in the language of who asks.
    """

    def __init__(
        self, runtime: Runtime, user_reader: UserReader, channel_finder: ChannelFinder, language: Language
    ) -> None:
        self.pool = runtime.pool
        self._runtime = runtime
        self._clock = runtime.clock
        self._user_reader = user_reader
        self._channel_finder = channel_finder
        self._language = language
        self.channel: MemoizedLoader[tuple[Principal, int], Channel] = MemoizedLoader(self._channel)
        self.catalogue_of_channel: MemoizedLoader[int, Catalogue] = MemoizedLoader(self._catalogue_of_channel)
        self.state_of_channel: MemoizedLoader[int, ChannelState] = MemoizedLoader(user_reader.state_of)
        self.tags_of_user: MemoizedLoader[UserKey, frozenset[int]] = MemoizedLoader(self._tags_of_user)
        self._combo_graphs: dict[int, ComboGraph] = {}

    visible_channels = _per_key(visible_channels)
    follower_count = _per_key(channels.follower_count)
    member_counts = _per_key(members.member_counts)
    broadcast_policy = _per_key(shown_policy)
    combos_of_channel = _per_key(combos.combos_of)
    return_tag_keys = _per_key(batches.return_tag_keys)
    tag_ids_by_remote_id = _per_key(_tag_ids_by_remote_id)
    windows = _per_key(_windows)

    user_by_unionid = _per_channel(_users_by_unionid, _none)
    user_by_ordinal = _per_channel(_users_by_ordinal, _none)
    ads_of_user = _per_channel(users.ads_of_users, list)
    tags_since = _per_channel(users.tags_since, dict)
    losses_of_user = _per_channel(users.losses_of_users, dict)
    batches_holding = _per_channel(batches.batches_holding, dict)
    ads_of_tag = _per_channel(ad_tags.ads_of_tags, list)
    broadcast_report = _per_channel(_broadcast_reports, _none)
    job = _per_channel(_jobs, _none)
    linked_tag = _per_channel(_linked_tags, _none)
    receipt = _per_channel(_receipts, _none)
    tags_of_sync = _per_channel(_tags_of_sync, list)
    rejected = _per_channel(batches.rejected_slices, _nothing)
    unmatched = _per_channel(batches.unmatched_slices, _nothing)

    @cached_property
    def own_messages(self) -> DataLoader[UserKey, OwnMessages]:
        """Return the loader of how often we wrote to people lately."""
        return DataLoader(self._own_messages)

    @cached_property
    def sizes_of_tag(self) -> DataLoader[SizesKey, list[MemberCount]]:
        """Return the loader of a tag's sampled sizes, oldest first."""
        return DataLoader(self._sizes_of_tag)

    @cached_property
    def flow_of_tag(self) -> DataLoader[SizesKey, TagFlow]:
        """Return the loader of who came to a tag and left it since an instant; it raises BadInputError."""
        return DataLoader(self._flow_of_tag)

    async def combo_graph(self, catalogue: Catalogue) -> ComboGraph:
        """Return the tags of a catalogue with the combos of their channel, put together once for all of them."""
        combos = await self.combos_of_channel.load(catalogue.channel_id)
        known = self._combo_graphs.get(catalogue.channel_id)
        if known is None or known.catalogue is not catalogue:
            known = self._combo_graphs[catalogue.channel_id] = ComboGraph(catalogue, combos)
        return known

    def prime_catalogue(self, catalogue: Catalogue) -> None:
        """Take a catalogue that was read elsewhere for that of its channel, unless one is known already."""
        self.catalogue_of_channel.prime(catalogue.channel_id, in_language(catalogue, self._language))

    async def _catalogue_of_channel(self, channel_id: int) -> Catalogue:
        return in_language(await self._user_reader.catalogue_of(channel_id), self._language)

    async def _channel(self, key: tuple[Principal, int]) -> Channel:
        principal, channel_id = key
        return await self._channel_finder.find(principal, channel_id, Permission.VIEW_TAGS)

    async def _sizes_of_tag(self, keys: list[SizesKey]) -> list[list[MemberCount]]:
        requested: dict[tuple[int, datetime], list[int]] = defaultdict(list)
        for channel_id, tag_id, since in keys:
            requested[channel_id, since].append(tag_id)
        found = {}
        async with self.pool.acquire() as conn:
            for (channel_id, since), tag_ids in requested.items():
                for tag_id, samples in (await tags.sizes_since(conn, channel_id, tag_ids, since)).items():
                    found[channel_id, tag_id, since] = samples
        return [found.get(key, []) for key in keys]

    async def _flow_of_tag(self, keys: list[SizesKey]) -> list[TagFlow | RequestError]:
        requested: dict[tuple[int, datetime], list[int]] = defaultdict(list)
        for channel_id, tag_id, since in keys:
            requested[channel_id, since].append(tag_id)
        found: dict[SizesKey, TagFlow | RequestError] = {}
        for (channel_id, since), tag_ids in requested.items():
            try:
                flows = await flows_of_tags(self._runtime, channel_id, tag_ids, since)
            except RequestError as error:
                found |= {(channel_id, tag_id, since): error for tag_id in tag_ids}
            else:
                found |= {(channel_id, tag_id, since): flow for tag_id, flow in flows.items()}
        return [found[key] for key in keys]

    async def _own_messages(self, keys: list[UserKey]) -> list[OwnMessages]:
        by_channel: dict[int, list[int]] = defaultdict(list)
        for channel_id, ordinal in keys:
            by_channel[channel_id].append(ordinal)
        found = {}
        async with self.pool.acquire() as conn:
            for channel_id, ordinals in by_channel.items():
                found[channel_id] = await own_messages(conn, channel_id, ordinals, self._clock())
        return [found[channel_id][ordinal] for channel_id, ordinal in keys]

    async def _tags_of_user(self, key: UserKey) -> frozenset[int]:
        tag_set = await self._user_reader.tag_set_of(key)
        # Their catalogue becomes that of the operation, so that tags and catalogue fit together.
        self.prime_catalogue(tag_set.catalogue)
        return tag_set.tag_ids

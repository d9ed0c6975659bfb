"""Batch the look-ups of one operation: each loader is named after what it answers."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar

from strawberry.dataloader import DataLoader

from service.domain.channels.lookup import ChannelFinder, visible_channels
from service.domain.runtime import Runtime
from service.domain.tags.reader import UserReader
from service.entities.channels import Channel, ChannelState
from service.entities.principal import Permission, Principal
from service.entities.return_data import Receipt
from service.entities.tags import Catalogue, MemberCount
from service.entities.users import ChannelUser
from service.storage import ad_tags, channels, combos, default_tags, users
from service.storage import tags as sizes
from service.storage import users as identities
from service.storage.blocks import members
from service.storage.database.pool import Connection
from service.storage.return_data import batches

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

UserKey = tuple[int, int]
# Channel, tag, and from when on.
SizesKey = tuple[int, int, datetime]


class MemoizedLoader(Generic[K, V]):
    """Remember for one operation what the process reads for all of them together."""

    def __init__(self, read: Callable[[K], Awaitable[V]]) -> None:
        self._read = read
        self._known: dict[K, V] = {}

    async def load(self, key: K) -> V:
        if key not in self._known:
            self.prime(key, await self._read(key))
        return self._known[key]

    async def load_many(self, keys: Iterable[K]) -> list[V]:
        return list(await asyncio.gather(*map(self.load, keys)))

    def prime(self, key: K, value: V) -> None:
        """Remember a value, unless one is known already."""
        self._known.setdefault(key, value)


class loader(Generic[K, V]):  # noqa: N801 - a decorator
    """Make a method that answers keys in their order a loader; each operation makes only those that it asks."""

    def __init__(self, answer: Callable[[Any, list[K]], Awaitable[list[V]]]) -> None:
        self._answer = answer

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, loaders: "Loaders", owner: type) -> DataLoader[K, V]:
        data_loader: DataLoader[K, V] = DataLoader(partial(self._answer, loaders))
        vars(loaders)[self._name] = data_loader
        return data_loader


def _per_key_loader(answer: Callable[[Connection, K], Awaitable[V]]) -> "loader[K, V]":
    async def answers(loaders: "Loaders", keys: list[K]) -> list[V]:
        async with loaders.pool.acquire() as conn:
            return [await answer(conn, key) for key in keys]

    return loader(answers)


class Loaders:
    """Hold what one operation, or one event, has looked up; never kept longer."""

    def __init__(self, runtime: Runtime, user_reader: UserReader, channel_finder: ChannelFinder) -> None:
        self.pool = runtime.pool
        self._user_reader = user_reader
        self._channel_finder = channel_finder
        self.channel: MemoizedLoader[tuple[Principal, int], Channel] = MemoizedLoader(self._channel)
        self.catalogue_of_channel: MemoizedLoader[int, Catalogue] = MemoizedLoader(user_reader.catalogue_of)
        self.state_of_channel: MemoizedLoader[int, ChannelState] = MemoizedLoader(user_reader.state_of)
        self.tags_of_user: MemoizedLoader[UserKey, frozenset[int]] = MemoizedLoader(self._tags_of_user)

    combos_of_channel = _per_key_loader(combos.combos_of)
    follower_count = _per_key_loader(channels.follower_count)
    member_counts = _per_key_loader(members.member_counts)
    visible_channels = _per_key_loader(visible_channels)
    return_tag_keys = _per_key_loader(batches.return_tag_keys)

    @loader
    async def user_by_unionid(self, keys: list[tuple[int, str]]) -> list[ChannelUser | None]:
        found: dict[tuple[int, str | None], ChannelUser] = {}
        async with self.pool.acquire() as conn:
            for channel_id in {channel_id for channel_id, _ in keys}:
                unionids = [unionid for channel, unionid in keys if channel == channel_id]
                for user in await identities.users_by_unionid(conn, channel_id, unionids):
                    found[channel_id, user.unionid] = user
        return [found.get(key) for key in keys]

    @loader
    async def user_by_ordinal(self, keys: list[UserKey]) -> list[ChannelUser | None]:
        found = {}
        async with self.pool.acquire() as conn:
            for channel_id, ordinals in _by_channel(keys).items():
                for user in await users.users_by_ordinal(conn, channel_id, ordinals):
                    found[channel_id, user.ordinal] = user
        return [found.get(key) for key in keys]

    async def _channel(self, key: tuple[Principal, int]) -> Channel:
        principal, channel_id = key
        return await self._channel_finder.find(principal, channel_id, Permission.VIEW_TAGS)

    async def _tags_of_user(self, key: UserKey) -> frozenset[int]:
        """The catalogue that came with them is that of the operation, so both fit together."""
        tag_set = await self._user_reader.tag_set_of(key)
        self.catalogue_of_channel.prime(key[0], tag_set.catalogue)
        return tag_set.tag_ids

    @loader
    async def ads_of_user(self, keys: list[UserKey]) -> list[list[users.LastAdFollow]]:
        found = {}
        async with self.pool.acquire() as conn:
            for channel_id, ordinals in _by_channel(keys).items():
                for ordinal, ads in (await users.ads_of_users(conn, channel_id, ordinals)).items():
                    found[channel_id, ordinal] = ads
        return [found.get(key, []) for key in keys]

    @loader
    async def ads_of_tag(self, keys: list[tuple[int, int]]) -> list[list[str]]:
        found = {}
        async with self.pool.acquire() as conn:
            for channel_id, tag_ids in _by_channel(keys).items():
                for tag_id, ads in (await ad_tags.ads_of_tags(conn, channel_id, tag_ids)).items():
                    found[channel_id, tag_id] = ads
        return [found.get(key, []) for key in keys]

    @loader
    async def tags_since(self, keys: list[UserKey]) -> list[dict[int, datetime]]:
        found = {}
        async with self.pool.acquire() as conn:
            for channel_id, ordinals in _by_channel(keys).items():
                for ordinal, since in (await users.tags_since(conn, channel_id, ordinals)).items():
                    found[channel_id, ordinal] = since
        return [found.get(key, {}) for key in keys]

    @loader
    async def sizes_of_tag(self, keys: list[SizesKey]) -> list[list[MemberCount]]:
        requested: dict[tuple[int, datetime], list[int]] = defaultdict(list)
        for channel_id, tag_id, since in keys:
            requested[channel_id, since].append(tag_id)
        found = {}
        async with self.pool.acquire() as conn:
            for (channel_id, since), tag_ids in requested.items():
                for tag_id, samples in (await sizes.sizes_since(conn, channel_id, tag_ids, since)).items():
                    found[channel_id, tag_id, since] = samples
        return [found.get(key, []) for key in keys]

    @loader
    async def batches_holding(self, keys: list[UserKey]) -> list[dict[int, list[int]]]:
        found = {}
        async with self.pool.acquire() as conn:
            for channel_id, ordinals in _by_channel(keys).items():
                for ordinal, holding in (await batches.batches_holding(conn, channel_id, ordinals)).items():
                    found[channel_id, ordinal] = holding
        return [found.get(key, {}) for key in keys]

    @loader
    async def receipt(self, keys: list[tuple[int, int]]) -> list[Receipt | None]:
        found = {}
        async with self.pool.acquire() as conn:
            for channel_id, batch_ids in _by_channel(keys).items():
                for batch_id, receipt in (await batches.batches_by_id(conn, channel_id, batch_ids)).items():
                    found[channel_id, batch_id] = receipt
        return [found.get(key) for key in keys]

    @loader
    async def windows(self, keys: list[None]) -> list[default_tags.StoredWindows]:
        async with self.pool.acquire() as conn:
            windows = await default_tags.current_windows(conn)
        return [windows for _ in keys]


def _by_channel(keys: list[UserKey]) -> dict[int, list[int]]:
    ordinals: dict[int, list[int]] = defaultdict(list)
    for channel_id, ordinal in keys:
        ordinals[channel_id].append(ordinal)
    return ordinals

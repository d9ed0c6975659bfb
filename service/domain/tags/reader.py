"""Read users, their bits and the catalogues of channels for all requests of a process.

Catalogues are cached in the process. The revision that the database returns with the bits, in the same statement,
decides whether a cached one is current; so no process shows a tag after any process answered that it was deleted.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from service.entities.channels import ChannelState
from service.entities.errors import LimitExceededError, NotFoundError
from service.entities.principal import Principal
from service.entities.tags import Catalogue
from service.entities.users import ChannelUser
from service.foundation.batch_reader import BatchReader
from service.foundation.byte_cache import ByteCache
from service.storage import channels, former_openids, tags, users
from service.storage.database.pool import Connection, Pool

MAX_USERS_PER_QUERY: Final = 100
MAX_CATALOGUE_BYTES: Final = 268_435_456
# An estimate, with the texts of the tag and what the API derives from it.
BYTES_PER_TAG: Final = 4_000

UserKey = tuple[int, int]
OpenidKey = tuple[str, int, str]
UserTagsRow = tuple[ChannelUser, frozenset[int], users.CatalogueRevision]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class UserTagSet:
    """Hold the tags of a user, shown or not, with the catalogue that says which are shown."""

    tag_ids: frozenset[int]
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class TaggedUser:
    """Hold a user with their tags of the same instant."""

    user: ChannelUser
    tag_set: UserTagSet


class UserReader:
    """Read users, tags and catalogues together for concurrent requests; one for each web process."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._cached: ByteCache[int, Catalogue] = ByteCache(MAX_CATALOGUE_BYTES, _estimated_bytes)
        self._users: BatchReader[OpenidKey, ChannelUser | NotFoundError] = BatchReader(self._read_users)
        self._tagged: BatchReader[OpenidKey, UserTagsRow | NotFoundError] = BatchReader(self._read_tagged)
        self._bits: BatchReader[UserKey, tuple[frozenset[int], users.CatalogueRevision]] = BatchReader(self._read_bits)
        self._states: BatchReader[int, ChannelState] = BatchReader(self._read_states)
        self._catalogues: BatchReader[int, Catalogue] = BatchReader(self._read_catalogues)

    async def find_users(
        self, principal: Principal, channel_id: int, openids: Sequence[str]
    ) -> list[ChannelUser | None]:
        """Return the users of some openids, in their order; None for an openid that is unknown.

        Raises NotFoundError when the principal does not see the channel, LimitExceededError over 100 openids.
        """
        found = await self._users.get_many(_keys(principal, channel_id, openids))
        return [_value_or_raise(each) for each in found][: len(openids)]

    async def find_users_with_tags(
        self, principal: Principal, channel_id: int, openids: Sequence[str]
    ) -> list[TaggedUser | None]:
        """Return users with their tags, read by one statement, in the order of the openids; None for an unknown openid.

        Raises NotFoundError when the principal does not see the channel, LimitExceededError over 100 openids.
        """
        rows = await self._tagged.get_many(_keys(principal, channel_id, openids))
        found: list[TaggedUser | None] = []
        for row in [_value_or_raise(each) for each in rows][: len(openids)]:
            if row is None:
                found.append(None)
            else:
                user, tag_ids, revision = row
                found.append(TaggedUser(user, UserTagSet(tag_ids, await self._catalogue_at(user.channel_id, revision))))
        return found

    async def tag_set_of(self, key: UserKey) -> UserTagSet:
        """Return the tags of a user by (channel id, ordinal). Raises LookupError where there is no such channel."""
        tag_ids, revision = await self._bits.require(key)
        return UserTagSet(tag_ids, await self._catalogue_at(key[0], revision))

    async def state_of(self, channel_id: int) -> ChannelState:
        """Return the state of a channel as it is now."""
        return await self._states.require(channel_id)

    async def catalogue_of(self, channel_id: int) -> Catalogue:
        """Return the catalogue of a channel as it is now."""
        state = await self.state_of(channel_id)
        revision = users.CatalogueRevision(state.tag_revision, state.default_tags_as_of)
        return await self._catalogue_at(channel_id, revision)

    async def _catalogue_at(self, channel_id: int, revision: users.CatalogueRevision) -> Catalogue:
        """Return the catalogue at a revision, or a newer one if it has to be read."""
        cached = self._cached.get(channel_id)
        if cached is None or cached.revision != revision.tags:
            cached = self._cached[channel_id] = await self._catalogues.require(channel_id)
        elif cached.default_tags_as_of != revision.default_tags_as_of:
            # The scheduled run sets this without a new version, since it changes no tag.
            cached = replace(cached, default_tags_as_of=revision.default_tags_as_of)
            self._cached[channel_id] = cached
        return cached

    async def _read_users(self, keys: list[OpenidKey]) -> dict[OpenidKey, ChannelUser | NotFoundError]:
        found: dict[OpenidKey, ChannelUser | NotFoundError] = {}
        async with self._pool.acquire() as conn:
            for channel, openids in _by_channel(keys).items():
                found_users = await users.users_of_robot(conn, *channel, openids)
                if found_users is None:
                    found |= {(*channel, openid): NotFoundError("channel") for openid in openids}
                    continue
                found |= {(*channel, user.openid): user for user in found_users}
                present = await _present_openids(conn, channel, openids, found)
                if present:
                    those = await users.users_of_robot(conn, *channel, set(present.values()))
                    by_openid = {user.openid: user for user in those or ()}
                    found |= {(*channel, each): by_openid[now] for each, now in present.items() if now in by_openid}
        return found

    async def _read_tagged(self, keys: list[OpenidKey]) -> dict[OpenidKey, UserTagsRow | NotFoundError]:
        found: dict[OpenidKey, UserTagsRow | NotFoundError] = {}
        async with self._pool.acquire() as conn:
            for channel, openids in _by_channel(keys).items():
                found_users = await users.users_with_tag_ids(conn, *channel, openids)
                if found_users is None:
                    found |= {(*channel, openid): NotFoundError("channel") for openid in openids}
                    continue
                found |= {(*channel, row.user.openid): row for row in found_users}
                present = await _present_openids(conn, channel, openids, found)
                if present:
                    those = await users.users_with_tag_ids(conn, *channel, set(present.values()))
                    by_openid = {row.user.openid: row for row in those or ()}
                    found |= {(*channel, each): by_openid[now] for each, now in present.items() if now in by_openid}
        return found

    async def _read_bits(self, keys: list[UserKey]) -> dict[UserKey, tuple[frozenset[int], users.CatalogueRevision]]:
        wanted: defaultdict[int, list[int]] = defaultdict(list)
        for channel_id, ordinal in keys:
            wanted[channel_id].append(ordinal)
        found: dict[UserKey, tuple[frozenset[int], users.CatalogueRevision]] = {}
        async with self._pool.acquire() as conn:
            for channel_id, ordinals in wanted.items():
                revision, bits = await users.bits_of_users(conn, channel_id, ordinals)
                found |= {(channel_id, ordinal): (tag_ids, revision) for ordinal, tag_ids in bits.items()}
        return found

    async def _read_states(self, channel_ids: list[int]) -> dict[int, ChannelState]:
        async with self._pool.acquire() as conn:
            return {each: await channels.channel_state(conn, each) for each in channel_ids}

    async def _read_catalogues(self, channel_ids: list[int]) -> dict[int, Catalogue]:
        async with self._pool.acquire() as conn:
            return {each: await tags.catalogue(conn, each) for each in channel_ids}


async def _present_openids(
    conn: Connection, channel: tuple[str, int], openids: Iterable[str], found: Collection[OpenidKey]
) -> dict[str, str]:
    """Return what people are called now of whom none was found, `{openid before a migration: present openid}`."""
    missing = [openid for openid in openids if openid and (*channel, openid) not in found]
    return await former_openids.present_openids(conn, channel[1], missing) if missing else {}


def _estimated_bytes(catalogue: Catalogue) -> int:
    return BYTES_PER_TAG * (1 + len(catalogue.tags))


def _keys(principal: Principal, channel_id: int, openids: Sequence[str]) -> list[OpenidKey]:
    """Return the keys of some openids. Raises NotFoundError, LimitExceededError."""
    if len(openids) > MAX_USERS_PER_QUERY:
        raise LimitExceededError(f"At most {MAX_USERS_PER_QUERY} users at once.")
    if not principal.is_for_channel(channel_id):
        raise NotFoundError("channel")
    # Without an openid, the database still has to say whether the channel is the robot's.
    return [(principal.robot_id, channel_id, openid) for openid in openids or ("",)]


def _by_channel(keys: list[OpenidKey]) -> dict[tuple[str, int], list[str]]:
    wanted: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for robot_id, channel_id, openid in keys:
        wanted[robot_id, channel_id].append(openid)
    return wanted


def _value_or_raise(found: T | NotFoundError | None) -> T | None:
    if isinstance(found, NotFoundError):
        raise found
    return found

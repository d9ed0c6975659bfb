"""Give users the openids that they have after their account was migrated (docs/specification.md §2).

The channel keeps its id, its tags and the ordinals of its users, so nothing but the openid changes; where the new one
is known already, two users become one. What still comes under an old openid is of whoever had it.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from service.domain.account_migration.pairs import IndexedPair, OpenidPair, check_pairs
from service.domain.account_migration.uniting import UNIONS_PER_TRANSACTION, Union, unite
from service.domain.input_rules import Rejection
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeNotification, block_of
from service.entities.channels import Channel
from service.entities.errors import LimitExceededError, RejectionCode
from service.foundation.slices import in_slices
from service.storage import account_migration, change_feed, channels, former_openids, users
from service.storage.audiences import lock_exports
from service.storage.blocks import heads
from service.storage.database.pool import Connection, DeadlockError, StaleStatementError
from service.storage.users import Identity

MAX_PAIRS_PER_REQUEST: Final = 10_000
# Small enough not to hold up events for long.
PAIRS_PER_TRANSACTION: Final = 250
MAX_ATTEMPTS: Final = 4

AlongWith = Callable[[Connection, "MigrationResult"], Awaitable[None]]


@dataclass(slots=True)
class MigrationResult:
    """Count what became of pairs; each pair is in one of the counts or rejected."""

    moved: int = 0
    unchanged: int = 0
    united: int = 0
    unknown: int = 0
    rejected: list[Rejection] = field(default_factory=list)

    def add(self, other: "MigrationResult") -> None:
        """Count what became of other pairs too."""
        self.moved += other.moved
        self.unchanged += other.unchanged
        self.united += other.united
        self.unknown += other.unknown
        self.rejected += other.rejected


@dataclass(slots=True)
class _Plan:
    """Hold what one transaction does: new openids by ordinal, unions, former openids to keep and to give back."""

    result: MigrationResult = field(default_factory=MigrationResult)
    openids: dict[int, str] = field(default_factory=dict)
    unions: list[Union] = field(default_factory=list)
    former: dict[str, int] = field(default_factory=dict)
    revived: list[str] = field(default_factory=list)
    left: list[IndexedPair] = field(default_factory=list)

    def blocks(self) -> set[int]:
        """Return the blocks of everybody whom the plan concerns."""
        concerned = {block_of(ordinal) for ordinal in (*self.openids, *self.former.values())}
        return concerned.union(*(each.blocks for each in self.unions))


@dataclass(frozen=True, slots=True)
class _Known:
    """Hold what is known of openids: whose they are, whose they were, and which were forgotten."""

    people: Mapping[str, Identity]
    former: Mapping[str, int]
    forgotten: frozenset[str]


async def migrate_openids(
    runtime: Runtime, channel: Channel, pairs: Sequence[OpenidPair], along_with: AlongWith | None = None
) -> MigrationResult:
    """Give the users of these pairs their new openids. All is committed on return, in several transactions.

    What a caller has to write `along_with` some pairs is written in their transaction, with what became of them.
    Raises LimitExceededError over 10,000 pairs; nothing is changed then.
    """
    if len(pairs) > MAX_PAIRS_PER_REQUEST:
        raise LimitExceededError(f"At most {MAX_PAIRS_PER_REQUEST:,} pairs a request.")
    good, repeated, rejected = await check_pairs(pairs)
    result = MigrationResult(unchanged=repeated, rejected=rejected)
    async for part in in_slices(good, PAIRS_PER_TRANSACTION):
        plan = await _migrate_with_retry(runtime, channel, part, along_with)
        result.add(plan.result)
        async for some in in_slices(plan.left, UNIONS_PER_TRANSACTION):
            result.add((await _migrate_with_retry(runtime, channel, some, along_with)).result)
    result.rejected.sort(key=lambda each: each.index)
    return result


async def _migrate_with_retry(
    runtime: Runtime, channel: Channel, pairs: Sequence[IndexedPair], along_with: AlongWith | None
) -> _Plan:
    for attempt in range(MAX_ATTEMPTS):
        try:
            return await _migrate(runtime, channel, pairs, along_with)
        except (DeadlockError, StaleStatementError):
            if attempt == MAX_ATTEMPTS - 1:
                raise
    raise AssertionError


async def _migrate(
    runtime: Runtime, channel: Channel, pairs: Sequence[IndexedPair], along_with: AlongWith | None
) -> _Plan:
    """Migrate some pairs in one transaction; those that would unite too many users are left for another."""
    channel_id = channel.channel_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        now = runtime.clock()
        # As in forgetting: slices of files are waited for before anything is locked that others wait for.
        await lock_exports(conn, channel_id, now)
        # Whoever creates, links, forgets or migrates users holds this lock, so what is read next stays true.
        await channels.lock_channel_state(conn, channel_id)
        plan = _plan(pairs, await _look_up(conn, runtime, channel_id, pairs))
        if along_with is not None:
            await along_with(conn, plan.result)
        notifications = await _carry_out(conn, runtime, channel, plan, now)
    runtime.publisher.publish(notifications)
    return plan


async def _look_up(conn: Connection, runtime: Runtime, channel_id: int, pairs: Iterable[IndexedPair]) -> _Known:
    openids = {openid for _, pair in pairs for openid in (pair.former, pair.present)}
    people = await users.identities_of_openids(conn, channel_id, openids)
    former = await former_openids.former_openids(conn, channel_id, openids)
    prints = {print_: openid for openid in openids for print_ in runtime.secret_box.fingerprints(openid)}
    forgotten = await users.last_facts_of_forgotten(conn, channel_id, prints)
    return _Known(people, former, frozenset(prints[each] for each in forgotten))


def _plan(pairs: Sequence[IndexedPair], known: _Known) -> _Plan:
    plan = _Plan()
    for each in pairs:
        if each.pair.former in known.people:
            _plan_known(plan, each, known)
        else:
            _plan_unknown(plan, each, known)
    return plan


def _plan_unknown(plan: _Plan, each: IndexedPair, known: _Known) -> None:
    """Plan for a pair of whose old openid nothing is known, or not any more."""
    former, present = each.pair.former, each.pair.present
    person = known.people.get(present)
    owner = known.former.get(former)
    if owner is not None:
        if owner in (known.former.get(present), None if person is None else person.ordinal):
            plan.result.unchanged += 1
        else:
            _reject(plan, each, "This openid was migrated to another one before.")
        return
    plan.result.unknown += 1
    if person is not None and former not in known.forgotten:
        # News of them may still come under it.
        plan.former[former] = person.ordinal


def _plan_known(plan: _Plan, each: IndexedPair, known: _Known) -> None:
    """Plan for a pair of which somebody has the old openid."""
    former, present = each.pair.former, each.pair.present
    person, other = known.people[former], known.people.get(present)
    owner = known.former.get(present)
    if owner is not None and owner != person.ordinal:
        _reject(plan, each, "Somebody else had the new openid before a migration.")
    elif present in known.forgotten:
        _reject(plan, each, "The person was forgotten under the new openid; forget them under the old one too.")
    elif other is None:
        plan.result.moved += 1
        plan.openids[person.ordinal] = present
        plan.former[former] = person.ordinal
        if owner is not None:
            plan.revived.append(present)
    elif person.unionid is not None and other.unionid not in (None, person.unionid):
        reason = "The two openids are linked to different unionids."
        plan.result.rejected.append(Rejection(each.place, RejectionCode.UNIONID_CONFLICT, reason))
    elif len(plan.unions) == UNIONS_PER_TRANSACTION:
        plan.left.append(each)
    else:
        plan.result.united += 1
        older, newer = sorted((person.ordinal, other.ordinal))
        plan.unions.append(Union(older, newer, present, other.unionid or person.unionid))
        plan.former[former] = older


def _reject(plan: _Plan, each: IndexedPair, reason: str) -> None:
    plan.result.rejected.append(Rejection(each.place, RejectionCode.BAD_VALUE, reason))


async def _carry_out(
    conn: Connection, runtime: Runtime, channel: Channel, plan: _Plan, now: datetime
) -> list[ChangeNotification]:
    channel_id = channel.channel_id
    return_tags = await account_migration.lock_return_tags(conn, channel_id) if plan.unions else {}
    locked = await heads.lock_heads(conn, channel_id, plan.blocks())
    notifications = {block: ChangeNotification(channel_id, block, head.version) for block, head in locked.items()}
    if plan.unions:
        united = await unite(conn, runtime, channel, locked, return_tags, plan.unions)
        notifications |= {each.block: each for each in united if each.block is not None}
    await former_openids.delete_former_openids(conn, channel_id, plan.revived)
    await account_migration.set_openids(conn, channel_id, plan.openids)
    await former_openids.insert_former_openids(conn, channel_id, plan.former, now)
    migrated = {**dict.fromkeys(plan.openids), **{each.older: each.newer for each in plan.unions}}
    if migrated:
        await change_feed.note_migrations(conn, channel_id, migrated, now)
    # Pages may be open on an openid that was not known until now.
    return list(notifications.values())

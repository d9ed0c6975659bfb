"""Merge facts and find differences of default tags, by the rules in `sql/functions/default_tag_rules.sql`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from service.entities.blocks import ordinal_at
from service.entities.users import Facts
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS
from service.storage.users import FACT_NAMES, UserForgottenError

WINDOW_NAMES: Final = ("follow", "menu_click", "scan", "message", "payment", "new_user")


@dataclass(frozen=True, slots=True)
class RulesDifference:
    """Hold users of a block whose bits show `old_rules` and should show `rules`; bit r - 1 is default tag r."""

    block: int
    offsets: tuple[int, ...]
    rules: int
    old_rules: int


class NewFacts(NamedTuple):
    """Hold facts to be merged into those of a user, and the instant at which the user is then evaluated."""

    facts: Facts
    now: datetime


class MergedFacts(NamedTuple):
    """Hold whose default tags must change, and the ordinals of those whose last follow or unfollow is a later one now.

    The latter are told only where a tag of the channel was ever linked to a remote one.
    """

    differences: list[RulesDifference]
    moved: list[int]


class Visit(NamedTuple):
    """Bound the boundaries of a block to be crossed: those in (after, until]. The block is evaluated at `until`."""

    after: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """Describe a channel as the rules see it."""

    channel_id: int
    mini_program: bool
    bound_at: datetime


@dataclass(frozen=True, slots=True)
class StoredWindows:
    """Hold the windows in force, by name; `version` grows with new windows and with new rules."""

    version: int
    windows: dict[str, timedelta]


async def merge_facts(conn: Connection, rules: ChannelRules, facts: Mapping[int, NewFacts]) -> MergedFacts:
    """Merge facts into those of users in locked blocks, `{ordinal: facts}`, and return what must change by that.

    Raises UserForgottenError when a user no longer exists; the transaction must then be given up.
    """
    ordinals = sorted(facts)
    columns = [[getattr(facts[ordinal].facts, name) for ordinal in ordinals] for name in FACT_NAMES]
    rows = await conn.fetch(
        STATEMENTS["merge_facts"],
        rules.channel_id,
        ordinals,
        [facts[ordinal].now for ordinal in ordinals],
        *columns,
        rules.mini_program,
        rules.bound_at,
    )
    changed = [row for row in rows if row["rules"] is not None]
    moved = [row for row in rows if row["moved"]]
    if len(changed) + len(moved) < len(rows):
        raise UserForgottenError
    ordinals_moved = [ordinal_at(row["block"], offset) for row in moved for offset in row["offsets"]]
    return MergedFacts(_differences(changed), ordinals_moved)


async def cross_boundaries(conn: Connection, rules: ChannelRules, visits: Mapping[int, Visit]) -> list[RulesDifference]:
    """Re-evaluate every user of locked blocks who has a boundary in the visit to their block, `{block: visit}`."""
    blocks = sorted(visits)
    rows = await conn.fetch(
        STATEMENTS["cross_boundaries"],
        rules.channel_id,
        blocks,
        [visits[block].after for block in blocks],
        [visits[block].until for block in blocks],
        rules.mini_program,
        rules.bound_at,
    )
    return _differences(rows)


async def default_tag_differences(
    conn: Connection, rules: ChannelRules, block: int, now: datetime
) -> list[RulesDifference]:
    """Return the users of a locked block whose bits are not what the facts say at `now`."""
    rows = await conn.fetch(
        STATEMENTS["default_tag_differences"],
        rules.channel_id,
        block,
        now,
        rules.mini_program,
        rules.bound_at,
    )
    return _differences(rows)


async def schedule_reevaluation(conn: Connection, rules: ChannelRules, block: int, now: datetime) -> list[int]:
    """Set the missing timers of a locked block, and return the ordinals of those who had none in time."""
    rows = await conn.fetch(STATEMENTS["schedule_reevaluation"], rules.channel_id, block, now, rules.mini_program)
    return [row["ordinal"] for row in rows]


async def prune_timers(conn: Connection, channel_id: int, block: int) -> None:
    """Delete the timers of a locked block that are spent."""
    await conn.execute(STATEMENTS["prune_timers"], channel_id, block)


async def current_windows(conn: Connection) -> StoredWindows:
    """Return the windows in force. Raises LookupError if there are none."""
    row = await conn.fetchrow(STATEMENTS["current_windows"])
    if row is None:
        raise LookupError("the windows are missing; the migrations insert them")
    return StoredWindows(row["version"], {name: row[name] for name in WINDOW_NAMES})


async def insert_windows(conn: Connection, windows: dict[str, timedelta], now: datetime) -> bool:
    """Put windows, by name, into force from now on; return False if another process was faster with others."""
    values = [windows[name] for name in WINDOW_NAMES]
    return await conn.fetchval(STATEMENTS["insert_windows"], *values, now) is not None


def _differences(rows: list[asyncpg.Record]) -> list[RulesDifference]:
    return [RulesDifference(row["block"], tuple(row["offsets"]), row["rules"], row["old_rules"]) for row in rows]

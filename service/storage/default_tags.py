"""Facts in, differences of default tags out: the statements that call the rules in SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from service.entities.users import Facts
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS
from service.storage.users import FACT_NAMES, UserForgottenError

WINDOW_NAMES: Final = ("follow", "menu_click", "scan", "message", "payment", "new_user")


@dataclass(frozen=True, slots=True)
class RulesDifference:
    """Users of a block whose bits show `old_rules` and should show `rules`; bit r - 1 of a mask is default tag r."""

    block: int
    offsets: tuple[int, ...]
    rules: int
    old_rules: int


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """What the rules need to know of a channel."""

    channel_id: int
    mini_program: bool
    bound_at: datetime


@dataclass(frozen=True, slots=True)
class StoredWindows:
    version: int
    windows: dict[str, timedelta]


async def merge_facts(
    conn: Connection, rules: ChannelRules, facts: Mapping[int, tuple[Facts, datetime]]
) -> list[RulesDifference]:
    """Merges (facts, evaluation instant) by ordinal in locked blocks; answers whose tags must change.

    Raises UserForgottenError when somebody is not there any more; the transaction must then be given up.
    """
    ordinals = sorted(facts)
    columns = [[getattr(facts[ordinal][0], name) for ordinal in ordinals] for name in FACT_NAMES]
    rows = await conn.fetch(
        STATEMENTS["merge_facts"],
        rules.channel_id,
        ordinals,
        [facts[ordinal][1] for ordinal in ordinals],
        *columns,
        rules.mini_program,
        rules.bound_at,
    )
    if any(row["rules"] is None for row in rows):
        raise UserForgottenError
    return _differences(rows)


async def cross_boundaries(
    conn: Connection, rules: ChannelRules, visits: Mapping[int, tuple[datetime, datetime]]
) -> list[RulesDifference]:
    """Re-evaluates whoever has a boundary in (after, until], given by locked block, at `until`."""
    blocks = sorted(visits)
    rows = await conn.fetch(
        STATEMENTS["cross_boundaries"],
        rules.channel_id,
        blocks,
        [visits[block][0] for block in blocks],
        [visits[block][1] for block in blocks],
        rules.mini_program,
        rules.bound_at,
    )
    return _differences(rows)


async def default_tag_differences(
    conn: Connection, rules: ChannelRules, block: int, now: datetime
) -> list[RulesDifference]:
    """Everyone in a locked block whose bits are not what the facts say at `now`."""
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
    """Arms whoever in a locked block would sleep through a boundary; their ordinals."""
    rows = await conn.fetch(STATEMENTS["schedule_reevaluation"], rules.channel_id, block, now, rules.mini_program)
    return [row["ordinal"] for row in rows]


async def prune_timers(conn: Connection, channel_id: int, block: int) -> None:
    """Forgets the alarms of a locked block that have rung."""
    await conn.execute(STATEMENTS["prune_timers"], channel_id, block)


async def current_windows(conn: Connection) -> StoredWindows:
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

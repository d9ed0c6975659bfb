"""Read through an index, and no more rows than needed, however many people there are: all hot statements."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS
from tests.storage.large_channels import TAGS, fill_large_channel

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
LONG_AGO = NOW - timedelta(days=1)
ORDINALS = [5, 6, 31_999, 32_000, 99_999]
BLOCK = 32_000
NOTHING = [None] * len(ORDINALS)

# Of each table, the most rows that a statement may look at.
ARGUMENTS_AND_READS: dict[str, tuple[list[Any], dict[str, int]]] = {
    "merge_facts": (
        [1, ORDINALS, [NOW] * 5, [NOW] * 5, *[NOTHING] * 6, False, LONG_AGO],
        {"channel_user": 3 * len(ORDINALS), "tag_members": 8 * len(ORDINALS), "channel_state": 1, "remote_tag": 1},
    ),
    "share_linked_tags": ([1], {"remote_tag": 3}),
    "clear_remote_members": ([1, ORDINALS], {"remote_members": 12}),
    "add_remote_members": ([1, 3, ORDINALS, [NOW] * 5], {"channel_user": len(ORDINALS), "remote_members": 4}),
    "remove_remote_members": ([1, 3, ORDINALS], {"remote_members": 4}),
    "cross_boundaries": (
        [1, [0, 3], [NOW] * 2, [LATER] * 2, False, LONG_AGO],
        {"channel_user": 50, "alarm": 50, "tag_members": 16},
    ),
    "changes_since": (
        [1, 1, 19_900, NOW + timedelta(seconds=19_900), [7, 8, 9]],
        {"user_tag_change": 150, "bulk_tag_change": 60, "block_head": 1},
    ),
    "set_member_bits": ([1, [0, 3], [7, 8], [31_999] * 16, [1] * 16], {"tag_members": 2}),
    "tags_of_users": ([1, ORDINALS], {"tag_members": TAGS * len(ORDINALS)}),
    "due_blocks": ([1, LATER], {"alarm": 50, "block_head": 4}),
    "read_positions": (
        [1, ["openid-77777", "openid-5"]],
        {"channel_user": 2, "tag_members": 2 * TAGS, "block_head": 2, "channel_state": 1},
    ),
    "bits_of_users": ([1, ORDINALS], {"tag_members": TAGS * len(ORDINALS), "channel_state": 1}),
    "users_of_robot": ([1, "robot-1", ["openid-77777", "openid-5"]], {"channel_user": 4, "channel": 1}),
    "users_with_tag_ids": (
        [1, "robot-1", ["openid-77777", "openid-5"]],
        {"channel_user": 4, "channel": 1, "channel_state": 1, "tag_members": TAGS * 2},
    ),
    "block_positions_of": (
        [1, ["openid-77777", "openid-5"]],
        {"channel_user": 2, "tag_members": 2 * TAGS, "user_tag_change": 2, "block_head": 2},
    ),
    "current_revisions": ([1, [0, 3]], {"channel_state": 1, "block_head": 2}),
    "ordinals_of": ([1, ["openid-77777", "openid-5"]], {"channel_user": 2}),
    "users_by_ordinal": ([1, [77_777, 5]], {"channel_user": 4}),
    "history_of_user": ([1, 1, 37, 2**62, 20], {"user_tag_change": 20, "bulk_tag_change": 60}),
    "lock_heads": ([1, [0, 3]], {"block_head": 2}),
    "default_tag_differences": ([1, 2, NOW, False, LONG_AGO], {"channel_user": BLOCK, "tag_members": 8}),
    "schedule_reevaluation": ([1, 2, NOW, False], {"channel_user": 2 * BLOCK, "alarm": BLOCK}),
    "prune_timers": ([1, 2], {"alarm": 0, "block_head": 1}),
    "ad_tags_gained": (
        [1, ORDINALS, ["ad-38", "ad-40", "ad-7", "ad-38", "ad-1"]],
        {"ad_tag_ad": 15, "tag": 10, "tag_members": 10},
    ),
    "ad_tag_differences": ([1, 2, 38], {"user_ad": 100, "tag_members": 1, "ad_tag_ad": 12, "tag": 4}),
    "blocks_touched_by_ad_tag": ([1, 38], {"user_ad": 300, "tag_members": 4, "ad_tag_ad": 3}),
    "last_facts_of_forgotten": ([1, [b"x" * 32, b"y" * 32]], {"forgotten_openid": 2}),
    "unfollowed_until": ([1, LATER, 10], {"channel_user": 20}),
    "users_to_forget": ([1, ORDINALS, None], {"channel_user": 2 * len(ORDINALS)}),
    "redact_user_changes": ([1, 1, [37]], {"user_tag_change": 30}),
    "identities_of_unionids": ([1, ["u1", "u2"]], {"channel_user": 2}),
    "identities_of_openids": ([1, ["openid-77777", "openid-5"]], {"channel_user": 2}),
    "prunable_version": ([1, 1, NOW + timedelta(seconds=9)], {"user_tag_change": 12, "bulk_tag_change": 2}),
}


@pytest.fixture
async def crowd(conn: Connection) -> Connection:
    await fill_large_channel(conn)
    return conn


async def test_hot_statements_read_only_what_they_must(crowd: Connection) -> None:
    """Both as PostgreSQL plans them for these arguments, and as it plans them once for all."""
    excesses: list[tuple[str, str, str, object]] = []
    for mode in ("force_custom_plan", "force_generic_plan"):
        await crowd.execute(f"set plan_cache_mode = {mode}")
        for name, (arguments, most) in ARGUMENTS_AND_READS.items():
            plan = await explained(crowd, name, arguments)
            scanned = {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}
            # One row, read whole.
            excesses += [(mode, name, table, "whole") for table in scanned - {"touch_windows"}]
            reads = rows_read(plan)
            excesses += [(mode, name, table, reads[table]) for table, rows in most.items() if reads[table] > rows]
    assert excesses == []


async def test_timers_that_are_not_due_cost_nothing(crowd: Connection) -> None:
    plan = await explained(crowd, "due_blocks", [1, NOW])
    assert rows_read(plan)["alarm"] == 0


async def explained(conn: Connection, name: str, arguments: list[Any]) -> dict[str, Any]:
    """Run a statement, roll it back, and return the plan that was executed."""
    transaction = conn.transaction()
    await transaction.start()
    text = await conn.fetchval(f"explain (analyze, timing off, format json) {STATEMENTS[name]}", *arguments)
    await transaction.rollback()
    plan: dict[str, Any] = orjson.loads(text)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every node of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def rows_read(plan: dict[str, Any]) -> Counter[str]:
    """Count the rows of each table that were looked at, those thrown away included."""
    read: Counter[str] = Counter()
    for node in nodes(plan):
        if "Scan" in node["Node Type"] and "Relation Name" in node:
            thrown_away = sum(node.get(f"Rows Removed by {reason}", 0) for reason in ("Filter", "Index Recheck"))
            read[node["Relation Name"]] += round((node["Actual Rows"] + thrown_away) * node["Actual Loops"])
    return read

"""Hold the schema and every statement to what spreads over machines by channel (docs/architecture/10-citus.md)."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import asyncpg
import pytest
from pglast import ast
from pglast.enums import ConstrType

from service.storage.database.migrations import read_migrations
from service.storage.database.sql_files import sql_folder
from service.storage.database.statements import STATEMENTS
from tests.contract.tenancy import functions_called, is_a, parsed, unscoped_tables, unscoped_tables_of_view, walk

# Read by whoever runs the service, never by a tenant; writes nothing.
OVER_ALL_TENANTS = {
    *("summary", "unfinished_jobs", "channels_with_expired_batches"),
    *("channels_to_look_at", "failing_links", "kept_links", "unapproved_broadcasts", "due_series"),
    *("channels_with_leftover_drafts", "channels_with_broadcast_remote_tags", "channels_with_unfinished_broadcasts"),
    *("channels_with_unmatched_push_results", "channels_with_overdue_results"),
    *("halted_broadcasts", "count_uncertain_broadcasts", "broadcasts_that_do_not_close"),
    *("broadcasts_with_lost_calls", "feeds_behind", "followed_channels"),
    *("newest_entries", "due_webhook_positions", "due_single_deliveries"),
    *("webhook_health", "channels_with_unsealed_entries", "oldest_unsealed_entry", "channels_with_ended_merges"),
}
CLOCKS_AND_DICE = {
    *("now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday"),
    *("random", "gen_random_uuid", "uuidv4", "uuidv7", "setval"),
}
# What tells one copy of a database from another.
WHICH_SERVER = {"acting_installation": {"pg_control_system", "pg_current_wal_lsn"}}
# One clock for all workers, as WeChat forgets ids by its own whatever theirs say.
HOW_LONG_AGO = {
    name: {"clock_timestamp"} for name in ("insert_chunk", "claim_sends", "unknown_chunks", "unknown_sends")
}
KEYS = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE}


@dataclass(frozen=True, slots=True)
class Key:
    """Hold a primary key, a unique constraint or a unique index."""

    table: str
    columns: tuple[str, ...]


@cache
def migration_nodes() -> tuple[Any, ...]:
    """Return the parse trees of all migrations."""
    return tuple(statement for migration in read_migrations() for statement in parsed(migration.text))


@cache
def tables() -> dict[str, list[str]]:
    """Return the columns of each table."""
    return {
        node.relation.relname: [each.colname for each in node.tableElts if is_a(each, ast.ColumnDef)]
        for node in migration_nodes()
        if is_a(node, ast.CreateStmt)
    }


@cache
def distribution() -> dict[str, tuple[str, ...]]:
    """Return what sql/citus.sql says of each table, `{table: (function, other arguments…)}`."""
    calls = walk(parsed((sql_folder() / "citus.sql").read_text(encoding="utf-8")))
    said: dict[str, tuple[str, ...]] = {}
    for call in calls:
        if is_a(call, ast.FuncCall):
            table, *others = (arg.arg.val.sval if is_a(arg, ast.NamedArgExpr) else arg.val.sval for arg in call.args)
            assert table not in said, f"{table} is distributed twice"
            said[table] = (call.funcname[-1].sval, *others)
    return said


def tenant_tables() -> set[str]:
    """Return the tables that are distributed by channel."""
    return {table for table, said in distribution().items() if said[0] == "create_distributed_table"}


def tenant_relations() -> set[str]:
    """Return the tenant tables and the views on them."""
    views = {node.view.relname for node in migration_nodes() if is_a(node, ast.ViewStmt) and _reads_tenants(node)}
    return tenant_tables() | views


def _reads_tenants(view: Any) -> bool:
    return any(is_a(node, ast.RangeVar) and node.relname in tenant_tables() for node in walk(view.query))


def keys() -> list[Key]:
    """Return every key of every table."""
    found = []
    for node in migration_nodes():
        if is_a(node, ast.IndexStmt) and node.unique:
            found.append(Key(node.relation.relname, tuple(each.name for each in node.indexParams)))
        if is_a(node, ast.CreateStmt):
            for element in node.tableElts:
                if is_a(element, ast.Constraint) and element.contype in KEYS:
                    found.append(Key(node.relation.relname, tuple(key.sval for key in element.keys)))
                if is_a(element, ast.ColumnDef):
                    own = {each.contype for each in element.constraints or ()}
                    found += [Key(node.relation.relname, (element.colname,))] * bool(own & KEYS)
    return found


def test_citus_sql_covers_every_table_once() -> None:
    assert set(distribution()) == set(tables())


def test_what_has_a_channel_is_distributed_by_it_and_lies_together() -> None:
    with_channel = {table for table, columns in tables().items() if "channel_id" in columns} - {"channel"}
    assert tenant_tables() == with_channel
    together = {"create_distributed_table", "channel_id", "channel_state"}
    assert all(set(distribution()[table]) | {"channel_state"} == together for table in with_channel)
    others = {table: said for table, said in distribution().items() if table not in with_channel}
    assert others == dict.fromkeys(
        ("robot", "channel", "touch_windows", "return_endpoint", "installation", "webhook_endpoint"),
        ("create_reference_table",),
    )


def test_every_tenant_table_has_a_primary_key() -> None:
    assert tenant_tables() <= {key.table for key in keys()}


def test_every_key_of_a_tenant_table_includes_the_channel() -> None:
    assert [key for key in keys() if key.table in tenant_tables() and "channel_id" not in key.columns] == []


def test_tenant_tables_refer_to_reference_tables_only() -> None:
    for node in migration_nodes():
        if is_a(node, ast.CreateStmt) and node.relation.relname in tenant_tables():
            targets = {each.pktable.relname for each in walk(node) if is_a(each, ast.Constraint) and each.pktable}
            assert targets <= {"robot", "channel", "touch_windows"}


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_statement_stays_with_one_channel(name: str) -> None:
    strays = unscoped_tables(STATEMENTS[name], tenant_relations())
    assert bool(strays) is (name in OVER_ALL_TENANTS), strays


def test_a_statement_over_all_tenants_only_reads() -> None:
    for name in OVER_ALL_TENANTS:
        [statement] = parsed(STATEMENTS[name])
        assert is_a(statement, ast.SelectStmt)
        assert not any(is_a(node, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt) for node in walk(statement))


def test_whatever_finishes_a_job_tells_those_who_follow_the_channel() -> None:
    finishing = {name for name, text in STATEMENTS.items() if any(map(_finishes_a_job, walk(parsed(text))))}
    assert {"write_job", "cancel_job", "end_broadcasts"} <= finishing
    assert [name for name in finishing if "insert into feed_notice" not in STATEMENTS[name]] == []


def _finishes_a_job(node: Any) -> bool:
    return (
        is_a(node, ast.UpdateStmt)
        and node.relation.relname == "job"
        and any(target.name == "finished_at" for target in node.targetList)
    )


def test_views_stay_with_one_channel() -> None:
    for node in migration_nodes():
        if is_a(node, ast.ViewStmt):
            assert unscoped_tables_of_view(node.query, tenant_relations()) == [], node.view.relname


def test_nothing_locks_rows_of_several_channels() -> None:
    """Statements over tenant tables are held to one channel above; the reference table `channel` is never locked."""
    for name, text in STATEMENTS.items():
        for node in walk(parsed(text)):
            if is_a(node, ast.SelectStmt) and node.lockingClause:
                locked = {each.relname for each in walk(node.fromClause) if is_a(each, ast.RangeVar)}
                assert locked <= tenant_tables() | {"robot"}, name
                assert name not in OVER_ALL_TENANTS


async def test_statements_take_the_time_and_chance_as_parameters(database_url: str) -> None:
    called = {name: functions_called(text) for name, text in STATEMENTS.items()}
    connection = await asyncpg.connect(database_url)
    try:
        volatile = await connection.fetch("select distinct proname from pg_proc where provolatile = 'v'")
    finally:
        await connection.close()
    forbidden = CLOCKS_AND_DICE | {row["proname"] for row in volatile}
    assert {"random", "nextval", "pg_advisory_xact_lock"} <= forbidden
    found = {name: functions & forbidden for name, functions in called.items() if functions & forbidden}
    assert found == WHICH_SERVER | HOW_LONG_AGO
    instants = {name for name, text in STATEMENTS.items() if _asks_the_clock(text)}
    assert instants == set()


def _asks_the_clock(sql: str) -> bool:
    """Tell whether a statement has CURRENT_TIMESTAMP or the like, which are no function calls."""
    return any(is_a(node, ast.SQLValueFunction) for node in walk(parsed(sql)))


def test_no_column_of_a_tenant_table_fills_itself_in() -> None:
    for node in migration_nodes():
        if is_a(node, ast.CreateStmt) and node.relation.relname in tenant_tables():
            inside = list(walk(node))
            assert not [each for each in inside if is_a(each, ast.FuncCall, ast.SQLValueFunction)]
            assert not [
                each for each in inside if is_a(each, ast.Constraint) and each.contype == ConstrType.CONSTR_IDENTITY
            ]


@pytest.mark.parametrize(
    "sql",
    [
        "select * from tag",
        "select * from tag where channel_id = $2",
        "select * from tag where channel_id > $1",
        "select * from tag where channel_id = $1 or true",
        "select * from tag t join block_head h on h.block = t.tag_id where t.channel_id = $1",
        "select (select max(version) from block_head) from tag where channel_id = $1",
        "select * from tag where channel_id = $1 union all select * from tag",
        "with x as (select * from tag) select * from x",
        "with x as (delete from tag returning *) select * from x",
        "select * from robot where exists (select from tag t where t.tag_id = 1)",
        "select * from user_facts",
        "update tag set name = $1",
        "update tag t set name = $2 from block_head h where t.channel_id = $1",
        "delete from tag where tag_id = $1",
        "insert into tag (tag_id) values ($1)",
        "insert into tag (channel_id, tag_id) values ($2, $1)",
        "insert into tag (tag_id, channel_id) select $1, n from unnest($2::int[]) n",
    ],
)
def test_the_contract_sees_a_statement_that_strays(sql: str) -> None:
    assert unscoped_tables(sql, tenant_relations())


@pytest.mark.parametrize(
    "sql",
    [
        "select * from tag where channel_id = $1",
        "select * from tag t left join block_head h on h.channel_id = t.channel_id where t.channel_id = $1",
        "select * from tag t join block_head h using (channel_id) where t.channel_id = $1",
        "select (select max(at) from block_head h where h.channel_id = t.channel_id) from tag t where channel_id = $1",
        "insert into tag (tag_id, channel_id) select n, $1 from unnest($2::int[]) n",
        "update tag t set name = $2 from block_head h where t.channel_id = $1 and h.channel_id = $1",
    ],
)
def test_the_contract_lets_a_statement_of_one_channel_pass(sql: str) -> None:
    assert unscoped_tables(sql, tenant_relations()) == []

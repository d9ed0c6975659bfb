"""Every mutation of the schema is recorded, exactly once and without secrets, or exempt for a reason."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from graphql import GraphQLObjectType

from service.api.engine.refusals import NOT_AUDITED
from service.api.schema import make_schema
from service.dev.stack.servers import EmbeddedServers
from service.foundation.settings import WechatCalls
from tests.api.audited.examples import EXAMPLES, Call
from tests.api.audited.office import PLANTED, Office, open_office
from tests.dev.wechat_api.wechat import Wechat, open_wechat
from tests.support.audit import audit_rows_at
from tests.support.robot import Robot, table_digests
from tests.support.web import robot_numbers, shared_web


@pytest.fixture(scope="module")
async def wechat() -> AsyncIterator[Wechat]:
    async with open_wechat() as running:
        yield running


@pytest.fixture(scope="module")
async def calling_web(servers: EmbeddedServers, migrated_template: str, wechat: Wechat) -> AsyncIterator[Any]:
    """Serve a process that calls the imitated server API, with hardly a pause before a repeat."""
    hardly = WechatCalls(retry_after=timedelta(milliseconds=1))
    async with shared_web(servers, migrated_template, wechat_api_url=wechat.url, wechat=hardly) as web:
        yield web


@pytest.fixture
async def office(calling_web: Any, wechat: Wechat) -> Office:
    return await open_office(Robot(calling_web, f"r{next(robot_numbers)}"), wechat)


def mutations() -> GraphQLObjectType:
    mutation = make_schema().graphql_schema.mutation_type
    assert mutation is not None
    return mutation


def test_every_mutation_has_an_example_or_is_exempt_for_a_reason() -> None:
    assert sorted([*EXAMPLES, *NOT_AUDITED]) == sorted(mutations().fields)
    assert all(NOT_AUDITED.values())


async def rows(office: Office) -> list[dict[str, Any]]:
    return await audit_rows_at(office.robot.web.settings.database_url or "", office.robot.name)


async def carry_out(office: Office, call: Call) -> httpx.Response:
    headers = {"Authorization": f"Bearer {office.robot.token(call.role)}"}
    body = {"query": call.text, "variables": call.variables}
    return await office.robot.web.http.post("/graphql", json=body, headers=headers)


@pytest.mark.parametrize("name", EXAMPLES)
async def test_a_mutation_is_recorded_once_and_without_secrets(office: Office, name: str) -> None:
    call = await EXAMPLES[name](office)
    before = await rows(office)
    response = await carry_out(office, call)
    assert "errors" not in response.json()
    every = await rows(office)
    [entry] = [each for each in every if each not in before]
    assert (entry["action"], entry["outcome"], entry["count"], entry["number"]) == (name, "DONE", 1, None)
    assert (entry["subject"], entry["role"], entry["robot_id"]) == ("somebody", call.role, office.robot.name)
    assert (entry["request_id"], entry["client_address"]) == (response.headers["x-request-id"], "127.0.0.1")
    assert PLANTED not in str(every)


FAIL = """
create function fail() returns trigger language plpgsql as $$ begin raise 'no entry can be written'; end $$;
create constraint trigger fail after insert on audit_entry deferrable initially deferred for each row
when (new.outcome = 'DONE') execute function fail()
"""
# What is known of the account at WeChat is not part of the act.
OF_THE_ACCOUNT = {"wechat_account", "wechat_quota"}


@asynccontextmanager
async def no_entries(office: Office) -> AsyncIterator[None]:
    """Let every transaction fail, at its very end, that has recorded an act."""
    conn = await asyncpg.connect(office.robot.web.settings.database_url)
    try:
        await conn.execute(FAIL)
        yield
    finally:
        await conn.execute("drop trigger fail on audit_entry; drop function fail")
        await conn.close()


@pytest.mark.parametrize("name", EXAMPLES)
async def test_a_mutation_whose_entry_is_lost_has_changed_nothing(office: Office, name: str) -> None:
    call = await EXAMPLES[name](office)
    async with no_entries(office):
        before = await table_digests(office.robot.web)
        answer = (await carry_out(office, call)).json()
        after = await table_digests(office.robot.web)
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["INTERNAL"]
    assert {table for table in before if before[table] != after[table]} <= OF_THE_ACCOUNT

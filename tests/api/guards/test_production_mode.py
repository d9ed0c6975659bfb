"""Check what production hides: the IDE, the schema by introspection, and names in suggestions."""

from collections.abc import AsyncIterator

import pytest

from tests.support.web import WebClient, web_process


@pytest.fixture
async def production(database_url: str, redis_url: str) -> AsyncIterator[WebClient]:
    async with web_process(database_url, redis_url, production=True) as web:
        yield web


async def test_introspection_is_refused(production: WebClient) -> None:
    answer = await production.run("{ __schema { types { name } } }", token=production.token("admin"))
    assert set(answer.codes) == {"BAD_USER_INPUT"}
    assert answer.data is None


async def test_typename_is_answered(production: WebClient) -> None:
    answer = await production.run("{ __typename viewer { __typename } }", token=production.token("admin"))
    assert answer.data == {"__typename": "Query", "viewer": {"__typename": "Viewer"}}


async def test_names_are_not_suggested(production: WebClient) -> None:
    answer = await production.run("{ viewr { id } }", token=production.token("admin"))
    assert "viewer" not in answer.error["message"]


async def test_there_is_no_ide(production: WebClient) -> None:
    page = await production.http.get("/graphql", headers={"Accept": "text/html"})
    assert page.status_code == 401
    assert "graphiql" not in page.text.lower()


async def test_development_shows_schema_names_and_ide(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url) as web:
        token = web.token("admin")
        assert (await web.run("{ __schema { queryType { name } } }", token=token)).data is not None
        assert "viewer" in (await web.run("{ viewr { id } }", token=token)).error["message"]
        assert "graphiql" in (await web.http.get("/graphql", headers={"Accept": "text/html"})).text.lower()

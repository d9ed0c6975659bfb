"""Check what production hides: the IDE, the schema by introspection, and names in suggestions."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.pages import write_pages
from tests.support.web import WebClient, web_process

ORDERED = 'query($v: TagOrder) { channel(id: "x") { tags(orderBy: $v) { totalCount } } }'
BIND = "mutation($v: BindChannelInput!) { bindChannel(input: $v) { channel { id } } }"
# Names that are nearly right: of fields, types, arguments, enum values, input fields and directives.
MISTAKEN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("{ viewers { id } }", {}),
    ("{ viewer { subjects } }", {}),
    ('{ node(id: "x") { ... on AdTags { id } } }', {}),
    ("query($v: Channels) { viewer { id } }", {"v": None}),
    ('{ node(ids: "x") { id } }', {}),
    ('{ channel(id: "x") { tags(state: ACTIVES) { totalCount } } }', {}),
    ('{ channel(id: "x") { tags(state: "ACTIVE") { totalCount } } }', {}),
    ('{ channel(id: "x") { tags(orderBy: { fields: CREATED_AT }) { totalCount } } }', {}),
    ("{ viewer @include(iff: true) { id } }", {}),
    ("{ viewer }", {}),
    ('query($v: TagState) { channel(id: "x") { tags(state: $v) { totalCount } } }', {"v": "ACTIVES"}),
    (ORDERED, {"v": {"fields": "CREATED_AT"}}),
    (ORDERED, {"v": {"field": "CREATED_ATS"}}),
    (BIND, {"v": {"kind": "SERVICE_ACCOUNTS"}}),
    (BIND, {"v": {"kinds": "SERVICE_ACCOUNT"}}),
)


@pytest.fixture
async def production(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[WebClient]:
    pages = write_pages(tmp_path / "pages")
    async with web_process(database_url, redis_url, production=True, pages=pages) as web:
        yield web


async def test_introspection_is_refused(production: WebClient) -> None:
    answer = await production.run("{ __schema { types { name } } }", token=production.token("admin"))
    assert set(answer.codes) == {"BAD_USER_INPUT"}
    assert answer.data is None


async def test_typename_is_answered(production: WebClient) -> None:
    answer = await production.run("{ __typename viewer { __typename } }", token=production.token("admin"))
    assert answer.data == {"__typename": "Query", "viewer": {"__typename": "Viewer"}}


async def test_no_names_are_suggested(production: WebClient) -> None:
    for text, variables in MISTAKEN:
        answer = await production.run(text, token=production.token("admin"), **variables)
        assert set(answer.codes) == {"BAD_USER_INPUT"}, text
        assert "Did you mean" not in str(answer.errors), text


async def test_there_is_no_ide(production: WebClient) -> None:
    page = await production.http.get("/graphql", headers={"Accept": "text/html"})
    assert page.status_code == 401
    assert "graphiql" not in page.text.lower()


async def test_development_shows_schema_names_and_ide(database_url: str, redis_url: str, tmp_path: Path) -> None:
    async with web_process(database_url, redis_url, pages=write_pages(tmp_path / "pages")) as web:
        token = web.token("admin")
        assert (await web.run("{ __schema { queryType { name } } }", token=token)).data is not None
        for text, variables in MISTAKEN:
            assert "Did you mean" in str((await web.run(text, token=token, **variables)).errors), text
        assert "graphiql" in (await web.http.get("/graphql", headers={"Accept": "text/html"})).text.lower()

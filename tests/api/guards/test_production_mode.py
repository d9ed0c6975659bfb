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


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("{ viewr { id } }", "viewer"),
        ("{ viewer { subjet } }", "subject"),
        ('{ node(id: "x") { ... on AdTags { id } } }', "'AdTag'"),
        ("query($v: Chanel) { viewer { id } }", "'Channel'"),
        ('{ node(idd: "x") { id } }', "'id'"),
        ('{ channel(id: "x") { tags(state: ACTIV) { totalCount } } }', "ACTIVE"),
        ('{ channel(id: "x") { tags(state: "ACTIVE") { totalCount } } }', "the enum value"),
        ('{ channel(id: "x") { tags(orderBy: { feld: NAME }) { totalCount } } }', "'field'"),
        ("{ viewer @includ(if: true) { id } }", "'include'"),
        ("{ viewer @include(iff: true) { id } }", "'if'"),
        ("{ viewer }", "Did you mean"),
    ],
)
async def test_no_name_is_suggested_for_what_is_in_a_document(production: WebClient, text: str, hidden: str) -> None:
    answer = await production.run(text, token=production.token("admin"))
    assert set(answer.codes) == {"BAD_USER_INPUT"}
    for message in (error["message"] for error in answer.errors):
        assert "Did you mean" not in message
        assert hidden not in message or "of required type" in message


@pytest.mark.parametrize(
    ("declared", "argument", "value"),
    [
        ("TagState", "state: $v", "ACTIV"),
        ("TagOrder", "orderBy: $v", {"feld": "NAME"}),
        ("TagOrder", "orderBy: $v", {"field": "NAM"}),
    ],
)
async def test_no_name_is_suggested_for_what_is_in_variables(
    production: WebClient, declared: str, argument: str, value: object
) -> None:
    query = f'query($v: {declared}) {{ channel(id: "x") {{ tags({argument}) {{ totalCount }} }} }}'
    mutation = "mutation($v: BindChannelInput!) { bindChannel(input: $v) { channel { id } } }"
    for text, given in ((query, value), (mutation, {"knd": "SERVICE_ACOUNT", "kind": "SERVICE_ACOUNT"})):
        answer = await production.run(text, token=production.token("admin"), v=given)
        assert set(answer.codes) == {"BAD_USER_INPUT"}
        assert "Did you mean" not in str(answer.errors)


async def test_there_is_no_ide(production: WebClient) -> None:
    page = await production.http.get("/graphql", headers={"Accept": "text/html"})
    assert page.status_code == 401
    assert "graphiql" not in page.text.lower()


async def test_development_shows_schema_names_and_ide(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url) as web:
        token = web.token("admin")
        assert (await web.run("{ __schema { queryType { name } } }", token=token)).data is not None
        assert "Did you mean 'viewer'" in (await web.run("{ viewr { id } }", token=token)).error["message"]
        assert "graphiql" in (await web.http.get("/graphql", headers={"Accept": "text/html"})).text.lower()

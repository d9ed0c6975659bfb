"""Run the checks of graphql-cop (github.com/dolevf/graphql-cop): the twelve of its release, and two newer ones.

The checks are written anew from their descriptions. Each has an answer by which a weak server gives itself away, so
that a check which could find nothing would be noticed.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from service.dev.stack.servers import EmbeddedServers
from tests.support.pages import write_pages
from tests.support.web import WebClient, shared_web, web_process

Sent = dict[str, Any]
BODY: Final = "mutation { unbindChannel(id: 1) { channel { id } } }"
IDES: Final = ("graphiql", "graphql playground", "apollo sandbox", "embeddable-explorer", "altair", "pathfinder")
PLACES: Final = ("/graphql", "/", "/graphiql", "/playground", "/console", "/graphql/console", "/graphql/stream")


def posted(query: str) -> Sent:
    return {"method": "POST", "json": {"query": query}}


def got(query: str) -> Sent:
    return {"method": "GET", "params": {"query": query}}


def data_in(answer: httpx.Response) -> Any:
    """Return the data of an answer; None if it has none or is no JSON."""
    if "json" not in answer.headers.get("content-type", ""):
        return None
    body = answer.json()
    return body.get("data") if isinstance(body, dict) else None


def errors_in(answer: httpx.Response) -> list[dict[str, Any]]:
    body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    return list(body.get("errors", [])) if isinstance(body, dict) else []


def is_answered(answer: httpx.Response) -> bool:
    return bool(data_in(answer))


def leaks_names(answer: httpx.Response) -> bool:
    return "did you mean" in answer.text.lower()


def runs_all_of_a_batch(answer: httpx.Response) -> bool:
    body = answer.json() if "json" in answer.headers.get("content-type", "") else None
    return isinstance(body, list) and len(body) >= 10


def has_an_error_for_each(answer: httpx.Response) -> bool:
    return len(errors_in(answer)) >= 10


def shows_the_inside(answer: httpx.Response) -> bool:
    text = answer.text.lower()
    return any(each in text for each in ('"tracing"', "stacktrace", "traceback", '"exception"', ".py", "site-packages"))


def is_an_ide(answer: httpx.Response) -> bool:
    return any(each in answer.text.lower() for each in IDES)


def runs_a_mutation(answer: httpx.Response) -> bool:
    """Tell whether a mutation was executed: it reached the token or the channel."""
    return "data" in (answer.json() if "json" in answer.headers.get("content-type", "") else {})


@dataclass(frozen=True)
class Check:
    """Describe a check: the request, what in its answer is a finding, and an answer with that finding."""

    sent: Sent
    finds: Callable[[httpx.Response], bool]
    weak: Any
    with_token: bool = True


CIRCULAR: Final = "query { __schema { types { " + "fields { type { " * 5 + "name" + " } }" * 5 + " } } }"
FRAGMENTS: Final = "query { __schema { ...A } } fragment A on __Schema { ...B } fragment B on __Schema { ...A }"
CHECKS: Final[dict[str, Check]] = {
    "alias overloading": Check(
        posted("query { " + " ".join(f"alias{n}: __typename" for n in range(101)) + " }"),
        is_answered,
        {"data": {f"alias{n}": "Query" for n in range(101)}},
    ),
    "batch queries": Check(
        {"method": "POST", "json": [{"query": "query { __typename }"}] * 10},
        runs_all_of_a_batch,
        [{"data": {"__typename": "Query"}}] * 10,
    ),
    "GET queries": Check(got("{ __typename }"), is_answered, {"data": {"__typename": "Query"}}, with_token=False),
    "POST of a form": Check(
        {"method": "POST", "data": {"query": "query { __typename }"}}, is_answered, {"data": {"__typename": "Query"}}
    ),
    "POST with the query in the address": Check(
        {"method": "POST", "params": {"query": "query { __typename }"}}, is_answered, {"data": {"__typename": "Query"}}
    ),
    "tracing": Check(
        posted("query { __typename }"),
        shows_the_inside,
        {"data": {"__typename": "Query"}, "extensions": {"tracing": {"version": 1}}},
    ),
    "field duplication": Check(
        posted("query { " + "__typename " * 500 + "}"), is_answered, {"data": {"__typename": "Query"}}
    ),
    "field suggestions": Check(
        posted("query { __schema { directive } viewr { id } }"),
        leaks_names,
        {"errors": [{"message": "Cannot query field 'directive'. Did you mean 'directives'?"}]},
    ),
    "introspection": Check(
        posted("query { __schema { types { name fields { name } } } }"),
        is_answered,
        {"data": {"__schema": {"types": [{"name": "Query", "fields": []}]}}},
    ),
    "directive overloading": Check(
        posted("query { __typename " + "@aa" * 10 + " }"),
        has_an_error_for_each,
        {"errors": [{"message": "Unknown directive '@aa'."}] * 10},
    ),
    "circular query by introspection": Check(
        posted(CIRCULAR), is_answered, {"data": {"__schema": {"types": [{"fields": []}] * 26}}}
    ),
    "GET mutations": Check(got(BODY), runs_a_mutation, {"data": {"unbindChannel": None}, "errors": [{}]}),
    "GET mutations without a token": Check(
        got(BODY), runs_a_mutation, {"data": {"unbindChannel": None}, "errors": [{}]}, with_token=False
    ),
    "circular fragments": Check(posted(FRAGMENTS), lambda answer: not errors_in(answer), {"data": {"__schema": {}}}),
    "unhandled errors": Check(
        posted("qwerty cop { abc }"),
        shows_the_inside,
        {"errors": [{"message": "Syntax Error", "extensions": {"exception": {"stacktrace": ["at parse"]}}}]},
    ),
}


@pytest.fixture(scope="module")
async def production(
    servers: EmbeddedServers, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WebClient]:
    pages = write_pages(tmp_path_factory.mktemp("console") / "pages")
    async with shared_web(servers, migrated_template, production=True, pages=pages) as web:
        yield web


async def asked(web: WebClient, sent: Sent, *, token: bool, path: str = "/graphql") -> httpx.Response:
    headers = {"Authorization": f"Bearer {web.token('admin')}"} if token else {}
    return await web.http.request(url=path, headers=headers, **sent)


@pytest.mark.parametrize("name", CHECKS)
def test_each_check_finds_a_weak_server(name: str) -> None:
    assert CHECKS[name].finds(httpx.Response(200, json=CHECKS[name].weak))


@pytest.mark.parametrize("path", ["/graphql", "/graphql/stream"])
@pytest.mark.parametrize("name", CHECKS)
async def test_no_check_finds_anything_in_production(production: WebClient, name: str, path: str) -> None:
    check = CHECKS[name]
    for token in {False, check.with_token}:
        answer = await asked(production, check.sent, token=token, path=path)
        assert answer.status_code < 500
        assert not check.finds(answer), answer.text


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
async def test_production_serves_no_ide(production: WebClient, path: str, accept: str) -> None:
    answer = await production.http.get(path, headers={"Accept": accept})
    assert answer.status_code in ({200} if path == "/" else {401, 404, 405})
    assert not is_an_ide(answer)


async def test_each_answer_in_production_has_a_code_or_data(production: WebClient) -> None:
    for check in CHECKS.values():
        answer = await asked(production, check.sent, token=True)
        assert data_in(answer) or all(error["extensions"]["code"] for error in errors_in(answer))


async def test_a_get_with_a_token_is_answered(production: WebClient) -> None:
    """graphql-cop, given a token, calls any answer to GET a possible forgery; no foreign page can send the header."""
    assert is_answered(await asked(production, got("{ __typename }"), token=True))


async def test_the_checks_find_what_development_shows(database_url: str, redis_url: str, tmp_path: Path) -> None:
    """Make sure that the checks work: they find in development what production hides."""
    async with web_process(database_url, redis_url, pages=write_pages(tmp_path / "pages")) as web:
        for name in ("introspection", "field suggestions"):
            assert CHECKS[name].finds(await asked(web, CHECKS[name].sent, token=True)), name
        assert is_an_ide(await web.http.get("/graphql", headers={"Accept": "text/html"}))

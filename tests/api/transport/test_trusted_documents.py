"""Run documents that a frontend's build has listed, by their ids, and refuse others in mode `only`."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.processes import environment, run_to_completion
from tests.support.robot import table_digests
from tests.support.servers import free_port
from tests.support.web import TRANSPORTS, WebClient, error_codes, execute_over, web_process

VIEWER: Final = "query Viewer { viewer { robotId } }"
TWO: Final = "query Type { __typename }\nquery Subject { viewer { subject } }"
BIND: Final = "mutation Bind($input: BindChannelInput!) { bindChannel(input: $input) { channel { id } } }"
PANEL: Final = 'subscription Panel { tagEvents(after: "") { kind } }'
UNKNOWN: Final = "{ viewer { role } }"
INPUT: Final = {"kind": "SERVICE_ACCOUNT", "name": "Tea house", "verified": True, "appId": "wxr1app1"}


def sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def persisted(text: str) -> dict[str, Any]:
    """Return the extensions that Apollo Client and urql send first."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}}}


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    """Write the list of one frontend as graphql-codegen does, and of another as Apollo's generator does."""
    by_codegen, by_apollo = tmp_path / "persisted-documents.json", tmp_path / "manifest.json"
    by_codegen.write_text(json.dumps({sha1(VIEWER): VIEWER, "panel~1": PANEL, sha1(TWO): TWO}), encoding="utf-8")
    operations = [{"id": sha256(BIND), "name": "Bind", "type": "mutation", "body": BIND}]
    manifest = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}
    by_apollo.write_text(json.dumps(manifest), encoding="utf-8")
    return str(by_codegen), str(by_apollo)


@pytest.fixture
async def only(database_url: str, redis_url: str, files: tuple[str, ...]) -> AsyncIterator[WebClient]:
    trusting = {"trusted_documents": files, "trusted_documents_mode": "only", "production": True}
    async with web_process(database_url, redis_url, **trusting) as web:
        yield web


@pytest.fixture
async def allowed(database_url: str, redis_url: str, files: tuple[str, ...]) -> AsyncIterator[WebClient]:
    async with web_process(database_url, redis_url, trusted_documents=files, trusted_documents_mode="allowed") as web:
        yield web


@pytest.mark.parametrize("way", TRANSPORTS)
async def test_a_document_is_found_by_each_form_of_its_id(only: WebClient, way: str) -> None:
    for named in (
        {"documentId": sha1(VIEWER)},
        {"documentId": "sha256:" + sha256(VIEWER)},
        {"documentId": sha256(VIEWER), "query": ""},
        {"query": "", "extensions": {"documentId": sha1(VIEWER)}},
        {"query": "", "extensions": {"persistedQuery": sha1(VIEWER)}},
        persisted(VIEWER),
        {"query": VIEWER},
        {"query": VIEWER, **persisted(VIEWER)},
    ):
        assert await execute_over(only, way, named) == {"data": {"viewer": {"robotId": "r1"}}}, named


@pytest.mark.parametrize("way", TRANSPORTS)
async def test_an_unlisted_id_is_not_found(only: WebClient, allowed: WebClient, way: str) -> None:
    for web in (only, allowed):
        for named in ({"documentId": "nobody"}, {"documentId": "sha256:" + sha256(UNKNOWN)}, persisted(UNKNOWN)):
            [error] = (await execute_over(web, way, named))["errors"]
            assert error["message"] == "PersistedQueryNotFound"
            assert error["extensions"] == {"code": "PERSISTED_QUERY_NOT_FOUND"}


@pytest.mark.parametrize("way", TRANSPORTS)
async def test_an_unlisted_text_is_refused_in_mode_only(only: WebClient, way: str) -> None:
    for given in (
        {"query": UNKNOWN},
        {"query": VIEWER + " "},
        {"query": UNKNOWN, "documentId": sha1(VIEWER)},
        {"query": UNKNOWN, **persisted(VIEWER)},
        {"query": "{ __schema { queryType { name } } }"},
    ):
        [error] = (await execute_over(only, way, given))["errors"]
        assert error == {"message": "PersistedQueryOnly", "extensions": {"code": "PERSISTED_QUERY_ONLY"}}


async def test_an_unlisted_mutation_changes_nothing(only: WebClient) -> None:
    before = await table_digests(only)
    variables = {"input": INPUT}
    assert await error_codes(only, "post", {"query": BIND.replace("Bind", "bind", 1), "variables": variables}) == [
        "PERSISTED_QUERY_ONLY"
    ]
    assert await table_digests(only) == before
    assert (await execute_over(only, "post", {"documentId": sha256(BIND), "variables": variables}))["data"][
        "bindChannel"
    ]


@pytest.mark.parametrize("way", TRANSPORTS)
async def test_any_text_is_run_in_mode_allowed(allowed: WebClient, way: str) -> None:
    """Answer the second attempt of a client of automatic persisted queries."""
    assert (await execute_over(allowed, way, {"query": UNKNOWN}))["data"] == {"viewer": {"role": "ADMIN"}}
    assert (await execute_over(allowed, way, {"query": UNKNOWN, **persisted(UNKNOWN)}))["data"]


@pytest.mark.parametrize("way", TRANSPORTS)
async def test_ids_are_not_supported_in_mode_off(database_url: str, redis_url: str, way: str) -> None:
    async with web_process(database_url, redis_url) as web:
        [error] = (await execute_over(web, way, persisted(VIEWER)))["errors"]
        assert error["message"] == "PersistedQueryNotSupported"
        assert error["extensions"] == {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}
        assert (await execute_over(web, way, {"query": VIEWER, **persisted(VIEWER)}))["data"]


@pytest.mark.parametrize("way", ["stream", "socket"])
async def test_a_subscription_is_found_by_its_id(only: WebClient, way: str) -> None:
    only_event = {"data": {"tagEvents": {"kind": "RESET"}}}
    await execute_over(only, "post", {"documentId": sha256(BIND), "variables": {"input": INPUT}})
    if way == "socket":
        assert await execute_over(only, way, {"documentId": "panel~1"}) == only_event
    else:
        headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {only.token('agent')}"}
        sent = {"documentId": "panel~1"}
        async with only.http.stream("POST", "/graphql/stream", json=sent, headers=headers) as response:
            lines = response.aiter_lines()
            assert [await anext(lines), json.loads((await anext(lines))[6:])] == ["event: next", only_event]


async def test_variables_and_operation_name_apply_to_a_trusted_document(only: WebClient) -> None:
    named = {"documentId": sha1(TWO), "operationName": "Subject"}
    for way in TRANSPORTS:
        assert await execute_over(only, way, named) == {"data": {"viewer": {"subject": "somebody"}}}
    assert await error_codes(only, "post", {"documentId": sha1(TWO)}) == ["BAD_USER_INPUT"]


async def test_a_trusted_mutation_is_refused_by_get(only: WebClient) -> None:
    headers = {"Authorization": f"Bearer {only.token('admin')}", "Accept": "*/*"}
    given = {"documentId": sha256(BIND), "variables": json.dumps({"input": INPUT})}
    before = await table_digests(only)
    refused = await only.http.get("/graphql", params=given, headers=headers)
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert await table_digests(only) == before


@pytest.mark.parametrize("wrong", [7, ["x"], {"id": "x"}, True])
async def test_an_id_that_is_no_string_is_refused(only: WebClient, wrong: Any) -> None:
    by_apollo = {"extensions": {"persistedQuery": {"sha256Hash": wrong}}}
    for place, given in (("documentId", {"documentId": wrong}), ("extensions.persistedQuery", by_apollo)):
        for way in ("post", "stream"):
            [error] = (await execute_over(only, way, given))["errors"]
            assert error["extensions"]["code"] == "BAD_USER_INPUT"
            assert [each["path"] for each in error["extensions"]["fields"]] == [place]
    assert await error_codes(only, "socket", by_apollo) == ["BAD_USER_INPUT"]
    for payload in ({"documentId": wrong}, {"query": VIEWER, "documentId": wrong}, {"query": wrong, "documentId": "x"}):
        async with only.socket(only.token("agent")) as socket:
            await socket.send({"type": "subscribe", "id": "1", "payload": payload})
            assert (await socket.wait_for_close())[0] == 4400


@pytest.mark.parametrize("way", ["post", "get", "stream"])
async def test_a_request_without_text_and_id_is_refused(only: WebClient, way: str) -> None:
    path = "/graphql/stream" if way == "stream" else "/graphql"
    headers = {"Authorization": f"Bearer {only.token('admin')}"}
    given: dict[str, Any] = {"params": {"extensions": "{}"}} if way == "get" else {"json": {"extensions": {}}}
    refused = await only.http.request("GET" if way == "get" else "POST", path, headers=headers, **given)
    assert refused.status_code == 400
    assert [each["extensions"]["code"] for each in refused.json()["errors"]] == ["BAD_USER_INPUT"]


async def test_the_process_does_not_start_with_an_invalid_document(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "d.json").write_text('{"abc": "query Old { nowhere }"}', encoding="utf-8")
    trusting = {"TRUSTED_DOCUMENTS": str(tmp_path / "d.json"), "TRUSTED_DOCUMENTS_MODE": "only"}
    given = environment(database_url, redis_url, **trusting)
    code, said = await run_to_completion(given, tmp_path / "web.log", "serve", "--port", str(free_port()))
    assert code == 1
    assert "the document 'abc' (query Old) is wrong" in said
    assert "Traceback" not in said

"""Tell the faults of answers from what is allowed."""

import json
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema

from tests.fuzz.answers import EVENT_STREAM, GRAPHQL_RESPONSE, JSON, response_errors, stream_errors

QUERY = "{ tag { __typename name ... on Made { at size } kinds } }"
GOOD = {"__typename": "Made", "name": "Gold", "at": "2026-03-01T12:00:00Z", "size": 1, "kinds": ["A", None]}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema("""
        scalar DateTime
        enum ErrorCode { NOT_FOUND INTERNAL UNAUTHENTICATED }
        enum Kind { A B }
        interface Tag { name: String!  kinds: [Kind]! }
        type Made implements Tag { name: String!  kinds: [Kind]!  at: DateTime!  size: Int }
        type Bare implements Tag { name: String!  kinds: [Kind]! }
        type Query { tag: Tag }
    """)


def faults(schema: GraphQLSchema, body: Any, *, accept: str | None = None, status: int = 200, kind: str = JSON) -> str:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return "; ".join(response_errors(schema, QUERY, accept=accept, status=status, content_type=kind, body=sent))


def refused(message: str = "There is no such tag.", code: str | None = "NOT_FOUND", **more: Any) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}, **more}]}


@pytest.mark.parametrize(
    "tag", [None, GOOD, GOOD | {"size": None}, {"__typename": "Bare", "name": "Silver", "kinds": []}]
)
def test_data_of_the_selected_shape_is_good(schema: GraphQLSchema, tag: Any) -> None:
    assert faults(schema, {"data": {"tag": tag}}) == ""


@pytest.mark.parametrize(
    ("tag", "fault"),
    [
        (GOOD | {"name": None}, "Query.tag.name: null"),
        (GOOD | {"size": True}, "Query.tag.size: True is no Int"),
        (GOOD | {"size": "1"}, "Query.tag.size: '1' is no Int"),
        (GOOD | {"at": "2026-03-01T12:00:00+00:00"}, "Query.tag.at: '2026-03-01T12:00:00+00:00' is no DateTime"),
        (GOOD | {"kinds": ["C"]}, "Query.tag.kinds.0: 'C' is no Kind"),
        (GOOD | {"kinds": "A"}, "Query.tag.kinds: 'A' is no [Kind]"),
        (GOOD | {"more": 1}, "instead of ['__typename', 'name', 'at', 'size', 'kinds']"),
        ({"name": "Gold", "__typename": "Bare", "kinds": []}, "instead of"),
        (GOOD | {"__typename": "Bare"}, "'Bare' instead of Made"),
        ([], "Query.tag: []"),
    ],
)
def test_data_of_another_shape_is_a_fault(schema: GraphQLSchema, tag: Any, fault: str) -> None:
    assert fault in faults(schema, {"data": {"tag": tag}})


def test_a_refusal_with_its_code_is_good(schema: GraphQLSchema) -> None:
    assert faults(schema, refused()) == ""
    assert faults(schema, {"data": {"tag": None}} | refused(path=["tag"])) == ""
    assert faults(schema, refused(), accept=GRAPHQL_RESPONSE, status=400, kind=GRAPHQL_RESPONSE) == ""


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (refused(code="INTERNAL"), "INTERNAL"),
        (refused(code="MADE_UP"), "unknown code 'MADE_UP'"),
        (refused(code=None), "unknown code None"),
        ({"errors": [{"message": "No."}]}, "unknown code None"),
        (refused(""), "no GraphQL error"),
        (refused(trace=[]), "no GraphQL error"),
        ({"errors": []}, "an empty list of errors"),
        ({"data": None}, "neither data nor errors"),
        ({"data": {"tag": GOOD}, "debug": 1}, "no GraphQL answer"),
        ([], "no GraphQL answer"),
        (b"Internal Server Error", "no JSON"),
    ],
)
def test_what_is_no_answer_is_a_fault(schema: GraphQLSchema, body: Any, fault: str) -> None:
    assert fault in faults(schema, body)


@pytest.mark.parametrize(
    "message",
    [
        "KeyError: 'tag'",
        "'NoneType' object has no attribute 'id'",
        'relation "tag" does not exist',
        "invalid input for query argument $1: asyncpg",
        "SELECT id FROM tag WHERE id = $1",
        "duplicate key value violates unique constraint",
        "<class 'int'>",
        "Expected Iterable, but did not find one: <coroutine object at 0x7f>",
        "read_tag() got an unexpected keyword argument",
        'File "service/api/types/tag.py", line 3',
    ],
)
def test_a_message_of_ours_is_a_leak(schema: GraphQLSchema, message: str) -> None:
    assert "leaked" in faults(schema, refused(message))


def test_without_a_token_there_is_nothing_but_a_refusal(schema: GraphQLSchema) -> None:
    def of_stranger(body: Any, status: int) -> list[str]:
        sent = json.dumps(body).encode()
        given: Any = {"accept": None, "status": status, "content_type": JSON, "body": sent, "has_token": False}
        return response_errors(schema, QUERY, **given)

    assert of_stranger(refused(code="UNAUTHENTICATED"), 401) == []
    assert of_stranger(refused(code="UNAUTHENTICATED"), 200)
    assert of_stranger(refused(), 401)
    assert of_stranger({"data": None} | refused(code="UNAUTHENTICATED"), 401)


def test_the_form_follows_what_was_accepted(schema: GraphQLSchema) -> None:
    answer = {"data": {"tag": GOOD}}

    assert "status 500" in faults(schema, answer, status=500)
    assert "content type" in faults(schema, answer, kind="text/html")
    assert "content type" in faults(schema, answer, accept=GRAPHQL_RESPONSE)
    assert "status 200" in faults(schema, refused(), accept=GRAPHQL_RESPONSE, kind=GRAPHQL_RESPONSE)
    assert "status 400" in faults(schema, answer, accept=GRAPHQL_RESPONSE, status=400, kind=GRAPHQL_RESPONSE)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", ""),
        (b":\n\n", ""),
        (b'id: 7\r\nevent: next\r\ndata: {"data": {"tag": null}}\r\n\r\nevent: complete\r\ndata: \r\n\r\n', ""),
        (b'event: next\ndata: {"data": {}}\n\n', "Query: {} instead of ['tag']"),
        (b'event: next\ndata: {"errors": [{"message": "No.", "extensions": {"code": "INTERNAL"}}]}\n\n', "INTERNAL"),
        (b"event: next\n\n", "no JSON"),
        (b"event: error\ndata: {}\n\n", "unknown event"),
    ],
)
def test_a_stream_is_read_event_by_event(schema: GraphQLSchema, body: bytes, fault: str) -> None:
    found = "; ".join(stream_errors(schema, QUERY, status=200, content_type=EVENT_STREAM, body=body))

    assert fault in found
    assert bool(found) == bool(fault)


def test_a_stream_has_its_own_type(schema: GraphQLSchema) -> None:
    assert stream_errors(schema, QUERY, status=200, content_type=JSON, body=b"") == [f"status 200 of {JSON}"]
    assert stream_errors(schema, QUERY, status=500, content_type=EVENT_STREAM, body=b"")


@pytest.mark.parametrize(
    ("directives", "tag", "fault"),
    [
        ("@skip(if: true)", {}, ""),
        ("@include(if: false)", {}, ""),
        ("@skip(if: false)", {"name": "Gold"}, ""),
        ("@include(if: true)", {"name": "Gold"}, ""),
        ("@skip(if: true)", {"name": "Gold"}, "instead of []"),
        ("@include(if: true)", {}, "instead of ['name']"),
    ],
)
def test_what_is_left_out_is_not_there(schema: GraphQLSchema, directives: str, tag: Any, fault: str) -> None:
    body = json.dumps({"data": {"tag": tag}}).encode()
    query = f"{{ tag {{ name {directives} }} }}"
    found = "; ".join(response_errors(schema, query, accept=None, status=200, content_type=JSON, body=body))

    assert fault in found
    assert bool(found) == bool(fault)

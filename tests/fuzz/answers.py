"""Find the faults of an answer: a form that the protocol or schema does not know, or internals that it tells."""

import json
import re
from collections.abc import Generator, Iterator
from typing import Any, Final

from graphql import GraphQLEnumType, GraphQLSchema, OperationDefinitionNode, parse
from graphql.language import DocumentNode

from tests.fuzz.shapes import shape_errors

JSON: Final = "application/json"
GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
EVENT_STREAM: Final = "text/event-stream"
# Words of our language, libraries, database and files, which no message of ours has.
LEAK: Final = re.compile(
    r"traceback|asyncpg|starlette|strawberry|orjson|redis|pydantic|nonetype|<class|object at 0x|\.py\b|\w+exception\b|"
    r"\w*(?:key|type|value|attribute|assertion|runtime)error\b|"
    r"\b(?:select|insert into|update|delete from) .*\b(?:from|where|values|set)\b|"
    r"violates|duplicate key|relation \"|column \"|syntax error at|postgres|deadlock|unexpected keyword",
    re.IGNORECASE,
)
UNAUTHORIZED: Final = 401
MEMBERS: Final = {"message", "locations", "path", "extensions"}


def response_errors(
    schema: GraphQLSchema,
    query: str,
    *,
    accept: str | None,
    status: int,
    content_type: str,
    body: bytes,
    has_token: bool = True,
) -> list[str]:
    """Return everything that is wrong with the answer to a request that was sent in the protocol's form."""
    if not has_token:
        return list(_refusal_errors(schema, status, body))
    return list(_response_errors(schema, query, accept, status, content_type, body))


def _refusal_errors(schema: GraphQLSchema, status: int, body: bytes) -> Iterator[str]:
    """Return what is wrong with the answer to a request without a token, which is given without reading it."""
    if status != UNAUTHORIZED:
        yield f"status {status} without a token"
        return
    answer = json.loads(body)
    yield from error_list_errors(schema, answer)
    if answer.keys() != {"errors"} or [each["extensions"]["code"] for each in answer["errors"]] != ["UNAUTHENTICATED"]:
        yield f"no refusal: {body[:200]!r}"


def _response_errors(
    schema: GraphQLSchema, query: str, accept: str | None, status: int, content_type: str, body: bytes
) -> Iterator[str]:
    if status >= 500:
        yield f"status {status}"
    wanted = GRAPHQL_RESPONSE if accept == GRAPHQL_RESPONSE else JSON
    if content_type.partition(";")[0] != wanted:
        yield f"content type {content_type!r} instead of {wanted}"
    executed = yield from _answer_errors(schema, query, body)
    if status != (200 if executed or wanted == JSON else 400):
        yield f"status {status} of {wanted} {'with' if executed else 'without'} data"


def _answer_errors(schema: GraphQLSchema, query: str, body: bytes) -> Generator[str, None, bool]:
    """Return what is wrong with one answer, and whether anything was executed."""
    try:
        answer = json.loads(body)
    except ValueError:
        yield f"no JSON: {body[:200]!r}"
        return False
    if not isinstance(answer, dict) or not answer.keys() <= {"data", "errors"} or not answer:
        yield f"no GraphQL answer: {body[:200]!r}"
        return False
    yield from error_list_errors(schema, answer)
    if answer.get("data") is not None:
        yield from shape_errors(schema, _operation(parse(query)), answer["data"])
    return "data" in answer


def stream_errors(
    schema: GraphQLSchema, query: str, *, status: int, content_type: str, body: bytes, has_token: bool = True
) -> list[str]:
    """Return everything that is wrong with the beginning of a stream of events."""
    if not has_token:
        return list(_refusal_errors(schema, status, body))
    return list(_stream_errors(schema, query, status, content_type, body))


def _stream_errors(schema: GraphQLSchema, query: str, status: int, content_type: str, body: bytes) -> Iterator[str]:
    if status != 200 or content_type.partition(";")[0] != EVENT_STREAM:
        yield f"status {status} of {content_type}"
    for event in re.split(rb"\r?\n\r?\n", body):
        lines = dict(line.split(b": ", 1) for line in re.split(rb"\r?\n", event) if b": " in line)
        kind = lines.get(b"event")
        if kind == b"next":
            yield from _answer_errors(schema, query, lines.get(b"data", b""))
        elif kind not in {None, b"complete"}:
            yield f"unknown event: {event!r}"


def error_list_errors(schema: GraphQLSchema, answer: dict[str, Any]) -> Iterator[str]:
    """Return what is wrong with the errors of an answer: unknown codes, INTERNAL, messages that tell internals."""
    codes = schema.get_type("ErrorCode")
    assert isinstance(codes, GraphQLEnumType)
    errors = answer.get("errors", [])
    if "errors" in answer and not errors:
        yield "an empty list of errors"
    if not errors and answer.get("data") is None:
        yield "neither data nor errors"
    for error in errors:
        code = error.get("extensions", {}).get("code")
        if code not in codes.values:
            yield f"unknown code {code!r}: {error}"
        if code == "INTERNAL":
            yield f"INTERNAL: {error}"
        if not error.get("message") or not error.keys() <= MEMBERS:
            yield f"no GraphQL error: {error}"
        if LEAK.search(str(error.get("message"))):
            yield f"leaked: {error['message']}"


def _operation(document: DocumentNode) -> OperationDefinitionNode:
    [operation] = (each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    return operation

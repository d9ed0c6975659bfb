"""Remember parsed documents up to a bound in bytes."""

import asyncio

import pytest
from graphql import GraphQLError, build_schema

from service.api.engine.document_cache import DocumentCache, estimated_bytes
from service.entities.errors import LimitExceededError
from service.foundation.settings import QueryLimits

SCHEMA = build_schema("type Query { a: Int }")


def test_documents_are_remembered_up_to_so_much_memory() -> None:
    documents = DocumentCache(SCHEMA, QueryLimits(), 2 * estimated_bytes("{ a0 }"))
    trees = [documents.parse(f"{{ a{number} }}") for number in range(3)]
    assert documents.parse("{ a2 }") is trees[2]
    assert documents.parse("{ a1 }") is trees[1]
    assert documents.parse("{ a0 }") is not trees[0]


def test_a_text_that_is_too_long_is_not_remembered_and_pushes_nothing_out() -> None:
    documents = DocumentCache(SCHEMA, QueryLimits(), estimated_bytes("{ a }"))
    kept = documents.parse("{ a }")
    long_text = "{ b } #" + "x" * 100
    assert documents.parse(long_text) is not documents.parse(long_text)
    assert documents.parse("{ a }") is kept


async def test_a_document_that_is_too_long_is_not_read() -> None:
    documents = DocumentCache(SCHEMA, QueryLimits(characters=600, tokens=50), 10**6)
    for text in ("{ a } #" + "x" * 600, "\n" * 51 + "{ a }", "\r" * 51 + "?"):
        with pytest.raises(LimitExceededError):
            await documents.prepare(text)
        assert text not in documents


async def test_a_long_document_is_read_once_however_many_wait_for_it() -> None:
    documents = DocumentCache(SCHEMA, QueryLimits(), 10**6)
    text = "{ a " + "b " * 300 + "}"
    seconds = await asyncio.gather(*(documents.prepare(text) for _ in range(3)))
    assert sum(each > 0 for _, each in seconds) == 1
    assert documents.validation_errors(text)


async def test_a_syntax_error_is_remembered() -> None:
    documents = DocumentCache(SCHEMA, QueryLimits(), 10**6)
    await documents.prepare("{")
    assert documents.syntax_error("{") is documents.syntax_error("{")
    with pytest.raises(GraphQLError):
        documents.parse("{")
    assert documents.syntax_error("{ a }") is None


def test_only_names_of_operations_are_remembered() -> None:
    documents = DocumentCache(SCHEMA, QueryLimits(), 10**6)
    text = "query one { a } query two { a }"
    plan = documents.plan_for(text, "one", {})
    assert plan is not None
    for name in ("three", None, "four"):
        assert documents.plan_for(text, name, {}) is None
    assert documents.plan_for(text, "one", {}) == plan
    (cached,) = documents._documents.values()
    assert list(cached.plans) == ["one"]

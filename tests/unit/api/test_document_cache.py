"""Remember a bounded number of parsed documents."""

from graphql import build_schema

from service.api.engine.document_cache import DocumentCache
from service.foundation.settings import QueryLimits


def test_only_so_many_documents_are_remembered() -> None:
    documents = DocumentCache(build_schema("type Query { a: Int }"), QueryLimits(), 2)
    for number in range(3):
        documents.parse(f"{{ a{number} }}")
    assert documents.parse.cache_info().currsize == 2

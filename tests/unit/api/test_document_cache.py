"""Remember a bounded number of parsed documents."""

from graphql import build_schema

from service.api.engine.document_cache import DocumentCache
from service.foundation.settings import QueryLimits


def test_a_bounded_number_of_documents_is_remembered() -> None:
    documents = DocumentCache(build_schema("type Query { a: Int }"), QueryLimits(), 2)
    for number in range(3):
        documents.parse(f"{{ a{number} }}")
    assert documents.parse.cache_info().currsize == 2

"""Documents that a process keeps take so much memory at most, however many texts there are and however long."""

from service.api.engine.document_cache import DocumentCache, estimated_bytes
from service.foundation.settings import QueryLimits


def test_documents_are_remembered_up_to_so_much_memory() -> None:
    documents = DocumentCache(QueryLimits(), 2 * estimated_bytes("{ a0 }"))
    for number in range(3):
        documents.parse(f"{{ a{number} }}")
    assert len(documents) == 2
    assert documents.parse("{ a2 }") is documents.parse("{ a2 }")


def test_a_text_that_is_too_long_is_not_remembered_and_pushes_nothing_out() -> None:
    documents = DocumentCache(QueryLimits(), estimated_bytes("{ a }"))
    kept = documents.parse("{ a }")
    long_text = "{ b } #" + "x" * 100
    assert documents.parse(long_text) is not documents.parse(long_text)
    assert documents.parse("{ a }") is kept

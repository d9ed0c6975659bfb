"""A cache bounded in bytes: the longest unused values go first, and one that is too large is not kept."""

from service.foundation.byte_cache import ByteCache


def test_the_longest_unused_values_make_room() -> None:
    cache: ByteCache[str, bytes] = ByteCache(10, len)
    cache["a"], cache["b"] = b"12345", b"12345"
    assert cache["a"] == b"12345"
    cache["c"] = b"123"
    assert sorted(cache) == ["a", "c"]
    assert cache.currsize == 8


def test_a_value_that_is_too_large_is_not_kept_and_pushes_nothing_out() -> None:
    cache: ByteCache[str, bytes] = ByteCache(10, len)
    cache["a"] = b"12345"
    cache["b"] = b"12345678901"
    assert list(cache) == ["a"]


def test_a_value_that_grew_too_large_is_not_answered_as_it_was() -> None:
    cache: ByteCache[str, bytes] = ByteCache(10, len)
    cache["a"] = b"12345"
    cache["a"] = b"12345678901"
    assert cache.get("a") is None

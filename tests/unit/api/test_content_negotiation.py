"""Choose the media type, the encoding and the language of an answer by the headers of the client."""

import pytest

from service.api.transport.content_negotiation import accepts_gzip, language_for, media_type_for, names_media_type

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, JSON),
        ("*/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL};q=0, */*", JSON),
        (f"text/event-stream, {GRAPHQL.upper()} ; charset=utf-8; Q=0.9, {JSON};q=0.8", GRAPHQL),
        (f"{GRAPHQL};q=nonsense", JSON),
    ],
)
def test_the_preferred_media_type_is_chosen(accept: str | None, media_type: str) -> None:
    assert media_type_for(accept) == media_type


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("*", "en"),
        ("de-CH, fr;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("ZH-Hant-TW", "zh"),
        ("en-GB,zh;q=0.9", "en"),
        ("de, zh;q=0.3, en;q=0.7", "en"),
        ("en;q=0, zh;q=0.1", "zh"),
        ("zh;q=nonsense", "en"),
        ("zhuang", "en"),
    ],
)
def test_the_preferred_language_is_chosen(accept_language: str | None, language: str) -> None:
    assert language_for(accept_language).value == language


@pytest.mark.parametrize(
    ("accept_encoding", "accepted"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("deflate, GZIP;q=0.1", True),
        ("x-gzip", True),
        ("*", True),
        ("br, *;q=0.5", True),
        ("gzip;q=0", False),
        ("identity, gzip ; q=0.000", False),
        ("*, gzip;q=0", False),
        ("*;q=0", False),
        ("gzip;q=2", False),
        ("gzip;q=nan", False),
        ("deflate, br", False),
    ],
)
def test_gzip_is_accepted_unless_its_weight_is_nothing(accept_encoding: str | None, accepted: bool) -> None:
    assert accepts_gzip(accept_encoding) is accepted


@pytest.mark.parametrize(
    ("accept", "named"),
    [("text/csv", True), ("Text/CSV;Q=0.5, */*", True), ("*/*", False), ("text/csv;q=0", False), ("", False)],
)
def test_a_media_type_is_asked_for_by_its_name(accept: str, named: bool) -> None:
    assert names_media_type(accept, "text/csv") is named

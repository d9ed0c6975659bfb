"""Choose the media type and the language of an answer from the headers Accept and Accept-Language."""

import pytest

from service.api.transport.content_negotiation import language_for, media_type_for

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

"""Choose the media type of an answer from the header Accept."""

import pytest

from service.api.transport.content_negotiation import media_type_for

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

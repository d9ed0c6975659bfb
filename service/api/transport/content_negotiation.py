"""Choose the media type of an answer by the weights of the client's Accept header (RFC 9110 §12.5.1)."""

from functools import lru_cache
from typing import Final

GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"
# There are a few kinds of clients, each with a header of its own.
MAX_CACHED_HEADERS: Final = 100


@lru_cache(MAX_CACHED_HEADERS)
def media_type_for(accept: str | None) -> str:
    """Return the preferred of the two media types of answers.

    application/json for clients that do not say, as the older ones expect it.
    """
    weights = dict(_weights(accept or ""))
    graphql, json = weights.get(GRAPHQL_RESPONSE, 0.0), weights.get(JSON, 0.0)
    return GRAPHQL_RESPONSE if graphql > 0 and graphql >= json else JSON


def prefers_event_stream(accept: str) -> bool:
    """Tell whether the client prefers a stream of events to any other media type it names."""
    weights = dict(_weights(accept))
    best = max(weights.values())
    return weights.get(EVENT_STREAM, 0.0) == best > 0


def _weights(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept.split(","):
        name, *parameters = part.strip().lower().split(";")
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.strip().partition("=")
            if key == "q":
                weight = _weight(value)
        found.append((name.strip(), weight))
    return found


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0

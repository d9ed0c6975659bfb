"""Which media type a client wants an answer in, by the order and weights of its Accept header (RFC 9110 §12.5.1)."""

from functools import lru_cache
from typing import Final

GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"
# Clients are of a few kinds, each with a header of its own.
MAX_CACHED_HEADERS: Final = 100


@lru_cache(MAX_CACHED_HEADERS)
def media_type_for(accept: str | None) -> str:
    """The better liked of the two; application/json for those who do not say, as every older client expects."""
    weights = dict(_weights(accept or ""))
    graphql, json = weights.get(GRAPHQL_RESPONSE, 0.0), weights.get(JSON, 0.0)
    return GRAPHQL_RESPONSE if graphql > 0 and graphql >= json else JSON


def prefers_event_stream(accept: str) -> bool:
    """Whether a stream of events is what the client likes best."""
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

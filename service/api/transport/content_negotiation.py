"""Choose the media type and the language of an answer by the weights in the client's headers (RFC 9110 §12.5)."""

from functools import lru_cache
from typing import Final

from service.domain.default_tags.languages import Language

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


@lru_cache(MAX_CACHED_HEADERS)
def language_for(accept_language: str | None) -> Language:
    """Return the language that a client prefers; English for one that does not say, or wants another one.

    Of equal ones the first; `zh-CN` and `zh-Hant` are both Chinese.
    """
    wanted = sorted(_weights(accept_language or ""), key=lambda each: -each[1])
    known = {language.value: language for language in Language}
    found = (known[name.partition("-")[0]] for name, weight in wanted if weight > 0 and name.partition("-")[0] in known)
    return next(found, Language.ENGLISH)


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

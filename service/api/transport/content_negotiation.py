"""Choose the media type, the encoding and the language of an answer by the weights in the client's headers.

Source: RFC 9110 §12.5.
"""

import re
from functools import lru_cache
from typing import Final

from service.domain.default_tags.languages import Language

GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"
WEIGHT: Final = re.compile(r"0(\.[0-9]*)?|1(\.0*)?")
# The second is an old name of the first (RFC 9110 §8.4.1.3).
GZIP_NAMES: Final = ("gzip", "x-gzip")
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


@lru_cache(MAX_CACHED_HEADERS)
def accepts_gzip(accept_encoding: str | None) -> bool:
    """Tell whether an answer may be compressed, by the Accept-Encoding header; not for a client that does not say."""
    weights = dict(_weights(accept_encoding or ""))
    by_name = max((weights[name] for name in GZIP_NAMES if name in weights), default=None)
    return (weights.get("*", 0.0) if by_name is None else by_name) > 0


def names_media_type(accept: str, media_type: str) -> bool:
    """Tell whether the client names this media type, with a weight, in its Accept header."""
    return dict(_weights(accept)).get(media_type, 0.0) > 0


def _weights(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept.split(","):
        name, *parameters = part.strip().lower().split(";")
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.strip().partition("=")
            if key.strip() == "q":
                weight = _weight(value)
        found.append((name.strip(), weight))
    return found


def _weight(text: str) -> float:
    """Return the number that a weight stands for, from 0 to 1; 0 for anything else."""
    return float(text) if WEIGHT.fullmatch(text.strip()) else 0.0

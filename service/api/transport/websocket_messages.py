"""Check that a message is one of graphql-transport-ws (PROTOCOL.md of the npm package graphql-ws)."""

from collections.abc import Mapping

from service.auth.tokens import bearer_token


def find_protocol_error(message: object) -> str | None:
    """Return why a message is none of graphql-transport-ws; None if it is one, of a known type or not."""
    match message:
        case {"type": str(kind), **rest}:
            pass
        case _:
            return "Message is not an object with a type"
    if kind not in {"subscribe", "complete"}:
        payload = rest.get("payload")
        return None if payload is None or isinstance(payload, dict) else f"The payload of {kind} must be an object"
    match rest.get("id"):
        case str(text) if text:
            pass
        case _:
            return f"{kind} needs a non-empty string as its id"
    return _find_payload_error(rest.get("payload")) if kind == "subscribe" else None


def _find_payload_error(payload: object) -> str | None:
    match payload:
        case {"query": str(), **rest}:
            pass
        case {"documentId": str(), **rest} | {"extensions": {"documentId": _} | {"persistedQuery": _}, **rest}:
            pass
        case _:
            return "subscribe needs a payload with a query"
    if not isinstance(rest.get("query"), str | None) or not isinstance(rest.get("documentId"), str | None):
        return "query and documentId must be strings"
    if not isinstance(rest.get("variables"), dict | None):
        return "variables must be an object"
    if not isinstance(rest.get("operationName"), str | None):
        return "operationName must be a string"
    return None if isinstance(rest.get("extensions"), dict | None) else "extensions must be an object"


def token_of_payload(payload: Mapping[str, object]) -> str | None:
    """Return the token in `{"Authorization": "Bearer …"}`, in any case, or in `{"token": "…"}`."""
    header = header_in_payload(payload, "authorization")
    if header is not None:
        return bearer_token(header) or ""
    token = payload.get("token")
    return token if isinstance(token, str) else None


def header_in_payload(payload: Mapping[str, object], name: str) -> str | None:
    """Return a header that `connection_init` gives in its payload, since browsers can set none on a WebSocket."""
    return next((text for key, text in payload.items() if isinstance(text, str) and key.lower() == name), None)

"""Read a request for Strawberry, where Strawberry would take it too literally."""

from typing import Final, cast

from cross_web import StarletteRequestAdapter
from strawberry.http.types import QueryParams

JSON_PARAMETERS: Final = frozenset({"variables", "extensions"})


class RequestAdapter(StarletteRequestAdapter):
    """Read media types in any case (RFC 9110 §8.3.1), and `null` in the query of a GET as in the body of a POST."""

    @property
    def content_type(self) -> str | None:
        """Return the Content-Type in lower case."""
        content_type = super().content_type
        return None if content_type is None else content_type.lower()

    @property
    def query_params(self) -> QueryParams:
        """Return the parameters of the query, without those that say nothing."""
        given = super().query_params.items()
        said = {name: text for name, text in given if name not in JSON_PARAMETERS or (text or "").strip() != "null"}
        return cast("QueryParams", said)

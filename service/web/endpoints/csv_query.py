"""Read what the address and the headers of an upload say of its list; everything that is wrong is refused at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request

from service.domain.return_data.csv_text import ENCODINGS, CsvEncoding, NoCsvError, encoding_named
from service.domain.return_data.requests import Submission
from service.entities.errors import BadInputError, FieldError
from service.entities.return_data import ReturnMode
from service.foundation.instants import parse_instant

PARAMETERS: Final = frozenset(
    {
        "channelId",
        "category",
        "label",
        "description",
        "mode",
        "openidsOf",
        "expiresAt",
        "idempotencyKey",
        "encoding",
        "column",
    }
)
MAX_NAMED_PARAMETERS: Final = 20
MAX_COLUMN_LENGTH: Final = 200
# Besides those of text: what browsers call a CSV file where Excel is installed, and what `curl --data-binary` says.
MEDIA_TYPES: Final = frozenset(
    {
        "",
        "application/csv",
        "application/octet-stream",
        "application/vnd.ms-excel",
        "application/x-csv",
        "application/x-www-form-urlencoded",
    }
)


@dataclass(frozen=True, slots=True)
class ImportQuery:
    """Hold what an upload says of its list; `channel_id` and `openids_of` are global ids that were not looked at."""

    channel_id: str
    openids_of: str | None
    encoding: CsvEncoding
    column: str | None
    details: Submission


def import_query(request: Request) -> ImportQuery:
    """Return what an upload says of its list. Raises NoCsvError for another media type, BadInputError."""
    _check_media_type(request.headers)
    query = request.query_params
    errors = list(_errors(query))
    if errors:
        raise BadInputError(*errors)
    name = query.get("encoding") or _charset(request.headers)
    return ImportQuery(
        channel_id=query.get("channelId", ""),
        openids_of=query.get("openidsOf"),
        encoding=(name and encoding_named(name)) or CsvEncoding.UTF_8,
        column=query.get("column"),
        details=Submission(
            category=query.get("category", ""),
            label=query.get("label", ""),
            description=query.get("description"),
            openids=(),
            mode=ReturnMode(query.get("mode", ReturnMode.ADD)),
            expires_at=parse_instant(query["expiresAt"]) if "expiresAt" in query else None,
            idempotency_key=query.get("idempotencyKey"),
        ),
    )


def _check_media_type(headers: Headers) -> None:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type.startswith("multipart/"):
        raise NoCsvError("a multipart form: send the file itself as the body")
    if not media_type.startswith("text/") and media_type not in MEDIA_TYPES:
        raise NoCsvError(f"{media_type[:80]}: send it as text/csv")
    if headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise NoCsvError("compressed: send it unpacked")


def _errors(query: QueryParams) -> Iterator[FieldError]:
    names = [name for name, _ in query.multi_items()]
    unknown = [name[:MAX_COLUMN_LENGTH] for name in dict.fromkeys(names) if name not in PARAMETERS]
    for name in unknown[:MAX_NAMED_PARAMETERS]:
        yield FieldError((name,), "UNKNOWN_PARAMETER", f"There are: {', '.join(sorted(PARAMETERS))}.")
    for name in sorted(each for each in PARAMETERS if names.count(each) > 1):
        yield FieldError((name,), "REPEATED_PARAMETER", "Give it once.")
    if query.get("mode", ReturnMode.ADD) not in list(ReturnMode):
        yield FieldError(("mode",), "BAD_VALUE", "ADD or REMOVE.")
    if "expiresAt" in query and not _is_instant(query["expiresAt"]):
        yield FieldError(("expiresAt",), "BAD_FORMAT", "RFC 3339 with an offset.")
    if "encoding" in query and encoding_named(query["encoding"]) is None:
        yield FieldError(("encoding",), "BAD_VALUE", f"One of {', '.join(ENCODINGS)}.")
    if not 1 <= len(query.get("column", "openid")) <= MAX_COLUMN_LENGTH:
        yield FieldError(("column",), "BAD_LENGTH", f"1 to {MAX_COLUMN_LENGTH} characters.")


def _is_instant(text: str) -> bool:
    try:
        parse_instant(text)
    except ValueError:
        return False
    return True


def _charset(headers: Headers) -> str | None:
    for parameter in headers.get("content-type", "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"')
    return None

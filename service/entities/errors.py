"""Define the errors that clients see: each has a stable code, a message and, where inputs are wrong, those inputs."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

FieldPath: TypeAlias = tuple[str | int, ...]
INTERNAL_ERROR_MESSAGE: Final = "Something went wrong on our side."


class RejectionCode(StrEnum):
    """Name why one entry of a list was rejected while the others were kept."""

    MALFORMED_OPENID = "MALFORMED_OPENID"
    MALFORMED_UNIONID = "MALFORMED_UNIONID"
    UNIONID_CONFLICT = "UNIONID_CONFLICT"
    TIME_IN_FUTURE = "TIME_IN_FUTURE"
    BAD_VALUE = "BAD_VALUE"


class ErrorCode(StrEnum):
    """Name the codes that the API shows as `extensions.code`; clients rely on them, so none is ever renamed."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    CHANNEL_NOT_BOUND = "CHANNEL_NOT_BOUND"
    NAME_TAKEN = "NAME_TAKEN"
    CYCLE = "CYCLE"
    TAG_NOT_USABLE = "TAG_NOT_USABLE"
    TAG_PROTECTED = "TAG_PROTECTED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    RATE_LIMITED = "RATE_LIMITED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    PERSISTED_QUERY_ONLY = "PERSISTED_QUERY_ONLY"
    CONFLICT = "CONFLICT"
    UPSTREAM = "UPSTREAM"
    INTERNAL = "INTERNAL"


# The gravest first: a RequestError for several field errors has the code of the gravest.
SEVERITY_ORDER: Final = (
    ErrorCode.BAD_USER_INPUT,
    ErrorCode.LIMIT_EXCEEDED,
    ErrorCode.NOT_FOUND,
    ErrorCode.CYCLE,
    ErrorCode.TAG_NOT_USABLE,
    ErrorCode.NAME_TAKEN,
)


@dataclass(frozen=True, slots=True)
class FieldError:
    """Describe one failing input, what is wrong with it, and the code of a request with this error.

    `path` leads to the input by the names of arguments and attributes and by indexes from 0, as in `("ad_ids", 3)`;
    each way in shows it under its own names. `code` is for programs, `message` for people.
    """

    path: FieldPath
    code: str
    message: str
    request_code: ErrorCode = ErrorCode.BAD_USER_INPUT


class RequestError(Exception):
    """Report that a request was understood and refused; nothing was changed."""

    def __init__(self, code: ErrorCode, message: str, fields: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields


class UnauthenticatedError(RequestError):
    """Report that the request has no valid token."""

    def __init__(self, message: str = "A valid token is needed.") -> None:
        super().__init__(ErrorCode.UNAUTHENTICATED, message)


class ForbiddenError(RequestError):
    """Report that the role of the principal lacks the permission."""

    def __init__(self, message: str = "Your role does not allow this.") -> None:
        super().__init__(ErrorCode.FORBIDDEN, message)


class NotFoundError(RequestError):
    """Report that an object does not exist or belongs to another robot; clients cannot tell which."""

    def __init__(self, what: str) -> None:
        super().__init__(ErrorCode.NOT_FOUND, f"There is no such {what}.")


class BadInputError(RequestError):
    """Report all inputs of a request that are wrong."""

    def __init__(self, *fields: FieldError) -> None:
        super().__init__(ErrorCode.BAD_USER_INPUT, _message_of(fields), fields)


class LimitExceededError(RequestError):
    """Report that a request exceeds a limit: of one request, or of what may exist."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.LIMIT_EXCEEDED, message)


class RateLimitedError(RequestError):
    """Report that there were too many operations, and after how many whole seconds to try again."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(ErrorCode.RATE_LIMITED, f"Too many operations; try again in {retry_after} s.")
        self.retry_after = retry_after


class NameTakenError(RequestError):
    """Report that a living tag of the channel has the same category and name."""

    def __init__(self, *fields: FieldError) -> None:
        super().__init__(ErrorCode.NAME_TAKEN, fields[0].message, fields)


class TagNotUsableError(RequestError):
    """Report that a PENDING or LAPSED tag is used where an ACTIVE one is needed."""

    def __init__(self, message: str, *fields: FieldError) -> None:
        super().__init__(ErrorCode.TAG_NOT_USABLE, message, fields)


class TagProtectedError(RequestError):
    """Report that a default tag can be neither edited nor deleted."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.TAG_PROTECTED, "Default tags can be neither edited nor deleted.")


class ConflictError(RequestError):
    """Report that an object is taken by another robot, or changed since the client read it."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.CONFLICT, message)


class ChannelNotBoundError(RequestError):
    """Report that the gate is closed: no verified Official Account is bound, or this channel is not bound."""

    def __init__(self) -> None:
        super().__init__(
            ErrorCode.CHANNEL_NOT_BOUND,
            "Bind a verified Official Account (and this channel) before using tags.",
        )


class UpstreamError(RequestError):
    """Report that WeChat refused what the request needs of it, or cannot be asked now; `errcode` is WeChat's."""

    def __init__(self, message: str, errcode: int | None = None) -> None:
        super().__init__(ErrorCode.UPSTREAM, message)
        self.errcode = errcode


def raise_field_errors(errors: Iterable[FieldError]) -> None:
    """Raise one RequestError for all errors, the gravest first and with its code; do nothing without errors."""
    fields = tuple(sorted(errors, key=lambda error: SEVERITY_ORDER.index(error.request_code)))
    if fields:
        raise RequestError(fields[0].request_code, _message_of(fields), fields)


def _message_of(fields: tuple[FieldError, ...]) -> str:
    return fields[0].message if len(fields) == 1 else f"{len(fields)} inputs are wrong."

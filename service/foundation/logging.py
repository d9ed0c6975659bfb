"""Write log lines without secrets, as JSON in production and as text otherwise."""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

import orjson

REDACTED: Final = "[redacted]"
QUIET_LOGGERS: Final = ("httpx", "httpcore")
UVICORN_LOGGERS: Final = ("uvicorn", "uvicorn.error", "uvicorn.access")
# A line for every request costs more than it is worth; uvicorn skips it if the logger has no handler.
SILENCED_LOGGERS: Final = ("uvicorn.access",)
# A line for each handshake of a page that may not call, in words of the page's choice, that names no setting of ours.
FAILURES_ONLY: Final = ("strawberry.ws",)
STANDARD_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}

SECRET_NAMES: Final = "token|app_?secret|secret|(?:pg)?password|passwd|api_?key|(?:encoding_?)?aes_?key"  # noqa: S105 - names
SECRET_PATTERNS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(/(?:wechat|ads|export(?:/+audit)?|openapi/label/batchset)/+)[^/?#\s\"'<>]+",
        r"(\bBearer\s+)[A-Za-z0-9._~+/=-]+",
        r"(\bAuthorization[\"']?\s*[:=,]\s*b?[\"']?Basic\s+)[A-Za-z0-9+/=]+",
        # A JWT begins with {" in base64url. The lookbehind keeps a long run of letters from costing n².
        r"()(?<![\w-])eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)*",
        # WeChat takes the app secret and the access token in the query, and answers with the latter in JSON.
        rf"((?<![A-Za-z])(?:{SECRET_NAMES})(?:=[\"']?|[\"']\s*:\s*[\"']))[^&\s\"'<>]+",
        r"(://[^/\s:@]*:)[^/\s]+(?=@)",
        # PostgreSQL and its driver repeat the values of a row that they refuse, openids among them.
        r"(\bDETAIL:\s+(?:Key \([^)\n]*\)=|Failing row contains )?)[^\s][^\n]*",
        r"(\binvalid input for query argument \$\d+: )[^\n]+",
        r"(\binvalid input (?:syntax|value) for [^:\n]+: )[^\n]+",
        r"(\bCOPY \w+, line \d+[^:\n]*: )[^\n]+",
    )
)


class _Handler(logging.StreamHandler[TextIO]):
    """Mark the handler that `configure_logging` put on the root logger, so that the next call replaces it."""


class RedactSecrets(logging.Filter):
    """Redact secrets in the message, its arguments, the traceback and the extra fields of every record.

    Secrets are JWTs, `Bearer …`, the secret segment of `/wechat/…`, `/ads/…`, `/export/…`, `/export/audit/…` and
    `/openapi/label/batchset/…`, the values of `secret`, `token`, `password` and their like in a query, in JSON or as
    arguments, the password of a URL, and the values of a row that PostgreSQL refuses.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place and let it pass; its arguments are folded into its message."""
        record.msg, record.args = redact(_message(record)), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        for name, value in _extra(record).items():
            if not isinstance(value, int | float | None):
                setattr(record, name, redact(str(value)))
        return True


class JsonFormatter(logging.Formatter):
    """Format a record as a JSON object: `at` (UTC), `level`, `logger`, `message`, extras, and `error` (a traceback)."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line = _extra(record) | {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            line["error"] = record.exc_text
        return orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z).decode()


def configure_logging(production: bool) -> None:
    """Send every record of INFO and above to stderr, redacted. Another call replaces the handler of the first.

    Start uvicorn with `log_config=None`; otherwise it installs handlers of its own, which redact nothing.
    """
    handler = _Handler(sys.stderr)
    handler.addFilter(RedactSecrets())
    handler.setFormatter(JsonFormatter() if production else _text_formatter())
    root = logging.getLogger()
    for earlier in [each for each in root.handlers if isinstance(each, _Handler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in UVICORN_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name not in SILENCED_LOGGERS
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in FAILURES_ONLY:
        logging.getLogger(name).setLevel(logging.ERROR)


def redact(text: str) -> str:
    """Return the text with every secret that can be recognised replaced by `[redacted]`."""
    # A client can send half a surrogate pair in JSON, which can be written neither as JSON nor to stderr.
    text = text.encode(errors="backslashreplace").decode()
    for pattern in SECRET_PATTERNS:
        text = pattern.sub(rf"\1{REDACTED}", text)
    return text


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # A wrong format string must not break the code that logs.
        return f"{record.msg} {record.args!r}"


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in STANDARD_FIELDS}


def _text_formatter() -> logging.Formatter:
    return logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", datefmt="%H:%M:%S")

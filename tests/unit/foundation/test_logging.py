"""Log one JSON object a line in production, readable lines otherwise, and no secret in any of them."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from service.foundation.logging import configure_logging, redact

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl-_"
LOG = logging.getLogger("test.logs")


def records(log_lines: Callable[[], list[str]]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log_lines()]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"token {TOKEN}.", "token [redacted]"),
        (f"'{TOKEN}'", "'[redacted]'"),
        (TOKEN.rpartition(".")[0], "[redacted]"),
        ("Authorization: Bearer abc.def/x==", "Authorization: Bearer [redacted]"),
        ("authorization: bearer abc", "authorization: bearer [redacted]"),
        ("POST /wechat/s3cr3t?signature=1", "POST /wechat/[redacted]?signature=1"),
        ("GET /ads/s3cr3t/ HTTP/1.1", "GET /ads/[redacted]/ HTTP/1.1"),
        ("/openapi/label/batchset/s3cr3t", "/openapi/label/batchset/[redacted]"),
        ("https://host/prefix//wechat//s3%63r3t", "https://host/prefix//wechat//[redacted]"),
        ("/cgi-bin/token?appid=wx1&secret=s3cr3t&x=1", "/cgi-bin/token?appid=wx1&secret=[redacted]&x=1"),
        ("/cgi-bin/tags/get?access_token=s3cr3t", "/cgi-bin/tags/get?access_token=[redacted]"),
        ('{"access_token": "s3cr3t","n":1}', '{"access_token": "[redacted]","n":1}'),
        ("GET /export/s3cr3t.link-1?x=1", "GET /export/[redacted]?x=1"),
        ("GET /export/audit/s3cr3t.link-1?x=1", "GET /export/audit/[redacted]?x=1"),
        ("/graphql?token=s3cr3t&query=x", "/graphql?token=[redacted]&query=x"),
        ("host=db password=s3cr3t user=x", "host=db password=[redacted] user=x"),
        ("connect(password='s3cr3t', port=1)", "connect(password='[redacted]', port=1)"),
        ("PGPASSWORD=s3cr3t", "PGPASSWORD=[redacted]"),
        ('{"encodingAesKey": "s3cr3t"}', '{"encodingAesKey": "[redacted]"}'),
        ("(b'authorization', b'Basic czNjcjN0')", "(b'authorization', b'Basic [redacted]')"),
        (
            "x\nDETAIL:  Key (channel_id, openid)=(1, oA)b) already exists.\ny",
            "x\nDETAIL:  Key (channel_id, openid)=[redacted]\ny",
        ),
        ("DETAIL:  Failing row contains (1, oAnn, null).", "DETAIL:  Failing row contains [redacted]"),
        (
            "invalid input for query argument $2: 'oAnn' (an integer is required)",
            "invalid input for query argument $2: [redacted]",
        ),
        ('invalid input syntax for type bigint: "oAnn"', "invalid input syntax for type bigint: [redacted]"),
        (
            'CONTEXT:  COPY channel_user, line 3, column openid: "oAnn"',
            "CONTEXT:  COPY channel_user, line 3, column openid: [redacted]",
        ),
        (
            "the password is wrong; no secret: none, token expired",
            "the password is wrong; no secret: none, token expired",
        ),
        ("postgresql://user:s3cr3t@db/tags", "postgresql://user:[redacted]@db/tags"),
        ("postgresql://user:s3@cr3t@db/tags", "postgresql://user:[redacted]@db/tags"),
        ("redis://:s3cr3t@cache:6379", "redis://:[redacted]@cache:6379"),
        ("http://127.0.0.1:8000/healthz", "http://127.0.0.1:8000/healthz"),
        ("GET /graphql 200, wechat is up, tokens: 3", "GET /graphql 200, wechat is up, tokens: 3"),
        ("half a pair \ud800", r"half a pair \ud800"),
    ],
)
def test_redaction(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "unit", ["eyJ", "eyJ-", "://", "://a:@", "Bearer ", "/wechat/", "secret=", "eyJa.", "DETAIL: ", "COPY a, line 1"]
)
def test_redaction_takes_linear_time(unit: str) -> None:
    text = unit * (400_000 // len(unit))
    started = time.process_time()
    redact(text)
    assert time.process_time() - started < 5


def test_one_json_object_a_line(log_lines: Callable[[], list[str]]) -> None:
    configure_logging(production=True)
    LOG.info("bound %s\nand %d more", "wx1", 2, extra={"robot": "r-1", "took_ms": 12.5, "ids": [1]})
    (record,) = records(log_lines)
    assert record["message"] == "bound wx1\nand 2 more"
    assert (record["level"], record["logger"]) == ("INFO", "test.logs")
    assert (record["robot"], record["took_ms"], record["ids"]) == ("r-1", 12.5, "[1]")
    assert record["at"].endswith("Z")


def test_readable_in_development(log_lines: Callable[[], list[str]]) -> None:
    configure_logging(production=False)
    LOG.warning("bound %s", "wx1")
    (line,) = log_lines()
    assert line.endswith("WARNING test.logs: bound wx1")


def test_a_refused_handshake_is_not_logged_but_a_failure_is(log_lines: Callable[[], list[str]]) -> None:
    configure_logging(production=True)
    logging.getLogger("strawberry.ws").warning("Rejected WebSocket connection from origin %r", "https://a.example")
    logging.getLogger("strawberry.ws.task").error("a task failed")
    (line,) = log_lines()
    assert "a task failed" in line


def test_debug_is_not_logged(log_lines: Callable[[], list[str]]) -> None:
    configure_logging(production=True)
    LOG.debug("noise")
    assert log_lines() == []


@pytest.mark.parametrize("production", [True, False])
def test_secrets_in_message_arguments_extras_and_traceback(
    log_lines: Callable[[], list[str]], production: bool
) -> None:
    configure_logging(production)
    try:
        raise RuntimeError(f"refused Bearer s3cr3t and {TOKEN}")  # noqa: TRY301
    except RuntimeError:
        LOG.exception("/ads/s3cr3t", stack_info=True, extra={"path": "/wechat/s3cr3t", "both": [TOKEN]})
    LOG.info("Bearer %s, %s", "s3cr3t", TOKEN)
    LOG.info("%(path)s", {"path": "/wechat/s3cr3t"})
    text = "\n".join(log_lines())
    assert "s3cr3t" not in text
    assert TOKEN.split(".")[1] not in text
    assert "RuntimeError: refused Bearer [redacted]" in text


def test_a_wrong_format_string_breaks_nothing(
    log_lines: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own would raise
    configure_logging(production=True)
    LOG.info("%d of %d", "Bearer s3cr3t")  # noqa: PLE1206
    (record,) = records(log_lines)
    assert "%d of %d" in record["message"]
    assert "s3cr3t" not in record["message"]


def test_half_a_surrogate_pair_is_logged(log_lines: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    configure_logging(production=True)
    # Not past pytest, which keeps what was logged for its report, and cannot hand that over to another process.
    ours = [each for each in logging.getLogger().handlers if type(each).__module__ == "service.foundation.logging"]
    monkeypatch.setattr(LOG, "handlers", ours)
    monkeypatch.setattr(LOG, "propagate", False)
    LOG.info("name %s", "\ud800")
    (record,) = records(log_lines)
    assert record["message"] == r"name \ud800"


def test_configuring_twice_logs_once(log_lines: Callable[[], list[str]]) -> None:
    configure_logging(production=False)
    configure_logging(production=True)
    LOG.info("once")
    assert [record["message"] for record in records(log_lines)] == ["once"]


def test_handlers_of_others_stay(log_lines: Callable[[], list[str]]) -> None:
    others = logging.getLogger().handlers[:]
    configure_logging(production=True)
    assert logging.getLogger().handlers[:-1] == others

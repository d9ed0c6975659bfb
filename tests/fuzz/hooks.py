"""Hook into Schemathesis: choose the principal of each request, fill in known values, and check the answer."""

import os
import re
from collections import OrderedDict
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any, Final

import schemathesis
from graphql import StringValueNode, build_schema, print_ast
from hypothesis import strategies as st

from tests.fuzz.answers import EVENT_STREAM, GRAPHQL_RESPONSE, JSON, response_errors, stream_errors
from tests.fuzz.bodies import request_body, with_flipped_booleans
from tests.fuzz.forms import with_directives
from tests.fuzz.substitution import with_known_values
from tests.fuzz.world import SCHEMA_FILE, FuzzedRobot

SCHEMA: Final = build_schema(Path(os.environ[SCHEMA_FILE]).read_text(encoding="utf-8"))
# Schemathesis knows no subscriptions, so these are made as if they were queries.
STREAMS: Final = SCHEMA.query_type is SCHEMA.get_type("Subscription")
ACCEPTED: Final = (EVENT_STREAM,) if STREAMS else (None, JSON, GRAPHQL_RESPONSE)
# Admins see and do the most, so most requests are theirs.
ROLES: Final = ("admin", "admin", "admin", "admin", "admin", "creator", "agent", "integrator", "narrowed", "nobody")
RESTORE_INTERVAL: Final = 150
CALLS_PER_ROBOT: Final = 3_000
# After these nothing else gets far; a few more calls see the state they leave.
UNBINDING_OPERATIONS: Final = {"Mutation.unbindChannel", "Mutation.updateChannel", "Mutation.bindChannel"}
CALLS_AFTER_UNBINDING: Final = 6

world: Final = FuzzedRobot()


class _BoundedDict(OrderedDict[str, str]):
    """Forget the oldest entries."""

    def __init__(self, max_size: int) -> None:
        super().__init__()
        self._max_size = max_size

    def __setitem__(self, key: str, value: str) -> None:
        super().__setitem__(key, value)
        if len(self) > self._max_size:
            self.popitem(last=False)


class _CallCounter:
    """Count the calls, and restore the world when it is time."""

    def __init__(self) -> None:
        self._calls = 0
        self._due = RESTORE_INTERVAL

    def next(self) -> bool:
        """Return whether it is a call with variables."""
        self._calls += 1
        if self._calls % CALLS_PER_ROBOT == 0:
            world.new_robot()
        elif self._calls >= self._due:
            world.restore()
            self._due = self._calls + RESTORE_INTERVAL
        return self._calls % 2 == 0

    def restore_soon(self) -> None:
        self._due = min(self._due, self._calls + CALLS_AFTER_UNBINDING)


call_counter: Final = _CallCounter()
# What the last requests ask for, in the form that the checks read.
sent_queries: Final = _BoundedDict(1_000)

_offsets: Final = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_any_time: Final = st.datetimes(timezones=_offsets).map(datetime.isoformat)
_lately: Final = st.integers(-300_000, 600).map(lambda ago: (datetime.now(UTC) + timedelta(seconds=ago)).isoformat())
_no_time: Final = st.sampled_from(
    ["", "yesterday", "2026-02-30T00:00:00Z", "2026-03-01T12:00:00", "0000-01-01T00:00:00Z"]
)
schemathesis.graphql.scalar(
    "DateTime", st.one_of(_lately, _lately, _any_time, _no_time).map(lambda text: StringValueNode(value=text))
)


@schemathesis.hook
def before_generate_headers(_context: Any, _strategy: Any) -> Any:
    """Draw for each request a principal and a preferred media type."""
    return st.builds(_headers, st.sampled_from(ROLES), st.sampled_from(ACCEPTED))


def _headers(role: str, accept: str | None) -> dict[str, str]:
    headers = {} if role == "nobody" else {"Authorization": f"Bearer {world.token(role)}"}
    return headers if accept is None else headers | {"Accept": accept}


@schemathesis.hook
def flatmap_body(_context: Any, body: Any) -> Any:
    """Draw the body with its text, since what is drawn alone is often the same; it is the same again when replayed."""
    text = print_ast(body)
    drawn = st.integers(0, 2**32 - 1)
    return drawn.map(lambda number: with_known_values(SCHEMA, body, world.channels, Random(f"{number} {text}")))


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    variables = call_counter.next()
    if isinstance(case.body, str):
        query = sent_queries[case.id] = with_directives(case.body)
        case.body = request_body(SCHEMA, query, variables=variables, subscription=STREAMS)
        if variables and case.operation.definition.is_query and not STREAMS:
            world.send(with_flipped_booleans(case.body), dict(case.headers or {}))


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    if case.operation.label in UNBINDING_OPERATIONS and b'"data":{' in response.content:
        call_counter.restore_soon()
    if STREAMS:
        world.add_cursors(found.decode() for found in re.findall(rb'"cursor":"([^"]+)"', response.content))


@schemathesis.check
def answers_as_promised(_context: Any, response: Any, case: Any) -> None:
    response_fields = {"status": response.status_code, "content_type": response.headers["content-type"][0]}
    query = sent_queries[case.id]
    has_token = "Authorization" in (case.headers or {})
    if STREAMS:
        faults = stream_errors(SCHEMA, query, body=response.content, has_token=has_token, **response_fields)
    else:
        accept = (case.headers or {}).get("Accept")
        faults = response_errors(
            SCHEMA, query, accept=accept, body=response.content, has_token=has_token, **response_fields
        )
    assert not faults, "\n".join(faults)

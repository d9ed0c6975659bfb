"""Open connections to Valkey, and name the errors by which one is lost."""

from typing import Final, TypeAlias

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError, ResponseError

Valkey: TypeAlias = Redis

VALKEY_ERRORS: Final = (RedisError, OSError)
# The answer of a server that is there: one of VALKEY_ERRORS, but no connection was lost.
CommandRefusedError: TypeAlias = ResponseError


def open_valkey(url: str, *, answer_timeout: float) -> Valkey:
    """Return a client that gives up on an answer after `answer_timeout` seconds. It connects with its first command."""
    valkey: Valkey = Redis.from_url(
        url,
        socket_timeout=answer_timeout,
        socket_connect_timeout=2,
        health_check_interval=15,
        retry=Retry(ExponentialBackoff(cap=0.5), 1),
    )
    return valkey

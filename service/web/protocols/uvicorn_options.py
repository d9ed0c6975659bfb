"""Configure uvicorn: what is taken from a connection, how long it may take, and what is switched off."""

from functools import partial
from typing import Any

from service.foundation.settings import ClientLimits
from service.web.protocols.http import TimeoutProtocol
from service.web.protocols.websocket import Heartbeat, PushProtocol


def uvicorn_options(limits: ClientLimits) -> dict[str, Any]:
    """Return the options of uvicorn that the service relies on, in production and in tests."""
    return {
        "http": partial(TimeoutProtocol, limits=limits),
        "ws": partial(PushProtocol, heartbeat=Heartbeat(limits.ping_every, limits.pong_within)),
        "ws_per_message_deflate": False,
        "ws_max_size": limits.message_bytes,
        "log_config": None,
        "access_log": False,
        "server_header": False,
    }

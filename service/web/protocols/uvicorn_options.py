"""Configure uvicorn: what is taken from a connection, how long it may take, and what is switched off."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from service.foundation.settings import ClientLimits
from service.web.protocols.http import TimeoutProtocol
from service.web.protocols.websocket import Heartbeat, PushProtocol


def uvicorn_options(limits: ClientLimits, trusted_proxies: Sequence[str] = ()) -> dict[str, Any]:
    """Return the options of uvicorn that the service relies on, in production and in tests.

    Only what a trusted proxy says of the address of a client is believed.
    """
    heartbeat = Heartbeat(limits.ping_every, limits.pong_within)
    return {
        "proxy_headers": bool(trusted_proxies),
        "forwarded_allow_ips": list(trusted_proxies),
        "http": partial(TimeoutProtocol, limits=limits),
        "ws": partial(PushProtocol, heartbeat=heartbeat, init_bytes=limits.init_bytes),
        "ws_per_message_deflate": False,
        "ws_max_size": limits.message_bytes,
        "log_config": None,
        "access_log": False,
        "server_header": False,
    }

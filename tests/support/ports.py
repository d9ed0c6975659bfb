"""Ports for the servers and programs that tests start."""

import socket
import time
from contextlib import suppress
from typing import Final

from service.dev.stack.programs import LOOPBACK

# Below the range that outgoing connections take theirs from: nobody sits on a port while its server is down. Each
# process of a run begins somewhere else, so that two that look at the same time do not find the same one.
PORT_CANDIDATES: Final = iter(range(14_000 + time.monotonic_ns() // 1000 % 17_000, 32_000))


def free_port() -> int:
    """A port nobody listens on, different each time."""
    for port in PORT_CANDIDATES:
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise AssertionError("no free port")

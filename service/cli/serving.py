"""`user-tags serve`: run the web process, or several that share a port."""

import os
import sys
from typing import Final

import uvicorn

from service.dev.stack.addresses import ResolvedSettings
from service.dev.stack.supervisor import port_error
from service.foundation.logging import configure_logging
from service.web.app import make_app
from service.web.protocols.uvicorn_options import uvicorn_options
from service.web.protocols.websocket import raise_file_descriptor_limit

# Seconds: a page that has stopped reading must not hold up a restart for longer.
GRACEFUL_SHUTDOWN_TIMEOUT: Final = 5
APP_FACTORY: Final = "service.web.app:app_from_environment"


def run_web_processes(resolved: ResolvedSettings, *, host: str, port: int, workers: int) -> None:
    """Serve the API until told to stop. Raises SystemExit where the port is taken.

    Raises SettingsError where the application cannot be made. It is also made here for several workers, since uvicorn
    would start again for ever what cannot start.
    """
    taken = port_error(host, port)
    if taken is not None:
        sys.exit(f"user-tags: {taken}")
    raise_file_descriptor_limit()
    os.environ.update(resolved.environment())
    configure_logging(resolved.settings.production)
    app = make_app(resolved.settings)
    uvicorn.run(
        app if workers == 1 else APP_FACTORY,
        factory=workers > 1,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_TIMEOUT,
        **uvicorn_options(resolved.settings.client_limits, resolved.settings.trusted_proxies),
    )

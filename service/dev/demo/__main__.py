"""`python -m service.dev.demo`: a robot with simulated WeChat traffic, until SIGTERM or SIGINT."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from service.dev.demo.binding import BindingRejectedError, ServiceTarget
from service.dev.demo.hosting import serve_app
from service.dev.demo.platform import WechatPlatform
from service.dev.demo.scenario import Scenario
from service.dev.demo.server import platform_app
from service.foundation.settings import DemoSettings, Settings, SettingsError, read_demo_settings, read_settings

logger = logging.getLogger("user_tags.demo")


def read_service(environment: Mapping[str, str]) -> ServiceTarget:
    """Return where the service is and how it checks tokens; raises SettingsError."""
    settings = read_settings(environment)
    if settings.jwt_secret is None:
        raise SettingsError("USER_TAGS_JWT_SECRET must be the secret of the service.")
    return ServiceTarget(
        url=read_demo_settings(environment).service_url,
        jwt_secret=settings.jwt_secret,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        # Else a service left at its default would take the made-up secrets to the real WeChat.
        send_app_secret=settings.wechat_api_url != Settings().wechat_api_url,
    )


async def run(service: ServiceTarget, settings: DemoSettings) -> None:
    """Run the platform and its crowd until the process is told to stop."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    # Proxies from the environment are for the world outside, and all of this is on one machine.
    async with httpx.AsyncClient(trust_env=False) as client:
        platform = WechatPlatform(client, max_deliveries=1_000)
        async with serve_app(platform_app(platform), _available_port(settings.port)) as address:
            logger.info("the imitated WeChat platform is at %s", address)
            file = Path(settings.file) if settings.file else None
            scenario = Scenario(platform, client, service, address, file, settings.rate)
            await _run_until(stop, asyncio.create_task(scenario.run()))


def _available_port(port: int) -> int:
    """The wished-for port, or 0 (any free one) when somebody else has it: the demo tells its address anyway."""
    try:
        with socket.create_server(("127.0.0.1", port)):
            return port
    except OSError:
        return 0


async def _run_until(stop: asyncio.Event, work: asyncio.Task[None]) -> None:
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (work, stopping):
        task.cancel()
    _, outcome = await asyncio.gather(stopping, work, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="demo: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    status = 0
    try:
        asyncio.run(run(read_service(os.environ), read_demo_settings()))
    except* (SettingsError, ValueError, OSError, BindingRejectedError) as group:
        for error in _leaf_errors(group):
            logger.error("%s", error)  # noqa: TRY400 (these are for people, and a stack would hide them)
        status = 1
    return status


def _leaf_errors(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        yield from _leaf_errors(error) if isinstance(error, BaseExceptionGroup) else (error,)


if __name__ == "__main__":
    sys.exit(main())

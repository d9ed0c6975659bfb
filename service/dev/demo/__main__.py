"""Run a demo robot with simulated WeChat traffic until SIGTERM or SIGINT: `python -m service.dev.demo`."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from service.dev.demo.binding import BindingRejectedError, ServiceTarget
from service.dev.demo.environment import refuse_production
from service.dev.demo.hosting import serve_app
from service.dev.demo.platform import WechatPlatform
from service.dev.demo.scenario import Scenario
from service.dev.demo.server import platform_app
from service.foundation.settings import DemoSettings, Settings, SettingsError, read_demo_settings, read_settings

logger = logging.getLogger("user_tags.demo")


def read_service(environment: Mapping[str, str]) -> ServiceTarget:
    """Return where the service is and how its tokens are signed.

    Raises SettingsError if there is no shared secret, and in production.
    """
    settings = read_settings(environment)
    refuse_production(settings)
    if settings.jwt_secret is None:
        raise SettingsError("USER_TAGS_JWT_SECRET must be the secret of the service.")
    return ServiceTarget(
        url=read_demo_settings(environment).service_url,
        jwt_secret=settings.jwt_secret,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        # A service with the default setting would send the made-up secret to the real WeChat.
        send_app_secret=settings.wechat_api_url != Settings().wechat_api_url,
    )


async def run(service: ServiceTarget, settings: DemoSettings) -> None:
    """Run the platform and its simulated users until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    # No proxies from the environment: everything is on one machine.
    async with httpx.AsyncClient(trust_env=False) as client:
        platform = WechatPlatform(client, max_deliveries=1_000)
        async with serve_app(platform_app(platform), settings.port) as address:
            logger.info("the imitated WeChat platform is at %s", address)
            file = Path(settings.file) if settings.file else None
            scenario = Scenario(platform, client, service, address, file, settings.rate)
            await _run_until(stop, asyncio.create_task(scenario.run()))


async def _run_until(stop: asyncio.Event, work: asyncio.Task[None]) -> None:
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (work, stopping):
        task.cancel()
    _, outcome = await asyncio.gather(stopping, work, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome


def main() -> int:
    """Run the demo, and log errors without their stack; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="demo: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    status = 0
    try:
        asyncio.run(run(read_service(os.environ), read_demo_settings()))
    except* (SettingsError, ValueError, OSError, BindingRejectedError) as group:
        for error in _leaf_errors(group):
            logger.error("%s", error)  # noqa: TRY400 - a stack would hide the message
        status = 1
    return status


def _leaf_errors(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        yield from _leaf_errors(error) if isinstance(error, BaseExceptionGroup) else (error,)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m service.demo`: a robot with simulated WeChat traffic, until SIGTERM or SIGINT."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from service.demo.binding import BindingRefusedError, Service
from service.demo.hosting import serving
from service.demo.platform import WechatPlatform
from service.demo.server import platform_app
from service.demo.show import Show

logger = logging.getLogger("user_tags.demo")


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What the environment says. `rate` is in events per second; port 0 means a free one."""

    service: Service = field(repr=False)
    port: int
    file: Path | None
    rate: float


def read_demo_settings(environment: Mapping[str, str]) -> DemoSettings:
    """Read `USER_TAGS_DEMO_…` and how the service checks tokens; raises ValueError."""
    secret = environment.get("USER_TAGS_JWT_SECRET", "").strip()
    if not secret:
        raise ValueError("USER_TAGS_JWT_SECRET must be the secret of the service.")
    service = Service(
        url=environment.get("USER_TAGS_DEMO_SERVICE_URL", "http://127.0.0.1:8000").rstrip("/"),
        jwt_secret=secret,
        issuer=environment.get("USER_TAGS_JWT_ISSUER") or None,
        audience=environment.get("USER_TAGS_JWT_AUDIENCE") or None,
        # Else a service left at its default would take the made-up secrets to the real WeChat.
        hand_over_secrets=bool(environment.get("USER_TAGS_WECHAT_API_URL")),
    )
    path = environment.get("USER_TAGS_DEMO_FILE")
    return DemoSettings(
        service=service,
        port=int(environment.get("USER_TAGS_DEMO_PORT") or 8089),
        file=Path(path) if path else None,
        rate=float(environment.get("USER_TAGS_DEMO_RATE") or 2.0),
    )


async def run(settings: DemoSettings) -> None:
    """Run the platform and its crowd until the process is told to stop."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    # Proxies from the environment are for the world outside, and all of this is on one machine.
    async with httpx.AsyncClient(trust_env=False) as client:
        platform = WechatPlatform(client, remember=1_000)
        async with serving(platform_app(platform), _free_or_any(settings.port)) as address:
            logger.info("the imitated WeChat platform is at %s", address)
            show = Show(platform, client, settings.service, address, settings.file, settings.rate)
            await _until(stop, asyncio.create_task(show.run()))


def _free_or_any(port: int) -> int:
    """The wished-for port, or 0 (any free one) when somebody else has it: the demo tells its address anyway."""
    try:
        with socket.create_server(("127.0.0.1", port)):
            return port
    except OSError:
        return 0


async def _until(stop: asyncio.Event, work: asyncio.Task[None]) -> None:
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
        asyncio.run(run(read_demo_settings(os.environ)))
    except* (ValueError, OSError, BindingRefusedError) as group:
        for error in _single(group):
            logger.error("%s", error)  # noqa: TRY400 (these are for people, and a stack would hide them)
        status = 1
    return status


def _single(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        yield from _single(error) if isinstance(error, BaseExceptionGroup) else (error,)


if __name__ == "__main__":
    sys.exit(main())

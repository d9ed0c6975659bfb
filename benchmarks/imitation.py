"""Run the imitated server API of WeChat in a process of its own, so that its time is not taken for ours.

As a program it takes the port, how many followers are computed for the account whose followers are imported, whether
messages are taken without looking at them, and a file with the openids that follow the account of the loaded channel.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx

from benchmarks.machine import LOADED_APP_ID, Machine
from benchmarks.programs import free_port, wait_until_listening
from service.dev.demo.hosting import serve_app
from service.dev.demo.platform import WechatPlatform
from service.dev.demo.server import platform_app
from service.dev.demo.wechat_api.behaviour import Records
from service.dev.demo.wechat_api.books.accounts import Account
from service.dev.demo.wechat_api.limits import QUOTAS, Quota
from service.domain.runtime import Runtime
from service.foundation.clock import system_clock
from service.wechat.api.transport import WechatTransport

APP_SECRET: Final = "be4c4be4c4be4c4be4c4be4c4be4c4be"  # noqa: S105 - of an account that exists only here
LOADED_ACCOUNT: Final = Account(app_id=LOADED_APP_ID, gh_id="gh_loaded", token="benchmark", secret=APP_SECRET)  # noqa: S106
CROWDED_ACCOUNT: Final = Account(app_id="wxbenchmark0000002", gh_id="gh_crowded", token="benchmark", secret=APP_SECRET)  # noqa: S106
CROWD_FOLLOWED_FOR: Final = timedelta(days=300)
UNLIMITED: Final = 10**9
LIMITLESS: Final = "limitless"
LIMITED: Final = "limited"


@asynccontextmanager
async def imitated_wechat(
    followers: int, openids: Path | None = None, *, limitless: bool = False
) -> AsyncIterator[tuple[str, int]]:
    """Run it with a crowd at one account and the openids of a file, one a line, at another; yield address and pid.

    With `limitless` it takes every message and keeps nothing of it.
    """
    port = free_port()
    switch = LIMITLESS if limitless else LIMITED
    arguments = [str(port), str(followers), switch, *([] if openids is None else [str(openids)])]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.imitation", *arguments)
    try:
        await wait_until_listening(port)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def acting_runtime(machine: Machine, url: str) -> AsyncIterator[Runtime]:
    """Yield a runtime on the measured database that calls this address, by the clock of the system."""
    settings = replace(machine.runtime.settings, wechat_api_url=url)
    transport = WechatTransport(settings)
    try:
        yield replace(machine.runtime, clock=system_clock, settings=settings, wechat=transport)
    finally:
        await transport.aclose()


async def _serve(port: int, followers: int, openids: list[str], *, limitless: bool) -> None:
    async with httpx.AsyncClient() as client:
        platform = WechatPlatform(client, max_deliveries=1)
        behaviour = platform.books.behaviour
        behaviour.limitless, behaviour.mass_takes = limitless, timedelta()
        behaviour.records = Records.NOTHING if limitless else Records.EACH
        loaded, crowded = map(platform.books.register, (LOADED_ACCOUNT, CROWDED_ACCOUNT))
        crowded.people.set_crowd(followers, platform.clock() - CROWD_FOLLOWED_FOR)
        for openid in openids:
            loaded.follow(openid, platform.clock())
        for path in QUOTAS:
            for books in (loaded, crowded):
                books.quotas.set_quota(path, Quota(daily=UNLIMITED, calls=UNLIMITED))
        async with serve_app(platform_app(platform), port):
            await asyncio.Event().wait()


def _main(port: str, followers: str, switch: str, openids: str | None = None) -> None:
    known = [] if openids is None else Path(openids).read_text(encoding="ascii").split()
    asyncio.run(_serve(int(port), int(followers), known, limitless=switch == LIMITLESS))


if __name__ == "__main__":
    _main(*sys.argv[1:])

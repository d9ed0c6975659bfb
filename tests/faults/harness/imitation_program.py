"""Serve the imitated server API of WeChat in a process of its own, which no fault befalls.

`python -m tests.faults.harness.imitation_program PORT CLOCK_OFFSET_FILE LIMITS`, the limits in JSON.
"""

import asyncio
import json
import sys
from typing import Final

import httpx

from service.dev.demo.hosting import serve_app
from service.dev.demo.platform import WechatPlatform
from service.dev.demo.server import platform_app
from service.dev.demo.wechat_api.books.accounts import Account
from service.dev.demo.wechat_api.limits import Limits
from service.entities.channels import ChannelKind
from service.foundation.clock import make_clock
from tests.faults.harness.bound_channel import (
    AES_KEY,
    APP_ID,
    APP_SECRET,
    CALLBACK_TOKEN,
    MINI_PROGRAM_APP_ID,
    SUBSCRIPTION_APP_ID,
)

# Every push is lost, unless a test has them sent elsewhere: what people do becomes known by asking only.
NOBODY: Final = "http://127.0.0.1:9/"
ACCOUNTS: Final = {
    APP_ID: ChannelKind.SERVICE_ACCOUNT,
    MINI_PROGRAM_APP_ID: ChannelKind.MINI_PROGRAM,
    SUBSCRIPTION_APP_ID: ChannelKind.SUBSCRIPTION_ACCOUNT,
}


async def serve(port: int, clock_offset_file: str, limits: Limits) -> None:
    """Serve until killed; the time is that of the installation."""
    async with httpx.AsyncClient(trust_env=False) as client:
        platform = WechatPlatform(client, make_clock(clock_offset_file), max_deliveries=1, limits=limits)
        for number, (app_id, kind) in enumerate(ACCOUNTS.items()):
            platform.register(
                Account(
                    app_id=app_id,
                    gh_id=f"gh_97417a04a28{number}",
                    token=CALLBACK_TOKEN,
                    secret=APP_SECRET,
                    encoding_aes_key=AES_KEY,
                    callback_url=NOBODY,
                    kind=kind,
                )
            )
        async with serve_app(platform_app(platform), port):
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], Limits(**json.loads(sys.argv[3]))))

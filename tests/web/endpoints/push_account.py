"""Push as WeChat does to one bound channel, over real HTTP."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from service.dev.demo.push_encoder import BodyFormat, Mode, PushFields, encode_push
from tests.support.robot import Robot

TOKEN: Final = "CallbackToken123"
KEY: Final = "Zx9" * 14 + "A"
ADA: Final = "oAda_000000000000000000000001"
_nonces: Final = itertools.count(415670741)


@dataclass(frozen=True)
class PushingAccount:
    """Hold an account and the address that its pushes go to."""

    robot: Robot
    channel: str
    app_id: str
    url: str
    token: str = TOKEN
    key: str | None = KEY

    def encrypt(
        self,
        fields: PushFields,
        *,
        mode: Mode | None = None,
        sent: datetime | None = None,
        body_format: BodyFormat = "xml",
    ) -> tuple[dict[str, str], bytes]:
        """Return query and body of a push, in safe mode when there is a key."""
        return encode_push(
            fields,
            token=self.token,
            encoding_aes_key=self.key,
            app_id=self.app_id,
            now=sent or datetime.now(UTC),
            mode=mode or ("plain" if self.key is None else "safe"),
            nonce=str(next(_nonces)),
            body_format=body_format,
        )

    async def push(self, fields: PushFields, **given: Any) -> httpx.Response:
        """Push these fields as WeChat would."""
        return await self.post(*self.encrypt(fields, **given))

    async def post(self, query: Mapping[str, str], body: bytes) -> httpx.Response:
        """Send any query and body to the push address."""
        return await self.robot.web.http.post(self.url, params=query, content=body)

    def with_changes(self, **changes: Any) -> "PushingAccount":
        """Return the account with other secrets or another address, as a forger would have it."""
        return replace(self, **changes)


async def bind_account(robot: Robot, *, encrypted: bool = True, **given: Any) -> PushingAccount:
    """Bind a channel that takes pushes."""
    secrets = {"callbackToken": TOKEN} | ({"encodingAesKey": KEY} if encrypted else {})
    channel = await robot.bind(**(secrets | given))
    return PushingAccount(robot, channel["id"], channel["appId"], channel["pushUrl"], key=KEY if encrypted else None)


def message_fields(openid: str = ADA, at: datetime | None = None, **changes: str) -> dict[str, str]:
    """Return the fields of a text message."""
    return {
        "ToUserName": "gh_97417a04a28d",
        "FromUserName": openid,
        "CreateTime": str(int((at or datetime.now(UTC)).timestamp())),
        "MsgType": "text",
        "Content": "你好 <]]>",
        "MsgId": "24012345678901234",
        **changes,
    }


def event_fields(name: str, openid: str = ADA, at: datetime | None = None, **changes: str) -> dict[str, str]:
    """Return the fields of an event."""
    fields = message_fields(openid, at)
    del fields["Content"], fields["MsgId"]
    return {**fields, "MsgType": "event", "Event": name, **changes}

"""Bind the channel of an installation, and send to it as WeChat and the robot's backend do."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from service.auth.tokens import sign_token
from service.dev.demo.push_encoder import encode_push
from service.entities.ids import parse_gid
from service.entities.principal import Role
from service.entities.users import EventKind
from service.foundation.settings import Settings
from tests.support.processes import JWT_SECRET

APP_ID: Final = "wx00000000000fau17"
CALLBACK_TOKEN: Final = "CallbackToken123"
AES_KEY: Final = "Zx9" * 14 + "A"
APP_SECRET: Final = "fa017fa017fa017fa017fa017fa017f0"
# Of other accounts of the same owner, with the same credentials.
MINI_PROGRAM_APP_ID: Final = "wx00000000000fau18"
SUBSCRIPTION_APP_ID: Final = "wx00000000000fau19"

BIND: Final = """
mutation Bind($input: BindChannelInput!) { bindChannel(input: $input) { channel { id pushUrl } } }
"""
UNBIND: Final = """
mutation Unbind($id: ID!) { unbindChannel(id: $id) { channel { id } } }
"""
RECORD: Final = """
mutation Record($input: RecordEventsInput!) { recordEvents(input: $input) { accepted rejected { index code } } }
"""
PUSH_FIELDS: Final[dict[EventKind, dict[str, str]]] = {
    EventKind.FOLLOW: {"MsgType": "event", "Event": "subscribe", "EventKey": ""},
    EventKind.UNFOLLOW: {"MsgType": "event", "Event": "unsubscribe", "EventKey": ""},
    EventKind.MESSAGE: {"MsgType": "text", "Content": "你好", "MsgId": "24012345678901234"},
    EventKind.MENU_CLICK: {"MsgType": "event", "Event": "CLICK", "EventKey": "menu"},
    EventKind.SCAN: {"MsgType": "event", "Event": "SCAN", "EventKey": "1", "Ticket": "gQ"},
}


@dataclass(frozen=True, slots=True)
class BoundChannel:
    gid: str
    push_path: str

    @property
    def channel_id(self) -> int:
        found = parse_gid(self.gid, "Channel", 1)
        assert found is not None
        return found[0]


def token(role: Role = Role.ADMIN) -> str:
    return sign_token(
        Settings(jwt_secret=JWT_SECRET), robot="r1", role=role, subject="faults", ttl=timedelta(hours=1), channels=None
    )


async def ask(http: httpx.AsyncClient, query: str, /, **variables: Any) -> dict[str, Any]:
    """Return the data of one operation. Raises AssertionError on errors, httpx.TransportError."""
    answer = await http.post(
        "/graphql", json={"query": query, "variables": variables}, headers={"Authorization": f"Bearer {token()}"}
    )
    body = answer.json()
    assert "errors" not in body, body
    data: dict[str, Any] = body["data"]
    return data


async def bind(
    http: httpx.AsyncClient, *, acting: bool = False, app_id: str = APP_ID, kind: str = "SERVICE_ACCOUNT"
) -> BoundChannel:
    """Bind a channel, or bind it again; with its app secret if it is to act at WeChat."""
    details: dict[str, Any] = {
        "kind": kind,
        "name": "Tea house",
        "verified": True,
        "appId": app_id,
        "callbackToken": CALLBACK_TOKEN,
        "encodingAesKey": AES_KEY,
        **({"appSecret": APP_SECRET} if acting else {}),
    }
    channel = (await ask(http, BIND, input=details))["bindChannel"]["channel"]
    return BoundChannel(channel["id"], urlsplit(channel["pushUrl"]).path)


async def unbind(http: httpx.AsyncClient, channel: BoundChannel) -> None:
    await ask(http, UNBIND, id=channel.gid)


async def record(http: httpx.AsyncClient, channel: BoundChannel, events: list[tuple[str, EventKind, datetime]]) -> None:
    """Report events as the robot's backend does; raises AssertionError unless all are accepted."""
    given = [{"openid": openid, "kind": kind.value, "at": at.isoformat()} for openid, kind, at in events]
    answer = await ask(http, RECORD, input={"channelId": channel.gid, "events": given})
    assert answer["recordEvents"] == {"accepted": len(events), "rejected": []}


async def push(
    http: httpx.AsyncClient, channel: BoundChannel, openid: str, kind: EventKind, at: datetime, nonce: int
) -> bool:
    """Push one event, encrypted; return whether it was answered `success`. Raises httpx.TransportError."""
    fields = {
        "ToUserName": "gh_97417a04a28d",
        "FromUserName": openid,
        "CreateTime": str(int(at.timestamp())),
        **PUSH_FIELDS[kind],
    }
    query, body = encode_push(
        fields,
        token=CALLBACK_TOKEN,
        encoding_aes_key=AES_KEY,
        app_id=APP_ID,
        now=datetime.now(UTC),
        mode="safe",
        nonce=str(nonce),
    )
    answer = await http.post(channel.push_path, params=query, content=body, headers={"Content-Type": "text/xml"})
    return answer.status_code == httpx.codes.OK and answer.text == "success"

"""Use the API as a robot's admin and as an integrator do."""

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
from wechatpy.crypto import PrpCrypto

from service.entities.principal import Role
from tests.support.waiting import wait_until
from tests.support.web import GraphqlResponse, WebClient

BIND = """
mutation Bind($input: BindChannelInput!) {
  bindChannel(input: $input) { channel { id kind appId name verified bound boundAt unboundAt pushUrl } }
}
"""
RECORD = """
mutation Record($input: RecordEventsInput!) {
  recordEvents(input: $input) { accepted rejected { index code reason } }
}
"""
CREATE_AD_TAG = """
mutation Create($input: CreateAdTagInput!) {
  createAdTag(input: $input) { tag { id name category description state memberCount version adIds } }
}
"""
TAGS = """
query Tags($channelId: ID!, $openid: String!) {
  user(channelId: $channelId, openid: $openid) { id tags { tag { id name } } }
}
"""
EXPORT = """
mutation Export($input: ExportAudienceInput!) {
  exportAudience(input: $input) { job { id state progress done total url urlExpiresAt rowCount createdAt } }
}
"""
CREATE_COMBO = """
mutation Create($input: CreateComboTagInput!) { createComboTag(input: $input) { tag { id name state version } } }
"""
USER_TAGS = """
subscription ($c: ID!, $o: String!, $after: String) {
  userTags(channelId: $c, openid: $o, after: $after) { cursor reset tags { name } added { name } removed { name } }
}
"""
STATE = "query State($id: ID!) { tag(id: $id) { state } }"
REFUSALS = {"audit_entry": " where minute is null"}
Event = dict[str, Any]
OBTAIN = "mutation { obtainReturnEndpoint { returnEndpoint { id address appId token key } } }"


@dataclass(frozen=True)
class Robot:
    """Act as one tenant of a running web process."""

    web: WebClient
    name: str = "r1"

    async def ask(self, query: str, /, role: Role | str | None = Role.ADMIN, **variables: Any) -> GraphqlResponse:
        """Run one operation in a role; None asks without a token."""
        return await self.web.run(query, token=None if role is None else self.token(role), **variables)

    def token(self, role: Role | str = Role.ADMIN, channels: Collection[str] | None = None) -> str:
        """Sign a token of this robot, perhaps narrowed to channels."""
        return self.web.token(role, robot=self.name, channels=channels)

    def app_id(self, number: int = 1) -> str:
        """Return an app id that no other robot uses."""
        return f"wx{self.name}app{number}"

    async def bind(self, number: int = 1, /, **given: Any) -> dict[str, Any]:
        """Bind a verified service account, unless other input is given, and return the channel."""
        details = {"kind": "SERVICE_ACCOUNT", "name": "Tea house", "verified": True, "appId": self.app_id(number)}
        channel: dict[str, Any] = (await self.ask(BIND, input=details | given))["bindChannel"]["channel"]
        return channel

    async def record(self, channel_id: str, *events: Event) -> dict[str, Any]:
        """Record events, all of which must be accepted or rejected one by one."""
        answer = await self.ask(RECORD, input={"channelId": channel_id, "events": events})
        recorded: dict[str, Any] = answer["recordEvents"]
        return recorded

    async def export(self, channel_id: str, expression: dict[str, Any]) -> dict[str, Any]:
        """Ask for an export; it stays QUEUED where no worker runs."""
        given = {"channelId": channel_id, "expression": expression}
        job: dict[str, Any] = (await self.ask(EXPORT, input=given))["exportAudience"]["job"]
        return job

    async def create_ad_tag(self, channel_id: str, name: str, *ad_ids: str) -> str:
        """Make an ad tag and return its id."""
        answer = await self.ask(CREATE_AD_TAG, input={"channelId": channel_id, "name": name, "adIds": ad_ids})
        ad_tag: str = answer["createAdTag"]["tag"]["id"]
        return ad_tag

    async def create_combo(self, channel_id: str, *all_of: str, name: str = "Combo") -> str:
        """Make a combo of tags, wait until it is ACTIVE, and return its id."""
        expression = {"all": [{"tag": tag_id} for tag_id in all_of]}
        given = {"channelId": channel_id, "name": name, "expression": expression}
        combo: str = (await self.ask(CREATE_COMBO, input=given))["createComboTag"]["tag"]["id"]
        await wait_until(lambda: self.is_active(combo))
        return combo

    async def is_active(self, tag_id: str) -> bool:
        """Return whether a tag is ACTIVE."""
        return bool((await self.ask(STATE, id=tag_id))["tag"]["state"] == "ACTIVE")

    async def tag_ids(self, channel_id: str, openid: str) -> dict[str, str]:
        """Return the ids of the tags that a person shows, by name."""
        user = (await self.ask(TAGS, channelId=channel_id, openid=openid))["user"]
        return {each["tag"]["name"]: each["tag"]["id"] for each in user["tags"]}

    async def tags(self, channel_id: str, openid: str) -> set[str]:
        """Return the names of the tags that a person shows."""
        return set(await self.tag_ids(channel_id, openid))


def event_input(openid: str, kind: str, ago: timedelta = timedelta(minutes=1), **given: Any) -> Event:
    """Return the input of an event that happened a while ago."""
    return {"openid": openid, "kind": kind, "at": iso_time_ago(ago), **given}


def iso_time_ago(ago: timedelta) -> str:
    """Return the time a while ago, in whole seconds, as the API writes it."""
    return (datetime.now(UTC) - ago).replace(microsecond=0).isoformat().replace("+00:00", "Z")


async def table_digests(web: WebClient) -> dict[str, str]:
    """Return a digest of each table, to be compared before and after; refusals in the audit log are written later."""
    connection = await asyncpg.connect(web.settings.database_url)
    try:
        tables = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        # Rows as PostgreSQL would send them: as text, the bitmaps alone would take most of the time.
        digest = (
            "select '{0}', coalesce(md5(string_agg(row, '' order by row)), '')"
            " from (select record_send(t) as row from {0} t{1}) rows"
        )
        rows = await connection.fetch(
            " union all ".join(digest.format(table, REFUSALS.get(table, "")) for (table,) in tables)
        )
        return {row[0]: row[1] for row in rows}
    finally:
        await connection.close()


def xml_of(app_id: str, openids: Sequence[str], **changes: str) -> str:
    """Return the XML of a list in its documented form, with other values where given."""
    fields = {"appid": app_id, "category": "会员等级", "label": "金牌", "desc": "消费满一千元", **changes}
    scalars = "".join(f"<{name}><![CDATA[{text}]]></{name}>" for name, text in fields.items())
    return f"<xml>{scalars}<list>{''.join(f'<openid>{each}</openid>' for each in openids)}</list></xml>"


@dataclass(frozen=True)
class Integrator:
    """Call as an integrator does who knows what the tag page shows: the address, the APPID and the key."""

    robot: Robot
    address: str
    app_id: str
    key: str

    def encrypt(self, xml: str) -> str:
        """Encrypt with wechatpy, which is not our code."""
        encrypted: bytes = PrpCrypto(base64.b64decode(self.key + "=")).encrypt(xml, self.app_id)
        return encrypted.decode()

    async def submit(self, xml: str) -> dict[str, Any]:
        """Send a list encrypted, and return the answer."""
        return await self.post({"encrypt": self.encrypt(xml)})

    async def post(self, fields: object) -> dict[str, Any]:
        """Send JSON as it is, and return the answer."""
        return self.answer(await self.robot.web.http.post(self.address, json=fields))

    async def post_raw(self, body: bytes, content_type: str = "application/json") -> dict[str, Any]:
        """Send bytes as they are, and return the answer."""
        headers = {"content-type": content_type}
        return self.answer(await self.robot.web.http.post(self.address, content=body, headers=headers))

    @staticmethod
    def answer(response: httpx.Response) -> dict[str, Any]:
        """Return the answer, after a check that its two shapes say the same."""
        assert response.status_code == 200
        answer: dict[str, Any] = response.json()
        assert answer["code"] == answer["errcode"]
        assert answer["msg"] == answer["errmsg"]
        assert answer["rid"]
        return answer


async def obtain_endpoint(robot: Robot) -> Integrator:
    """Obtain the return endpoint of a robot, and return its integrator."""
    endpoint = (await robot.ask(OBTAIN))["obtainReturnEndpoint"]["returnEndpoint"]
    return Integrator(robot, endpoint["address"], endpoint["appId"], endpoint["key"])

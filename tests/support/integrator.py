"""An integrator's client of the platform's return-data call, sealed by wechatpy: code that is not ours."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from wechatpy.crypto import PrpCrypto

from tests.support.robot import Robot

OBTAIN = "mutation { obtainReturnEndpoint { returnEndpoint { id address appId token key } } }"


def xml_of(app_id: str, openids: Sequence[str], **changes: str) -> str:
    """The documented form; a change to None leaves an element empty."""
    fields = {"appid": app_id, "category": "会员等级", "label": "金牌", "desc": "消费满一千元", **changes}
    scalars = "".join(f"<{name}><![CDATA[{text}]]></{name}>" for name, text in fields.items())
    return f"<xml>{scalars}<list>{''.join(f'<openid>{each}</openid>' for each in openids)}</list></xml>"


@dataclass(frozen=True)
class Integrator:
    """Knows what the tag page shows: the address, the APPID and the key."""

    robot: Robot
    address: str
    app_id: str
    key: str

    def seal(self, xml: str) -> str:
        sealed: bytes = PrpCrypto(base64.b64decode(self.key + "=")).encrypt(xml, self.app_id)
        return sealed.decode()

    async def submit(self, xml: str) -> dict[str, Any]:
        return await self.post({"encrypt": self.seal(xml)})

    async def post(self, fields: object) -> dict[str, Any]:
        return self.answer(await self.robot.web.http.post(self.address, json=fields))

    async def post_raw(self, body: bytes, content_type: str = "application/json") -> dict[str, Any]:
        headers = {"content-type": content_type}
        return self.answer(await self.robot.web.http.post(self.address, content=body, headers=headers))

    @staticmethod
    def answer(response: httpx.Response) -> dict[str, Any]:
        """Both shapes say the same."""
        assert response.status_code == 200
        answer: dict[str, Any] = response.json()
        assert answer["code"] == answer["errcode"]
        assert answer["msg"] == answer["errmsg"]
        assert answer["rid"]
        return answer


async def obtain_endpoint(robot: Robot) -> Integrator:
    endpoint = (await robot.ask(OBTAIN))["obtainReturnEndpoint"]["returnEndpoint"]
    return Integrator(robot, endpoint["address"], endpoint["appId"], endpoint["key"])

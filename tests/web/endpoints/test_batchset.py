"""Call `POST /openapi/label/batchset/{token}` with an independent client: every code (docs/specification.md §9.1)."""

import asyncio
import base64
from dataclasses import dataclass, replace

import httpx
import pytest
from wechatpy.crypto import PrpCrypto, WeChatCipher

from service.wechat.batchset import MAX_BODY_BYTES
from tests.support.robot import Integrator, Robot, obtain_endpoint, table_digests, xml_of

ADA, BOB = "oAda_000000000000000000000001", "oBob_000000000000000000000001"
BOMB = """<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<xml><appid>&b;</appid></xml>"""
OUTSIDE = '<!DOCTYPE xml [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><appid>&f;</appid></xml>'
RECEIPTS = """
query($c: ID!) { channel(id: $c) { tags(kind: RETURN) { nodes {
  category name description state memberCount
  ... on ReturnTag {
    returnCategory returnLabel
    receipts { nodes { source subject added unchanged rejected { index } } }
  }
} } } }
"""


@dataclass(frozen=True)
class Shop:
    """Hold a robot with a channel, and the integrator of its shop."""

    robot: Robot
    channel: str
    app_id: str
    integrator: Integrator

    async def returned(self) -> list[dict[str, object]]:
        """Return the return tags of the tag panel."""
        tags: list[dict[str, object]] = (await self.robot.ask(RECEIPTS, c=self.channel))["channel"]["tags"]["nodes"]
        return tags

    async def refuses(self, answer: dict[str, object], code: int, before: dict[str, str]) -> None:
        assert (answer["errcode"], await self.returned()) == (code, [])
        assert _but_notes(await table_digests(self.robot.web)) == _but_notes(before)


def _but_notes(digests: dict[str, str]) -> dict[str, str]:
    """Return the digests without the table where the time of the last call is written."""
    return {table: digest for table, digest in digests.items() if table != "return_endpoint"}


@pytest.fixture
async def shop(robot: Robot) -> Shop:
    channel = await robot.bind()
    return Shop(robot, channel["id"], channel["appId"], await obtain_endpoint(robot))


async def test_a_client_written_for_the_platform_sets_a_tag(shop: Shop) -> None:
    answer = await shop.integrator.submit(xml_of(shop.app_id, [ADA, BOB, ADA, "not an openid"]))

    assert (answer["code"], answer["msg"]) == (0, "ok")
    assert answer["data"]["added"] == 2
    assert answer["data"]["duplicates"] == 1
    assert [each["index"] for each in answer["data"]["rejected"]] == [3]
    (tag,) = await shop.returned()
    assert tag == {
        "category": "会员等级",
        "name": "金牌",
        "description": "消费满一千元",
        "state": "ACTIVE",
        "memberCount": 2,
        "returnCategory": "会员等级",
        "returnLabel": "金牌",
        "receipts": {
            "nodes": [{"source": "HTTP", "subject": None, "added": 2, "unchanged": 0, "rejected": [{"index": 3}]}]
        },
    }
    assert await shop.robot.tags(shop.channel, ADA) == {"金牌"}


async def test_a_client_with_a_zero_iv_is_understood(shop: Shop) -> None:
    class ZeroIv(PrpCrypto):  # type: ignore[misc]
        def __init__(self, key: bytes) -> None:
            super().__init__(key)
            self.cipher = WeChatCipher(key, b"\0" * 16)

    encrypted = ZeroIv(base64.b64decode(shop.integrator.key + "=")).encrypt(
        xml_of(shop.app_id, [ADA]), shop.integrator.app_id
    )

    assert (await shop.integrator.post({"encrypt": encrypted.decode()}))["errcode"] == 0


async def test_the_same_call_twice_and_at_once_changes_nothing_more(shop: Shop) -> None:
    call = {"encrypt": shop.integrator.encrypt(xml_of(shop.app_id, [ADA, BOB]))}

    answers = await asyncio.gather(*(shop.integrator.post(call) for _ in range(10)))

    assert {answer["errcode"] for answer in answers} == {0}
    assert sorted(answer["data"]["added"] for answer in answers) == [0] * 9 + [2]
    assert sum(answer["data"]["new_users"] for answer in answers) == 2
    assert [tag["memberCount"] for tag in await shop.returned()] == [2]


async def test_an_empty_list_makes_the_tag(shop: Shop) -> None:
    assert (await shop.integrator.submit(xml_of(shop.app_id, [])))["errcode"] == 0
    assert [tag["memberCount"] for tag in await shop.returned()] == [0]


@pytest.mark.parametrize("token", ["nobodys", "../x", "%00", "a" * 5_000])
async def test_an_unknown_token_is_1001(shop: Shop, token: str) -> None:
    before = await table_digests(shop.robot.web)
    stranger = replace(shop.integrator, address=shop.integrator.address.rpartition("/")[0] + "/" + token)

    if token == "../x":
        assert (await shop.robot.web.http.post(stranger.address, json={})).status_code == 404
    else:
        answer = await stranger.submit(xml_of(shop.app_id, [ADA]))
        assert answer["errmsg"] == "TOKEN is not valid"
        await shop.refuses(answer, 1001, before)


async def test_a_robot_whose_gate_is_closed_is_1002(shop: Shop) -> None:
    close = "mutation($id: ID!) { updateChannel(input: {id: $id, verified: false}) { channel { id } } }"
    await shop.robot.ask(close, id=shop.channel)
    before = await table_digests(shop.robot.web)

    await shop.refuses(await shop.integrator.submit(xml_of(shop.app_id, [ADA])), 1002, before)


@pytest.mark.parametrize("name", ["appid", "category", "label", "desc"])
async def test_an_empty_scalar_is_1007(shop: Shop, name: str) -> None:
    before = await table_digests(shop.robot.web)

    for blank in ("", "  "):
        await shop.refuses(await shop.integrator.submit(xml_of(shop.app_id, [ADA], **{name: blank})), 1007, before)
    without = f"<xml>{xml_of(shop.app_id, [ADA]).partition('<xml>')[2].replace(name, 'other')}"
    await shop.refuses(await shop.integrator.submit(without), 1007, before)


async def test_an_appid_of_no_bound_channel_is_1011(shop: Shop) -> None:
    other = await shop.robot.bind(2)
    await shop.robot.ask("mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }", id=other["id"])
    before = await table_digests(shop.robot.web)

    for app_id in ("wx0000000000000000", shop.integrator.app_id, other["appId"]):
        await shop.refuses(await shop.integrator.submit(xml_of(app_id, [ADA])), 1011, before)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (None, "text/plain"),
        (None, "application/x-www-form-urlencoded"),
        (None, ""),
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"<xml/>", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[]", "application/json"),
        (b"{}", "application/json"),
        (b'{"encrypt": null}', "application/json"),
        (b'{"encrypt": 7}', "application/json"),
        (b'{"Encrypt": "x"}', "application/json"),
    ],
)
async def test_a_body_that_is_no_json_with_encrypt_is_1013(shop: Shop, body: bytes | None, content_type: str) -> None:
    before = await table_digests(shop.robot.web)
    encrypted = f'{{"encrypt": "{shop.integrator.encrypt(xml_of(shop.app_id, [ADA]))}"}}'.encode()

    answer = await shop.integrator.post_raw(encrypted if body is None else body, content_type)
    await shop.refuses(answer, 1013, before)


async def test_a_content_type_with_a_charset_is_json(shop: Shop) -> None:
    encrypted = f'{{"encrypt": "{shop.integrator.encrypt(xml_of(shop.app_id, [ADA]))}"}}'.encode()

    assert (await shop.integrator.post_raw(encrypted, "application/JSON; charset=utf-8"))["errcode"] == 0


async def test_anything_wrong_with_the_envelope_is_1019_and_tells_nothing(shop: Shop) -> None:
    before = await table_digests(shop.robot.web)
    mine, xml = shop.integrator, xml_of(shop.app_id, [ADA])
    good = mine.encrypt(xml)
    bytes_of = base64.b64decode(good)
    other_key = ("B" if mine.key[0] != "B" else "C") + mine.key[1:]
    calls = {
        "wrong key": replace(mine, key=other_key).encrypt(xml),
        "the channel's app id": replace(mine, app_id=shop.app_id).encrypt(xml),
        "no base64": "*" * 64,
        "truncated base64": good[:-3],
        "truncated by a block": base64.b64encode(bytes_of[:-16]).decode(),
        "only a block": base64.b64encode(bytes_of[:16]).decode(),
        "bad padding": base64.b64encode(bytes_of[:-32] + bytes(32)).decode(),
        "empty": "",
        "not ASCII": "é" * 64,
    }
    answers = {name: await mine.post({"encrypt": encrypted}) for name, encrypted in calls.items()}

    for answer in answers.values():
        await shop.refuses(answer, 1019, before)
    assert {answer["errmsg"] for answer in answers.values()} == {"data encrypted incorrectly"}


@pytest.mark.parametrize(
    "xml", ["", "hello", "<xml>", "<other/>", "<xml></xml", "\x00", BOMB, OUTSIDE, "<xml>&nbsp;</xml>"], ids=repr
)
async def test_xml_that_is_hostile_or_unreadable_is_minus_one(shop: Shop, xml: str) -> None:
    before = await table_digests(shop.robot.web)

    await shop.refuses(await shop.integrator.submit(xml), -1, before)


async def test_a_body_of_ten_megabytes_is_minus_one(shop: Shop) -> None:
    before = await table_digests(shop.robot.web)
    body = b'{"encrypt": "' + b"A" * 10_000_000 + b'"}'
    assert len(body) > MAX_BODY_BYTES
    try:
        answer = await shop.integrator.post_raw(body)
    except httpx.WriteError:
        return  # hung up on: it had its answer
    await shop.refuses(answer, -1, before)


async def test_more_than_ten_thousand_openids_are_minus_one_with_a_message(shop: Shop) -> None:
    before = await table_digests(shop.robot.web)
    answer = await shop.integrator.submit(xml_of(shop.app_id, [f"person-{n}" for n in range(10_001)]))

    await shop.refuses(answer, -1, before)
    assert "10,000" in answer["errmsg"]


async def test_a_label_that_another_kind_of_tag_has_is_minus_one_with_a_message(shop: Shop) -> None:
    before = await table_digests(shop.robot.web)
    xml = xml_of(shop.app_id, [ADA], category="Opening", label="Opened")

    answer = await shop.integrator.submit(xml)
    await shop.refuses(answer, -1, before)
    assert "Opening / Opened" in answer["errmsg"]


async def test_a_reset_key_is_dead_at_once(shop: Shop) -> None:
    reset = "mutation { resetReturnKey { returnEndpoint { address appId key } } }"
    encrypted = {"encrypt": shop.integrator.encrypt(xml_of(shop.app_id, [ADA]))}
    new = (await shop.robot.ask(reset))["resetReturnKey"]["returnEndpoint"]

    assert (new["address"], new["appId"]) == (shop.integrator.address, shop.integrator.app_id)
    assert (await shop.integrator.post(encrypted))["errcode"] == 1019
    renewed = replace(shop.integrator, key=new["key"])
    assert (await renewed.submit(xml_of(shop.app_id, [ADA])))["errcode"] == 0


async def test_the_endpoint_of_one_robot_writes_to_no_channel_of_another(shop: Shop) -> None:
    other = Robot(shop.robot.web, f"{shop.robot.name}b")
    foreign = await other.bind()
    before = await table_digests(shop.robot.web)

    await shop.refuses(await shop.integrator.submit(xml_of(foreign["appId"], [ADA])), 1011, before)


async def test_operators_see_when_the_last_call_decrypted(shop: Shop) -> None:
    query = "{ returnEndpoint { lastCallAt } }"
    await shop.integrator.post({"encrypt": "rubbish"})
    assert (await shop.robot.ask(query))["returnEndpoint"]["lastCallAt"] is None
    await shop.integrator.submit(xml_of(shop.app_id, []))
    assert (await shop.robot.ask(query))["returnEndpoint"]["lastCallAt"] is not None

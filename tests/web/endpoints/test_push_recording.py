"""Record what a push tells, and only then answer `success`."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.dev.demo.push_encoder import BodyFormat, Mode, encode_body
from service.wechat.crypto import Envelope, sign
from tests.support.robot import Robot, table_digests
from tests.web.endpoints.push_account import ADA, PushingAccount, bind_account, event_fields, message_fields

PERSON = """
query Person($c: ID!, $o: String!) {
  user(channelId: $c, openid: $o) {
    following followedAt unfollowedAt lastMessageAt touchableUntil tags { tag { name } }
    tagHistory { nodes { at added { name } removed { name } } }
  }
}
"""
UNBIND = "mutation($id: ID!) { unbindChannel(id: $id) { channel { bound } } }"
MIGRATE = "mutation($input: MigrateOpenidsInput!) { migrateOpenids(input: $input) { moved } }"
MODES: list[Mode] = ["plain", "safe", "compat"]
FORMATS: list[BodyFormat] = ["xml", "json"]


async def person(account: PushingAccount, openid: str = ADA) -> Any:
    return (await account.robot.ask(PERSON, c=account.channel, o=openid))["user"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("body_format", FORMATS)
async def test_a_push_is_recorded_in_every_mode(robot: Robot, mode: Mode, body_format: BodyFormat) -> None:
    receiving = await bind_account(robot, encrypted=mode != "plain")
    at = datetime.now(UTC).replace(microsecond=0)
    answer = await receiving.push(message_fields(at=at), mode=mode, body_format=body_format)

    assert (answer.status_code, answer.text) == (200, "success")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert datetime.fromisoformat((await person(receiving))["lastMessageAt"]) == at


async def test_each_event_becomes_its_fact(account: PushingAccount) -> None:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    assert (await account.push(event_fields("subscribe", at=start, EventKey="qrscene_7", Ticket="t"))).text == "success"
    known = await person(account)
    assert (known["following"], datetime.fromisoformat(known["followedAt"])) == (True, start)
    assert datetime.fromisoformat(known["touchableUntil"]) == start + timedelta(hours=1)

    for minutes, name in enumerate(("CLICK", "VIEW", "SCAN", "scancode_push"), start=10):
        at = start + timedelta(minutes=minutes)
        assert (await account.push(event_fields(name, at=at, EventKey="k"))).text == "success"
        assert datetime.fromisoformat((await person(account))["touchableUntil"]) == at + timedelta(hours=1)

    left = start + timedelta(hours=1)
    assert (await account.push(event_fields("unsubscribe", at=left))).text == "success"
    gone = await person(account)
    assert (gone["following"], datetime.fromisoformat(gone["unfollowedAt"]), gone["tags"]) == (False, left, [])


async def test_the_plain_fields_of_compat_mode_are_not_believed(account: PushingAccount) -> None:
    query, body = account.encrypt(message_fields(), mode="compat")
    answer = await account.post(query, body.replace(ADA.encode(), b"oEve"))

    assert answer.text == "success"
    assert await person(account, "oEve") is None
    assert await person(account)


@pytest.mark.parametrize("name", ["TEMPLATESENDJOBFINISH", "LOCATION", "user_pay_from_wechat_2031"])
async def test_an_event_that_says_nothing_of_the_person_is_acknowledged(account: PushingAccount, name: str) -> None:
    before = _without_notes(await table_digests(account.robot.web))
    answer = await account.push(event_fields(name))

    assert (answer.status_code, answer.text) == (200, "success")
    assert _without_notes(await table_digests(account.robot.web)) == before


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("typed", [b"\x02", b"\x08", "\ufffe".encode(), b"]]>", b"\xe4\xbd"], ids=repr)
async def test_a_message_counts_whatever_was_typed(robot: Robot, mode: Mode, typed: bytes) -> None:
    receiving = await bind_account(robot, encrypted=mode != "plain")
    inner = encode_body(message_fields(Content="TYPED"), "xml").replace(b"TYPED", typed)
    query, body = receiving.encrypt({}, mode="plain")
    if receiving.key is None:
        body = inner
    else:
        encrypted = Envelope(receiving.key, receiving.app_id).encrypt(inner)
        query["msg_signature"] = sign(receiving.token, query["timestamp"], query["nonce"], encrypted)
        beside = inner.removesuffix(b"</xml>") if mode == "compat" else b"<xml>"
        body = beside + f"\n<Encrypt>\n{encrypted}\n</Encrypt></xml>".encode()

    assert (await receiving.post(query, body)).text == "success"
    assert "Opened" in {each["tag"]["name"] for each in (await person(receiving))["tags"]}


async def test_a_follow_in_the_second_of_an_unfollow_wins(account: PushingAccount) -> None:
    second = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    left = {"openid": ADA, "kind": "UNFOLLOW", "at": (second + timedelta(milliseconds=400)).isoformat()}
    await account.robot.record(account.channel, left)
    assert (await account.push(event_fields("subscribe", at=second))).text == "success"

    assert (await person(account))["following"] is True
    assert "New user" in await account.robot.tags(account.channel, ADA)


async def test_a_cancellation_forgets_the_person_in_openid(account: PushingAccount) -> None:
    for openid in (ADA, "oEve"):
        await account.push(event_fields("subscribe", openid))
    cancelled = event_fields("user_authorization_cancellation", "oEve", OpenID=ADA, AppID=account.app_id)

    for _ in range(2):
        assert (await account.push(cancelled)).text == "success"
        assert await person(account) is None
        assert (await person(account, "oEve"))["following"] is True


@pytest.mark.parametrize(
    ("name", "encrypted"),
    [
        ("user_authorization_cancellation", False),
        ("user_authorization_revoke", True),
        ("user_info_modified", True),
    ],
)
async def test_a_privacy_event_that_is_unsigned_or_of_what_is_not_kept_changes_nothing(
    robot: Robot, name: str, encrypted: bool
) -> None:
    receiving = await bind_account(robot, encrypted=encrypted)
    await receiving.push(event_fields("subscribe"))
    before = _without_notes(await table_digests(robot.web))

    answer = await receiving.push(event_fields(name, "the platform", OpenID=ADA, RevokeInfo="205"))
    assert (answer.status_code, answer.text) == (200, "success")
    assert _without_notes(await table_digests(robot.web)) == before


@pytest.mark.parametrize("name", ["subscribe", "unsubscribe"])
async def test_a_mini_program_cannot_be_followed_and_is_not_asked_again(robot: Robot, name: str) -> None:
    receiving = await bind_account(robot, kind="MINI_PROGRAM")
    before = _without_notes(await table_digests(robot.web))

    answer = await receiving.push(event_fields(name), body_format="json")
    assert (answer.status_code, answer.text) == (200, "success")
    assert _without_notes(await table_digests(robot.web)) == before


async def test_the_same_push_many_times_at_once_is_one_change(account: PushingAccount) -> None:
    query, body = account.encrypt(event_fields("subscribe"))
    answers = await asyncio.gather(*(account.post(query, body) for _ in range(10)))
    once = await person(account)
    again = await account.post(query, body)

    assert {answer.text for answer in (*answers, again)} == {"success"}
    assert len(once["tagHistory"]["nodes"]) == 1
    assert await person(account) == once
    counted = await account.robot.ask("query($id: ID!) { channel(id: $id) { userCount } }", id=account.channel)
    assert counted["channel"]["userCount"] == 1


async def test_pushes_of_many_people_at_once_all_count(account: PushingAccount) -> None:
    pushes = [account.push(event_fields("subscribe", f"oPerson_{number}")) for number in range(30)]

    assert {answer.text for answer in await asyncio.gather(*pushes)} == {"success"}
    counted = await account.robot.ask(
        "query($id: ID!) { channel(id: $id) { userCount followerCount } }", id=account.channel
    )
    assert counted["channel"] == {"userCount": 30, "followerCount": 30}


async def test_late_and_out_of_order_pushes_say_the_same_in_the_end(account: PushingAccount) -> None:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    await account.push(event_fields("unsubscribe", at=start + timedelta(minutes=1)))
    await account.push(event_fields("subscribe", at=start + timedelta(minutes=2)))
    await account.push(message_fields(at=start))

    known = await person(account)
    assert known["following"]
    assert datetime.fromisoformat(known["lastMessageAt"]) == start


async def test_pushes_to_an_unbound_channel_are_recorded(account: PushingAccount) -> None:
    await account.robot.ask(UNBIND, id=account.channel)

    assert (await account.push(event_fields("subscribe"))).text == "success"
    hidden = await person(account)
    assert (hidden["following"], hidden["tags"]) == (True, [])
    await account.robot.bind()
    assert len((await person(account))["tags"]) == 4


async def test_pushes_of_an_account_that_was_migrated_are_those_of_the_new_one(account: PushingAccount) -> None:
    new = account.with_changes(app_id=account.robot.app_id(7))
    moved = {"channelId": account.channel, "newAppId": new.app_id, "pairs": [{"from": ADA, "to": "oNew"}]}
    assert (await account.push(event_fields("subscribe"))).text == "success"
    await account.robot.ask(MIGRATE, input=moved)

    for sender, openid in ((account, ADA), (new, "oNew")):
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=len(openid))
        assert (await sender.push(message_fields(openid, at=at))).text == "success"
        assert datetime.fromisoformat((await person(account, "oNew"))["lastMessageAt"]) == at
    stranger = account.with_changes(app_id=account.robot.app_id(8))
    assert (await stranger.push(message_fields())).status_code == 400


async def test_the_time_of_the_last_push_is_recorded_once_a_minute(account: PushingAccount) -> None:
    query = "query($id: ID!) { channel(id: $id) { credentials { lastPushAt } } }"

    async def noted() -> str | None:
        answer = await account.robot.ask(query, id=account.channel)
        at: str | None = answer["channel"]["credentials"]["lastPushAt"]
        return at

    assert await noted() is None
    await account.with_changes(token="Another1").push(message_fields())
    assert await noted() is None
    await account.push(message_fields())
    at = await noted()
    assert at
    assert datetime.now(UTC) - datetime.fromisoformat(at) < timedelta(minutes=1)


async def test_a_push_is_for_the_channel_of_its_address_only(robot: Robot, account: PushingAccount) -> None:
    other = (await robot.bind(2))["id"]
    await account.push(event_fields("subscribe"))

    answer = await robot.ask(PERSON, c=other, o=ADA)
    assert answer["user"] is None


def _without_notes(rows: dict[str, str]) -> dict[str, str]:
    """Return all but the channel's state, where the time of a push is written."""
    return {table: digest for table, digest in rows.items() if table != "channel_state"}

"""Keep what is pushed of messages and of what people allow, and only then answer `success`."""

from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from service.dev.demo.push_encoder import PushFields
from service.entities.ids import parse_channel_gid
from tests.support.robot import Robot
from tests.web.endpoints.push_account import ADA, PushingAccount, bind_account, event_fields

BIG = str(2**63 - 1)
AT = datetime.now(UTC).replace(microsecond=0)
MASS_RESULT: PushFields = {
    **event_fields("MASSSENDJOBFINISH", "oAdmin", at=AT),
    "MsgID": BIG,
    "Status": "send success",
    "TotalCount": "4",
    "FilterCount": "3",
    "SentCount": "3",
    "ArticleUrlResult": {"Count": "0", "ResultList": {}},
}
TEMPLATE_RESULT: PushFields = {
    **event_fields("TEMPLATESENDJOBFINISH", at=AT),
    "MsgID": BIG,
    "Status": "failed:user block",
}
CONSENT: PushFields = {
    **event_fields("subscribe_msg_popup_event", at=AT),
    "SubscribeMsgPopupEvent": {
        "List": [
            {"TemplateId": "t1", "SubscribeStatusString": "accept", "PopupScene": "1"},
            {"TemplateId": "t2", "SubscribeStatusString": "reject", "PopupScene": "1"},
        ]
    },
}


async def rows(account: PushingAccount, statement: str) -> list[tuple[Any, ...]]:
    """Return what a statement finds of the account's channel."""
    conn = await asyncpg.connect(account.robot.web.settings.database_url)
    try:
        return [tuple(row) for row in await conn.fetch(statement, parse_channel_gid(account.channel))]
    finally:
        await conn.close()


async def kept(account: PushingAccount) -> list[tuple[Any, ...]]:
    return await rows(
        account,
        "select event, msg_id, result ->> 'status', (result ->> 'sent')::int, (result ->> 'delivered')::boolean "
        "from push_result where channel_id = $1 order by event",
    )


async def consents(account: PushingAccount) -> list[tuple[Any, ...]]:
    return await rows(
        account,
        "select openid, template_id, accepted_at, rejected_at from template_consent "
        "join channel_user using (channel_id, ordinal) where channel_id = $1 order by template_id",
    )


async def test_results_are_kept_once(account: PushingAccount) -> None:
    for _ in range(3):
        for fields in (MASS_RESULT, TEMPLATE_RESULT):
            answer = await account.push(fields)
            assert (answer.status_code, answer.text) == (200, "success")

    assert await kept(account) == [
        ("MASS", BIG, "send success", 3, None),
        ("TEMPLATE", BIG, "failed:user block", None, False),
    ]
    # Nobody did anything: neither the admin nor the person becomes a user.
    assert await rows(account, "select openid from channel_user where channel_id = $1") == []


async def test_unsigned_results_are_acknowledged_and_not_believed(robot: Robot) -> None:
    plain = await bind_account(robot, encrypted=False)

    for fields in (MASS_RESULT, TEMPLATE_RESULT):
        answer = await plain.push(fields)
        assert (answer.status_code, answer.text) == (200, "success")

    assert await kept(plain) == []


@pytest.mark.parametrize("encrypted", [True, False])
async def test_what_people_allow_is_kept(robot: Robot, encrypted: bool) -> None:
    account = await bind_account(robot, encrypted=encrypted)

    assert (await account.push(CONSENT)).text == "success"

    assert await consents(account) == [(ADA, "t1", AT, None), (ADA, "t2", None, AT)]


async def test_a_mini_program_tells_it_in_json(robot: Robot) -> None:
    account = await bind_account(robot, kind="MINI_PROGRAM", appId="wx0000000000000009")
    entry = {"TemplateId": "t1", "SubscribeStatusString": "accept", "PopupScene": "0"}

    answer = await account.push({**event_fields("subscribe_msg_popup_event", at=AT), "List": entry}, body_format="json")

    assert answer.text == "success"
    assert await consents(account) == [(ADA, "t1", AT, None)]

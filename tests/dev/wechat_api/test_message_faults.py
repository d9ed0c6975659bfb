"""Fail on order at each call that sends something: the books say whether it reached people all the same."""

from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from service.dev.demo.wechat_api.books.accounts import Account
from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.dev.demo.wechat_api.limits import Trigger
from tests.dev.wechat_api.wechat import ACCOUNT, MINI_PROGRAM, Wechat, open_wechat
from tests.support.waiting import wait_until

TEXT: Final = {"msgtype": "text", "text": {"content": "Sale"}}
DATA: Final = {"data": {"thing1": {"value": "Tea"}}}


@dataclass(frozen=True)
class Send:
    """Hold a call that sends something to oAda, and what a repeat of it is answered."""

    path: str
    body: dict[str, Any]
    account: Account = ACCOUNT
    repeat: int = 0
    again: bool = True


SENDS: Final = {
    "mass": Send("/cgi-bin/message/mass/send", {"touser": ["oAda", "oBob"], **TEXT}, repeat=45065, again=False),
    "mass to all": Send(
        "/cgi-bin/message/mass/sendall", {"filter": {"is_to_all": True}, **TEXT}, repeat=45065, again=False
    ),
    "template": Send(
        "/cgi-bin/message/template/send",
        {"touser": "oAda", "template_id": "T1", "client_msg_id": "b1-0", **DATA},
        again=False,
    ),
    "customer service": Send("/cgi-bin/message/custom/send", {"touser": "oAda", **TEXT}),
    "service subscription": Send("/cgi-bin/message/subscribe/bizsend", {"touser": "oAda", "template_id": "S1", **DATA}),
    "Mini Program subscription": Send(
        "/cgi-bin/message/subscribe/send", {"touser": "oAda", "template_id": "S1", **DATA}, MINI_PROGRAM
    ),
}
EACH: Final = pytest.mark.parametrize("send", SENDS.values(), ids=SENDS)


async def prepare(wechat: Wechat, send: Send) -> None:
    """Let every send succeed, twice."""
    books = wechat.books.accounts[send.account.app_id]
    for openid in ("oAda", "oBob"):
        books.follow(openid, wechat.clock())
        books.replies.open(openid, Trigger.MESSAGE, wechat.clock())
        books.consents.accept(openid, "S1", 2)
    books.templates.add("T1", "thing1")
    books.templates.add("S1", "thing1", subscription=True)


async def call(wechat: Wechat, send: Send, patience: float = 30) -> dict[str, Any]:
    query = {"access_token": await wechat.token(send.account)}
    answer = await wechat.http.post(send.path, json=send.body, params=query, timeout=patience)
    found: dict[str, Any] = answer.json()
    return found


def received(wechat: Wechat, send: Send) -> int:
    return wechat.books.accounts[send.account.app_id].messages.receipts()["oAda"]


@EACH
@pytest.mark.parametrize("code", [-1, 45009, 45011, 40001, 48001])
async def test_an_error_once_reaches_nobody_and_the_next_call_does(send: Send, code: int) -> None:
    async with open_wechat() as wechat:
        await prepare(wechat, send)
        wechat.books.faults.add(send.path, Fault(kind=FaultKind.ERROR, code=code))

        assert (await call(wechat, send))["errcode"] == code
        assert received(wechat, send) == 0
        assert (await call(wechat, send))["errcode"] == 0
        assert received(wechat, send) == 1


@EACH
@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.TRUNCATED, FaultKind.HANG])
async def test_a_broken_connection_tells_nothing_and_the_books_do(send: Send, kind: FaultKind, accepted: bool) -> None:
    async with open_wechat() as wechat:
        await prepare(wechat, send)
        wechat.books.faults.add(send.path, Fault(kind=kind, accepted=accepted))
        with pytest.raises(httpx.TransportError):
            await call(wechat, send, 0.2 if kind is FaultKind.HANG else 30)
        await wait_until(lambda: not +wechat.books.calls.running)

        assert received(wechat, send) == accepted
        assert (await call(wechat, send))["errcode"] == (send.repeat if accepted else 0)
        assert received(wechat, send) == (2 if accepted and send.again else 1)


@EACH
async def test_a_gateway_that_tries_again_reaches_somebody_twice_where_no_id_is_known(send: Send) -> None:
    async with open_wechat() as wechat:
        await prepare(wechat, send)
        wechat.books.faults.add(send.path, Fault(kind=FaultKind.TWICE))

        assert (await call(wechat, send))["errcode"] == send.repeat
        assert received(wechat, send) == (2 if send.again else 1)
        assert [*wechat.books.accounts[send.account.app_id].messages.repeated()] == (["oAda"] if send.again else [])

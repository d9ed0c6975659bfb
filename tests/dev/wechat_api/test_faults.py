"""Fail on order, before a call takes effect or after, and with a connection that breaks in each way."""

import asyncio

import httpx
import pytest

from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.dev.demo.wechat_api.plan import EVERY_PATH
from tests.dev.wechat_api.wechat import ACCOUNT, Wechat, open_wechat
from tests.support.waiting import wait_until

PATH = "/cgi-bin/tags/create"


async def create(wechat: Wechat, name: str = "VIP", patience: float = 30) -> httpx.Response:
    query = {"access_token": await wechat.token()}
    return await wechat.http.post(PATH, json={"tag": {"name": name}}, params=query, timeout=patience)


def names(wechat: Wechat) -> list[str]:
    return [tag.name for tag in wechat.account.tags.tags.values()]


@pytest.mark.parametrize("code", [-1, 45009, 45011, 40001, 50004])
async def test_an_error_happens_as_often_as_ordered_and_changes_nothing(code: int) -> None:
    async with open_wechat() as wechat:
        wechat.books.faults.add(PATH, Fault(kind=FaultKind.ERROR, code=code, times=2, skip=1))

        codes = [(await create(wechat, name)).json().get("errcode") for name in ("a", "b", "c", "d")]
        assert codes == [None, code, code, None]
        assert names(wechat) == ["a", "d"]
        assert wechat.books.calls.outcomes[ACCOUNT.app_id, PATH, code] == 2
        assert wechat.books.calls.count(ACCOUNT.app_id, PATH) == 4


async def test_faults_of_a_path_happen_in_turn_and_before_those_of_all() -> None:
    async with open_wechat() as wechat:
        await wechat.token()
        wechat.books.faults.add(EVERY_PATH, Fault(kind=FaultKind.ERROR, code=45011, times=None, skip=3))
        for code in (40001, -1):
            wechat.books.faults.add(PATH, Fault(kind=FaultKind.ERROR, code=code))

        # A token is asked for before each call.
        assert [(await create(wechat)).json()["errcode"] for _ in range(2)] == [40001, -1]
        assert "errcode" not in await wechat.stable()
        assert (await wechat.stable())["errcode"] == (await wechat.stable())["errcode"] == 45011
        wechat.books.faults.clear()
        assert "errcode" not in await wechat.stable()


async def test_a_refused_address_is_named() -> None:
    async with open_wechat() as wechat:
        wechat.books.faults.add("/cgi-bin/stable_token", Fault(kind=FaultKind.ERROR, code=40164))

        assert "invalid ip 127.0.0.1 ipv6" in (await wechat.stable())["errmsg"]
        wechat.books.faults.add("/cgi-bin/stable_token", Fault(kind=FaultKind.ERROR, code=-1, message="系统异常"))
        assert (await wechat.stable())["errmsg"].startswith("系统异常 rid: ")


@pytest.mark.parametrize("accepted", [False, True])
async def test_a_page_of_html_is_no_answer(accepted: bool) -> None:
    async with open_wechat() as wechat:
        for kind in (FaultKind.STATUS, FaultKind.HTML):
            wechat.books.faults.add(PATH, Fault(kind=kind, accepted=accepted))

        bad, fine = await create(wechat, "a"), await create(wechat, "b")
        assert (bad.status_code, fine.status_code) == (502, 200)
        assert bad.text == fine.text
        assert "html" in fine.headers["content-type"]
        assert names(wechat) == (["a", "b"] if accepted else [])


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.HANG, httpx.ReadTimeout),
        (FaultKind.RESET, httpx.ReadError),
        (FaultKind.TRUNCATED, httpx.RemoteProtocolError),
    ],
)
async def test_a_connection_breaks_before_the_call_takes_effect_or_after(
    kind: FaultKind, error: type[Exception], accepted: bool
) -> None:
    async with open_wechat() as wechat:
        wechat.books.faults.add(PATH, Fault(kind=kind, accepted=accepted))
        with pytest.raises(error):
            await create(wechat, patience=0.2 if kind is FaultKind.HANG else 30)

        # It may take effect after the client has lost patience.
        before = ["VIP"] if accepted else []
        await wait_until(lambda: names(wechat) == before)
        assert (await create(wechat, "New")).status_code == 200
        await wait_until(lambda: not +wechat.books.calls.running)
        assert names(wechat) == [*before, "New"]


async def test_an_answer_drips_or_is_far_too_large() -> None:
    async with open_wechat() as wechat:
        wechat.books.faults.add(PATH, Fault(kind=FaultKind.DRIP, accepted=True, seconds=0))
        wechat.books.faults.add(PATH, Fault(kind=FaultKind.OVERSIZED, size=300_000))

        assert (await create(wechat)).json() == {"tag": {"id": 100, "name": "VIP"}}
        assert len((await create(wechat)).content) == 300_000


async def test_a_slow_drip_takes_longer_than_the_client_waits() -> None:
    async with open_wechat() as wechat:
        wechat.books.faults.add(PATH, Fault(kind=FaultKind.DRIP, accepted=True, seconds=60))

        asking = asyncio.create_task(create(wechat))
        await wait_until(lambda: names(wechat) == ["VIP"])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asking, 0.3)


async def test_calls_at_once_are_counted_while_they_are_held() -> None:
    async with open_wechat() as wechat:
        await wechat.token()
        wechat.books.faults.add(PATH, Fault(kind=FaultKind.HOLD, times=3))
        held = [asyncio.create_task(create(wechat, f"tag {number}")) for number in range(3)]
        await wait_until(lambda: wechat.books.calls.running[ACCOUNT.app_id, PATH] == 3)
        assert names(wechat) == []
        assert {record.outcome for record in wechat.books.calls.recent if record.path == PATH} == {None}

        wechat.books.faults.clear()
        assert [answer.status_code for answer in await asyncio.gather(*held)] == [200] * 3
        assert sorted(names(wechat)) == ["tag 0", "tag 1", "tag 2"]
        await create(wechat, "alone")
        assert wechat.books.calls.peaks[ACCOUNT.app_id, PATH] == 3


async def test_all_calls_take_a_while_if_the_switch_says_so() -> None:
    async with open_wechat() as wechat:
        wechat.books.behaviour.answers_after = 0.01

        assert (await create(wechat)).elapsed.total_seconds() >= 0.01

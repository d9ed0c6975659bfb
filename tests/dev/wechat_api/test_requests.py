"""Refuse requests that are wrong in form, as WeChat does."""

import re

import pytest

from tests.dev.wechat_api.wechat import open_wechat


@pytest.mark.parametrize(
    ("body", "errcode"),
    [(b"", 44002), (b"[]", 47001), (b"{", 47001), (b"grant_type=client_credential", 47001), (b'"\xff"', 47001)],
)
async def test_a_body_that_is_no_object_is_refused(body: bytes, errcode: int) -> None:
    async with open_wechat() as wechat:
        answer = (await wechat.http.post("/cgi-bin/stable_token", content=body)).json()

    assert answer["errcode"] == errcode
    assert re.fullmatch(r".+ rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}", answer["errmsg"])


async def test_an_address_that_is_none_is_refused() -> None:
    async with open_wechat() as wechat:
        assert (await wechat.get("user/gets"))["errcode"] == 40066


@pytest.mark.parametrize("errcode", [40033, 47002])
async def test_escapes_are_accepted_unless_the_switch_refuses_them(errcode: int) -> None:
    body = b'{"tag": {"name": "\\u8001\\u5ba2"}}'
    async with open_wechat() as wechat:
        query = {"access_token": await wechat.token()}
        accepted = (await wechat.http.post("/cgi-bin/tags/create", content=body, params=query)).json()
        wechat.books.behaviour.escapes_code = errcode
        refused = (await wechat.http.post("/cgi-bin/tags/create", content=body, params=query)).json()
        raw = await wechat.call("tags/create", {"tag": {"name": r"新\u"}})

    assert accepted["tag"]["name"] == "老客"
    assert refused["errcode"] == errcode
    assert raw["tag"]["name"] == r"新\u"

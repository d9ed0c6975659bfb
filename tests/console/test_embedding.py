"""Embed the card of a person in another program's page, which signs it in; other pages may do neither."""

import re
from datetime import timedelta
from typing import Any, Final

import pytest
from playwright.async_api import FrameLocator, Page, expect

from tests.console.console import Console
from tests.console.helpdesk import Helpdesk, serve_helpdesk
from tests.console.imitated_account import ImitatedAccount
from tests.packaging.documents import FRONTEND
from tests.support.robot import Robot

SHORT: Final = timedelta(seconds=8)


def card_of(robot: Robot, account: ImitatedAccount) -> str:
    return f"{robot.web.url}/conversation/card?channel={account.channel_id}&openid=oAda"


async def open_helpdesk(console: Console, helpdesk: Helpdesk, card: str, token: str) -> tuple[Page, FrameLocator]:
    """Open the page of another program with the card in its frame."""
    console.allow(f"another origin: {re.escape(helpdesk.origin)}")
    page = await console.stranger("/healthz")
    await page.goto(helpdesk.address(card, token))
    return page, page.frame_locator("iframe")


async def test_an_allowed_page_embeds_the_card_and_signs_it_in(
    console: Console, robot: Robot, account: ImitatedAccount, helpdesk: Helpdesk
) -> None:
    await account.follow("oAda")
    page, frame = await open_helpdesk(console, helpdesk, card_of(robot, account), robot.token("agent"))
    await expect(frame.get_by_text("New user", exact=True).first).to_be_visible()
    await account.write("oAda")
    await expect(frame.get_by_text("Opened", exact=True).first).to_be_visible()
    assert await page.evaluate("told") == ["user-tags-ready"]
    assert "token" not in page.frames[1].url


async def test_a_card_without_a_token_waits_and_asks_for_none(
    console: Console, robot: Robot, account: ImitatedAccount, helpdesk: Helpdesk
) -> None:
    page, frame = await open_helpdesk(console, helpdesk, card_of(robot, account), "")
    await expect(frame.get_by_text("Waiting to be signed in")).to_be_visible()
    await expect(frame.get_by_role("textbox")).to_have_count(0)
    token = robot.token("agent")
    await page.evaluate(
        "token => { hand = token; frame.contentWindow.postMessage({ type: 'user-tags-token', token }, '*') }", token
    )
    await expect(frame.get_by_text("Nobody is known by this openid")).to_be_visible()


async def test_the_page_around_is_told_that_the_token_is_over(
    console: Console, robot: Robot, account: ImitatedAccount, helpdesk: Helpdesk
) -> None:
    await account.follow("oAda")
    console.allow("401")
    short = robot.web.token("agent", robot.name, ttl=SHORT)
    page, frame = await open_helpdesk(console, helpdesk, card_of(robot, account), short)
    await expect(frame.get_by_text("New user", exact=True).first).to_be_visible()
    await page.evaluate("token => { hand = token }", robot.token("agent"))
    await page.wait_for_function("told.includes('user-tags-expired')")
    await account.write("oAda")
    await expect(frame.get_by_text("Opened", exact=True).first).to_be_visible()
    await expect(frame.get_by_role("alert")).to_have_count(0)


async def test_a_page_of_another_origin_may_not_embed_it(
    console: Console, robot: Robot, account: ImitatedAccount
) -> None:
    await account.follow("oAda")
    console.allow("frame-ancestors|ERR_BLOCKED_BY_RESPONSE|chrome-error")
    async with serve_helpdesk() as stranger:
        page, frame = await open_helpdesk(console, stranger, card_of(robot, account), robot.token("agent"))
        await page.wait_for_load_state("networkidle")
        await expect(frame.get_by_role("main")).to_have_count(0)
        assert await page.evaluate("told") == []


@pytest.mark.parametrize("path", ["/", "/conversation", "/return-data"])
async def test_nothing_but_the_card_may_be_embedded(
    console: Console, robot: Robot, account: ImitatedAccount, helpdesk: Helpdesk, path: str
) -> None:
    console.allow("frame-ancestors|ERR_BLOCKED_BY_RESPONSE|chrome-error")
    page, frame = await open_helpdesk(console, helpdesk, robot.web.url + path, robot.token("agent"))
    await page.wait_for_load_state("networkidle")
    await expect(frame.get_by_role("main")).to_have_count(0)


async def test_the_frame_of_the_documents_shows_the_card(
    console: Console, robot: Robot, account: ImitatedAccount, helpdesk: Helpdesk
) -> None:
    await account.follow("oAda")
    shown = FRONTEND.block("text", "user-tags-ready").replace("https://tags.example.com", robot.web.url)
    html = shown.replace("channel=…&openid=…", f"channel={account.channel_id}&openid=oAda")
    console.allow(f"another origin: {re.escape(helpdesk.origin)}")
    page = await console.stranger("/healthz")
    token = robot.token("agent")
    # What is not from a network is no local page, which may show others without being asked.
    await page.context.grant_permissions(["local-network-access"])
    await page.route(f"{helpdesk.origin}/", lambda route: route.fulfill(body=html, content_type="text/html"))
    await page.route(f"{helpdesk.origin}/my-own-login/user-tags-token", lambda route: route.fulfill(body=token))
    await page.goto(f"{helpdesk.origin}/")
    await expect(page.frame_locator("#card").get_by_text("New user", exact=True).first).to_be_visible()


async def hand_to_an_opened_card(console: Console, desk: Helpdesk, address: str, token: str) -> Page:
    """Open the card in a window of its own from a desk's page, which hands it a token; return the card's page."""
    page, _ = await open_helpdesk(console, desk, f"{desk.origin}/favicon.ico", "")
    async with page.context.expect_page() as opened:
        await page.evaluate("url => { opened = open(url) }", address)
    card = await opened.value
    await expect(card.get_by_role("button", name="Sign in")).to_be_visible()
    hand: Any = "token => opened.postMessage({ type: 'user-tags-token', token }, '*')"
    await page.evaluate(hand, token)
    return card


async def test_a_window_that_an_allowed_page_opened_takes_its_token(
    console: Console, robot: Robot, account: ImitatedAccount, helpdesk: Helpdesk
) -> None:
    await account.follow("oAda")
    card = await hand_to_an_opened_card(console, helpdesk, card_of(robot, account), robot.token("agent"))
    await expect(card.get_by_text("New user", exact=True).first).to_be_visible()


async def test_a_token_of_another_origin_is_not_taken(
    console: Console, robot: Robot, account: ImitatedAccount, helpdesk: Helpdesk
) -> None:
    async with serve_helpdesk() as stranger:
        card = await hand_to_an_opened_card(console, stranger, card_of(robot, account), robot.token("agent"))
        await card.evaluate("new Promise((resolve) => { onmessage = resolve; postMessage('after', '*') })")
        await expect(card.get_by_role("button", name="Sign in")).to_be_visible()

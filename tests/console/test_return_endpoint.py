"""Obtain the return address, see as much of it as the role may, call it as the page says, and reset the key."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from playwright.async_api import Page, expect

from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot, obtain_endpoint

Axe = Callable[[Page], Awaitable[None]]


async def test_the_address_is_obtained_the_key_shown_on_demand_and_reset(
    console: Console, account: ImitatedAccount, axe: Axe
) -> None:
    page = await console("creator", "/return-data")
    await expect(page.get_by_text("Nobody has obtained a return address yet")).to_be_visible()
    await axe(page)
    await page.get_by_role("button", name="Obtain").click()
    await expect(page.get_by_text("/openapi/label/batchset/").first).to_be_visible()
    await expect(page.get_by_text("Hidden")).to_be_visible()
    script = page.get_by_role("region", name="How to call it").locator("pre")
    await expect(script).to_contain_text("the EncodingAESKey")

    await page.get_by_role("button", name="Show the key").click()
    await expect(page.get_by_role("button", name="Copy the key")).to_be_visible()
    before = _key_in(await script.inner_text())
    assert before not in page.url
    assert before not in await page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    await axe(page)

    await page.get_by_role("button", name="Reset the key").click()
    dialog = page.get_by_role("dialog", name="Reset the key?")
    await expect(dialog).to_contain_text("refused from that moment on")
    await axe(page)
    await dialog.get_by_role("button", name="Reset the key").click()
    await expect(dialog).to_have_count(0)
    await expect(script).not_to_contain_text(before)
    assert re.fullmatch("[A-Za-z0-9]{43}", _key_in(await script.inner_text()))
    await page.get_by_role("button", name="Hide the key").click()
    await expect(script).to_contain_text("the EncodingAESKey")


async def test_the_script_returns_a_person(
    console: Console, account: ImitatedAccount, robot: Robot, tmp_path: Path
) -> None:
    await obtain_endpoint(robot)
    page = await console("admin", "/return-data", language="zh-CN", theme="dark")
    await page.get_by_role("button", name="显示密钥").click()
    await expect(page.get_by_role("button", name="复制密钥")).to_be_visible()
    file = tmp_path / "call.sh"
    file.write_text(await page.get_by_role("region", name="调用方法").locator("pre").inner_text(), encoding="utf-8")
    # The service runs in the same event loop as the test.
    called = await asyncio.create_subprocess_exec("sh", file, stdout=asyncio.subprocess.PIPE)
    answer, _ = await called.communicate()
    assert b'"errcode":0' in answer, answer
    assert "Gold" in await robot.tags(account.channel_id, "oAda")


async def test_an_agent_sees_the_address_and_nothing_else(console: Console, robot: Robot, axe: Axe) -> None:
    integrator = await obtain_endpoint(robot)
    page = await console("agent", "/return-data", size=PHONE)
    await expect(page.get_by_text(integrator.address, exact=True)).to_be_visible()
    await expect(page.get_by_text("Token and key are for those who set up the calls.")).to_be_visible()
    for hidden in (integrator.app_id, integrator.key):
        assert hidden not in await page.content()
    await expect(page.get_by_role("button", name=re.compile("key|Obtain"))).to_have_count(0)
    await axe(page)


async def test_an_integrator_sees_all_but_the_key(console: Console, account: ImitatedAccount, robot: Robot) -> None:
    integrator = await obtain_endpoint(robot)
    page = await console("integrator", "/return-data")
    await expect(page.get_by_text(integrator.address, exact=True)).to_be_visible()
    await expect(page.get_by_text(integrator.app_id, exact=True)).to_be_visible()
    await expect(page.get_by_text("The key is for creators and admins")).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("Show|Reset"))).to_have_count(0)


async def test_who_may_not_obtain_it_reads_whom_to_ask(console: Console, account: ImitatedAccount, axe: Axe) -> None:
    page = await console("admin", "/return-data", channels=[account.channel_id])
    await expect(page.get_by_text("Ask a creator or an admin of the robot to obtain it.")).to_be_visible()
    await expect(page.get_by_role("button", name="Obtain")).to_have_count(0)
    await axe(page)


def _key_in(script: str) -> str:
    return script.partition("KEY='")[2].partition("'")[0]

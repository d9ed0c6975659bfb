"""Make a webhook endpoint, see how it fares, try it, tell it again, and end it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import pytest
from playwright.async_api import Page, expect

from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot
from tests.support.waiting import wait_until
from tests.support.webhooks import Webhooks, received_events
from tests.webhooks.receiver import OK, Receiver, receiver

Axe = Callable[[Page], Awaitable[None]]
BUSY: Final = b"HTTP/1.1 503 Busy\r\nContent-Length: 21\r\n\r\nThe database is away."
OVERFLOW: Final = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


@pytest.fixture
async def shop() -> AsyncIterator[Receiver]:
    """Run the system that is told."""
    async with receiver() as running:
        yield running


def address_of(shop: Receiver) -> str:
    """Return where the system is called."""
    return f"http://127.0.0.1:{shop.port}/hooks"


async def followed(robot: Robot, shop: Receiver, **given: object) -> str:
    """Let the system be told when tags are made, and return the path of its page."""
    return f"/webhooks/{(await Webhooks(robot).create(url=address_of(shop), **given))['id']}"


async def test_an_endpoint_is_made_and_a_test_event_arrives(
    console: Console, account: ImitatedAccount, robot: Robot, shop: Receiver, axe: Axe
) -> None:
    page = await console("admin", "/webhooks")
    await expect(page.get_by_text("Nobody is told yet")).to_be_visible()
    await page.get_by_role("link", name="New endpoint").click()
    await page.get_by_label("Address").fill(address_of(shop))
    await page.get_by_label("Description").fill("The shop's orders")
    await page.get_by_label("A tag was made").check()
    await page.get_by_role("button", name="Make the endpoint").click()
    await expect(page.get_by_role("heading", name="The endpoint is there")).to_be_visible()
    [made] = await Webhooks(robot).every()
    assert "TAG_CREATED" in made["events"]
    await expect(page.get_by_text(made["secret"])).to_be_visible()
    await expect(page.get_by_text("You find the secret later on the endpoint’s page")).to_be_visible()
    await axe(page)

    await page.get_by_role("link", name="To the endpoint").click()
    await expect(page.get_by_text("Nothing was sent to it yet.")).to_be_visible()
    await page.get_by_role("button", name="Send a test event").click()
    await expect(page.get_by_text("It arrived: the endpoint answered 200.")).to_be_visible()
    assert [each["type"] for each in received_events(shop)] == ["webhook.test"]
    await expect(page.get_by_role("row", name=re.compile("Test event"))).to_contain_text("Taken")
    await axe(page)


async def test_all_inputs_that_are_wrong_say_so(console: Console, account: ImitatedAccount, axe: Axe) -> None:
    console.allow("400")
    page = await console("creator", "/webhooks/new", theme="dark")
    await page.get_by_label("Address").fill("ftp://hooks.example.com/")
    await page.get_by_label("Only these channels").check()
    await page.get_by_label("Only these tags").check()
    while await page.get_by_role("checkbox", checked=True).count():
        await page.get_by_role("checkbox", checked=True).first.uncheck()
    await page.get_by_role("button", name="Make the endpoint").click()
    await expect(page.get_by_text("The address must begin with https://.").first).to_be_visible()
    await expect(page.get_by_text("Choose at least one channel, or all of them.")).to_be_visible()
    await expect(page.get_by_text("Choose at least one kind of event.")).to_be_visible()
    await expect(page.get_by_text("Choose at least one tag, or all of them.")).to_be_visible()
    await expect(page.get_by_label("Address")).to_have_value("ftp://hooks.example.com/")
    await axe(page)


async def test_a_failing_endpoint_says_why_and_goes_on_once_it_is_mended(
    console: Console, account: ImitatedAccount, robot: Robot, shop: Receiver, axe: Axe
) -> None:
    shop.answer = BUSY
    path = await followed(robot, shop)
    await robot.create_ad_tag(account.channel_id, "Summer", "AD-1")
    page = await console("admin", "/webhooks", theme="dark")
    row = page.get_by_role("row", name=re.compile("hooks"))
    await expect(row).to_contain_text("Retrying")
    await expect(row).to_contain_text("503")
    await axe(page)

    await row.get_by_role("link").click()
    await expect(page).to_have_url(re.compile(re.escape(path)))
    await expect(page.get_by_text("Nothing is lost so far: it goes on where it stopped.")).to_be_visible()
    delivery = page.get_by_role("row", name=re.compile("Is repeated"))
    await expect(delivery).to_contain_text("Next attempt")
    await delivery.get_by_role("link").click()
    drawer = page.get_by_role("dialog", name="Delivery")
    await expect(drawer.get_by_text("The database is away.")).to_be_visible()
    await expect(drawer.get_by_text("The endpoint answered 503, and only 2xx counts as taken.")).to_be_visible()
    await axe(page)
    await page.keyboard.press("Escape")

    shop.answer = OK
    await page.get_by_role("button", name="Try now").click()
    await expect(page.get_by_text("The endpoint takes what it is sent.")).to_be_visible()
    assert [each["type"] for each in received_events(shop)][-1:] == ["tag.created"]


async def test_a_delivery_is_sent_again_and_a_channel_told_again(
    console: Console, account: ImitatedAccount, robot: Robot, shop: Receiver, axe: Axe
) -> None:
    path = await followed(robot, shop)
    await robot.create_ad_tag(account.channel_id, "Summer", "AD-1")
    await wait_until(lambda: len(shop.requests) == 1, within=20)
    page = await console("admin", path)
    row = page.get_by_role("row", name=re.compile("1 event"))
    await row.get_by_role("button", name="Send again").click()
    await wait_until(lambda: len(shop.requests) == 2, within=20)
    assert shop.requests[0].headers["webhook-id"] == shop.requests[1].headers["webhook-id"]

    await page.get_by_role("button", name="Tell again").click()
    dialog = page.get_by_role("dialog", name="Tell a channel again")
    await expect(dialog).to_contain_text("Everything of “Tea house” after that is delivered again")
    await axe(page)
    await dialog.get_by_label("After a cursor").check()
    console.allow("400")
    await dialog.get_by_role("button", name="Tell again").click()
    await expect(dialog.get_by_text("Paste a cursor.")).to_be_visible()
    await dialog.get_by_label("After an instant").check()
    await dialog.get_by_role("button", name="Tell again").click()
    await expect(dialog).to_have_count(0)
    await wait_until(lambda: len(shop.requests) > 2, within=20)
    assert shop.requests[2].headers["webhook-id"] != shop.requests[0].headers["webhook-id"]


async def test_the_secret_is_shown_on_demand_and_rotated(
    console: Console, account: ImitatedAccount, robot: Robot, shop: Receiver, axe: Axe
) -> None:
    path = await followed(robot, shop)
    [before] = await Webhooks(robot).every()
    page = await console("creator", path)
    await page.get_by_role("button", name="Show the secret").click()
    await expect(page.get_by_text(before["secret"])).to_be_visible()
    await page.get_by_role("button", name="Rotate the secret").click()
    dialog = page.get_by_role("dialog", name="Rotate the secret?")
    await expect(dialog).to_contain_text("For 24 hours deliveries are signed by the present ones, too.")
    await dialog.get_by_role("button", name="Rotate the secret").click()
    await expect(dialog).to_have_count(0)
    [after] = await Webhooks(robot).every()
    await expect(page.get_by_text(after["secret"])).to_be_visible()
    await expect(page.get_by_text(before["secret"])).to_have_count(0)
    await expect(page.get_by_text("Former secret signs until")).to_be_visible()
    await axe(page)
    await page.get_by_role("button", name="Hide the secret").click()
    await expect(page.get_by_text(after["secret"])).to_have_count(0)


async def test_an_endpoint_is_edited_switched_off_and_deleted(
    console: Console, account: ImitatedAccount, robot: Robot, shop: Receiver, axe: Axe
) -> None:
    path = await followed(robot, shop)
    page = await console("admin", path)
    await page.get_by_role("link", name="Edit").click()
    await expect(page.get_by_text("Nothing is changed.")).to_be_visible()
    await page.get_by_label("Description").fill("The till")
    await page.get_by_label("Only these tags").check()
    await page.get_by_role("button", name="New user").click()
    await axe(page)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("link", name="New user")).to_be_visible()
    await expect(page.get_by_text("The till")).to_be_visible()

    await page.get_by_role("button", name="Switch off").click()
    await expect(page.get_by_text("Somebody switched the endpoint off.")).to_be_visible()
    await expect(page.get_by_text("Nothing is sent while it is off. Switch it on first.")).to_be_visible()
    await axe(page)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("button", name="Switch off")).to_be_visible()

    await page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete the endpoint?")
    await expect(dialog).to_contain_text("is told nothing more")
    await dialog.get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("Nobody is told yet")).to_be_visible()
    assert await Webhooks(robot).every() == []


async def test_a_token_for_some_channels_sees_its_own_endpoints_and_makes_none_for_all(
    console: Console, account: ImitatedAccount, robot: Robot, shop: Receiver, axe: Axe
) -> None:
    await followed(robot, shop)
    await Webhooks(robot).create(url=f"{address_of(shop)}/mine", channelIds=[account.channel_id])
    page = await console("admin", "/webhooks", channels=[account.channel_id])
    await expect(page.get_by_text("Your token is for some channels only.")).to_be_visible()
    await expect(page.get_by_role("link", name=address_of(shop))).to_have_count(1)
    await expect(page.get_by_role("link", name=f"{address_of(shop)}/mine")).to_be_visible()
    await page.get_by_role("link", name="New endpoint").click()
    await expect(page.get_by_label("All channels")).to_be_disabled()
    await expect(page.get_by_text("Your token is for some channels only. Name those")).to_be_visible()
    await axe(page)


async def test_others_are_told_that_webhooks_are_not_theirs(
    console: Console, account: ImitatedAccount, robot: Robot, shop: Receiver
) -> None:
    path = await followed(robot, shop)
    for role in ("agent", "integrator"):
        page = await console(role, path)
        await expect(page.get_by_text("Webhooks are for creators and admins of the robot.")).to_be_visible()
        await expect(page.get_by_role("link", name="Webhooks")).to_have_count(0)


async def test_an_endpoint_that_is_not_there_leads_back(console: Console, account: ImitatedAccount) -> None:
    page = await console("admin", "/webhooks/nothing", language="zh-CN", size=PHONE)
    await expect(page.get_by_text("没有这个接收端")).to_be_visible()
    await page.get_by_role("link", name="全部接收端").click()
    await expect(page.get_by_text("还没有接收端")).to_be_visible()


async def test_an_endpoint_fits_a_phone(
    console: Console, account: ImitatedAccount, robot: Robot, shop: Receiver, axe: Axe
) -> None:
    path = await followed(robot, shop, description="门店收银系统")
    await robot.create_ad_tag(account.channel_id, "Summer", "AD-1")
    page = await console("admin", path, language="zh-CN", theme="dark", size=PHONE)
    await expect(page.get_by_role("row", name=re.compile("已送达"))).to_contain_text("1 个事件")
    await axe(page)
    assert await page.evaluate(OVERFLOW) <= 0, "nobody scrolls sideways"

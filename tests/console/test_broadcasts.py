"""Send broadcasts as people do: see whom they reach, send, watch, stop, and look at what became of them."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import pytest
from playwright.async_api import Page, expect

from service.dev.demo.wechat_api.faults import Fault, FaultKind
from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot

CUSTOMER_SERVICE: Final = "/cgi-bin/message/custom/send"
POLICY: Final = "mutation ($input: BroadcastPolicyInput!) { setBroadcastPolicy(input: $input) { channel { id } } }"
CREATE: Final = """
mutation ($input: CreateBroadcastInput!) { createBroadcast(input: $input) { broadcast { id } } }
"""


def path_of(account: ImitatedAccount, rest: str = "") -> str:
    return f"/channels/{account.channel_id}/broadcasts{rest}"


async def write_to_followers(page: Page, text: str = "New teas are in.", name: str = "New teas") -> None:
    """Fill in the form for a text to everybody who follows and can be answered."""
    await page.get_by_role("radio", name="Customer service text").check()
    await page.get_by_label("Text", exact=True).fill(text)
    await page.get_by_label("Name", exact=True).fill(name)


async def send(page: Page, button: str) -> None:
    """Review what is in the form, and press the button that says this."""
    await page.get_by_role("button", name="Review").click()
    await page.get_by_role("button", name=button).click()


async def expect_parts(page: Page, **counts: int) -> None:
    """Wait until so many people are in each of these parts."""
    people = page.get_by_role("region", name="People")
    for name, count in counts.items():
        word = name.replace("_", " ")
        entry = people.locator("dl > div").filter(has=page.get_by_text(word, exact=True))
        await expect(entry.locator("dd")).to_have_text(str(count))


@pytest.fixture
async def guests(account: ImitatedAccount) -> AsyncIterator[ImitatedAccount]:
    """Let ann, bob and cat follow and write, and dan follow only; what was ordered of WeChat ends with the test."""
    await account.follow("ann", "bob", "cat", "dan")
    for openid in ("ann", "bob", "cat"):
        await account.write(openid)
    yield account
    account.platform.books.faults.clear()


async def create(robot: Robot, account: ImitatedAccount, **given: object) -> str:
    """Make a broadcast to all followers by the API, and return its id."""
    request = {
        "channelId": account.channel_id,
        "name": "New teas",
        "audience": {"followers": True},
        "message": {"customerServiceText": {"text": "New teas are in."}},
        "idempotencyKey": "k1",
    }
    made: str = (await robot.ask(CREATE, input=request | given))["createBroadcast"]["broadcast"]["id"]
    return made


async def test_a_broadcast_from_the_form_to_the_report(
    console: Console, robot: Robot, guests: ImitatedAccount, axe: Callable[[Page], Awaitable[None]]
) -> None:
    await robot.ask(POLICY, input={"channelId": guests.channel_id, "perPersonPerDay": 1})
    page = await console("admin", path_of(guests))
    await expect(page.get_by_text("Nothing has been sent yet")).to_be_visible()
    await page.get_by_role("link", name="New broadcast").first.click()
    await page.get_by_role("radio", name="Customer service text").check()
    await page.get_by_label("Text", exact=True).fill("New teas are in, ")
    await page.get_by_label("For people without one").fill("guest")
    await page.get_by_role("button", name="Insert").click()
    await expect(page.get_by_label("Text", exact=True)).to_have_value(re.compile(r"are in, \{\{tag:.+\|guest\}\}$"))
    await page.get_by_label("Name", exact=True).fill("New teas")
    await page.get_by_role("combobox", name="Choose a tag").click()
    await page.get_by_role("option", name="Everybody who follows").click()
    preview = page.get_by_role("region", name="Who would get it")
    await expect(preview.get_by_text("4 in the audience")).to_be_visible()
    await expect(preview.get_by_text("3 would be sent to now")).to_be_visible()
    await expect(preview.get_by_text("wrote too long ago for customer service")).to_contain_text("dan")
    # What lies under the bar at the top as the page is scrolled would be judged as it is cut off.
    await page.evaluate("scrollTo(0, 0)")
    await axe(page)
    await page.get_by_role("button", name="Review: 3 people").click()
    await axe(page)
    await page.get_by_role("button", name="Send to 3 people").click()
    await expect(page.get_by_role("heading", name="New teas")).to_contain_text("Done")
    await expect_parts(page, sent=3, planned=0, failed=0, uncertain=0, held_back=0, cannot_be_sent_to=1)
    assert {openid: len(guests.books.messages.of(openid)) for openid in ("ann", "bob", "cat", "dan")} == {
        "ann": 1,
        "bob": 1,
        "cat": 1,
        "dan": 0,
    }
    await page.get_by_role("button", name="Who: wrote too long ago for customer service").click()
    await expect(page.get_by_role("dialog").get_by_role("link", name="dan")).to_be_visible()
    await axe(page)
    await page.get_by_role("button", name="Close").click()
    await page.get_by_role("link", name="Make another like it").click()
    await expect(preview.get_by_text("got as many messages as the policy allows")).to_be_visible()
    await page.get_by_role("button", name="Review: 0 people").click()
    await expect(page.get_by_text("Nobody would get it.")).to_be_visible()


async def test_numbers_move_while_it_is_being_sent_and_a_pause_stops_it_in_the_middle(
    console: Console, robot: Robot, account: ImitatedAccount
) -> None:
    people = [f"guest-{number}" for number in range(80)]
    await account.follow(*people)
    for openid in people:
        await account.write(openid)
    faults = account.platform.books.faults
    faults.add(CUSTOMER_SERVICE, Fault(kind=FaultKind.HOLD, times=None, skip=32))
    try:
        page = await console("admin", path_of(account, "/new?expression=followers"))
        await write_to_followers(page)
        await send(page, "Send to 80 people")
        await expect(page.get_by_role("heading", name="New teas")).to_contain_text("Sending")
        await expect_parts(page, sent=32, on_its_way_or_uncertain=32, planned=16)
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_text("Somebody paused it")).to_be_visible()
    finally:
        faults.clear()
    await expect_parts(page, sent=40, uncertain=0, planned=40)
    assert sum(len(account.books.messages.of(each)) for each in people) == 40
    await page.get_by_role("button", name="Resume").click()
    await expect(page.get_by_role("heading", name="New teas")).to_contain_text("Done")
    await expect_parts(page, sent=80, planned=0)
    assert [len(account.books.messages.of(each)) for each in people] == [1] * len(people)


async def test_a_second_admin_approves(console: Console, robot: Robot, guests: ImitatedAccount) -> None:
    # Subjects are people: a creator of the same subject would be the same person.
    token = robot.web.token("creator", robot=robot.name, subject="another")
    creator = await console("creator", path_of(guests, "/policy"), token=token)
    await creator.get_by_label("Another admin approves").fill("1")
    await creator.get_by_role("button", name="Save the policy: 1 change").click()
    await expect(creator.get_by_text("The policy is saved.")).to_be_visible()
    admin = await console("admin", path_of(guests, "/new?expression=followers"))
    await write_to_followers(admin)
    await send(admin, "Ask for approval for 3 people")
    await expect(admin.get_by_text("It waits for the approval of another admin")).to_be_visible()
    own = admin.get_by_role("button", name="Approve")
    await expect(own).to_have_attribute("aria-disabled", "true")
    await expect(admin.get_by_text("You made this broadcast, or changed it last.")).to_be_visible()
    await creator.goto(f"{admin.url}#token={token}")
    await creator.get_by_role("button", name="Approve").click()
    for page in (creator, admin):
        await expect(page.get_by_role("heading", name="New teas")).to_contain_text("Done")
        await expect_parts(page, sent=3)


async def test_it_is_paused_changed_resumed_and_cancelled(
    console: Console, robot: Robot, guests: ImitatedAccount
) -> None:
    made = await create(robot, guests, startAt="2026-12-31T10:00:00Z")
    page = await console("admin", path_of(guests, f"/{made}"))
    await expect(page.get_by_text("It waits for its start.")).to_be_visible()
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("Somebody paused it")).to_be_visible()
    await page.get_by_role("button", name="Resume").click()
    await expect(page.get_by_text("It waits for its start.")).to_be_visible()
    await page.get_by_role("link", name="Change").click()
    await expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    await page.get_by_label("Text", exact=True).fill("Newer teas are in.")
    await page.get_by_role("button", name="Save the changes").click()
    await expect(page.get_by_text("Newer teas are in.")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()
    dialog = page.get_by_role("dialog", name="Cancel this broadcast?")
    await expect(dialog).to_contain_text("Nobody has got it, and nobody will.")
    await dialog.get_by_role("button", name="Cancel the broadcast").click()
    await expect(page.get_by_role("heading", name="New teas")).to_contain_text("Cancelled")
    assert guests.books.messages.of("ann") == []


async def test_a_pause_that_somebody_has_to_look_at_is_seen_live_and_ended(
    console: Console, robot: Robot, guests: ImitatedAccount
) -> None:
    page = await console("admin", path_of(guests, "?show=attention"))
    await expect(page.get_by_text("Nothing has been sent yet")).to_be_visible()
    # A code about the message, not about bob.
    guests.platform.books.faults.add(CUSTOMER_SERVICE, Fault(kind=FaultKind.ERROR, code=47003, openid="bob"))
    made = await create(robot, guests)
    await page.goto("about:blank")
    await page.goto(f"{robot.web.url}{path_of(guests)}#token={robot.token()}")
    row = page.get_by_role("row", name="New teas")
    await expect(row).to_contain_text("WeChat refused the message itself.")
    await expect(row).to_contain_text("2 of 3")
    await page.get_by_role("link", name="To look at").click()
    await row.get_by_role("link", name="New teas").click()
    assert page.url.endswith(made)
    await expect_parts(page, sent=2, planned=1, uncertain=0)
    await page.get_by_role("button", name="Resume").click()
    await expect(page.get_by_role("heading", name="New teas")).to_contain_text("Done")
    await expect_parts(page, sent=3, planned=0)
    assert len(guests.books.messages.of("bob")) == 1


async def test_who_failed_for_a_reason_that_may_pass_is_sent_to_again(
    console: Console, robot: Robot, guests: ImitatedAccount
) -> None:
    guests.platform.books.faults.add(CUSTOMER_SERVICE, Fault(kind=FaultKind.ERROR, code=45047, openid="ann"))
    made = await create(robot, guests)
    page = await console("admin", path_of(guests, f"/{made}"))
    await expect_parts(page, sent=2, failed=1)
    failures = page.get_by_role("region", name="What failed")
    await expect(failures.get_by_role("row", name="45047")).to_contain_text("yes")
    await page.get_by_role("button", name="Send again to 1 person who failed").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Nobody gets it twice.")
    await dialog.get_by_role("button", name="Send again to 1 person").click()
    await expect_parts(page, sent=3, failed=0)
    assert len(guests.books.messages.of("ann")) == 1


async def test_who_is_uncertain_is_named_and_sent_to_again_only_when_somebody_says_so(
    console: Console, robot: Robot, guests: ImitatedAccount
) -> None:
    fault = Fault(kind=FaultKind.RESET, accepted=True, openid="cat")
    guests.platform.books.faults.add(CUSTOMER_SERVICE, fault)
    made = await create(robot, guests)
    page = await console("admin", path_of(guests, f"/{made}"))
    await expect_parts(page, sent=2, uncertain=1)
    await page.get_by_role("button", name="Who: 1 person").click()
    await expect(page.get_by_role("dialog").get_by_role("link", name="cat")).to_be_visible()
    await page.get_by_role("button", name="Close").click()
    await page.get_by_role("button", name="Send again to 1 person who").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Whoever did get it gets it twice.")
    await dialog.get_by_role("button", name="Send again to 1 person").click()
    await expect_parts(page, sent=3, uncertain=0)
    assert len(guests.books.messages.of("cat")) == 2


async def test_what_was_typed_outlives_a_reload_and_a_refusal(
    console: Console, robot: Robot, guests: ImitatedAccount
) -> None:
    page = await console("admin", path_of(guests, "/new?expression=followers"))
    await page.get_by_role("radio", name="Template message").check()
    await page.get_by_label("Template", exact=True).fill("t1")
    await page.get_by_label("Name", exact=True).first.fill("time1")
    await page.get_by_label("Value").fill("soon")
    await send(page, "Send to 4 people")
    refused = page.get_by_label("Value")
    await expect(refused).to_have_attribute("aria-invalid", "true")
    await expect(refused).to_have_value("soon")
    await page.goto("about:blank")
    await page.goto(f"{robot.web.url}{path_of(guests, '/new')}#token={robot.token('admin')}")
    await expect(page.get_by_text("What you typed before is still here.")).to_be_visible()
    await expect(page.get_by_label("Value")).to_have_value("soon")
    await page.get_by_role("button", name="Start over").click()
    await expect(page.get_by_role("radio", name="Template message")).not_to_be_checked()


async def test_a_test_message_says_what_became_of_it(console: Console, guests: ImitatedAccount) -> None:
    page = await console("admin", path_of(guests, "/new"))
    await write_to_followers(page)
    await page.get_by_label("Openids").fill("ann, eve")
    await page.get_by_role("button", name="Send a test").click()
    results = page.get_by_role("list", name="What became of the test")
    await expect(results.get_by_role("listitem").filter(has_text="ann")).to_contain_text("WeChat took it")
    await expect(results.get_by_role("listitem").filter(has_text="eve")).to_contain_text("Not sent")
    assert len(guests.books.messages.of("ann")) == 1


@pytest.mark.parametrize("role", ["agent", "integrator"])
async def test_others_see_nothing_of_it_but_why(console: Console, guests: ImitatedAccount, role: str) -> None:
    page = await console(role, path_of(guests))
    await expect(page.get_by_text("Broadcasts are for creators and admins")).to_be_visible()
    await expect(page.get_by_role("link", name="Broadcasts")).to_have_count(0)
    policy = await console(role, path_of(guests, "/policy"))
    await expect(policy.get_by_text("Only creators and admins change the policy.")).to_be_visible()


async def test_in_chinese_on_a_phone_in_the_dark(
    console: Console, robot: Robot, guests: ImitatedAccount, axe: Callable[[Page], Awaitable[None]]
) -> None:
    made = await create(robot, guests)
    page = await console("creator", path_of(guests, f"/{made}"), language="zh-CN", theme="dark", size=PHONE)
    await expect(page.get_by_role("heading", name="New teas")).to_contain_text("已完成")
    await axe(page)
    await page.get_by_role("link", name="以此新建").click()
    await expect(page.get_by_role("region", name="谁会收到").get_by_text("3 现在会收到")).to_be_visible()
    await axe(page)
    for rest in ("", "/policy"):
        await page.goto("about:blank")
        await page.goto(f"{robot.web.url}{path_of(guests, rest)}#token={robot.token('creator')}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await axe(page)

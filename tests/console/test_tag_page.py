"""Look at one tag, rename it and delete it, while others do too."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.console.tags import DELETE, RENAME, hand_back, ids_by_name
from tests.support.robot import CREATE_COMBO, Robot

Axe = Callable[[Page], Awaitable[None]]


async def test_all_of_a_tag_is_on_its_page(console: Console, account: ImitatedAccount, robot: Robot, axe: Axe) -> None:
    await account.follow("ann")
    ordered = await hand_back(robot, account.channel_id, "Ordered", "ann")
    await robot.create_combo(account.channel_id, ordered, name="Buyers")
    page = await console("admin", f"/channels/{account.channel_id}/tags/{ordered}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Ordered")
    await expect(page.get_by_role("region", name="Used by")).to_contain_text("Buyers")
    await expect(page.get_by_role("region", name="Official Account")).to_contain_text("Never synced")
    await expect(page.get_by_role("img", name="From 1 to 1 people")).to_be_visible()
    await axe(page)
    sizes = page.get_by_role("region", name="People over time").first
    await sizes.get_by_label("Table").check()
    await expect(sizes.get_by_role("table")).to_contain_text("1")
    assert "sizes=table" in page.url
    await axe(page)
    await page.get_by_role("link", name="ann", exact=True).click()
    await expect(page).to_have_url(f"{robot.web.url}/channels/{account.channel_id}/people?openid=ann")


async def test_a_tag_is_renamed_in_its_place_and_back_by_undo(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    ordered = await hand_back(robot, account.channel_id, "Ordered", "ann")
    await hand_back(robot, account.channel_id, "Paid", "ann")
    page = await console("creator", f"/channels/{account.channel_id}/tags/{ordered}")
    heading = page.get_by_role("heading", level=1)
    await page.get_by_role("button", name="Rename").click()
    await expect(page.get_by_label("Name", exact=True)).to_be_focused()
    await axe(page)
    await page.get_by_label("Name", exact=True).fill("Paid")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Another tag of this category has the name.")).to_be_visible()
    await page.get_by_label("Name", exact=True).fill("Bought")
    await page.get_by_label("Description").fill("Who bought something")
    await page.get_by_role("button", name="Save").click()
    await expect(heading).to_contain_text("Bought")
    await expect(page.get_by_text("Who bought something")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    await expect(heading).to_contain_text("Ordered")
    await expect(page.get_by_text("Who bought something")).not_to_be_visible()


async def test_what_somebody_else_saved_meanwhile_is_shown_and_what_was_written_is_kept(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    ordered = await hand_back(robot, account.channel_id, "Ordered", "ann")
    page = await console("admin", f"/channels/{account.channel_id}/tags/{ordered}")
    await page.get_by_role("button", name="Rename").click()
    await page.get_by_label("Name", exact=True).fill("Mine")
    await robot.ask(RENAME, id=ordered, name="Theirs")
    await expect(page.get_by_text("Somebody else edited this tag meanwhile")).to_be_visible()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Mine")
    await axe(page)
    await page.get_by_role("button", name="Save mine").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Mine")


async def test_deleting_says_first_what_lapses_and_another_page_sees_it(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    ordered = await hand_back(robot, account.channel_id, "Ordered", "ann")
    buyers = await robot.create_combo(account.channel_id, ordered, name="Buyers")
    base = f"/channels/{account.channel_id}/tags"
    combo = await console("agent", f"{base}/{buyers}")
    await expect(combo.get_by_role("heading", level=1)).to_contain_text("In effect")
    page = await console("admin", f"{base}/{ordered}", language="en-GB")
    await page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("1 person")
    await expect(dialog).to_contain_text("1 combo lapses with it")
    await expect(dialog).to_contain_text("Buyers")
    await expect(dialog).to_contain_text("No broadcast waits for it.")
    await axe(page)
    await dialog.get_by_role("button", name="Delete the tag").click()
    await expect(page.get_by_text("This tag was deleted")).to_be_visible()
    await expect(page.get_by_role("button", name="Rename")).not_to_be_visible()
    await expect(combo.get_by_role("heading", level=1)).to_contain_text("Lapsed")
    await expect(combo.get_by_role("link", name="Orders / Ordered")).to_be_visible()
    await axe(combo)


async def test_a_tag_that_is_deleted_while_one_looks_keeps_its_history(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    ordered = await hand_back(robot, account.channel_id, "Ordered", "ann")
    page = await console("agent", f"/channels/{account.channel_id}/tags/{ordered}", language="zh-CN", size=PHONE)
    await expect(page.get_by_role("img", name="从 1 人到 1 人")).to_be_visible()
    await robot.ask(DELETE, id=ordered)
    await expect(page.get_by_text("此标签已被删除")).to_be_visible()
    await expect(page.get_by_role("img", name="从 1 人")).to_be_visible()


async def test_a_combo_comes_into_effect_before_ones_eyes(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    ad_tag = await robot.create_ad_tag(account.channel_id, "Spring", "ad-1")
    expression = {"any": [{"tag": ad_tag}, {"followers": True}]}
    given = {"channelId": account.channel_id, "name": "Spring or follower", "expression": expression}
    combo = (await robot.ask(CREATE_COMBO, input=given))["createComboTag"]["tag"]["id"]
    page = await console("admin", f"/channels/{account.channel_id}/tags/{combo}")
    heading = page.get_by_role("heading", level=1)
    await expect(heading).to_contain_text("Taking effect")
    await expect(page.get_by_text("Not offered for broadcasts")).to_be_visible()
    confirm = "mutation Confirm($id: ID!) { confirmAdReturnAddress(channelId: $id) { channel { id } } }"
    await robot.ask(confirm, id=account.channel_id)
    await expect(heading).to_contain_text("In effect")
    await expect(page.get_by_text("Offered for broadcasts")).to_be_visible()


async def test_a_default_tag_says_that_it_follows_fixed_rules_and_roles_shape_the_page(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    touchable = (await ids_by_name(robot, account.channel_id))["Touchable"]
    path = f"/channels/{account.channel_id}/tags/{touchable}"
    admin = await console("admin", path)
    await expect(admin.get_by_text("Default tags follow fixed rules")).to_be_visible()
    await expect(admin.get_by_role("button", name="Delete")).not_to_be_visible()
    integrator = await console("integrator", path, theme="dark")
    await expect(integrator.get_by_text("Who has the tag is for creators, admins and agents.")).to_be_visible()
    await expect(integrator.get_by_role("region", name="Official Account")).not_to_be_visible()
    await axe(integrator)


async def test_an_address_of_no_tag_says_what_is_wrong(console: Console, account: ImitatedAccount) -> None:
    page = await console("admin", f"/channels/{account.channel_id}/tags/nothing")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_text("This page broke")).to_have_count(0)

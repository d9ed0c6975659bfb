"""Make and edit ad tags, hand their address over, and see them come into effect."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot

Axe = Callable[[Page], Awaitable[None]]
IDS = 'AD-1\n"AD-2"\nAD-1\nAD-3\tSummer\n'


async def test_an_ad_tag_is_made_waits_for_the_address_and_comes_into_effect(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    page = await console("admin", f"/channels/{account.channel_id}/tags/new/ad")
    await page.get_by_label("Name").fill("Summer campaign")
    await page.get_by_label("Ad ids").fill(IDS)
    lines = page.get_by_role("list", name="Lines to look at")
    await expect(lines.get_by_role("listitem")).to_have_count(2)
    await expect(lines).to_contain_text("Line 3: AD-1 repeats a line above")
    await expect(lines).to_contain_text("Line 4: AD-3")
    await axe(page)
    await page.get_by_role("button", name="Make the tag").click()
    await expect(page.get_by_text("Mend or take out the lines")).to_be_visible()

    await page.get_by_label("Ad ids").fill("AD-1\nAD-2\nAD-3")
    await page.get_by_role("button", name="Make the tag").click()
    made = page.get_by_role("region", name="“Summer campaign” was made")
    await expect(made).to_contain_text("Taking effect")
    address = await page.get_by_text("/ads/").first.inner_text()
    assert address.startswith(f"{robot.web.url}/ads/")
    await axe(page)

    await page.get_by_role("button", name="The ad platform has it").click()
    await expect(made).to_contain_text("In effect")
    await expect(page.get_by_text("1 ad tag is in effect now.")).to_be_visible()


async def test_the_first_call_of_the_platform_brings_it_into_effect_before_ones_eyes(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    page = await console("creator", f"/channels/{account.channel_id}/tags/new/ad", language="zh-CN", size=PHONE)
    await page.get_by_label("名称").fill("夏季")
    await page.get_by_label("广告 ID").fill("AD-1")
    await page.get_by_role("button", name="创建标签").click()
    made = page.get_by_role("region", name="“夏季”已创建")
    await expect(made).to_contain_text("生效中")
    address = await page.get_by_text("/ads/").first.inner_text()
    answer = await robot.web.http.get(address, params={"wechat_openid": "ann", "ad_id": "AD-1"})
    assert answer.json()["ret"] == 0
    await expect(made).to_contain_text("已生效")
    await expect(made.locator("data")).to_have_text("1")


async def test_an_edit_says_what_comes_and_goes_and_does_not_overwrite_somebody_elses(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    tag = await robot.create_ad_tag(account.channel_id, "Summer", "AD-1", "AD-2")
    page = await console("admin", f"/channels/{account.channel_id}/tags/{tag}/edit", theme="dark")
    await expect(page.get_by_label("Ad ids")).to_have_value("AD-1\nAD-2")
    await page.get_by_label("Ad ids").fill("AD-2\nAD-3\nAD-4")
    await expect(page.get_by_text("2 new, 1 taken out")).to_be_visible()
    await axe(page)

    rename = 'mutation ($id: ID!) { renameTag(id: $id, name: "Spring") { tag { id } } }'
    await robot.ask(rename, id=tag)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Somebody else edited this tag meanwhile")).to_be_visible()
    await page.get_by_role("button", name="Save mine").click()
    await expect(page).to_have_url(f"{robot.web.url}/channels/{account.channel_id}/tags/{tag}")
    read = "query ($id: ID!) { tag(id: $id) { name ... on AdTag { adIds } } }"
    assert (await robot.ask(read, id=tag))["tag"] == {"name": "Summer", "adIds": ["AD-2", "AD-3", "AD-4"]}


@pytest.mark.parametrize("role", ["agent", "integrator"])
async def test_who_may_not_make_tags_reads_why_and_sees_no_address(
    console: Console, account: ImitatedAccount, role: str, axe: Axe
) -> None:
    page = await console(role, f"/channels/{account.channel_id}/tags/new/ad")
    await expect(page.get_by_text("Only creators and admins make, edit and delete tags.")).to_be_visible()
    await expect(page.get_by_text("The address is for creators and admins")).to_be_visible()
    await expect(page.get_by_text("/ads/")).to_have_count(0)
    await axe(page)


async def test_a_mini_program_says_why_it_has_no_ad_tags(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    shop = await robot.bind(2, kind="MINI_PROGRAM", name="Tea shop")
    page = await console("admin", f"/channels/{shop['id']}/tags/new/ad")
    await expect(page.get_by_text("Mini Programs have no ad tags")).to_be_visible()
    await axe(page)


async def test_while_the_gate_is_closed_no_ad_tag_is_made(console: Console, robot: Robot) -> None:
    channel = await robot.bind(verified=False)
    page = await console("admin", f"/channels/{channel['id']}/tags/new/ad")
    await expect(page.get_by_text("verified").first).to_be_visible()
    await expect(page.get_by_label("Ad ids")).to_have_count(0)

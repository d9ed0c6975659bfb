"""Build expressions by keyboard alone, by dragging, by touch: the counts are the API's."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.console.console import PHONE, Console
from tests.console.expressions import choose, count_of, ids_by_name, node, tab_to
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot


async def test_an_expression_is_built_by_keys_alone(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Callable[[Page], Awaitable[None]]
) -> None:
    await account.follow("ann", "ben", "cem")
    await account.write("ann")
    page = await console("admin", f"/channels/{account.channel_id}/audience")
    root = page.get_by_role("treeitem").first
    await expect(root).to_be_visible()
    await tab_to(page, root)
    await page.keyboard.press("Enter")
    await choose(page, "New user")
    await choose(page, "Touchable")
    await choose(page, "Opened")
    await page.keyboard.press("Escape")
    await expect(root).to_be_focused()
    # Touchable and Opened into a group of their own, which asks for any of them.
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await expect(node(page, "Opened")).to_be_focused()
    await page.keyboard.press("Alt+ArrowRight")
    await expect(node(page, "Opened")).to_be_focused()
    tags = await ids_by_name(robot, account.channel_id)
    either = {"any": [{"tag": tags["Touchable"]}, {"tag": tags["Opened"]}]}
    all_of = {"all": [{"tag": tags["New user"]}, either]}
    await expect(node(page, "Any of these", await count_of(robot, account.channel_id, either))).to_be_visible()
    await expect(node(page, "All of these", await count_of(robot, account.channel_id, all_of))).to_be_visible()
    # Opened is taken out, and comes back.
    await page.keyboard.press("Delete")
    await expect(node(page, "Opened")).to_have_count(0)
    await expect(node(page, "Touchable")).to_be_focused()
    await page.keyboard.press("Control+z")
    await expect(node(page, "Opened")).to_be_visible()
    await axe(page)


async def test_who_has_a_tag_is_left_out_by_the_menu_of_a_node(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    await account.follow("ann", "ben", "cem")
    await account.write("ann")
    tags = await ids_by_name(robot, account.channel_id)
    expression = f"all({tags['New user']},{tags['Opened']})"
    page = await console("admin", f"/channels/{account.channel_id}/audience?expression={expression}")
    opened = node(page, "Opened")
    await opened.focus()
    await page.keyboard.press("Shift+F10")
    await page.get_by_role("menuitem", name="Leave these people out").click()
    without = {"except": {"from": {"tag": tags["New user"]}, "remove": {"tag": tags["Opened"]}}}
    count = await count_of(robot, account.channel_id, without)
    assert count == 2
    await expect(node(page, "These, but not those", count)).to_be_visible()
    await expect(page.get_by_text("New user − Opened")).to_be_visible()


async def test_a_tag_is_dragged_onto_another_and_out_again(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    await account.follow("ann", "ben")
    await account.write("ann")
    tags = await ids_by_name(robot, account.channel_id)
    leaves = f"all({tags['New user']},{tags['Touchable']},{tags['Opened']})"
    page = await console("admin", f"/channels/{account.channel_id}/audience?expression={leaves}")
    handle = node(page, "Opened").locator("span[aria-hidden=true]").first
    await handle.drag_to(node(page, "Touchable"))
    either = {"any": [{"tag": tags["Touchable"]}, {"tag": tags["Opened"]}]}
    await expect(node(page, "Any of these", await count_of(robot, account.channel_id, either))).to_be_visible()
    assert f"any({tags['Touchable']},{tags['Opened']})" in (await expression_of(page) or "")
    target = node(page, "New user")
    box = await target.bounding_box()
    assert box is not None
    await handle.drag_to(target, target_position={"x": box["width"] / 2, "y": 3})
    await expect(node(page, "Opened")).to_be_visible()
    assert (await expression_of(page) or "").startswith(f"all({tags['Opened']},{tags['New user']}")


async def test_a_narrow_page_has_menus_for_fingers(console: Console, account: ImitatedAccount, robot: Robot) -> None:
    await account.follow("ann")
    tags = await ids_by_name(robot, account.channel_id)
    path = f"/channels/{account.channel_id}/audience?expression=all({tags['New user']},{tags['Touchable']})"
    page = await console("admin", path, language="zh-CN", theme="dark", size=PHONE)
    await page.get_by_role("button", name="“可触达”的操作").click()
    await page.get_by_role("menuitem", name="上移").click()
    await expect(page.get_by_role("treeitem").nth(1)).to_contain_text("可触达")
    assert await expression_of(page) == f"all({tags['Touchable']},{tags['New user']})"
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_only_tags_in_effect_are_chosen_and_others_say_why(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    await robot.create_ad_tag(account.channel_id, "Spring", "ad1")
    page = await console("agent", f"/channels/{account.channel_id}/audience")
    field = page.get_by_role("combobox", name="Choose a tag")
    await field.fill("Spring")
    option = page.get_by_role("option", name="Spring")
    await expect(option).to_contain_text("It is still taking effect.")
    await expect(option).to_be_disabled()
    await field.press("Enter")
    await expect(option).to_be_visible()
    assert await expression_of(page) is None


async def expression_of(page: Page) -> str | None:
    """Return the expression in the address of a page; None where there is none."""
    expression: str | None = await page.evaluate("new URLSearchParams(location.search).get('expression')")
    return expression

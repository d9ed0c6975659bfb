"""Make a combo, see it come into effect, edit it, let it lapse, and mend it."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.console.console import Console
from tests.console.expressions import choose, ids_by_name, node
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot

DELETE = "mutation ($id: ID!) { deleteTag(id: $id) { tag { id } } }"
RENAME = 'mutation ($id: ID!) { updateComboTag(input: {id: $id, name: "Theirs"}) { tag { id } } }'
READ = "query ($id: ID!) { tag(id: $id) { name state memberCount ... on ComboTag { expression { text } } } }"


async def test_a_combo_is_made_and_comes_into_effect(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Callable[[Page], Awaitable[None]]
) -> None:
    await account.follow("ann", "ben")
    await account.write("ann")
    page = await console("creator", f"/channels/{account.channel_id}/tags/new/combo")
    await page.get_by_role("combobox", name="Choose a tag").focus()
    await choose(page, "New user")
    await choose(page, "Opened")
    await expect(node(page, "All of these", 1)).to_be_visible()
    await page.get_by_role("button", name="Make the combo").click()
    await expect(page.get_by_text("A tag needs a name.")).to_be_visible()
    await axe(page)
    await page.get_by_label("Name", exact=True).fill("Newcomers who wrote")
    await page.get_by_role("button", name="Make the combo").click()
    await expect(page.get_by_role("heading", name="Newcomers who wrote")).to_be_visible()
    await expect(page.get_by_text("In effect", exact=True).first).to_be_visible()


async def test_an_edit_says_who_gains_and_who_loses(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Callable[[Page], Awaitable[None]]
) -> None:
    await account.follow("ann", "ben", "cem")
    await account.write("ann")
    tags = await ids_by_name(robot, account.channel_id)
    combo = await robot.create_combo(account.channel_id, tags["New user"], tags["Opened"], name="Wrote")
    await robot.create_combo(account.channel_id, combo, name="Of Wrote")
    path = f"/channels/{account.channel_id}/tags/{combo}/edit?expression={tags['Not opened']}"
    page = await console("admin", path)
    preview = page.get_by_role("region", name="Preview")
    await expect(preview).to_contain_text("+2")
    await expect(preview).to_contain_text("−1")
    await expect(preview).to_contain_text("ben")
    await expect(preview.get_by_role("link", name="Of Wrote")).to_be_visible()
    await axe(page)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("In effect", exact=True).first).to_be_visible()
    after = (await robot.ask(READ, id=combo))["tag"]
    assert after["expression"]["text"] == "Not opened"


async def test_what_somebody_else_saved_meanwhile_is_not_overwritten_unseen(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    await account.follow("ann")
    tags = await ids_by_name(robot, account.channel_id)
    combo = await robot.create_combo(account.channel_id, tags["New user"], name="Ours")
    page = await console("admin", f"/channels/{account.channel_id}/tags/{combo}/edit")
    await page.get_by_label("Name", exact=True).fill("Mine")
    await robot.ask(RENAME, id=combo)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Somebody else edited this combo meanwhile")).to_be_visible()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Mine")
    await page.get_by_role("button", name="Save mine").click()
    await expect(page.get_by_role("heading", name="Mine")).to_be_visible()


async def test_a_lapsed_combo_is_mended_in_one_gesture(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Callable[[Page], Awaitable[None]]
) -> None:
    await account.follow("ann", "ben")
    tags = await ids_by_name(robot, account.channel_id)
    part = await robot.create_combo(account.channel_id, tags["New user"], name="Part")
    combo = await robot.create_combo(account.channel_id, part, tags["Touchable"], name="Whole")
    await robot.ask(DELETE, id=part)
    page = await console("admin", f"/channels/{account.channel_id}/tags/{combo}/edit")
    await expect(page.get_by_text("This combo has lapsed")).to_be_visible()
    await expect(node(page, "Part")).to_contain_text("It was deleted.")
    await axe(page)
    await page.get_by_role("combobox", name="Replace “Part” everywhere by").focus()
    await choose(page, "New user")
    await expect(page.get_by_text("Tags that cannot be used", exact=True)).to_have_count(0)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("In effect", exact=True).first).to_be_visible()
    mended = (await robot.ask(READ, id=combo))["tag"]
    assert (mended["state"], mended["memberCount"]) == ("ACTIVE", 2)


async def test_an_agent_looks_and_does_not_save(console: Console, account: ImitatedAccount, robot: Robot) -> None:
    await account.follow("ann")
    tags = await ids_by_name(robot, account.channel_id)
    combo = await robot.create_combo(account.channel_id, tags["New user"], name="Looked at")
    page = await console("agent", f"/channels/{account.channel_id}/tags/{combo}/edit", language="zh-CN")
    await expect(page.get_by_role("treeitem").first).to_contain_text("新用户")
    save = page.get_by_role("button", name="保存")
    await expect(save).to_be_disabled()
    await expect(page.get_by_text("只有创建者和管理员可以新建和编辑组合标签。")).to_be_visible()


async def test_a_combo_cannot_be_made_of_itself(console: Console, account: ImitatedAccount, robot: Robot) -> None:
    tags = await ids_by_name(robot, account.channel_id)
    combo = await robot.create_combo(account.channel_id, tags["New user"], name="Inner")
    await robot.create_combo(account.channel_id, combo, name="Outer")
    path = f"/channels/{account.channel_id}/tags/{combo}/edit?expression=any({tags['New user']},_)"
    page = await console("admin", path)
    await page.get_by_role("combobox", name="Choose", exact=False).first.fill("Outer")
    await expect(page.get_by_role("option", name="Outer")).to_contain_text("It is made of this combo.")

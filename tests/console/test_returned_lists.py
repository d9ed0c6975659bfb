"""Return lists of people as tags, by pasting and as files, see what was not taken, and undo it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.console.console import PHONE, Console
from tests.console.imitated_account import ImitatedAccount
from tests.support.robot import Robot
from tests.support.waiting import wait_until

Axe = Callable[[Page], Awaitable[None]]
SUBMIT = "mutation ($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { id tag { id } } } }"
LINK = "mutation ($input: LinkIdentitiesInput!) { linkIdentities(input: $input) { linked } }"
MEMBERS = "query ($id: ID!) { tag(id: $id) { memberCount } }"


async def submit(robot: Robot, channel: str, *openids: str, **given: object) -> str:
    """Return a list by the API, and return the id of its tag."""
    details = {"channelId": channel, "category": "Level", "label": "Gold", "openids": openids} | given
    tag: str = (await robot.ask(SUBMIT, input=details))["submitReturnData"]["receipt"]["tag"]["id"]
    return tag


def new_list(channel: str, **query: str) -> str:
    """Return the path of the form for a list."""
    return f"/channels/{channel}/tags/new/return" + "".join(
        f"{'&' if place else '?'}{name}={value}" for place, (name, value) in enumerate(query.items())
    )


@pytest.mark.parametrize("role", ["creator", "admin", "integrator"])
async def test_a_pasted_list_makes_a_tag_and_is_undone(
    console: Console, account: ImitatedAccount, role: str, axe: Axe
) -> None:
    page = await console(role, new_list(account.channel_id))
    await page.get_by_role("button", name="Give them the tag").click()
    await expect(page.get_by_text("This is needed.")).to_have_count(2)
    await page.get_by_label("Category").fill("Level")
    await page.get_by_label("Label").fill("Gold")
    await page.get_by_label("Openids", exact=True).fill("oAda\noBob, oBob\nno/one")
    await expect(page.get_by_text("2 openids · 1 repeated · 1 malformed")).to_be_visible()
    await expect(page.get_by_text("Line 3: no/one")).to_be_visible()
    await axe(page)

    await page.get_by_role("button", name="Give them the tag").click()
    taken = page.get_by_role("region", name="The list was taken")
    await expect(taken).to_contain_text("Level / Gold")
    await expect(taken.locator("data")).to_have_text("2")
    await axe(page)
    await taken.get_by_role("button", name="Undo").click()
    await expect(taken).to_contain_text("2 people lost the tag")
    await expect(taken.locator("data")).to_have_text("0")


async def test_a_list_that_replaces_says_first_who_loses_the_tag(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    tag = await submit(robot, account.channel_id, "oAda", "oBob", "oCleo")
    page = await console("admin", new_list(account.channel_id, tag=tag), theme="dark")
    await page.get_by_label("Replace").check()
    await expect(page.get_by_label("CSV file")).to_be_disabled()
    await page.get_by_label("Openids", exact=True).fill("oAda\nno/one")
    button = page.get_by_role("button", name="Replace all who have it")
    await button.click()
    await expect(page.get_by_text("Mend the malformed entries")).to_be_visible()
    await page.get_by_label("Replace without the malformed entries").check()
    await button.click()
    dialog = page.get_by_role("dialog", name="Replace all who have “Gold”?")
    await expect(dialog).to_contain_text("3 people have the tag now; the list has 1.")
    await axe(page)
    await dialog.get_by_role("button", name="Replace all who have it").click()
    await expect(page.get_by_role("region", name="The list was taken").locator("data")).to_have_text("1")


async def test_openids_of_a_mini_program_are_converted_and_the_rest_can_be_downloaded(
    console: Console, account: ImitatedAccount, robot: Robot
) -> None:
    shop = await robot.bind(2, kind="MINI_PROGRAM", name="Tea shop")
    pairs = [(account.channel_id, "oAda"), (shop["id"], "mAda")]
    for channel, openid in pairs:
        link = {"channelId": channel, "pairs": [{"openid": openid, "unionid": "uAda"}]}
        await robot.ask(LINK, input=link)
    tag = await submit(robot, account.channel_id)
    page = await console("admin", new_list(account.channel_id, tag=tag))
    await page.get_by_label("Whose openids they are").select_option("Tea shop")
    await page.get_by_label("Openids", exact=True).fill("mAda\nmBob")
    await page.get_by_role("button", name="Give them the tag").click()
    taken = page.get_by_role("region", name="The list was taken")
    await expect(taken).to_contain_text("Not matched")
    await taken.get_by_role("link", name="Open the tag").click()

    lists = page.get_by_role("table", name="Lists that were returned")
    await lists.get_by_role("button", name="Details").first.click()
    drawer = page.get_by_role("dialog")
    await expect(drawer).to_contain_text("mBob")
    async with page.expect_download() as downloading:
        await drawer.get_by_role("button", name="Download them as CSV").click()
    file = await (await downloading.value).path()
    assert file.read_bytes() == b"openid\r\nmBob\r\n"


async def test_a_file_is_sent_with_its_rejected_entries_to_download(
    console: Console, account: ImitatedAccount, axe: Axe, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("openid,name\n" + "".join(f"o{number},x\n" for number in range(11_000)) + "no/one,y\n=1+1,z\n")
    page = await console("integrator", new_list(account.channel_id, **{"from": "file"}))
    await page.get_by_label("Category").fill("Level")
    await page.get_by_label("Label").fill("Silver")
    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="Choose a CSV file").press("Enter")
    await (await choosing.value).set_files(file)
    await expect(page.get_by_role("region", name="How the file begins")).to_contain_text("o0,x")
    await axe(page)
    await page.get_by_role("button", name="Give them the tag").click()

    taken = page.get_by_role("region", name="The list was taken")
    await expect(taken).to_contain_text("11,000")
    rejects = taken.get_by_role("table", name="Rejected entries")
    await expect(rejects.get_by_role("row")).to_have_count(3)
    await axe(page)
    async with page.expect_download() as downloading:
        await taken.get_by_role("button", name="Download them as CSV").click()
    saved = await (await downloading.value).path()
    assert [line.split(",")[:2] for line in saved.read_text().splitlines()[1:]] == [
        ["no/one", "11002"],
        ["'=1+1", "11003"],
    ]


async def test_a_file_without_a_heading_asks_for_its_column_and_is_dragged_in(
    console: Console, account: ImitatedAccount
) -> None:
    page = await console("admin", new_list(account.channel_id, **{"from": "file"}), language="zh-CN", size=PHONE)
    await page.get_by_label("分类").fill("等级")
    await page.get_by_label("标签名").fill("银卡")
    dragged = await page.evaluate_handle(
        """() => {
          const dragged = new DataTransfer();
          const bytes = new Uint8Array([0xd0, 0xd5, 0xc3, 0xfb, ...new TextEncoder().encode(',user\\nx,oAda\\n')]);
          dragged.items.add(new File([bytes], 'people.csv', { type: 'text/csv' }));
          return dragged;
        }"""
    )
    zone = page.get_by_text("或拖放到此处")
    await zone.dispatch_event("dragover", {"dataTransfer": dragged})
    await page.get_by_text("松开即可选择此文件").dispatch_event("drop", {"dataTransfer": dragged})
    await expect(page.get_by_label("编码")).to_have_value("gb18030")
    await expect(page.get_by_role("region", name="文件开头")).to_contain_text("姓名,user")
    console.allow("400")
    await page.get_by_role("button", name="添加标签").click()
    await page.get_by_label("openid 所在的列").select_option("user")
    await page.get_by_role("button", name="重新发送").click()
    await expect(page.get_by_role("region", name="名单已接收").locator("data")).to_have_text("1")


async def test_an_upload_shows_its_progress_and_is_cancelled(
    console: Console, account: ImitatedAccount, axe: Axe, tmp_path: Path
) -> None:
    file = tmp_path / "many.csv"
    file.write_text("openid\n" + "".join(f"o{number:0120}\n" for number in range(30_000)))
    page = await console("admin", new_list(account.channel_id, **{"from": "file"}))
    session = await page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}
    await session.send("Network.enable")
    await session.send("Network.emulateNetworkConditions", slow)
    await page.get_by_label("Category").fill("Level")
    await page.get_by_label("Label").fill("Bronze")
    await page.locator("input[type=file]").set_input_files(file)
    await page.get_by_role("button", name="Give them the tag").click()
    bar = page.get_by_role("progressbar", name="Sending many.csv")
    await expect(bar).to_be_visible()
    await wait_until(lambda: bar.evaluate("(element) => element.value > 0"))
    await axe(page)
    await page.get_by_role("button", name="Cancel", exact=True).click()
    await expect(page.get_by_text("The upload was cancelled")).to_be_visible()
    await session.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": -1})
    await page.get_by_role("button", name="Give them the tag").click()
    await expect(page.get_by_role("region", name="The list was taken").locator("data")).to_have_text("30,000")


async def test_receipts_come_by_themselves_and_a_list_is_undone(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    tag = await submit(robot, account.channel_id, "oAda")
    page = await console("admin", f"/channels/{account.channel_id}/tags/{tag}")
    lists = page.get_by_role("table", name="Lists that were returned")
    await expect(lists.get_by_role("row")).to_have_count(2)
    await submit(robot, account.channel_id, "oAda", "oBob", "no/one")
    await expect(lists.get_by_role("row")).to_have_count(3)
    await axe(page)
    await lists.get_by_role("button", name="Details").first.click()
    drawer = page.get_by_role("dialog")
    await expect(drawer).to_contain_text("Rejected (1)")
    await axe(page)
    await drawer.get_by_role("button", name="Undo").click()
    dialog = page.get_by_role("dialog", name="Undo this list?")
    await expect(dialog).to_contain_text("1 person got the tag by it.")
    await dialog.get_by_role("button", name="Undo the list").click()
    await expect(page.get_by_text("Undone: 1 person lost the tag, 1 keep it by other lists.")).to_be_visible()
    await expect(drawer).to_contain_text("It was undone.")
    assert (await robot.ask(MEMBERS, id=tag))["tag"]["memberCount"] == 1


async def test_an_agent_reads_receipts_and_why_it_undoes_none(
    console: Console, account: ImitatedAccount, robot: Robot, axe: Axe
) -> None:
    tag = await submit(robot, account.channel_id, "oAda")
    page = await console("agent", f"/channels/{account.channel_id}/tags/{tag}")
    await page.get_by_role("button", name="Details").first.click()
    await expect(page.get_by_role("dialog")).to_contain_text("Only creators, admins and integrators undo lists.")

    other = await console("agent", new_list(account.channel_id))
    await expect(other.get_by_text("Only creators, admins and integrators return data.")).to_be_visible()
    await axe(other)


async def test_while_the_gate_is_closed_no_list_is_taken(console: Console, robot: Robot) -> None:
    channel = await robot.bind(verified=False)
    page = await console("integrator", new_list(channel["id"]))
    await expect(page.get_by_text("verified").first).to_be_visible()
    await expect(page.get_by_label("Category")).to_have_count(0)


async def test_a_token_that_expires_on_the_way_is_waited_for(
    console: Console, account: ImitatedAccount, robot: Robot, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("openid\noAda\n")
    page = await console("admin", new_list(account.channel_id, **{"from": "file"}))
    await page.get_by_label("Category").fill("Level")
    await page.get_by_label("Label").fill("Gold")
    await page.locator("input[type=file]").set_input_files(file)
    console.allow("401")
    expired = robot.web.token("admin", robot=robot.name, ttl=timedelta(seconds=-120))
    await page.evaluate("token => { location.hash = `token=${token}` }", expired)
    await page.get_by_role("button", name="Give them the tag").click()
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await page.evaluate("token => { location.hash = `token=${token}` }", robot.token("admin"))
    await expect(page.get_by_role("region", name="The list was taken").locator("data")).to_have_text("1")

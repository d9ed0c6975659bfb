"""Look at one person: tags that come and go, why and until when, after a gap and in two pages at once."""

import re
from datetime import timedelta
from typing import Any, Final

import pytest
from playwright.async_api import Locator, Page, expect

from service.entities.channels import ChannelKind
from tests.console.console import Console
from tests.console.imitated_account import ImitatedAccount, ImitatedWechat, bind_imitated
from tests.faults.harness.proxy import Proxy
from tests.support.robot import Robot, event_input

HISTORY: Final = """
query ($c: ID!, $o: String!) {
  user(channelId: $c, openid: $o) { tags { tag { name } } tagHistory(first: 200) { nodes { at } } }
}
"""
LINK: Final = """
mutation ($c: ID!, $pairs: [IdentityPairInput!]!) { linkIdentities(input: {channelId: $c, pairs: $pairs}) { linked } }
"""


def card(account: ImitatedAccount, openid: str) -> str:
    return f"/conversation/card?channel={account.channel_id}&openid={openid}"


def tag(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Tags").get_by_role("listitem").filter(has=page.get_by_text(name, exact=True))


def connection(page: Page) -> Locator:
    return page.get_by_role("status").filter(has_text=re.compile("Live|Connecting|Reconnecting"))


def reach(page: Page) -> Locator:
    return page.get_by_label("Writing to this person")


async def shown_tags(page: Page) -> list[str]:
    rows = await page.get_by_role("list", name="Tags").first.get_by_role("listitem").all_inner_texts()
    return [row.partition("\n")[0] for row in rows]


async def known(robot: Robot, account: ImitatedAccount, openid: str) -> dict[str, Any]:
    user: dict[str, Any] = (await robot.ask(HISTORY, c=account.channel_id, o=openid))["user"]
    return user


async def test_tags_come_and_go_with_why_and_until_when(console: Console, account: ImitatedAccount, axe: Any) -> None:
    await account.follow("oAda")
    page = await console("agent", card(account, "oAda"))
    await expect(tag(page, "Not opened")).to_contain_text("Has not sent a message")
    await expect(tag(page, "New user")).to_contain_text(re.compile(r"ends in 1d 23h"))
    await expect(reach(page)).to_contain_text(re.compile("Touchable ?for 5\\dm"))
    await expect(reach(page)).to_contain_text("None: WeChat takes five answers")

    await account.write("oAda")
    await expect(tag(page, "Opened")).to_contain_text("new")
    await expect(tag(page, "Not opened")).to_contain_text("left just now")
    await expect(reach(page)).to_contain_text("5 left, for 1d 23h")
    await axe(page)
    await expect(tag(page, "Not opened")).to_have_count(0)
    await expect(tag(page, "Opened")).to_contain_text("since")


async def test_somebody_unknown_is_shown_as_soon_as_the_channel_hears_of_them(
    console: Console, account: ImitatedAccount, axe: Any
) -> None:
    page = await console("agent", card(account, "oNew"))
    await expect(page.get_by_text("Nobody is known by this openid")).to_be_visible()
    await expect(page.get_by_text("“Tea house” has never heard of this person")).to_be_visible()
    await axe(page)
    await account.follow("oNew")
    await expect(tag(page, "New user")).to_be_visible()
    await expect(page.get_by_text("Nobody is known")).to_have_count(0)


async def test_after_a_gap_nothing_is_missed_and_nothing_doubled(
    console: Console, account: ImitatedAccount, robot: Robot, outage: Proxy
) -> None:
    await account.follow("oAda")
    console.allow("WebSocket|ERR_|Failed to fetch|failed request")
    page = await console("agent", card(account, "oAda"), through=outage)
    await expect(connection(page)).to_have_text("Live")
    await expect(tag(page, "Not opened")).to_be_visible()

    outage.break_off()
    await expect(connection(page)).to_contain_text("Reconnecting")
    await account.write("oAda")
    outage.mend()

    await expect(connection(page)).to_contain_text("2 changes came meanwhile")
    await expect(tag(page, "Not opened")).to_have_count(0)
    user = await known(robot, account, "oAda")
    assert sorted(await shown_tags(page)) == sorted(each["tag"]["name"] for each in user["tags"])
    changes = page.get_by_role("region", name="History").locator("ol > li")
    await expect(changes).to_have_count(len(user["tagHistory"]["nodes"]))


async def test_what_is_known_stays_while_the_service_does_not_answer_and_it_goes_on_by_itself(
    console: Console, account: ImitatedAccount, outage: Proxy
) -> None:
    await account.follow("oAda")
    console.allow("WebSocket|ERR_|Failed to fetch|failed request")
    page = await console("agent", card(account, "oAda"), through=outage)
    await expect(connection(page)).to_have_text("Live")
    outage.break_off()
    await expect(connection(page)).to_contain_text("Reconnecting")
    # As when somebody comes back to the page, which asks for what no event tells of.
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    problem = page.get_by_text("The service does not answer")
    await expect(problem.first).to_be_visible()
    await expect(tag(page, "Not opened")).to_be_visible()
    await expect(reach(page)).to_contain_text("Touchable")
    outage.mend()
    await expect(problem).to_have_count(0)
    await expect(tag(page, "Not opened")).to_be_visible()


async def test_two_pages_say_the_same(console: Console, account: ImitatedAccount) -> None:
    await account.follow("oAda")
    first = await console("agent", card(account, "oAda"))
    second = await console("admin", card(account, "oAda"), language="zh-CN")
    await expect(tag(first, "Not opened")).to_be_visible()
    await expect(second.get_by_text("未开口", exact=True)).to_be_visible()
    await account.write("oAda")
    await expect(tag(first, "Opened")).to_be_visible()
    await expect(second.get_by_text("已开口", exact=True)).to_be_visible()


async def test_the_card_speaks_chinese_where_it_is_asked_to(
    console: Console, account: ImitatedAccount, axe: Any
) -> None:
    await account.follow("oAda")
    await account.write("oAda")
    page = await console("agent", f"{card(account, 'oAda')}&language=zh&theme=dark", size=(280, 700))
    await expect(page.get_by_text("还可回复 5 条")).to_be_visible()
    await expect(page.get_by_text("发送过消息").first).to_be_visible()
    await axe(page)
    overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow == 0


async def test_history_goes_back_page_by_page(console: Console, account: ImitatedAccount, robot: Robot) -> None:
    for minutes in range(44, 0, -1):
        kind = "FOLLOW" if minutes % 2 == 0 else "UNFOLLOW"
        await robot.record(account.channel_id, event_input("oAda", kind, timedelta(minutes=minutes)))
    page = await console("agent", card(account, "oAda"))
    changes = page.get_by_role("region", name="History").locator("ol > li")
    await expect(changes).to_have_count(20)
    await page.get_by_role("button", name="Show more").click()
    await expect(changes).to_have_count(40)
    await account.follow("oAda")
    whole = len((await known(robot, account, "oAda"))["tagHistory"]["nodes"])
    await page.get_by_role("button", name="Show more").click()
    await expect(changes).to_have_count(whole)
    await expect(page.get_by_text("Further back nothing is kept.")).to_be_visible()


async def test_the_same_person_is_a_link_away(
    console: Console, account: ImitatedAccount, robot: Robot, wechat: ImitatedWechat
) -> None:
    orders = await bind_imitated(robot, wechat.platform, "Orders", ChannelKind.MINI_PROGRAM)
    await account.follow("oAda")
    await orders.write("pAda")
    for each, openid in ((account, "oAda"), (orders, "pAda")):
        pairs = [{"openid": openid, "unionid": "uAda"}]
        assert (await robot.ask(LINK, c=each.channel_id, pairs=pairs))["linkIdentities"]["linked"] == 1
    page = await console("agent", card(account, "oAda"))
    elsewhere = page.get_by_role("region", name="Same person elsewhere")
    await expect(elsewhere).to_contain_text("Mini Program")
    await expect(elsewhere.get_by_text("Opened", exact=True)).to_be_visible()
    await elsewhere.get_by_role("link", name="Orders").click()
    await expect(page).to_have_url(re.compile(f"channel={orders.channel_id}.*openid=pAda"))
    await expect(page.get_by_role("region", name="Same person elsewhere").get_by_role("link")).to_have_text("Tea house")


@pytest.mark.parametrize("path", ["/conversation", "/conversation/card?channel=c&openid=oAda"])
async def test_whoever_may_not_see_people_is_told_so(
    console: Console, account: ImitatedAccount, axe: Any, path: str
) -> None:
    page = await console("integrator", path)
    await expect(page.get_by_text("Your role may not see people")).to_be_visible()
    await expect(page.get_by_text("You are signed in as Integrator.")).to_be_visible()
    await axe(page)


async def test_an_address_without_a_person_says_what_it_needs(console: Console, account: ImitatedAccount) -> None:
    page = await console("agent", "/conversation/card")
    await expect(page.get_by_text("needs ?channel= and &openid=")).to_be_visible()

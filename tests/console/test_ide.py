"""Ask and follow in the IDE, as a frontend developer does who has nothing but the service."""

from playwright.async_api import Page, expect

from service.cli.ide_link import FOLLOW_PERSON, ide_link
from tests.console.console import Console
from tests.console.imitated_account import ImitatedAccount

QUERY = "query Names($channel: ID!) { channel(id: $channel) { name followerCount } }"


async def open_ide(console: Console, query: str, **variables: str) -> Page:
    page = await console.stranger(ide_link("", console.robot.token(), query, variables))
    await expect(page.get_by_role("button", name="Execute query (Ctrl-Enter)")).to_be_visible()
    # What is pressed before the editors are there does nothing.
    await expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("channel")
    await expect(page.locator(".graphiql-editor-tool .view-lines").first).to_contain_text("channel")
    return page


async def run(page: Page) -> None:
    await page.get_by_role("button", name="Execute query (Ctrl-Enter)").click()


async def test_a_link_fills_in_a_query_and_its_token(console: Console, account: ImitatedAccount) -> None:
    await account.follow("ann")
    page = await open_ide(console, QUERY, channel=account.channel_id)
    assert page.url.endswith("/graphql"), "the token does not stay in the address"
    await run(page)
    answer = page.get_by_role("region", name="Result Window")
    await expect(answer).to_contain_text('"name": "Tea house"')
    await expect(answer).to_contain_text('"followerCount": 1')


async def test_a_subscription_tells_what_happens(console: Console, account: ImitatedAccount) -> None:
    page = await open_ide(console, FOLLOW_PERSON, channel=account.channel_id, openid="ann")
    await run(page)
    answer = page.get_by_role("region", name="Result Window")
    await expect(answer).to_contain_text('"reset": true')
    await account.follow("ann")
    await expect(answer).to_contain_text('"name": "New user"')


async def test_the_schema_is_explained(console: Console, account: ImitatedAccount) -> None:
    page = await open_ide(console, QUERY, channel=account.channel_id)
    await page.get_by_role("button", name="Show Documentation Explorer").click()
    await page.get_by_role("link", name="Query").click()
    await expect(page.get_by_role("link", name="remoteTags")).to_be_visible()


async def test_without_a_token_it_says_where_one_goes(console: Console) -> None:
    page = await console.stranger("/graphql")
    await expect(page.get_by_role("region", name="Headers")).to_contain_text('"Authorization": "Bearer "')
    await expect(page.get_by_text("Put a token under Headers").first).to_be_visible()

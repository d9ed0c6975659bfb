"""Make sure that what the other tests rely on notices what it is there for."""

from playwright.async_api import expect

from tests.console.accessibility import violations, violations_in_both_themes
from tests.console.console import Console
from tests.console.imitated_account import ImitatedAccount
from tests.support.waiting import wait_until

ELSEWHERE = "http://127.0.0.1:9/elsewhere.png"
INLINE_STYLE = "document.body.setAttribute('style', 'color: red')"
TEXT_AS_PAGE = "try { document.body.innerHTML = '<b>text</b>' } catch {}"
GREY_ON_GREY = "document.body.style.background = '#888'; document.querySelector('h1').style.color = '#999'"


async def test_what_goes_wrong_in_a_page_is_noticed(console: Console) -> None:
    page = await console()
    for script in (
        "console.error('said by the test')",
        "setTimeout(() => { throw new Error('thrown by the test') })",
        f"new Image().src = '{ELSEWHERE}'",
        "fetch('/none').catch(() => undefined)",
        INLINE_STYLE,
        TEXT_AS_PAGE,
    ):
        await page.evaluate(script)
    expected = (
        "said by the test",
        "thrown by the test",
        f"another origin: {ELSEWHERE}",
        "status of 404",
        "CSP: style-src-attr",
        "CSP: require-trusted-types-for",
    )
    await wait_until(lambda: all(each in str(console.problems()) for each in expected))
    console.allow("")


async def test_a_broken_rule_of_accessibility_is_noticed(console: Console, account: ImitatedAccount) -> None:
    page = await console("agent", f"/channels/{account.channel_id}/tags")
    await expect(page.get_by_text("Touchable").first).to_be_visible()
    assert await violations(page) == []
    await page.evaluate(GREY_ON_GREY)
    found = await violations_in_both_themes(page)
    assert {each.split(":")[0] for each in found} == {"light", "dark"}
    assert "color-contrast" in found[0]

"""`python -m tests.console.screenshots` runs the demo and writes the pictures of docs/screenshots/.

`python -m tests.console.screenshots panel card` writes these only. Each picture is one line of PICTURES.
"""

import asyncio
import io
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright, expect

from service.entities.principal import Role
from tests.console.built_pages import IS_NOT_BUILT, build_pages
from tests.console.chromium import FLAGS, IS_MISSING, find_chromium
from tests.console.console import DESKTOP, PHONE, Theme, new_context
from tests.console.demo import Demo, running_demo
from tests.console.expressions import choose, node
from tests.webhooks.receiver import receiver

DIRECTORY: Final = Path(__file__).parents[2] / "docs" / "screenshots"
COLOURS: Final = 256
WIDE: Final = (1440, 900)
TALL: Final = (1280, 1150)
CONVERSATION: Final = "/conversation?channel={channel}&openid={openid}"
# Of the demo's users: enough for numbers that look like something, few enough to be there within seconds.
DEMO: Final = {"DEMO_RATE": "4", "COMBOS_EVERY": "5s", "KEEP_IN_SYNC_EVERY": "5s"}
# Milliseconds within which the demo's past is told and its combo is in effect.
DEMO_PATIENCE: Final = 90_000
Steps = Callable[[Page], Awaitable[None]]


async def nothing(page: Page) -> None:
    """Take the page as it is."""


@dataclass(frozen=True)
class Picture:
    """Describe a picture: `path` may have `{channel}` and `{openid}`; it is taken once `shows` is to be seen and the
    steps are done.
    """

    name: str
    path: str
    shows: str
    role: Role = Role.ADMIN
    size: tuple[int, int] = DESKTOP
    theme: Theme = "light"
    language: str = "en-GB"
    steps: Steps = nothing


async def wait_until_in_sync(page: Page) -> None:
    """Wait until the demo's combo counts its past, and WeChat has the same."""
    row = page.get_by_role("row", name=re.compile("^Warm newcomers"))
    await expect(row).to_contain_text(re.compile("in sync", re.IGNORECASE), timeout=DEMO_PATIENCE)
    await expect(row).not_to_contain_text("Nobody")


async def build_a_combo(page: Page) -> None:
    """Put three tags together, and wait for how many people each part has."""
    await page.get_by_role("combobox", name="Choose a tag").focus()
    for name in ("Touchable", "Opened", "New user"):
        await choose(page, name)
    await page.get_by_label("Name", exact=True).fill("New, and waiting for an answer")
    await expect(node(page, "All of these")).to_contain_text(re.compile(r"\d"))


async def send_a_broadcast(page: Page) -> None:
    """Send a text to everybody who follows, and wait for its report."""
    await page.get_by_role("radio", name="Customer service text").check()
    await page.get_by_label("Text", exact=True).fill("The first tea of spring is here for you.")
    await page.get_by_label("Name", exact=True).fill("First tea of spring")
    await page.get_by_role("combobox", name="Choose a tag").click()
    await page.get_by_role("option", name="Everybody who follows").click()
    await page.get_by_role("button", name=re.compile("^Review: [1-9]")).click()
    await page.get_by_role("button", name=re.compile("^Send to")).click()
    await expect(page.get_by_role("heading", name="First tea of spring")).to_contain_text("Done", timeout=DEMO_PATIENCE)
    await expect(page.get_by_role("button", name="Count again")).to_be_enabled()


async def answer_somebody(page: Page) -> None:
    """Be the person who asks, and then the agent who answers."""
    await page.get_by_placeholder("以该用户的身份发消息").fill("春茶到了吗？")
    await page.get_by_role("button", name="发消息").click()
    await expect(page.get_by_text("已开口").first).to_be_visible()
    await page.get_by_placeholder("回复该用户").fill("到了，今天上架。")
    await page.get_by_role("button", name="回复", exact=True).click()
    await expect(page.get_by_role("log").get_by_text("今天上架")).to_be_visible()


async def tell_a_shop(page: Page) -> None:
    """Let a system that runs here be told of everything, try it, and wait for the first changes."""
    async with receiver() as shop:
        await page.get_by_label("Address").fill(f"http://127.0.0.1:{shop.port}/user-tags")
        await page.get_by_label("Description").fill("Orders of the tea house")
        await page.get_by_role("button", name="Make the endpoint").click()
        await page.get_by_role("link", name="To the endpoint").click()
        await expect(page.get_by_role("row", name=re.compile("Taken"))).not_to_have_count(0, timeout=DEMO_PATIENCE)
        await page.get_by_role("button", name="Send a test event").click()
        await expect(page.get_by_text("It arrived")).to_be_visible()


# Each with what the one before did: a combo that counts a past that is told, somebody who wrote, a broadcast.
PICTURES: Final = (
    Picture("panel", "/channels/{channel}/tags", "Warm newcomers", size=TALL, steps=wait_until_in_sync),
    Picture("panel-phone-dark", "/channels/{channel}/tags", "可触达", size=PHONE, theme="dark", language="zh-CN"),
    Picture("combo-dark", "/channels/{channel}/tags/new/combo", "Name", size=TALL, theme="dark", steps=build_a_combo),
    Picture("conversation", CONVERSATION, "可触达", Role.AGENT, WIDE, language="zh-CN", steps=answer_somebody),
    Picture("card-phone", "/conversation/card?channel={channel}&openid={openid}", "Touchable", Role.AGENT, PHONE),
    Picture("broadcast", "/channels/{channel}/broadcasts/new", "Message", steps=send_a_broadcast),
    Picture("webhook", "/webhooks/new", "Address", size=TALL, steps=tell_a_shop),
    Picture("audit", "/audit", "planned the broadcast", size=WIDE),
)


def main(wanted: Sequence[str]) -> int:
    """Take the pictures that are wanted, or all; return the exit code."""
    chromium = find_chromium()
    if chromium is None or not build_pages():
        print(IS_MISSING if chromium is None else IS_NOT_BUILT)
        return 1
    pictures = [each for each in PICTURES if not wanted or each.name in wanted]
    DIRECTORY.mkdir(exist_ok=True)
    with running_demo(**DEMO) as demo:
        asyncio.run(_take_all(pictures, demo, chromium))
    return 0


async def _take_all(pictures: Sequence[Picture], demo: Demo, chromium: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        for picture in pictures:
            png = await _take(picture, demo, browser)
            file = DIRECTORY / f"{picture.name}.png"
            file.write_bytes(png)
            print(f"{file.relative_to(DIRECTORY.parents[1])}: {len(png) // 1024} KiB")
        await browser.close()


async def _take(picture: Picture, demo: Demo, browser: Browser) -> bytes:
    context = await new_context(browser, picture.language, picture.theme, picture.size)
    page = await context.new_page()
    await page.goto(f"{demo.url}{demo.path(picture.path)}#token={demo.token(picture.role)}")
    await expect(page.get_by_text(picture.shows).first).to_be_visible(timeout=DEMO_PATIENCE)
    await picture.steps(page)
    taken = await page.screenshot(animations="disabled", caret="hide")
    await context.close()
    return _smaller(taken)


def _smaller(png: bytes) -> bytes:
    """Return the picture with a palette: pages have few colours, and a repository remembers every byte."""
    written = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        written, "PNG", optimize=True
    )
    return written.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Ask axe-core whether a page keeps to WCAG 2.2 AA, in both themes."""

from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page

AXE: Final = Path(__file__).parents[2] / "console" / "node_modules" / "axe-core" / "axe.min.js"
RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
RUN: Final = f"axe.run(document, {{ runOnly: {list(RULES)}, resultTypes: ['violations'] }})"
THEMES: Final = ("light", "dark")


async def violations(page: Page) -> list[str]:
    """Return what breaks a rule in the page as it is now, one line for each element.

    The debugger of the browser runs axe-core: the policy of the page would let no foreign script in.
    """
    session = await page.context.new_cdp_session(page)
    try:
        await _evaluate(session, AXE.read_text(encoding="utf-8"))
        found = await _evaluate(session, RUN)
    finally:
        await session.detach()
    return [
        f"{rule['id']}: {rule['help']}: {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


async def violations_in_both_themes(page: Page) -> list[str]:
    """Return what breaks a rule in either theme; the page is light afterwards."""
    found = []
    for theme in reversed(THEMES):
        await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found += [f"{theme}: {each}" for each in await violations(page)]
    return found


async def _evaluate(session: Any, script: str) -> Any:
    answer = await session.send("Runtime.evaluate", {"expression": script, "awaitPromise": True, "returnByValue": True})
    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    return answer["result"].get("value")

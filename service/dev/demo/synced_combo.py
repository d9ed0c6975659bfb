"""Make a combo tag for the demo and keep it in sync with the Official Account, as an operator does over GraphQL."""

import asyncio
import logging
from typing import Any, Final

import httpx

from service.dev.demo.binding import BindingRejectedError, BoundChannel, ServiceNotReadyError, ServiceTarget, execute

COMBO: Final = "Warm newcomers"
OPERANDS: Final = ("New user", "Touchable")
MAX_BACKOFF: Final = 5.0
TAGS: Final = """
query DemoTags($channel: ID!) {
  channel(id: $channel) { tags(first: 100) { nodes { id name state officialAccount { keepInSync } } } }
}
"""
CREATE: Final = """
mutation CreateDemoCombo($input: CreateComboTagInput!) { createComboTag(input: $input) { tag { id } } }
"""
SYNC: Final = """
mutation SyncDemoCombo($input: SyncInput!) { syncToOfficialAccount(input: $input) { sync { id } } }
"""

logger = logging.getLogger("user_tags.demo")


async def keep_combo_in_sync(client: httpx.AsyncClient, service: ServiceTarget, channel: BoundChannel) -> None:
    """Return when the service keeps the combo in sync, as it may do since an earlier demo, or has refused to."""
    backoff = 0.25
    while True:
        try:
            if await _is_kept_in_sync(client, service, channel):
                return
        except ServiceNotReadyError as error:
            logger.info("no tag is kept in sync yet: %s", error)
        except BindingRejectedError as error:
            logger.warning("no tag is kept in sync: %s", error)
            return
        await asyncio.sleep(backoff)
        backoff = min(backoff * 2, MAX_BACKOFF)


async def _is_kept_in_sync(client: httpx.AsyncClient, service: ServiceTarget, channel: BoundChannel) -> bool:
    """Do the next step and tell whether it was the last: make the combo, wait until it is ACTIVE, sync it."""
    found = await execute(client, service, TAGS, {"channel": channel.id})
    if not found.get("channel"):
        raise ServiceNotReadyError("the channel is not there")
    tags: dict[str, Any] = {tag["name"]: tag for tag in found["channel"]["tags"]["nodes"]}
    if COMBO not in tags:
        expression = {"all": [{"tag": tags[name]["id"]} for name in OPERANDS]}
        details = {"channelId": channel.id, "name": COMBO, "expression": expression}
        await execute(client, service, CREATE, {"input": details})
        return False
    combo = tags[COMBO]
    if combo["officialAccount"] is not None and combo["officialAccount"]["keepInSync"]:
        return True
    if combo["state"] != "ACTIVE":
        return False
    asked = {"channelId": channel.id, "tagIds": [combo["id"]], "keepInSync": True, "onConflict": "ADOPT"}
    await execute(client, service, SYNC, {"input": asked})
    return True

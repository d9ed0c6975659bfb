"""The ad platform: it calls the channel's ad return address when somebody follows through one of the demo's ads.

As Tencent Ads does, it replaces the macros it knows and leaves the others in place.
"""

import logging
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import httpx

from service.dev.demo.binding import BoundChannel, ServiceNotReadyError, ServiceTarget, execute

CAMPAIGN: Final = "Spring campaign"
AD_GROUPS: Final = ("7200011", "7200012", "7200013")
CREATE_AD_TAG: Final = """
mutation CreateDemoAdTag($input: CreateAdTagInput!) { createAdTag(input: $input) { tag { id } } }
"""
AD_FOLLOW_SHARE: Final = 0.4

logger = logging.getLogger("user_tags.demo")


@dataclass(slots=True)
class AdPlatform:
    """Advertises for one channel; follows through other ads than the campaign's come from the third ad group."""

    client: httpx.AsyncClient
    address: str
    rng: random.Random = field(default_factory=lambda: random.Random("ads"))

    async def report_follow(self, openid: str, at: datetime | None) -> None:
        """Tell of a follow if it came from an ad; what cannot be delivered is lost, as it may be there."""
        if self.rng.random() > AD_FOLLOW_SHARE:
            return
        query = {
            "wechat_openid": openid,
            "adgroup_id": self.rng.choice(AD_GROUPS),
            "campaign_id": "__CAMPAIGN_ID__",
            "act_time": str(int((at or datetime.now(UTC)).timestamp())),
            "trace_id": f"{self.rng.getrandbits(64):016x}",
        }
        try:
            await self.client.get(self.address, params=query, timeout=5)
        except httpx.TransportError as error:
            logger.info("an ad-feed call was lost: %s", type(error).__name__)


async def create_ad_tag(client: httpx.AsyncClient, service: ServiceTarget, channel: BoundChannel) -> None:
    """The campaign as an ad tag; the one that is there from an earlier demo stays."""
    details = {"channelId": channel.id, "name": CAMPAIGN, "adIds": list(AD_GROUPS[:2])}
    try:
        await execute(client, service, CREATE_AD_TAG, {"input": details}, ignored_codes=frozenset({"NAME_TAKEN"}))
    except ServiceNotReadyError as error:
        logger.info("no ad tag: %s", error)

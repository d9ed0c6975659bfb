"""Imitate the ad platform, which calls the ad return address of a channel when a user follows through an ad.

Like Tencent Ads it replaces the macros that it knows and leaves the others as they are.
Source: docs/specification.md §9.3.
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
    """Advertise for one channel, with three ad groups of which two belong to the campaign."""

    client: httpx.AsyncClient
    address: str
    rng: random.Random = field(default_factory=lambda: random.Random("ads"))

    async def report_follow(self, openid: str, at: datetime | None) -> None:
        """Report a follow if it came from an ad, as a random share does; a call that cannot be delivered is lost."""
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
    """Create an ad tag for the campaign, unless an earlier demo has done so."""
    details = {"channelId": channel.id, "name": CAMPAIGN, "adIds": list(AD_GROUPS[:2])}
    try:
        await execute(client, service, CREATE_AD_TAG, {"input": details}, ignored_codes=frozenset({"NAME_TAKEN"}))
    except ServiceNotReadyError as error:
        logger.info("no ad tag: %s", error)

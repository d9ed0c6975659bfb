"""Compare the members of ad tags with a model, in any order of follows, calls, edits and forgetting.

The rule: docs/specification.md §4.3.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from service.domain.ad_tags.return_address import record_ad_follow
from service.domain.events.recorder import record_events
from service.domain.privacy.forgetting import forget_openid
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule, Tag, TagState
from service.entities.users import AdFollow, EventKind, UserEvent
from tests.support.clock import FrozenClock
from tests.support.database_state import miscounted, tags_by_ordinal
from tests.support.tags import ad_address_secret, confirm_ad_address, edit_ad_tag, make_ad_tag

PEOPLE = ("ann", "ben", "cyd", "dee", "eve")
ADS = ("1", "2", "3", "4")


@dataclass
class Model:
    """Hold what is known of each person, and the ads of each tag."""

    ads: dict[str, set[str]] = field(default_factory=dict)
    ad_followed: set[str] = field(default_factory=set)
    events: dict[str, list[UserEvent]] = field(default_factory=dict)
    tags: dict[int, set[str]] = field(default_factory=dict)

    def learns(self, openid: str, ads: Iterable[str]) -> None:
        self.ads.setdefault(openid, set()).update(ads)
        self.events.setdefault(openid, [])

    def forget(self, openid: str) -> None:
        self.ads.pop(openid, None)
        self.events.pop(openid, None)
        self.ad_followed.discard(openid)

    def follows(self, openid: str) -> bool:
        happened = self.events[openid]
        follows = [each.at for each in happened if each.kind is EventKind.FOLLOW]
        unfollows = [each.at for each in happened if each.kind is EventKind.UNFOLLOW]
        return bool(follows) and (not unfollows or max(follows) >= max(unfollows))

    def expected(self) -> dict[str, set[int]]:
        """Return the ad tags of each person, with 7 or 8 for the Source."""
        return {
            openid: {tag_id for tag_id, wanted in self.tags.items() if wanted & ads}
            | ({7 if openid in self.ad_followed else 8} if self.follows(openid) else set())
            for openid, ads in self.ads.items()
        }


class Story:
    """Let random things happen to a channel and to its model."""

    def __init__(self, seed: int, runtime: Runtime, channel: Channel, clock: FrozenClock, secret: str) -> None:
        self.model = Model()
        self._draw = random.Random(seed)
        self._runtime, self._channel, self._clock, self._secret = runtime, channel, clock, secret
        self._tags: list[Tag] = []
        self._confirmed = False

    async def take_step(self, step: int) -> None:
        draw = self._draw
        openid, at = draw.choice(PEOPLE), self._clock() - timedelta(seconds=draw.randrange(4))
        ads = draw.sample(ADS, draw.randrange(3))
        match draw.choice(("feed", "feed", "follow", "follow", "unfollow", "make", "edit", "confirm", "forget")):
            case "feed":
                await record_ad_follow(self._runtime, self._channel, self._secret, AdFollow(openid, at, tuple(ads)))
                self.model.learns(openid, ads)
                self.model.ad_followed.add(openid)
                self._confirmed = True
            case ("follow" | "unfollow") as kind:
                await self._record(openid, EventKind(kind.upper()), at, ads if kind == "follow" else [])
            case "make" if len(self._tags) < 4:
                await self._make_tag(f"Tag {step}", draw.sample(ADS, 2))
            case "edit" if self._tags:
                tag = draw.choice(self._tags)
                await edit_ad_tag(self._runtime, tag, *(wanted := draw.sample(ADS, draw.randrange(1, 4))))
                self.model.tags[tag.tag_id] = set(wanted)
            case "confirm":
                await confirm_ad_address(self._runtime, self._channel)
                self._confirmed = True
            case "forget":
                await forget_openid(self._runtime, self._channel.channel_id, openid)
                self.model.forget(openid)
                # So that nothing that happens from now on is a late repeat.
                self._clock.advance(timedelta(seconds=5))

    async def _record(self, openid: str, kind: EventKind, at: datetime, ads: list[str]) -> None:
        event = UserEvent(openid, kind, at, ad_ids=tuple(ads))
        await record_events(self._runtime, self._channel, [event, event])
        self.model.learns(openid, ads)
        self.model.events[openid].append(event)
        self.model.ad_followed |= {openid} if ads else set()

    async def _make_tag(self, name: str, wanted: list[str]) -> None:
        tag = await make_ad_tag(self._runtime, self._channel, name, *wanted)
        self._tags.append(tag)
        self.model.tags[tag.tag_id] = set(wanted)
        assert tag.state is (TagState.ACTIVE if self._confirmed else TagState.PENDING)


@pytest.mark.parametrize("seed", range(6))
async def test_members_are_those_of_the_model(
    seed: int, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    story = Story(seed, runtime, channel, clock, await ad_address_secret(runtime, channel))
    clock.advance(timedelta(seconds=10))
    for step in range(60):
        clock.advance(timedelta(seconds=1))
        await story.take_step(step)
        assert await stored(runtime, channel) == story.model.expected(), step
    assert await miscounted(runtime, channel) == []
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def stored(runtime: Runtime, channel: Channel) -> dict[str, set[int]]:
    rows = await runtime.pool.fetch(
        "select openid, ordinal from channel_user where channel_id = $1", channel.channel_id
    )
    bits = await tags_by_ordinal(runtime, channel)
    kept = {DefaultTagRule.ADVERTISING.value, DefaultTagRule.NON_ADVERTISING.value}
    return {
        row["openid"]: {tag_id for tag_id in bits.get(row["ordinal"], set()) if tag_id > 8 or tag_id in kept}
        for row in rows
    }

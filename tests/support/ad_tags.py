"""Ad tags as an admin makes them, and who has them."""

from datetime import datetime

from service.domain.ad_tags.members import AdTagDetails, create_ad_tag, update_ad_tag
from service.domain.ad_tags.return_address import ad_return_address, confirm_ad_return, record_ad_follow
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.tags import Tag
from service.entities.users import AdFollow
from service.storage.channels import channel_of_robot
from tests.support.database_state import tags_by_ordinal
from tests.support.runtime import admin


async def create_tag(runtime: Runtime, channel: Channel, name: str, *ad_ids: str) -> Tag:
    details = AdTagDetails(name, ad_ids, None)
    return (await create_ad_tag(runtime, admin(), channel.channel_id, details))[0]


async def update_tag(runtime: Runtime, tag: Tag, *ad_ids: str) -> Tag:
    details = AdTagDetails(None, ad_ids, None, sets_description=False)
    updated = await update_ad_tag(runtime, admin(), tag.channel_id, tag.tag_id, details, expected_version=None)
    return updated[0]


async def confirm_address(runtime: Runtime, channel: Channel) -> list[int]:
    """The numbers of the tags that became ACTIVE."""
    return [tag.tag_id for tag in (await confirm_ad_return(runtime, admin(), channel.channel_id))[2]]


async def address_secret(runtime: Runtime, channel: Channel) -> str:
    async with runtime.pool.acquire() as conn:
        present = await channel_of_robot(conn, channel.robot_id, channel.channel_id)
    assert present is not None
    return str(await ad_return_address(runtime, present)).rpartition("/")[2]


async def record_ad_follow_of(runtime: Runtime, channel: Channel, openid: str, at: datetime, *ad_ids: str) -> None:
    """The ad platform calls."""
    secret = await address_secret(runtime, channel)
    await record_ad_follow(runtime, channel, secret, AdFollow(openid, at, ad_ids))


async def members(runtime: Runtime, channel: Channel, tag: Tag) -> set[str]:
    """Openids of everybody whose bit is set."""
    rows = await runtime.pool.fetch("select ordinal, openid from channel_user where channel_id = $1", tag.channel_id)
    bits = await tags_by_ordinal(runtime, channel)
    return {row["openid"] for row in rows if tag.tag_id in bits.get(row["ordinal"], set())}

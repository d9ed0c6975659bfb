"""Fill a large channel in a moment, without the service: people, timers, tags and a change log."""

from service.storage.database.pool import Connection

USERS = 100_000
BLOCKS = 4
CHANNEL_COUNT = 800
TAGS = 40
VALUES = {
    ":now": "timestamptz '2026-03-01 12:00+00'",
    ":last_user": str(USERS - 1),
    ":last_block": str(BLOCKS - 1),
    ":blocks": str(BLOCKS),
    ":tags": str(TAGS),
    ":channels": str(CHANNEL_COUNT),
}

# One person in ten came from one of a hundred ads, four ad tags name three of them each.
ADS = """
insert into user_ad
select c, n, 'ad-' || n / 10 % 100, :now from generate_series(1, 2) c, generate_series(0, 99990, 10) n;
insert into tag (channel_id, tag_id, kind, category, name, state, created_at, updated_at)
select channel_id, t, 'AD', 'Advertising', 'Ad tag ' || t, 'ACTIVE', :now, :now
from channel, generate_series(37, :tags) t;
insert into ad_tag select channel_id, t, 1, 1 from channel, generate_series(37, :tags) t;
insert into ad_tag_ad
select channel_id, t, 'ad-' || t + n, n from channel, generate_series(37, :tags) t, generate_series(1, 3) n;
insert into forgotten_openid
select c, sha256(int4send(n)), :now, :now from generate_series(1, 2) c, generate_series(1, 9999) n;
"""
CHANNELS = """
insert into robot values ('robot-1', :now);
insert into channel (robot_id, kind, app_id, name, verified, bound_at, push_secret, push_secret_hash)
select 'robot-1', 'SERVICE_ACCOUNT', 'wx' || n, 'A channel', true, :now, '', int4send(n)
from generate_series(1, :channels) n;
insert into channel_state (channel_id, tag_version_at, tag_base_at, default_tags_as_of)
select channel_id, :now, :now, :now from channel;
insert into block_head (channel_id, block, at, evaluated_at, latest_at, base_at, windows_version)
select channel_id, b, :now, :now, :now, :now, (select max(version) from touch_windows)
from channel, generate_series(0, :last_block) b;
"""
# One in three has a timer; of each block, about ten are due within the next ten minutes.
PEOPLE = """
insert into channel_user (channel_id, ordinal, openid, first_seen_at, followed_at, messaged_at, wake_at)
select c, n, 'openid-' || n, :now, :now - interval '1 hour' - n * interval '1 second', :now,
    case when n % 3 = 0 then :now + (n * 20 % 650000 + 1) * interval '1 second' end
from generate_series(1, 2) c, generate_series(0, :last_user) n
where c = 1 or n < 20000;
insert into alarm
select channel_id, ordinal / 32000, wake_at, ordinal % 32000 from channel_user where wake_at is not null;
"""
MEMBERS = """
insert into tag_members
select c, b, t, (repeat('0110', 8000))::bit(32000)
from generate_series(1, 3) c, generate_series(0, :last_block) b, generate_series(1, :tags) t;
insert into tag_member_count
select channel_id, block, tag_id, 16000, :now from tag_members;
"""
# Three tags of each channel are linked.
LINKS = """
insert into remote_tag (channel_id, tag_id, remote_tag_id, remote_name, linked_at)
select channel_id, t, 100 + t, 'Tag ' || t, :now from channel, generate_series(1, 3) t;
insert into remote_members
select c, b, t, (repeat('0110', 8000))::bit(32000), (repeat('0110', 8000))::bit(32000)
from generate_series(1, 20) c, generate_series(0, :last_block) b, generate_series(1, 3) t;
"""
# Some people of each channel had another openid before a migration.
FORMER_OPENIDS = """
insert into former_openid
select c, 'former-openid-' || n, n, :now from generate_series(1, 2) c, generate_series(0, 9990, 10) n;
"""
LOG = """
insert into user_tag_change
select c, n % :blocks, n / :blocks, n * 37 % 32000, :now + n / :blocks * interval '1 second', 'EVENT',
    '{5}', '{6}'
from generate_series(1, 2) c, generate_series(:blocks, 80000) n;
insert into bulk_tag_change
select c, n % :blocks, 20000 + n / :blocks, t, :now + interval '1 day', 'TIME_PASSED', '{1,2,3}', null, null, null
from generate_series(1, 100) c, generate_series(0, 99) n, generate_series(5, 6) t;
update block_head set version = 20024, at = :now + interval '1 day' where channel_id = 1;
"""


async def fill_channels(conn: Connection) -> None:
    """Insert channels with the heads of four blocks each, and nothing in them."""
    await conn.execute(_substituted(CHANNELS))


async def fill_large_channel(conn: Connection) -> None:
    """Insert channel 1 with 100,000 people in four blocks, 40 tags and a log of 80,000 changes, and its neighbours."""
    for text in (CHANNELS, PEOPLE, MEMBERS, LINKS, FORMER_OPENIDS, LOG, ADS):
        await conn.execute(_substituted(text))
    # Index-only scans need the visibility map, as after any autovacuum.
    await conn.execute("vacuum analyze")


def _substituted(text: str) -> str:
    for name, value in VALUES.items():
        text = text.replace(name, value)
    return text

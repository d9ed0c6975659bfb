-- name: set_openids
-- Call users by other openids; run under the lock of channel_state, where no other user has them.
update channel_user u
set openid = n.openid
from unnest($2::int[], $3::text[]) as n (ordinal, openid)
where u.channel_id = $1 and u.ordinal = n.ordinal;

-- name: users_as_stored
-- Return what is stored of users, -infinity for a follow of which no time is known.
select * from channel_user where channel_id = $1 and ordinal = any($2::int[]);

-- name: set_united_users
-- Write what users are called, by unionid too, how they came to follow and since when they are known, after others were
-- united with them.
update channel_user u
set openid = n.openid, unionid = n.unionid, subscribe_scene = coalesce(u.subscribe_scene, n.subscribe_scene),
    first_seen_at = least(u.first_seen_at, n.first_seen_at)
from unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
    as n (ordinal, openid, unionid, subscribe_scene, first_seen_at)
where u.channel_id = $1 and u.ordinal = n.ordinal;

-- name: lock_return_tags
-- Lock the living return tags of a channel against every other change of their batches, and list them.
select tag_id, merging_into from tag
where channel_id = $1 and kind = 'RETURN' and deleted_at is null
order by tag_id
for no key update;

-- name: active_combo_tags
-- List the combos of a channel that are in effect.
select tag_id from tag where channel_id = $1 and kind = 'COMBO' and state = 'ACTIVE' and deleted_at is null;

-- name: unite_ads
-- Copy the ads of users to others, of each the latest time; return those that are new or later.
insert into user_ad as a (channel_id, ordinal, ad_id, followed_at)
select $1, n.older, w.ad_id, w.followed_at
from unnest($2::int[], $3::int[]) as n (newer, older)
join user_ad w on w.channel_id = $1 and w.ordinal = n.newer
on conflict (channel_id, ordinal, ad_id)
do update set followed_at = excluded.followed_at
where a.followed_at < excluded.followed_at
returning ordinal, ad_id;

-- name: add_to_batches
-- Let batches hold more people, in the rows of their segments (negative places).
insert into return_support as m (channel_id, tag_id, place, batch_id, ordinals)
select $1, n.tag_id, n.place, n.batch_id, array_agg(n.ordinal order by n.ordinal)
from unnest($2::int[], $3::int[], $4::bigint[], $5::int[]) as n (tag_id, place, batch_id, ordinal)
group by n.tag_id, n.place, n.batch_id
on conflict (channel_id, tag_id, place, batch_id)
do update set ordinals = array(select distinct o from unnest(m.ordinals || excluded.ordinals) as o order by o);

-- name: extend_batch_blocks
-- Add blocks to those in which batches hold people.
update return_batch b
set blocks = array(select distinct o from unnest(b.blocks || n.blocks) as o order by o)
from (
    select e.batch_id, array_agg(e.block) as blocks
    from unnest($2::bigint[], $3::int[]) as e (batch_id, block)
    group by e.batch_id
) n
where b.channel_id = $1 and b.batch_id = n.batch_id and not b.blocks @> n.blocks;

-- name: unite_frozen
-- Let jobs that are about users be about others who are united with them.
insert into frozen_audience as f (channel_id, job_id, block, members)
select $1, f.job_id, n.older / 32000, bit_or(set_bit(0::bit(32000), n.older % 32000, 1))
from unnest($2::int[], $3::int[]) as n (newer, older)
join frozen_audience f on f.channel_id = $1 and f.block = n.newer / 32000
where get_bit(f.members, n.newer % 32000) = 1
group by 2, 3
order by 2, 3
on conflict (channel_id, job_id, block) do update set members = f.members | excluded.members;

-- name: unite_remote_members
-- Give users the remote tags of others who are united with them.
insert into remote_members as r (channel_id, tag_id, block, members, synced)
select $1, r.tag_id, n.older / 32000,
    bit_or(set_bit(0::bit(32000), n.older % 32000, get_bit(r.members, n.newer % 32000))),
    bit_or(set_bit(0::bit(32000), n.older % 32000, get_bit(r.synced, n.newer % 32000)))
from unnest($2::int[], $3::int[]) as n (newer, older)
join remote_members r on r.channel_id = $1 and r.block = n.newer / 32000
where get_bit(r.members | r.synced, n.newer % 32000) = 1
group by 2, 3
order by 3, 2
on conflict (channel_id, block, tag_id)
do update set members = r.members | excluded.members, synced = r.synced | excluded.synced;

-- name: unite_remote_readings
-- Count users as seen with a remote tag where others were who are united with them.
insert into remote_reading as r (channel_id, job_id, tag_id, block, members)
select $1, r.job_id, r.tag_id, n.older / 32000, bit_or(set_bit(0::bit(32000), n.older % 32000, 1))
from unnest($2::int[], $3::int[]) as n (newer, older)
join remote_reading r on r.channel_id = $1 and r.block = n.newer / 32000
where get_bit(r.members, n.newer % 32000) = 1
group by 2, 3, 4
order by 2, 3, 4
on conflict (channel_id, job_id, tag_id, block) do update set members = r.members | excluded.members;

-- name: unite_seen_followers
-- Count users as seen by follower imports where others were who are united with them.
insert into seen_follower as s (channel_id, job_id, block, seen)
select $1, s.job_id, n.older / 32000, bit_or(set_bit(0::bit(32000), n.older % 32000, 1))
from unnest($2::int[], $3::int[]) as n (newer, older)
join seen_follower s on s.channel_id = $1 and s.block = n.newer / 32000
where get_bit(s.seen, n.newer % 32000) = 1
group by 2, 3
order by 2, 3
on conflict (channel_id, job_id, block) do update set seen = s.seen | excluded.seen;

-- name: change_account
-- Let a channel be another account of WeChat, whose openids and remote tags are its own.
update channel
set app_id = $3, app_secret = $4, former_app_id = app_id, account_changed_at = $5
where robot_id = $1 and channel_id = $2;

-- name: set_app_secret
-- Give the account of a channel another app secret.
update channel set app_secret = $3 where robot_id = $1 and channel_id = $2;

-- name: forget_quotas
-- Forget how often the account before was called.
delete from wechat_quota where channel_id = $1;

-- name: openids_to_ask
-- List the next $4 openids from ordinal $2 on, below $3, that no migration since $5 has brought.
select u.ordinal, u.openid
from channel_user u
where u.channel_id = $1 and u.ordinal >= $2 and u.ordinal < $3
  and not exists (select from former_openid f where f.channel_id = $1 and f.ordinal = u.ordinal and f.migrated_at >= $5)
order by u.ordinal
limit $4;

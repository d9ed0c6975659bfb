-- name: known_followers
-- Return what is known of those of these openids that the channel has.
select openid, ordinal, unionid, nullif(followed_at, '-infinity') as followed_at, unfollowed_at, ad_followed_at,
    subscribe_scene
from channel_user
where channel_id = $1 and openid = any($2::text[]);

-- name: holders_of_unionids
-- Return which openids of the channel have these unionids.
select unionid, openid from channel_user where channel_id = $1 and unionid = any($2::text[]);

-- name: insert_followers
-- Insert followers with consecutive ordinals from $2 on, in locked blocks, and return the default tags that they get,
-- those of a block with the same tags together. Where a boundary lies between the latest evaluation of a block and this
-- one, the head records this one, as with merged facts. Who followed at a time that nobody knows did so at -infinity.
with given as (
    select $2::int + (n.position - 1)::int as ordinal, n.openid, n.unionid, n.subscribe_scene,
        row(coalesce(n.followed_at, '-infinity'), null, null, null, null, null, n.ad_followed_at)::facts as facts,
        greatest($8::timestamptz, h.latest_at, s.default_tags_run_at) as now, h.latest_at
    from unnest($3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[])
        with ordinality as n (openid, unionid, followed_at, ad_followed_at, subscribe_scene, position)
    join channel_state s on s.channel_id = $1
    join block_head h on h.channel_id = $1 and h.block = ($2::int + (n.position - 1)::int) / 32000
),
evaluated as materialized (
    select g.*, default_rules(g.facts, false, $9, w.w, g.now) as rules,
        next_boundary(g.facts, false, w.w, g.now) as boundary,
        next_boundary(g.facts, false, w.w, g.latest_at) <= g.now as late
    from given g
    cross join current_windows w
),
inserted as (
    insert into channel_user (
        channel_id, ordinal, openid, unionid, first_seen_at, followed_at, ad_followed_at, subscribe_scene, wake_at
    )
    select $1, ordinal, openid, unionid, $8, (facts).followed_at, (facts).ad_followed_at, subscribe_scene, boundary
    from evaluated
),
timer_set as (
    insert into alarm (channel_id, block, wake_at, user_offset)
    select $1, ordinal / 32000, boundary, ordinal % 32000 from evaluated where boundary is not null
    on conflict do nothing
),
evaluated_late as (
    update block_head h
    set latest_at = greatest(h.latest_at, e.now)
    from (select ordinal / 32000 as block, max(now) as now from evaluated where late group by 1) e
    where h.channel_id = $1 and h.block = e.block
)
select ordinal / 32000 as block, rules, array_agg((ordinal % 32000)::smallint order by ordinal) as offsets
from evaluated
group by 1, 2
order by 1, 2;

-- name: returned_unnoticed
-- List who of these people of locked blocks, all of whom follow at WeChat, does not by their facts, with the earliest
-- instant at which they can have followed. Who unfollowed since $3 may have done so after they were seen to follow.
select f.ordinal, coalesce(date_trunc('second', u.unfollowed_at, 'UTC'), '-infinity') as followed_at
from user_facts f
join channel_user u using (channel_id, ordinal)
where f.channel_id = $1 and f.ordinal = any($2::int[])
  and not follows(f.facts) and coalesce(u.unfollowed_at < $3, true);

-- name: followers_before
-- List who of these people follows by what they did before an instant; the ones with unread news since are left out.
select u.ordinal, u.openid
from channel_user u
join user_facts f using (channel_id, ordinal)
where u.channel_id = $1 and u.ordinal = any($2::int[]) and follows(f.facts)
  and greatest(u.followed_at, u.messaged_at, u.clicked_at, u.scanned_at) < $3
order by u.ordinal;

-- name: set_subscribe_scenes
-- Record how people came to follow.
update channel_user u
set subscribe_scene = n.subscribe_scene
from unnest($2::int[], $3::text[]) as n (ordinal, subscribe_scene)
where u.channel_id = $1 and u.ordinal = n.ordinal;

-- name: mark_seen
-- Record that an import found people of these blocks to follow.
insert into seen_follower as s (channel_id, job_id, block, seen)
select $1, $2, n.block, n.seen::bit(32000)
from unnest($3::int[], $4::varbit[]) as n (block, seen)
on conflict (channel_id, job_id, block) do update set seen = s.seen | excluded.seen;

-- name: unseen_followers
-- Return, of at most $4 blocks from $3 on, who has a tag that every follower has one of, New user and Old user, and whom
-- the import has seen; null for nobody.
select h.block,
    (select members from tag_members where channel_id = $1 and block = h.block and tag_id = 1) as new_users,
    (select members from tag_members where channel_id = $1 and block = h.block and tag_id = 2) as old_users,
    (select seen from seen_follower where channel_id = $1 and job_id = $2 and block = h.block) as seen
from block_head h
where h.channel_id = $1 and h.block >= $3
order by h.block
limit $4;

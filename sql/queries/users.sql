-- name: ordinals_of
-- Which of these openids are known, and their ordinals.
select openid, ordinal from channel_user where channel_id = $1 and openid = any($2::text[]);

-- name: insert_users
-- New users, one ordinal each, from $3 on; run under the lock of channel_state.
insert into channel_user (channel_id, ordinal, openid, first_seen_at)
select $1, $3::int + (n.position - 1)::int, n.openid, $4
from unnest($2::text[]) with ordinality as n (openid, position);

-- name: users_by_ordinal
-- People of a channel with their facts and what follows from them, by ordinal.
select u.*, follows(f.facts) as following, touchable_until(f.facts, w.w) as touchable_until
from channel_user u
join user_facts f using (channel_id, ordinal)
cross join current_windows w
where u.channel_id = $1 and u.ordinal = any($2::int[]);

-- name: users_of_robot
-- The same people, if the channel is the robot's: no row when it is not, one without an ordinal when nobody is known.
select u.*, follows(f.facts) as following, touchable_until(f.facts, w.w) as touchable_until
from channel c
left join channel_user u on u.channel_id = $1 and u.openid = any($3::text[])
left join user_facts f on f.channel_id = $1 and f.ordinal = u.ordinal
cross join current_windows w
where c.channel_id = $1 and c.robot_id = $2;

-- name: users_with_tag_ids
-- The same with the tag ids whose bit is set for them, shown or not, and where the channel's tag states stand.
select u.*, follows(f.facts) as following, touchable_until(f.facts, w.w) as touchable_until,
    s.tag_version, s.tag_version_at, s.default_tags_as_of, array(
        select t.tag_id
        from tag_members t
        where t.channel_id = $1 and t.block = u.ordinal / 32000 and get_bit(t.members, u.ordinal % 32000) = 1
        order by t.tag_id
    ) as tag_ids
from channel c
join channel_state s on s.channel_id = $1
left join channel_user u on u.channel_id = $1 and u.openid = any($3::text[])
left join user_facts f on f.channel_id = $1 and f.ordinal = u.ordinal
cross join current_windows w
where c.channel_id = $1 and c.robot_id = $2;

-- name: tags_of_users
-- The tag ids whose bit is set for each of these ordinals, shown or not.
select u.ordinal, array(
    select t.tag_id
    from tag_members t
    where t.channel_id = $1 and t.block = u.ordinal / 32000 and get_bit(t.members, u.ordinal % 32000) = 1
    order by t.tag_id
) as tag_ids
from unnest($2::int[]) as u (ordinal);

-- name: bits_of_users
-- The same tag ids with where the channel's tag states stand.
select u.ordinal, s.tag_version, s.tag_version_at, s.default_tags_as_of, array(
    select t.tag_id
    from tag_members t
    where t.channel_id = $1 and t.block = u.ordinal / 32000 and get_bit(t.members, u.ordinal % 32000) = 1
    order by t.tag_id
) as tag_ids
from channel_state s
cross join unnest($2::int[]) as u (ordinal)
where s.channel_id = $1;

-- name: ads_of_users
-- The ads these people came from, with the time of the last such follow.
select ordinal, ad_id, followed_at
from user_ad
where channel_id = $1 and ordinal = any($2::int[])
order by ordinal, followed_at, ad_id;

-- name: record_ads
-- Ads named by follow events; the latest time wins.
insert into user_ad as a (channel_id, ordinal, ad_id, followed_at)
select $1, n.ordinal, n.ad_id, n.followed_at
from unnest($2::int[], $3::text[], $4::timestamptz[]) as n (ordinal, ad_id, followed_at)
on conflict (channel_id, ordinal, ad_id)
do update set followed_at = greatest(a.followed_at, excluded.followed_at)
where a.followed_at < excluded.followed_at;

-- name: tags_since
-- When each tag of these people was last given to them, as far back as the change log is kept.
select u.ordinal, c.tag_id, max(c.at) as at
from unnest($2::int[]) as u (ordinal)
cross join lateral (
    select g.tag_id, l.at
    from user_tag_change l
    cross join unnest(l.added) as g (tag_id)
    where l.channel_id = $1 and l.block = u.ordinal / 32000 and l.user_offset = u.ordinal % 32000
    union all
    select b.tag_id, b.at
    from bulk_tag_change b
    where b.channel_id = $1 and b.block = u.ordinal / 32000
      and (b.added_offsets @> array[(u.ordinal % 32000)::smallint] or get_bit(b.added, u.ordinal % 32000) = 1)
) c
group by u.ordinal, c.tag_id;

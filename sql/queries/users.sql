-- name: ordinals_of
-- Return the ordinals of those of these openids that are known.
select openid, ordinal from channel_user where channel_id = $1 and openid = any($2::text[]);

-- name: insert_users
-- Insert users, one ordinal each, from $3 on; run under the lock of channel_state.
insert into channel_user (channel_id, ordinal, openid, first_seen_at)
select $1, $3::int + (n.position - 1)::int, n.openid, $4
from unnest($2::text[]) with ordinality as n (openid, position);

-- name: users_by_ordinal
-- Return users by ordinal, with their facts and what follows from them.
select u.*, follows(f.facts) as following, touchable_until(f.facts, w.w) as touchable_until
from channel_user u
join user_facts f using (channel_id, ordinal)
cross join current_windows w
where u.channel_id = $1 and u.ordinal = any($2::int[]);

-- name: users_of_robot
-- Return users by openid if the channel is the robot's: no row if it is not, one without an ordinal if none is known.
select u.*, follows(f.facts) as following, touchable_until(f.facts, w.w) as touchable_until
from channel c
left join channel_user u on u.channel_id = $1 and u.openid = any($3::text[])
left join user_facts f on f.channel_id = $1 and f.ordinal = u.ordinal
cross join current_windows w
where c.channel_id = $1 and c.robot_id = $2;

-- name: users_with_tag_ids
-- Return the rows of users_of_robot with the tag ids whose bit is set, shown or not, and the version of the tag states.
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
-- Return the tag ids whose bit is set for each of these ordinals, shown or not.
select u.ordinal, array(
    select t.tag_id
    from tag_members t
    where t.channel_id = $1 and t.block = u.ordinal / 32000 and get_bit(t.members, u.ordinal % 32000) = 1
    order by t.tag_id
) as tag_ids
from unnest($2::int[]) as u (ordinal);

-- name: bits_of_users
-- Return the rows of tags_of_users with the version of the channel's tag states.
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
-- Return the latest ads through which these people followed, so many each, with the time of the last such follow.
select w.ordinal, a.ad_id, a.followed_at
from unnest($2::int[]) as w (ordinal)
cross join lateral (
    select ad_id, followed_at from user_ad
    where channel_id = $1 and ordinal = w.ordinal
    order by followed_at desc, ad_id desc
    limit $3
) as a
order by w.ordinal, a.followed_at, a.ad_id;

-- name: record_ads
-- Record ads named by follow events; the latest time wins.
insert into user_ad as a (channel_id, ordinal, ad_id, followed_at)
select $1, n.ordinal, n.ad_id, n.followed_at
from unnest($2::int[], $3::text[], $4::timestamptz[]) as n (ordinal, ad_id, followed_at)
on conflict (channel_id, ordinal, ad_id)
do update set followed_at = greatest(a.followed_at, excluded.followed_at)
where a.followed_at < excluded.followed_at;

-- name: tags_since
-- Return when each tag of these people was last given to them, as far back as the change log is kept.
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

-- name: losses_of_users
-- Return when and why each tag was last taken from these people, as far back as the change log is kept.
select distinct on (u.ordinal, c.tag_id) u.ordinal, c.tag_id, c.at, c.cause
from unnest($2::int[]) as u (ordinal)
cross join lateral (
    select g.tag_id, l.version, l.at, l.cause
    from user_tag_change l
    cross join unnest(l.removed) as g (tag_id)
    where l.channel_id = $1 and l.block = u.ordinal / 32000 and l.user_offset = u.ordinal % 32000
    union all
    select b.tag_id, b.version, b.at, b.cause
    from bulk_tag_change b
    where b.channel_id = $1 and b.block = u.ordinal / 32000
      and (b.removed_offsets @> array[(u.ordinal % 32000)::smallint] or get_bit(b.removed, u.ordinal % 32000) = 1)
) c
order by u.ordinal, c.tag_id, c.version desc;

-- name: identities_of_openids
-- Return the ordinals and unionids of those of these openids that are known.
select openid, ordinal, unionid from channel_user where channel_id = $1 and openid = any($2::text[]);

-- name: identities_of_unionids
-- Return the openids and ordinals of the channel that belong to these unionids.
select openid, ordinal, unionid from channel_user where channel_id = $1 and unionid = any($2::text[]);

-- name: set_unionids
-- Record unionids that became known; run under the lock of channel_state, where no other person has them.
update channel_user u
set unionid = n.unionid
from unnest($2::int[], $3::text[]) as n (ordinal, unionid)
where u.channel_id = $1 and u.ordinal = n.ordinal;

-- name: users_by_unionid
-- Return users by unionid, with their facts and what follows from them.
select u.*, follows(f.facts) as following, touchable_until(f.facts, w.w) as touchable_until
from channel_user u
join user_facts f using (channel_id, ordinal)
cross join current_windows w
where u.channel_id = $1 and u.unionid = any($2::text[]);

-- name: last_facts_of_forgotten
-- Return, for those of these hashes of openids that were forgotten, the time of their last fact.
select openid_hash, last_fact_at from forgotten_openid where channel_id = $1 and openid_hash = any($2::bytea[]);

-- name: unfollowed_until
-- List people who have not followed since an instant, the longest gone first.
select ordinal
from user_facts f
join channel_user u using (channel_id, ordinal)
where f.channel_id = $1 and u.unfollowed_at <= $2 and not follows(f.facts)
order by u.unfollowed_at, ordinal
limit $3;

-- name: users_to_forget
-- List who of these people of a locked block still exists and, with $3, has not followed since; with their last fact.
select u.ordinal, u.openid, greatest(
    u.followed_at, u.unfollowed_at, u.messaged_at, u.clicked_at, u.scanned_at, u.paid_at, u.ad_followed_at
) as last_fact_at
from channel_user u
join user_facts f using (channel_id, ordinal)
where u.channel_id = $1 and u.ordinal = any($2::int[])
  and ($3::timestamptz is null or (u.unfollowed_at <= $3 and not follows(f.facts)))
order by u.ordinal;

-- name: tags_in_log
-- List every tag that the change log of a locked block names for these offsets.
select c.user_offset, array_agg(distinct c.tag_id order by c.tag_id) as tag_ids
from (
    select l.user_offset::int, t.tag_id
    from user_tag_change l
    cross join unnest(l.added || l.removed) as t (tag_id)
    where l.channel_id = $1 and l.block = $2 and l.user_offset = any($3::smallint[])
    union all
    select o.user_offset::int, b.tag_id
    from bulk_tag_change b
    cross join unnest($3::smallint[]) as o (user_offset)
    where b.channel_id = $1 and b.block = $2
      and (
        b.added_offsets @> array[o.user_offset] or b.removed_offsets @> array[o.user_offset]
        or get_bit(b.added, o.user_offset) = 1 or get_bit(b.removed, o.user_offset) = 1
      )
) c
group by c.user_offset;

-- name: redact_user_changes
-- Remove from the log what happened to these offsets; that a version was written stays.
update user_tag_change set added = '{}', removed = '{}'
where channel_id = $1 and block = $2 and user_offset = any($3::smallint[]);

-- name: redact_bulk_changes
-- Remove offsets from the log of changes of many users; the bits of $4 are those of the offsets $3.
update bulk_tag_change
set added = added & ~$4::varbit::bit(32000),
    removed = removed & ~$4::varbit::bit(32000),
    added_offsets = nullif(array(select o from unnest(added_offsets) o where o <> all($3::smallint[])), '{}'),
    removed_offsets = nullif(array(select o from unnest(removed_offsets) o where o <> all($3::smallint[])), '{}')
where channel_id = $1 and block = $2
  and (
    added_offsets && $3::smallint[] or removed_offsets && $3::smallint[]
    or bit_count(added & $4::varbit::bit(32000)) > 0 or bit_count(removed & $4::varbit::bit(32000)) > 0
  );

-- name: extend_removed_tags
-- Add tags to what a version took from people: an open page may not have heard that they lost them before.
update user_tag_change c
set removed = n.removed::int[]
from unnest($4::smallint[], $5::text[]) as n (user_offset, removed)
where c.channel_id = $1 and c.block = $2 and c.version = $3 and c.user_offset = n.user_offset;

-- name: delete_user_ads
-- Delete the ads through which these people followed.
delete from user_ad where channel_id = $1 and ordinal = any($2::int[]);

-- name: delete_users
-- Delete what is known of these people; their ordinals are never used again.
delete from channel_user where channel_id = $1 and ordinal = any($2::int[]);

-- name: decrement_user_count
-- Subtract forgotten people from the count; run under the lock of channel_state.
update channel_state set user_count = user_count - $2 where channel_id = $1;

-- name: remember_forgotten
-- Record keyed hashes of forgotten people, so that a late repeat of an old event is known as one.
insert into forgotten_openid as f (channel_id, openid_hash, last_fact_at, forgotten_at)
select $1, n.openid_hash, n.last_fact_at, $4
from unnest($2::bytea[], $3::timestamptz[]) as n (openid_hash, last_fact_at)
on conflict (channel_id, openid_hash)
do update set last_fact_at = greatest(f.last_fact_at, excluded.last_fact_at), forgotten_at = excluded.forgotten_at;

-- name: prune_forgotten
-- Delete hashes of forgotten people of whom late repeats are no longer expected.
delete from forgotten_openid where channel_id = $1 and forgotten_at < $2;

-- name: missing_ordinals
-- List those of these ordinals that no user has (any more).
select n.ordinal
from unnest($2::int[]) as n (ordinal)
where not exists (select from channel_user u where u.channel_id = $1 and u.ordinal = n.ordinal);

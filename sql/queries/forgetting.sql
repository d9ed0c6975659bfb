-- name: last_facts_of_forgotten
-- Of these hashes of openids, those of people who were forgotten, and what is no news about them.
select openid_hash, last_fact_at from forgotten_openid where channel_id = $1 and openid_hash = any($2::bytea[]);

-- name: unfollowed_until
-- People who have not followed since an instant, the longest gone first.
select ordinal
from user_facts f
join channel_user u using (channel_id, ordinal)
where f.channel_id = $1 and u.unfollowed_at <= $2 and not follows(f.facts)
order by u.unfollowed_at, ordinal
limit $3;

-- name: users_to_forget
-- Of these people of a locked block those who are still there and, with $3, have not followed since; with their last fact.
select u.ordinal, u.openid, greatest(
    u.followed_at, u.unfollowed_at, u.messaged_at, u.clicked_at, u.scanned_at, u.paid_at, u.ad_followed_at
) as last_fact_at
from channel_user u
join user_facts f using (channel_id, ordinal)
where u.channel_id = $1 and u.ordinal = any($2::int[])
  and ($3::timestamptz is null or (u.unfollowed_at <= $3 and not follows(f.facts)))
order by u.ordinal;

-- name: tags_in_log
-- Every tag that the change log of a locked block tells of these offsets.
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
-- The log no longer tells what happened to these offsets, only that a version was written.
update user_tag_change set added = '{}', removed = '{}'
where channel_id = $1 and block = $2 and user_offset = any($3::smallint[]);

-- name: redact_bulk_changes
-- The same for changes of many; the bits of $4 are those of the offsets $3.
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
-- Makes a version take tags from people whom it says less of: a page may not have heard that they were gone before.
update user_tag_change c
set removed = n.removed::int[]
from unnest($4::smallint[], $5::text[]) as n (user_offset, removed)
where c.channel_id = $1 and c.block = $2 and c.version = $3 and c.user_offset = n.user_offset;

-- name: delete_user_ads
-- The ads these people came from.
delete from user_ad where channel_id = $1 and ordinal = any($2::int[]);

-- name: delete_users
-- What is known of these people; their ordinals are never used again.
delete from channel_user where channel_id = $1 and ordinal = any($2::int[]);

-- name: decrement_user_count
-- Fewer people are known; run under the lock of channel_state.
update channel_state set user_count = user_count - $2 where channel_id = $1;

-- name: remember_forgotten
-- Keyed hashes, so that a late repeat of an old event is known as one.
insert into forgotten_openid as f (channel_id, openid_hash, last_fact_at, forgotten_at)
select $1, n.openid_hash, n.last_fact_at, $4
from unnest($2::bytea[], $3::timestamptz[]) as n (openid_hash, last_fact_at)
on conflict (channel_id, openid_hash)
do update set last_fact_at = greatest(f.last_fact_at, excluded.last_fact_at), forgotten_at = excluded.forgotten_at;

-- name: prune_forgotten
-- Late repeats are no longer expected.
delete from forgotten_openid where channel_id = $1 and forgotten_at < $2;

-- name: missing_ordinals
-- Of these ordinals those that nobody has (any more).
select n.ordinal
from unnest($2::int[]) as n (ordinal)
where not exists (select from channel_user u where u.channel_id = $1 and u.ordinal = n.ordinal);

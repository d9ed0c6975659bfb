-- name: insert_feed
-- Begin the feed of a channel at the present versions of its tag states and blocks, unless it has one; return its id then.
with opened as (
    insert into feed (channel_id, last_seq, base_seq, base_version, base_offset, tag_version, followed_at)
    select $1, $2, $2, 0, 0, s.tag_version, $3 from channel_state s where s.channel_id = $1
    on conflict do nothing
    returning channel_id
),
blocks as (
    insert into feed_block (channel_id, block, version)
    select $1, h.block, h.version
    from block_head h
    join opened o on o.channel_id = h.channel_id
    where h.channel_id = $1
),
-- Of an act that began while there was another feed.
stale as (
    delete from feed_notice where channel_id = $1 and exists (select from opened)
)
select channel_id from opened;

-- name: touch_feed
-- Record that a feed is followed, so that it is kept.
update feed set followed_at = $2 where channel_id = $1 and followed_at <= $2 returning channel_id;

-- name: feed
-- Return how far a feed was written and deleted, and when somebody was last seen to follow it.
select last_seq, base_seq, base_version, base_offset, followed_at from feed where channel_id = $1;

-- name: lock_feed
-- Lock a feed to write entries, unless another process does.
select last_seq, tag_version from feed where channel_id = $1 for update skip locked;

-- name: feed_differences
-- Return, in one snapshot, the versions of the tag states (first, always) and of the blocks that have no entry yet.
select null::int as block, f.tag_version as from_version, s.tag_version as to_version, s.tag_version_at as at,
    exists (select from feed_notice n where n.channel_id = $1 and n.seq is null) as has_notices
from feed f
join channel_state s on s.channel_id = f.channel_id
where f.channel_id = $1
union all
select h.block, coalesce(b.version, 0), h.version, h.at, false
from block_head h
left join feed_block b on b.channel_id = $1 and b.block = h.block
where h.channel_id = $1 and h.version > coalesce(b.version, 0)
order by block nulls first;

-- name: append_feed_entries
-- Write entries of a locked feed, and how far they reach.
with told as (
    insert into feed_block (channel_id, block, version)
    select $1, n.block, max(n.to_version)
    from unnest($5::int[], $7::bigint[]) as n (block, to_version)
    where n.block is not null
    group by n.block
    on conflict (channel_id, block) do update set version = excluded.version
),
advanced as (
    update feed set last_seq = $2, tag_version = $3 where channel_id = $1
)
insert into feed_entry (channel_id, seq, former_tag_version, tag_version, block, from_version, to_version)
select $1, n.seq, $8, $3, n.block, n.from_version, n.to_version
from unnest($4::bigint[], $5::int[], $6::bigint[], $7::bigint[]) as n (seq, block, from_version, to_version);

-- name: number_feed_notices
-- Give the notices that wait their places in an entry of a locked feed.
update feed_notice f
set seq = $2, place = n.place
from (
    select notice_id, row_number() over (order by at, notice_id) as place
    from feed_notice
    where channel_id = $1 and seq is null
) n
where f.channel_id = $1 and f.notice_id = n.notice_id and f.seq is null;

-- name: feeds_behind
-- List at most $1 channels, of those that have a feed, in which something happened that has no entry yet.
select f.channel_id
from feed f
join channel_state s on s.channel_id = f.channel_id
where s.tag_version > f.tag_version
   or exists (select from feed_notice n where n.channel_id = f.channel_id and n.seq is null)
   or exists (
       select from block_head h
       left join feed_block b on b.channel_id = h.channel_id and b.block = h.block
       where h.channel_id = f.channel_id and h.version > coalesce(b.version, 0)
   )
limit $1;

-- name: followed_channels
-- List the channels that have a feed.
select channel_id from feed;

-- name: feed_entry_since
-- Return the number of the newest entry before number $2, which may be the beginning of the feed.
select greatest(f.base_seq, (
        select max(e.seq) from feed_entry e where e.channel_id = $1 and e.seq < $2
    )) as seq
from feed f
where f.channel_id = $1 and f.base_seq < $2;

-- name: insert_migration_notices
-- Note who was given another openid, and who became one with whom, where the channel has a feed.
insert into feed_notice (channel_id, notice_id, at, ordinal, former_ordinal)
select $1, n.notice_id, $2, n.ordinal, n.former_ordinal
from unnest($3::bigint[], $4::int[], $5::int[]) as n (notice_id, ordinal, former_ordinal)
where exists (select from feed f where f.channel_id = $1);

-- name: delete_notices_of_users
-- Delete what notices say of people who are no more.
delete from feed_notice where channel_id = $1 and (ordinal = any($2::int[]) or former_ordinal = any($2::int[]));

-- name: newest_entries
-- Return the numbers of the newest entries of the feeds of some channels.
select channel_id, last_seq from feed where channel_id = any($1::bigint[]);

-- name: lock_feed_for_pruning
-- Lock a feed against whoever writes entries.
select last_seq from feed where channel_id = $1 for update;

-- name: first_kept_entry
-- Return the number of the oldest entry of which the logs keep something when all before an instant is deleted ($3: its
-- microsecond); reads forward, so that it costs what is deleted.
select e.seq
from feed_entry e
where e.channel_id = $1 and case
    when e.to_version is null then e.seq >= $3
    when e.block is null then exists (
        select from tag_change c where c.channel_id = $1 and c.version = e.to_version and c.at >= $2
    )
    else exists (
        select from user_tag_change c
        where c.channel_id = $1 and c.block = e.block and c.version = e.to_version and c.at >= $2
    ) or exists (
        select from bulk_tag_change c
        where c.channel_id = $1 and c.block = e.block and c.version = e.to_version and c.at >= $2
    )
end
order by e.seq
limit 1;

-- name: end_of_last_entry_before
-- Return the newest entry before number $2 with the place of the last thing that it tells; null where the logs have lost it.
select e.seq, e.block, case
    when e.to_version is null then (select max(n.place)::bigint from feed_notice n where n.channel_id = $1 and n.seq = e.seq)
    else e.to_version
end as version,
case
    when e.to_version is null then 0
    when e.block is null then (
        select max(c.tag_id) from tag_change c where c.channel_id = $1 and c.version = e.to_version
    )
    else greatest(
        (
            select max(c.user_offset)::int from user_tag_change c
            where c.channel_id = $1 and c.block = e.block and c.version = e.to_version
        ),
        (
            select max(greatest(
                (select max(o) from unnest(c.added_offsets) as o), (select max(o) from unnest(c.removed_offsets) as o),
                length(rtrim(c.added::text, '0')) - 1, length(rtrim(c.removed::text, '0')) - 1
            ))
            from bulk_tag_change c
            where c.channel_id = $1 and c.block = e.block and c.version = e.to_version
        )
    )
end as user_offset
from feed_entry e
where e.channel_id = $1 and e.seq < $2
order by e.seq desc
limit 1;

-- name: raise_feed_base
-- Record how far a locked feed is deleted.
update feed set base_seq = $2, base_version = $3, base_offset = $4 where channel_id = $1;

-- name: prune_feed_entries
-- Delete entries up to number $2.
delete from feed_entry where channel_id = $1 and seq <= $2;

-- name: prune_feed_notices
-- Delete notices of entries up to number $2.
delete from feed_notice where channel_id = $1 and seq <= $2;

-- name: touch_feed_with_endpoints
-- Record that a feed is followed, if an endpoint is there to be told.
update feed set followed_at = $2
where channel_id = $1 and followed_at < $2 and exists (
    select from webhook_position p
    join webhook_endpoint e on e.endpoint_id = p.endpoint_id
    where p.channel_id = $1 and e.state = 'ON'
);

-- name: delete_feed
-- Delete a feed that nobody has followed since an instant.
delete from feed where channel_id = $1 and followed_at < $2 returning channel_id;

-- name: delete_feed_blocks
-- Delete how far the blocks of a deleted feed have entries.
delete from feed_block where channel_id = $1;

-- name: delete_feed_entries
-- Delete the entries of a deleted feed.
delete from feed_entry where channel_id = $1;

-- name: delete_feed_notices
-- Delete the notices of a deleted feed.
delete from feed_notice where channel_id = $1;

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

-- name: feed_entries_from
-- Return a feed with at most $3 of its entries from number $2 on; one row without an entry where there are none. How far
-- the logs of the tag states and of the block were deleted is of the same snapshot.
select f.last_seq, f.base_seq, f.base_version, f.base_offset,
    s.tag_version as present_tag_version, s.tag_base_version,
    e.seq, e.former_tag_version, e.tag_version, e.block, e.from_version, e.to_version, h.base_version as block_base_version
from feed f
join channel_state s on s.channel_id = f.channel_id
left join lateral (
    select * from feed_entry n where n.channel_id = $1 and n.seq >= $2 order by n.seq limit $3
) e on true
left join block_head h on h.channel_id = $1 and h.block = e.block
where f.channel_id = $1
order by e.seq;

-- name: feed_user_lines
-- List what entries of blocks tell after a version and offset each, at most $7 lines in the order of the feed. A change of
-- many people is one line without an offset.
with entry as materialized (
    select * from unnest($2::bigint[], $3::int[], $4::bigint[], $5::smallint[], $6::bigint[])
        as e (seq, block, after_version, after_offset, to_version)
)
select e.seq, e.block, c.version, c.user_offset, c.at, c.cause, c.added, c.removed
from entry e
join user_tag_change c on c.channel_id = $1 and c.block = e.block
    and (c.version, c.user_offset) > (e.after_version, e.after_offset) and c.version <= e.to_version
union all
select distinct e.seq, e.block, b.version, null::smallint, b.at, b.cause, null::int[], null::int[]
from entry e
join bulk_tag_change b on b.channel_id = $1 and b.block = e.block
    and b.version >= e.after_version and b.version <= e.to_version
    and (b.version > e.after_version or e.after_offset < 31999)
order by 1, 3, 4
limit $7;

-- name: feed_bulk_lines
-- Return what one change of many people did to some tags.
select tag_id, added_offsets, removed_offsets, added, removed
from bulk_tag_change
where channel_id = $1 and block = $2 and version = $3 and tag_id = any($4::int[])
order by tag_id;

-- name: feed_tag_lines
-- List the structural changes after a version up to another, with what the tag was called and its state then.
select c.version, c.tag_id, c.at, c.kind, c.shown_after, t.kind as tag_kind,
    coalesce(c.category, t.category) as category, coalesce(c.name, t.name) as name,
    coalesce(c.state, t.state) as state, c.lapsed_by
from tag_change c
left join tag t on t.channel_id = $1 and t.tag_id = c.tag_id
where c.channel_id = $1 and c.version > $2 and c.version <= $3
order by c.version, c.tag_id;

-- name: feed_notices
-- List the notices of entries in the order of the feed.
select seq, place, at, ordinal, former_ordinal, job_id, job_kind, job_state
from feed_notice
where channel_id = $1 and seq = any($2::bigint[])
order by seq, place;

-- name: shown_tags_at
-- Return the tags that people show, none while the gate is closed, as of now and, for each tag and the gate (0), what its
-- first change after version $2 found: together that is what was shown at that version.
select s.open, array(
        select t.tag_id from tag t where t.channel_id = $1 and t.state = 'ACTIVE' and t.deleted_at is null
    ) as tag_ids,
    array(
        select distinct on (c.tag_id) case when c.shown_before then c.tag_id else -1 - c.tag_id end
        from tag_change c
        where c.channel_id = $1 and c.version > $2
        order by c.tag_id, c.version
    ) as before
from channel_state s
where s.channel_id = $1;

-- name: tags_become_shown
-- List the tags, 0 for the gate, that began to be shown after a version up to another though they were there, and when.
select tag_id, max(at) as at
from tag_change
where channel_id = $1 and version > $2 and version <= $3 and kind <> 'CREATED' and shown_after and not shown_before
group by tag_id;

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

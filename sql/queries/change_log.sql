-- name: log_user_changes
-- Log a small change: one row for each user it touched.
insert into user_tag_change (channel_id, block, version, user_offset, at, cause, added, removed)
select $1, n.block, n.version, n.user_offset, n.at, $8, n.added::int[], n.removed::int[]
from unnest($2::int[], $3::bigint[], $4::smallint[], $5::timestamptz[], $6::text[], $7::text[])
    as n (block, version, user_offset, at, added, removed);

-- name: log_bulk_changes
-- Log a change of many users: one row for each tag it touched. The offsets of all rows are in $11, those of one row in
-- (start, added_end] and (added_end, removed_end].
insert into bulk_tag_change (
    channel_id, block, version, tag_id, at, cause, added_offsets, removed_offsets, added, removed
)
select $1, n.block, n.version, n.tag_id, n.at, $12,
    nullif(($11::smallint[])[n.start + 1 : n.added_end], '{}'),
    nullif(($11::smallint[])[n.added_end + 1 : n.removed_end], '{}'),
    n.added::bit(32000), n.removed::bit(32000)
from unnest(
    $2::int[], $3::bigint[], $4::int[], $5::timestamptz[], $6::int[], $7::int[], $8::int[], $9::varbit[], $10::varbit[]
) as n (block, version, tag_id, at, start, added_end, removed_end, added, removed);

-- name: changes_since
-- Return what happened to users of a block after a version, and the present version of the block; known is false where
-- the log does not hold that version at that instant.
with head as (
    select * from block_head where channel_id = $1 and block = $2
),
change as (
    select c.version, c.at, c.cause, c.user_offset::int, c.added, c.removed
    from user_tag_change c
    where c.channel_id = $1 and c.block = $2 and c.version > $3 and c.user_offset = any($5::smallint[])
    union all
    select b.version, b.at, b.cause, o.user_offset::int,
        case when b.added_offsets @> array[o.user_offset] or get_bit(b.added, o.user_offset) = 1
            then array[b.tag_id] else '{}' end,
        case when b.removed_offsets @> array[o.user_offset] or get_bit(b.removed, o.user_offset) = 1
            then array[b.tag_id] else '{}' end
    from bulk_tag_change b
    cross join unnest($5::smallint[]) as o (user_offset)
    where b.channel_id = $1 and b.block = $2 and b.version > $3
      and (
        b.added_offsets @> array[o.user_offset] or b.removed_offsets @> array[o.user_offset]
        or get_bit(b.added, o.user_offset) = 1 or get_bit(b.removed, o.user_offset) = 1
      )
)
select h.version as head_version, h.at as head_at,
    (h.base_version, h.base_at) = ($3, $4)
    or exists (
        select from user_tag_change k where k.channel_id = $1 and k.block = $2 and k.version = $3 and k.at = $4
    )
    or exists (
        select from bulk_tag_change k where k.channel_id = $1 and k.block = $2 and k.version = $3 and k.at = $4
    ) as known,
    c.version, c.at, c.cause, c.user_offset, c.added, c.removed
from head h
left join change c on true
order by c.version, c.user_offset;

-- name: known_revisions
-- List which of these versions the log, or the base of the block, holds at just these instants. What is known after the
-- log was read was known while it was read: a pruned version never comes back.
select p.version, p.at
from block_head h
cross join unnest($3::bigint[], $4::timestamptz[]) as p (version, at)
where h.channel_id = $1 and h.block = $2
  and (
    (h.base_version, h.base_at) = (p.version, p.at)
    or exists (
        select from user_tag_change k
        where k.channel_id = $1 and k.block = $2 and k.version = p.version and k.at = p.at
    )
    or exists (
        select from bulk_tag_change k
        where k.channel_id = $1 and k.block = $2 and k.version = p.version and k.at = p.at
    )
  );

-- name: history_of_user
-- List the changes of one user before a version, newest first.
select version, at, cause, added, removed from (
    select c.version, c.at, c.cause, c.added, c.removed
    from user_tag_change c
    where c.channel_id = $1 and c.block = $2 and c.user_offset = $3 and c.version < $4
    union all
    select b.version, b.at, min(b.cause),
        array_agg(b.tag_id order by b.tag_id)
            filter (where b.added_offsets @> array[$3::smallint] or get_bit(b.added, $3) = 1),
        array_agg(b.tag_id order by b.tag_id)
            filter (where b.removed_offsets @> array[$3::smallint] or get_bit(b.removed, $3) = 1)
    from bulk_tag_change b
    where b.channel_id = $1 and b.block = $2 and b.version < $4
      and (
        b.added_offsets @> array[$3::smallint] or b.removed_offsets @> array[$3::smallint]
        or get_bit(b.added, $3) = 1 or get_bit(b.removed, $3) = 1
      )
    group by b.version, b.at
) c
order by version desc
limit $5;

-- name: prunable_version
-- Return the newest version of a block before the first that is kept; reads forward, so that it costs what is pruned.
select coalesce(
    least(
        (
            select version from user_tag_change
            where channel_id = $1 and block = $2 and at >= $3
            order by version limit 1
        ),
        (
            select version from bulk_tag_change
            where channel_id = $1 and block = $2 and at >= $3
            order by version limit 1
        )
    ) - 1,
    (select version from block_head where channel_id = $1 and block = $2)
) as version;

-- name: raise_base
-- Record the newest version that leaves the log, so that a cursor at it stays good.
update block_head h
set base_version = $3, base_at = (
    select at from (
        select at from user_tag_change where channel_id = $1 and block = $2 and version = $3
        union all
        select at from bulk_tag_change where channel_id = $1 and block = $2 and version = $3
    ) last limit 1
)
where h.channel_id = $1 and h.block = $2 and h.base_version < $3;

-- name: prune_user_changes
-- Delete small changes up to a version.
delete from user_tag_change where channel_id = $1 and block = $2 and version <= $3;

-- name: prune_bulk_changes
-- Delete changes of many users up to a version.
delete from bulk_tag_change where channel_id = $1 and block = $2 and version <= $3;

-- name: log_of_block
-- List what the log of a block holds, newest first.
select version, at, cause, user_offset::int, null::int as tag_id, added, removed,
    null::smallint[] as added_offsets, null::smallint[] as removed_offsets,
    null::bit(32000) as added_members, null::bit(32000) as removed_members
from user_tag_change
where channel_id = $1 and block = $2
union all
select version, at, cause, null, tag_id, null, null, added_offsets, removed_offsets, added, removed
from bulk_tag_change
where channel_id = $1 and block = $2
order by version desc;

-- name: log_bounds
-- Return the newest version of a block and the newest that is no longer in its log, each with its instant.
select version, at, base_version, base_at from block_head where channel_id = $1 and block = $2;

-- name: cut_log
-- Record that nothing up to the present version of a block is to be read from its log.
update block_head set base_version = version, base_at = at where channel_id = $1 and block = $2
returning base_version;

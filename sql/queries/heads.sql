-- name: insert_heads
-- Insert the heads of new blocks; base and head are the same instant.
insert into block_head (channel_id, block, at, evaluated_at, latest_at, base_at, windows_version)
select $1, b.block, $3, $3, $3, $3, (select max(version) from touch_windows)
from unnest($2::int[]) as b (block)
on conflict do nothing;

-- name: lock_heads
-- Lock blocks in ascending order; a statement of its own, so that the next one sees what the wait was for.
select block, version, at, evaluated_at, latest_at, windows_version
from block_head
where channel_id = $1 and block = any($2::int[])
order by block
for update;

-- name: blocks_of
-- List every block of a channel.
select block from block_head where channel_id = $1 order by block;

-- name: advance_heads
-- Record the new versions of changed blocks.
update block_head h
set version = n.version, at = n.at, latest_at = greatest(h.latest_at, n.at)
from unnest($2::int[], $3::bigint[], $4::timestamptz[]) as n (block, version, at)
where h.channel_id = $1 and h.block = n.block;

-- name: raise_evaluated_at
-- Record that all users of these blocks have been evaluated at these instants, under the windows of this version.
update block_head h
set evaluated_at = greatest(h.evaluated_at, n.evaluated_at),
    latest_at = greatest(h.latest_at, n.evaluated_at),
    windows_version = $4
from unnest($2::int[], $3::timestamptz[]) as n (block, evaluated_at)
where h.channel_id = $1 and h.block = n.block;

-- name: due_blocks
-- List the blocks where the boundary of a user may have passed, or whose windows or rules are not the newest.
select h.block
from block_head h
where h.channel_id = $1
  and (
    h.windows_version < (select max(version) from touch_windows)
    or exists (
        select from alarm a
        where a.channel_id = $1 and a.block = h.block and a.wake_at > h.evaluated_at and a.wake_at <= $2
    )
  )
order by h.block;

-- name: unlocked_blocks
-- List the blocks that no transaction is writing now; others may hold an evaluation from before the boundary.
select block from block_head where channel_id = $1 order by block for share skip locked;

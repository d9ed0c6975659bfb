-- name: return_tag_by_key
-- The living tag under an integrator's key, and whether the gate is open.
select s.open, t.tag_id
from channel_state s
left join (
    select r.tag_id
    from return_tag r
    join tag g on g.channel_id = r.channel_id and g.tag_id = r.tag_id and g.deleted_at is null
    where r.channel_id = $1 and r.category = $2 and r.label = $3
) t on true
where s.channel_id = $1;

-- name: insert_return_tag
-- The key of a new tag.
insert into return_tag (channel_id, tag_id, category, label) values ($1, $2, $3, $4);

-- name: return_tag_keys
-- The keys of the return tags of a channel, deleted ones too.
select tag_id, category, label from return_tag where channel_id = $1;

-- name: lock_tags_shared
-- Holds tags against edits and against whoever replaces their members.
select tag_id, deleted_at is null as living from tag
where channel_id = $1 and tag_id = any($2::int[])
order by tag_id
for share;

-- name: lock_tag_exclusive
-- Holds a tag against everybody else who changes its batches.
select tag_id, deleted_at is null as living from tag where channel_id = $1 and tag_id = $2 for no key update;

-- name: bits_of_tags
-- The bitmaps of these tags in locked blocks.
select block, tag_id, members from tag_members
where channel_id = $1 and tag_id = any($2::int[]) and block = any($3::int[]);

-- name: blocks_of_tag
-- Blocks in which somebody has or had a tag.
select block from tag_members where channel_id = $1 and tag_id = $2 order by block;

-- name: allocate_batch_ids
-- Numbers for new batches, in the order in which they commit; answers the last.
insert into return_counter as c (channel_id, last_batch) values ($1, $2)
on conflict (channel_id) do update set last_batch = c.last_batch + excluded.last_batch
returning last_batch;

-- name: insert_batches
-- Receipts of one transaction.
insert into return_batch (
    channel_id, batch_id, tag_id, at, mode, source, subject, expires_at,
    added, removed, unchanged, duplicates, new_users, rejected, unmatched, blocks
)
select $1, n.batch_id, n.tag_id, $2, n.mode, n.source, n.subject, n.expires_at,
    n.added, n.removed, n.unchanged, n.duplicates, n.new_users, n.rejected, n.unmatched::text[], n.blocks::int[]
from unnest(
    $3::bigint[], $4::int[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
    $9::int[], $10::int[], $11::int[], $12::int[], $13::int[], $14::text[], $15::text[], $16::text[]
) as n (
    batch_id, tag_id, mode, source, subject, expires_at,
    added, removed, unchanged, duplicates, new_users, rejected, unmatched, blocks
);

-- name: insert_batch_members
-- Whom new batches hold.
insert into return_support (channel_id, tag_id, place, batch_id, ordinals, members)
select $1, n.tag_id, n.place, n.batch_id, n.ordinals::int[], n.members::bit(32000)
from unnest($2::int[], $3::int[], $4::bigint[], $5::text[], $6::varbit[]) as n (
    tag_id, place, batch_id, ordinals, members
);

-- name: batch
-- One receipt.
select * from return_batch where channel_id = $1 and batch_id = $2;

-- name: batches_by_id
-- These receipts.
select * from return_batch where channel_id = $1 and batch_id = any($2::bigint[]);

-- name: batches_of_tag
-- Receipts of a tag before a number, newest first.
select * from return_batch
where channel_id = $1 and tag_id = $2 and batch_id < $3
order by batch_id desc
limit $4;

-- name: lock_batches
-- Holds batches that are still in force; who ends one first wins.
select batch_id, blocks from return_batch
where channel_id = $1 and batch_id = any($2::bigint[]) and ended is null
order by batch_id
for update;

-- name: members_of_batches
-- Whom these batches hold, in these places.
select place, batch_id, ordinals, members from return_support
where channel_id = $1 and tag_id = $2 and place = any($3::int[]) and batch_id = any($4::bigint[]);

-- name: held_by_other_batches
-- Which of these people batches other than these hold.
with wanted as (
    select ordinal from unnest($4::int[]) as w (ordinal)
)
select o.ordinal
from return_support m
cross join unnest(m.ordinals) as o (ordinal)
join wanted w on w.ordinal = o.ordinal
where m.channel_id = $1 and m.tag_id = $2 and m.place = any($3::int[]) and m.batch_id <> all($5::bigint[])
union
select w.ordinal
from wanted w
join return_support m
    on m.channel_id = $1 and m.tag_id = $2 and m.place = w.ordinal / 32000 and m.batch_id <> all($5::bigint[])
where get_bit(m.members, w.ordinal % 32000) = 1;

-- name: delete_batch_members
-- These batches hold nobody any more.
delete from return_support
where channel_id = $1 and tag_id = $2 and place = any($3::int[]) and batch_id = any($4::bigint[]);

-- name: delete_batch_members_of_tag
-- Nobody is held to a tag any more.
delete from return_support where channel_id = $1 and tag_id = $2;

-- name: remove_from_batch_lists
-- Takes people out of every batch that names them; what is left of a batch stays.
update return_support m
set ordinals = array(select o from unnest(m.ordinals) as o except select w from unnest($4::int[]) as w order by 1)
where m.channel_id = $1 and m.tag_id = $2 and m.place = any($3::int[]) and m.ordinals && $4::int[];

-- name: remove_from_batch_bitmaps
-- Takes people out of every batch that has a bit for them.
update return_support m
set members = m.members & ~n.gone::bit(32000)
from unnest($3::int[], $4::varbit[]) as n (block, gone)
where m.channel_id = $1 and m.tag_id = $2 and m.place = n.block and m.members is not null
  and bit_count(m.members & n.gone::bit(32000)) > 0;

-- name: delete_empty_batch_members
-- Forgets rows that hold nobody.
delete from return_support
where channel_id = $1 and tag_id = $2 and place = any($3::int[])
  and (ordinals = '{}' or bit_count(members) = 0);

-- name: end_batches
-- Batches that are no longer in force, each for the same reason.
update return_batch set ended = $3, ended_at = $4
where channel_id = $1 and batch_id = any($2::bigint[]);

-- name: end_batches_of_tag
-- A new whole membership ends every batch before it.
update return_batch set ended = 'REPLACED', ended_at = $3
where channel_id = $1 and tag_id = $2 and ended is null and mode <> 'REMOVE';

-- name: save_undo_result
-- What undoing a batch did.
update return_batch set undo_removed = $3, undo_kept = $4 where channel_id = $1 and batch_id = $2;

-- name: expired_batches
-- Batches whose time is over, of one tag after the other.
select tag_id, batch_id from return_batch
where channel_id = $1 and ended is null and expires_at <= $2
order by tag_id, batch_id
limit $3;

-- name: channels_with_expired_batches
-- Channels where the time of a batch is over.
select distinct channel_id from return_batch where ended is null and expires_at <= $1 order by channel_id;

-- name: settled_batches
-- Batches that can no longer be undone, of one tag after the other.
select tag_id, batch_id from return_batch
where channel_id = $1 and ended is null and expires_at is null and mode <> 'REMOVE' and at < $2
order by tag_id, batch_id
limit $3;

-- name: add_settled_members
-- Adds people to those who were folded together.
insert into return_support as m (channel_id, tag_id, place, batch_id, members)
select $1, $2, n.block, 0, n.members::bit(32000)
from unnest($3::int[], $4::varbit[]) as n (block, members)
on conflict (channel_id, tag_id, place, batch_id) do update set members = m.members | excluded.members;

-- name: batch_members_of_block
-- Whom the batches of living return tags hold in a block.
select m.tag_id, m.ordinals, m.members
from return_support m
join tag t on t.channel_id = m.channel_id and t.tag_id = m.tag_id and t.deleted_at is null
where m.channel_id = $1 and m.place = any($2::int[]);

-- name: return_bits_of_block
-- The bitmaps of the living return tags in a block.
select t.tag_id, m.members
from tag t
join tag_members m on m.channel_id = t.channel_id and m.block = $2 and m.tag_id = t.tag_id
where t.channel_id = $1 and t.kind = 'RETURN' and t.deleted_at is null;

-- name: batches_holding
-- The batches in force that hold these people, by tag; 0 for those that were folded.
select w.ordinal, m.tag_id, m.batch_id
from unnest($2::int[]) as w (ordinal)
cross join return_tag r
join return_support m
    on m.channel_id = r.channel_id and m.tag_id = r.tag_id
    and m.place in (w.ordinal / 32000, -1 - w.ordinal / 32000 / 32)
where r.channel_id = $1
  and (m.ordinals @> array[w.ordinal] or get_bit(m.members, w.ordinal % 32000) = 1);

-- name: remove_from_all_batch_lists
-- Takes people who are forgotten out of every batch that names them.
update return_support m
set ordinals = array(select o from unnest(m.ordinals) as o except select w from unnest($3::int[]) as w order by 1)
where m.channel_id = $1 and m.place = any($2::int[]) and m.ordinals && $3::int[];

-- name: remove_from_all_batch_bitmaps
-- Takes people who are forgotten out of every batch that has a bit for them.
update return_support m
set members = m.members & ~n.gone::bit(32000)
from unnest($2::int[], $3::varbit[]) as n (block, gone)
where m.channel_id = $1 and m.place = n.block and m.members is not null
  and bit_count(m.members & n.gone::bit(32000)) > 0;

-- name: existing_ordinals
-- Those of these ordinals that somebody has.
select ordinal from channel_user where channel_id = $1 and ordinal = any($2::int[]);

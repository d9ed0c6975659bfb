-- name: return_tag_by_key
-- Return the living tag that has an integrator's key, the tag that the key was made for, and whether the gate is open.
select s.open, t.owner_tag_id, t.tag_id
from channel_state s
left join (
    select r.owner_tag_id, r.tag_id
    from return_tag r
    join tag g on g.channel_id = r.channel_id and g.tag_id = r.owner_tag_id and g.deleted_at is null
    where r.channel_id = $1 and r.category = $2 and r.label = $3
) t on true
where s.channel_id = $1;

-- name: insert_return_tag
-- Insert the key of a new tag.
insert into return_tag (channel_id, tag_id, category, label) values ($1, $2, $3, $4);

-- name: return_tag_keys
-- List the keys of the return tags of a channel, deleted ones too, with the tags that have them.
select tag_id, category, label, owner_tag_id from return_tag where channel_id = $1 order by tag_id;

-- name: owner_of_key
-- Return the tag that has the key that was made for tag $2.
select owner_tag_id from return_tag where channel_id = $1 and tag_id = $2;

-- name: keys_of_tag
-- List the tags whose keys a return tag has: itself, and those merged into it.
select tag_id from return_tag where channel_id = $1 and owner_tag_id = $2 order by tag_id;

-- name: give_keys
-- Give the keys of a return tag to another, with all that came by them; run under the exclusive locks of both.
update return_tag set given_to = $3 where channel_id = $1 and owner_tag_id = $2;

-- name: lock_tags_shared
-- Lock tags against edits, merges and a replacement of their members.
select tag_id, deleted_at is null as living, merged_into, merging_into, merging_from from tag
where channel_id = $1 and tag_id = any($2::int[])
order by tag_id
for share;

-- name: lock_tags_exclusive
-- Lock tags against every other change of their batches.
select tag_id, deleted_at is null as living, merged_into, merging_into, merging_from from tag
where channel_id = $1 and tag_id = any($2::int[])
order by tag_id
for no key update;

-- name: allocate_batch_ids
-- Reserve numbers for new batches, in the order in which they commit; return the last.
insert into return_counter as c (channel_id, last_batch) values ($1, $2)
on conflict (channel_id) do update set last_batch = c.last_batch + excluded.last_batch
returning last_batch;

-- name: insert_batches
-- Insert the receipts of one transaction.
insert into return_batch (
    channel_id, batch_id, tag_id, at, mode, source, subject, expires_at,
    added, removed, unchanged, duplicates, new_users, rejected, unmatched, blocks, openids_of
)
select $1, n.batch_id, n.tag_id, $2, n.mode, n.source, n.subject, n.expires_at,
    n.added, n.removed, n.unchanged, n.duplicates, n.new_users, n.rejected, n.unmatched::text[], n.blocks::int[],
    n.openids_of
from unnest(
    $3::bigint[], $4::int[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
    $9::int[], $10::int[], $11::int[], $12::int[], $13::int[], $14::text[], $15::text[], $16::text[],
    $17::bigint[]
) as n (
    batch_id, tag_id, mode, source, subject, expires_at,
    added, removed, unchanged, duplicates, new_users, rejected, unmatched, blocks, openids_of
);

-- name: batch
-- Return one receipt.
select b.*, r.owner_tag_id
from return_batch b
join return_tag r on r.channel_id = b.channel_id and r.tag_id = b.tag_id
where b.channel_id = $1 and b.batch_id = $2;

-- name: batches_by_id
-- Return receipts by their numbers, without the entries that were left out.
select b.channel_id, b.batch_id, b.tag_id, b.at, b.mode, b.source, b.subject, b.expires_at, b.added, b.removed,
    b.unchanged, b.duplicates, b.new_users, b.blocks, b.openids_of, b.ended, b.ended_at, b.undo_removed, b.undo_kept,
    r.owner_tag_id
from return_batch b
join return_tag r on r.channel_id = b.channel_id and r.tag_id = b.tag_id
where b.channel_id = $1 and b.batch_id = any($2::bigint[]);

-- name: batches_of_tag
-- List the receipts of a tag before a number, newest first, without the entries that were left out: those by each key
-- that it has, and by the one that was made for it.
select b.channel_id, b.batch_id, b.tag_id, b.at, b.mode, b.source, b.subject, b.expires_at, b.added, b.removed,
    b.unchanged, b.duplicates, b.new_users, b.blocks, b.openids_of, b.ended, b.ended_at, b.undo_removed, b.undo_kept,
    r.owner_tag_id
from return_tag r
cross join lateral (
    select * from return_batch b
    where b.channel_id = r.channel_id and b.tag_id = r.tag_id and b.batch_id < $3
    order by b.batch_id desc
    limit $4
) b
where r.channel_id = $1 and (r.owner_tag_id = $2 or r.tag_id = $2)
order by b.batch_id desc
limit $4;

-- name: rejected_slices
-- Return so many of the rejected entries of batches, from a place in their list on, and how many there are.
select w.batch_id, w.start, w.length, jsonb_array_length(e.rejected) as total,
    jsonb_path_query_array(
        e.rejected, '$[$from to $to]', jsonb_build_object('from', w.start, 'to', w.start + w.length - 1)
    ) as entries
from unnest($2::bigint[], $3::int[], $4::int[]) as w (batch_id, start, length)
join return_batch b on b.channel_id = $1 and b.batch_id = w.batch_id
cross join lateral (select b.rejected::jsonb as rejected offset 0) as e;

-- name: unmatched_slices
-- Return so many of the unmatched openids of batches, from a place in their list on, and how many there are.
select w.batch_id, w.start, w.length, cardinality(b.unmatched) as total,
    b.unmatched[w.start + 1 : w.start + w.length] as entries
from unnest($2::bigint[], $3::int[], $4::int[]) as w (batch_id, start, length)
join return_batch b on b.channel_id = $1 and b.batch_id = w.batch_id;

-- name: lock_batches
-- Lock batches that are still in force; who ends one first wins.
select batch_id, blocks from return_batch
where channel_id = $1 and batch_id = any($2::bigint[]) and ended is null
order by batch_id
for update;

-- name: end_batches
-- End batches, each for the same reason.
update return_batch set ended = $3, ended_at = $4
where channel_id = $1 and batch_id = any($2::bigint[]);

-- name: end_batches_of_key
-- End every batch that came by a key, since a new one replaces all of them.
update return_batch set ended = 'REPLACED', ended_at = $3
where channel_id = $1 and tag_id = $2 and ended is null and mode <> 'REMOVE';

-- name: save_undo_result
-- Record what undoing a batch did.
update return_batch set undo_removed = $3, undo_kept = $4 where channel_id = $1 and batch_id = $2;

-- name: forget_unmatched
-- Take openids of channel $2 out of the lists of those who were not matched.
update return_batch
set unmatched = array(select each from unnest(unmatched) each where each <> all($3::text[]))
where channel_id = $1 and unmatched <> '{}' and unmatched && $3::text[] and (openids_of = $2 or openids_of is null);

-- name: expired_batches
-- List batches that have expired, key by key.
select tag_id, batch_id from return_batch
where channel_id = $1 and ended is null and expires_at <= $2
order by tag_id, batch_id
limit $3;

-- name: channels_with_expired_batches
-- List the channels in which a batch has expired.
select distinct channel_id from return_batch where ended is null and expires_at <= $1 order by channel_id;

-- name: settled_batches
-- List batches that can no longer be undone, key by key.
select tag_id, batch_id from return_batch
where channel_id = $1 and ended is null and expires_at is null and mode <> 'REMOVE' and at < $2
order by tag_id, batch_id
limit $3;

-- name: batches_holding
-- List the batches in force that hold these people, by tag and key, with the tag that this is being merged into; 0 for
-- those that were folded.
select w.ordinal, r.owner_tag_id, m.tag_id, m.batch_id, t.merging_into
from unnest($2::int[]) as w (ordinal)
cross join return_tag r
join tag t on t.channel_id = r.channel_id and t.tag_id = r.owner_tag_id
join return_support m
    on m.channel_id = r.channel_id and m.tag_id = r.tag_id
    and m.place in (w.ordinal / 32000, -1 - w.ordinal / 32000 / 32)
where r.channel_id = $1
  and (m.ordinals @> array[w.ordinal] or get_bit(m.members, w.ordinal % 32000) = 1);

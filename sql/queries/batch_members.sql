-- name: bits_of_tags
-- Return the bitmaps of tags in locked blocks.
select block, tag_id, members from tag_members
where channel_id = $1 and tag_id = any($2::int[]) and block = any($3::int[]);

-- name: blocks_of_tag
-- List the blocks in which a user has or had a tag.
select block from tag_members where channel_id = $1 and tag_id = $2 order by block;

-- name: insert_batch_members
-- Insert the people that new batches hold.
insert into return_support (channel_id, tag_id, place, batch_id, ordinals, members)
select $1, n.tag_id, n.place, n.batch_id, n.ordinals::int[], n.members::bit(32000)
from unnest($2::int[], $3::int[], $4::bigint[], $5::text[], $6::varbit[]) as n (
    tag_id, place, batch_id, ordinals, members
);

-- name: members_of_batches
-- Return the people that these batches, which came by one key, hold in these slots (column place).
select place, batch_id, ordinals, members from return_support
where channel_id = $1 and tag_id = $2 and place = any($3::int[]) and batch_id = any($4::bigint[]);

-- name: held_by_other_batches
-- List which of these people are held by batches other than these, by any of some keys.
with wanted as (
    select ordinal from unnest($4::int[]) as w (ordinal)
)
select o.ordinal
from return_support m
cross join unnest(m.ordinals) as o (ordinal)
join wanted w on w.ordinal = o.ordinal
where m.channel_id = $1 and m.tag_id = any($2::int[]) and m.place = any($3::int[])
  and m.batch_id <> all($5::bigint[])
union
select w.ordinal
from wanted w
join return_support m
    on m.channel_id = $1 and m.tag_id = any($2::int[]) and m.place = w.ordinal / 32000
    and m.batch_id <> all($5::bigint[])
where get_bit(m.members, w.ordinal % 32000) = 1;

-- name: delete_batch_members
-- Delete the members of batches that ended.
delete from return_support
where channel_id = $1 and tag_id = $2 and place = any($3::int[]) and batch_id = any($4::bigint[]);

-- name: delete_batch_members_of_key
-- Delete the members of every batch that came by a key.
delete from return_support where channel_id = $1 and tag_id = $2;

-- name: remove_from_batch_lists
-- Remove people from every batch by these keys that names them; what is left of a batch stays.
update return_support m
set ordinals = array(select o from unnest(m.ordinals) as o except select w from unnest($4::int[]) as w order by 1)
where m.channel_id = $1 and m.tag_id = any($2::int[]) and m.place = any($3::int[]) and m.ordinals && $4::int[];

-- name: remove_from_batch_bitmaps
-- Remove people from every batch by these keys that has a bit for them.
update return_support m
set members = m.members & ~n.gone::bit(32000)
from unnest($3::int[], $4::varbit[]) as n (block, gone)
where m.channel_id = $1 and m.tag_id = any($2::int[]) and m.place = n.block and m.members is not null
  and bit_count(m.members & n.gone::bit(32000)) > 0;

-- name: delete_empty_batch_members
-- Delete rows without members.
delete from return_support
where channel_id = $1 and tag_id = any($2::int[]) and place = any($3::int[])
  and (ordinals = '{}' or bit_count(members) = 0);

-- name: add_settled_members
-- Add people to those of the batches by a key that were folded together.
insert into return_support as m (channel_id, tag_id, place, batch_id, members)
select $1, $2, n.block, 0, n.members::bit(32000)
from unnest($3::int[], $4::varbit[]) as n (block, members)
on conflict (channel_id, tag_id, place, batch_id) do update set members = m.members | excluded.members;

-- name: batch_members_of_block
-- Return the people that the batches of living return tags hold in a block, by the tags that have them.
select t.tag_id, m.ordinals, m.members
from return_support m
join return_tag r on r.channel_id = m.channel_id and r.tag_id = m.tag_id
join tag t on t.channel_id = r.channel_id and t.tag_id = r.owner_tag_id and t.deleted_at is null
where m.channel_id = $1 and m.place = any($2::int[]);

-- name: return_bits_of_block
-- Return the bitmaps of the living return tags in a block.
select t.tag_id, m.members
from tag t
join tag_members m on m.channel_id = t.channel_id and m.block = $2 and m.tag_id = t.tag_id
where t.channel_id = $1 and t.kind = 'RETURN' and t.deleted_at is null;

-- name: remove_from_all_batch_lists
-- Remove forgotten people from every batch that names them.
update return_support m
set ordinals = array(select o from unnest(m.ordinals) as o except select w from unnest($3::int[]) as w order by 1)
where m.channel_id = $1 and m.place = any($2::int[]) and m.ordinals && $3::int[];

-- name: remove_from_all_batch_bitmaps
-- Remove forgotten people from every batch that has a bit for them.
update return_support m
set members = m.members & ~n.gone::bit(32000)
from unnest($2::int[], $3::varbit[]) as n (block, gone)
where m.channel_id = $1 and m.place = n.block and m.members is not null
  and bit_count(m.members & n.gone::bit(32000)) > 0;

-- name: batch_members_by_keys
-- Return the people whom all batches by these keys hold in these slots.
select tag_id, place, batch_id, ordinals, members from return_support
where channel_id = $1 and tag_id = any($2::int[]) and place = any($3::int[]);

-- name: existing_ordinals
-- List those of these ordinals that a user has.
select ordinal from channel_user where channel_id = $1 and ordinal = any($2::int[]);

-- name: set_member_bits
-- Set bits of tags in locked blocks, eight a row: those of row i are $4[8i - 7 … 8i], their values $5[8i - 7 … 8i].
update tag_members t
set members = set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(t.members,
    ($4::int[])[8 * n.row - 7], ($5::int[])[8 * n.row - 7]),
    ($4::int[])[8 * n.row - 6], ($5::int[])[8 * n.row - 6]),
    ($4::int[])[8 * n.row - 5], ($5::int[])[8 * n.row - 5]),
    ($4::int[])[8 * n.row - 4], ($5::int[])[8 * n.row - 4]),
    ($4::int[])[8 * n.row - 3], ($5::int[])[8 * n.row - 3]),
    ($4::int[])[8 * n.row - 2], ($5::int[])[8 * n.row - 2]),
    ($4::int[])[8 * n.row - 1], ($5::int[])[8 * n.row - 1]),
    ($4::int[])[8 * n.row], ($5::int[])[8 * n.row])
from unnest($2::int[], $3::int[]) with ordinality as n (block, tag_id, row)
where t.channel_id = $1 and t.block = n.block and t.tag_id = n.tag_id
returning t.block, t.tag_id;

-- name: flip_members
-- Flip bits of tags in locked blocks; a tag that no user of the block had gets its row.
insert into tag_members as t (channel_id, block, tag_id, members)
select $1, n.block, n.tag_id, n.flips::bit(32000)
from unnest($2::int[], $3::int[], $4::varbit[]) as n (block, tag_id, flips)
on conflict (channel_id, block, tag_id) do update set members = t.members # excluded.members;

-- name: count_members
-- Add to the counts beside the bits.
insert into tag_member_count as c (channel_id, block, tag_id, members, at)
select $1, n.block, n.tag_id, n.delta, n.at
from unnest($2::int[], $3::int[], $4::int[], $5::timestamptz[]) as n (block, tag_id, delta, at)
on conflict (channel_id, block, tag_id) do update set members = c.members + excluded.members, at = excluded.at;

-- name: member_counts
-- Return how many members each tag of a channel has, and when that last changed.
select tag_id, sum(members)::int as members, max(at) as at
from tag_member_count
where channel_id = $1
group by tag_id;

-- name: miscounted_tags
-- List the tags of a locked block whose count is not the number of their bits.
select coalesce(t.tag_id, c.tag_id) as tag_id, coalesce(c.members, 0) as counted,
    coalesce(bit_count(t.members), 0)::int as members
from (select * from tag_members where channel_id = $1 and block = $2) t
full join (select * from tag_member_count where channel_id = $1 and block = $2) c using (tag_id)
where coalesce(c.members, 0) <> coalesce(bit_count(t.members), 0);

-- name: set_member_count
-- Correct one count.
insert into tag_member_count (channel_id, block, tag_id, members, at) values ($1, $2, $3, $4, $5)
on conflict (channel_id, block, tag_id) do update set members = excluded.members, at = excluded.at;

-- name: stray_members
-- List the bits of a locked block that belong to no user. The places without a user are one bit string, so that a tag
-- without such bits costs one comparison.
with known as (
    select ordinal - $2 * 32000 as user_offset, lag(ordinal - $2 * 32000, 1, -1) over (order by ordinal) as previous
    from channel_user
    where channel_id = $1 and ordinal between $2 * 32000 and $2 * 32000 + 31999
),
unused as materialized (
    select (
        coalesce(string_agg(repeat('1', user_offset - previous - 1) || '0', '' order by user_offset), '')
        || repeat('1', 31999 - coalesce(max(user_offset), -1))
    )::bit(32000) as offsets
    from known
),
stray as materialized (
    select t.tag_id, t.members & n.offsets as members
    from unused n
    join tag_members t on t.channel_id = $1 and t.block = $2 and bit_count(t.members & n.offsets) > 0
)
select o as user_offset, array_agg(s.tag_id order by s.tag_id) as tag_ids
from stray s
cross join lateral (select o from generate_series(0, 31999) o where get_bit(s.members, o) = 1) each
group by o
order by o;

-- name: drop_empty_members
-- Delete the rows of tags that no user of a locked block has. The bits are counted too: a count of 0 may be wrong.
with empty as (
    delete from tag_member_count where channel_id = $1 and block = $2 and members = 0 returning tag_id
)
delete from tag_members
where channel_id = $1 and block = $2 and tag_id in (select tag_id from empty) and bit_count(members) = 0;

-- name: bits_of_block
-- Return the bitmaps of all tags in a block.
select tag_id, members from tag_members where channel_id = $1 and block = $2;

-- name: count_of_expression
-- How many people are in a set.
select coalesce(sum(bit_count(/* expression */ 0::bit(32000))), 0)::int as members
from block_head h
where h.channel_id = $1;

-- name: bits_of_expression
-- The bitmaps of a set in these blocks, where it has members.
select s.block, s.members
from (
    select h.block, /* expression */ 0::bit(32000) as members
    from block_head h
    where h.channel_id = $1 and h.block = any($2::int[])
    offset 0
) s
where bit_count(s.members) > 0
order by s.block;

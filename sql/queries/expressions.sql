-- name: count_of_expression
-- How many people are in a set.
select coalesce(sum(bit_count(/* expression */ 0::bit(32000))), 0)::int as members
from block_head h
where h.channel_id = $1;

-- name: audience_size
-- How many people are in a set, how many of them follow (they have one of the two follow-time tags), and how many can be
-- written to.
select coalesce(sum(bit_count(s.members)), 0)::int as members,
    coalesce(sum(bit_count(s.members & s.followers)), 0)::int as followers,
    coalesce(sum(bit_count(s.members & s.touchable)), 0)::int as touchable
from (
    select /* expression */ 0::bit(32000) as members,
        coalesce((select m.members from tag_members m
            where m.channel_id = $1 and m.block = h.block and m.tag_id = 1), 0::bit(32000))
        | coalesce((select m.members from tag_members m
            where m.channel_id = $1 and m.block = h.block and m.tag_id = 2), 0::bit(32000)) as followers,
        coalesce((select m.members from tag_members m
            where m.channel_id = $1 and m.block = h.block and m.tag_id = 5), 0::bit(32000)) as touchable
    from block_head h
    where h.channel_id = $1
    offset 0
) s;

-- name: blocks_of_audience
-- The first $3 blocks from $2 on in which a set has anybody.
select s.block, s.members
from (
    select h.block, /* expression */ 0::bit(32000) as members
    from block_head h
    where h.channel_id = $1 and h.block >= $2
    order by h.block
    offset 0
) s
where bit_count(s.members) > 0
order by s.block
limit $3;

-- name: tag_overlaps
-- How many people each two of these tags share, each tag with itself too. Block by block, so that nothing is ever sorted
-- or kept that is larger than a block's bitmaps.
select s.a, s.b, sum(s.members)::int as members
from block_head h
cross join lateral (
    select a.tag_id as a, b.tag_id as b, bit_count(a.members & b.members) as members
    from tag_members a
    join tag_members b on b.channel_id = a.channel_id and b.block = a.block and b.tag_id >= a.tag_id
    where a.channel_id = $1 and a.block = h.block and a.tag_id = any($2::int[]) and b.tag_id = any($2::int[])
    offset 0
) s
where h.channel_id = $1
group by s.a, s.b;

-- name: members_revision
-- Return what changes with every bit of a channel: versions only grow, and a restored database has other instants.
select count(*)::int as blocks, coalesce(sum(version), 0)::bigint as versions, max(at) as at
from block_head
where channel_id = $1;

-- name: counts_by_block
-- Return how many members tags have in each block, for those who have any; both lists are in the same order.
select tag_id, array_agg(block) as blocks, array_agg(members) as members
from tag_member_count
where channel_id = $1 and tag_id = any($2::int[]) and members > 0
group by tag_id;

-- name: bitmaps_at
-- Return bitmaps by block and tag.
select m.block, m.tag_id, m.members
from unnest($2::int[], $3::int[]) n (block, tag_id)
join tag_members m on m.channel_id = $1 and m.block = n.block and m.tag_id = n.tag_id;

-- name: tags_of_webhooks
-- List the tags of a channel by which webhooks of its robot are filtered, also those that are off.
select distinct n.tag_id
from channel c
join webhook_endpoint e on e.robot_id = c.robot_id
cross join lateral unnest(e.tag_channel_ids, e.tag_ids) n (channel_id, tag_id)
where c.channel_id = $1 and n.channel_id = $1;

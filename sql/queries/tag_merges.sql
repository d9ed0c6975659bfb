-- name: insert_tag_merge
-- Insert a merge that is under way from now on.
insert into tag_merge (channel_id, job_id, from_tag_id, into_tag_id, added_ads) values ($1, $2, $3, $4, $5);

-- name: mark_merging
-- Mark two locked tags as the sides of a merge.
update tag
set merging_into = case when tag_id = $2 then $3 end, merging_from = case when tag_id = $3 then $2 end
where channel_id = $1 and tag_id in ($2, $3);

-- name: unmark_merging
-- Mark two locked tags as no longer the sides of a merge.
update tag set merging_into = null, merging_from = null where channel_id = $1 and tag_id in ($2, $3);

-- name: tag_merges
-- List the merges of a channel that are neither done nor taken back.
select job_id, from_tag_id, into_tag_id, added_ads, taking_back from tag_merge where channel_id = $1 order by job_id;

-- name: channels_with_ended_merges
-- List the channels with a merge whose job ended before it was done.
select distinct m.channel_id
from tag_merge m
left join job j on j.channel_id = m.channel_id and j.job_id = m.job_id
where j.job_id is null or j.state in ('FAILED', 'CANCELLED')
order by m.channel_id;

-- name: ended_merges
-- List the merges of a channel whose job ended before they were done.
select m.job_id, m.from_tag_id, m.into_tag_id, m.added_ads, m.taking_back
from tag_merge m
left join job j on j.channel_id = m.channel_id and j.job_id = m.job_id
where m.channel_id = $1 and (j.job_id is null or j.state in ('FAILED', 'CANCELLED'))
order by m.job_id;

-- name: begin_taking_back
-- Record that what people gained by a merge is taken away again.
update tag_merge set taking_back = true where channel_id = $1 and job_id = $2;

-- name: delete_tag_merge
-- Delete a merge that is done or taken back.
delete from tag_merge where channel_id = $1 and job_id = $2;

-- name: members_by_block
-- Count the members of a tag in the first $4 blocks from $3 on that have any.
select block, members from tag_member_count
where channel_id = $1 and tag_id = $2 and block >= $3 and members <> 0
order by block
limit $4;

-- name: outdate_combos
-- Have the combos of locked blocks computed again.
update block_head set combos_version = -1 where channel_id = $1 and block = any($2::int[]);

-- name: rewrite_combos
-- Replace what combos are made of; their members stay until they are computed again.
update combo_tag c
set expression = n.expression
from unnest($2::int[], $3::text[]) as n (tag_id, expression)
where c.channel_id = $1 and c.tag_id = n.tag_id;

-- name: rewrite_audiences
-- Replace the audiences of broadcasts that are not frozen; what was approved stays approved.
update broadcast b
set audience = n.audience, audience_text = n.audience_text
from unnest($2::int[], $3::text[], $4::text[]) as n (job_id, audience, audience_text)
where b.channel_id = $1 and b.job_id = n.job_id;

-- name: endpoints_that_name_tag
-- Return the endpoints of a robot that may be told of a tag by name.
select endpoint_id, tag_channel_ids, tag_ids, version from webhook_endpoint
where robot_id = $1 and $2 = any(tag_channel_ids) and $3 = any(tag_ids)
order by endpoint_id;

-- name: set_endpoint_tags
-- Replace the tags that an endpoint is told of, unless it was changed since it had version $3.
update webhook_endpoint set tag_channel_ids = $4, tag_ids = $5, version = version + 1
where robot_id = $1 and endpoint_id = $2 and version = $3;

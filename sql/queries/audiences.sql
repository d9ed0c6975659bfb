-- name: audience_size
-- Count the people of a set, those who follow (they have one of the two follow-time tags), and those who are touchable.
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
-- List the first $3 blocks from $2 on in which a set has members.
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
-- Count the people each two of these tags share, each tag with itself too. Block by block, so that nothing larger than
-- the bitmaps of a block is sorted or kept.
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

-- name: freeze_audience
-- Store who is in a set now, block by block, for job $2; return how many they are.
with frozen as (
    insert into frozen_audience (channel_id, job_id, block, members)
    select $1, $2, s.block, s.members
    from (
        select h.block, /* expression */ 0::bit(32000) as members
        from block_head h
        where h.channel_id = $1
        offset 0
    ) s
    where bit_count(s.members) > 0
    returning members
)
select coalesce(sum(bit_count(members)), 0)::int as members from frozen;

-- name: frozen_blocks
-- List the first $4 blocks from $3 on in which a frozen audience has members.
select block, members
from frozen_audience
where channel_id = $1 and job_id = $2 and block >= $3
order by block
limit $4;

-- name: insert_export_chunk
-- Insert a piece of an exported file.
insert into export_chunk (channel_id, job_id, chunk, bytes, content, first_block) values ($1, $2, $3, $4, $5, $6);

-- name: lock_exports
-- Lock the exports of a channel that are being written, or whose files can be downloaded at instant $2; list them.
select job_id from job
where channel_id = $1 and kind = 'AudienceExport'
  and (state in ('QUEUED', 'WAITING', 'RUNNING') or (state = 'DONE' and expires_at > $2))
order by job_id
for update;

-- name: chunks_with_block
-- Return the pieces of exported files that may hold people of block $3.
select c.job_id, c.chunk, c.content
from export_chunk c
where c.channel_id = $1 and c.job_id = any($2::int[])
  and (
    c.first_block is null
    or c.first_block <= $3 and not exists (
        select from export_chunk later
        where later.channel_id = $1 and later.job_id = c.job_id and later.chunk > c.chunk and later.first_block <= $3
    )
  )
order by c.job_id, c.chunk;

-- name: replace_export_chunk
-- Replace a piece of an exported file that has $6 rows less than before, and subtract them from what its job counts.
with replaced as (
    update export_chunk set bytes = $4, content = $5
    where channel_id = $1 and job_id = $2 and chunk = $3
    returning channel_id
)
update job set payload = jsonb_set(payload, '{rows}', to_jsonb((payload ->> 'rows')::int - $6::int))
where channel_id = $1 and job_id = $2 and exists (select from replaced r where r.channel_id = $1);

-- name: export_chunk
-- Return one piece of an exported file.
select content from export_chunk where channel_id = $1 and job_id = $2 and chunk = $3;

-- name: export_size
-- Count the pieces and bytes of an exported file.
select count(*)::int as chunks, coalesce(sum(bytes), 0)::bigint as bytes
from export_chunk
where channel_id = $1 and job_id = $2;

-- name: export_rows
-- Return what an exported file says of these people.
select u.ordinal, u.openid, u.unionid, follows(f.facts) as following,
    nullif(u.followed_at, '-infinity') as followed_at, u.messaged_at,
    nullif(touchable_until(f.facts, w.w), '-infinity') as touchable_until, u.first_seen_at
from channel_user u
cross join lateral (
    select row(
        u.followed_at, u.unfollowed_at, u.messaged_at, u.clicked_at, u.scanned_at, u.paid_at, u.ad_followed_at
    )::facts as facts
) f
cross join current_windows w
where u.channel_id = $1 and u.ordinal = any($2::int[])
order by u.ordinal;

-- name: tag_bits_of_blocks
-- Return the bitmaps of tags in blocks.
select block, tag_id, members from tag_members
where channel_id = $1 and block = any($2::int[]) and tag_id = any($3::int[]);

-- name: drop_frozen_audiences
-- Delete the frozen audiences of finished jobs.
delete from frozen_audience a
using job j
where a.channel_id = $1 and j.channel_id = $1 and j.job_id = a.job_id
  and j.state in ('DONE', 'FAILED', 'CANCELLED');

-- name: drop_leftovers_of_job
-- Delete the frozen audience of job $2, whom it saw at WeChat, and what there is of its file if it failed or was cancelled.
with reading as (
    delete from remote_reading where channel_id = $1 and job_id = $2
), scan as (
    delete from seen_follower where channel_id = $1 and job_id = $2
), file as (
    delete from export_chunk c
    using job j
    where c.channel_id = $1 and c.job_id = $2 and j.channel_id = $1 and j.job_id = $2
      and j.state in ('FAILED', 'CANCELLED')
)
delete from frozen_audience where channel_id = $1 and job_id = $2;

-- name: drop_export_chunks
-- Delete files that expired by instant $2, and pieces of files whose job failed or was cancelled.
delete from export_chunk c
using job j
where c.channel_id = $1 and j.channel_id = $1 and j.job_id = c.job_id
  and (j.expires_at <= $2 or j.state in ('FAILED', 'CANCELLED'));

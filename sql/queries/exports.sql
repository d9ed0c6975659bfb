-- name: freeze_audience
-- Keeps who is in a set now, block by block, for job $2; answers how many they are.
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
-- The first $4 blocks from $3 on in which a frozen audience has anybody.
select block, members
from frozen_audience
where channel_id = $1 and job_id = $2 and block >= $3
order by block
limit $4;

-- name: insert_export_chunk
-- A piece of the file.
insert into export_chunk (channel_id, job_id, chunk, bytes, content) values ($1, $2, $3, $4, $5);

-- name: export_chunk
-- One piece of the file.
select content from export_chunk where channel_id = $1 and job_id = $2 and chunk = $3;

-- name: export_size
-- How many pieces and bytes the file has.
select count(*)::int as chunks, coalesce(sum(bytes), 0)::bigint as bytes
from export_chunk
where channel_id = $1 and job_id = $2;

-- name: export_rows
-- What a file says of these people.
select u.ordinal, u.openid, u.unionid, follows(f.facts) as following, u.followed_at, u.messaged_at,
    touchable_until(f.facts, w.w) as touchable_until, u.first_seen_at
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
-- The bitmaps of some tags in some blocks.
select block, tag_id, members from tag_members where channel_id = $1 and block = any($2::int[]) and tag_id = any($3::int[]);

-- name: drop_frozen_audiences
-- Forgets the frozen audiences of jobs that are finished.
delete from frozen_audience a
using job j
where a.channel_id = $1 and j.channel_id = $1 and j.job_id = a.job_id
  and j.state not in ('QUEUED', 'WAITING', 'RUNNING');

-- name: drop_export_chunks
-- Forgets files that expired by instant $2, and pieces of files that were never finished.
delete from export_chunk c
using job j
where c.channel_id = $1 and j.channel_id = $1 and j.job_id = c.job_id
  and (j.expires_at <= $2 or j.state in ('FAILED', 'CANCELLED'));

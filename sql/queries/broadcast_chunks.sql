-- name: insert_chunk
-- Insert a chunk that is about to be sent.
insert into broadcast_chunk (
    channel_id, job_id, chunk, state, client_id, people, claimed_at, written_at, counted_on, media_id, remote_tag_id
)
values ($1, $2, $3, 'CLAIMED', $4, $5, $6, clock_timestamp(), $7, $8, $9);

-- name: insert_chunk_blocks
-- Insert who is in a chunk, and how many of them were forgotten.
insert into broadcast_chunk_block (channel_id, job_id, chunk, block, members, forgotten)
select $1, $2, $3, n.block, n.members::bit(32000), n.forgotten
from unnest($4::int[], $5::varbit[], $6::int[]) as n (block, members, forgotten);

-- name: chunk
-- Return one chunk.
select * from broadcast_chunk where channel_id = $1 and job_id = $2 and chunk = $3;

-- name: open_chunks
-- List the chunks of a broadcast whose outcome is not known and whose people were not planned again, oldest first.
select * from broadcast_chunk
where channel_id = $1 and job_id = $2 and state in ('CLAIMED', 'UNKNOWN') and replanned_at is null
order by chunk;

-- name: unknown_chunks
-- List the chunks without a known outcome that were claimed less than $3 ago by the clock of the database, and whose people
-- were not planned again, oldest first.
select * from broadcast_chunk
where channel_id = $1 and job_id = $2 and state = 'UNKNOWN' and replanned_at is null
  and written_at > clock_timestamp() - $3::interval
order by chunk;

-- name: refused_chunks
-- List the chunks that were refused with one of the codes $3 and whose people were not planned again.
select * from broadcast_chunk
where channel_id = $1 and job_id = $2 and state = 'REFUSED' and replanned_at is null and errcode = any($3::int[])
order by chunk;

-- name: chunk_blocks
-- Return who is in a chunk, and how many of them were forgotten, by block.
select block, members, forgotten from broadcast_chunk_block
where channel_id = $1 and job_id = $2 and chunk = $3
order by block;

-- name: settle_chunk
-- Record the outcome $4 of a chunk of a locked broadcast, where that is still open, and return the chunk. An answer but
-- SENT says nothing of one that was repeated, unless it is conclusive ($9).
update broadcast_chunk
set state = $4, answered_at = $5, errcode = $6, reason = $7, msg_id = coalesce($8, msg_id)
where channel_id = $1 and job_id = $2 and chunk = $3
  and (state = 'CLAIMED' or state = 'UNKNOWN' and $4 <> 'UNKNOWN' and ($4 = 'SENT' or repeated_at is null or $9))
returning *;

-- name: lock_chunk_not_sent
-- Lock a chunk of which it is known that nothing was sent: one call was made at most, and its people are not planned. A
-- broadcast that is DONE would send to them no more.
select * from broadcast_chunk
where channel_id = $1 and job_id = $2 and chunk = $3 and state in ('CLAIMED', 'UNKNOWN') and repeated_at is null
  and replanned_at is null
  and not exists (select from job j where j.channel_id = $1 and j.job_id = $2 and j.state = 'DONE')
for update;

-- name: delete_chunk
-- Delete a chunk that was not sent.
with blocks as (
    delete from broadcast_chunk_block where channel_id = $1 and job_id = $2 and chunk = $3
)
delete from broadcast_chunk where channel_id = $1 and job_id = $2 and chunk = $3;

-- name: replan_chunk
-- Record that the people of a chunk are planned again, or were cut into other chunks.
update broadcast_chunk set replanned_at = $4
where channel_id = $1 and job_id = $2 and chunk = $3 and replanned_at is null
returning *;

-- name: repeat_chunk
-- Record that somebody sets out to call again with the id of a chunk without a known outcome.
update broadcast_chunk set repeated_at = $4 where channel_id = $1 and job_id = $2 and chunk = $3;

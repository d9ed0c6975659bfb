-- name: broadcast
-- Return one broadcast.
select * from broadcast where channel_id = $1 and job_id = $2;

-- name: lock_broadcast
-- Lock a broadcast until the transaction ends, and return it.
select * from broadcast where channel_id = $1 and job_id = $2 for update;

-- name: broadcast
-- Return one broadcast.
select * from broadcast where channel_id = $1 and job_id = $2;

-- name: lock_broadcast
-- Lock a broadcast until the transaction ends, and return it.
select * from broadcast where channel_id = $1 and job_id = $2 for update;

-- name: insert_broadcast
-- Insert what a job of the same number sends.
insert into broadcast (
    channel_id, job_id, kind, name, message, message_hash, audience, audience_text, token, idempotency_key,
    request_hash, start_at, hold_out_percent, once_only, confirm_duplicate, confirm_late, ignore_caps,
    ignore_quiet_hours, temporary_tag, repeat, repeat_of, run_at, next_run_at, approved_by, approved_at,
    approved_for, waiting_for
)
values (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
    $24, $25, $26, $27
);

-- name: broadcast_with_key
-- Return the broadcast of a channel that was asked for with an idempotency key.
select * from broadcast where channel_id = $1 and idempotency_key = $2;

-- name: broadcasts_by_id
-- Return broadcasts of a channel by their numbers.
select * from broadcast where channel_id = $1 and job_id = any($2::int[]);

-- name: broadcast_ids_page
-- List the numbers of broadcasts older than number $2, newest first.
select job_id from broadcast where channel_id = $1 and job_id < $2 order by job_id desc limit $3;

-- name: lock_broadcasts
-- Lock broadcasts until the transaction ends.
select from broadcast where channel_id = $1 and job_id = any($2::int[]) order by job_id for update;

-- name: run_ids_page
-- List the numbers of the runs of a series older than number $3, newest first.
select job_id from broadcast where channel_id = $1 and repeat_of = $2 and job_id < $3 order by job_id desc limit $4;

-- name: broadcasts_with_lost_calls
-- List the broadcasts of all channels with messages that were claimed by instant $1 and of which nothing is known.
select channel_id, job_id from broadcast_chunk where state = 'CLAIMED' and claimed_at <= $1
union
select channel_id, job_id from broadcast_send where state = 'CLAIMED' and claimed_at <= $1
order by channel_id, job_id;

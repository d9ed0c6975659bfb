-- name: allocate_job_id
-- The next number of a job, under the lock of the channel.
update channel_state set next_job_id = next_job_id + 1 where channel_id = $1 returning next_job_id - 1 as job_id;

-- name: insert_job
-- A new job, for any worker to take up.
insert into job (channel_id, job_id, kind, state, total, created_at, created_by, resumes_at, payload)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
returning *;

-- name: job
-- One job.
select * from job where channel_id = $1 and job_id = $2;

-- name: jobs_by_id
-- Some jobs of a channel.
select * from job where channel_id = $1 and job_id = any($2::int[]);

-- name: jobs_page
-- Jobs of some kinds older than number $3, newest first.
select * from job
where channel_id = $1 and kind = any($2::text[]) and job_id < $3
order by job_id desc
limit $4;

-- name: count_unfinished_jobs
-- How many jobs of a kind are not finished.
select count(*)::int from job where channel_id = $1 and kind = $2 and state in ('QUEUED', 'WAITING', 'RUNNING');

-- name: unfinished_jobs
-- Jobs of every channel that somebody should take up at instant $1: never begun, due again, or left by a worker that died.
select channel_id, job_id, claim
from job
where state in ('QUEUED', 'WAITING', 'RUNNING')
  and (lease_until is null or lease_until <= $1)
  and (resumes_at is null or resumes_at <= $1)
order by channel_id, job_id;

-- name: claim_job
-- Takes a job up, unless it is finished, not due, or somebody else's at instant $3; whoever loses the race finds it taken.
update job
set state = 'RUNNING', claim = claim + 1, lease_until = $4, resumes_at = null, started_at = coalesce(started_at, $3)
where channel_id = $1 and job_id = $2
  and state in ('QUEUED', 'WAITING', 'RUNNING')
  and (lease_until is null or lease_until <= $3)
  and (resumes_at is null or resumes_at <= $3)
returning *;

-- name: write_job
-- How far a job is, if it is still held by claim $3 and was not cancelled.
update job
set state = $4, done = $5, total = $6, payload = $7, error = $8, error_code = $9, finished_at = $10, resumes_at = $11,
    expires_at = $12, lease_until = $13, failures = $14
where channel_id = $1 and job_id = $2 and claim = $3 and state = 'RUNNING'
returning *;

-- name: cancel_job
-- Ends a job that is not finished; whoever works on it notices when the slice is written.
update job
set state = 'CANCELLED', finished_at = $3, lease_until = null, resumes_at = null
where channel_id = $1 and job_id = $2 and state in ('QUEUED', 'WAITING', 'RUNNING')
returning *;

-- name: prune_jobs
-- Forgets jobs of some kinds that finished, and whose results expired, before an instant.
delete from job
where channel_id = $1 and kind = any($2::text[]) and finished_at < $3 and (expires_at is null or expires_at < $3);

-- name: set_job_total
-- How much there is to do, once that is known.
update job set total = $3 where channel_id = $1 and job_id = $2 returning *;

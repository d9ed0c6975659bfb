-- name: allocate_job_id
-- Reserve the number of a new job; locks channel_state.
update channel_state set next_job_id = next_job_id + 1 where channel_id = $1 returning next_job_id - 1 as job_id;

-- name: insert_job
-- Insert a job, for any worker to claim.
insert into job (channel_id, job_id, kind, state, total, created_at, created_by, resumes_at, payload)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
returning *;

-- name: job
-- Return one job.
select * from job where channel_id = $1 and job_id = $2;

-- name: jobs_by_id
-- Return jobs of a channel by their numbers.
select * from job where channel_id = $1 and job_id = any($2::int[]);

-- name: jobs_page
-- List jobs of some kinds older than number $3, newest first.
select * from job
where channel_id = $1 and kind = any($2::text[]) and job_id < $3
order by job_id desc
limit $4;

-- name: count_unfinished_jobs
-- Count the jobs of a kind that are not finished.
select count(*)::int from job
where channel_id = $1 and kind = $2 and state in ('QUEUED', 'WAITING', 'WAITING_FOR_APPROVAL', 'RUNNING', 'PAUSED');

-- name: unfinished_job
-- Return the oldest job of a kind that is not finished.
select * from job
where channel_id = $1 and kind = $2 and state in ('QUEUED', 'WAITING', 'WAITING_FOR_APPROVAL', 'RUNNING', 'PAUSED')
order by job_id
limit 1;

-- name: unfinished_jobs
-- List at most $2 jobs to be claimed at instant $1: new, due again, or left by a worker that died. Of every channel the
-- oldest comes first, then of every channel the next. What waits for somebody's consent is due only if a time is set.
select channel_id, job_id, claim
from (
    select channel_id, job_id, claim, row_number() over (partition by channel_id order by job_id) as turn
    from job
    where state in ('QUEUED', 'WAITING', 'WAITING_FOR_APPROVAL', 'RUNNING')
      and (lease_until is null or lease_until <= $1)
      and (resumes_at <= $1 or resumes_at is null and state <> 'WAITING_FOR_APPROVAL')
) due
order by turn, channel_id
limit $2;

-- name: claim_job
-- Claim a job, unless it is finished, paused, not due, or claimed by another worker at instant $3. Why it waited is over.
update job
set state = 'RUNNING', claim = claim + 1, lease_until = $4, resumes_at = null, started_at = coalesce(started_at, $3),
    error = null
where channel_id = $1 and job_id = $2
  and state in ('QUEUED', 'WAITING', 'WAITING_FOR_APPROVAL', 'RUNNING')
  and (lease_until is null or lease_until <= $3)
  and (resumes_at <= $3 or resumes_at is null and state <> 'WAITING_FOR_APPROVAL')
returning *;

-- name: job_is_held
-- Tell whether a job is held by claim $3.
select state = 'RUNNING' and claim = $3 as held from job where channel_id = $1 and job_id = $2;

-- name: renew_lease
-- Hold a job longer, where claim $3 holds it still.
update job set lease_until = greatest(lease_until, $4)
where channel_id = $1 and job_id = $2 and claim = $3 and state = 'RUNNING';

-- name: lock_job
-- Lock a job until the transaction ends, and return it.
select * from job where channel_id = $1 and job_id = $2 for update;

-- name: write_job
-- Save the progress of a job that is still held by claim $3 and was not cancelled; who follows is told if it is finished.
with finished as (
    update job
    set state = $4, done = $5, total = $6, payload = $7, error = $8, error_code = $9, finished_at = $10,
        resumes_at = $11, expires_at = $12, lease_until = $13, failures = $14
    where channel_id = $1 and job_id = $2 and claim = $3 and state = 'RUNNING'
    returning *
),
told as (
    insert into feed_notice (channel_id, notice_id, at, job_id, job_kind, job_state)
    select $1, $15::bigint # j.job_id, j.finished_at, j.job_id, j.kind, j.state
    from finished j
    where j.finished_at is not null and j.kind in ('Broadcast', 'OfficialAccountSync', 'FollowerImport', 'RemoteTagImport')
      and not coalesce((j.payload ->> 'dry_run')::boolean, false)
      and exists (select from feed f where f.channel_id = $1)
)
select * from finished;

-- name: end_waiting
-- Let the jobs of a channel that wait for WeChat be claimed at instant $2, and return them. Broadcasts that wait for
-- their time, or for a tag, go on waiting.
update job j
set resumes_at = $2
where j.channel_id = $1 and j.state in ('WAITING', 'WAITING_FOR_APPROVAL') and j.resumes_at > $2
  and not exists (
      select from broadcast b
      where b.channel_id = $1 and b.job_id = j.job_id
        and b.waiting_for in ('START_TIME', 'QUIET_HOURS', 'HOLIDAY', 'OPERAND')
  )
returning *;

-- name: cancel_job
-- Cancel a job that is not finished; its worker notices when it saves its progress. Who follows is told.
with finished as (
    update job
    set state = 'CANCELLED', finished_at = $3, lease_until = null, resumes_at = null
    where channel_id = $1 and job_id = $2
      and state in ('QUEUED', 'WAITING', 'WAITING_FOR_APPROVAL', 'RUNNING', 'PAUSED')
    returning *
),
told as (
    insert into feed_notice (channel_id, notice_id, at, job_id, job_kind, job_state)
    select $1, $4::bigint # j.job_id, j.finished_at, j.job_id, j.kind, j.state
    from finished j
    where j.finished_at is not null and j.kind in ('Broadcast', 'OfficialAccountSync', 'FollowerImport', 'RemoteTagImport')
      and not coalesce((j.payload ->> 'dry_run')::boolean, false)
      and exists (select from feed f where f.channel_id = $1)
)
select * from finished;

-- name: prune_jobs
-- Delete jobs of some kinds that finished, and whose results expired, before an instant.
delete from job
where channel_id = $1 and kind = any($2::text[]) and finished_at < $3 and (expires_at is null or expires_at < $3);

-- name: set_job_total
-- Record how much there is to do, once that is known.
update job set total = $3 where channel_id = $1 and job_id = $2 returning *;

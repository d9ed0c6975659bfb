-- name: set_broadcast_state
-- Put the job of a locked broadcast into another state, in which no worker holds it, and return it; who follows is told
-- if it is finished.
with finished as (
    update job set state = $3, error = null, error_code = null, finished_at = $4, lease_until = null, resumes_at = null
    where channel_id = $1 and job_id = $2
    returning *
),
told as (
    insert into feed_notice (channel_id, notice_id, at, job_id, job_kind, job_state)
    select $1, $5::bigint # j.job_id, j.finished_at, j.job_id, j.kind, j.state
    from finished j
    where j.finished_at is not null and j.kind in ('Broadcast', 'OfficialAccountSync', 'FollowerImport', 'RemoteTagImport')
      and not coalesce((j.payload ->> 'dry_run')::boolean, false)
      and exists (select from feed f where f.channel_id = $1)
)
select * from finished;

-- name: end_settling
-- Let a broadcast be claimed at instant $3 that waits though nobody is planned or uncertain any more, and return its job.
update job j
set resumes_at = $3
where j.channel_id = $1 and j.job_id = $2 and j.state in ('WAITING', 'WAITING_FOR_APPROVAL') and j.resumes_at > $3
  and exists (
      select from broadcast b
      where b.channel_id = $1 and b.job_id = $2 and b.frozen_at is not null and b.planned = 0 and b.uncertain = 0
        and b.waiting_for in ('RATE', 'QUOTA', 'CONFIGURATION', 'WECHAT_ADMIN')
  )
returning *;

-- name: confirm_start
-- Record what somebody has confirmed of a broadcast: that it may start late, or send what was sent alike lately.
update broadcast
set confirm_late = confirm_late or $3, confirm_duplicate = confirm_duplicate or $4
where channel_id = $1 and job_id = $2;

-- name: approve_broadcast
-- Record who has approved a broadcast, when, and for how many people.
update broadcast set approved_by = $3, approved_at = $4, approved_for = $5 where channel_id = $1 and job_id = $2;

-- name: end_series
-- Let a series have no further runs.
update broadcast set next_run_at = null where channel_id = $1 and job_id = $2;

-- name: unfinished_runs
-- List the runs of a series that are not finished.
select b.job_id
from broadcast b
join job j on j.channel_id = $1 and j.job_id = b.job_id
where b.channel_id = $1 and b.repeat_of = $2
  and j.state in ('QUEUED', 'WAITING', 'WAITING_FOR_APPROVAL', 'RUNNING', 'PAUSED')
order by b.job_id;

-- name: end_broadcasts
-- End every broadcast and series of a channel that is not finished, and list them; who follows is told.
with finished as (
    update job
    set state = $2, error = $3, error_code = $4, finished_at = $5, lease_until = null, resumes_at = null
    where channel_id = $1 and kind = 'Broadcast'
      and state in ('QUEUED', 'WAITING', 'WAITING_FOR_APPROVAL', 'RUNNING', 'PAUSED')
    returning *
),
told as (
    insert into feed_notice (channel_id, notice_id, at, job_id, job_kind, job_state)
    select $1, $6::bigint # j.job_id, j.finished_at, j.job_id, j.kind, j.state
    from finished j
    where j.finished_at is not null and j.kind in ('Broadcast', 'OfficialAccountSync', 'FollowerImport', 'RemoteTagImport')
      and not coalesce((j.payload ->> 'dry_run')::boolean, false)
      and exists (select from feed f where f.channel_id = $1)
)
update broadcast
set waiting_for = null, next_run_at = null
where channel_id = $1 and (job_id in (select job_id from finished) or next_run_at is not null)
returning job_id;

-- name: pause_broadcasts
-- Pause every broadcast of a channel that is not finished, whatever it waits for, and list them.
with paused as (
    update job
    set state = 'PAUSED', lease_until = null, resumes_at = null
    where channel_id = $1 and kind = 'Broadcast' and state in ('QUEUED', 'WAITING', 'WAITING_FOR_APPROVAL', 'RUNNING')
    returning job_id
)
update broadcast
set waiting_for = 'OPERATOR'
where channel_id = $1 and job_id in (select job_id from paused)
returning job_id;

-- name: unapproved_broadcasts
-- List the broadcasts of all channels that nobody has approved since before they were to start at $1.
select j.channel_id, j.job_id
from job j
join broadcast b on b.channel_id = j.channel_id and b.job_id = j.job_id
where j.state = 'WAITING_FOR_APPROVAL' and b.waiting_for = 'SECOND_ADMIN' and b.start_at <= $1
order by j.channel_id, j.job_id;

-- name: broadcasts_not_started
-- List the broadcasts of a channel that are unfinished and whose audience is not frozen, and the series that go on, with
-- their audiences.
select b.job_id, b.audience
from broadcast b
join job j on j.channel_id = $1 and j.job_id = b.job_id
where b.channel_id = $1 and j.state not in ('FAILED', 'CANCELLED')
  and (b.next_run_at is not null or (b.frozen_at is null and j.state <> 'DONE'))
order by b.job_id;

-- name: channels_with_unfinished_broadcasts
-- List the channels of which broadcasts may go on by themselves.
select distinct channel_id from job
where kind = 'Broadcast' and state in ('QUEUED', 'WAITING', 'WAITING_FOR_APPROVAL', 'RUNNING')
order by channel_id;

-- name: change_broadcast
-- Change what a locked broadcast that has not started sends, to whom and when; nobody has approved that.
update broadcast
set name = $3, message = $4, kind = $5, message_hash = $6, audience = $7, audience_text = $8, start_at = $9,
    hold_out_percent = $10, repeat = $11, next_run_at = $12, confirm_duplicate = $13, confirm_late = $14, waiting_for = $15,
    changed_by = $16, approved_by = null, approved_at = null, approved_for = null
where channel_id = $1 and job_id = $2;

-- name: add_to_job_payload
-- Add to what is to be done by the job of a locked broadcast.
update job set payload = payload || $3::jsonb where channel_id = $1 and job_id = $2 returning *;

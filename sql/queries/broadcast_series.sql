-- name: due_series
-- List at most $2 series that have a run due at instant $1, of all channels, the longest due first.
select channel_id, job_id from broadcast where next_run_at <= $1 order by next_run_at limit $2;

-- name: series_so_far
-- Tell of a series, the broadcast itself and its runs: whether one is stopped or waits for consent, or the series has yet
-- to start itself, how many people it has reached or is to reach, and whether there is a run for instant $3 already.
select coalesce(
        bool_or(
            j.state in ('PAUSED', 'WAITING_FOR_APPROVAL')
            or (b.job_id = $2 and b.frozen_at is null and j.state in ('QUEUED', 'WAITING', 'RUNNING'))
        ),
        false
    ) as halted,
    coalesce(sum(b.planned + b.sent + b.uncertain), 0)::int as people,
    coalesce(bool_or(b.repeat_of = $2 and b.run_at = $3), false) as has_run
from broadcast b
join job j on j.channel_id = $1 and j.job_id = b.job_id
where b.channel_id = $1 and (b.job_id = $2 or b.repeat_of = $2);

-- name: set_next_run
-- Record when a series runs next; null when it does not any more.
update broadcast set next_run_at = $3 where channel_id = $1 and job_id = $2;

-- name: skip_run
-- Cancel the new job of a run that is skipped, and say why; who follows is told.
with finished as (
    update job set state = 'CANCELLED', finished_at = $3, error = $4
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
select job_id from finished;

-- name: lock_running_series
-- Lock the series of a channel that have further runs, and list them.
select job_id, repeat, start_at, next_run_at
from broadcast
where channel_id = $1 and next_run_at is not null
order by job_id
for update;

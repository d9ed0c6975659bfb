-- name: broadcast_policy
-- Read the policy of a channel; one that never needed one of its own has none.
select * from broadcast_policy where channel_id = $1;

-- name: insert_broadcast_policy
-- Store the policy of a channel that has none.
insert into broadcast_policy (
    channel_id, time_zone, quiet_from, quiet_to, respect_holidays, per_person_per_day, rolling_messages, rolling_days,
    approval_above, missed_start_after, duplicate_within, hold_out_key
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (channel_id) do nothing;

-- name: lock_broadcast_policy
-- Lock the policy of a channel until the transaction ends, and return it.
select * from broadcast_policy where channel_id = $1 for update;

-- name: save_broadcast_policy
-- Change the policy of a channel, but not the key that decides who is held out.
update broadcast_policy
set time_zone = $2, quiet_from = $3, quiet_to = $4, respect_holidays = $5, per_person_per_day = $6,
    rolling_messages = $7, rolling_days = $8, approval_above = $9, missed_start_after = $10, duplicate_within = $11
where channel_id = $1;

-- name: wake_broadcasts_outside_hours
-- Let broadcasts of a channel that wait for quiet hours or holidays to end look again at what holds now.
update job j
set resumes_at = $2
from broadcast b
where j.channel_id = $1 and j.kind = 'Broadcast' and j.state = 'WAITING'
  and b.channel_id = $1 and b.job_id = j.job_id and b.waiting_for in ('QUIET_HOURS', 'HOLIDAY');

-- name: halted_broadcasts
-- Count the broadcasts of all channels that somebody has to look at, by why, and say when the first of each was to start.
select coalesce(b.waiting_for, 'OPERATOR') as waiting_for, count(*)::int as broadcasts, min(b.start_at) as first_start
from job j
join broadcast b on b.channel_id = j.channel_id and b.job_id = j.job_id
where j.state in ('WAITING_FOR_APPROVAL', 'PAUSED')
group by 1;

-- name: count_uncertain_broadcasts
-- Count the broadcasts of all channels with uncertain people that nobody works on, of those that did not end before $1.
select count(*)::int as broadcasts
from broadcast b
join job j on j.channel_id = b.channel_id and j.job_id = b.job_id
where b.uncertain > 0 and j.state <> 'RUNNING' and (j.finished_at is null or j.finished_at >= $1);

-- name: broadcasts_that_do_not_close
-- List at most $2 broadcasts of all channels that did not end before $1 and whose counts are not those of their people.
select b.channel_id, b.job_id
from broadcast b
join job j on j.channel_id = b.channel_id and j.job_id = b.job_id
cross join lateral (
    select coalesce(sum(bit_count(p.members) + p.forgotten) filter (where p.role = 'FROZEN'), 0) as frozen,
        coalesce(sum(bit_count(p.members) + p.forgotten) filter (where p.role = 'PLANNED'), 0) as planned,
        coalesce(sum(bit_count(p.members) + p.forgotten) filter (where p.role = 'TAKEN'), 0) as taken,
        coalesce(sum(bit_count(p.members) + p.forgotten) filter (where p.role ~ '^(HELD|UNSENDABLE):'), 0) as left_out
    from broadcast_people p
    where p.channel_id = b.channel_id and p.job_id = b.job_id
) people
where b.frozen_at is not null and (j.finished_at is null or j.finished_at >= $1)
  and (b.matched, b.matched, b.planned, b.sent + b.uncertain)
      <> (people.frozen, b.planned + b.sent + b.failed + b.uncertain + people.left_out, people.planned, people.taken)
order by b.channel_id, b.job_id
limit $2;

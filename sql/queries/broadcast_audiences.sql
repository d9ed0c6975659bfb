-- name: receivable_broadcasts
-- List those of these broadcasts that are unfinished, or finished after instant $3.
select b.job_id, b.name, b.start_at
from broadcast b
join job j on j.channel_id = b.channel_id and j.job_id = b.job_id
where b.channel_id = $1 and b.job_id = any($2::int[]) and (j.finished_at is null or j.finished_at > $3);

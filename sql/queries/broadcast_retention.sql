-- name: outdated_broadcasts
-- List the broadcasts that ended before instant $2. Series are kept as long as they go on, and as long as one of their
-- runs is; runs as long as their series goes on, since nobody of them gets it again.
select j.job_id
from job j
join broadcast b on b.channel_id = $1 and b.job_id = j.job_id
left join broadcast s on s.channel_id = $1 and s.job_id = b.repeat_of
where j.channel_id = $1 and j.kind = 'Broadcast' and j.finished_at < $2
  and b.next_run_at is null and s.next_run_at is null
  and not exists (select from broadcast r where r.channel_id = $1 and r.repeat_of = j.job_id)
order by j.job_id desc;

-- name: delete_sends_of_broadcast
-- Delete at most $3 messages of a broadcast, and return how many were deleted.
with gone as (
    delete from broadcast_send s
    using (
        select ordinal, attempt from broadcast_send
        where channel_id = $1 and job_id = $2
        order by ordinal, attempt
        limit $3
    ) n
    where s.channel_id = $1 and s.job_id = $2 and s.ordinal = n.ordinal and s.attempt = n.attempt
    returning 1
)
select count(*)::int from gone;

-- name: delete_broadcast
-- Delete a broadcast of which no message is left, with its job and everybody in it.
with blocks as (
    delete from broadcast_chunk_block where channel_id = $1 and job_id = $2
), chunks as (
    delete from broadcast_chunk where channel_id = $1 and job_id = $2
), people as (
    delete from broadcast_people where channel_id = $1 and job_id = $2
), failures as (
    delete from broadcast_failure where channel_id = $1 and job_id = $2
), articles as (
    delete from broadcast_article where channel_id = $1 and job_id = $2
), drafts as (
    delete from broadcast_draft where channel_id = $1 and job_id = $2
), remote_tags as (
    delete from broadcast_remote_tag where channel_id = $1 and job_id = $2
), sending as (
    delete from broadcast where channel_id = $1 and job_id = $2
)
delete from job where channel_id = $1 and job_id = $2;

-- name: insert_push_results
-- Keep results that were pushed, each once.
insert into push_result (channel_id, event, msg_id, ordinal, result, received_at)
select $1, n.event, n.msg_id, n.ordinal, n.result, $6
from unnest($2::text[], $3::text[], $4::int[], $5::jsonb[]) as n (event, msg_id, ordinal, result)
on conflict do nothing;

-- name: unmatched_push_results
-- List at most $3 results that came after $2 and belong to no message so far, the newest first.
select event, msg_id, ordinal, result from push_result
where channel_id = $1 and received_at > $2 and matched_at is null
order by received_at desc
limit $3;

-- name: push_results_of_messages
-- List the results of messages with these ids that belong to none so far.
select event, msg_id, ordinal, result from push_result
where channel_id = $1 and event = $2 and msg_id = any($3::text[]) and matched_at is null;

-- name: channels_with_unmatched_push_results
-- List the channels with results that came after $1 and belong to no message so far.
select distinct channel_id from push_result where matched_at is null and received_at > $1;

-- name: match_push_results
-- Record that results belong to messages; return those of which that was not recorded before.
update push_result p set matched_at = $4
from unnest($2::text[], $3::text[]) as n (event, msg_id)
where p.channel_id = $1 and p.event = n.event and p.msg_id = n.msg_id and p.matched_at is null
returning p.event, p.msg_id;

-- name: prune_push_results
-- Delete the results that came before an instant.
delete from push_result where channel_id = $1 and received_at < $2;

-- name: chunks_of_messages
-- Find the chunks that WeChat knows by these ids.
select msg_id, job_id, chunk from broadcast_chunk where channel_id = $1 and msg_id = any($2::text[]);

-- name: sends_of_messages
-- Find the messages to one person that WeChat knows by these ids, of these kinds.
select msg_id, job_id, ordinal, attempt from broadcast_send
where channel_id = $1 and msg_id = any($2::text[]) and kind = any($3::text[]);

-- name: chunk_of_result
-- Find the chunk without a known outcome that a result to $2 people is about, of those claimed between two instants: it is
-- the only one of this size that it can be about. Calls of those claimed before $5 are over, whoever made them.
select min(job_id) as job_id, min(chunk) as chunk from broadcast_chunk
where channel_id = $1 and people = $2 and claimed_at between $3 and $4 and msg_id is null and state <> 'REFUSED'
having count(*) = 1 and (min(state) = 'UNKNOWN' or min(state) = 'CLAIMED' and min(claimed_at) < $5);

-- name: sends_of_results
-- Find the template messages without a known outcome that results to people are about, each claimed at most $5 before and
-- $6 after the result: each the only one to that person that it can be about. Calls of those claimed before $7 are over.
select n.msg_id, s.job_id, s.ordinal, s.attempt
from unnest($2::text[], $3::int[], $4::timestamptz[]) as n (msg_id, ordinal, at)
cross join lateral (
    select min(f.job_id) as job_id, min(f.ordinal) as ordinal, min(f.attempt) as attempt
    from broadcast_send f
    where f.channel_id = $1 and f.ordinal = n.ordinal and f.kind = 'TEMPLATE'
      and f.claimed_at between n.at - $5::interval and n.at + $6::interval
      and f.msg_id is null and f.state <> 'REFUSED'
    having count(*) = 1 and (min(f.state) = 'UNKNOWN' or min(f.state) = 'CLAIMED' and min(f.claimed_at) < $7)
) s;

-- name: write_chunk_result
-- Record the result of a chunk of a locked broadcast, and return to how many it was delivered as was known before.
update broadcast_chunk c
set status = $4, total_count = $5, filter_count = $6, sent_count = $7, error_count = $8, status_at = $9
from broadcast_chunk o
where c.channel_id = $1 and c.job_id = $2 and c.chunk = $3
  and o.channel_id = $1 and o.job_id = $2 and o.chunk = $3
returning coalesce(o.sent_count, 0) as known_before;

-- name: write_chunk_status
-- Record what WeChat answered about a chunk of a locked broadcast of which no result came, and return the chunk's number.
update broadcast_chunk
set status = $4, sent_count = $5, status_at = $6
where channel_id = $1 and job_id = $2 and chunk = $3 and status is null
returning chunk;

-- name: write_send_results
-- Record the results of messages of a locked broadcast to one person each.
update broadcast_send s
set status = n.status, delivered = n.delivered
from unnest($3::int[], $4::int[], $5::text[], $6::boolean[]) as n (ordinal, attempt, status, delivered)
where s.channel_id = $1 and s.job_id = $2 and s.ordinal = n.ordinal and s.attempt = n.attempt;

-- name: add_delivered
-- Count to how many more the messages of a locked broadcast were delivered.
update broadcast set delivered = coalesce(delivered, 0) + $3 where channel_id = $1 and job_id = $2;

-- name: channels_with_overdue_results
-- List the channels with chunks that were sent between $1 and $2, have no result and were not asked about since $3.
select distinct channel_id from broadcast_chunk
where state = 'SENT' and msg_id is not null and status is null
  and answered_at between $1 and $2 and (asked_at is null or asked_at < $3);

-- name: ask_about_chunks
-- Set out to ask about at most $5 chunks that were sent between $2 and $3, have no result and were not asked about since
-- $4: first those that were asked about the longest ago.
update broadcast_chunk c set asked_at = $6
from (
    select job_id, chunk from broadcast_chunk
    where channel_id = $1 and state = 'SENT' and msg_id is not null and status is null
      and answered_at between $2 and $3 and (asked_at is null or asked_at < $4)
    order by asked_at nulls first, answered_at
    limit $5
) o
where c.channel_id = $1 and c.job_id = o.job_id and c.chunk = o.chunk and (c.asked_at is null or c.asked_at < $4)
returning c.job_id, c.chunk, c.msg_id;

-- name: save_consents
-- Record whom people allow messages of templates and whom not; the last time of each counts.
insert into template_consent as t (channel_id, template_id, ordinal, accepted_at, rejected_at)
select $1, n.template_id, n.ordinal, max(n.at) filter (where n.accepted), max(n.at) filter (where not n.accepted)
from unnest($2::text[], $3::int[], $4::boolean[], $5::timestamptz[]) as n (template_id, ordinal, accepted, at)
group by n.template_id, n.ordinal
order by n.template_id, n.ordinal
on conflict (channel_id, template_id, ordinal) do update
set accepted_at = greatest(t.accepted_at, excluded.accepted_at),
    rejected_at = greatest(t.rejected_at, excluded.rejected_at);

-- name: claim_sends
-- Insert a message to each of these people, about to be sent, with ids that begin with $5, and return them.
insert into broadcast_send (
    channel_id, job_id, ordinal, attempt, kind, state, client_id, claimed_at, written_at, counted_on
)
select $1, $2, n.ordinal, n.attempt, $4, 'CLAIMED', $5 || '-' || n.ordinal || '-' || n.attempt, $6, clock_timestamp(), $7
from (
    select o as ordinal, (
        select coalesce(max(s.attempt), 0) + 1 from broadcast_send s
        where s.channel_id = $1 and s.job_id = $2 and s.ordinal = o
    ) as attempt
    from unnest($3::int[]) o
) n
returning ordinal, attempt, client_id;

-- name: settle_sends
-- Record the outcomes of messages of a locked broadcast, where those are still open, and return these messages. An
-- answer but SENT says nothing of one that was repeated, unless it is conclusive ($9).
update broadcast_send s
set state = n.state, answered_at = $8, errcode = n.errcode, msg_id = coalesce(n.msg_id, s.msg_id)
from unnest($3::int[], $4::int[], $5::text[], $6::int[], $7::text[]) as n (ordinal, attempt, state, errcode, msg_id)
where s.channel_id = $1 and s.job_id = $2 and s.ordinal = n.ordinal and s.attempt = n.attempt
  and (
      s.state = 'CLAIMED'
      or s.state = 'UNKNOWN' and n.state <> 'UNKNOWN' and (n.state = 'SENT' or s.repeated_at is null or $9)
  )
returning s.*;

-- name: delete_sends_not_sent
-- Delete messages of the claim at instant $5 of which it is known that they were not sent: one call was made at most;
-- return them. A broadcast that is DONE would send to these people no more.
delete from broadcast_send s
using unnest($3::int[], $4::int[]) as n (ordinal, attempt)
where s.channel_id = $1 and s.job_id = $2 and s.ordinal = n.ordinal and s.attempt = n.attempt
  and s.claimed_at = $5 and s.state in ('CLAIMED', 'UNKNOWN') and s.repeated_at is null and s.replanned_at is null
  and not exists (select from job j where j.channel_id = $1 and j.job_id = $2 and j.state = 'DONE')
returning s.*;

-- name: unknown_sends
-- List messages that were claimed after $3, and less than $5 ago by the clock of the database, and have no known outcome,
-- to people who were not planned again or forgotten; first those that were called with again the longest ago.
select * from broadcast_send
where channel_id = $1 and job_id = $2 and state = 'UNKNOWN' and replanned_at is null and claimed_at > $3
  and written_at > clock_timestamp() - $5::interval and ordinal >= 0
order by repeated_at nulls first, claimed_at, ordinal
limit $4;

-- name: sends_in_state
-- List the next $6 messages after ordinal $5 that are in a state, if REFUSED with one of the codes $4, to people who were
-- not planned again.
select * from broadcast_send
where channel_id = $1 and job_id = $2 and state = $3 and replanned_at is null
  and ($4::int[] is null or errcode = any($4::int[])) and ordinal > $5
order by ordinal
limit $6;

-- name: replan_sends
-- Record that the people of messages are planned again, and return these messages.
update broadcast_send s set replanned_at = $5
from unnest($3::int[], $4::int[]) as n (ordinal, attempt)
where s.channel_id = $1 and s.job_id = $2 and s.ordinal = n.ordinal and s.attempt = n.attempt and s.replanned_at is null
returning s.*;

-- name: count_sends_again
-- Record that the people of messages are no longer planned again, since those messages were sent.
update broadcast_send s set replanned_at = null
from unnest($3::int[], $4::int[]) as n (ordinal, attempt)
where s.channel_id = $1 and s.job_id = $2 and s.ordinal = n.ordinal and s.attempt = n.attempt;

-- name: repeat_sends
-- Record that somebody sets out to call again with the ids of messages without a known outcome.
update broadcast_send s set repeated_at = $5
from unnest($3::int[], $4::int[]) as n (ordinal, attempt)
where s.channel_id = $1 and s.job_id = $2 and s.ordinal = n.ordinal and s.attempt = n.attempt;

-- name: use_consents
-- Record that people were sent the message of a template that they had allowed.
update template_consent set sent_at = greatest(sent_at, $4)
where channel_id = $1 and template_id = $2 and ordinal = any($3::int[]);

-- name: give_back_consents
-- Let people be sent a message of a template that was claimed at instant $4 and not sent: they had allowed it then, so it
-- does not matter when they were sent one before.
update template_consent set sent_at = null
where channel_id = $1 and template_id = $2 and ordinal = any($3::int[]) and sent_at = $4;

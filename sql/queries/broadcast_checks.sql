-- name: frozen_broadcasts
-- List the broadcasts of a channel whose audience is frozen.
select job_id from broadcast where channel_id = $1 and frozen_at is not null order by job_id;

-- name: people_of_all_roles
-- Return who is in which role of a broadcast, and how many were forgotten, by block.
select role, block, members, forgotten from broadcast_people where channel_id = $1 and job_id = $2;

-- name: chunk_sums
-- Count the people of a broadcast's chunks that count, by state and code.
select state, errcode, sum(people)::int as people
from broadcast_chunk
where channel_id = $1 and job_id = $2 and replanned_at is null
group by state, errcode;

-- name: miscounted_chunks
-- List the chunks of a broadcast whose count is not that of their people.
select c.chunk
from broadcast_chunk c
where c.channel_id = $1 and c.job_id = $2 and c.people <> (
    select coalesce(sum(bit_count(m.members) + m.forgotten), 0)
    from broadcast_chunk_block m
    where m.channel_id = $1 and m.job_id = $2 and m.chunk = c.chunk
);

-- name: people_of_chunks
-- Return who is in the chunks of a broadcast that count, by block: those refused, and all others.
select m.block, c.state = 'REFUSED' as refused, bit_or(m.members) as members,
    sum(bit_count(m.members))::int as named, sum(m.forgotten)::int as forgotten
from broadcast_chunk c
join broadcast_chunk_block m on m.channel_id = $1 and m.job_id = $2 and m.chunk = c.chunk
where c.channel_id = $1 and c.job_id = $2 and c.replanned_at is null
group by m.block, c.state = 'REFUSED';

-- name: send_sums
-- Count the messages of a broadcast that count, by state and code.
select state, errcode, count(*)::int as people
from broadcast_send
where channel_id = $1 and job_id = $2 and replanned_at is null
group by state, errcode;

-- name: people_of_sends
-- List to whom the messages of a broadcast that count are: those refused, and all others.
select ordinal, state = 'REFUSED' as refused
from broadcast_send
where channel_id = $1 and job_id = $2 and replanned_at is null;

-- name: failures_of_broadcast
-- List how many were refused with each code.
select errcode, people from broadcast_failure where channel_id = $1 and job_id = $2;

-- name: delivered_of_broadcast
-- Count to how many the messages of a broadcast were delivered; null where no result told it.
select sum(t.delivered)::int
from (
    select sent_count as delivered from broadcast_chunk
    where channel_id = $1 and job_id = $2 and sent_count is not null
    union all
    select delivered::int from broadcast_send
    where channel_id = $1 and job_id = $2 and delivered is not null
) t;

-- name: correct_broadcast_counts
-- Correct the counts of a broadcast.
update broadcast set planned = $3, sent = $4, failed = $5, uncertain = $6, delivered = $7
where channel_id = $1 and job_id = $2;

-- name: correct_failures
-- Correct how many were refused with each code.
with wrong as (
    delete from broadcast_failure where channel_id = $1 and job_id = $2 and errcode <> all($3::int[])
)
insert into broadcast_failure as f (channel_id, job_id, errcode, reason, people)
select $1, $2, n.errcode, $5, n.people from unnest($3::int[], $4::int[]) as n (errcode, people)
on conflict (channel_id, job_id, errcode) do update set people = excluded.people;

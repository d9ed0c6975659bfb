-- name: broadcasts_about
-- List the broadcasts that have somebody of bitmap $3 of a block in their audience.
select job_id from broadcast_people
where channel_id = $1 and block = $2 and role = 'FROZEN' and bit_count(members & $3::bit(32000)) > 0
order by job_id;

-- name: forget_planned
-- Take people of bitmap $3 of a block out of those who are planned; they count as held.
with gone as (
    update broadcast_people p
    set members = p.members & ~$3::bit(32000)
    from broadcast_people o
    where p.channel_id = $1 and p.job_id = any($4::int[]) and p.role = 'PLANNED' and p.block = $2
      and o.channel_id = $1 and o.job_id = p.job_id and o.role = 'PLANNED' and o.block = $2
      and bit_count(o.members & $3::bit(32000)) > 0
    returning p.job_id, bit_count(o.members & $3::bit(32000))::int as people
), counted as (
    update broadcast b set planned = b.planned - g.people from gone g where b.channel_id = $1 and b.job_id = g.job_id
)
insert into broadcast_people as h (channel_id, job_id, role, block, members, forgotten)
select $1, job_id, $5, $2, 0::bit(32000), people from gone
on conflict (channel_id, job_id, role, block) do update set forgotten = h.forgotten + excluded.forgotten;

-- name: forget_people
-- Count people of bitmap $3 of a block by their number only, in each role that they have, but for roles $5.
update broadcast_people
set forgotten = forgotten + bit_count(members & $3::bit(32000))::int, members = members & ~$3::bit(32000)
where channel_id = $1 and job_id = any($4::int[]) and block = $2 and role <> all($5::text[])
  and bit_count(members & $3::bit(32000)) > 0;

-- name: forget_chunk_people
-- Count people of bitmap $3 of a block by their number only in the chunks that they are in.
update broadcast_chunk_block
set forgotten = forgotten + bit_count(members & $3::bit(32000))::int, members = members & ~$3::bit(32000)
where channel_id = $1 and job_id = any($4::int[]) and block = $2 and bit_count(members & $3::bit(32000)) > 0;

-- name: forget_sends
-- Leave of messages to people only what became of them, under negative numbers that nobody has. Of one that is under way
-- that will not be known.
update broadcast_send s
set ordinal = n.lowest - n.rank, client_id = '', msg_id = null,
    state = case s.state when 'CLAIMED' then 'UNKNOWN' else s.state end
from (
    select f.job_id, f.ordinal, f.attempt, dense_rank() over (partition by f.job_id order by f.ordinal)::int as rank,
        coalesce(
            (select min(b.ordinal) from broadcast_send b where b.channel_id = $1 and b.job_id = f.job_id and b.ordinal < 0),
            0
        ) as lowest
    from broadcast_send f
    where f.channel_id = $1 and f.job_id = any($2::int[]) and f.ordinal = any($3::int[])
) n
where s.channel_id = $1 and s.job_id = n.job_id and s.ordinal = n.ordinal and s.attempt = n.attempt;

-- name: forget_consents
-- Delete what people allowed.
delete from template_consent where channel_id = $1 and ordinal = any($2::int[]);

-- name: forget_push_results
-- Delete results of messages to people.
delete from push_result where channel_id = $1 and ordinal = any($2::int[]);

-- name: forget_blacklisted
-- Take people of bitmap $3 of a block off the blacklist that is known.
update blacklisted set members = members & ~$3::bit(32000)
where channel_id = $1 and block = $2 and bit_count(members & $3::bit(32000)) > 0;

-- name: lock_counters_of_block
-- Lock the counters of a block until the transaction ends.
select from send_count where channel_id = $1 and block = $2 and plane = 0 order by class, day for update;

-- name: forget_send_counts
-- Count no message of people of bitmap $3 of a block any more.
update send_count set members = members & ~$3::bit(32000)
where channel_id = $1 and block = $2 and bit_count(members & $3::bit(32000)) > 0;

-- name: counts_not_sent_to
-- Count who of these broadcasts is held or cannot be sent to, by reason: those who can be named, and those forgotten.
select job_id, role, sum(bit_count(members))::int as named, sum(forgotten)::int as forgotten
from broadcast_people
where channel_id = $1 and job_id = any($2::int[]) and (role like 'HELD:%' or role like 'UNSENDABLE:%')
group by job_id, role
order by job_id, role;

-- name: failures_of_broadcasts
-- Count who of these broadcasts was refused, by code, the most frequent first.
select job_id, errcode, reason, people
from broadcast_failure
where channel_id = $1 and job_id = any($2::int[]) and people > 0
order by job_id, people desc, errcode;

-- name: people_blocks
-- List the first $5 blocks from $4 on in which role $3 of a broadcast has people.
select block, members from broadcast_people
where channel_id = $1 and job_id = $2 and role = $3 and block >= $4 and bit_count(members) > 0
order by block
limit $5;

-- name: chunk_people
-- List the first $6 blocks from $5 on with people whose chunks are in states $3, if $4 is given REFUSED with that code.
select b.block, bit_or(b.members) as members
from broadcast_chunk c
join broadcast_chunk_block b on b.channel_id = $1 and b.job_id = $2 and b.chunk = c.chunk
where c.channel_id = $1 and c.job_id = $2 and c.state = any($3::text[]) and c.replanned_at is null
  and ($4::int is null or c.errcode = $4) and b.block >= $5 and bit_count(b.members) > 0
group by b.block
order by b.block
limit $6;

-- name: send_people
-- List the next $6 people from ordinal $5 on whose messages are in states $3, if $4 is given REFUSED with that code.
select distinct ordinal
from broadcast_send
where channel_id = $1 and job_id = $2 and state = any($3::text[]) and replanned_at is null
  and ($4::int is null or errcode = $4) and ordinal >= $5
order by ordinal
limit $6;

-- name: count_people_in_states
-- Count the people who can be named whose chunks or messages are in states $3, if $4 is given REFUSED with that code.
select (
    select count(distinct ordinal)
    from broadcast_send
    where channel_id = $1 and job_id = $2 and state = any($3::text[]) and replanned_at is null
      and ($4::int is null or errcode = $4) and ordinal >= 0
)::int + (
    select coalesce(sum(bit_count(b.members)), 0)
    from broadcast_chunk c
    join broadcast_chunk_block b on b.channel_id = $1 and b.job_id = $2 and b.chunk = c.chunk
    where c.channel_id = $1 and c.job_id = $2 and c.state = any($3::text[]) and c.replanned_at is null
      and ($4::int is null or c.errcode = $4)
)::int;

-- name: response_of_sent
-- Count who was sent to, and who of them wrote or unfollowed last within interval $3 of the message.
with reached as materialized (
    select u.messaged_at, u.unfollowed_at, c.claimed_at
    from broadcast_chunk c
    join broadcast_chunk_block b on b.channel_id = $1 and b.job_id = $2 and b.chunk = c.chunk
    join channel_user u on u.channel_id = $1 and u.ordinal between b.block * 32000 and b.block * 32000 + 31999
    where c.channel_id = $1 and c.job_id = $2 and c.state = 'SENT' and c.replanned_at is null
      and get_bit(b.members, u.ordinal % 32000) = 1
    union all
    select u.messaged_at, u.unfollowed_at, s.claimed_at
    from broadcast_send s
    join channel_user u on u.channel_id = $1 and u.ordinal = s.ordinal
    where s.channel_id = $1 and s.job_id = $2 and s.state = 'SENT' and s.replanned_at is null
)
select count(*)::int as people,
    (count(*) filter (where messaged_at >= date_trunc('second', claimed_at) and messaged_at < claimed_at + $3))::int
        as messaged,
    (count(*) filter (where unfollowed_at >= date_trunc('second', claimed_at) and unfollowed_at < claimed_at + $3))::int
        as unfollowed
from reached;

-- name: response_of_held_out
-- Count who was held out, and who of them wrote or unfollowed last within interval $3 of the first message.
with begun as (
    select coalesce(
        least(
            (select min(claimed_at) from broadcast_chunk where channel_id = $1 and job_id = $2 and state = 'SENT'),
            (select min(claimed_at) from broadcast_send where channel_id = $1 and job_id = $2 and state = 'SENT')
        ),
        (select frozen_at from broadcast where channel_id = $1 and job_id = $2)
    ) as at
)
select count(*)::int as people,
    (count(*) filter (where u.messaged_at >= date_trunc('second', t.at) and u.messaged_at < t.at + $3))::int as messaged,
    (count(*) filter (where u.unfollowed_at >= date_trunc('second', t.at) and u.unfollowed_at < t.at + $3))::int
        as unfollowed
from broadcast_people p
join channel_user u on u.channel_id = $1 and u.ordinal between p.block * 32000 and p.block * 32000 + 31999
cross join begun t
where p.channel_id = $1 and p.job_id = $2 and p.role = 'HELD:HOLD_OUT' and get_bit(p.members, u.ordinal % 32000) = 1;

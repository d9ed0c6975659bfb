-- name: next_planned
-- Return the blocks from $3 on, ascending, of the next $4 people who are planned, or of as many as there are.
select block, members
from (
    select block, members, sum(bit_count(members)) over (order by block) - bit_count(members) as before
    from (
        select block, members from broadcast_people
        where channel_id = $1 and job_id = $2 and role = 'PLANNED' and block >= $3 and bit_count(members) > 0
        order by block
        limit $4
    ) nearest
) counted
where before < $4
order by block;

-- name: people_of_role
-- Return everybody of a role of a broadcast, and how many were forgotten, by block.
select block, members, forgotten from broadcast_people where channel_id = $1 and job_id = $2 and role = $3 order by block;

-- name: add_people
-- Add people to roles of a locked broadcast, and how many of them were forgotten.
insert into broadcast_people as p (channel_id, job_id, role, block, members, forgotten)
select $1, $2, n.role, n.block, n.members::bit(32000), n.forgotten
from unnest($3::text[], $4::int[], $5::varbit[], $6::int[]) as n (role, block, members, forgotten)
order by n.role, n.block
on conflict (channel_id, job_id, role, block) do update
set members = p.members | excluded.members, forgotten = p.forgotten + excluded.forgotten;

-- name: take_out_people
-- Take people out of a role of a locked broadcast, and so many who were forgotten.
update broadcast_people p
set members = p.members & ~n.members::bit(32000), forgotten = p.forgotten - n.forgotten
from unnest($4::int[], $5::varbit[], $6::int[]) as n (block, members, forgotten)
where p.channel_id = $1 and p.job_id = $2 and p.role = $3 and p.block = n.block;

-- name: drop_empty_roles
-- Delete the rows of a role, among blocks $4, that have nobody.
delete from broadcast_people
where channel_id = $1 and job_id = $2 and role = $3 and block = any($4::int[]) and bit_count(members) = 0
  and forgotten = 0;

-- name: change_broadcast_counts
-- Add to the counts of a locked broadcast.
update broadcast
set planned = planned + $3, sent = sent + $4, failed = failed + $5, uncertain = uncertain + $6,
    next_chunk = next_chunk + $7
where channel_id = $1 and job_id = $2;

-- name: set_waiting_for
-- Record what a broadcast waits for, null for nothing.
update broadcast set waiting_for = $3 where channel_id = $1 and job_id = $2 and waiting_for is distinct from $3;

-- name: count_failures
-- Add to how many were refused with each code.
insert into broadcast_failure as f (channel_id, job_id, errcode, reason, people)
select $1, $2, n.errcode, n.reason, n.people
from unnest($3::int[], $4::text[], $5::int[]) as n (errcode, reason, people)
order by n.errcode
on conflict (channel_id, job_id, errcode) do update set people = f.people + excluded.people, reason = excluded.reason;

-- name: uncount_failures
-- Subtract from how many were refused with each code, since they are planned again.
update broadcast_failure f set people = f.people - n.people
from unnest($3::int[], $4::int[]) as n (errcode, people)
where f.channel_id = $1 and f.job_id = $2 and f.errcode = n.errcode;

-- name: drop_empty_failures
-- Delete the codes with which nobody was refused after all.
delete from broadcast_failure where channel_id = $1 and job_id = $2 and people = 0;

-- name: take_sending_turn
-- Let broadcast $2 of a channel send until $4, unless another one does at instant $3.
update wechat_account set messaging_job = $2, messaging_until = $4
where channel_id = $1 and (messaging_job = $2 or messaging_until is null or messaging_until <= $3)
returning messaging_until;

-- name: sending_turn_ends
-- Return until when broadcasts other than the one that sends have to wait.
select messaging_until from wechat_account where channel_id = $1;

-- name: end_sending_turn
-- Let other broadcasts of a channel send, where it is the turn of broadcast $2.
update wechat_account set messaging_job = null, messaging_until = null where channel_id = $1 and messaging_job = $2;

-- name: openids_by_ordinal
-- Return the openids of people with their ordinals.
select ordinal, openid from channel_user where channel_id = $1 and ordinal = any($2::int[]);

-- name: openids_of_people
-- Return the openids of people, in the order of their ordinals.
select coalesce(array_agg(openid order by ordinal), '{}') from channel_user
where channel_id = $1 and ordinal = any($2::int[]);

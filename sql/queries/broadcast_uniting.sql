-- name: broadcasts_of_people
-- List the broadcasts that have somebody of these people in their audience.
select distinct p.job_id
from unnest($2::int[]) as n (ordinal)
join broadcast_people p on p.channel_id = $1 and p.block = n.ordinal / 32000 and p.role = 'FROZEN'
where get_bit(p.members, n.ordinal % 32000) = 1
order by p.job_id;

-- name: roles_of_people
-- List which roles these people have in these broadcasts.
select p.job_id, n.ordinal, p.role
from unnest($3::int[]) as n (ordinal)
join broadcast_people p on p.channel_id = $1 and p.block = n.ordinal / 32000
where p.job_id = any($2::int[]) and get_bit(p.members, n.ordinal % 32000) = 1
order by p.job_id, n.ordinal, p.role;

-- name: chunks_of_people
-- List which chunks of a broadcast these people are in.
select b.chunk, n.ordinal
from unnest($3::int[]) as n (ordinal)
join broadcast_chunk_block b on b.channel_id = $1 and b.job_id = $2 and b.block = n.ordinal / 32000
where get_bit(b.members, n.ordinal % 32000) = 1
order by b.chunk, n.ordinal;

-- name: leave_chunk
-- Take a person out of a chunk; with $5 one more is known by number only.
update broadcast_chunk_block
set members = set_bit(members, $4::int % 32000, 0), forgotten = forgotten + $5
where channel_id = $1 and job_id = $2 and chunk = $3 and block = $4::int / 32000;

-- name: join_chunk
-- Put a person into a chunk.
insert into broadcast_chunk_block as b (channel_id, job_id, chunk, block, members)
values ($1, $2, $3, $4::int / 32000, set_bit(0::bit(32000), $4::int % 32000, 1))
on conflict (channel_id, job_id, chunk, block) do update set members = b.members | excluded.members;

-- name: move_sends
-- Let messages to person $3 be to person $4, after those that were before.
update broadcast_send s
set ordinal = $4, attempt = s.attempt + coalesce(
    (select max(o.attempt) from broadcast_send o where o.channel_id = $1 and o.job_id = $2 and o.ordinal = $4), 0
)
where s.channel_id = $1 and s.job_id = $2 and s.ordinal = $3;

-- name: unite_consents
-- Let people have allowed what others allowed who are united with them.
insert into template_consent as c (channel_id, template_id, ordinal, accepted_at, rejected_at, sent_at)
select $1, w.template_id, n.older, w.accepted_at, w.rejected_at, w.sent_at
from unnest($2::int[], $3::int[]) as n (newer, older)
join template_consent w on w.channel_id = $1 and w.ordinal = n.newer
on conflict (channel_id, template_id, ordinal) do update
set accepted_at = greatest(c.accepted_at, excluded.accepted_at),
    rejected_at = greatest(c.rejected_at, excluded.rejected_at), sent_at = greatest(c.sent_at, excluded.sent_at);

-- name: unite_blacklisted
-- Count people as blacklisted where others were who are united with them.
insert into blacklisted as b (channel_id, block, members)
select $1, n.older / 32000, bit_or(set_bit(0::bit(32000), n.older % 32000, 1))
from unnest($2::int[], $3::int[]) as n (newer, older)
join blacklisted w on w.channel_id = $1 and w.block = n.newer / 32000
where get_bit(w.members, n.newer % 32000) = 1
group by 2
order by 2
on conflict (channel_id, block) do update set members = b.members | excluded.members;

-- name: reassign_push_results
-- Let results of messages to some people be about others who are united with them.
update push_result r
set ordinal = n.older
from unnest($2::int[], $3::int[]) as n (newer, older)
where r.channel_id = $1 and r.ordinal = n.newer;

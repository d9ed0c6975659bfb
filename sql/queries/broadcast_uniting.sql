-- name: roles_of_person
-- List the roles that a person has in broadcasts, by block $2 and offset $3.
select job_id, role from broadcast_people
where channel_id = $1 and block = $2 and get_bit(members, $3) = 1
order by job_id, role;

-- name: move_person_out_of_chunks
-- Take a person, by block $3 and offset $4, out of the chunks of a locked broadcast that another one, by block $5 and
-- offset $6, is not in, and list these.
update broadcast_chunk_block b
set members = set_bit(b.members, $4, 0)
where b.channel_id = $1 and b.job_id = $2 and b.block = $3 and get_bit(b.members, $4) = 1 and not exists (
    select from broadcast_chunk_block o
    where o.channel_id = $1 and o.job_id = $2 and o.chunk = b.chunk and o.block = $5 and get_bit(o.members, $6) = 1
)
returning b.chunk;

-- name: move_person_into_chunks
-- Put a person, by block $4 and offset $5, into chunks of a locked broadcast.
insert into broadcast_chunk_block as b (channel_id, job_id, chunk, block, members)
select $1, $2, n.chunk, $4, set_bit(0::bit(32000), $5, 1) from unnest($3::int[]) as n (chunk)
on conflict (channel_id, job_id, chunk, block) do update set members = b.members | excluded.members;

-- name: move_sends
-- Let the messages of a locked broadcast to a person be to another one, unless there are some to that one.
update broadcast_send s set ordinal = $4
where s.channel_id = $1 and s.job_id = $2 and s.ordinal = $3 and not exists (
    select from broadcast_send o where o.channel_id = $1 and o.job_id = $2 and o.ordinal = $4
);

-- name: unite_consents
-- Give users what those allowed and refused who are united with them; the last of each counts.
insert into template_consent as t (channel_id, template_id, ordinal, accepted_at, rejected_at, sent_at)
select $1, c.template_id, n.older, c.accepted_at, c.rejected_at, c.sent_at
from unnest($2::int[], $3::int[]) as n (newer, older)
join template_consent c on c.channel_id = $1 and c.ordinal = n.newer
order by c.template_id, n.older
on conflict (channel_id, template_id, ordinal) do update
set accepted_at = greatest(t.accepted_at, excluded.accepted_at),
    rejected_at = greatest(t.rejected_at, excluded.rejected_at),
    sent_at = greatest(t.sent_at, excluded.sent_at);

-- name: reassign_push_results
-- Let results about users be about those who they are united with.
update push_result p set ordinal = n.older
from unnest($2::int[], $3::int[]) as n (newer, older)
where p.channel_id = $1 and p.ordinal = n.newer;

-- name: unite_blacklisted
-- Put users on the blacklist who are united with somebody on it.
insert into blacklisted as b (channel_id, block, members)
select $1, n.older / 32000, bit_or(set_bit(0::bit(32000), n.older % 32000, 1))
from unnest($2::int[], $3::int[]) as n (newer, older)
join blacklisted w on w.channel_id = $1 and w.block = n.newer / 32000
where get_bit(w.members, n.newer % 32000) = 1
group by 2
order by 2
on conflict (channel_id, block) do update set members = b.members | excluded.members;

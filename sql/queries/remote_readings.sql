-- name: settled_ordinals
-- List those of these ordinals whose user still exists and has neither followed nor unfollowed after second $3.
select ordinal
from channel_user
where channel_id = $1 and ordinal = any($2::int[])
  and coalesce(date_trunc('second', greatest(followed_at, unfollowed_at)) <= $3, true)
order by ordinal;

-- name: drop_remote_reading
-- Delete what was seen of a tag, since its reading begins anew.
delete from remote_reading where channel_id = $1 and job_id = $2 and tag_id = $3;

-- name: add_read_members
-- Record that users have tag $3 at WeChat and were seen; with $6 the followers among them also had it when it was synced
-- last. Every follower has one of the default tags 1 and 2.
with page as materialized (
    select p.block, p.members::bit(32000) as members
    from unnest($4::int[], $5::varbit[]) as p (block, members)
), followers as (
    select f.block, bit_or(f.members) as members
    from tag_members f
    where $6::boolean and f.channel_id = $1 and f.block = any($4::int[]) and f.tag_id in (1, 2)
    group by f.block
), known as (
    insert into remote_members as m (channel_id, block, tag_id, members, synced)
    select $1, p.block, $3, p.members, coalesce(p.members & f.members, 0::bit(32000))
    from page p
    left join followers f on f.block = p.block
    order by p.block
    on conflict (channel_id, block, tag_id) do update
    set members = m.members | excluded.members, synced = m.synced | excluded.synced
)
insert into remote_reading as r (channel_id, job_id, tag_id, block, members)
select $1, $2, $3, p.block, p.members
from page p
on conflict (channel_id, job_id, tag_id, block) do update set members = r.members | excluded.members;

-- name: end_remote_reading
-- Forget of tag $3 at WeChat whom no page named.
with seen as (
    delete from remote_reading where channel_id = $1 and job_id = $2 and tag_id = $3
    returning block, members
)
update remote_members m
set members = m.members & coalesce(s.members, 0::bit(32000))
from remote_members o
left join seen s on s.block = o.block
where m.channel_id = $1 and m.tag_id = $3 and o.channel_id = $1 and o.tag_id = $3 and o.block = m.block
  and bit_count(o.members & ~coalesce(s.members, 0::bit(32000))) > 0;

-- name: insert_sync_tags
-- Insert the tags of a sync, in the order in which they were asked for.
insert into sync_tag (channel_id, job_id, tag_id, position, asked_name, action, remote_name)
select $1, $2, n.tag_id, n.position, n.asked_name, 'NOTHING', n.remote_name
from unnest($3::int[], $4::text[], $5::text[]) with ordinality as n (tag_id, asked_name, remote_name, position);

-- name: copy_sync_tags
-- Insert the tags of job $3 as those of job $2, of which nothing is done yet.
insert into sync_tag (
    channel_id, job_id, tag_id, position, asked_name, action, remote_tag_id, remote_name, listed_count, known_count,
    to_add, to_remove, unchanged, at_tag_limit, drift, error, errcode
)
select $1, $2, tag_id, position, asked_name, action, remote_tag_id, remote_name, listed_count, known_count,
    to_add, to_remove, unchanged, at_tag_limit, drift, error, errcode
from sync_tag
where channel_id = $1 and job_id = $3;

-- name: copy_sync_failures
-- Insert whom job $3 found to be at the limit of tags as failures of job $2.
insert into sync_failure (channel_id, job_id, tag_id, ordinal, errcode)
select $1, $2, tag_id, ordinal, errcode from sync_failure where channel_id = $1 and job_id = $3;

-- name: sync_tags
-- List the tags of syncs, in their order.
select * from sync_tag where channel_id = $1 and job_id = any($2::int[]) order by job_id, position;

-- name: save_sync_action
-- Write what is to be done about a tag, and what WeChat listed.
update sync_tag
set action = $4, remote_tag_id = $5, remote_name = $6, listed_count = $7, error = $8, errcode = $9
where channel_id = $1 and job_id = $2 and tag_id = $3;

-- name: named_after
-- List what tags were called when their remote tags got their names.
select tag_id, named_after from remote_tag where channel_id = $1 and tag_id = any($2::int[]);

-- name: set_named_after
-- Record what a tag is called, whose remote tag has got a name by it.
update remote_tag set named_after = $3 where channel_id = $1 and tag_id = $2;

-- name: count_remote_members
-- Count who is known to have the remote tags of these tags.
select tag_id, sum(bit_count(members))::int as members
from remote_members
where channel_id = $1 and tag_id = any($2::int[])
group by tag_id;

-- name: drop_remote_members
-- Forget who had the remote tag of a tag, since there is none.
delete from remote_members where channel_id = $1 and tag_id = $2;

-- name: freeze_sync_members
-- Freeze for job $2, block by block, who is to get the remote tag of tag $3 and who is to lose it: of the latter, with
-- $4, all who are known to have it, else those who had it when it was synced last; with $5 nobody has it yet. Who follows
-- has one of the tags 1 and 2. Count them, those who have it rightly, what others changed since, and who is known to have
-- it.
with state as (
    select h.block, r.members, r.synced,
        coalesce(t.members, 0::bit(32000)) & (coalesce(n.members, 0::bit(32000)) | coalesce(o.members, 0::bit(32000)))
            as wanted
    from block_head h
    left join tag_members t on t.channel_id = $1 and t.block = h.block and t.tag_id = $3
    left join tag_members n on n.channel_id = $1 and n.block = h.block and n.tag_id = 1
    left join tag_members o on o.channel_id = $1 and o.block = h.block and o.tag_id = 2
    cross join lateral (
        select coalesce(bit_or(m.members), 0::bit(32000)) as members, coalesce(bit_or(m.synced), 0::bit(32000)) as synced
        from remote_members m
        where m.channel_id = $1 and m.block = h.block and m.tag_id = $3 and not $5
    ) r
    where h.channel_id = $1
    offset 0
), difference as (
    select block, members, wanted & ~members as to_add,
        case when $4 then members & ~wanted else members & synced & ~wanted end as to_remove,
        bit_count(wanted & members) as unchanged, bit_count(members # synced) as drift
    from state
    offset 0
), frozen as (
    insert into sync_members (channel_id, job_id, tag_id, block, to_add, to_remove)
    select $1, $2, $3, block, to_add, to_remove
    from difference
    where bit_count(to_add) + bit_count(to_remove) > 0
)
select coalesce(sum(bit_count(to_add)), 0)::int as to_add, coalesce(sum(bit_count(to_remove)), 0)::int as to_remove,
    coalesce(sum(unchanged), 0)::int as unchanged, coalesce(sum(drift), 0)::int as drift,
    coalesce(sum(bit_count(members)), 0)::int as known_count
from difference;

-- name: drop_sync_members
-- Delete whom a job has frozen for a tag, since it is frozen anew.
delete from sync_members where channel_id = $1 and job_id = $2 and tag_id = $3;

-- name: save_sync_counts
-- Write how many people a tag's plan is about.
update sync_tag
set action = $4, to_add = $5, to_remove = $6, unchanged = $7, drift = $8, known_count = $9
where channel_id = $1 and job_id = $2 and tag_id = $3;

-- name: crowded_blocks
-- List the blocks in which the remote tags that people have and those that they are to get are more than $3.
select b.block
from (
    select block, tag_id from remote_members where channel_id = $1 and bit_count(members) > 0
    union
    select block, tag_id from sync_members where channel_id = $1 and job_id = $2 and bit_count(to_add) > 0
) b
group by b.block
having count(*) > $3
order by b.block;

-- name: members_of_block
-- List who of a block is known to have each remote tag, and who is to get it and to lose it.
select tag_id, r.members, s.to_add, s.to_remove
from (select tag_id, members from remote_members where channel_id = $1 and block = $3) r
full join (
    select tag_id, to_add, to_remove from sync_members where channel_id = $1 and job_id = $2 and block = $3
) s using (tag_id)
order by tag_id;

-- name: spare_from_addition
-- Take people of a block out of who is to get a remote tag, and count them as at the limit of tags.
with spared as (
    update sync_members set to_add = to_add & ~$5::bit(32000)
    where channel_id = $1 and job_id = $2 and tag_id = $3 and block = $4
)
update sync_tag set to_add = to_add - bit_count($5::bit(32000)), at_tag_limit = at_tag_limit + bit_count($5::bit(32000))
where channel_id = $1 and job_id = $2 and tag_id = $3;

-- name: removals_by_time
-- List the blocks in which people are to lose the remote tag of tag $3, with who lost tag $3 since instant $4 because
-- time passed, and who lost it otherwise.
select m.block, m.to_remove, b.by_time, b.otherwise, l.by_time as offsets_by_time, l.otherwise as offsets_otherwise
from sync_members m
cross join lateral (
    select bit_or(c.removed) filter (where c.cause = 'TIME_PASSED') as by_time,
        bit_or(c.removed) filter (where c.cause <> 'TIME_PASSED') as otherwise
    from bulk_tag_change c
    where c.channel_id = $1 and c.block = m.block and c.tag_id = $3 and c.at > $4 and c.removed is not null
) b
cross join lateral (
    select array_agg(o.user_offset::int) filter (where o.cause = 'TIME_PASSED') as by_time,
        array_agg(o.user_offset::int) filter (where o.cause <> 'TIME_PASSED') as otherwise
    from (
        select c.cause, c.user_offset
        from user_tag_change c
        where c.channel_id = $1 and c.block = m.block and c.at > $4 and c.removed @> array[$3::int]
        union all
        select c.cause, u.user_offset
        from bulk_tag_change c
        cross join unnest(c.removed_offsets) as u (user_offset)
        where c.channel_id = $1 and c.block = m.block and c.tag_id = $3 and c.at > $4
    ) o
) l
where m.channel_id = $1 and m.job_id = $2 and m.tag_id = $3 and bit_count(m.to_remove) > 0
order by m.block;

-- name: settle_synced_members
-- Record of a tag what both sides agree on now: who has both tags was synced, and who has neither is so no longer.
update remote_members r
set synced = n.synced
from (
    select m.block, (m.synced & (m.members | w.wanted)) | (m.members & w.wanted) as synced
    from remote_members m
    left join tag_members t on t.channel_id = $1 and t.block = m.block and t.tag_id = $2
    left join tag_members n on n.channel_id = $1 and n.block = m.block and n.tag_id = 1
    left join tag_members o on o.channel_id = $1 and o.block = m.block and o.tag_id = 2
    cross join lateral (
        select coalesce(t.members, 0::bit(32000))
            & (coalesce(n.members, 0::bit(32000)) | coalesce(o.members, 0::bit(32000))) as wanted
        offset 0
    ) w
    where m.channel_id = $1 and m.tag_id = $2
    offset 0
) n
where r.channel_id = $1 and r.tag_id = $2 and r.block = n.block and r.synced <> n.synced;

-- name: frozen_sync_members
-- List the first $5 blocks from $4 on in which people are to get a remote tag or, with $6, to lose it.
select block, members
from (
    select block, case when $6 then to_remove else to_add end as members
    from sync_members
    where channel_id = $1 and job_id = $2 and tag_id = $3 and block >= $4
    order by block
    offset 0
) s
where bit_count(members) > 0
order by block
limit $5;

-- name: people_to_tag
-- Return the openids of people, whether they follow, and when they last followed or unfollowed.
select u.ordinal, u.openid, follows(f.facts) as following, greatest(u.followed_at, u.unfollowed_at) as moved_at
from channel_user u
join user_facts f using (channel_id, ordinal)
where u.channel_id = $1 and u.ordinal = any($2::int[])
order by u.ordinal;

-- name: advance_sync_tag
-- Record how far the additions of a tag are or, with $5, its removals, and how many were done and failed; lock its link.
with link as materialized (
    select tag_id from remote_tag where channel_id = $1 and tag_id = $3 for update
)
update sync_tag
set next_addition = case when $5 then next_addition else $4 end,
    next_removal = case when $5 then $4 else next_removal end,
    added = added + case when $5 then 0 else $6 end,
    removed = removed + case when $5 then $6 else 0 end,
    failed = failed + $7
where channel_id = $1 and job_id = $2 and tag_id in (select tag_id from link);

-- name: insert_sync_failures
-- Record people who could not be given a remote tag or freed of it; of one who fails both ways the last errcode stays.
insert into sync_failure (channel_id, job_id, tag_id, ordinal, errcode)
select $1, $2, $3, n.ordinal, n.errcode
from unnest($4::int[], $5::int[]) as n (ordinal, errcode)
on conflict (channel_id, job_id, tag_id, ordinal) do update set errcode = excluded.errcode;

-- name: sync_failures_page
-- List the first $5 failures of a tag of a sync with ordinals from $4 on.
select ordinal, errcode
from sync_failure
where channel_id = $1 and job_id = $2 and tag_id = $3 and ordinal >= $4
order by ordinal
limit $5;

-- name: count_sync_failures
-- Count the failures of tags of a sync.
select tag_id, count(*)::int as failures
from sync_failure
where channel_id = $1 and job_id = $2 and tag_id = any($3::int[])
group by tag_id;

-- name: intend_to_make_tag
-- Record which remote tags there are before one is made at instant $5, unless that was begun before.
update sync_tag set ids_before = $4, made_at = $5
where channel_id = $1 and job_id = $2 and tag_id = $3 and ids_before is null;

-- name: save_made_tag
-- Record the remote tag of a tag, once it is linked.
update sync_tag set remote_tag_id = $4, ids_before = null where channel_id = $1 and job_id = $2 and tag_id = $3;

-- name: stop_sync_tag
-- Record why nothing more is done about a tag.
update sync_tag set action = coalesce($6, action), error = $4, errcode = $5
where channel_id = $1 and job_id = $2 and tag_id = $3;

-- name: is_being_synced
-- Tell whether a sync of a tag that is no dry run is unfinished.
select exists (
    select
    from job j
    join sync_tag t on t.channel_id = $1 and t.job_id = j.job_id and t.tag_id = $2
    where j.channel_id = $1 and j.kind = 'OfficialAccountSync' and j.state in ('QUEUED', 'WAITING', 'RUNNING')
      and not (j.payload ->> 'dry_run')::boolean
);

-- name: yield_to_job
-- Cancel the syncs before job $2 that were begun by no client and wait: what they still had to do is found again.
update job
set state = 'CANCELLED', finished_at = $3, resumes_at = null
where channel_id = $1 and job_id < $2 and kind = 'OfficialAccountSync' and state = 'WAITING'
  and (payload ->> 'automatic')::boolean
returning job_id;

-- name: earlier_remote_job
-- Return when the oldest unfinished job before job $2 that reads or changes remote tags goes on.
select coalesce(resumes_at, created_at) as at
from job
where channel_id = $1 and job_id < $2 and kind = any($3::text[]) and state in ('QUEUED', 'WAITING', 'RUNNING')
order by job_id
limit 1;

-- name: sync_of_plan
-- Return the sync that applies the plan of job $2.
select job_id from job
where channel_id = $1 and kind = 'OfficialAccountSync' and job_id <> $2 and (payload ->> 'plan')::int = $2
order by job_id
limit 1;

-- name: tags_out_of_sync
-- List which of these tags have another name than their remote tag was named after, or people who are to get it or lose
-- it by what is known.
select r.tag_id
from remote_tag r
join tag t on t.channel_id = $1 and t.tag_id = r.tag_id
where r.channel_id = $1 and r.tag_id = any($2::int[]) and (
    r.remote_tag_id is null
    or r.named_after <> t.name
    or exists (
        select
        from block_head h
        left join tag_members m on m.channel_id = $1 and m.block = h.block and m.tag_id = r.tag_id
        left join tag_members n on n.channel_id = $1 and n.block = h.block and n.tag_id = 1
        left join tag_members o on o.channel_id = $1 and o.block = h.block and o.tag_id = 2
        left join remote_members k on k.channel_id = $1 and k.block = h.block and k.tag_id = r.tag_id
        cross join lateral (
            select coalesce(m.members, 0::bit(32000))
                & (coalesce(n.members, 0::bit(32000)) | coalesce(o.members, 0::bit(32000))) as wanted
            offset 0
        ) w
        where h.channel_id = $1 and (
            bit_count(w.wanted & ~coalesce(k.members, 0::bit(32000))) > 0
            or bit_count(k.members & ~w.wanted & case when r.remote_additions = 'REMOVE' then k.members else k.synced end)
                > 0
        )
    )
)
order by r.tag_id;

-- name: prune_sync_jobs
-- Delete syncs that finished before an instant, but for the last one of each tag.
delete from job j
where j.channel_id = $1 and j.kind = 'OfficialAccountSync' and j.finished_at < $2 and not exists (
    select from remote_tag r where r.channel_id = $1 and r.last_job_id = j.job_id
);

-- name: prune_frozen_members
-- Delete whom syncs froze that finished before an instant, and that no other applies.
with needed as (
    select j.job_id, (j.payload ->> 'plan')::int as plan
    from job j
    where j.channel_id = $1 and j.kind = 'OfficialAccountSync' and (j.finished_at is null or j.finished_at >= $2)
)
delete from sync_members m
where m.channel_id = $1
  and m.job_id not in (select n.job_id from needed n union all select n.plan from needed n where n.plan is not null);

-- name: prune_sync_tags
-- Delete what is kept of the tags of syncs whose job is gone.
delete from sync_tag s
where s.channel_id = $1 and not exists (select from job j where j.channel_id = $1 and j.job_id = s.job_id);

-- name: prune_sync_failures
-- Delete the failures of syncs whose job is gone.
delete from sync_failure f
where f.channel_id = $1 and not exists (select from job j where j.channel_id = $1 and j.job_id = f.job_id);

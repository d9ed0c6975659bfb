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
-- Record what a tag was called when its remote tag got a name; with $4 that one kept the name which it had.
update remote_tag
set named_after = case when $4 then named_after else $3 end,
    declined_name = case when $4 and named_after <> $3 then $3 end
where channel_id = $1 and tag_id = $2;

-- name: people_to_tag
-- Return the openids of people, whether they follow, and when they last followed or unfollowed. Whoever is known to have
-- the remote tag of tag $3 follows, though nobody told so.
select u.ordinal, u.openid,
    follows(f.facts) or exists (
        select from remote_members r
        where r.channel_id = $1 and r.block = u.ordinal / 32000 and r.tag_id = $3
          and get_bit(r.members, u.ordinal % 32000) = 1
    ) as following, greatest(u.followed_at, u.unfollowed_at) as moved_at
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

-- name: unanswered_makings
-- List the remote tags that syncs before job $2 set out to make for these tags, and of which it is not known whether they
-- were made.
select tag_id, remote_name, ids_before
from sync_tag
where channel_id = $1 and job_id < $2 and tag_id = any($3::int[]) and ids_before is not null;

-- name: save_made_tag
-- Record the remote tag of a tag, once it is linked.
update sync_tag set remote_tag_id = $4, ids_before = null where channel_id = $1 and job_id = $2 and tag_id = $3;

-- name: stop_sync_tag
-- Record why nothing more is done about a tag.
update sync_tag set action = coalesce($6, action), error = $4, errcode = $5, ids_before = null
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
-- Cancel the syncs before job $2 that were begun by no client and wait: what they still had to do is found again. Who
-- follows is told.
with finished as (
    update job
    set state = 'CANCELLED', finished_at = $3, resumes_at = null
    where channel_id = $1 and job_id < $2 and kind = 'OfficialAccountSync' and state = 'WAITING'
      and (payload ->> 'automatic')::boolean
    returning *
),
told as (
    insert into feed_notice (channel_id, notice_id, at, job_id, job_kind, job_state)
    select $1, $4::bigint # j.job_id, j.finished_at, j.job_id, j.kind, j.state
    from finished j
    where j.finished_at is not null and j.kind in ('Broadcast', 'OfficialAccountSync', 'FollowerImport', 'RemoteTagImport')
      and not coalesce((j.payload ->> 'dry_run')::boolean, false)
      and exists (select from feed f where f.channel_id = $1)
)
select job_id from finished;

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

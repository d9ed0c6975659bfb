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
-- $4, all who are known to have it, but nobody who has tag $3 and is not known to follow, else those who had it when it
-- was synced last; with $5 nobody has it yet. Who follows has one of the tags 1 and 2. Count them, those who have it rightly, what others changed since, and who is known to have
-- it.
with state as (
    select h.block, r.members, r.synced, coalesce(t.members, 0::bit(32000)) as ours,
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
        members & ~case when $4 then ours else wanted | ~synced end as to_remove,
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

-- name: tags_out_of_sync
-- List which of these tags have another name than their remote tag was named after, but for one that it could not have in
-- a sync after instant $3, or people who are to get it or lose it by what is known. Unless $4, whom a sync that ended after
-- $3 could not tag does not count, except for those who followed or unfollowed since it began.
select r.tag_id
from remote_tag r
join tag t on t.channel_id = $1 and t.tag_id = r.tag_id
where r.channel_id = $1 and r.tag_id = any($2::int[]) and (
    r.remote_tag_id is null
    or (r.named_after <> t.name and (r.declined_name is distinct from t.name or r.last_success_at <= $3))
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
        cross join lateral (
            select coalesce(bit_or(set_bit(0::bit(32000), f.ordinal % 32000, 1)), 0::bit(32000)) as members
            from sync_failure f
            join job j on j.channel_id = $1 and j.job_id = f.job_id
            join channel_user u on u.channel_id = $1 and u.ordinal = f.ordinal
            where not $4 and r.last_success_at > $3 and f.channel_id = $1 and f.job_id = r.last_job_id and f.tag_id = r.tag_id
              and f.ordinal between h.block * 32000 and h.block * 32000 + 31999 and f.errcode is not null
              and coalesce(greatest(u.followed_at, u.unfollowed_at) <= j.created_at, true)
            offset 0
        ) failed
        where h.channel_id = $1 and (
            bit_count(w.wanted & ~coalesce(k.members, 0::bit(32000)) & ~failed.members) > 0
            or bit_count(
                k.members & ~failed.members & ~case when r.remote_additions = 'REMOVE' then coalesce(m.members, 0::bit(32000))
                    else w.wanted | ~k.synced end
            ) > 0
        )
    )
)
order by r.tag_id;

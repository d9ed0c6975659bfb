-- name: linked_tags
-- List what is known of tags of a channel at the Official Account, of those in $2 or, where that is null, of all.
select *
from remote_tag
where channel_id = $1 and ($2::int[] is null or tag_id = any($2::int[]))
order by tag_id;

-- name: lock_linked_tags
-- Lock links of a channel; a statement of its own, so that the next one sees who followed or unfollowed meanwhile.
select *
from remote_tag
where channel_id = $1 and tag_id = any($2::int[])
order by tag_id
for update;

-- name: link_tag
-- Record that a tag is linked to a remote tag, or with $3 null is about to be; who had another remote tag is forgotten.
with former_members as (
    delete from remote_members m
    using remote_tag r
    where m.channel_id = $1 and m.tag_id = $2
      and r.channel_id = $1 and r.tag_id = $2 and r.remote_tag_id is not null and r.remote_tag_id is distinct from $3
)
insert into remote_tag as r (
    channel_id, tag_id, remote_tag_id, remote_name, keep_in_sync, remote_additions, last_job_id, linked_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (channel_id, tag_id) do update
set remote_tag_id = excluded.remote_tag_id, remote_name = excluded.remote_name, keep_in_sync = excluded.keep_in_sync,
    remote_additions = excluded.remote_additions, last_job_id = excluded.last_job_id,
    in_sync = r.in_sync and r.remote_tag_id is not distinct from excluded.remote_tag_id,
    linked_at = case
        when r.remote_tag_id is distinct from excluded.remote_tag_id then excluded.linked_at else r.linked_at
    end;

-- name: set_keep_in_sync
-- Record whether linked tags are kept in sync.
update remote_tag set keep_in_sync = $3 where channel_id = $1 and tag_id = any($2::int[]);

-- name: unlink_tag
-- Record that a tag is no longer linked, and forget who had the remote tag.
with former_members as (
    delete from remote_members where channel_id = $1 and tag_id = $2
)
update remote_tag
set remote_tag_id = null, keep_in_sync = false, in_sync = false, failing_since = null, error = null, errcode = null
where channel_id = $1 and tag_id = $2;

-- name: note_sync_success
-- Record that job $3 made the members of linked tags the same at instant $4.
update remote_tag
set in_sync = true, last_job_id = $3, last_success_at = $4, failing_since = null, error = null, errcode = null
where channel_id = $1 and tag_id = any($2::int[]);

-- name: note_sync_failure
-- Record why job $3 did not make the members of tags the same, and since when none does.
update remote_tag
set in_sync = false, last_job_id = coalesce($3, last_job_id), failing_since = coalesce(failing_since, $4), error = $5,
    errcode = $6
where channel_id = $1 and tag_id = any($2::int[]);

-- name: remote_members
-- List the first $4 blocks from $3 on in which somebody is known to have a remote tag, or had it at the last sync.
select block, members, synced
from remote_members
where channel_id = $1 and tag_id = $2 and block >= $3
order by block
limit $4;

-- name: replace_remote_members
-- Write who has a remote tag, as it was read, into blocks; who is in $5 keeps what there is. With $6 all of it is synced.
insert into remote_members (channel_id, block, tag_id, members, synced)
select $1, n.block, $2, n.members, case when $6 then n.members else n.synced end
from (
    select b.block, (b.members::bit(32000) & ~b.kept::bit(32000)) | (r.members & b.kept::bit(32000)) as members, r.synced
    from unnest($3::int[], $4::varbit[], $5::varbit[]) as b (block, members, kept)
    cross join lateral (
        select coalesce(bit_or(m.members), 0::bit(32000)) as members, coalesce(bit_or(m.synced), 0::bit(32000)) as synced
        from remote_members m
        where m.channel_id = $1 and m.block = b.block and m.tag_id = $2
    ) r
) n
order by n.block
on conflict (channel_id, block, tag_id) do update set members = excluded.members, synced = excluded.synced;

-- name: add_remote_members
-- Record who was given a remote tag, but nobody who followed or unfollowed since the instants $4, or does not exist.
insert into remote_members as r (channel_id, block, tag_id, members, synced)
select $1, n.block, $2, n.given, n.given
from (
    select c.ordinal / 32000 as block, bit_or(set_bit(0::bit(32000), c.ordinal % 32000, 1)) as given
    from unnest($3::int[], $4::timestamptz[]) as c (ordinal, moved_at)
    join channel_user u on u.channel_id = $1 and u.ordinal = c.ordinal
    where greatest(u.followed_at, u.unfollowed_at) is not distinct from c.moved_at
    group by 1
) n
order by n.block
on conflict (channel_id, block, tag_id) do update
set members = r.members | excluded.members, synced = r.synced | excluded.synced;

-- name: remove_remote_members
-- Record from whom a remote tag was taken.
update remote_members r
set members = r.members & ~n.taken, synced = r.synced & ~n.taken
from (
    select o / 32000 as block, bit_or(set_bit(0::bit(32000), o % 32000, 1)) as taken
    from unnest($3::int[]) as o
    group by 1
) n
where r.channel_id = $1 and r.block = n.block and r.tag_id = $2;

-- name: share_linked_tags
-- Hold off whoever locks links until the end of the transaction, and list the tags; most channels have none.
select tag_id from remote_tag where channel_id = $1 order by tag_id for key share;

-- name: clear_remote_members
-- Record that these people have no remote tag.
update remote_members r
set members = r.members & ~n.cleared, synced = r.synced & ~n.cleared
from (
    select o / 32000 as block, bit_or(set_bit(0::bit(32000), o % 32000, 1)) as cleared
    from unnest($2::int[]) as o
    group by 1
) n
where r.channel_id = $1 and r.block = n.block and bit_count((r.members | r.synced) & n.cleared) > 0;

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
-- Record that a tag is linked to a remote tag, or with $3 null is about to be; who had another remote tag is forgotten,
-- unless with $9 the members of the new one were read already.
with former_members as (
    delete from remote_members m
    using remote_tag r
    where m.channel_id = $1 and m.tag_id = $2
      and r.channel_id = $1 and r.tag_id = $2 and r.remote_tag_id is not null and r.remote_tag_id is distinct from $3
      and not $9
)
insert into remote_tag as r (
    channel_id, tag_id, remote_tag_id, remote_name, keep_in_sync, remote_additions, last_job_id, linked_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (channel_id, tag_id) do update
set remote_tag_id = excluded.remote_tag_id, remote_name = excluded.remote_name, keep_in_sync = excluded.keep_in_sync,
    remote_additions = excluded.remote_additions, last_job_id = excluded.last_job_id,
    in_sync = r.in_sync and r.remote_tag_id is not distinct from excluded.remote_tag_id;

-- name: set_keep_in_sync
-- Record whether linked tags are kept in sync, and have them looked at and tried at once.
update remote_tag
set keep_in_sync = $3, looked_revision = null, tried_at = null
where channel_id = $1 and tag_id = any($2::int[]);

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
-- Record that people have no remote tag: those who do not exist, and of the others those who followed or unfollowed after
-- anything was known of a remote tag, or five minutes before, as clocks differ. Whoever is told only now to have followed
-- before that has what was read since. Where somebody had a tag it is to be looked at, though no bit of ours may change.
with cleared as (
    update remote_members r
    set members = r.members & ~n.cleared, synced = r.synced & ~n.cleared
    from (
        select o / 32000 as block, bit_or(set_bit(0::bit(32000), o % 32000, 1)) as cleared
        from unnest($2::int[]) as o
        left join channel_user u on u.channel_id = $1 and u.ordinal = o
        where u.ordinal is null or greatest(u.followed_at, u.unfollowed_at) >= (
            select min(linked_at) - interval '5 minutes' from remote_tag where channel_id = $1
        )
        group by 1
    ) n
    where r.channel_id = $1 and r.block = n.block and bit_count((r.members | r.synced) & n.cleared) > 0
    returning r.tag_id
)
update remote_tag
set looked_revision = null
where channel_id = $1 and tag_id in (select tag_id from cleared) and looked_revision is not null;

-- name: channels_to_look_at
-- List the channels with linked tags in which something changed since these were looked at, or were not since $1.
select c.channel_id
from (select distinct channel_id from remote_tag where remote_tag_id is not null or keep_in_sync) c
join channel_state s on s.channel_id = c.channel_id
cross join lateral (
    select s.tag_version + coalesce(sum(h.version), 0) as revision from block_head h where h.channel_id = c.channel_id
) v
where exists (
    select from remote_tag r
    where r.channel_id = c.channel_id and (r.remote_tag_id is not null or r.keep_in_sync)
      and (r.looked_revision is distinct from v.revision or r.looked_at <= $1)
)
order by c.channel_id;

-- name: begin_look
-- Record that the linked tags are looked at, at instant $2, as what is written from now on will have to be again.
update remote_tag r
set looked_revision = v.revision, looked_at = $2, agreed_at = case when r.in_sync then r.looked_at else r.agreed_at end
from (
    select s.tag_version
        + (select coalesce(sum(h.version), 0) from block_head h where h.channel_id = $1) as revision
    from channel_state s
    where s.channel_id = $1
) v
where r.channel_id = $1 and (r.remote_tag_id is not null or r.keep_in_sync);

-- name: look_again
-- Have tags looked at again next time.
update remote_tag set looked_revision = null where channel_id = $1 and tag_id = any($2::int[]);

-- name: save_look
-- Record of which tags the people are the same on both sides, $2, unless a sync failed, and of which they are not, $3.
update remote_tag
set in_sync = tag_id = any($2::int[]) and failing_since is null and last_success_at is not null
where channel_id = $1 and tag_id = any($2::int[] || $3::int[])
  and in_sync <> (tag_id = any($2::int[]) and failing_since is null and last_success_at is not null);

-- name: note_trial
-- Record that a sync of these tags was begun at instant $3.
update remote_tag set tried_at = $3 where channel_id = $1 and tag_id = any($2::int[]);

-- name: halt_links
-- Stop syncing tags that were deleted or have lapsed, and list those of which this was not known.
update remote_tag r
set in_sync = false, keep_in_sync = r.keep_in_sync and t.deleted_at is null
from tag t
where r.channel_id = $1 and t.channel_id = $1 and t.tag_id = r.tag_id and (r.remote_tag_id is not null or r.keep_in_sync)
  and (t.deleted_at is not null or t.state = 'LAPSED')
  and (r.in_sync or (r.keep_in_sync and t.deleted_at is not null))
returning r.tag_id;

-- name: kept_links
-- Say of all tags of open channels that are kept in sync how many fail, when the first of those that differ was last the
-- same on both sides, and when the first was last looked at.
select count(*) filter (where r.failing_since is not null)::int as failing,
    min(greatest(r.agreed_at, r.last_success_at, r.linked_at)) filter (where not r.in_sync) as agreed_at,
    min(coalesce(r.looked_at, r.linked_at)) as looked_at
from remote_tag r
join tag t on t.channel_id = r.channel_id and t.tag_id = r.tag_id
join channel_state s on s.channel_id = r.channel_id
where r.keep_in_sync and t.deleted_at is null and t.state = 'ACTIVE' and s.open;

-- name: failing_links
-- List the living tags of all channels that are kept in sync and have not been since before instant $1.
select r.*
from remote_tag r
join tag t on t.channel_id = r.channel_id and t.tag_id = r.tag_id
where r.keep_in_sync and r.failing_since <= $1 and t.deleted_at is null and t.state = 'ACTIVE'
order by r.channel_id, r.failing_since, r.tag_id;

-- name: stray_remote_members
-- List the ordinals of a locked block that no user has, and that are known to have a remote tag or had one when synced.
with bits as materialized (
    select bit_or(members | synced) as bits from remote_members where channel_id = $1 and block = $2
), unused as (
    select o as user_offset from generate_series(0, 31999) o where (select bits from bits) is not null
    except all
    select ordinal - $2 * 32000 from channel_user
    where channel_id = $1 and ordinal between $2 * 32000 and $2 * 32000 + 31999
)
select $2 * 32000 + n.user_offset as ordinal
from unused n
cross join bits b
where get_bit(b.bits, n.user_offset) = 1
order by n.user_offset;

-- name: unlinked_remote_members
-- List the tags of a block that were never to be linked and say of somebody to have the remote tag, or that are not linked
-- and say of somebody to have had it when it was synced.
select r.tag_id
from remote_members r
left join remote_tag t on t.channel_id = $1 and t.tag_id = r.tag_id
where r.channel_id = $1 and r.block = $2 and t.remote_tag_id is null
  and bit_count(case when t.tag_id is null then r.members | r.synced else r.synced end) > 0
order by r.tag_id;

-- name: drop_remote_members_of_block
-- Forget of a block who has some remote tags.
delete from remote_members where channel_id = $1 and block = $2 and tag_id = any($3::int[]);

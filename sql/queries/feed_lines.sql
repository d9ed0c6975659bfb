-- name: feed_entries_from
-- Return a feed with at most $3 of its entries from number $2 on; one row without an entry where there are none. How far
-- the logs of the tag states and of the block were deleted is of the same snapshot.
select f.last_seq, f.base_seq, f.base_version, f.base_offset,
    s.tag_version as present_tag_version, s.tag_base_version,
    e.seq, e.former_tag_version, e.tag_version, e.block, e.from_version, e.to_version, h.base_version as block_base_version
from feed f
join channel_state s on s.channel_id = f.channel_id
left join lateral (
    select * from feed_entry n where n.channel_id = $1 and n.seq >= $2 order by n.seq limit $3
) e on true
left join block_head h on h.channel_id = $1 and h.block = e.block
where f.channel_id = $1
order by e.seq;

-- name: feed_user_lines
-- List what entries of blocks tell after a version and offset each, at most $7 lines in the order of the feed. A change of
-- many people is one line without an offset.
with entry as materialized (
    select * from unnest($2::bigint[], $3::int[], $4::bigint[], $5::smallint[], $6::bigint[])
        as e (seq, block, after_version, after_offset, to_version)
)
select e.seq, e.block, c.version, c.user_offset, c.at, c.cause, c.added, c.removed
from entry e
join user_tag_change c on c.channel_id = $1 and c.block = e.block
    and (c.version, c.user_offset) > (e.after_version, e.after_offset) and c.version <= e.to_version
union all
select distinct e.seq, e.block, b.version, null::smallint, b.at, b.cause, null::int[], null::int[]
from entry e
join bulk_tag_change b on b.channel_id = $1 and b.block = e.block
    and b.version >= e.after_version and b.version <= e.to_version
    and (b.version > e.after_version or e.after_offset < 31999)
order by 1, 3, 4
limit $7;

-- name: feed_bulk_lines
-- Return what one change of many people did to some tags.
select tag_id, added_offsets, removed_offsets, added, removed
from bulk_tag_change
where channel_id = $1 and block = $2 and version = $3 and tag_id = any($4::int[])
order by tag_id;

-- name: feed_tag_lines
-- List the structural changes after a version up to another, with what the tag was called and its state then.
select c.version, c.tag_id, c.at, c.kind, c.shown_after, t.kind as tag_kind,
    coalesce(c.category, t.category) as category, coalesce(c.name, t.name) as name,
    coalesce(c.state, t.state) as state, c.lapsed_by
from tag_change c
left join tag t on t.channel_id = $1 and t.tag_id = c.tag_id
where c.channel_id = $1 and c.version > $2 and c.version <= $3
order by c.version, c.tag_id;

-- name: feed_notices
-- List the notices of entries in the order of the feed.
select seq, place, at, ordinal, former_ordinal, job_id, job_kind, job_state
from feed_notice
where channel_id = $1 and seq = any($2::bigint[])
order by seq, place;

-- name: shown_tags_at
-- Return the tags that people show, none while the gate is closed, as of now and, for each tag and the gate (0), what its
-- first change after version $2 found: together that is what was shown at that version.
select s.open, array(
        select t.tag_id from tag t where t.channel_id = $1 and t.state = 'ACTIVE' and t.deleted_at is null
    ) as tag_ids,
    array(
        select distinct on (c.tag_id) case when c.shown_before then c.tag_id else -1 - c.tag_id end
        from tag_change c
        where c.channel_id = $1 and c.version > $2
        order by c.tag_id, c.version
    ) as before
from channel_state s
where s.channel_id = $1;

-- name: tags_become_shown
-- List the tags, 0 for the gate, that began to be shown after a version up to another though they were there, and when.
select tag_id, max(at) as at
from tag_change
where channel_id = $1 and version > $2 and version <= $3 and kind <> 'CREATED' and shown_after and not shown_before
group by tag_id;

-- name: insert_tag
-- Insert a tag; a living namesake violates tag_name_taken.
insert into tag (channel_id, tag_id, kind, category, name, description, state, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8);

-- name: update_tags
-- Write edited tags; a deleted one frees its name.
update tag t
set category = n.category, name = n.name, description = n.description, state = n.state, version = n.version,
    updated_at = n.updated_at, deleted_at = n.deleted_at, merged_into = n.merged_into
from unnest(
    $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::timestamptz[], $9::timestamptz[], $10::int[]
) as n (tag_id, category, name, description, state, version, updated_at, deleted_at, merged_into)
where t.channel_id = $1 and t.tag_id = n.tag_id;

-- name: catalogue
-- Return every tag of a channel, deleted ones too, with the version of the channel's tag states they are from.
select s.tag_version, s.tag_version_at, s.open, s.default_tags_as_of,
    t.tag_id, t.kind, t.category, t.name, t.description, t.state, t.version, t.created_at, t.updated_at, t.deleted_at,
    t.merged_into
from channel_state s
left join tag t on t.channel_id = s.channel_id
where s.channel_id = $1
order by t.tag_id;

-- name: log_tag_changes
-- Log what a structural change did to the tags of a channel.
insert into tag_change (
    channel_id, version, tag_id, at, kind, cause, shown_before, shown_after, category, name, state, lapsed_by
)
select $1, $2, n.tag_id, $3, n.kind, $5, n.shown_before, n.shown_after, n.category, n.name, n.state, n.lapsed_by::int[]
from unnest(
    $4::int[], $6::text[], $7::boolean[], $8::boolean[], $9::text[], $10::text[], $11::text[], $12::text[]
) as n (tag_id, kind, shown_before, shown_after, category, name, state, lapsed_by);

-- name: tag_changes_since
-- Return the structural changes after a version; known is false where the log does not hold it at that instant.
select s.tag_version as head_version, s.tag_version_at as head_at,
    (s.tag_base_version, s.tag_base_at) = ($2, $3)
    or exists (select from tag_change k where k.channel_id = $1 and k.version = $2 and k.at = $3) as known,
    c.version, c.at, c.tag_id, c.kind, c.cause, c.shown_before, c.shown_after
from channel_state s
left join tag_change c on c.channel_id = s.channel_id and c.version > $2
where s.channel_id = $1
order by c.version, c.tag_id;

-- name: raise_tag_base
-- Record the newest structural change that leaves the log.
update channel_state s
set tag_base_version = old.version, tag_base_at = old.at
from (
    select version, at from tag_change where channel_id = $1 and at < $2 order by version desc limit 1
) old
where s.channel_id = $1 and s.tag_base_version < old.version
returning s.tag_base_version;

-- name: prune_tag_changes
-- Delete structural changes up to a version.
delete from tag_change where channel_id = $1 and version <= $2;

-- name: sample_sizes
-- Record how many members each living tag of a channel shows, where that differs from the last sample.
insert into tag_size (channel_id, tag_id, at, members)
select $1, t.tag_id, $2, n.members
from tag t
left join (
    select k.tag_id, sum(k.members)::int as members
    from tag_member_count k
    where k.channel_id = $1
    group by k.tag_id
) c using (tag_id)
cross join lateral (
    select case when t.state = 'ACTIVE' then coalesce(c.members, 0) else 0 end as members
) n
left join lateral (
    select s.members
    from tag_size s
    where s.channel_id = $1 and s.tag_id = t.tag_id
    order by s.at desc
    limit 1
) before on true
where t.channel_id = $1 and t.deleted_at is null and n.members is distinct from before.members
on conflict do nothing;

-- name: thin_sizes
-- Thin the samples before $2 to the last in each span of $3, and delete those that were outdated by $4.
delete from tag_size s
using (
    select tag_id, at, lead(at) over (partition by tag_id order by at) as next_at
    from tag_size
    where channel_id = $1
) n
where s.channel_id = $1 and s.tag_id = n.tag_id and s.at = n.at and s.at < $2
  and (
      n.next_at <= $4
      or date_bin($3, n.next_at, timestamptz '2000-01-01 00:00+00')
          = date_bin($3, s.at, timestamptz '2000-01-01 00:00+00')
  );

-- name: sizes_since
-- Return how large tags were from an instant on, beginning with what was true at that instant.
select s.tag_id, greatest(s.at, $3) as at, s.members
from tag_size s
where s.channel_id = $1 and s.tag_id = any($2::int[])
  and s.at >= coalesce((
      select max(b.at) from tag_size b where b.channel_id = $1 and b.tag_id = s.tag_id and b.at <= $3
  ), $3)
order by s.tag_id, s.at;

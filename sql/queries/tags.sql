-- name: insert_tag
-- A new tag; a living namesake violates tag_name_taken.
insert into tag (channel_id, tag_id, kind, category, name, description, state, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8);

-- name: update_tags
-- Tags as they shall be after an edit; a deleted one gives its name free.
update tag t
set category = n.category, name = n.name, description = n.description, state = n.state, version = n.version,
    updated_at = n.updated_at, deleted_at = n.deleted_at
from unnest(
    $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::timestamptz[], $9::timestamptz[]
) as n (tag_id, category, name, description, state, version, updated_at, deleted_at)
where t.channel_id = $1 and t.tag_id = n.tag_id;

-- name: catalogue
-- Every tag of a channel, deleted ones too, with the version of the channel's tag states they are from.
select s.tag_version, s.tag_version_at, s.open, s.default_tags_as_of,
    t.tag_id, t.kind, t.category, t.name, t.description, t.state, t.version, t.created_at, t.updated_at, t.deleted_at
from channel_state s
left join tag t on t.channel_id = s.channel_id
where s.channel_id = $1
order by t.tag_id;

-- name: log_tag_changes
-- What a structural change did to the tags of a channel.
insert into tag_change (channel_id, version, tag_id, at, kind, cause, shown_before, shown_after)
select $1, $2, n.tag_id, $3, n.kind, $5, n.shown_before, n.shown_after
from unnest($4::int[], $6::text[], $7::boolean[], $8::boolean[]) as n (tag_id, kind, shown_before, shown_after);

-- name: tag_changes_since
-- Structural changes after a version; known is false where the log never held that version at that instant.
select s.tag_version as head_version, s.tag_version_at as head_at,
    (s.tag_base_version, s.tag_base_at) = ($2, $3)
    or exists (select from tag_change k where k.channel_id = $1 and k.version = $2 and k.at = $3) as known,
    c.version, c.at, c.tag_id, c.kind, c.cause, c.shown_before, c.shown_after
from channel_state s
left join tag_change c on c.channel_id = s.channel_id and c.version > $2
where s.channel_id = $1
order by c.version, c.tag_id;

-- name: raise_tag_base
-- Remembers the newest structural change that leaves the log.
update channel_state s
set tag_base_version = old.version, tag_base_at = old.at
from (
    select version, at from tag_change where channel_id = $1 and at < $2 order by version desc limit 1
) old
where s.channel_id = $1 and s.tag_base_version < old.version
returning s.tag_base_version;

-- name: prune_tag_changes
-- Forgets structural changes up to a version.
delete from tag_change where channel_id = $1 and version <= $2;

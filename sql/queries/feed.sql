-- name: read_positions
-- Return the positions of openids in one snapshot: gate, tag states, and of known people the block and the tag ids.
select s.open, s.tag_version, s.tag_version_at, u.openid, u.ordinal, h.version, h.at,
    array(
        select t.tag_id
        from tag_members t
        where t.channel_id = $1 and t.block = u.ordinal / 32000 and get_bit(t.members, u.ordinal % 32000) = 1
    ) as tag_ids
from channel_state s
left join channel_user u on u.channel_id = s.channel_id and u.openid = any($2::text[])
left join block_head h on h.channel_id = s.channel_id and h.block = u.ordinal / 32000
where s.channel_id = $1;

-- name: current_revisions
-- Return the versions of the tag states and of blocks: what a lost notification would have said.
select s.tag_version, s.tag_version_at, h.block, h.version, h.at
from channel_state s
left join block_head h on h.channel_id = s.channel_id and h.block = any($2::int[])
where s.channel_id = $1;

-- name: block_positions_of
-- Return the positions of those of these openids that are known, and what last changed their tags, or their openid.
select u.openid, u.ordinal, h.version, h.at, (
        select c.cause from (
            (
                select c.version, c.at, c.cause from user_tag_change c
                where c.channel_id = $1 and c.block = h.block and c.user_offset = u.ordinal % 32000
                order by c.version desc limit 1
            )
            union all
            select max(b.version), max(b.at), min(b.cause) from bulk_tag_change b
            where b.channel_id = $1 and b.block = h.block and b.version = (
                select max(version) from bulk_tag_change n
                where n.channel_id = $1 and n.block = h.block and (
                    n.added_offsets @> array[(u.ordinal % 32000)::smallint] or get_bit(n.added, u.ordinal % 32000) = 1
                    or n.removed_offsets @> array[(u.ordinal % 32000)::smallint]
                    or get_bit(n.removed, u.ordinal % 32000) = 1
                )
            )
            union all
            select 0, max(f.migrated_at), 'OPENID_MIGRATED' from former_openid f
            where f.channel_id = $1 and f.ordinal = u.ordinal
        ) c
        where c.at is not null
        order by c.at desc, c.version desc limit 1
    ) as last_cause,
    array(
        select t.tag_id
        from tag_members t
        where t.channel_id = $1 and t.block = u.ordinal / 32000 and get_bit(t.members, u.ordinal % 32000) = 1
    ) as tag_ids
from channel_user u
join block_head h on h.channel_id = $1 and h.block = u.ordinal / 32000
where u.channel_id = $1 and u.openid = any($2::text[]);

-- name: log_reach
-- Return the earliest instant at which the logs of a channel still tell who had which tag.
select greatest(
    c.bound_at,
    case when s.tag_base_version > 0 then s.tag_base_at end,
    (select max(h.base_at) from block_head h where h.channel_id = $1 and h.base_version > 0)
) as reach
from channel c
join channel_state s on s.channel_id = $1
where c.channel_id = $1;

-- name: shown_steps
-- List, in order, the structural changes after instant $3 by which these tags came to be shown, or no longer were.
select tag_id, at, cause, shown_after
from tag_change
where channel_id = $1 and tag_id = any($2::int[]) and at > $3 and shown_before <> shown_after
order by version, tag_id;

-- name: versions_at
-- Return the versions that the first $3 blocks from $2 on had at instant $4, null where the log no longer reaches it.
-- The instants of a log ascend with its versions, so the version is found by halving, without an index of instants.
with recursive chosen as materialized (
    select block, version, at, base_version, base_version = 0 or base_at <= $4 as reached
    from block_head
    where channel_id = $1 and block >= $2
    order by block
    limit $3
),
search (block, low, high) as (
    select block, base_version, version from chosen where at > $4 and reached
    union all
    select s.block, case when m.later then s.low else m.middle end, case when m.later then m.middle - 1 else s.high end
    from search s
    cross join lateral (
        select h.middle, coalesce(least(
            (
                select l.at from user_tag_change l
                where l.channel_id = $1 and l.block = s.block and l.version >= h.middle
                order by l.version limit 1
            ),
            (
                select l.at from bulk_tag_change l
                where l.channel_id = $1 and l.block = s.block and l.version >= h.middle
                order by l.version limit 1
            )
        ) > $4, true) as later
        from (select (s.low + s.high + 1) / 2 as middle) h
        offset 0
    ) m
    where s.low < s.high
)
select c.block, case when c.reached then coalesce(s.low, c.version) end as version
from chosen c
left join search s on s.block = c.block and s.low = s.high
order by c.block;

-- name: past_members
-- Return, for blocks $2, the present bits of tags $4 and what to flip of them to come back to versions $3: offsets, two
-- bytes each, and bitmaps; what stands there an even number of times is as it is now. A row without a tag tells of each
-- block whether its log still reaches the version. Forgotten people, whose past is not kept, are left out, and ordinals
-- that nobody has: only repairs and unions of users can have logged such.
with kept as materialized (
    select k.block, k.version, h.base_version <= k.version as reached
    from unnest($2::int[], $3::bigint[]) as k (block, version)
    join block_head h on h.channel_id = $1 and h.block = k.block
)
select k.block, k.reached, null::int as tag_id, null::bit(32000) as members, null::bytea as offsets,
    null::bit(32000) as flips
from kept k
union all
select k.block, true, m.tag_id, m.members, null, null
from kept k
join tag_members m on m.channel_id = $1 and m.block = k.block and m.tag_id = any($4::int[])
union all
select k.block, true, f.tag_id, null, f.offsets, null
from kept k
cross join lateral (
    select t.tag_id, string_agg(int2send(l.user_offset), '') as offsets
    from user_tag_change l
    cross join lateral unnest(l.added || l.removed) as t (tag_id)
    where l.channel_id = $1 and l.block = k.block and l.version > k.version and t.tag_id = any($4::int[])
      and (l.cause not in ('FORGOTTEN', 'OPENID_MIGRATED', 'REPAIRED') or l.cause <> 'FORGOTTEN' and exists (
          select from channel_user u where u.channel_id = $1 and u.ordinal = l.block * 32000 + l.user_offset
      ))
    group by t.tag_id
    offset 0
) f
union all
select k.block, true, f.tag_id, null, f.offsets, null
from kept k
cross join lateral (
    select l.tag_id, string_agg(int2send(o.user_offset), '') as offsets
    from bulk_tag_change l
    cross join lateral unnest(l.added_offsets || l.removed_offsets) as o (user_offset)
    where l.channel_id = $1 and l.block = k.block and l.version > k.version and l.tag_id = any($4::int[])
      and (l.cause <> 'REPAIRED' or exists (
          select from channel_user u where u.channel_id = $1 and u.ordinal = l.block * 32000 + o.user_offset
      ))
    group by l.tag_id
    offset 0
) f
union all
select k.block, true, f.tag_id, null, f.offsets, null
from kept k
cross join lateral (
    select l.tag_id, string_agg(int2send((u.ordinal % 32000)::smallint), '') as offsets
    from bulk_tag_change l
    join channel_user u on u.channel_id = $1 and u.ordinal between l.block * 32000 and l.block * 32000 + 31999
        and (get_bit(l.added, u.ordinal % 32000) = 1 or get_bit(l.removed, u.ordinal % 32000) = 1)
    where l.channel_id = $1 and l.block = k.block and l.version > k.version and l.tag_id = any($4::int[])
      and l.cause = 'REPAIRED'
    group by l.tag_id
    offset 0
) f
union all
select k.block, true, f.tag_id, null, null, f.flips
from kept k
cross join lateral (
    select l.tag_id, bit_xor(coalesce(l.added, 0::bit(32000)) # coalesce(l.removed, 0::bit(32000))) as flips
    from bulk_tag_change l
    where l.channel_id = $1 and l.block = k.block and l.version > k.version and l.tag_id = any($4::int[])
      and l.cause <> 'REPAIRED' and (l.added is not null or l.removed is not null)
    group by l.tag_id
    offset 0
) f;

-- name: tag_flow
-- Count who got and who lost tags $4 since blocks $2 were at versions $3, by cause and by how many of the ascending
-- instants $5 had come; a row without a cause says how many have the tag now. Left out are the same people as there.
with kept as materialized (
    select k.block, k.version from unnest($2::int[], $3::bigint[]) as k (block, version)
),
change as (
    select f.* from kept k
    cross join lateral (
        select t.tag_id, l.cause, width_bucket(l.at, $5::timestamptz[]) as passed, t.entered, t.gone
        from user_tag_change l
        cross join lateral (
            select a.tag_id, 1 as entered, 0 as gone from unnest(l.added) as a (tag_id)
            union all
            select r.tag_id, 0, 1 from unnest(l.removed) as r (tag_id)
        ) t
        where l.channel_id = $1 and l.block = k.block and l.version > k.version and t.tag_id = any($4::int[])
          and (l.cause not in ('FORGOTTEN', 'OPENID_MIGRATED', 'REPAIRED') or l.cause <> 'FORGOTTEN' and exists (
              select from channel_user u where u.channel_id = $1 and u.ordinal = l.block * 32000 + l.user_offset
          ))
        offset 0
    ) f
    union all
    select f.* from kept k
    cross join lateral (
        select l.tag_id, l.cause, width_bucket(l.at, $5::timestamptz[]) as passed,
            (coalesce(bit_count(l.added), 0) + coalesce(cardinality(l.added_offsets), 0))::int as entered,
            (coalesce(bit_count(l.removed), 0) + coalesce(cardinality(l.removed_offsets), 0))::int as gone
        from bulk_tag_change l
        where l.channel_id = $1 and l.block = k.block and l.version > k.version and l.tag_id = any($4::int[])
          and l.cause <> 'REPAIRED'
        offset 0
    ) f
    union all
    select f.* from kept k
    cross join lateral (
        select l.tag_id, l.cause, width_bucket(l.at, $5::timestamptz[]) as passed,
            (l.added_offsets @> array[o.user_offset] or get_bit(l.added, o.user_offset) = 1)::int as entered,
            (l.removed_offsets @> array[o.user_offset] or get_bit(l.removed, o.user_offset) = 1)::int as gone
        from bulk_tag_change l
        join channel_user u on u.channel_id = $1 and u.ordinal between l.block * 32000 and l.block * 32000 + 31999
        cross join lateral (select (u.ordinal % 32000)::smallint as user_offset) o
        where l.channel_id = $1 and l.block = k.block and l.version > k.version and l.tag_id = any($4::int[])
          and l.cause = 'REPAIRED'
        offset 0
    ) f
)
select tag_id, cause, passed, sum(entered)::int as entered, sum(gone)::int as gone
from change
group by tag_id, cause, passed
union all
select tag_id, null, null, sum(members)::int, 0
from tag_member_count
where channel_id = $1 and tag_id = any($4::int[])
group by tag_id;

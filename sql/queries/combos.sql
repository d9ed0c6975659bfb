-- name: insert_combo
-- Insert what a new combo is made of.
insert into combo_tag (channel_id, tag_id, expression) values ($1, $2, $3);

-- name: restart_combos
-- Replace what combos are made of, and have their members computed afresh.
update combo_tag c
set expression = n.expression, generation = c.generation + 1, next_block = 0, started_at = null
from unnest($2::int[], $3::text[]) as n (tag_id, expression)
where c.channel_id = $1 and c.tag_id = n.tag_id;

-- name: lock_combo
-- Return and lock the computation of a combo, unless another process has it.
select tag_id, expression, generation, next_block, started_at, as_of
from combo_tag
where channel_id = $1 and tag_id = $2
for update skip locked;

-- name: save_combo_progress
-- Record how far the computation of a combo has come.
update combo_tag
set next_block = $3, started_at = coalesce(started_at, $4)
where channel_id = $1 and tag_id = $2;

-- name: set_combo_as_of
-- Record when a combo became ACTIVE.
update combo_tag set as_of = $3 where channel_id = $1 and tag_id = $2;

-- name: raise_combos_as_of
-- Record that a refresh of every block is through; combos whose computation began anew meanwhile are left out.
update combo_tag c
set as_of = greatest(c.as_of, $4)
from unnest($2::int[], $3::int[]) as n (tag_id, generation)
where c.channel_id = $1 and c.tag_id = n.tag_id and c.generation = n.generation;

-- name: bump_combos_epoch
-- Have the combos of every block computed again; run under the lock of channel_state.
update channel_state set combos_epoch = combos_epoch + 1 where channel_id = $1;

-- name: combo_graph
-- Return every tag of a channel with what combos are made of, in one snapshot.
select s.tag_version, s.tag_version_at, s.open, s.default_tags_as_of, s.combos_epoch,
    t.tag_id, t.kind, t.category, t.name, t.description, t.state, t.version, t.created_at, t.updated_at, t.deleted_at,
    t.merged_into, c.expression, c.generation, c.next_block, c.started_at, c.as_of
from channel_state s
left join tag t on t.channel_id = s.channel_id
left join combo_tag c on c.channel_id = s.channel_id and c.tag_id = t.tag_id
where s.channel_id = $1
order by t.tag_id;

-- name: combos_of
-- List what the combos of a channel are made of, deleted ones too.
select tag_id, expression, generation, next_block, started_at, as_of from combo_tag where channel_id = $1;

-- name: has_pending_combos
-- Tell whether some combo of the channel waits to be computed.
select exists (
    select from tag where channel_id = $1 and kind = 'COMBO' and state = 'PENDING' and deleted_at is null
);

-- name: blocks_from
-- List the next blocks of a channel in order.
select block from block_head where channel_id = $1 and block >= $2 order by block limit $3;

-- name: stale_blocks
-- List the blocks that changed since their combos were computed; all of them after the epoch grew.
select h.block
from block_head h
join channel_state s on s.channel_id = h.channel_id
where h.channel_id = $1 and (h.combos_version <> h.version or h.combos_epoch <> s.combos_epoch)
order by h.block;

-- name: stale_among
-- List which of these locked blocks changed since their combos were computed in this epoch.
select block from block_head
where channel_id = $1 and block = any($2::int[]) and (combos_version <> version or combos_epoch <> $3)
order by block;

-- name: blocks_with_members
-- List the blocks in which a user has one of these tags, as the counts say.
select distinct block from tag_member_count
where channel_id = $1 and tag_id = any($2::int[]) and members <> 0
order by block;

-- name: wrong_members
-- Count, for each computed tag of locked blocks, the people who have it wrongly or lack it.
select tag_id, sum(bit_count(before # after))::int as people
from (
    /* computed */
    select h.block, 0 as tag_id, 0::bit(32000) as before, 0::bit(32000) as after
    from block_head h where h.channel_id = $1 and h.block = any($2::int[]) and false
    /* end */
) difference
group by tag_id
order by tag_id;

-- name: write_members
-- Write computed members into locked blocks: bits, counts, the log and the heads. A few people are logged one by one,
-- many by tag. With $5 every combo of the blocks was computed, in epoch $6; without it a block that was up to date
-- stays so.
with difference as materialized (
    /* computed */
    select h.block, 0 as tag_id, 0::bit(32000) as before, 0::bit(32000) as after
    from block_head h where h.channel_id = $1 and h.block = any($2::int[]) and false
    /* end */
),
touched as materialized (
    select block, bit_or(before # after) as flips from difference group by block
),
head as materialized (
    select h.block, t.block is not null as changed,
        case when t.block is null then h.version else h.version + 1 end as version,
        case when t.block is null then h.at else greatest(h.at, $3::timestamptz) end as at
    from block_head h
    left join touched t on t.block = h.block
    where h.channel_id = $1 and h.block = any($2::int[])
),
written as (
    insert into tag_members as t (channel_id, block, tag_id, members)
    select $1, d.block, d.tag_id, d.after from difference d
    on conflict (channel_id, block, tag_id) do update set members = excluded.members
),
counted as (
    insert into tag_member_count as c (channel_id, block, tag_id, members, at)
    select $1, d.block, d.tag_id, bit_count(d.after)::int, h.at
    from difference d join head h on h.block = d.block
    on conflict (channel_id, block, tag_id) do update set members = excluded.members, at = excluded.at
),
few as materialized (
    select t.block, o.user_offset
    from touched t
    cross join generate_series(0, 31744, 256) p (start)
    cross join lateral generate_series(p.start, p.start + 255) o (user_offset)
    where bit_count(t.flips) <= 64
      and bit_count(substring(t.flips from p.start + 1 for 256)) > 0
      and get_bit(t.flips, o.user_offset) = 1
),
logged_one_by_one as (
    insert into user_tag_change (channel_id, block, version, user_offset, at, cause, added, removed)
    select $1, f.block, h.version, f.user_offset::smallint, h.at, $4,
        coalesce(array_agg(d.tag_id order by d.tag_id) filter (where get_bit(d.after, f.user_offset) = 1), '{}'),
        coalesce(array_agg(d.tag_id order by d.tag_id) filter (where get_bit(d.before, f.user_offset) = 1), '{}')
    from few f
    join head h on h.block = f.block
    join difference d on d.block = f.block and get_bit(d.before, f.user_offset) <> get_bit(d.after, f.user_offset)
    group by f.block, h.version, f.user_offset, h.at
),
logged_by_tag as (
    insert into bulk_tag_change (channel_id, block, version, tag_id, at, cause, added, removed)
    select $1, d.block, h.version, d.tag_id, h.at, $4,
        nullif(d.after & ~d.before, 0::bit(32000)), nullif(d.before & ~d.after, 0::bit(32000))
    from difference d
    join head h on h.block = d.block
    join touched t on t.block = d.block and bit_count(t.flips) > 64
),
advanced as (
    update block_head h
    set version = n.version, at = n.at, latest_at = greatest(h.latest_at, n.at),
        combos_version = case when $5::boolean or h.combos_version = h.version then n.version else h.combos_version end,
        combos_epoch = case when $5::boolean then $6::bigint else h.combos_epoch end
    from head n
    where h.channel_id = $1 and h.block = n.block and (n.changed or $5::boolean)
    returning h.block, h.version, n.changed
)
select block, version from advanced where changed order by block;

-- name: count_of_expression
-- Count the people of a set.
select coalesce(sum(bit_count(/* expression */ 0::bit(32000))), 0)::int as members
from block_head h
where h.channel_id = $1;

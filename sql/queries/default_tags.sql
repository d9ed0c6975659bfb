-- name: merge_facts
-- Take the maxima of known and new facts, and return whose default tags differ from the bits, users of a block with
-- the same difference together. A timer is set only where the present one would come too late. Where a boundary lies
-- between the latest evaluation of a block and this one, the head records this one even if no bit changes: an earlier
-- instant would see another tag. No user is evaluated before the newest run's instant, which is read here because the
-- blocks are locked. A row without rules names people who do not exist (any more), or with `moved` people whose last
-- follow or unfollow is a later one now; those only where a tag of the channel was ever linked to a remote one.
with event as (
    select e.ordinal, greatest(e.now, s.default_tags_run_at) as now, e.followed_at, e.unfollowed_at, e.messaged_at,
        e.clicked_at, e.scanned_at, e.paid_at, e.ad_followed_at
    from unnest(
        $2::int[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
        $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[]
    ) as e (
        ordinal, now, followed_at, unfollowed_at, messaged_at,
        clicked_at, scanned_at, paid_at, ad_followed_at
    )
    join channel_state s on s.channel_id = $1
),
merged as (
    select e.ordinal, e.now, f.facts, w.w, b.boundary,
        b.boundary is not null and (u.wake_at > e.now and u.wake_at <= b.boundary) is not true as needs_timer,
        (f.facts).followed_at is distinct from (u.facts).followed_at
            or (f.facts).unfollowed_at is distinct from (u.facts).unfollowed_at as moved
    from event e
    join user_facts u on u.channel_id = $1 and u.ordinal = e.ordinal
    cross join lateral (
        select row(
            greatest((u.facts).followed_at, e.followed_at), greatest((u.facts).unfollowed_at, e.unfollowed_at),
            greatest((u.facts).messaged_at, e.messaged_at), greatest((u.facts).clicked_at, e.clicked_at),
            greatest((u.facts).scanned_at, e.scanned_at), greatest((u.facts).paid_at, e.paid_at),
            greatest((u.facts).ad_followed_at, e.ad_followed_at)
        )::facts as facts
    ) f
    cross join current_windows w
    cross join lateral (select next_boundary(f.facts, $11, w.w, e.now) as boundary) b
    where f.facts is distinct from u.facts
),
updated as (
    update channel_user u
    set followed_at = (m.facts).followed_at,
        unfollowed_at = (m.facts).unfollowed_at,
        messaged_at = (m.facts).messaged_at,
        clicked_at = (m.facts).clicked_at,
        scanned_at = (m.facts).scanned_at,
        paid_at = (m.facts).paid_at,
        ad_followed_at = (m.facts).ad_followed_at,
        wake_at = case when m.needs_timer then m.boundary else u.wake_at end
    from merged m
    where u.channel_id = $1 and u.ordinal = m.ordinal
    returning u.ordinal, default_rules(m.facts, $11, $12, m.w, m.now) as rules
),
timer_set as (
    insert into alarm (channel_id, block, wake_at, user_offset)
    select $1, ordinal / 32000, boundary, ordinal % 32000 from merged where needs_timer
    on conflict do nothing
),
evaluated_late as (
    update block_head h
    set latest_at = greatest(h.latest_at, m.now)
    from (
        select m.ordinal / 32000 as block, max(m.now) as now
        from merged m
        join block_head b on b.channel_id = $1 and b.block = m.ordinal / 32000
        where next_boundary(m.facts, $11, m.w, b.latest_at) <= m.now
        group by 1
    ) m
    where h.channel_id = $1 and h.block = m.block
)
select n.ordinal / 32000 as block, n.rules, o.rules as old_rules, false as moved,
    array_agg((n.ordinal % 32000)::smallint order by n.ordinal) as offsets
from updated n
cross join lateral (
    select coalesce(sum(get_bit(t.members, n.ordinal % 32000) << (t.tag_id - 1)), 0)::int as rules
    from tag_members t
    where t.channel_id = $1 and t.block = n.ordinal / 32000 and t.tag_id <= 8
) o
where n.rules <> o.rules
group by 1, 2, 3
union all
select e.ordinal / 32000, null, null, false, array_agg((e.ordinal % 32000)::smallint)
from event e
where not exists (select from channel_user u where u.channel_id = $1 and u.ordinal = e.ordinal)
group by 1
union all
select m.ordinal / 32000, null, null, true, array[(m.ordinal % 32000)::smallint]
from merged m
where m.moved and exists (select from remote_tag r where r.channel_id = $1)
order by 1, 2, 3;

-- name: cross_boundaries
-- Re-evaluate the users of locked blocks whose boundary lies in (after, until], and set their next timers. The rules
-- are applied where the row is read, and the rows of a block are fetched together: both is most of what a run costs.
with visit as (
    select * from unnest($2::int[], $3::timestamptz[], $4::timestamptz[]) as v (block, after, until)
),
due_timers as materialized (
    select v.block, v.after, v.until, array_agg(v.block * 32000 + a.user_offset order by a.user_offset) as ordinals
    from visit v
    join alarm a on a.channel_id = $1 and a.block = v.block and a.wake_at > v.after and a.wake_at <= v.until
    group by 1, 2, 3
),
due as materialized (
    select t.block, (u.ordinal - t.block * 32000)::smallint as user_offset,
        default_rules(u.facts, $5, $6, w.w, t.until) as rules, next_boundary(u.facts, $5, w.w, t.until) as boundary
    from due_timers t
    join user_facts u
        on u.channel_id = $1 and u.ordinal = any(t.ordinals) and u.wake_at > t.after and u.wake_at <= t.until
    cross join current_windows w
),
timer_set as (
    insert into alarm (channel_id, block, wake_at, user_offset)
    select $1, block, boundary, user_offset from due where boundary is not null
    on conflict do nothing
),
wake_at_set as (
    update channel_user u
    set wake_at = d.boundary
    from due d
    where u.channel_id = $1 and u.ordinal = d.block * 32000 + d.user_offset and d.boundary is not null
),
bits as materialized (
    select * from default_tag_bits where channel_id = $1 and block = any($2::int[])
),
evaluated as materialized (
    select d.block, d.user_offset, d.rules, rules_at(d.user_offset, t1, t2, t3, t4, t5, t6, t7, t8) as old_rules
    from due d join bits using (block)
)
select block, rules, old_rules, array_agg(user_offset order by user_offset) as offsets
from evaluated
where rules <> old_rules
group by 1, 2, 3
order by 1, 2, 3;

-- name: default_tag_differences
-- List the users of a locked block whose bits are not what the facts say at $3.
with bits as materialized (
    select * from default_tag_bits where channel_id = $1 and block = $2
),
evaluated as (
    select u.ordinal % 32000 as user_offset,
        default_rules(u.facts, $4, $5, w.w, $3) as rules,
        rules_at(u.ordinal % 32000, t1, t2, t3, t4, t5, t6, t7, t8) as old_rules
    from user_facts u
    cross join current_windows w
    cross join bits
    where u.channel_id = $1 and u.ordinal between $2 * 32000 and $2 * 32000 + 31999
)
select $2::int as block, rules, old_rules, array_agg(user_offset::smallint order by user_offset) as offsets
from evaluated
where rules <> old_rules
group by 2, 3
order by 2, 3;

-- name: schedule_reevaluation
-- Set the missing timers of a locked block: those of every user who has none, by their next boundary after $3.
with missing_timers as materialized (
    select f.ordinal, b.boundary
    from user_facts f
    cross join current_windows w
    cross join lateral (select next_boundary(f.facts, $4, w.w, $3) as boundary) b
    left join alarm a
        on a.channel_id = $1 and a.block = $2 and a.wake_at = f.wake_at and a.user_offset = f.ordinal - $2 * 32000
    where f.channel_id = $1 and f.ordinal between $2 * 32000 and $2 * 32000 + 31999
      and b.boundary is not null
      and (a.wake_at is null or f.wake_at > b.boundary or f.wake_at <= $3)
),
timer_set as (
    insert into alarm (channel_id, block, wake_at, user_offset)
    select $1, $2, boundary, ordinal - $2 * 32000 from missing_timers
    on conflict do nothing
),
wake_at_set as (
    update channel_user u
    set wake_at = m.boundary
    from missing_timers m
    where u.channel_id = $1 and u.ordinal = m.ordinal and u.ordinal between $2 * 32000 and $2 * 32000 + 31999
)
select ordinal from missing_timers;

-- name: prune_timers
-- Delete the timers of a locked block that are spent.
delete from alarm a
using block_head h
where h.channel_id = $1 and h.block = $2
  and a.channel_id = $1 and a.block = $2 and a.wake_at <= h.evaluated_at;

-- name: insert_windows
-- Insert new windows; the scheduled run re-evaluates the blocks one by one. No row where another process was faster.
insert into touch_windows (version, follow, menu_click, scan, message, payment, new_user, set_at)
select max(version) + 1, $1, $2, $3, $4, $5, $6, $7 from touch_windows
on conflict do nothing
returning version;

-- name: current_windows
-- Return the windows in force.
select * from touch_windows order by version desc limit 1;

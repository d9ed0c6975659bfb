-- name: only_touchable_will_be
-- Tell whether whoever is touchable at instant $2 or later has the tag Touchable now, unless something happens: every
-- block was evaluated by the newest windows and rules, and before that instant.
select not exists (
    select from block_head
    where channel_id = $1 and (windows_version < (select max(version) from touch_windows) or latest_at >= $2)
);

-- name: touchable_at_instants
-- Count these people by at how many of the instants $5, which ascend, they are touchable if nothing happens; $4 says that
-- they have default tags. The list is a subquery so that the planner does not look at each of its entries.
select f.instants, count(*)::int as people
from (
    select width_bucket(touchable_until(u.facts, w.w) - interval '1 microsecond', $5::timestamptz[]) as instants
    from user_facts u
    cross join current_windows w
    where u.channel_id = $1 and u.ordinal = any((select $2::int[])::int[]) and ($4 or in_default_tags(u.facts, $3))
) f
where f.instants > 0
group by f.instants;

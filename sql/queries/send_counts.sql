-- name: insert_send_counts
-- Make counters that do not exist yet, with nobody counted: their plane 0 is what locks a counter.
insert into send_count (channel_id, class, day, block, plane, members)
select $1, n.class, n.day, n.block, 0, 0::bit(32000)
from unnest($2::text[], $3::date[], $4::int[]) as n (class, day, block)
order by n.class, n.day, n.block
on conflict (channel_id, class, day, block, plane) do nothing;

-- name: lock_send_counts
-- Lock counters until the transaction ends; a statement of its own, so that the next one sees what others counted.
select from send_count s
join unnest($2::text[], $3::date[], $4::int[]) as n (class, day, block)
  on s.class = n.class and s.day = n.day and s.block = n.block
where s.channel_id = $1 and s.plane = 0
order by s.class, s.day, s.block
for update of s;

-- name: send_counts_since
-- Read the counters of a class and these blocks from a day and a plane on, but for planes that are empty.
select day, block, plane, members
from send_count
where channel_id = $1 and class = $2 and day >= $3 and block = any($4::int[]) and plane >= $5 and members <> 0::bit(32000)
order by day, block, plane;

-- name: save_send_counts
-- Write planes of locked counters.
insert into send_count (channel_id, class, day, block, plane, members)
select $1, n.class, n.day, n.block, n.plane, n.members::bit(32000)
from unnest($2::text[], $3::date[], $4::int[], $5::int[], $6::varbit[]) as n (class, day, block, plane, members)
order by n.class, n.day, n.block, n.plane
on conflict (channel_id, class, day, block, plane) do update set members = excluded.members;

-- name: prune_send_counts
-- Delete the counters of a class of days before one.
delete from send_count where channel_id = $1 and class = $2 and day < $3;

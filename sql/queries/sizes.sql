-- name: sample_sizes
-- Remembers how large each living tag of a channel is, where that is not what was remembered last.
insert into tag_size (channel_id, tag_id, at, members)
select $1, t.tag_id, $2, coalesce(c.members, 0)
from tag t
left join (
    select k.tag_id, sum(k.members)::int as members
    from tag_member_count k
    where k.channel_id = $1
    group by k.tag_id
) c using (tag_id)
left join lateral (
    select s.members
    from tag_size s
    where s.channel_id = $1 and s.tag_id = t.tag_id
    order by s.at desc
    limit 1
) before on true
where t.channel_id = $1 and t.deleted_at is null and coalesce(c.members, 0) is distinct from before.members
on conflict do nothing;

-- name: thin_sizes
-- Of samples before $2 keeps the last in each span of $3, and forgets those that were outdated before $4.
delete from tag_size s
using (
    select tag_id, at, lead(at) over (partition by tag_id order by at) as next_at
    from tag_size
    where channel_id = $1
) n
where s.channel_id = $1 and s.tag_id = n.tag_id and s.at = n.at and s.at < $2
  and (
      n.next_at <= $4
      or date_bin($3, n.next_at, timestamptz '2000-01-01 00:00+00') = date_bin($3, s.at, timestamptz '2000-01-01 00:00+00')
  );

-- name: sizes_since
-- How large some tags were from an instant on, beginning with what was true at that instant.
select s.tag_id, greatest(s.at, $3) as at, s.members
from tag_size s
where s.channel_id = $1 and s.tag_id = any($2::int[])
  and s.at >= coalesce((
      select max(b.at) from tag_size b where b.channel_id = $1 and b.tag_id = s.tag_id and b.at <= $3
  ), $3)
order by s.tag_id, s.at;

-- Return the tags that a user shows, one row each. It is the only statement that the compared servers run.
select t.tag_id, t.name, t.category
from channel c
join channel_user u on u.channel_id = c.channel_id
join tag_members m on m.channel_id = c.channel_id and m.block = u.ordinal / 32000
    and get_bit(m.members, u.ordinal % 32000) = 1
join tag t on t.channel_id = c.channel_id and t.tag_id = m.tag_id and t.state = 'ACTIVE' and t.deleted_at is null
join channel_state s on s.channel_id = c.channel_id and s.open
where c.robot_id = 'bench' and c.channel_id = $1 and u.openid = $2
order by t.category, t.name

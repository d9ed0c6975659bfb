-- name: present_openids
-- Return the present openid of those of these former openids that are kept.
select f.openid, u.openid as present
from former_openid f
join channel_user u using (channel_id, ordinal)
where f.channel_id = $1 and f.openid = any($2::text[]);

-- name: former_openids
-- Return those of these openids that users had before a migration, and whose they are.
select openid, ordinal from former_openid where channel_id = $1 and openid = any($2::text[]);

-- name: former_openids_of_users
-- List what these users were called before migrations.
select ordinal, openid from former_openid where channel_id = $1 and ordinal = any($2::int[]) order by ordinal, openid;

-- name: insert_former_openids
-- Keep openids that users had; run under the lock of channel_state.
insert into former_openid (channel_id, openid, ordinal, migrated_at)
select $1, n.openid, n.ordinal, $4
from unnest($2::text[], $3::int[]) as n (openid, ordinal);

-- name: reassign_former_openids
-- Give users the former openids of those who were united with them; run under the lock of channel_state.
update former_openid f
set ordinal = n.older
from unnest($2::int[], $3::int[]) as n (newer, older)
where f.channel_id = $1 and f.ordinal = n.newer;

-- name: delete_former_openids
-- Delete former openids that users have again; run under the lock of channel_state.
delete from former_openid where channel_id = $1 and openid = any($2::text[]);

-- name: delete_former_openids_of_users
-- Delete what forgotten users were called before; run under the lock of channel_state.
delete from former_openid where channel_id = $1 and ordinal = any($2::int[]);

-- name: prune_former_openids
-- Delete at most $3 openids that nothing is expected to come under any more, and return them.
delete from former_openid
where channel_id = $1 and openid = any(array(
    select openid from former_openid where channel_id = $1 and migrated_at < $2 order by migrated_at limit $3
))
returning openid;

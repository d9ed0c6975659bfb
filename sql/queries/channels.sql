-- name: channels_of_robot
-- Every channel the robot ever bound, oldest first.
select * from channel where robot_id = $1 order by channel_id;

-- name: channel_of_robot
-- One channel, only if it is the robot's.
select * from channel where robot_id = $1 and channel_id = $2;

-- name: channels_by_id
-- Channels by their ids, whoever's they are.
select * from channel where channel_id = any($1::bigint[]);

-- name: channel_by_push_secret
-- The channel whose push URL carries this secret.
select * from channel where push_secret_hash = $1;

-- name: channel_by_app_id
-- The robot's channel of this app id, bound or not.
select * from channel where robot_id = $1 and app_id = $2;

-- name: all_channels
-- Every channel of every robot, for the scheduled runs.
select * from channel order by channel_id;

-- name: insert_channel
-- A new channel; a living binding of the app id elsewhere violates channel_app_id_bound.
insert into channel (
    robot_id, kind, app_id, name, verified, bound_at,
    app_secret, callback_token, encoding_aes_key, push_secret, push_secret_hash
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
returning *;

-- name: update_channel
-- What binding again or updateChannel changes; bound_at stays.
update channel
set name = $3, verified = $4, app_secret = $5, callback_token = $6, encoding_aes_key = $7, unbound_at = $8
where robot_id = $1 and channel_id = $2
returning *;

-- name: replace_secrets
-- The old push URL and ad return address are dead at once.
update channel set push_secret = $3, push_secret_hash = $4, ad_secret = $5, ad_secret_hash = $6
where robot_id = $1 and channel_id = $2
returning *;

-- name: channel_by_ad_secret
-- The channel whose ad return address carries this secret.
select * from channel where ad_secret_hash = $1;

-- name: set_missing_ad_secret
-- The first ad return address of a channel.
update channel set ad_secret = $3, ad_secret_hash = $4
where robot_id = $1 and channel_id = $2 and ad_secret is null;

-- name: unbind_channel
-- Nothing is deleted: binding again shows everything as it was.
update channel set unbound_at = $3
where robot_id = $1 and channel_id = $2 and unbound_at is null
returning *;

-- name: home_channel
-- Return the channel with which what belongs to the whole robot is kept: the first that it ever bound.
select min(channel_id) as channel_id from channel where robot_id = $1;

-- name: insert_robot
-- Insert a robot at its first bindChannel.
insert into robot (robot_id, created_at) values ($1, $2) on conflict do nothing;

-- name: lock_robot
-- Lock a robot, so that its bindings come one after the other and its gate is computed from all its channels.
select robot_id from robot where robot_id = $1 for update;

-- name: channels_of_robot
-- List every channel the robot ever bound, oldest first.
select * from channel where robot_id = $1 order by channel_id;

-- name: channel_of_robot
-- Return one channel if it is the robot's.
select * from channel where robot_id = $1 and channel_id = $2;

-- name: channels_by_id
-- Return channels by their ids, of any robot.
select * from channel where channel_id = any($1::bigint[]);

-- name: channel_by_push_secret
-- Return the channel whose push URL carries this secret.
select * from channel where push_secret_hash = $1;

-- name: channel_by_app_id
-- Return the robot's channel of this app id, bound or not.
select * from channel where robot_id = $1 and app_id = $2;

-- name: all_channels
-- List every channel of every robot, for the scheduled runs.
select * from channel order by channel_id;

-- name: insert_channel
-- Insert a channel; a living binding of the app id elsewhere violates channel_app_id_bound.
insert into channel (
    robot_id, kind, app_id, name, verified, bound_at,
    app_secret, callback_token, encoding_aes_key, push_secret, push_secret_hash
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
returning *;

-- name: update_channel
-- Change what binding again or updateChannel changes; bound_at stays.
update channel
set name = $3, verified = $4, app_secret = $5, callback_token = $6, encoding_aes_key = $7, unbound_at = $8
where robot_id = $1 and channel_id = $2
returning *;

-- name: replace_secrets
-- Replace the secrets of the push URL and the ad return address; the old addresses are invalid at once.
update channel set push_secret = $3, push_secret_hash = $4, ad_secret = $5, ad_secret_hash = $6
where robot_id = $1 and channel_id = $2
returning *;

-- name: channel_by_ad_secret
-- Return the channel whose ad return address carries this secret.
select * from channel where ad_secret_hash = $1;

-- name: set_missing_ad_secret
-- Give a channel its first ad return address.
update channel set ad_secret = $3, ad_secret_hash = $4
where robot_id = $1 and channel_id = $2 and ad_secret is null;

-- name: unbind_channel
-- Unbind a channel. Nothing is deleted: binding again shows everything as it was.
update channel set unbound_at = $3
where robot_id = $1 and channel_id = $2 and unbound_at is null
returning *;

-- name: insert_channel_state
-- Insert the counters and the gate of a new channel.
insert into channel_state (channel_id, tag_version_at, tag_base_at, default_tags_as_of) values ($1, $2, $2, $2);

-- name: channel_state
-- Return the gate, the tag-state version and the counters.
select * from channel_state where channel_id = $1;

-- name: lock_channel_state
-- Return and lock the state of a channel: the first lock of every structural change.
select * from channel_state where channel_id = $1 for update;

-- name: bump_tag_version
-- Count a structural change; its instant never goes back.
update channel_state
set tag_version = tag_version + 1, tag_version_at = greatest(tag_version_at, $2), open = $3
where channel_id = $1
returning tag_version, tag_version_at;

-- name: allocate_ordinals
-- Reserve a run of ordinals and count the users who get them.
update channel_state
set next_ordinal = next_ordinal + $2, user_count = user_count + $2
where channel_id = $1
returning next_ordinal - $2 as first_ordinal;

-- name: allocate_tag_id
-- Reserve the number of a new tag; run under the lock of channel_state.
update channel_state set next_tag_id = next_tag_id + 1 where channel_id = $1 returning next_tag_id - 1 as tag_id;

-- name: set_last_push_at
-- Record that pushes decrypt, for operators; written once a minute at most.
update channel_state set last_push_at = $2
where channel_id = $1 and (last_push_at is null or last_push_at < $3);

-- name: set_last_ad_call_at
-- Record that the ad platform calls, for operators; written once a minute at most.
update channel_state set last_ad_call_at = $2
where channel_id = $1 and (last_ad_call_at is null or last_ad_call_at < $3);

-- name: confirm_ad_return
-- Record that the ad platform is known to call the present ad return address.
update channel_state set ad_return_confirmed_at = $2 where channel_id = $1 and ad_return_confirmed_at is null;

-- name: forget_ad_return
-- Record that a new ad return address has to be given to the ad platform.
update channel_state set ad_return_confirmed_at = null where channel_id = $1;

-- name: announce_default_tags_run
-- Announce a run: from the commit on, no transaction evaluates a block at an earlier instant. It never goes back.
update channel_state set default_tags_run_at = greatest(default_tags_run_at, $2) where channel_id = $1
returning default_tags_run_at;

-- name: earliest_evaluation
-- Return the instant of the newest run that has begun; run it once the blocks are locked.
select default_tags_run_at from channel_state where channel_id = $1;

-- name: set_default_tags_as_of
-- Record that every boundary up to this instant has been crossed.
update channel_state set default_tags_as_of = greatest(default_tags_as_of, $2) where channel_id = $1;

-- name: followers
-- Count the followers: each has exactly one of the two follow-time tags.
select coalesce(sum(members), 0)::int as followers
from tag_member_count
where channel_id = $1 and tag_id in (1, 2);

-- name: summary
-- Count channels, users and changes, and return the time of the newest change, for the terminal of `user-tags up`.
select
    (select count(*) from channel where unbound_at is null)::int as channels,
    (select coalesce(sum(user_count), 0) from channel_state)::int as users,
    (select coalesce(sum(version), 0) from block_head)::bigint as changes,
    (select max(at) from block_head where version > 0) as changed_at;

-- name: insert_channel_state
-- The counters and the gate of a new channel.
insert into channel_state (channel_id, tag_version_at, tag_base_at, default_tags_as_of) values ($1, $2, $2, $2);

-- name: channel_state
-- The gate, the tag-state version and the counters.
select * from channel_state where channel_id = $1;

-- name: lock_channel_state
-- The first lock of every structural change.
select * from channel_state where channel_id = $1 for update;

-- name: bump_tag_version
-- A structural change happened; the instant never goes back.
update channel_state
set tag_version = tag_version + 1, tag_version_at = greatest(tag_version_at, $2), open = $3
where channel_id = $1
returning tag_version, tag_version_at;

-- name: allocate_ordinals
-- Reserves a run of ordinals and counts the users who get them.
update channel_state
set next_ordinal = next_ordinal + $2, user_count = user_count + $2
where channel_id = $1
returning next_ordinal - $2 as first_ordinal;

-- name: allocate_tag_id
-- Reserves the number of a new tag; run under the lock of channel_state.
update channel_state set next_tag_id = next_tag_id + 1 where channel_id = $1 returning next_tag_id - 1 as tag_id;

-- name: set_last_push_at
-- Shows operators that pushes decrypt; written once a minute at most.
update channel_state set last_push_at = $2
where channel_id = $1 and (last_push_at is null or last_push_at < $3);

-- name: set_last_ad_call_at
-- Shows operators that the ad platform calls; written once a minute at most.
update channel_state set last_ad_call_at = $2
where channel_id = $1 and (last_ad_call_at is null or last_ad_call_at < $3);

-- name: confirm_ad_return
-- The ad platform is known to call the present ad return address.
update channel_state set ad_return_confirmed_at = $2 where channel_id = $1 and ad_return_confirmed_at is null;

-- name: forget_ad_return
-- A new ad return address has to be given to the ad platform.
update channel_state set ad_return_confirmed_at = null where channel_id = $1;

-- name: announce_default_tags_run
-- From now on whoever locks a block evaluates it no earlier than this; the instant never goes back.
update channel_state set default_tags_run_at = greatest(default_tags_run_at, $2) where channel_id = $1
returning default_tags_run_at;

-- name: earliest_evaluation
-- The instant of the newest run that has begun: ask once the blocks are locked.
select default_tags_run_at from channel_state where channel_id = $1;

-- name: set_default_tags_as_of
-- Every boundary up to this instant has been crossed.
update channel_state set default_tags_as_of = greatest(default_tags_as_of, $2) where channel_id = $1;

-- name: followers
-- Everyone who follows has exactly one of the two follow-time tags.
select coalesce(sum(members), 0)::int as followers
from tag_member_count
where channel_id = $1 and tag_id in (1, 2);

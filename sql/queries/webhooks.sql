-- name: insert_webhook_endpoint
-- Make an endpoint of a robot, which the caller has locked.
insert into webhook_endpoint (
    robot_id, url, description, channel_ids, events, tag_channel_ids, tag_ids, state,
    secret, signing_key, public_key, created_at, created_by
)
values ($1, $2, $3, $4, $5, $6, $7, 'ON', $8, $9, $10, $11, $12)
returning *;

-- name: webhook_endpoints_of_robot
-- List the endpoints of a robot, the oldest first.
select * from webhook_endpoint where robot_id = $1 order by endpoint_id;

-- name: webhook_endpoint_of_robot
-- Return an endpoint, if it is the robot's.
select * from webhook_endpoint where robot_id = $1 and endpoint_id = $2;

-- name: update_webhook_endpoint
-- Change the settings of an endpoint, unless they were changed since version $2: by 410, or because a tag was merged.
update webhook_endpoint set
    url = $3, description = $4, channel_ids = $5, events = $6, tag_channel_ids = $7, tag_ids = $8,
    state = $9, reason = $10, version = version + 1
where endpoint_id = $1 and version = $2
returning *;

-- name: rotate_webhook_secrets
-- Sign with a new secret and key; the present ones sign beside them until $5, and those before them no more.
update webhook_endpoint set
    former_secret = secret, former_signing_key = signing_key, former_until = $5,
    secret = $2, signing_key = $3, public_key = $4, version = version + 1
where endpoint_id = $1
returning *;

-- name: delete_webhook_endpoint
-- Delete an endpoint; its positions are deleted channel by channel.
delete from webhook_endpoint where endpoint_id = $1;

-- name: insert_webhook_position
-- Let an endpoint follow a channel from a position on; where it does so already, nothing changes.
insert into webhook_position (channel_id, endpoint_id, seq, version, user_offset, at, last_delivery_id)
select $1, $2, $3, $4, $5, $6, coalesce(max(d.delivery_id), 0)
from webhook_delivery d where d.channel_id = $1 and d.endpoint_id = $2
on conflict do nothing;

-- name: delete_webhook_position
-- Let an endpoint follow a channel no longer; an attempt that is under way has no say any more.
delete from webhook_position where channel_id = $1 and endpoint_id = $2;

-- name: retry_webhook_position
-- Let what an endpoint was not told of a channel be tried at once.
update webhook_position set next_attempt_at = $3
where channel_id = $1 and endpoint_id = $2 and next_attempt_at > $3;

-- name: give_up_webhook_delivery
-- Let the delivery that is under way to an endpoint, if there is one, be tried no more.
update webhook_delivery d set next_attempt_at = null
from webhook_position p
where d.channel_id = $1 and p.channel_id = $1 and p.endpoint_id = $2
  and d.endpoint_id = $2 and d.delivery_id = p.delivery_id;

-- name: move_webhook_position
-- Let an endpoint be told of a channel from another position on; an attempt that is under way moves it no more.
update webhook_position set
    seq = $3, version = $4, user_offset = $5, at = $6, missed = $7,
    delivery_id = null, next_attempt_at = null, turn = turn + 1
where channel_id = $1 and endpoint_id = $2;

-- name: webhook_positions
-- List how far endpoints have been told of a channel, and the oldest entry that waits for each.
select p.*, (
    select e.seq from feed_entry e
    where e.channel_id = p.channel_id and (e.seq > p.seq or e.seq = p.seq and e.to_version > p.version)
    order by e.seq
    limit 1
) as waiting_seq
from webhook_position p
where p.channel_id = $1 and p.endpoint_id = any($2::bigint[])
order by p.endpoint_id;

-- name: webhook_deliveries
-- List at most $5 deliveries of a channel to an endpoint, the newest first, from an instant and a number there back.
select * from webhook_delivery
where channel_id = $1 and endpoint_id = $2 and (created_at, delivery_id) < ($3, $4)
order by created_at desc, delivery_id desc
limit $5;

-- name: webhook_delivery
-- Return one delivery, if there is such.
select * from webhook_delivery where channel_id = $1 and endpoint_id = $2 and delivery_id = $3;

-- name: count_waiting_single_deliveries
-- Count the deliveries of a channel that wait to be sent to an endpoint by themselves.
select count(*) from webhook_delivery d
where d.channel_id = $1 and d.endpoint_id = $2 and d.next_attempt_at is not null
  and not exists (
      select from webhook_position p
      where p.channel_id = $1 and p.endpoint_id = $2 and p.delivery_id = d.delivery_id
  );

-- name: insert_webhook_trial
-- Store a trial, to be sent at once; it moves no position.
with numbered as (
    update webhook_position set last_delivery_id = last_delivery_id + 1
    where channel_id = $1 and endpoint_id = $2
    returning last_delivery_id
)
insert into webhook_delivery (
    channel_id, endpoint_id, delivery_id, message_id, kind, events, created_at, next_attempt_at
)
select $1, $2, n.last_delivery_id, $3, 'TEST', 1, $4, $4 from numbered n
returning *;

-- name: resend_webhook_delivery
-- Let a delivery be sent again at once.
update webhook_delivery set next_attempt_at = $4
where channel_id = $1 and endpoint_id = $2 and delivery_id = $3
returning *;

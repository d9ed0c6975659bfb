-- name: due_webhook_positions
-- List, of each endpoint that is ON, at most $2 channels of which it was not told all, or the one $3, whose turn is free and
-- whose next attempt is due at instant $1; those first that were told longest ago, at most $4.
select channel_id, endpoint_id, robot_id, failing
from (
    select p.channel_id, p.endpoint_id, e.robot_id, p.failing_since is not null as failing, p.at,
        row_number() over (partition by p.endpoint_id order by p.at) as place
    from webhook_position p
    join webhook_endpoint e on e.endpoint_id = p.endpoint_id and e.state = 'ON'
    left join feed f on f.channel_id = p.channel_id
    where ($3::bigint is null or p.channel_id = $3)
      and (p.next_attempt_at is null or p.next_attempt_at <= $1)
      and (p.turn_until is null or p.turn_until <= $1)
      and (
          p.delivery_id is not null or p.missed or f.last_seq is distinct from p.seq
          or p.version < 9007199254740991  -- WHOLE_ENTRY
      )
) due
where place <= $2
order by at
limit $4;

-- name: due_single_deliveries
-- List deliveries that are due at instant $1 by themselves, trials and those that are sent once more: of each endpoint at most
-- $2, and at most $3 in all.
select channel_id, endpoint_id, delivery_id, robot_id
from (
    select d.channel_id, d.endpoint_id, d.delivery_id, e.robot_id, d.next_attempt_at,
        row_number() over (partition by d.endpoint_id order by d.next_attempt_at) as place
    from webhook_delivery d
    join webhook_endpoint e on e.endpoint_id = d.endpoint_id and e.state = 'ON'
    where d.next_attempt_at <= $1
      and not exists (
          select from webhook_position p
          where p.channel_id = d.channel_id and p.endpoint_id = d.endpoint_id and p.delivery_id = d.delivery_id
      )
) due
where place <= $2
order by next_attempt_at
limit $3;

-- name: claim_webhook_position
-- Take the turn at a position until $4, if it is free at instant $3 and its next attempt is due.
update webhook_position set turn = turn + 1, turn_until = $4
where channel_id = $1 and endpoint_id = $2
  and (turn_until is null or turn_until <= $3)
  and (next_attempt_at is null or next_attempt_at <= $3)
returning seq, version, user_offset, at, failing_since, attempts, delivery_id, turn;

-- name: webhook_endpoint_on
-- Return an endpoint, if it is ON.
select * from webhook_endpoint where endpoint_id = $1 and state = 'ON';

-- name: webhook_delivery_range
-- Return a delivery with the range of events that it tells.
select * from webhook_delivery where channel_id = $1 and endpoint_id = $2 and delivery_id = $3;

-- name: insert_webhook_delivery
-- Store what is delivered next by the turn $3 that is taken until $4; nothing if another was taken since.
with held as (
    update webhook_position set
        delivery_id = last_delivery_id + 1, last_delivery_id = last_delivery_id + 1, missed = missed or $7 = 'RESET',
        turn_until = $4
    where channel_id = $1 and endpoint_id = $2 and turn = $3
    returning last_delivery_id
)
insert into webhook_delivery (
    channel_id, endpoint_id, delivery_id, created_at, next_attempt_at, message_id, kind, part, events,
    from_seq, from_version, from_offset, to_seq, to_version, to_offset
)
select $1, $2, h.last_delivery_id, $5, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
from held h
returning delivery_id;

-- name: acknowledge_webhook_delivery
-- Record that delivery $4 was acknowledged, move the position of turn $3 behind it, and keep the turn until $5, null to
-- let it go. Nothing if another turn was taken since.
with moved as (
    update webhook_position set
        seq = $11, version = $12, user_offset = $13, at = $14, missed = $15, delivery_id = null,
        failing_since = null, attempts = 0, reason = null, next_attempt_at = null, last_success_at = $6, turn_until = $5
    where channel_id = $1 and endpoint_id = $2 and turn = $3
    returning endpoint_id
)
update webhook_delivery d set
    attempts = d.attempts + $7, status = $8, error = null, answer = $9, events = $10,
    next_attempt_at = null, delivered_at = $6
from moved m
where d.channel_id = $1 and d.endpoint_id = $2 and d.endpoint_id = m.endpoint_id and d.delivery_id = $4
returning d.delivery_id;

-- name: fail_webhook_delivery
-- Record that an attempt at delivery $4 failed at instant $5, by the turn $3, which is let go; it is tried again at $6.
with failed as (
    update webhook_position set
        failing_since = coalesce(failing_since, $5), attempts = attempts + 1, reason = $7, next_attempt_at = $6,
        turn_until = null
    where channel_id = $1 and endpoint_id = $2 and turn = $3
    returning endpoint_id
)
update webhook_delivery d set
    attempts = d.attempts + 1, status = $8, error = $9, answer = $10, events = $11, next_attempt_at = $6
from failed f
where d.channel_id = $1 and d.endpoint_id = $2 and d.endpoint_id = f.endpoint_id and d.delivery_id = $4
returning d.delivery_id;

-- name: drop_webhook_delivery
-- Try delivery $4, whose events are no longer in the feed, no more; the turn $3 goes on from its position, at which
-- something was missed.
with moved as (
    update webhook_position set delivery_id = null, missed = true
    where channel_id = $1 and endpoint_id = $2 and turn = $3
    returning endpoint_id
)
update webhook_delivery d set next_attempt_at = null
from moved m
where d.channel_id = $1 and d.endpoint_id = $2 and d.endpoint_id = m.endpoint_id and d.delivery_id = $4
returning d.delivery_id;

-- name: advance_webhook_position
-- Move a position over what its endpoint does not follow, and keep the turn $3 until $4, null to let it go.
update webhook_position set
    seq = $5, version = $6, user_offset = $7, at = $8, missed = false, delivery_id = null, turn_until = $4
where channel_id = $1 and endpoint_id = $2 and turn = $3
returning turn;

-- name: release_webhook_position
-- Let the turn $3 go that was taken until $4; also where the position was moved since, which takes it away.
update webhook_position set turn_until = null
where channel_id = $1 and endpoint_id = $2 and (turn = $3 or turn = $3 + 1 and turn_until = $4);

-- name: mark_webhook_endpoint_gone
-- Record that an endpoint wants no more calls, unless its settings changed since version $2.
update webhook_endpoint set state = 'GONE', reason = $3, version = version + 1
where endpoint_id = $1 and version = $2 and state = 'ON';

-- name: claim_single_delivery
-- Take a delivery that is due by itself at instant $4; until $5 nobody else does.
update webhook_delivery set next_attempt_at = $5
where channel_id = $1 and endpoint_id = $2 and delivery_id = $3 and next_attempt_at <= $4
returning *;

-- name: drop_single_delivery
-- Send a delivery by itself no more, unless somebody else has taken it after $4.
update webhook_delivery set next_attempt_at = null
where channel_id = $1 and endpoint_id = $2 and delivery_id = $3 and next_attempt_at = $4;

-- name: end_single_delivery
-- Record what became of a delivery that was sent by itself, unless somebody else has taken it after $4.
update webhook_delivery set
    attempts = attempts + 1, status = $5, error = $6, answer = $7, next_attempt_at = null,
    delivered_at = coalesce($8, delivered_at)
where channel_id = $1 and endpoint_id = $2 and delivery_id = $3 and next_attempt_at = $4;

-- name: prune_deliveries_of_position
-- Delete the deliveries to an endpoint up to number $3 that are not tried any more.
delete from webhook_delivery
where channel_id = $1 and endpoint_id = $2 and delivery_id <= $3 and next_attempt_at is null;

-- name: prune_webhook_deliveries
-- Delete the deliveries of a channel that were made before an instant and are not tried any more, and those of endpoints
-- that are no longer told of it.
delete from webhook_delivery d
where d.channel_id = $1
  and (
      d.created_at < $2 and d.next_attempt_at is null
      or not exists (
          select from webhook_position p where p.channel_id = d.channel_id and p.endpoint_id = d.endpoint_id
      )
  );

-- name: webhook_health
-- Count the endpoints by how they fare at instant $1, RETRYING since less than $2 or FAILING since longer, and return the
-- number of the oldest entry that one of them was not told, null where there is none.
with followed as (
    select p.endpoint_id, min(p.failing_since) as failing_since, min(
        case
            when f.last_seq is not distinct from p.seq and p.version = 9007199254740991 then null
            when p.version < 9007199254740991 then p.seq
            else (select min(n.seq) from feed_entry n where n.channel_id = p.channel_id and n.seq > p.seq)
        end
    ) as waiting_seq
    from webhook_position p
    left join feed f on f.channel_id = p.channel_id
    group by p.endpoint_id
)
select case
        when e.state <> 'ON' then e.state
        when o.failing_since is null then 'ACTIVE'
        when o.failing_since > $1::timestamptz - $2::interval then 'RETRYING'
        else 'FAILING'
    end as state,
    count(*)::int as endpoints,
    min(o.waiting_seq) filter (where e.state = 'ON') as waiting_seq
from webhook_endpoint e
left join followed o on o.endpoint_id = e.endpoint_id
group by 1;

-- name: begin_once_only
-- Set out to freeze a broadcast with this onceOnly until instant $4, unless another one is at it at instant $3.
insert into once_only as o (channel_id, value, freezing, lease_until) values ($1, $2, 1, $4)
on conflict (channel_id, value) do update set freezing = o.freezing + 1, lease_until = excluded.lease_until
where o.lease_until is null or o.lease_until <= $3
returning freezing;

-- name: renew_once_only
-- Be at it until instant $4, where freeze $3 still is.
update once_only set lease_until = $4 where channel_id = $1 and value = $2 and freezing = $3 returning freezing;

-- name: end_once_only
-- Let others freeze, where freeze $3 still is at it.
update once_only set lease_until = null where channel_id = $1 and value = $2 and freezing = $3;

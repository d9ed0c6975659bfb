-- name: return_endpoint_of_robot
-- Return the address and key of a robot, if it has obtained them.
select * from return_endpoint where robot_id = $1;

-- name: return_endpoint_by_token
-- Return the endpoint whose address carries this token.
select * from return_endpoint where token_hash = $1;

-- name: insert_return_endpoint
-- Insert the address and key of a robot; where there is one already, nothing changes.
insert into return_endpoint (robot_id, app_id, token, token_hash, key, obtained_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (robot_id) do nothing;

-- name: replace_return_key
-- Replace a robot's key; the old one is invalid at once.
update return_endpoint set key = $2, key_reset_at = $3 where robot_id = $1 returning *;

-- name: set_last_return_call_at
-- Record that calls decrypt, for operators; written once a minute at most.
update return_endpoint set last_call_at = $2
where robot_id = $1 and (last_call_at is null or last_call_at < $3);

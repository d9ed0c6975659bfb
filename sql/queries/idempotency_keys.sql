-- name: claim_return_key
-- Claim an idempotency key for a request, unless it is claimed; a claim older than $5 no longer counts.
insert into return_key as k (channel_id, key, request_hash, at) values ($1, $2, $3, $4)
on conflict (channel_id, key) do update
set request_hash = excluded.request_hash, at = excluded.at, batch_channel_id = null, batch_id = null
where k.at < $5;

-- name: return_key
-- Return the request an idempotency key was claimed for since instant $3, and its receipt.
select request_hash, batch_channel_id, batch_id from return_key where channel_id = $1 and key = $2 and at >= $3;

-- name: lock_return_key
-- Return the receipt of a key and lock it: a second request with the same key waits for the receipt of the first.
select batch_channel_id, batch_id from return_key where channel_id = $1 and key = $2 for update;

-- name: save_return_key_receipt
-- Record the receipt of a key.
update return_key set batch_channel_id = $3, batch_id = $4 where channel_id = $1 and key = $2;

-- name: release_return_key
-- Delete the claim of a request that was refused: it has not used its key.
delete from return_key where channel_id = $1 and key = $2 and request_hash = $3 and batch_id is null;

-- name: prune_return_keys
-- Delete keys that were claimed before an instant.
delete from return_key where channel_id = $1 and at < $2;

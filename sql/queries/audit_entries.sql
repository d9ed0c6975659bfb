-- name: insert_audit_entry
-- Insert an act, not sealed yet; one with its number is left as it is.
insert into audit_entry (
    channel_id, entry_id, robot_id, at, subject, role, action, target_id, detail, outcome, error_code, request_id,
    client_address, before, after
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
on conflict (channel_id, entry_id) do nothing;

-- name: fold_audit_entry
-- Count refusals of a kind in a minute: with those before them unless they are sealed, which nothing changes any more.
insert into audit_entry as e (
    channel_id, entry_id, robot_id, at, subject, role, action, detail, outcome, error_code, request_id, client_address,
    count, minute
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict (channel_id, minute, subject, role, action, error_code) where minute is not null and number is null
do update set count = e.count + excluded.count;

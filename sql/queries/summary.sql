-- name: summary
-- What `user-tags up` shows in the terminal: everything there is, and the newest change of anybody's tags.
select
    (select count(*) from channel where unbound_at is null)::int as channels,
    (select coalesce(sum(user_count), 0) from channel_state)::int as users,
    (select coalesce(sum(version), 0) from block_head)::bigint as changes,
    (select max(at) from block_head where version > 0) as changed_at;

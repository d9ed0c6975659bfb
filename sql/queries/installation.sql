-- name: claim_acting
-- Record which installation acts by this database, unless one does.
insert into installation (acting, public_url, since) values (true, $1, $2) on conflict do nothing;

-- name: confirm_acting
-- Record that from now on this installation acts by this database.
insert into installation (acting, public_url, since) values (true, $1, $2)
on conflict (acting) do update set public_url = excluded.public_url, since = excluded.since;

-- name: acting_installation
-- Return which installation acts by this database.
select public_url from installation;

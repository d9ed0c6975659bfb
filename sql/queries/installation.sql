-- name: claim_acting
-- Record which installation acts by this database, unless one does.
insert into installation (acting, public_url, since) values (true, $1, $2) on conflict do nothing;

-- name: confirm_acting
-- Record that from now on this installation acts by this database.
insert into installation (acting, public_url, since) values (true, $1, $2)
on conflict (acting) do update set public_url = excluded.public_url, since = excluded.since;

-- name: acting_installation
-- Return which installation acts by this database, which copy of the database that knew last, and which copy this is: a
-- restored dump has another identifier, and a restored backup or a promoted standby another timeline.
select public_url, database,
    (select system_identifier from pg_control_system()) || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) as present
from installation;

-- name: know_database
-- Record which copy of the database this is.
update installation set database = $1 where database is distinct from $1;

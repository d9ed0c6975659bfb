-- name: applied_migrations
-- List the versioned migrations that were applied.
select version, checksum from schema_migration;

-- name: record_migration
-- Record that a versioned migration was applied.
insert into schema_migration (version, name, checksum) values ($1, $2, $3);

-- name: applied_functions
-- List the files of functions that were applied.
select name, rules_version, checksum, announced_version from repeatable_migration;

-- name: record_functions
-- Record that a file of functions was applied. Without a row its rules are those of version 1, which the versioned
-- migrations made.
insert into repeatable_migration as r (name, rules_version, checksum, announced_version) values ($1, $2, $3, 1)
on conflict (name) do update
set rules_version = excluded.rules_version, checksum = excluded.checksum, applied_at = excluded.applied_at;

-- name: announce_rules
-- Make every block due for evaluation under rules that changed: the windows in force come into force once more.
with announced as (
    update repeatable_migration set announced_version = rules_version
    where announced_version < rules_version
    returning name
)
insert into touch_windows (version, follow, menu_click, scan, message, payment, new_user, set_at)
select version + 1, follow, menu_click, scan, message, payment, new_user, $1
from touch_windows
where exists (select from announced)
order by version desc
limit 1
on conflict do nothing;

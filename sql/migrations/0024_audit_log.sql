-- Who did what, and what was denied to whom, in a chain of hashes for each robot.

create table audit_entry (
    channel_id bigint not null,
    entry_id bigint not null,
    robot_id text not null,
    at timestamptz not null,
    subject text not null,
    role text not null,
    action text not null,
    target_id text,
    detail text,
    outcome text not null,
    error_code text,
    request_id text not null,
    client_address text,
    before jsonb,
    after jsonb,
    count integer not null default 1,
    minute timestamptz,
    number bigint,
    hash bytea,
    primary key (channel_id, entry_id),
    constraint audit_entry_outcome check (outcome in ('DONE', 'DENIED', 'FAILED'))
);
create index audit_entry_unsealed on audit_entry (channel_id, at, entry_id) where number is null;
create unique index audit_entry_number on audit_entry (channel_id, number) where number is not null;
create index audit_entry_at on audit_entry (channel_id, at, entry_id);
create unique index audit_entry_folded on audit_entry (channel_id, minute, subject, role, action, error_code)
    where minute is not null and number is null;
comment on table audit_entry is 'Written by the act''s own transaction, in the channel it is about, or the home channel of the robot.';
comment on column audit_entry.entry_id is 'Random, so that no counter is waited for.';
comment on column audit_entry.target_id is 'The id of what it is about, as clients know it.';
comment on column audit_entry.before is 'Without secrets, and without openids, unionids and labels: keyed hashes stand for them.';
comment on column audit_entry.minute is 'Refusals of the same kind within a minute are one entry with a count; null for what was done.';
comment on column audit_entry.number is 'The place in the chain of the robot; null until it is sealed.';

create table audit_chain (
    channel_id bigint not null,
    last_number bigint not null default 0,
    last_hash bytea,
    base_number bigint not null default 0,
    base_hash bytea,
    primary key (channel_id)
);
comment on table audit_chain is 'The chain of a robot, in its home channel: the number and hash of the last entry, and of the last that was deleted.';

-- Endpoints that are told of changes, how far each has been told, and what was sent when.

create table webhook_endpoint (
    endpoint_id bigint generated always as identity primary key,
    robot_id text not null,
    url text not null,
    description text,
    channel_ids bigint[],
    events text[] not null,
    tag_channel_ids bigint[],
    tag_ids integer[],
    state text not null,
    reason text,
    secret bytea not null,
    signing_key bytea not null,
    public_key text not null,
    former_secret bytea,
    former_signing_key bytea,
    former_until timestamptz,
    created_at timestamptz not null,
    created_by text not null,
    version integer not null default 1,
    constraint webhook_endpoint_state check (state in ('ON', 'GONE', 'OFF')),
    constraint webhook_endpoint_tags check ((tag_channel_ids is null) = (tag_ids is null))
);
create index webhook_endpoint_of_robot on webhook_endpoint (robot_id);
comment on column webhook_endpoint.channel_ids is 'Null: all channels of the robot, also those that are bound later.';
comment on column webhook_endpoint.tag_ids is 'Null: all tags. Else each with its channel in tag_channel_ids.';
comment on column webhook_endpoint.state is 'ON; GONE: it answered 410; OFF: by an admin. Whether it fails is told by its positions.';
comment on column webhook_endpoint.secret is 'Sealed, as are signing_key and the former ones.';
comment on column webhook_endpoint.former_until is 'Until then deliveries are signed with the former secret, too.';
comment on column webhook_endpoint.version is 'Grows whenever a setting changes, so that a process notices.';

create table webhook_position (
    channel_id bigint not null,
    endpoint_id bigint not null,
    seq bigint not null,
    version bigint not null default 0,
    user_offset integer not null default 0,
    at timestamptz not null,
    missed boolean not null default false,
    delivery_id bigint,
    failing_since timestamptz,
    attempts integer not null default 0,
    reason text,
    next_attempt_at timestamptz,
    last_success_at timestamptz,
    last_delivery_id bigint not null default 0,
    turn bigint not null default 0,
    turn_until timestamptz,
    primary key (channel_id, endpoint_id)
) with (fillfactor = 50);
comment on table webhook_position is 'How far an endpoint has been told of a channel: entry, version and offset of the last event it acknowledged.';
comment on column webhook_position.missed is 'The log no longer reaches back to the position: a feed.reset comes first.';
comment on column webhook_position.delivery_id is 'The delivery under way; it is repeated until it is acknowledged.';
comment on column webhook_position.failing_since is 'The first attempt that failed since the last that did not.';
comment on column webhook_position.turn is 'Counts who set out to deliver; only the last of them may go on, and not after turn_until.';

create table webhook_delivery (
    channel_id bigint not null,
    endpoint_id bigint not null,
    delivery_id bigint not null,
    message_id text not null,
    kind text not null,
    part integer,
    from_seq bigint,
    from_version bigint,
    from_offset integer,
    to_seq bigint,
    to_version bigint,
    to_offset integer,
    events integer not null,
    created_at timestamptz not null,
    attempts integer not null default 0,
    status integer,
    error text,
    answer text,
    next_attempt_at timestamptz,
    delivered_at timestamptz,
    primary key (channel_id, endpoint_id, delivery_id),
    constraint webhook_delivery_kind check (kind in ('CHANGES', 'RESET', 'TEST'))
);
create index webhook_delivery_newest on webhook_delivery (channel_id, endpoint_id, created_at, delivery_id);
comment on table webhook_delivery is 'What was sent to an endpoint: the range of events, never the events, which are read again for each attempt.';
comment on column webhook_delivery.part is 'Of a feed.reset that takes several deliveries: which of them it is, from 1 on.';
comment on column webhook_delivery.message_id is 'The webhook-id: the same for each attempt.';
create index webhook_delivery_due on webhook_delivery (next_attempt_at) where next_attempt_at is not null;

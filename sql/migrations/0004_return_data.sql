-- Data that integrators hand back: the address and key it comes in by, the tags it makes, and who holds whom.

create table return_endpoint (
    endpoint_id  bigint generated always as identity primary key,
    robot_id     text not null references robot,
    app_id       text not null,
    token        bytea not null,
    token_hash   bytea not null,
    key          bytea not null,
    obtained_at  timestamptz not null,
    key_reset_at timestamptz,
    last_call_at timestamptz,
    constraint return_endpoint_of_robot unique (robot_id),
    constraint return_endpoint_token unique (token_hash)
);
comment on table return_endpoint is 'The robot''s own APPID, TOKEN and EncodingAESKey; the last two are sealed.';
comment on column return_endpoint.last_call_at is 'Written once a minute at most.';

create table return_tag (
    channel_id bigint not null references channel,
    tag_id     int not null,
    category   text not null,
    label      text not null,
    primary key (channel_id, tag_id)
);
comment on table return_tag is 'The key under which integrators submit, whatever the tag is called in the panel.';

create index return_tag_by_key on return_tag (channel_id, category, label);

create table return_counter (
    channel_id bigint not null references channel,
    last_batch bigint not null,
    primary key (channel_id)
);
comment on table return_counter is 'Numbers batches in the order they commit; the last lock that a writer takes.';

create table return_batch (
    channel_id   bigint not null references channel,
    batch_id     bigint not null,
    tag_id       int not null,
    at           timestamptz not null,
    mode         text not null,
    source       text not null,
    subject      text,
    expires_at   timestamptz,
    added        int not null,
    removed      int not null,
    unchanged    int not null,
    duplicates   int not null,
    new_users    int not null,
    rejected     text,
    unmatched    text[],
    blocks       int[] not null,
    ended        text,
    ended_at     timestamptz,
    undo_removed int,
    undo_kept    int,
    primary key (channel_id, batch_id),
    constraint return_batch_mode check (mode in ('ADD', 'REMOVE', 'REPLACE')),
    constraint return_batch_source check (source in ('GRAPHQL', 'HTTP')),
    constraint return_batch_ended check (ended in ('UNDONE', 'EXPIRED', 'REPLACED', 'SETTLED'))
);
comment on table return_batch is 'A receipt, for ever; while `ended` is null an ADD or REPLACE also holds people.';
comment on column return_batch.ended is 'SETTLED: its people were folded into batch 0 of the tag and stay.';

create index return_batch_of_tag on return_batch (channel_id, tag_id, batch_id);
create index return_batch_expiry on return_batch (channel_id, expires_at)
    where ended is null and expires_at is not null;
create index return_batch_settling on return_batch (channel_id, at)
    where ended is null and expires_at is null and mode <> 'REMOVE';

-- Whom a batch in force holds. Few people of 32 blocks share a row of ordinals; more have one a block; a crowd has bits.
create table return_support (
    channel_id bigint not null references channel,
    tag_id     int not null,
    place      int not null,
    batch_id   bigint not null,
    ordinals   int[],
    members    bit(32000),
    primary key (channel_id, tag_id, place, batch_id),
    constraint return_support_form check ((ordinals is null) <> (members is null))
);
comment on column return_support.place is 'A block, or -1 - n for the blocks from 32n on, 32 of them.';
comment on column return_support.batch_id is '0 for all who were folded together.';

create table return_key (
    channel_id       bigint not null references channel,
    key              text not null,
    request_hash     bytea not null,
    at               timestamptz not null,
    batch_channel_id bigint,
    batch_id         bigint,
    primary key (channel_id, key)
);
comment on table return_key is 'Idempotency keys of a robot, kept with the first channel it ever bound.';

create index return_key_age on return_key (channel_id, at);

-- Broadcasts: what is sent to whom, who was claimed, what became of each call, and what people allow and are spared.

alter table job drop constraint job_state;
alter table job add constraint job_state check (
    state in ('QUEUED', 'WAITING', 'WAITING_FOR_APPROVAL', 'RUNNING', 'PAUSED', 'DONE', 'FAILED', 'CANCELLED')
);

drop index job_unfinished;
create index job_unfinished on job (channel_id, job_id)
where state in ('QUEUED', 'WAITING', 'WAITING_FOR_APPROVAL', 'RUNNING', 'PAUSED');

create table broadcast_policy (
    channel_id          bigint not null references channel,
    time_zone           text not null default 'Asia/Shanghai',
    quiet_from          time,
    quiet_to            time,
    respect_holidays    boolean not null default false,
    per_person_per_day  int,
    rolling_messages    int,
    rolling_days        int,
    approval_above      int,
    missed_start_after  interval not null default '1 h',
    duplicate_within    interval not null default '7 d',
    hold_out_key        uuid not null,
    primary key (channel_id),
    constraint broadcast_policy_quiet check ((quiet_from is null) = (quiet_to is null)),
    constraint broadcast_policy_rolling check ((rolling_messages is null) = (rolling_days is null))
);
comment on table broadcast_policy is 'When, how often and with whose consent broadcasts of a channel may send; without a row as by default.';
comment on column broadcast_policy.approval_above is 'Broadcasts to more people need a second admin; null for none.';
comment on column broadcast_policy.hold_out_key is 'Decides who is held out; it never changes, so that it is the same people each time.';

create table broadcast (
    channel_id         bigint not null references channel,
    job_id             int not null,
    kind               text not null,
    name               text,
    message            jsonb not null,
    message_hash       bytea not null,
    audience           text not null,
    audience_text      text not null,
    token              text not null,
    idempotency_key    text,
    request_hash       bytea,
    start_at           timestamptz not null,
    hold_out_percent   int not null default 0,
    once_only          text,
    confirm_duplicate  boolean not null default false,
    confirm_late       boolean not null default false,
    ignore_caps        boolean not null default false,
    ignore_quiet_hours boolean not null default false,
    temporary_tag      boolean not null default false,
    repeat             jsonb,
    repeat_of          int,
    run_at             timestamptz,
    next_run_at        timestamptz,
    approved_by        text,
    approved_at        timestamptz,
    approved_for       int,
    waiting_for        text,
    frozen_at          timestamptz,
    matched            int not null default 0,
    following          int not null default 0,
    planned            int not null default 0,
    sent               int not null default 0,
    failed             int not null default 0,
    uncertain          int not null default 0,
    delivered          int,
    next_chunk         int not null default 1,
    changed_by         text,
    primary key (channel_id, job_id),
    constraint broadcast_idempotency unique (channel_id, idempotency_key),
    constraint broadcast_token unique (channel_id, token),
    constraint broadcast_run unique (channel_id, repeat_of, run_at)
) with (fillfactor = 50);
comment on table broadcast is 'A broadcast; the job of the same number says how far it is.';
comment on column broadcast.message is 'As it is sent but for placeholders; unchanged from the freeze on.';
comment on column broadcast.message_hash is 'Of kind and content, to find what was sent alike lately.';
comment on column broadcast.audience is 'The expression, as combos store theirs.';
comment on column broadcast.token is 'Random; with the number of a chunk or send it is the id by which WeChat knows a repeat.';
comment on column broadcast.repeat_of is 'The series that this is a run of, for the instant run_at.';
comment on column broadcast.waiting_for is 'Why it is WAITING, WAITING_FOR_APPROVAL or PAUSED.';
comment on column broadcast.frozen_at is 'When audience and content were frozen; null until then, and so long all counts are 0.';
comment on column broadcast.uncertain is 'Claimed or without a known outcome. Always: matched = unsendable + planned + sent + failed + uncertain + held.';
comment on column broadcast.changed_by is 'Who changed it last before it started, and so cannot approve it.';
comment on column broadcast.delivered is 'As result pushes told; null while none did.';

create index broadcast_hash on broadcast (channel_id, message_hash, frozen_at) where frozen_at is not null;
create index broadcast_once_only on broadcast (channel_id, once_only) where once_only is not null;
create index broadcast_next_run on broadcast (next_run_at) where next_run_at is not null;

create table broadcast_people (
    channel_id bigint not null,
    job_id     int not null,
    role       text not null,
    block      int not null,
    members    bit(32000) not null,
    forgotten  int not null default 0,
    primary key (channel_id, job_id, role, block)
) with (fillfactor = 50, toast_tuple_target = 8160);
create index broadcast_people_frozen on broadcast_people (channel_id, block) where role = 'FROZEN';
comment on table broadcast_people is 'People of a broadcast by block.';
comment on column broadcast_people.role is
    'FROZEN: the audience. PLANNED: not claimed yet. TAKEN: claimed, sent to or uncertain. TAGGED: known to have its temporary remote tag. RESENT: planned again though a message may have reached them. HELD:reason and UNSENDABLE:reason.';
comment on column broadcast_people.forgotten is 'How many more there were, who were forgotten.';

create table broadcast_chunk (
    channel_id    bigint not null,
    job_id        int not null,
    chunk         int not null,
    state         text not null,
    client_id     text not null,
    people        int not null,
    claimed_at    timestamptz not null,
    counted_on    date,
    answered_at   timestamptz,
    errcode       int,
    reason        text,
    msg_id        text,
    media_id      text,
    remote_tag_id int,
    status        text,
    total_count   int,
    filter_count  int,
    sent_count    int,
    error_count   int,
    status_at     timestamptz,
    asked_at      timestamptz,
    repeated_at   timestamptz,
    replanned_at  timestamptz,
    written_at    timestamptz not null,
    primary key (channel_id, job_id, chunk),
    constraint broadcast_chunk_state check (state in ('CLAIMED', 'SENT', 'REFUSED', 'UNKNOWN'))
) with (fillfactor = 50);
comment on table broadcast_chunk is 'One mass message to up to 10,000 people. A claimed chunk never changes, and a repeat carries the same client_id.';
comment on column broadcast_chunk.counted_on is 'The day of send_count on which the message counts.';
comment on column broadcast_chunk.status is 'As the result push or mass/get told; null while neither did.';
comment on column broadcast_chunk.asked_at is 'When mass/get was asked last.';
comment on column broadcast_chunk.repeated_at is
    'When a call with the same client_id was last set out on, to learn what became of the first.';
comment on column broadcast_chunk.written_at is
    'When it was claimed by the clock of the database: those of the workers may jump, or differ.';
comment on column broadcast_chunk.replanned_at is 'When its people were planned again, or cut into other chunks; it counts no more.';
create index broadcast_chunk_open on broadcast_chunk (channel_id, job_id) where state in ('CLAIMED', 'UNKNOWN');
create index broadcast_chunk_without_result on broadcast_chunk (answered_at)
where state = 'SENT' and msg_id is not null and status is null;
create index broadcast_chunk_message on broadcast_chunk (channel_id, msg_id) where msg_id is not null;

create table broadcast_chunk_block (
    channel_id bigint not null,
    job_id     int not null,
    chunk      int not null,
    block      int not null,
    members    bit(32000) not null,
    forgotten  int not null default 0,
    primary key (channel_id, job_id, chunk, block)
) with (toast_tuple_target = 8160);

create table broadcast_article (
    channel_id bigint not null,
    job_id     int not null,
    articles   jsonb not null,
    primary key (channel_id, job_id)
);
comment on table broadcast_article is 'What the draft of an article held at the freeze: each chunk is sent a copy, as WeChat uses a draft up.';

create table broadcast_draft (
    channel_id bigint not null,
    job_id     int not null,
    media_id   text not null,
    made_at    timestamptz not null,
    primary key (channel_id, job_id, media_id)
);
comment on table broadcast_draft is 'Copies of drafts at WeChat; the chunk with the same media_id is sent with one. Unused ones are deleted in the end.';

create table broadcast_remote_tag (
    channel_id    bigint not null,
    job_id        int not null,
    name          text not null,
    remote_tag_id int,
    made_at       timestamptz not null,
    primary key (channel_id, job_id)
);
comment on table broadcast_remote_tag is 'A remote tag that a subscription account sends to, and that is deleted once it was sent.';
comment on column broadcast_remote_tag.remote_tag_id is 'Null while it is not known whether the tag was made; its name finds it.';

create table broadcast_send (
    channel_id   bigint not null,
    job_id       int not null,
    ordinal      int not null,
    attempt      smallint not null,
    kind         text not null,
    state        text not null,
    client_id    text not null,
    claimed_at   timestamptz not null,
    counted_on   date,
    answered_at  timestamptz,
    errcode      int,
    msg_id       text,
    status       text,
    delivered    boolean,
    repeated_at  timestamptz,
    replanned_at timestamptz,
    written_at   timestamptz not null,
    primary key (channel_id, job_id, ordinal, attempt),
    constraint broadcast_send_state check (state in ('CLAIMED', 'SENT', 'REFUSED', 'UNKNOWN'))
) with (fillfactor = 70);
comment on table broadcast_send is 'One message to one person; a person who is sent to again has another attempt.';
comment on column broadcast_send.ordinal is 'Negative, and nobody''s, once the person was forgotten.';
comment on column broadcast_send.counted_on is 'The day of send_count on which the message counts.';
comment on column broadcast_send.repeated_at is
    'When a call with the same client_id was last set out on, to learn what became of the first.';
comment on column broadcast_send.written_at is
    'When it was claimed by the clock of the database: those of the workers may jump, or differ.';
comment on column broadcast_send.replanned_at is 'When the person was planned again, for another attempt; this one counts no more.';
create index broadcast_send_open on broadcast_send (channel_id, job_id) where state in ('CLAIMED', 'UNKNOWN');
create index broadcast_send_person on broadcast_send (channel_id, ordinal, kind, claimed_at);
create index broadcast_send_message on broadcast_send (channel_id, msg_id) where msg_id is not null;

create table broadcast_failure (
    channel_id bigint not null,
    job_id     int not null,
    errcode    int not null,
    reason     text not null,
    people     int not null,
    primary key (channel_id, job_id, errcode)
) with (fillfactor = 50);
comment on table broadcast_failure is 'How many were refused with each code.';

create table push_result (
    channel_id  bigint not null references channel,
    event       text not null,
    msg_id      text not null,
    ordinal     int,
    result      jsonb not null,
    received_at timestamptz not null,
    matched_at  timestamptz,
    primary key (channel_id, event, msg_id)
);
create index push_result_person on push_result (channel_id, ordinal) where ordinal is not null;
comment on table push_result is 'Results that WeChat pushed, kept for a few days, since they may come before the answer to the call.';
comment on column push_result.ordinal is 'Whom it is about, of messages to one person.';
comment on column push_result.matched_at is 'When it was written to what it is the result of; null for those of messages that are not ours, too.';
create index push_result_received on push_result (channel_id, received_at);
create index push_result_unmatched on push_result (received_at) where matched_at is null;

create table send_count (
    channel_id bigint not null references channel,
    class      text not null,
    day        date not null,
    block      int not null,
    plane      smallint not null,
    members    bit(32000) not null,
    primary key (channel_id, class, day, block, plane)
) with (fillfactor = 50, toast_tuple_target = 8160);
comment on table send_count is 'How many messages each person got on a day or in a month, as binary numbers: plane p holds the digit of 2^p.';
comment on column send_count.class is 'ALL: messages of broadcasts, a day of the policy''s zone. MASS: mass messages, the first day of a month in Shanghai.';

create table template_consent (
    channel_id  bigint not null references channel,
    template_id text not null,
    ordinal     int not null,
    accepted_at timestamptz,
    rejected_at timestamptz,
    sent_at     timestamptz,
    primary key (channel_id, template_id, ordinal)
) with (fillfactor = 70);
create index template_consent_person on template_consent (channel_id, ordinal);
comment on table template_consent is 'Who allowed a subscription message of a template; one acceptance is good for one message. All are maxima.';

create table blacklisted (
    channel_id bigint not null references channel,
    block      int not null,
    members    bit(32000) not null,
    primary key (channel_id, block)
) with (fillfactor = 50, toast_tuple_target = 8160);
comment on table blacklisted is 'Whom the account has on its blacklist, as last read or learnt from a refusal.';

create table once_only (
    channel_id  bigint not null references channel,
    value       text not null,
    freezing    bigint not null default 0,
    lease_until timestamptz,
    primary key (channel_id, value)
) with (fillfactor = 50);
comment on table once_only is 'Freezes of broadcasts with the same onceOnly happen one after the other; a row of the robot''s home channel.';
comment on column once_only.freezing is 'Counts who set out to freeze; only the last of them may go on.';

alter table wechat_account add column messaging_job int, add column messaging_until timestamptz;
comment on column wechat_account.messaging_job is 'The broadcast that sends until messaging_until; a channel sends one at a time.';

alter table installation add column database text;
comment on column installation.database is 'Which copy of the database it is, so that a restored one is noticed; null until that is known.';

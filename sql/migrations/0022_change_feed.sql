-- One numbered feed of changes for each channel that somebody follows by webhook or by /feed/changes.

create table feed (
    channel_id bigint not null,
    last_seq bigint not null default 0,
    last_at timestamptz not null,
    base_seq bigint not null default 0,
    base_at timestamptz not null,
    tag_version bigint not null,
    read_at timestamptz,
    turn bigint not null default 0,
    turn_until timestamptz,
    primary key (channel_id)
) with (fillfactor = 50);
comment on table feed is 'The feed of a channel that somebody follows; it begins with the first who does.';
comment on column feed.last_seq is 'The number of the newest entry; entries are numbered from 1 without gaps, after the commits they tell of.';
comment on column feed.last_at is 'When the newest entry was written, or the feed began.';
comment on column feed.base_seq is 'The newest entry that was deleted; a position at it is still good.';
comment on column feed.tag_version is 'The version of the tag states up to which they have entries.';
comment on column feed.read_at is 'When /feed/changes was last asked; written once a minute at most.';
comment on column feed.turn is 'Counts who set out to write entries; only the last of them may go on, and not after turn_until.';

create table feed_block (
    channel_id bigint not null,
    block integer not null,
    version bigint not null,
    primary key (channel_id, block)
) with (fillfactor = 50);
comment on table feed_block is 'The version of each block up to which it has entries.';

create table feed_notice (
    channel_id bigint not null,
    notice_id bigint not null,
    at timestamptz not null,
    type text not null,
    ordinal integer,
    job_id integer,
    seq bigint,
    primary key (channel_id, notice_id)
);
create index feed_notice_waiting on feed_notice (channel_id, notice_id) where seq is null;
create index feed_notice_of_entry on feed_notice (channel_id, seq) where seq is not null;
comment on table feed_notice is 'What happened that no other log tells: written with the act, numbered after its commit.';
comment on column feed_notice.notice_id is 'Random; those of one instant are told in its order.';
comment on column feed_notice.ordinal is 'Whom it is about.';
comment on column feed_notice.seq is 'Its entry; null until it has one.';

create table feed_entry (
    channel_id bigint not null,
    seq bigint not null,
    at timestamptz not null,
    block integer,
    from_version bigint,
    to_version bigint,
    primary key (channel_id, seq)
);
comment on table feed_entry is 'What happened in a block, or to the tag states where block is null, after from_version up to to_version; a notice has neither.';

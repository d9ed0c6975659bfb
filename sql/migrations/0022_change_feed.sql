-- One numbered feed of changes for each channel that somebody follows by webhook or by /feed/changes.

create table feed (
    channel_id bigint not null,
    last_seq bigint not null,
    base_seq bigint not null,
    base_version bigint not null,
    base_offset integer not null,
    tag_version bigint not null,
    followed_at timestamptz not null,
    primary key (channel_id)
) with (fillfactor = 50);
comment on table feed is
    'The feed of a channel that somebody follows; it begins with the first who does. Whoever writes entries holds the row.';
comment on column feed.last_seq is 'The number of the newest entry or, before the first, of the beginning of the feed.';
comment on column feed.base_seq is
    'With base_version and base_offset: how far the feed was deleted; whoever was told that much has missed nothing.';
comment on column feed.tag_version is 'The version of the tag states up to which they have entries.';
comment on column feed.followed_at is
    'When somebody last began to follow, an endpoint was seen to, or /feed/changes was asked, to the minute.';

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
    ordinal integer,
    former_ordinal integer,
    job_id integer,
    job_kind text,
    job_state text,
    seq bigint,
    place integer,
    primary key (channel_id, notice_id)
);
create index feed_notice_waiting on feed_notice (channel_id, at) where seq is null;
create index feed_notice_of_entry on feed_notice (channel_id, seq, place) where seq is not null;
create index feed_notice_of_user on feed_notice (channel_id, ordinal) where ordinal is not null;
comment on table feed_notice is 'What happened that no other log tells: written with the act, numbered after its commit.';
comment on column feed_notice.notice_id is 'Random; those of one instant are told in its order.';
comment on column feed_notice.ordinal is 'Who was migrated; null where a job is finished.';
comment on column feed_notice.former_ordinal is 'Who that was besides, before two users became one.';
comment on column feed_notice.seq is 'Its entry, in which it has a place from 1 on; null until it has one.';

create table feed_entry (
    channel_id bigint not null,
    seq bigint not null,
    former_tag_version bigint not null,
    tag_version bigint not null,
    block integer,
    from_version bigint,
    to_version bigint,
    primary key (channel_id, seq)
);
comment on table feed_entry is
    'What happened in a block, or to the tag states where block is null, after from_version up to to_version; an entry of notices has neither.';
comment on column feed_entry.seq is
    'The microsecond since 1970 in which it was written, or the next that is free: no number is ever used again, not even in a restored database.';
comment on column feed_entry.tag_version is
    'The version of the tag states that the feed has told by this entry; former_tag_version: by those written before, at another time.';

alter table tag_change add column category text;
alter table tag_change add column name text;
alter table tag_change add column state text;
alter table tag_change add column lapsed_by integer[];
comment on column tag_change.category is 'Like name and state: that of the tag after the change; null in lines from before the feed, and for the gate.';
comment on column tag_change.lapsed_by is 'The deleted tags by which a combo lapsed.';

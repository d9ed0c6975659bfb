-- Syncs of tags to the Official Account: what is to be done, frozen, and how far it is.

alter table remote_tag add column named_after text;
comment on column remote_tag.named_after is
    'What our tag was called when the remote one got its name; null if that was chosen by somebody else.';

create table sync_tag (
    channel_id     bigint not null references channel,
    job_id         int not null,
    tag_id         int not null,
    position       int not null,
    asked_name     text,
    action         text not null,
    remote_tag_id  int,
    remote_name    text not null,
    listed_count   int,
    known_count    int,
    to_add         int not null default 0,
    to_remove      int not null default 0,
    unchanged      int not null default 0,
    at_tag_limit   int not null default 0,
    drift          int not null default 0,
    added          int not null default 0,
    removed        int not null default 0,
    failed         int not null default 0,
    next_addition  int not null default 0,
    next_removal   int not null default 0,
    ids_before     int[],
    made_at        timestamptz,
    error          text,
    errcode        int,
    primary key (channel_id, job_id, tag_id),
    constraint sync_tag_action check (action in ('CREATE', 'ADOPT', 'RENAME', 'UPDATE', 'NOTHING', 'REFUSED'))
) with (fillfactor = 50);
comment on table sync_tag is 'What a sync does, or a dry run would do, about one of our tags, and how far it is.';
comment on column sync_tag.asked_name is 'The name at WeChat that the client asked for.';
comment on column sync_tag.listed_count is 'How many had the remote tag as WeChat told when this was planned.';
comment on column sync_tag.known_count is 'How many were known to have it when this was planned.';
comment on column sync_tag.next_addition is 'Whoever has a lower ordinal and was to be added is done.';
comment on column sync_tag.ids_before is 'The remote tags that there were before one was made; null until then.';
comment on column sync_tag.made_at is 'When a call that makes the remote tag was first made.';

create table sync_members (
    channel_id  bigint not null,
    job_id      int not null,
    tag_id      int not null,
    block       int not null,
    to_add      bit(32000) not null,
    to_remove   bit(32000) not null,
    primary key (channel_id, job_id, tag_id, block)
) with (toast_tuple_target = 8160);
comment on table sync_members is 'Who is to get a remote tag and who is to lose it, as it was planned; never changed after that.';
comment on column sync_members.job_id is 'The job that planned it; a sync that applies a dry run has another id.';

create table sync_failure (
    channel_id  bigint not null,
    job_id      int not null,
    tag_id      int not null,
    ordinal     int not null,
    errcode     int,
    primary key (channel_id, job_id, tag_id, ordinal)
);
comment on table sync_failure is 'Who could not be given a remote tag, or not be freed of it; without errcode since she no longer follows.';

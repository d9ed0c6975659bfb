-- Tags at the Official Account: which of ours each is linked to, and who is known to have it there.

create table remote_tag (
    channel_id        bigint not null references channel,
    tag_id            int not null,
    remote_tag_id     int,
    remote_name       text not null,
    keep_in_sync      boolean not null default false,
    remote_additions  text not null default 'KEEP',
    in_sync           boolean not null default false,
    last_job_id       int,
    last_success_at   timestamptz,
    failing_since     timestamptz,
    error             text,
    errcode           int,
    linked_at         timestamptz not null,
    primary key (channel_id, tag_id),
    constraint remote_tag_linked_once unique (channel_id, remote_tag_id),
    constraint remote_tag_additions check (remote_additions in ('KEEP', 'REMOVE'))
) with (fillfactor = 50);
comment on table remote_tag is 'One of our tags that was synced, or of which a sync was begun, or that was imported; a tombstone keeps its row.';
comment on column remote_tag.remote_tag_id is 'Null until WeChat told the id of the tag that was made for it, and after it was unlinked.';
comment on column remote_tag.last_job_id is 'The newest sync or import that concerned this tag.';
comment on column remote_tag.failing_since is 'Null while syncing succeeds; until it does again, `error` says why it does not.';

create table remote_members (
    channel_id  bigint not null,
    block       int not null,
    tag_id      int not null,
    members     bit(32000) not null,
    synced      bit(32000) not null,
    primary key (channel_id, block, tag_id)
) with (fillfactor = 50, toast_tuple_target = 8160);
comment on table remote_members is 'By our own tag and block; both bits of a person are cleared when she follows or unfollows, as WeChat drops her tags then.';
comment on column remote_members.members is 'Who is known to have the remote tag.';
comment on column remote_members.synced is 'Who had it, or was given it, when the tag was synced last; what others gave is not in here.';

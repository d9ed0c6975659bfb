-- Jobs of any kind, what an export makes, and how large tags were.

alter table channel_state add column next_job_id int not null default 1;

create table job (
    channel_id bigint not null references channel,
    job_id     int not null,
    kind       text not null,
    state      text not null,
    done       int not null default 0,
    total      int,
    error      text,
    error_code text,
    created_at timestamptz not null,
    created_by text not null,
    started_at timestamptz,
    finished_at timestamptz,
    resumes_at timestamptz,
    expires_at timestamptz,
    payload    jsonb not null,
    claim      int not null default 0,
    lease_until timestamptz,
    failures   int not null default 0,
    primary key (channel_id, job_id),
    constraint job_state check (state in ('QUEUED', 'WAITING', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED'))
) with (fillfactor = 50);

comment on table job is 'Something long that is done in slices. PostgreSQL knows what is unfinished; Valkey only says it sooner.';
comment on column job.job_id is 'Counted per channel.';
comment on column job.payload is 'What is to be done and how far it is, as the kind of job understands it.';
comment on column job.claim is 'Grows each time somebody takes the job up; whoever holds an older one writes nothing any more.';
comment on column job.lease_until is 'Nobody else takes the job up before.';
comment on column job.failures is 'In a row, since the last slice that was done.';
comment on column job.expires_at is 'What the job made is kept so long.';

create index job_unfinished on job (channel_id, job_id) where state in ('QUEUED', 'WAITING', 'RUNNING');

create table frozen_audience (
    channel_id bigint not null,
    job_id     int not null,
    block      int not null,
    members    bit(32000) not null,
    primary key (channel_id, job_id, block)
) with (toast_tuple_target = 8160);

comment on table frozen_audience is 'Whom a job is about, as it was when the job was made.';

create table export_chunk (
    channel_id bigint not null,
    job_id     int not null,
    chunk      int not null,
    bytes      int not null,
    content    bytea not null,
    primary key (channel_id, job_id, chunk)
);

comment on column export_chunk.content is 'Deflated; bytes is the length before.';

create table tag_size (
    channel_id bigint not null,
    tag_id     int not null,
    at         timestamptz not null,
    members    int not null,
    primary key (channel_id, tag_id, at)
);

comment on table tag_size is 'Sizes of tags over time. A sample that would say the same as the one before is left out.';

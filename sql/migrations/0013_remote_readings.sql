-- Who was seen while the members of a tag at WeChat are being read, page by page.

create table remote_reading (
    channel_id  bigint not null,
    job_id      int not null,
    tag_id      int not null,
    block       int not null,
    members     bit(32000) not null,
    primary key (channel_id, job_id, tag_id, block)
) with (fillfactor = 50, toast_tuple_target = 8160);
comment on table remote_reading is 'Kept until the last page of the tag has come, or the job is over.';
comment on column remote_reading.tag_id is 'Our own, as in remote_members.';
comment on column remote_reading.members is 'Who stood on the pages that were read so far.';

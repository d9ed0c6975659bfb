-- Follower import: how people came to follow, and whom an import has seen.

alter table channel_user add column subscribe_scene text;
comment on column channel_user.followed_at is
    'A maximum, like every fact: late and repeated events change nothing they should not; -infinity of a follower of whom no time is known.';
comment on column channel_user.subscribe_scene is 'As WeChat told in the newest follower import; of an open set.';

create table seen_follower (
    channel_id bigint not null,
    job_id     int not null,
    block      int not null,
    seen       bit(32000) not null,
    primary key (channel_id, job_id, block)
) with (fillfactor = 50, toast_tuple_target = 8160);
comment on table seen_follower is 'Whom a follower import has found to follow so far; deleted when it is over.';

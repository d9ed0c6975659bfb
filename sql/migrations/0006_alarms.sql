-- Alarms in a table of their own: re-arming somebody leaves every index of channel_user as it is, so that an event
-- updates their row in place, and writes the alarm beside the others of its block and hour.
-- Whom the release before arms while processes restart, `verify --repair` arms again.

create table alarm (
    channel_id  bigint not null,
    block       int not null,
    wake_at     timestamptz not null,
    user_offset smallint not null,
    primary key (channel_id, block, wake_at, user_offset)
);
comment on table alarm is
    'Whom to look at when; it rings if channel_user.wake_at says the same. Not after block_head.evaluated_at: spent.';

insert into alarm (channel_id, block, wake_at, user_offset)
select channel_id, ordinal / 32000, wake_at, ordinal % 32000 from channel_user where wake_at is not null;

drop index channel_user_wake;

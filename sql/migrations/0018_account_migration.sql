-- Account migration: the account that a channel was before, and the openids that its users had there.

alter table channel
    add column former_app_id text,
    add column account_changed_at timestamptz;
comment on column channel.former_app_id is 'The account that the channel was before account_changed_at, when its openids were of another account.';

create table former_openid (
    channel_id   bigint not null references channel,
    openid       text not null,
    ordinal      int not null,
    migrated_at  timestamptz not null,
    primary key (channel_id, openid)
);
create index former_openid_of_user on former_openid (channel_id, ordinal);
create index former_openid_age on former_openid (channel_id, migrated_at);
comment on table former_openid is 'Openids from before a migration: what still comes under one of them is of the user with this ordinal. No user has such an openid.';

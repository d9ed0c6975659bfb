-- Ad tags, the ad return address, people by unionid, and what remains of people who were forgotten.
-- All new columns may be empty, so that the release before can go on writing while processes restart.

-- Within one channel a unionid belongs to one openid.
create unique index channel_user_unionid on channel_user (channel_id, unionid) where unionid is not null;

create index channel_user_unfollowed on channel_user (channel_id, unfollowed_at) where unfollowed_at is not null;

alter table channel
    add column ad_secret bytea,
    add column ad_secret_hash bytea,
    add constraint channel_ad_secret unique (ad_secret_hash);
comment on column channel.ad_secret is 'Sealed; made when the ad return address is first asked for.';

alter table channel_state
    add column ad_return_confirmed_at timestamptz,
    add column last_ad_call_at timestamptz;
comment on column channel_state.ad_return_confirmed_at is
    'Since when the ad platform is known to call the present ad return address; its ad tags can be ACTIVE.';

create index user_ad_by_ad on user_ad (channel_id, ad_id, ordinal);

create table ad_tag (
    channel_id      bigint not null references channel,
    tag_id          int not null,
    edition         int not null,
    written_edition int not null,
    primary key (channel_id, tag_id)
);
comment on column ad_tag.edition is 'Counts the lists of ads that the tag has had.';
comment on column ad_tag.written_edition is 'The list of ads that every block has been compared with.';

create table ad_tag_ad (
    channel_id bigint not null references channel,
    tag_id     int not null,
    ad_id      text not null,
    position   int not null,
    primary key (channel_id, tag_id, ad_id)
);
comment on column ad_tag_ad.position is 'The order in which they were typed.';

create index ad_tag_ad_by_ad on ad_tag_ad (channel_id, ad_id);

create table forgotten_openid (
    channel_id   bigint not null references channel,
    openid_hash  bytea not null,
    last_fact_at timestamptz not null,
    forgotten_at timestamptz not null,
    primary key (channel_id, openid_hash)
);
comment on table forgotten_openid is
    'Keyed hashes: what is not newer than last_fact_at is a late repeat and does not bring a forgotten person back.';

create index forgotten_openid_age on forgotten_openid (channel_id, forgotten_at);

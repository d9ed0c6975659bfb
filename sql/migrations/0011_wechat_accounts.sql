-- Calls to WeChat's server API: the token of each account, and what is left of its quotas.

create table wechat_account (
    channel_id        bigint not null references channel,
    token             bytea,
    token_expires_at  timestamptz,
    token_renew_at    timestamptz,
    renewal           bigint not null default 0,
    renewing_until    timestamptz,
    forced_at         timestamptz,
    forced_on         date,
    forced_count      int not null default 0,
    stopped_until     timestamptz,
    stopped_errcode   int,
    stopped_because   text,
    tagging           bigint not null default 0,
    tagging_until     timestamptz,
    primary key (channel_id)
) with (fillfactor = 50);
comment on column wechat_account.token is 'Sealed; null until a call needs one, and when the credentials changed.';
comment on column wechat_account.renewal is 'Counts who set out to renew the token; only the last of them may write it.';
comment on column wechat_account.renewing_until is 'Until then nobody else renews the token.';
comment on column wechat_account.forced_count is 'How many refreshes were forced on the day forced_on of WeChat.';
comment on column wechat_account.stopped_until is 'No calls until then, since WeChat refused the account itself.';
comment on column wechat_account.tagging is 'Counts the calls that tag, of which an account makes one at a time.';

create table wechat_quota (
    channel_id    bigint not null references channel,
    api           text not null,
    day           date not null,
    used          int not null,
    daily_limit   int,
    window_at     timestamptz not null,
    window_used   int not null,
    window_limit  int,
    window_length interval not null default '1 min',
    closed_until  timestamptz,
    asked_at      timestamptz,
    primary key (channel_id, api, day)
) with (fillfactor = 50);
comment on column wechat_quota.api is 'The path of a call.';
comment on column wechat_quota.day is 'A day of WeChat, which begins at midnight in Beijing.';
comment on column wechat_quota.used is 'Calls that were made or are about to be, by this service or, as far as WeChat told, by others.';
comment on column wechat_quota.daily_limit is 'Null while WeChat has told none.';
comment on column wechat_quota.closed_until is 'WeChat said that the quota or the rate is used up until then.';

-- Until when somebody who was forgotten is remembered is compared with times of events, which count in whole seconds.
update forgotten_openid
set last_fact_at = date_trunc('second', last_fact_at)
where last_fact_at <> date_trunc('second', last_fact_at);

comment on column forgotten_openid.last_fact_at is
    'What happened until then is old; what is at exactly this time is news if it implies following.';

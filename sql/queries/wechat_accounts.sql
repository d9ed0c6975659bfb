-- name: insert_wechat_account
-- Make the row of an account that calls are made for; where there is one, nothing changes.
insert into wechat_account (channel_id) values ($1) on conflict do nothing;

-- name: wechat_account
-- Return the token of an account, of which app id it is, who renews it, and whether it is stopped.
select a.*, c.app_id from wechat_account a join channel c using (channel_id) where a.channel_id = $1;

-- name: lease_token_renewal
-- Set out to renew the token $2, unless somebody else has done so already, or is at it at instant $3.
update wechat_account
set renewal = renewal + 1, renewing_until = $4
where channel_id = $1 and token is not distinct from $2 and (renewing_until is null or renewing_until <= $3)
returning renewal;

-- name: save_token
-- Write the token that renewal $2 brought, unless somebody else set out after it.
update wechat_account
set token = $3, token_expires_at = $4, token_renew_at = $5, renewing_until = null
where channel_id = $1 and renewal = $2;

-- name: end_token_renewal
-- Let others renew the token at once.
update wechat_account set renewing_until = null where channel_id = $1 and renewal = $2;

-- name: count_forced_refresh
-- Count a refresh that renewal $2 is about to force, unless the last one was after $4 or the day $5 has had $6 of them.
update wechat_account
set forced_at = $3, forced_on = $5, forced_count = case when forced_on = $5 then forced_count + 1 else 1 end
where channel_id = $1 and renewal = $2
  and (forced_at is null or forced_at <= $4)
  and (forced_on is null or forced_on <> $5 or forced_count < $6)
returning forced_count;

-- name: lock_wechat_account
-- Lock an account, so that its credentials are not changed by others.
select from wechat_account where channel_id = $1 for update;

-- name: stop_wechat_account
-- Record why no calls are made until an instant, unless the credentials are other ones by now.
update wechat_account a
set stopped_until = $2, stopped_errcode = $3, stopped_because = $4
from channel c
where a.channel_id = $1 and c.channel_id = $1 and c.app_id = $5 and c.app_secret is not distinct from $6
returning a.stopped_until;

-- name: end_stop_of_account
-- Let calls be made again that were stopped since WeChat refused the account with code $2.
update wechat_account
set stopped_until = null, stopped_errcode = null, stopped_because = null
where channel_id = $1 and stopped_errcode = $2;

-- name: reset_wechat_account
-- Forget the token and why calls were stopped, since the credentials changed; a renewal under way writes nothing.
update wechat_account
set token = null, token_expires_at = null, token_renew_at = null, renewal = renewal + 1, renewing_until = null,
    stopped_until = null, stopped_errcode = null, stopped_because = null
where channel_id = $1;

-- name: begin_tagging
-- Begin a call that tags, unless another one runs at instant $2.
update wechat_account
set tagging = tagging + 1, tagging_until = $3
where channel_id = $1 and (tagging_until is null or tagging_until <= $2)
returning tagging;

-- name: end_tagging
-- End a call that tags.
update wechat_account set tagging_until = null where channel_id = $1 and tagging = $2;

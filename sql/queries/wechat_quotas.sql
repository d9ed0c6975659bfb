-- name: reserve_wechat_call
-- Count a call that is about to be made and return the quota; nothing where it or the rate is used up at instant $4.
insert into wechat_quota as q (channel_id, api, day, used, window_at, window_used)
values ($1, $2, $3, 1, date_bin('1 min', $4::timestamptz, 'epoch'), 1)
on conflict (channel_id, api, day) do update
set used = q.used + 1,
    window_used = case
        when q.window_at = date_bin(q.window_length, $4::timestamptz, 'epoch') then q.window_used + 1
        else 1
    end,
    window_at = date_bin(q.window_length, $4::timestamptz, 'epoch')
where (q.daily_limit is null or q.used < q.daily_limit)
  and (q.closed_until is null or q.closed_until <= $4)
  and (
      q.window_limit is null or q.window_used < q.window_limit
      or q.window_at < date_bin(q.window_length, $4::timestamptz, 'epoch')
  )
returning *;

-- name: wechat_quota
-- Return the quota of a call for a day.
select * from wechat_quota where channel_id = $1 and api = $2 and day = $3;

-- name: release_wechat_call
-- Give back a call that was certainly not made.
update wechat_quota
set used = greatest(used - 1, 0), window_used = greatest(window_used - 1, 0)
where channel_id = $1 and api = $2 and day = $3;

-- name: claim_quota_question
-- Set out to ask WeChat for a quota, unless it is known or was asked for after $5.
update wechat_quota set asked_at = $4
where channel_id = $1 and api = $2 and day = $3 and daily_limit is null and (asked_at is null or asked_at <= $5)
returning asked_at;

-- name: save_wechat_quota
-- Record a quota as WeChat told it; calls that others made count, and those that are reserved here stay.
update wechat_quota
set daily_limit = $4, used = greatest(used, $5), window_limit = $6, window_length = coalesce($7, window_length),
    window_at = date_bin(coalesce($7, window_length), $8::timestamptz, 'epoch')
where channel_id = $1 and api = $2 and day = $3;

-- name: close_wechat_api
-- Record that WeChat takes no more of these calls until an instant.
update wechat_quota set closed_until = greatest(closed_until, $4) where channel_id = $1 and api = $2 and day = $3;

-- name: prune_wechat_quotas
-- Delete the quotas of days before one.
delete from wechat_quota where channel_id = $1 and day < $2;

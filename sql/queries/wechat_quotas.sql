-- name: reserve_wechat_calls
-- Count $5 calls that are about to be made and return the quota; nothing where not so many are left of it or of the rate
-- at instant $4.
insert into wechat_quota as q (channel_id, api, day, used, window_at, window_used)
values ($1, $2, $3, $5, date_bin('1 min', $4::timestamptz, 'epoch'), $5)
on conflict (channel_id, api, day) do update
set used = q.used + $5,
    window_used = $5 + case when q.window_at = date_bin(q.window_length, $4::timestamptz, 'epoch') then q.window_used else 0 end,
    window_at = date_bin(q.window_length, $4::timestamptz, 'epoch')
where (q.daily_limit is null or q.used + $5 <= q.daily_limit)
  and (q.closed_until is null or q.closed_until <= $4)
  and (
      q.window_limit is null or $5 <= q.window_limit - case
          when q.window_at < date_bin(q.window_length, $4::timestamptz, 'epoch') then 0
          else q.window_used
      end
  )
returning *;

-- name: wechat_quota
-- Return the quota of a call for a day.
select * from wechat_quota where channel_id = $1 and api = $2 and day = $3;

-- name: release_wechat_calls
-- Give back $4 calls that were certainly not made, also to the rate if they were counted in the window that is the last.
update wechat_quota
set used = greatest(used - $4, 0),
    window_used = case when window_at = $5 then greatest(window_used - $4, 0) else window_used end
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

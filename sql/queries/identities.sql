-- name: identities_of_openids
-- Ordinal and unionid of these openids, of those that are known.
select openid, ordinal, unionid from channel_user where channel_id = $1 and openid = any($2::text[]);

-- name: identities_of_unionids
-- Which openids of the channel these unionids belong to.
select openid, ordinal, unionid from channel_user where channel_id = $1 and unionid = any($2::text[]);

-- name: set_unionids
-- Unionids that became known; run under the lock of channel_state, where no other person has them.
update channel_user u
set unionid = n.unionid
from unnest($2::int[], $3::text[]) as n (ordinal, unionid)
where u.channel_id = $1 and u.ordinal = n.ordinal;

-- name: users_by_unionid
-- People of a channel by unionid, with their facts and what follows from them.
select u.*, follows(f.facts) as following, touchable_until(f.facts, w.w) as touchable_until
from channel_user u
join user_facts f using (channel_id, ordinal)
cross join current_windows w
where u.channel_id = $1 and u.unionid = any($2::text[]);

-- name: receivable_broadcasts
-- List those of these broadcasts that are unfinished, finished after instant $3, or of a series that goes on.
select b.job_id, b.name, b.start_at
from broadcast b
join job j on j.channel_id = b.channel_id and j.job_id = b.job_id
left join broadcast s on s.channel_id = b.channel_id and s.job_id = b.repeat_of
where b.channel_id = $1 and b.job_id = any($2::int[])
  and (j.finished_at is null or j.finished_at > $3 or b.next_run_at is not null or s.next_run_at is not null);

-- name: audience_blocks
-- List the first $3 blocks from $2 on of a channel: who is in a set, who follows, and who is on the blacklist.
select s.block, s.members, s.following, s.blacklisted
from (
    select h.block, /* expression */ 0::bit(32000) as members,
        coalesce((select m.members from tag_members m
            where m.channel_id = $1 and m.block = h.block and m.tag_id = 3), 0::bit(32000))
        | coalesce((select m.members from tag_members m
            where m.channel_id = $1 and m.block = h.block and m.tag_id = 4), 0::bit(32000)) as following,
        (select b.members from blacklisted b where b.channel_id = $1 and b.block = h.block) as blacklisted
    from block_head h
    where h.channel_id = $1 and h.block >= $2
    order by h.block
    limit $3
    offset 0
) s
order by s.block;

-- name: following_and_blacklisted
-- Return who follows and who is on the blacklist in these blocks.
select h.block,
    coalesce((select m.members from tag_members m
        where m.channel_id = $1 and m.block = h.block and m.tag_id = 3), 0::bit(32000))
    | coalesce((select m.members from tag_members m
        where m.channel_id = $1 and m.block = h.block and m.tag_id = 4), 0::bit(32000)) as following,
    (select b.members from blacklisted b where b.channel_id = $1 and b.block = h.block) as blacklisted
from unnest($2::int[]) as h (block);

-- name: consenting
-- List who of these people allowed a message of a template and was not sent one since.
select ordinal from template_consent
where channel_id = $1 and template_id = $2 and ordinal = any($3::int[])
  and accepted_at > coalesce(greatest(rejected_at, sent_at), '-infinity');

-- name: consenting_between
-- List who of people $3 to $4 allowed a message of a template and was not sent one since.
select ordinal from template_consent
where channel_id = $1 and template_id = $2 and ordinal between $3 and $4
  and accepted_at > coalesce(greatest(rejected_at, sent_at), '-infinity');

-- name: answerable
-- List who of these people wrote after instant $3, with the customer-service messages sent since, or paid after it.
select u.ordinal, u.messaged_at > $3 as wrote, coalesce(u.paid_at > $3, false) as paid, s.sends
from channel_user u
cross join lateral (
    select count(*)::int as sends
    from (
        select from broadcast_send s
        where s.channel_id = $1 and s.ordinal = u.ordinal and s.kind = 'CUSTOMER_SERVICE_TEXT'
          and s.claimed_at >= date_trunc('second', u.messaged_at) and s.state in ('CLAIMED', 'SENT', 'UNKNOWN')
        limit $4
    ) latest
) s
where u.channel_id = $1 and u.ordinal = any($2::int[]) and (u.messaged_at > $3 or u.paid_at > $3);

-- name: answerable_between
-- List who of people $2 to $5 wrote after instant $3, with the customer-service messages sent since, or paid after it.
select u.ordinal, u.messaged_at > $3 as wrote, coalesce(u.paid_at > $3, false) as paid, s.sends
from channel_user u
cross join lateral (
    select count(*)::int as sends
    from (
        select from broadcast_send s
        where s.channel_id = $1 and s.ordinal = u.ordinal and s.kind = 'CUSTOMER_SERVICE_TEXT'
          and s.claimed_at >= date_trunc('second', u.messaged_at) and s.state in ('CLAIMED', 'SENT', 'UNKNOWN')
        limit $4
    ) latest
) s
where u.channel_id = $1 and u.ordinal between $2 and $5 and (u.messaged_at > $3 or u.paid_at > $3);

-- name: freeze_broadcast_audience
-- Keep who is in a set now, block by block, as the audience of broadcast $2.
insert into broadcast_people (channel_id, job_id, role, block, members)
select $1, $2, 'FROZEN', s.block, s.members
from (
    select h.block, /* expression */ 0::bit(32000) as members
    from block_head h
    where h.channel_id = $1
    offset 0
) s
where bit_count(s.members) > 0;

-- name: record_freeze
-- Record that the audience of a locked broadcast is frozen at $3, and how many people it has.
update broadcast set frozen_at = $3, matched = $4, following = $5, planned = $6, waiting_for = null
where channel_id = $1 and job_id = $2;

-- name: received_by
-- Return by block who was claimed by these broadcasts, and of unfinished ones who still will be. Whoever was planned again
-- while nobody knew whether they got it may have got it, whatever became of them since.
select p.block, bit_or(p.members) as members
from broadcast_people p
join job j on j.channel_id = p.channel_id and j.job_id = p.job_id
where p.channel_id = $1 and p.job_id = any($2::int[])
  and (p.role in ('TAKEN', 'RESENT') or (p.role = 'PLANNED' and j.state not in ('DONE', 'FAILED', 'CANCELLED')))
group by p.block;

-- name: broadcasts_of_series
-- List the broadcasts of series $2, itself included.
select job_id from broadcast where channel_id = $1 and (job_id = $2 or repeat_of = $2);

-- name: alike_broadcasts
-- List the broadcasts with the same content that were frozen after instant $3, but for those of series $4.
select job_id from broadcast
where channel_id = $1 and message_hash = $2 and frozen_at > $3 and job_id <> $4
  and repeat_of is distinct from $4;

-- name: broadcasts_of_kind
-- List the broadcasts of a kind, and of template $3 if there is one, that were frozen after instant $4.
select job_id from broadcast
where channel_id = $1 and kind = $2 and ($3::text is null or message ->> 'template_id' = $3) and frozen_at > $4;

-- name: once_only_broadcasts
-- List the broadcasts with this onceOnly that were frozen.
select job_id from broadcast where channel_id = $1 and once_only = $2 and frozen_at is not null;

-- name: unionids_of_people
-- Return the unionids of people who have one.
select unionid from channel_user where channel_id = $1 and ordinal = any($2::int[]) and unionid is not null;

-- name: ordinals_of_unionids
-- Return the people of a channel who have one of these unionids.
select ordinal from channel_user where channel_id = $1 and unionid = any($2::text[]);

-- name: ordinals_of_openids
-- Return the people of a channel who have one of these openids.
select ordinal from channel_user where channel_id = $1 and openid = any($2::text[]);

-- name: lock_blacklist
-- Lock the blacklist of a channel until the transaction ends.
select from blacklisted where channel_id = $1 order by block for update;

-- name: clear_blacklist
-- Delete whom the account had on its blacklist, in other blocks than these.
delete from blacklisted where channel_id = $1 and block <> all($2::int[]);

-- name: save_blacklist
-- Record whom the account has on its blacklist in these blocks, and nobody else there.
insert into blacklisted (channel_id, block, members)
select $1, n.block, n.members::bit(32000)
from unnest($2::int[], $3::varbit[]) as n (block, members)
order by n.block
on conflict (channel_id, block) do update set members = excluded.members;

-- name: add_blacklisted
-- Record that people are on the account's blacklist, as was learnt of each.
insert into blacklisted as b (channel_id, block, members)
select $1, n.block, n.members::bit(32000) from unnest($2::int[], $3::varbit[]) as n (block, members)
order by n.block
on conflict (channel_id, block) do update set members = b.members | excluded.members;

-- name: take_out_blacklisted
-- Take people for no longer blacklisted, until it is learnt again.
update blacklisted b set members = b.members & ~n.members::bit(32000)
from unnest($2::int[], $3::varbit[]) as n (block, members)
where b.channel_id = $1 and b.block = n.block;

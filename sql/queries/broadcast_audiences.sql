-- name: receivable_broadcasts
-- List those of these broadcasts that are unfinished, or finished after instant $3.
select b.job_id, b.name, b.start_at
from broadcast b
join job j on j.channel_id = b.channel_id and j.job_id = b.job_id
where b.channel_id = $1 and b.job_id = any($2::int[]) and (j.finished_at is null or j.finished_at > $3);

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

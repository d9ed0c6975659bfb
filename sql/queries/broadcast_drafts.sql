-- name: save_broadcast_articles
-- Keep what a draft holds, in place of what was kept before.
insert into broadcast_article (channel_id, job_id, articles) values ($1, $2, $3)
on conflict (channel_id, job_id) do update set articles = excluded.articles;

-- name: broadcast_articles
-- Return what the draft of a broadcast held at the freeze.
select articles from broadcast_article where channel_id = $1 and job_id = $2;

-- name: insert_broadcast_draft
-- Record a copy that was made.
insert into broadcast_draft (channel_id, job_id, media_id, made_at) values ($1, $2, $3, $4);

-- name: unused_broadcast_draft
-- Return the oldest copy with which no chunk is or was sent.
select d.media_id from broadcast_draft d
where d.channel_id = $1 and d.job_id = $2
  and not exists (
      select from broadcast_chunk c where c.channel_id = $1 and c.job_id = $2 and c.media_id = d.media_id
  )
order by d.made_at, d.media_id
limit 1;

-- name: leftover_broadcast_drafts
-- List the copies of a channel's finished broadcasts, with whether one was used up; of those with which a chunk was sent
-- after $2 and is not known to have arrived or not, nothing is known.
select d.job_id, d.media_id, coalesce(bool_or(c.state = 'SENT'), false) as used_up
from broadcast_draft d
join job j on j.channel_id = d.channel_id and j.job_id = d.job_id
left join broadcast_chunk c on c.channel_id = d.channel_id and c.job_id = d.job_id and c.media_id = d.media_id
where d.channel_id = $1 and j.state in ('DONE', 'FAILED', 'CANCELLED')
group by d.job_id, d.media_id
having not coalesce(bool_or(c.state in ('CLAIMED', 'UNKNOWN') and c.claimed_at > $2), false)
order by d.job_id, d.media_id;

-- name: delete_broadcast_draft
-- Forget a copy.
delete from broadcast_draft where channel_id = $1 and job_id = $2 and media_id = $3;

-- name: channels_with_leftover_drafts
-- List the channels with copies of finished broadcasts.
select distinct d.channel_id
from broadcast_draft d
join job j on j.channel_id = d.channel_id and j.job_id = d.job_id
where j.state in ('DONE', 'FAILED', 'CANCELLED')
order by d.channel_id;

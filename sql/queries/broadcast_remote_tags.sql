-- name: insert_broadcast_remote_tag
-- Record that a remote tag is about to be made for a broadcast.
insert into broadcast_remote_tag (channel_id, job_id, name, made_at) values ($1, $2, $3, $4)
on conflict (channel_id, job_id) do nothing;

-- name: broadcast_remote_tag
-- Return the remote tag that was, or was to be, made for a broadcast.
select name, remote_tag_id, made_at from broadcast_remote_tag where channel_id = $1 and job_id = $2;

-- name: set_broadcast_remote_tag
-- Record the id of the remote tag of a broadcast, null when there is none any more.
update broadcast_remote_tag set remote_tag_id = $3, made_at = $4 where channel_id = $1 and job_id = $2;

-- name: finished_broadcast_remote_tags
-- List the remote tags of a channel that are needed no more: what was sent to them has arrived, or will not be sent.
-- Where nothing tells whether it was, that is so for what was sent before $2.
select t.job_id, t.name, t.remote_tag_id, t.made_at
from broadcast_remote_tag t
join job j on j.channel_id = t.channel_id and j.job_id = t.job_id
where t.channel_id = $1
  and not exists (
      select from broadcast_chunk c
      where c.channel_id = t.channel_id and c.job_id = t.job_id and c.remote_tag_id is not null and c.claimed_at > $2
        and (
            c.state in ('CLAIMED', 'UNKNOWN')
            or c.state = 'SENT' and (c.status is null or upper(replace(c.status, ' ', '')) = 'SENDING')
        )
  )
  and (
      j.state in ('DONE', 'FAILED', 'CANCELLED')
      or exists (
          select from broadcast_chunk c
          where c.channel_id = t.channel_id and c.job_id = t.job_id and c.remote_tag_id is not null and c.state = 'SENT'
      )
  )
order by t.job_id;

-- name: delete_broadcast_remote_tag
-- Forget the remote tag of a broadcast.
delete from broadcast_remote_tag where channel_id = $1 and job_id = $2;

-- name: channels_with_broadcast_remote_tags
-- List the channels with remote tags of broadcasts.
select distinct channel_id from broadcast_remote_tag order by channel_id;

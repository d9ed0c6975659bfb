-- name: audit_page
-- Return entries of a channel, newest first, that come after the entry of $2, $3 and $4; null begins with the newest.
-- Bounds that are not given are replaced, so that the index finds the place whatever is given.
select *
from audit_entry
where channel_id = $1
  and (at, entry_id, channel_id)
      < (
          coalesce($2::timestamptz, 'infinity'),
          coalesce($3::bigint, 9223372036854775807),
          coalesce($4::bigint, 9223372036854775807)
      )
  and ($5::text is null or target_id = $5)
  and ($6::text is null or subject = $6)
  and ($7::text is null or action = $7)
  and ($8::text is null or outcome = $8)
  and at >= coalesce($9::timestamptz, '-infinity')
  and at < coalesce($10::timestamptz, 'infinity')
order by at desc, entry_id desc
limit $11;

-- name: audit_entry
-- Return an entry.
select * from audit_entry where channel_id = $1 and entry_id = $2;

-- name: exported_entries
-- Return sealed entries of a channel with numbers above $2 and up to $3, which are few.
select *
from audit_entry
where channel_id = $1
  and number > $2
  and number <= $3
  and ($4::text is null or target_id = $4)
  and ($5::text is null or subject = $5)
  and ($6::text is null or action = $6)
  and ($7::text is null or outcome = $7)
  and ($8::timestamptz is null or at >= $8)
  and ($9::timestamptz is null or at < $9);

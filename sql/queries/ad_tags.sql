-- name: insert_ad_tag
-- Insert a new ad tag; no block has been compared with its ads yet.
insert into ad_tag (channel_id, tag_id, edition, written_edition) values ($1, $2, 1, 0);

-- name: increment_edition
-- Count another list of ads of a tag; run under the lock of channel_state.
update ad_tag set edition = edition + 1 where channel_id = $1 and tag_id = $2;

-- name: clear_ad_tag_ads
-- Delete the ads of a tag, before another list of them is inserted.
delete from ad_tag_ad where channel_id = $1 and tag_id = $2;

-- name: insert_ad_tag_ads
-- Insert the ads of a tag, in the order they were typed.
insert into ad_tag_ad (channel_id, tag_id, ad_id, position)
select $1, $2, n.ad_id, n.position
from unnest($3::text[]) with ordinality as n (ad_id, position);

-- name: ads_of_tags
-- List the ads of tags, deleted tags too, in the order they were typed.
select tag_id, ad_id from ad_tag_ad where channel_id = $1 and tag_id = any($2::int[]) order by tag_id, position;

-- name: ad_list_editions
-- List the living ad tags with the edition of their list of ads and the one every block was compared with.
select a.tag_id, a.edition, a.written_edition
from ad_tag a
join tag t using (channel_id, tag_id)
where a.channel_id = $1 and t.deleted_at is null
order by a.tag_id;

-- name: set_written_edition
-- Record that every block has been compared with this list of ads.
update ad_tag set written_edition = greatest(written_edition, $3) where channel_id = $1 and tag_id = $2;

-- name: blocks_touched_by_ad_tag
-- List the blocks in which a user has one of the tag's ads, or the tag.
select a.ordinal / 32000 as block
from ad_tag_ad d
join user_ad a on a.channel_id = d.channel_id and a.ad_id = d.ad_id
where d.channel_id = $1 and d.tag_id = $2
union
select m.block from tag_members m where m.channel_id = $1 and m.tag_id = $2;

-- name: ad_tags_gained
-- List who in locked blocks gets which living ad tag through these ads and does not have it yet.
select n.ordinal / 32000 as block, (n.ordinal % 32000)::smallint as user_offset,
    array_agg(distinct t.tag_id order by t.tag_id) as tag_ids
from unnest($2::int[], $3::text[]) as n (ordinal, ad_id)
join ad_tag_ad d on d.channel_id = $1 and d.ad_id = n.ad_id
join tag t on t.channel_id = $1 and t.tag_id = d.tag_id and t.deleted_at is null
left join tag_members m on m.channel_id = $1 and m.block = n.ordinal / 32000 and m.tag_id = t.tag_id
where get_bit(m.members, n.ordinal % 32000) is distinct from 1
group by 1, 2
order by 1, 2;

-- name: ad_tag_differences
-- List who in a locked block lacks a living ad tag and who should not have it: of tag $3, or, where it is null, of all
-- ad tags that every block has been compared with.
with living as materialized (
    select t.tag_id, m.members
    from tag t
    left join tag_members m on m.channel_id = $1 and m.block = $2 and m.tag_id = t.tag_id
    where t.channel_id = $1 and t.kind = 'AD' and t.deleted_at is null and case
        when $3::int is null then exists (
            select from ad_tag e where e.channel_id = $1 and e.tag_id = t.tag_id and e.written_edition = e.edition
        )
        else t.tag_id = $3
    end
),
wanted as materialized (
    select distinct d.tag_id, a.ordinal % 32000 as user_offset
    from ad_tag_ad d
    join user_ad a
        on a.channel_id = $1 and a.ad_id = d.ad_id and a.ordinal between $2 * 32000 and $2 * 32000 + 31999
    where d.channel_id = $1 and ($3::int is null or d.tag_id = $3)
),
had as (
    select l.tag_id, o as user_offset
    from living l
    cross join generate_series(0, 31999) o
    where l.members is not null and get_bit(l.members, o) = 1
)
select tag_id, array_agg(user_offset::smallint order by user_offset) filter (where not had) as added,
    array_agg(user_offset::smallint order by user_offset) filter (where had) as removed
from (
    select tag_id, w.user_offset, false as had
    from wanted w join living l using (tag_id)
    where get_bit(l.members, w.user_offset) is distinct from 1
    union all
    select h.tag_id, h.user_offset, true
    from had h
    where not exists (select from wanted w where w.tag_id = h.tag_id and w.user_offset = h.user_offset)
) d
group by tag_id
order by tag_id;

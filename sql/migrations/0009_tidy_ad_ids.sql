-- The ids of ads that are stored already become what they are compared as from now on: in NFKC, without invisible
-- characters. One that would become empty or too long stays; none like it can be added any more. Where two become one,
-- the later follow and the earlier place in a list stay.

-- Tags gain people by this. A worker compares every block of a tag whose lists differ in edition.
update ad_tag t
set edition = t.edition + 1
where t.channel_id in (
    select channel_id from user_ad where ad_id ~ '[^\x01-\x7f]'
    union
    select channel_id from ad_tag_ad where ad_id ~ '[^\x01-\x7f]'
);

with untidy as (
    select a.channel_id, a.ordinal, a.ad_id, t.tidy
    from user_ad a
    cross join lateral (select
        regexp_replace(normalize(regexp_replace(
        a.ad_id,
        '[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u3164'
        '\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFF8\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]',
        '', 'g'
    ), NFKC), '^\s+|\s+$', '', 'g') as tidy
    ) t
    where a.ad_id ~ '[^\x01-\x7f]' and t.tidy <> a.ad_id and length(t.tidy) between 1 and 64
),
gone as (
    delete from user_ad a
    using untidy u
    where a.channel_id = u.channel_id and a.ordinal = u.ordinal and a.ad_id = u.ad_id
    returning a.channel_id, a.ordinal, u.tidy, a.followed_at
)
insert into user_ad as a (channel_id, ordinal, ad_id, followed_at)
select channel_id, ordinal, tidy, max(followed_at) from gone group by channel_id, ordinal, tidy
on conflict (channel_id, ordinal, ad_id) do update set followed_at = greatest(a.followed_at, excluded.followed_at);

with untidy as (
    select a.channel_id, a.tag_id, a.ad_id, t.tidy
    from ad_tag_ad a
    cross join lateral (select
        regexp_replace(normalize(regexp_replace(
        a.ad_id,
        '[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u3164'
        '\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFF8\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]',
        '', 'g'
    ), NFKC), '^\s+|\s+$', '', 'g') as tidy
    ) t
    where a.ad_id ~ '[^\x01-\x7f]' and t.tidy <> a.ad_id and length(t.tidy) between 1 and 64
),
gone as (
    delete from ad_tag_ad a
    using untidy u
    where a.channel_id = u.channel_id and a.tag_id = u.tag_id and a.ad_id = u.ad_id
    returning a.channel_id, a.tag_id, u.tidy, a.position
)
insert into ad_tag_ad as a (channel_id, tag_id, ad_id, position)
select channel_id, tag_id, tidy, min(position) from gone group by channel_id, tag_id, tidy
on conflict (channel_id, tag_id, ad_id) do update set position = least(a.position, excluded.position);
